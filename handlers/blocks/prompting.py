"""Knows how a system prompt looks: its text to copy, its examples, and what a person should know; it writes none."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.parts import Block, actions, button, context, section
from handlers.blocks.words import person
from handlers.escape import mrkdwn

SHARE = "share_prompt"
"""Action id of the button that shows a private prompt to its channel."""

LEFT_BEHIND = "Its examples were too long to be shared along."

_CODE = 2800
_TURN = 600


def prompt_blocks(told: Mapping[str, Any], *, share: str = "") -> list[Block]:
    """Draw what `SystemPrompt.to_json` gives, under its headline; with `share` the button that shows it to others."""
    examples = [_example(number, each) for number, each in enumerate(told["examples"], start=1)]
    notes: Sequence[str] = told["notes"]
    buttons = actions([button("Share in channel", SHARE, share)] if share else [])
    drawn = [section(prompt_text(told)), section(_code(told["prompt"], _CODE)), *examples]
    return [*drawn, *buttons, context(*map(mrkdwn, notes))]


def shared_prompt_blocks(told: Mapping[str, Any], user_id: str) -> list[Block]:
    """Draw a prompt that was private, with who shares it."""
    return [context(f"{person(user_id)} shares a system prompt that I wrote for them."), *prompt_blocks(told)]


def prompt_text(told: Mapping[str, Any]) -> str:
    """Say in a line what it is and who wrote it."""
    writer = told["written_by"]
    by = "from our template" if writer == "template" else f"written by {mrkdwn(writer, 60)}"
    return f"*System prompt*, {by}: use it word for word in every training row and in production."


def _example(number: int, each: Mapping[str, Any]) -> Block:
    user, reply = _code(each["user"], _TURN), _code(each["reply"], _TURN)
    waits = "" if each["ready"] else " (waits for a person)"
    return section(f"*Example {number}* · {mrkdwn(each['why'], 300)}\nUser:\n{user}\nIdeal reply{waits}:\n{reply}")


def _code(text: str, most: int) -> str:
    cut = text if len(text) <= most else text[: most - 1] + "…"
    fenced = mrkdwn(cut.replace("```", "'''"))
    return f"```{fenced}```"
