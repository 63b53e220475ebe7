"""Knows how all options look side by side; it does not rank them."""

from collections.abc import Mapping, Sequence

from handlers.blocks.parts import Block, context, divider, modal, section
from handlers.blocks.words import day
from handlers.escape import mrkdwn
from knowledge.advice.advise import Advice
from knowledge.advice.citations import Source
from knowledge.advice.compare import Comparison, Row


def compare_view(advice: Advice, comparison: Comparison) -> Block:
    """Draw every option with its rank in each column, the reasons that counted, and all sources with addresses."""
    reasons = [f"• {mrkdwn(each.text, 400)} ({each.weight:+g}; {mrkdwn(each.source, 200)})" for each in advice.reasons]
    lead = f"*{mrkdwn(advice.headline, 300)}* Confidence: {advice.confidence}."
    return modal(
        "All options",
        [
            section(f"{lead}\nRanks run from 1, the best, to {len(comparison.rows)}; equals share one."),
            *[block for row in comparison.rows for block in _option(row, comparison.titles)],
            divider(),
            *([section("*What counted, in points:*\n" + "\n".join(reasons))] if reasons else []),
            *_sources(comparison.sources),
            context(
                f"Points: rubric of {day(advice.as_of)}; signs come from the sources, sizes are ours. "
                f"Other columns: as of {day(comparison.as_of)}."
            ),
        ],
    )


def _option(row: Row, titles: Mapping[str, str]) -> list[Block]:
    columns = (row.quality, row.cost, row.time, row.maintenance, row.updating)
    fields = [
        {"type": "mrkdwn", "text": f"*{mrkdwn(title, 60)}:* {each.rank}\n{mrkdwn(each.words, 300)}"}
        for title, each in zip(titles.values(), columns, strict=True)
    ]
    head = section(f"*{mrkdwn(row.name, 80)}* · {mrkdwn(row.fits, 200)}\n{mrkdwn(row.main_reason, 600)}")
    return [divider(), head, {"type": "section", "fields": fields}]


def _sources(sources: Sequence[Source]) -> list[Block]:
    """Draw the sources, so many to a section that its text stays below 3,000 characters."""
    lines = ["*Sources*", *map(_source_line, sources)]
    return [section("\n".join(lines[start : start + 5])) for start in range(0, len(lines), 5)]


def _source_line(source: Source) -> str:
    behind = f"<{source.url}|{mrkdwn(source.origin, 150)}>" if source.url else mrkdwn(source.origin, 150)
    return f"{source.n} *{mrkdwn(source.title, 120)}*: {behind}"
