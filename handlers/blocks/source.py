"""Knows how a source of an answer looks when it is opened at its passage; it does not know how it was found."""

import json
from collections.abc import Sequence

from handlers.blocks.documents import read_at
from handlers.blocks.parts import Block, button, context, divider, modal, rich, run, section
from handlers.escape import inert, mrkdwn, plain
from knowledge.citations import Citation
from knowledge.reading import reading
from knowledge.sources import Source
from knowledge.tables import Passage

SOURCE = "source"
"""Action id of a button that opens a source; followed by `:` and its number."""

_VALUE = 2000
"""Characters that Slack keeps with a button."""
_PASSAGE = 2900
"""Characters of a passage that are shown; passages are far shorter, unless a team's own page has no place to cut."""
_MOST_SOURCES = 12

GONE = (
    "That passage is not in my sources any more: its page was changed or removed after I answered. Ask again, and I "
    "answer from what is there now."
)
CLOSED = "That source is a document of the team that I work for: only its own people can open it."
CHANGED = "The page was changed after I answered: the sentence that I cited is not in it any more."


def source_buttons(citations: Sequence[Citation]) -> list[Block]:
    """Return a button for each source that can be opened."""
    made = []
    for citation in citations:
        value = json.dumps([citation.passage_id, plain(citation.quote, 900)], ensure_ascii=False)
        if len(value) <= _VALUE:
            spoken = f"Open source {citation.n}: {citation.title}"
            made.append(button(f"Source {citation.n}", f"{SOURCE}:{citation.n}", value, spoken=spoken))
    return made


def source_view(passage: Passage, quote: str, sources: Sequence[Source] = ()) -> Block:
    """Draw a passage with the cited sentence in bold, where it stands, how old it is and what its page rests on."""
    shown = reading(passage.text, quote)
    runs = [
        run(plain(text, _PASSAGE), bold=bold)
        for text, bold in ((shown.before, False), (shown.cited, True), (shown.after, False))
        if plain(text, _PASSAGE)
    ]
    path = " › ".join([passage.title, *filter(None, passage.heading.split(" > "))])
    blocks = [
        section(f"*{inert(path, 500)}*", verbatim=True),
        context(f"Updated {passage.updated.day} {passage.updated:%b %Y}"),
        *([rich(runs)] if runs else []),
        *([] if shown.cited else [context(CHANGED)]),
        *read_at(passage),
        *_rests_on(sources),
    ]
    return modal("Source", blocks)


def gone_view() -> Block:
    """Draw the modal for a passage that is not there any more."""
    return modal("Source", [section(GONE)])


def closed_view() -> Block:
    """Draw the modal for a document of a team that whoever clicked is not of."""
    return modal("Source", [section(CLOSED)])


def _rests_on(sources: Sequence[Source]) -> list[Block]:
    """List the page's own sources; their addresses were reviewed with the guide, so they may be links."""
    if not sources:
        return []
    lines = [f"• {_named(source)}" for source in sources[:_MOST_SOURCES]]
    return [divider(), context("This page rests on:\n" + "\n".join(lines))]


def _named(source: Source) -> str:
    name = mrkdwn(source.name, 200)
    linked = f"<{mrkdwn(source.url, 500)}|{name}>" if source.url.startswith("https://") else name
    return f"{linked} ({mrkdwn(source.as_of, 40)})" if source.as_of else linked
