"""The commands `convert` and `split`: files of rows become other files of rows; how that is done is known below."""

from pathlib import Path
from typing import Annotated

import typer

from bot.shell.linting import FORMATS, count_for
from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json
from knowledge.errors import UserError

_FormFlag = Annotated[str, typer.Option("--format", help=f"The rows' format, if not told by content: {FORMATS}.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(convert)
    app.command()(split)


def convert(
    file: Annotated[Path, typer.Argument(help="Rows: JSONL or a JSON list in any usual format, CSV, TSV or Excel.")],
    to: Annotated[str, typer.Option(help="openai, azure, vertex, together, fireworks, hf, local, csv or tsv.")],
    out: Annotated[Path | None, typer.Option(help="The new file; without it FILE.TO.jsonl beside the old one.")] = None,
    form: _FormFlag = "",
    skip: Annotated[bool, typer.Option("--skip", help="Leave out rows that can't be used; they are named.")] = False,
    model: Annotated[
        Path | None, typer.Option(help="Folder of an open model, whose tokenizer and chat template count.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write rows as a target wants them. Exit 1, and no file, if `lint` would block a row of it."""
    from trainers.data.converting import convert as write
    from trainers.data.limits import target_names

    _refuse_usage(file, form)
    if model is not None and not model.is_dir():
        raise fail_usage(f"There is no folder {model}.")
    out = out or _named(file, to)
    try:
        count = count_for(to, model) if to in target_names() else None
        done = write(file, out, to=to, kind=form or None, skip=skip, count=count)
    except UserError as error:
        raise fail_usage(str(error)) from error
    if as_json:
        found = [finding.to_json() for finding in done.findings]
        show_json({"rows": done.rows, "out": str(out) if done.rows else None, "formats": done.kinds, "findings": found})
    else:
        for finding in done.findings:
            say(f"{finding.severity} {finding.message} {finding.fix}".strip())
        show(f"{done.rows:,} rows written to {out}." if done.rows else "Nothing was written.")
    raise typer.Exit(0 if done.rows else 1)


def split(
    file: Annotated[Path, typer.Argument(help="Rows: JSONL or a JSON list in any usual format, CSV, TSV or Excel.")],
    test: Annotated[float, typer.Option(help="Share of the rows to hold out.")] = 0.2,
    seed: Annotated[int, typer.Option(help="The same seed divides the same file the same way.")] = 7,
    group: Annotated[str, typer.Option(help="A key whose rows stay on one side, such as customer_id.")] = "",
    form: _FormFlag = "",
    as_json: JsonFlag = False,
) -> None:
    """Hold out test rows: near duplicates and groups stay on one side, and the test part is frozen by its hash."""
    from bot.settings import Settings
    from bot.wiring import shell_person
    from trainers.data.dividing import divide
    from trainers.evals import frozen_rows

    _refuse_usage(file, form)
    if not 0 < test < 1:
        raise fail_usage("--test lies between 0 and 1: 0.2 holds out a fifth.")
    parts = divide(file, test_fraction=test, seed=seed, group=group or None, kind=form or None)
    names = [
        _write(file.with_name(f"{file.stem}.{part}.jsonl"), rows)
        for part, rows in (("train", parts.train), ("test", parts.test))
    ]
    sha256 = frozen_rows.keep(Settings.from_env().data, shell_person().workspace_id, parts.test)
    figures = {"train_rows": parts.train_rows, "test_rows": parts.test_rows, "kept_together": parts.groups}
    if as_json:
        show_json({"train": names[0], "test": names[1], "test_sha256": sha256, "seed": seed, **figures})
        return
    show(f"{parts.train_rows:,} rows in {names[0]}, {parts.test_rows:,} held out in {names[1]}.")
    show(f"The test part is frozen: SHA-256 {sha256}.")


def _named(file: Path, to: str) -> Path:
    """Return the name of the new file beside the old one: `rows.azure.jsonl`, `rows.csv`."""
    table = file.with_name(f"{file.stem}.{to}")
    if to in ("csv", "tsv"):
        return table if table != file else file.with_name(f"{file.stem}.new.{to}")
    return table.with_name(f"{table.name}.jsonl")


def _write(out: Path, content: bytes) -> str:
    from trainers.data.converting import new_file

    with new_file(out) as file:
        file.write(content)
    return str(out)


def _refuse_usage(file: Path, form: str) -> None:
    if not file.is_file():
        raise fail_usage(f"There is no file {file}.")
    if form and form not in FORMATS.split(", "):
        raise fail_usage(f"I don't know the format {form[:40]!r}. Use one of: {FORMATS}.")
