"""The commands that answer from guide and documents, `ask` and `index`; they know how answers read, no more."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, bar, fail_usage, say, show, show_json

if TYPE_CHECKING:
    from handlers.deps import Deps
    from knowledge.answer import Answer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ask)
    app.command()(index)


def ask(
    question: Annotated[list[str], typer.Argument(help="What you want to know about prompting, RAG and fine-tuning.")],
    as_json: JsonFlag = False,
) -> None:
    """Answer a question from the guide and your own documents, with sources, or say that they don't hold it."""
    text = " ".join(question).strip()
    if not text:
        raise fail_usage('Ask something, for example: luthier ask "What is QLoRA?"')
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.answer import answer

    with working(Settings.from_env(), say, vectors=True) as at:
        build_index(at.deps)
        mine = shell_person().workspace_id
        meter = at.deps.meter(mine)
        found = answer(text, at.deps.index, at.deps.model, workspace=mine, meter=meter, rerank=at.deps.rerank)
    if as_json:
        show_json(_answer_json(text, found))
    else:
        show(_read(found))


def index(as_json: JsonFlag = False) -> None:
    """Bring the searchable guide up to date, and finish documents whose adding or removing was cut short."""
    from bot.settings import Settings
    from bot.working import working

    with working(Settings.from_env(), say, vectors=True) as at:
        report = build_index(at.deps)
        with bar("Indexing documents") as update:
            done = at.deps.library.settle_all(progress=lambda step, steps: update(step, steps))
            update(1, 1, f"{len(done)} collections")
    result = {
        "passages": report.passages,
        "embedded": report.embedded,
        "removed": report.removed,
        "seconds": round(report.seconds, 2),
        "collections": len(done),
    }
    show_json(result) if as_json else show(
        f"{report.passages} passages, {report.embedded} new or changed, {report.seconds:.1f} s."
    )


def build_index(deps: "Deps") -> Any:
    """Index what is new or changed in the guide, with a bar where there is something to do."""
    from knowledge.sources import load_guide

    with bar("Indexing the guide", late=True) as update:
        report = deps.index.build(load_guide(), progress=lambda done, total: update(done, total))
        if report.embedded or report.removed:
            update(1, 1, f"{report.passages} passages")
    if report.degraded:
        say(report.degraded)
    return report


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
        "doubtful": found.doubtful,
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
