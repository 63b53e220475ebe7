"""The commands that advise: `advise` and `compare`; they know how advice reads in a terminal and in JSON, not why."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.shell.cases import Bad, Case, open_cases
from bot.shell.terminal import JsonFlag, bar, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from knowledge.advice.advise import Advice
    from knowledge.advice.citations import Source
    from knowledge.advice.reader import Reader

MOST_TOLD = 20
"""Lines that cannot be answered are named up to here; the rest are counted."""
LONG = 50
"""Lines from which a file shows its progress."""

UseCase = Annotated[
    list[str] | None, typer.Argument(help="What the AI should do, with which data, in a few sentences.")
]
Cases = Annotated[
    Path | None,
    typer.Option(help="JSON lines with `id` and `use_case`, such as cases.jsonl; - is standard input."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(advise)
    app.command()(compare)


def advise(use_case: UseCase = None, file: Cases = None, as_json: JsonFlag = False) -> None:
    """Say whether to prompt, use RAG, fine-tune, combine them, or do something else, with reasons.

    With --file there is one result a line, in the file's order: with --json an object with id, recommendation,
    runner_up, confidence, facts, reasons, asked and more. Lines that cannot be read are named on standard error, the
    others are still answered, and the exit status is 1.
    """
    text = _text(use_case, file)
    if file is not None:
        _advise_all(open_cases(file), as_json)
        return
    from knowledge.advice.advise import advise as weigh
    from knowledge.advice.advise import to_json

    if not text:
        raise fail_usage(
            'Describe the use case, for example: luthier advise "Sort tickets into 12 queues; we have 800 labelled"'
        )
    with _reader() as reader:
        advice = weigh(text, reader=reader)
    show_json(to_json(advice)) if as_json else show(_counsel(advice))


def compare(
    use_case: UseCase = None,
    file: Cases = None,
    case_id: Annotated[str | None, typer.Option("--id", help="Which case of the file; default: its only one.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Rank all options by likely quality, cost to implement, time, maintenance and ease of updating."""
    text = _text(use_case, file)
    chosen = _chosen(open_cases(file), case_id) if file is not None else Case(0, "", text)
    if not chosen.use_case.strip():
        raise fail_usage('Describe the use case, for example: luthier compare "Answer from 900 policies that change"')
    from knowledge.advice.advise import advise as weigh
    from knowledge.advice.compare import to_json

    with _reader() as reader:
        advice = weigh(chosen.use_case, reader=reader)
    show_json({**to_json(advice), "id": chosen.id}) if as_json else show(_compared(advice))


@contextmanager
def _reader() -> "Iterator[Reader]":
    """Open the reader once: offline at once, or with the language model that is set and this shell's budget."""
    from bot.readers import offline_reader
    from bot.settings import Settings

    settings = Settings.from_env()
    if not settings.model:
        yield offline_reader(settings)
        return
    from bot.wiring import shell_person
    from bot.working import working

    with working(settings, say) as at:
        yield at.deps.reader_of(shell_person().workspace_id)


def _text(use_case: Sequence[str] | None, file: Path | None) -> str:
    text = " ".join(use_case or []).strip()
    if text and file is not None:
        raise fail_usage("Give a use case or --file, not both.")
    return text


def _advise_all(lines: Sequence[Case | Bad], as_json: bool) -> None:
    """Answer the good lines in their order and name the bad ones; exit 1 where there were any, or none at all."""
    from knowledge.advice.advise import advise as weigh
    from knowledge.advice.advise import to_json

    bad = [line for line in lines if isinstance(line, Bad)]
    _tell(bad, len(lines))
    with _reader() as reader:
        for case in _watched([line for line in lines if isinstance(line, Case)]):
            advice = weigh(case.use_case, reader=reader)
            told = f"{case.id}: {advice.headline} Confidence: {advice.confidence}. Next best: {_named(advice)}."
            show_json({**to_json(advice), "id": case.id}) if as_json else show(told)
    if bad or not lines:
        raise typer.Exit(1)


def _tell(bad: Sequence[Bad], total: int) -> None:
    """Name the lines that cannot be answered."""
    if not total:
        say('The file holds no cases: write one a line, such as {"id": "a1", "use_case": "Sort tickets"}.')
    for line in bad[:MOST_TOLD]:
        say(f"Line {line.line} {line.what}.")
    if len(bad) > MOST_TOLD:
        say(f"… and {len(bad) - MOST_TOLD} more.")
    if bad:
        say(f"{len(bad)} of {total} lines cannot be read. Each needs to be one JSON object with `id` and `use_case`.")


def _watched(cases: Sequence[Case]) -> Iterator[Case]:
    """Show progress where a long file is worked on and its results go elsewhere than to the screen."""
    if len(cases) <= LONG or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from cases
        return
    with bar("Advising") as update:
        for done, case in enumerate(cases):
            update(done, len(cases), f"{done} of {len(cases)}")
            yield case
        update(len(cases), len(cases), f"{len(cases)} cases")


def _chosen(lines: Sequence[Case | Bad], case_id: str | None) -> Case:
    """Return the case that was named, or the only one."""
    cases = [line for line in lines if isinstance(line, Case)]
    _tell([line for line in lines if isinstance(line, Bad)], len(lines))
    found = cases if case_id is None else [case for case in cases if str(case.id) == case_id]
    if len(found) == 1 or (found and case_id is not None):
        return found[0]
    names = ", ".join(str(case.id) for case in cases[:MOST_TOLD])
    what = "Name one of its cases with --id" if case_id is None else f"It has no case {case_id}"
    raise fail_usage(f"{what}: {names}." if names else "The file has no case that can be compared.")


def _named(advice: "Advice") -> str:
    return next(view.name for view in advice.options if view.option == advice.runner_up)


def _counsel(advice: "Advice") -> str:
    head = ("Option", "Fits?", "Effort", "Cost", "Upkeep", "Main reason")
    options = [(o.name, o.fits, o.complexity, o.cost, o.upkeep, o.main_reason) for o in advice.options]
    parts = [f"{advice.headline}  Confidence: {advice.confidence}.", advice.why, "", table(head, options), ""]
    if advice.assumptions:
        parts.append("I assumed: " + " · ".join(advice.assumptions))
    if advice.would_change:
        parts.append("What would change my mind: " + " · ".join(advice.would_change))
    parts += [f"I'd like to know: {question.text}" for question in advice.questions]
    parts += [f"{'+' if each.weight > 0 else '-'} {each.text} ({each.source})" for each in advice.reasons]
    parts += [f"Next best: {_named(advice)}. If this is wrong, it costs {advice.if_wrong}."]
    parts += [f"Confidence {advice.confidence}: {advice.confidence_means}."]
    parts += [*advice.clashes, *advice.notes, advice.next_step, "", *_sources(advice.sources)]
    return "\n".join(parts)


def _compared(advice: "Advice") -> str:
    from knowledge.advice.compare import compare as ranked

    compared = ranked(advice)
    cells = [
        (
            row.name,
            *(f"{one.rank}: {one.words}" for one in (row.quality, row.cost, row.time, row.maintenance, row.updating)),
        )
        for row in compared.rows
    ]
    head = ("Option", *compared.titles.values())
    parts = [f"{advice.headline}  Confidence: {advice.confidence}.", "", table(head, cells), ""]
    parts += [f"{row.name}{_condition(row.fits)}: {row.main_reason}" for row in compared.rows]
    return "\n".join([*parts, *advice.clashes, *advice.notes, "", *_sources(compared.sources)])


def _condition(fits: str) -> str:
    return f" ({fits})" if fits.startswith("only") else ""


def _sources(sources: "Sequence[Source]") -> list[str]:
    return [f"  [{source.n}] {source.title}" for source in sources]
