"""The command `data generate`: its options, progress, files and how drafted rows read in a terminal; it drafts none."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.plans import read_schema
from bot.shell.terminal import JsonFlag, bar, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from trainers.evals.generating.coverage import Grid
    from trainers.evals.generating.rows import Generated
    from trainers.evals.generating.spec import RowSpec

SEED = 7
MOST_PASSAGES = 50
"""Passages of one document that are asked about."""

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
OutOption = Annotated[
    Path | None, typer.Option(help="Where the rows go (JSONL), with a report beside; goes on where it stopped.")
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
    coverage: CoverageOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print the coverage plan, to be edited.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed gives other rows.")] = SEED,
    out: OutOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Draft training rows for a task, each with why it helps and where it comes from; people review them."""
    from trainers.evals.generating.coverage import plan_grid, read_grid
    from trainers.evals.generating.spec import row_spec

    told = {"writers": writers, "style": style, "good": good}
    named = {"labels": labels.split(","), "headings": headings.split(",") if headings else ()}
    material = {"schema": read_schema(schema), "texts": _texts(texts or ()), "passages": _passages(collection)}
    spec = row_spec(" ".join(task).strip(), kind=kind, **named, **material, **told)  # type: ignore[arg-type]  # by name
    grid = read_grid(_read(coverage), spec) if coverage else plan_grid(spec)
    if plan:
        show_json({name: list(values) for name, values in grid.dimensions.items()}) if as_json else show(grid.text)
        return
    _check_out(out)
    made = _generate(spec, grid, count, seed, out)
    files = _write(made, spec, grid, out) if out else []
    show_json(_as_json(made, grid, files)) if as_json else _tell(made, files)


def _read(file: Path) -> str:
    if not file.is_file():
        raise fail_usage(f"There is no file {file}.")
    return file.read_text("utf-8-sig")


def _texts(files: Sequence[Path]) -> list[str]:
    from knowledge.clock import utc_now
    from trainers.evals.style.voice_texts import read_texts

    return read_texts(files, today=utc_now().date())


def _passages(collection: str) -> list[tuple[str, str]]:
    """Return the passages of a collection of this shell's workspace."""
    if not collection:
        return []
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.places import own_place

    with working(Settings.from_env(), say) as at:
        library, place = at.deps.learning.library, own_place(shell_person().workspace_id, collection)
        rows = library.documents(place.workspace, place.collection)
        found = [(each.title, each.text) for row in rows for each in library.passages(row, 0, MOST_PASSAGES)]
    if not found:
        raise fail_usage(f"There are no documents in {collection}. Add some: luthier knowledge add FILE.")
    return found


def _check_out(out: Path | None) -> None:
    if out is not None and out.exists():
        raise fail_usage(f"There is a file at {out} already. Give another name, or move it away first.")


def _generate(spec: "RowSpec", grid: "Grid", count: int, seed: int, out: Path | None) -> "Generated":
    """Draft by the language model that settings name, else by recipes."""
    from bot.settings import Settings
    from trainers.evals.generating.compose import compose_rows

    settings = Settings.from_env()
    if not settings.model:
        return compose_rows(spec, count=count, seed=seed, grid=grid)
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.evals.generating.journal import open_journal
    from trainers.evals.generating.written import write_rows

    journal = open_journal(journal_path(out), spec, grid, count, seed) if out else None
    with working(settings, say) as at, bar("Writing rows") as update:
        if at.deps.model is None:
            raise fail_usage("No language model is set.")
        meter = at.deps.meter(shell_person().workspace_id)
        wish: dict[str, Any] = {"count": count, "seed": seed, "grid": grid, "journal": journal, "tell": update}
        return write_rows(spec, model=at.deps.model, meter=meter, **wish)


def journal_path(out: Path) -> Path:
    """Return where an unfinished run is kept beside its rows."""
    return out.with_name(f"{out.name}.unfinished.jsonl")


def _write(made: "Generated", spec: "RowSpec", grid: "Grid", out: Path) -> list[str]:
    """Write rows, report, and what was thrown away; the journal of a whole run goes."""
    from trainers.evals.generating.report import report

    told = out.with_name(f"{out.name}.report.md")
    out.write_text("".join(f"{draft.row()}\n" for draft in made.drafts), "utf-8")
    told.write_text(report(made, spec, grid), "utf-8")
    files = [str(out), str(told)]
    if made.rejected:
        thrown = out.with_name(f"{out.name}.rejected.jsonl")
        lines = (json.dumps(each._asdict(), ensure_ascii=False) + "\n" for each in made.rejected)
        thrown.write_text("".join(lines), "utf-8")
        files.append(str(thrown))
    journal_path(out).unlink(missing_ok=True)
    return files


def _as_json(made: "Generated", grid: "Grid", files: list[str]) -> dict[str, Any]:
    from trainers.evals.generating.coverage import counted

    return {
        "rows": [draft.to_json() for draft in made.drafts],
        "coverage": counted([draft.cell for draft in made.drafts], grid),
        "rejected": [each._asdict() for each in made.rejected],
        "notes": list(made.notes),
        "written_by": made.writer or "recipes",
        "files": files,
    }


def _tell(made: "Generated", files: list[str]) -> None:
    if not files:
        rows = [(d.cell.get("case", ""), d.input, d.target, d.why) for d in made.drafts]
        show(table(("Case", "Sent", "Reply", "Why it helps"), rows))
    dropped = f" {len(made.rejected)} were thrown away." if made.rejected else ""
    say(" ".join([f"{made.marked}{dropped}", *made.notes]))
    if files:
        say(f"Written: {', '.join(files)}. Check them with luthier lint, then luthier datasets add.")
