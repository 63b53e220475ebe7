"""The commands that answer (`ask`, `advise`, `compare`): how an answer reads in a terminal, not how it is found."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, bar, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from handlers.deps import Deps
    from knowledge.advice.advise import Advice
    from knowledge.advice.compare import Comparison
    from knowledge.answer import Answer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ask)
    app.command()(advise)
    app.command()(compare)
    app.command()(index)


def ask(
    question: Annotated[list[str], typer.Argument(help="What you want to know about prompting, RAG and fine-tuning.")],
    as_json: JsonFlag = False,
) -> None:
    """Answer a question from the guide, with sources, or say honestly that they don't hold the answer."""
    text = " ".join(question).strip()
    if not text:
        raise fail_usage('Ask something, for example: luthier ask "What is QLoRA?"')
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.answer import answer

    with working(Settings.from_env(), say, vectors=True) as at:
        build_index(at.deps)
        found = answer(text, at.deps.index, at.deps.model, meter=at.deps.meter(shell_person().workspace_id))
    if as_json:
        show_json(_answer_json(text, found))
    else:
        show(_read(found))


def advise(
    use_case: Annotated[list[str] | None, typer.Argument(help="What the AI should do, with which data.")] = None,
    file: Annotated[Path | None, typer.Option(help="JSON lines with `id` and `use_case`; one result a line.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say whether to prompt, use RAG, fine-tune, combine them, or do something else, with reasons."""
    from knowledge.advice.advise import advise as weigh
    from knowledge.advice.advise import to_json

    if file is not None:
        for line, case in enumerate(_cases(file), start=1):
            show_json({"id": case.get("id", line), **to_json(weigh(str(case["use_case"])))})
        return
    text = " ".join(use_case or []).strip()
    if not text:
        raise fail_usage(
            'Describe the use case, for example: luthier advise "Sort tickets into 12 queues; we have 800 labelled"'
        )
    advice = weigh(text)
    if as_json:
        show_json(to_json(advice))
    else:
        show(_counsel(advice))


def compare(
    use_case: Annotated[list[str], typer.Argument(help="What the AI should do, with which data.")],
    as_json: JsonFlag = False,
) -> None:
    """Rank the options by likely quality, cost, time, maintenance and ease of updating."""
    from knowledge.advice.advise import advise as weigh
    from knowledge.advice.compare import compare as rank
    from knowledge.advice.compare import to_json

    text = " ".join(use_case).strip()
    if not text:
        raise fail_usage(
            'Describe the use case, for example: luthier compare "Sort tickets into 12 queues; we have 800 labelled"'
        )
    advice = weigh(text)
    ranked = rank(advice)
    show_json({"recommendation": advice.recommendation, **to_json(ranked)}) if as_json else show(_ranked(ranked))


def index(as_json: JsonFlag = False) -> None:
    """Bring the searchable guide up to date."""
    from bot.settings import Settings
    from bot.working import working

    with working(Settings.from_env(), say, vectors=True) as at:
        report = build_index(at.deps)
    result = {
        "passages": report.passages,
        "embedded": report.embedded,
        "removed": report.removed,
        "seconds": round(report.seconds, 2),
    }
    show_json(result) if as_json else show(
        f"{report.passages} passages, {report.embedded} new or changed, {report.seconds:.1f} s."
    )


def build_index(deps: "Deps") -> Any:
    """Index what is new or changed in the guide, with a bar where there is something to do."""
    from knowledge.sources import load_guide

    with bar("Indexing the guide") as update:
        report = deps.index.build(load_guide(), progress=lambda done, total: update(done, total))
        update(1, 1, f"{report.passages} passages")
    if report.degraded:
        say(report.degraded)
    return report


def _cases(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        raise fail_usage(f"There is no file {file}.")
    try:
        cases = [json.loads(line) for line in file.read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except ValueError as error:
        raise fail_usage(f"{file} isn't JSON lines: {error}") from error
    if not all(isinstance(case, dict) and isinstance(case.get("use_case"), str) for case in cases):
        raise fail_usage(f"Each line of {file} needs a `use_case`.")
    return cases


def _answer_json(question: str, found: "Answer") -> dict[str, Any]:
    def cited(citation: Any) -> dict[str, Any]:
        return {
            "n": citation.n,
            "title": citation.title,
            "page": citation.slug,
            "heading": citation.heading,
            "updated": str(citation.updated),
        }

    return {
        "question": question,
        "answer": found.text,
        "abstained": found.abstained,
        "sources": [cited(c) for c in found.citations],
        "nearest": [cited(c) for c in found.nearest],
        "written_by": found.written_by,
        "note": found.note,
        "seconds": round(found.seconds, 3),
    }


def _read(found: "Answer") -> str:
    lines = [found.text, ""]
    lines += [f"  [{c.n}] {c.title}, updated {c.updated}" for c in found.citations]
    if found.note:
        lines.append(found.note)
    return "\n".join(lines).rstrip()


def _counsel(advice: "Advice") -> str:
    head = ("Option", "Fits?", "Effort", "Main reason")
    options = [(o.name, o.fits, o.complexity, o.main_reason) for o in advice.options]
    parts = [f"{advice.headline}  Confidence: {advice.confidence}.", advice.why, "", table(head, options), ""]
    if advice.assumptions:
        parts.append("I assumed: " + " · ".join(advice.assumptions))
    if advice.would_change:
        parts.append("What would change my mind: " + " · ".join(advice.would_change))
    parts += [f"I'd like to know: {question.text}" for question in advice.questions]
    parts += [*advice.clashes, *advice.notes, advice.next_step, "", *(f"  [{s.n}] {s.title}" for s in advice.sources)]
    return "\n".join(part for part in parts if part is not None)


def _ranked(found: "Comparison") -> str:
    head = ("Option", "Fits?", *found.titles.values())
    rows = [(row.name, row.fits, *(f"{each.rank}: {each.says}" for each in row.cells.values())) for row in found.rows]
    unfit = [f"Something else: {found.unfit}."] if found.unfit else []
    sources = [f"  [{s.n}] {s.title}" for s in found.sources]
    return "\n".join([table(head, rows), "", *unfit, f"1 is best. As of {found.as_of}.", *sources])
