"""The command `data generate`: its options, progress and how drafted rows read in a terminal; it drafts none."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.drafting import by_job, check_model, free_writer, is_free
from bot.shell.ending import STOPPED
from bot.shell.following import finish
from bot.shell.plans import read_schema
from bot.shell.reading import read_spent
from bot.shell.terminal import JsonFlag, bar, fail_usage, in_shell, read_text, say, show, show_json, table
from knowledge.errors import ServiceError, UserError

if TYPE_CHECKING:
    from bot.settings import Settings
    from trainers.data.jsonl import Row
    from trainers.evals.generating.coverage import Grid
    from trainers.evals.generating.journal import Journal
    from trainers.evals.generating.rows import Generated
    from trainers.evals.generating.spec import RowSpec
    from trainers.jobs.drafting import Wish

data = typer.Typer(no_args_is_help=True, help="Rows to train on: draft them for a task.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(data, name="data")


KindOption = Annotated[
    str, typer.Option(help="classification, extraction, voice, documents, format or refusal; else by the task.")
]
GoodOption = Annotated[str, typer.Option(help="What makes a good example here: drives writer and judge.")]
CoverageOption = Annotated[
    Path | None, typer.Option(help="The coverage to use, a line for each dimension, as --plan prints it.")
]
AvoidOption = Annotated[
    list[Path] | None, typer.Option(help="Rows that are there already (JSONL): none that comes is like one of them.")
]
TargetOption = Annotated[
    str, typer.Option(help="Where they are to be trained, as in lint: too long rows are told. By default: local.")
]
PromptOption = Annotated[
    Path | None, typer.Option(help="Your system prompt, word for word in every row: luthier system-prompt --out FILE.")
]
OutOption = Annotated[
    Path | None, typer.Option(help="Where the rows go (JSONL), with a report beside; goes on where it stopped.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Spend what the quote says without being asked.")]
JobOption = Annotated[
    bool, typer.Option("--job", help="Let a worker write them also where nobody is billed, and show the job.")
]


@data.command()
def generate(
    task: Annotated[list[str], typer.Argument(help="What the model is to do.")],
    kind: KindOption = "",
    count: Annotated[int, typer.Option(help="Rows to draft.")] = 10,
    labels: Annotated[str, typer.Option(help="The labels, with commas between them.")] = "",
    schema: Annotated[Path | None, typer.Option(help="JSON Schema of the answers.")] = None,
    headings: Annotated[str, typer.Option(help="Headings of a fixed format, with commas between them.")] = "",
    texts: Annotated[list[Path] | None, typer.Option(help="The brand's texts, which become answers.")] = None,
    collection: Annotated[str, typer.Option(help="Collection of your documents to ask about.")] = "",
    writers: Annotated[str, typer.Option(help="Who writes the inputs in production, and where.")] = "",
    style: Annotated[str, typer.Option(help="How answers are to sound.")] = "",
    good: GoodOption = "",
    system_prompt: PromptOption = None,
    target: TargetOption = "",
    avoid: AvoidOption = None,
    coverage: CoverageOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print the coverage plan, to be edited.")] = False,
    seed: Annotated[int | None, typer.Option(help="Another seed gives other rows; 7 where none is given.")] = None,
    out: OutOption = None,
    yes: YesOption = False,
    job: JobOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Draft training rows for a task, each with why it helps and where it comes from; people review them."""
    from trainers.evals.generating.spec import DEFAULT_SEED
    from trainers.jobs.drafting import Wish

    told = {"writers": writers, "style": style, "good": good, "system": _prompt(system_prompt), "target": target}
    named = {"labels": labels.split(","), "headings": headings.split(",") if headings else ()}
    _check(count, out)
    material = {"schema": read_schema(schema), "texts": _texts(texts or ()), "passages": _passages(collection)}
    spec = _spec(" ".join(task).strip(), kind=kind, **named, **material, **told)
    grid = _grid(coverage, spec)
    if plan:
        show_json({name: list(values) for name, values in grid.dimensions.items()}) if as_json else show(grid.text)
        return
    wish = Wish(spec=spec, grid=grid, count=count, seed=DEFAULT_SEED if seed is None else seed)
    _draft(wish, out, _rows(avoid or ()), by_job=job, yes=yes, as_json=as_json)


def _draft(wish: "Wish", out: Path | None, avoid: "list[Row]", *, by_job: bool, yes: bool, as_json: bool) -> None:
    """Draft by recipes, by a language model that nobody is billed for, or by a job where it costs something."""
    from bot.settings import Settings
    from trainers.evals.generating.compose import compose_rows
    from trainers.evals.generating.rows import RECIPES

    settings = Settings.from_env()
    if by_job and not settings.model:
        raise fail_usage("--job needs a language model: LUTHIER_MODEL names one. Recipes compose at once, without it.")
    if settings.model:
        check_model(settings)
    if settings.model and (by_job or not is_free(settings)):
        if avoid:
            raise fail_usage(
                "--avoid is for recipes and a server that nobody is billed for: a job reads no other rows."
            )
        _follow(wish, settings, out, alone=by_job, yes=yes, as_json=as_json)
        return
    if settings.model:
        made = _write_rows(wish, settings, out, avoid, as_json=as_json)
    else:
        made = compose_rows(wish.spec, count=wish.count, seed=wish.seed, grid=wish.grid, avoid=avoid)
    _show(made, wish, _written(made, wish, out) if out else [], as_json=as_json)
    if settings.model and made.written_by == RECIPES:
        raise typer.Exit(1)  # a script that asked for a model's rows does not go on as if these were


def _check(count: int, out: Path | None) -> None:
    """Leave with 2 for what could only fail later, when rows may be paid for."""
    from trainers.evals.generating.compose import check_count

    try:
        check_count(count)
    except UserError as wrong:
        raise fail_usage(f"--count {count}: {wrong.what} {wrong.next_step}") from None
    if out is not None and out.exists():
        raise fail_usage(f"There is a file at {out} already. Give another name, or move it away first.")
    if out is not None and not (out.parent.is_dir() and os.access(out.parent, os.W_OK)):
        raise fail_usage(f"Nothing can be written in {out.parent}. Give a folder that is there and yours.")


def _spec(task: str, **named: Any) -> "RowSpec":
    """Read what is wanted; leaves with 2 where the options contradict each other."""
    from trainers.evals.generating.spec import Contradiction, row_spec

    try:
        return row_spec(task, **named)
    except Contradiction as wrong:
        raise fail_usage(f"{wrong.what} {wrong.next_step}") from None


def _prompt(file: Path | None) -> str:
    """Read the system prompt that rows are to have; "" where none is named."""
    if file is None:
        return ""
    text = read_text(file).strip()
    if not text:
        raise fail_usage(f"{file} is empty.")
    return text


def _grid(file: Path | None, spec: "RowSpec") -> "Grid":
    """Read an edited coverage; leaves with 2 for one that is none."""
    from trainers.evals.generating.coverage import plan_grid, read_grid

    if file is None:
        return plan_grid(spec)
    try:
        return read_grid(read_text(file), spec)
    except UserError as wrong:
        raise fail_usage(f"{file}: {wrong.what} {wrong.next_step}") from None


def _texts(files: Sequence[Path]) -> list[str]:
    from knowledge.clock import utc_now
    from trainers.evals.style.voice_texts import read_texts

    for file in files:
        if not file.is_file():
            raise fail_usage(f"There is no file {file}.")
    return read_texts(files, today=utc_now().date())


def _passages(collection: str) -> list[tuple[str, str]]:
    """Return the passages of a collection of this shell's workspace."""
    if not collection:
        return []
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.evals.generating.passages import passages_of

    with working(Settings.from_env(), say) as at:
        try:
            return passages_of(at.deps.library, shell_person().workspace_id, collection)
        except UserError as wrong:
            raise fail_usage(wrong.what, "Add documents with `luthier knowledge add FILE`.") from None


def _rows(files: Sequence[Path]) -> "list[Row]":
    """Read the rows that are there already."""
    from trainers.data.jsonl import read_rows

    found: list[Row] = []
    for file in files:
        if not file.is_file():
            raise fail_usage(f"There is no file {file}.")
        read = read_rows(file)
        if not read.rows:
            raise fail_usage(f"{file} has no row that I can read. `luthier lint {file}` says why.")
        found += read.rows
    return found


def _follow(wish: "Wish", settings: "Settings", out: Path | None, *, alone: bool, yes: bool, as_json: bool) -> None:
    """Follow a job to its rows and leave; `alone`: --job was asked for, so that the job is what is shown."""
    from trainers.evals.generating.files import read_document
    from trainers.evals.generating.rows import RECIPES
    from trainers.jobs.draft_files import document_of
    from trainers.jobs.no_report import no_report

    job = by_job(replace(wish, out=str(out.absolute()) if out else ""), settings, yes=yes, as_json=as_json)
    told = document_of(job, settings.data) if job.state == "succeeded" and not alone else None
    if told is not None:
        result = json.loads(job.result)
        told["notes"] = [*result["notes"], read_spent(result)]
        made = read_document(told)
        _show(made, wish, result["files"], as_json=as_json, job=True, listed=not out)
        if made.written_by == RECIPES:
            raise typer.Exit(1)
        return
    if alone or job.state == "succeeded":
        finish(job, as_json)
    what, next_step = no_report(job)
    if job.state == "failed":
        raise ServiceError(what, in_shell(next_step, job.number))
    say(f"{what} {in_shell(next_step, job.number)}")
    raise typer.Exit(STOPPED)


def _write_rows(
    wish: "Wish", settings: "Settings", out: Path | None, avoid: "list[Row]", *, as_json: bool
) -> "Generated":
    """Let a model that nobody is billed for write here; after Ctrl-C or a trouble the same command goes on."""
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.models import ModelUnavailable
    from trainers.evals.generating.journal import Journal, open_journal
    from trainers.evals.generating.written import write_rows

    wanted: dict[str, Any] = {"count": wish.count, "seed": wish.seed, "grid": wish.grid, "avoid": avoid}
    path = journal_path(out) if out else None
    with working(settings, say) as at, bar("Writing rows", late=True) as update:
        kept = open_journal(path, wish.spec, wish.grid, wish.count, wish.seed, avoid) if path else Journal()
        writer, meter = free_writer(at, wish, len(kept.drafts)), at.deps.meter(shell_person().workspace_id)
        try:
            return write_rows(wish.spec, model=writer, meter=meter, journal=kept, tell=update, fill=False, **wanted)
        except KeyboardInterrupt:
            say(_so_far(kept, wish, path))
            raise
        except ModelUnavailable as trouble:
            if not path and kept.drafts:  # nothing else keeps them
                _show(kept.so_far(writer.name), wish, [], as_json=as_json)
            raise ServiceError(trouble.what, f"{trouble.next_step} {_so_far(kept, wish, path)}") from trouble


def _so_far(kept: "Journal", wish: "Wish", path: Path | None) -> str:
    """Say what there is of an unfinished run, and how it goes on; without --out nothing keeps its rows."""
    from trainers.evals.generating.rows import so_far

    again = "The same command goes on." if path else ""
    if kept.drafts:
        again = f"{path} keeps them: the same command goes on from there." if path else "Only --out would keep them."
    return f"{so_far(len(kept.drafts), wish.count)}. {again}".strip()


def journal_path(out: Path) -> Path:
    """Return where an unfinished run is kept beside its rows."""
    return out.with_name(f"{out.name}.unfinished.jsonl")


def _written(made: "Generated", wish: "Wish", out: Path) -> list[str]:
    """Write rows, report, and what was thrown away; the journal of a whole run goes."""
    from trainers.evals.generating.files import write_files

    files = write_files(made, wish.spec, wish.grid, out)
    journal_path(out).unlink(missing_ok=True)
    return files


def _more(files: Sequence[str], *, job: bool) -> str:
    """Say how further rows come that repeat none of these; a job knows no rows but its own."""
    if job:
        return "Ask for more with --count, in one run: another --seed repeats some of these."
    if not files:
        return "Ask for more with --count, or put these into a file (--out) and name it with --avoid."
    return f"The same command with --avoid {files[0]} and another --out brings others."


def _show(
    made: "Generated", wish: "Wish", files: list[str], *, as_json: bool, job: bool = False, listed: bool = False
) -> None:
    """Show what came of it; rows that lie where they were wanted are not listed, unless `listed`."""
    from trainers.data.enough import few
    from trainers.data.findings import plural
    from trainers.evals.generating.files import document

    if as_json:
        show_json({**document(made, wish.grid), "files": files})
        return
    if listed or not files:
        rows = [(d.cell.get("case", ""), d.input, d.target, d.why) for d in made.drafts]
        show(table(("Case", "Sent", "Reply", "Why it helps"), rows))
    number = len(made.rejected)
    dropped = f" {plural(number, 'row')} {'was' if number == 1 else 'were'} thrown away." if number else ""
    short = few(len(made.drafts))
    more = f"{short} {_more(files, job=job)}" if short else ""
    say(" ".join(filter(None, [f"{made.marked}{dropped}", *made.notes, made.lacks, more])))
    if files:
        where = f" --target {wish.spec.target}" if wish.spec.target else ""
        say(f"Written: {', '.join(files)}. Check them with luthier lint{where}, then luthier datasets add.")
