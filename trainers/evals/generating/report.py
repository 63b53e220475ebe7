"""How drafted rows read as Markdown: coverage, each row with why it helps, what was thrown away; it judges none."""

from collections import Counter
from collections.abc import Iterator

from trainers.evals.generating.coverage import Grid, counted
from trainers.evals.generating.rows import Generated
from trainers.evals.generating.spec import RowSpec

_SHOWN = 400


def report(made: Generated, spec: RowSpec, grid: Grid) -> str:
    """Write the report."""
    return "\n".join(_lines(made, spec, grid)) + "\n"


def coverage_lines(made: Generated, grid: Grid) -> list[str]:
    """Say for each dimension how many rows have each value, as far as rows know it."""
    told = counted([draft.cell for draft in made.drafts], grid)
    known = {name: values for name, values in told.items() if any(values.values())}
    return [f"{name}: {', '.join(f'{value} {n}' for value, n in values.items())}" for name, values in known.items()]


def _lines(made: Generated, spec: RowSpec, grid: Grid) -> Iterator[str]:
    yield f"# Draft rows: {_plain(spec.task)}"
    yield ""
    yield made.marked
    yield from (f"\n{note}" for note in made.notes)
    yield "\n## Coverage\n"
    yield from (f"- {line}" for line in coverage_lines(made, grid))
    yield from ((f"\n{_plain(made.lacks)}",) if made.lacks else ())
    yield "\n## Rows"
    for number, draft in enumerate(made.drafts, start=1):
        yield f"\n### {number}. {draft.cell.get('case', '')}\n"
        yield f"- Why it helps: {_plain(draft.why)}"
        yield f"- From: {_plain(draft.provenance)}"
        yield f"- Sent: {_plain(draft.input)}"
        yield f"- Reply: {_plain(draft.target)}"
    if made.rejected:
        yield "\n## Thrown away\n"
        yield from (f"- {why}: {number}" for why, number in Counter(each.point for each in made.rejected).most_common())


def _plain(text: str) -> str:
    """Keep a text on its line."""
    told = " ".join(text.split()).replace("<", "\\<").replace("`", "'")
    return told if len(told) <= _SHOWN else f"{told[:_SHOWN]}…"
