"""The commands about sets of training rows: `datasets list | show | add | …`; they read and judge no row themselves."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.linting import findings
from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from handlers.deps import Deps
    from knowledge.tenancy import Person
    from trainers.tables import Dataset

Name = Annotated[str, typer.Argument(help="A data set: its name, `NAME v2`, or its id; a name alone is the newest.")]

group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Your training rows, kept by version: list, add, compare, rename, share, download, delete.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="datasets")


@group.command(name="list")
def list_datasets(as_json: JsonFlag = False) -> None:
    """List the data sets that you can see, newest first."""
    with _at() as (deps, me):
        rows = deps.datasets.listing(me.workspace_id, seen_by=me.user_id)
    if as_json:
        show_json([_as_json(row) for row in rows])
    elif not rows:
        show("No data sets yet. Add one: luthier datasets add FILE")
    else:
        head = ("Data set", "Id", "Rows", "Test", "Added", "By", "Seen by")
        show(table(head, [_as_row(row) for row in rows]))


@group.command(name="show")
def show_one(name: Name, as_json: JsonFlag = False) -> None:
    """Show a version: its counts, its hash, the files that its rows are from, and what the linter said."""
    from trainers.data.provenance import origins
    from trainers.data.versions import told_of

    with _at() as (deps, me):
        found = _named(deps, me, name)
    if as_json:
        show_json(_as_json(found))
        return
    files = [f"  {told_of(origin)}" for origin in origins(found)] or [f"  {found.provenance}"]
    show("\n".join([f"{found.name} v{found.version} ({found.id})", _counts(found), "Files:", *files]))


@group.command()
def add(
    file: Annotated[Path, typer.Argument(help="Rows: JSONL in any usual format, CSV, TSV or Excel.")],
    test: Annotated[Path | None, typer.Option(help="The held-out rows; without them some of the others are.")] = None,
    name: Annotated[str, typer.Option(help="Of the data set; without it the file's name.")] = "",
    to: Annotated[str, typer.Option(help="A data set that gets these rows as a new version, with its test rows.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Seen only by you until you share it.")] = False,
    group: Annotated[str, typer.Option(help="A key or column: rows of one value are held out together.")] = "",
    target: Annotated[
        str, typer.Option(help="Where they are to be trained, so that lengths are judged by it; see `lint`.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Lint rows and keep them as a version. Exit 1, and nothing is kept, if they are blocked."""
    from knowledge.clock import utc_now
    from trainers.data.judging import UNDECIDED
    from trainers.data.versions import more_rows

    _check_files(file, test)
    if to and (test or name or mine or target or group):
        raise fail_usage("--to adds rows to a data set as it is: leave out --test, --name, --mine, --group, --target.")
    if test and group:
        raise fail_usage("--group says how rows are held out: leave out --test, or --group.")
    _check_target(target)
    name = _checked(name) if name else file.stem
    told = "file given in the shell"
    with _at() as (deps, me):
        if to:
            kept, report, *_ = more_rows(
                deps.datasets, _named(deps, me, to), file, file_name=file.name, person=me, provenance=told,
                now=utc_now(),
            )  # fmt: skip
        else:
            kept, report = deps.datasets.add(
                file, test, name=name, person=me, provenance=told, now=utc_now(), private=mine,
                file_names=(file.name, test.name if test else ""), target=target or UNDECIDED, group=group,
            )  # fmt: skip
    if as_json:
        show_json(_as_json(kept) | {"findings": [finding.to_json() for finding in report.findings]})
    else:
        show(f"{findings(report)}\nKept as {kept.name} v{kept.version}: {_counts(kept)}")


@group.command()
def fix(name: Name, as_json: JsonFlag = False) -> None:
    """Mend in a new version what needs no guess, and say what that was; the old version stays as it is."""
    from knowledge.clock import utc_now
    from trainers.data.versions import fixed

    with _at() as (deps, me):
        kept, _, done = fixed(deps.datasets, _named(deps, me, name), person=me, now=utc_now())
    said = done.sentences(marked=False)
    if as_json:
        show_json(_as_json(kept) | {"mended": said})
    else:
        show("\n".join([*said, f"{kept.name} v{kept.version}: {_counts(kept)}"]))


@group.command()
def diff(
    old: Name,
    new: Annotated[str, typer.Argument(help="The other version; without it OLD is the newer of two.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Compare two versions by counts and line numbers; what stands in a row is not shown."""
    from trainers.data.differences import compare
    from trainers.data.keeping import before

    with _at() as (deps, me):
        last = _named(deps, me, new or old)
        first = _named(deps, me, old) if new else before(deps.datasets, me, last)
        if first is None:
            raise fail_usage(f"{last.name} v{last.version} has no version before it: name another one.")
        found = compare(deps.datasets.folder, first, last)
    if as_json:
        show_json(found.to_json())
    else:
        head, *rows = found.rows()
        show("\n".join([table(head, rows), *found.sentences()]))


@group.command()
def link(
    to: Annotated[str, typer.Option(help="A data set that gets the rows as a new version.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Print a link to the web process under which one file can be handed in, once, within an hour."""
    from knowledge.clock import utc_now
    from knowledge.errors import UserError
    from trainers.data.links import Links

    with _at() as (deps, me):
        if not deps.upload_address:
            raise UserError("LUTHIER_PUBLIC_URL is not set.", "Set it to the address at which people reach `web`.")
        secret = Links(deps.engine).make(me, utc_now(), dataset_id=_named(deps, me, to).id if to else "")
        address = f"{deps.upload_address}/upload/{secret}"
    show_json({"link": address}) if as_json else show(address)


@group.command()
def rename(name: Name, to: Annotated[str, typer.Argument(help="The new name.")], as_json: JsonFlag = False) -> None:
    """Rename all versions of a data set."""
    from knowledge.clock import utc_now
    from trainers.data import keeping

    with _at() as (deps, me):
        said = keeping.rename(deps.engine, _named(deps, me, name), to, me, utc_now())
    show_json({"name": said}) if as_json else show(f"It is called {said} now.")


@group.command()
def share(name: Name, as_json: JsonFlag = False) -> None:
    """Let everybody in the workspace see and use a version that only you could."""
    from knowledge.clock import utc_now
    from trainers.data import keeping

    with _at() as (deps, me):
        changed = keeping.share(deps.engine, _named(deps, me, name), me, utc_now())
    said = "Everybody in the workspace can see it now." if changed else "Everybody could see it already."
    show_json({"shared": True, "changed": changed}) if as_json else show(said)


@group.command()
def download(
    name: Name,
    out: Annotated[Path, typer.Option(help="A folder; the files are named after the data set.")] = Path(),
    as_json: JsonFlag = False,
) -> None:
    """Write a version's training rows, test rows and provenance as files; none that is there is overwritten."""
    from knowledge.clock import utc_now
    from trainers.data import keeping
    from trainers.data.converting import new_file

    if not out.is_dir():
        raise fail_usage(f"There is no folder {out}.")
    with _at() as (deps, me):
        found, written = _named(deps, me, name), list[str]()
        for part, content in keeping.parts(deps.datasets.folder, found):
            path = out / f"{keeping.file_stem(found)}.{part}"
            with new_file(path) as file:
                file.write(content)
            written.append(str(path))
        keeping.note_download(deps.engine, found, me, utc_now())
    show_json({"files": written}) if as_json else show("\n".join(written))


@group.command()
def delete(
    name: Annotated[str, typer.Argument(help="A version: `NAME v2` or its id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove a version's bytes for good. Refused while a job needs them; what stays elsewhere is told first."""
    from knowledge.clock import utc_now
    from trainers.data import keeping

    if not re.search(r"^ds_|(\sv|[@:])[0-9]+$", name):
        raise fail_usage(f"Name one version: {name} v1.")
    with _at() as (deps, me):
        found = keeping.one_version(deps.datasets, me, name)
        stays = keeping.what_stays(deps.engine, deps.datasets.folder, found, me)
        for sentence in stays:
            say(sentence)
        if not yes and not typer.confirm(f"Delete {found.name} v{found.version} for good?", err=True):
            say("Nothing was deleted.")
            raise typer.Exit(1)
        changed = keeping.delete(deps.datasets, deps.engine, found, me, utc_now())
    show_json({"deleted": found.id, "changed": changed, "stays": stays}) if as_json else show(
        f"{found.name} v{found.version} is deleted; its bytes are gone."
    )


def _check_files(*paths: Path | None) -> None:
    for path in paths:
        if path is not None and not path.is_file():
            raise fail_usage(f"There is no file {path}.")


def _check_target(target: str) -> None:
    from trainers.data.limits import target_names

    if target and target not in target_names():
        raise fail_usage(f"I don't know the target {target[:40]!r}. Use one of: {', '.join(target_names())}.")


def _checked(name: str) -> str:
    from knowledge.errors import UserError
    from trainers.data.naming import checked

    try:
        return checked(name)
    except UserError as error:
        raise fail_usage(f"{error.what} {error.next_step}") from error


@contextmanager
def _at() -> "Iterator[tuple[Deps, Person]]":
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working

    with working(Settings.from_env(), say) as at:
        yield at.deps, shell_person()


def _named(deps: "Deps", me: "Person", name: str) -> "Dataset":
    from trainers.data.keeping import named

    return named(deps.datasets, me, name)


def _counts(found: "Dataset") -> str:
    from trainers.data.findings import plural

    noun = "pair" if found.pairs else "row"
    counts = f"{plural(found.train_rows, f'training {noun}')}, {plural(found.test_rows, f'test {noun}')}"
    return f"{counts}{f', with {found.holds}' if found.holds else ''}, SHA-256 {found.sha256}"


def _as_row(found: "Dataset") -> tuple[str, ...]:
    added = f"{found.created_at:%Y-%m-%d}" if found.created_at else ""
    seen = "you" if found.private else "everybody"
    rows = f"{found.train_rows:,}{' pairs' if found.pairs else ''}", f"{found.test_rows:,}"
    return f"{found.name} v{found.version}", found.id, *rows, added, found.created_by, seen


def _as_json(found: "Dataset") -> dict[str, Any]:
    from trainers.data.provenance import origins

    names = (
        "id",
        "name",
        "version",
        "train_rows",
        "test_rows",
        "sha256",
        "provenance",
        "created_by",
        "private",
        "pairs",
        "calls",
        "pictures",
    )
    return {name: getattr(found, name) for name in names} | {
        "created_at": found.created_at,
        "files": [origin._asdict() for origin in origins(found)],
    }
