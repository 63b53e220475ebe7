"""Knows how a brand's voice looks: the form for texts, and the card of what was found; it counts nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.parts import Block, context, field, modal, section
from handlers.escape import mrkdwn

FORM = "voice_form"
"""Callback id of the form."""

PASTED, FILES, REFERENCE = "voice_pasted", "voice_files", "voice_reference"
"""Block ids and action ids of its inputs; each has one name for both."""

MOST_FILES = 10
_SECTION = 2900
_SENTENCES = 8
"""Sentences of one section of the card; the file that comes with it has all."""


def voice_form(metadata: str) -> Block:
    """Draw the form: texts pasted or uploaded, and what they are compared with."""
    pasted = {"type": "plain_text_input", "action_id": PASTED, "multiline": True, "max_length": 3000}
    files: Block = {"type": "file_input", "action_id": FILES, "max_files": MOST_FILES}
    reference: Block = {"type": "file_input", "action_id": REFERENCE, "max_files": MOST_FILES}
    blocks = [
        section("Texts in the voice: at least 3, better 30. I read them once and keep none."),
        field("Paste texts", pasted, block_id=PASTED, optional=True, hint="A line with --- between two texts."),
        field("Or files", files, block_id=FILES, optional=True, hint="Text, Markdown, Word, PDF, or JSONL of rows."),
        field(
            "Compare with",
            reference,
            block_id=REFERENCE,
            optional=True,
            hint="What others write instead, best the untuned model to the same briefs. Otherwise plain English.",
        ),
    ]
    return modal("Describe a voice", blocks, callback_id=FORM, submit="Describe", close="Cancel", metadata=metadata)


def voice_blocks(told: Mapping[str, Any]) -> list[Block]:
    """Draw a profile: `headline`, and `parts` as pairs of title and sentences."""
    parts = [_part(title, sentences) for title, sentences in told["parts"]]
    return [section(voice_text(told)), *parts, context("The file has all of it, the other the house rules as JSON.")]


def voice_text(told: Mapping[str, Any]) -> str:
    """Say in a line what was read."""
    return f"*Voice*: {mrkdwn(told['headline'], 400)}"


def _part(title: str, sentences: Sequence[str]) -> Block:
    lines = [f"• {mrkdwn(sentence, 400)}" for sentence in sentences[:_SENTENCES]]
    more = len(sentences) - _SENTENCES
    text = "\n".join([f"*{title}*", *lines, *([f"and {more} more in the file"] if more > 0 else [])])
    return section(text[:_SECTION])
