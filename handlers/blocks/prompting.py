"""Knows how a system prompt looks, its examples and notes, the form to check one and what is found; it writes none."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.parts import Block, actions, button, context, field, modal, section, typed_in
from handlers.blocks.words import count, person
from handlers.escape import mrkdwn

SHARE = "share_prompt"
"""Action id of the button that shows a private prompt to its channel."""

CHECK_FORM = "check_prompt_form"
"""Callback id of the form in which a prompt is checked."""

PROMPT, TASK = "check_prompt_text", "check_prompt_task"
"""Block ids and action ids of its inputs; each has one name for both."""

LEFT_BEHIND = "Its examples were too long to be shared along."

_TYPED = 3000
"""Characters that one field of a form takes."""

_MOST_FOUND = 40
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


def check_form(prompt: str = "") -> Block:
    """Draw the form for a prompt that is to be checked, with what was typed after the command."""
    text: Block = {"type": "plain_text_input", "action_id": PROMPT, "multiline": True, "max_length": _TYPED}
    typed = {**text, "initial_value": prompt[:_TYPED]} if prompt else text
    hint = "With labels or fields: Sort mail into billing, returns. Then I look for these as well."
    task = field("What is the model to do?", _line(TASK, 600), block_id=TASK, optional=True, hint=hint)
    blocks = [field("Your system prompt", typed, block_id=PROMPT), task]
    return modal("Check a system prompt", blocks, callback_id=CHECK_FORM, submit="Check", close="Cancel")


def check_entered(values: Mapping[str, Any]) -> tuple[str, str]:
    """Read the form: the prompt and the task."""
    return typed_in(values, PROMPT), typed_in(values, TASK)


def checked_view(found: Sequence[Mapping[str, Any]], reader: str = "") -> Block:
    """Draw what is found in a prompt: what is missing first, as `check_prompt` gives it.

    `reader`: the language model that still reads it.
    """
    missing = sum(not each["ok"] for each in found)
    headline = f"*{count(missing, 'thing')} to mend*" if missing else "*Nothing is missing.*"
    parts = [section(_found(each)) for each in found[:_MOST_FOUND]]
    more = len(found) - len(parts)
    reading = [context(f"{mrkdwn(reader, 60)} reads it for contradictions too…")] if reader else []
    rest = [context(f"And {more} more: mend these first.")] if more > 0 else []
    blocks = [
        section(headline),
        *parts,
        *rest,
        *reading,
        context("Words tell whether it speaks of a thing, not whether it is right."),
    ]
    return modal("System prompt", blocks)


def _found(each: Mapping[str, Any]) -> str:
    mark, fix = "✓" if each["ok"] else "⚠️", f" {mrkdwn(each['fix'], 300)}" if each["fix"] else ""
    return f"{mark} *{each['aspect']}*: {mrkdwn(each['says'], 400)}{fix}"


def _line(name: str, most: int) -> Block:
    return {"type": "plain_text_input", "action_id": name, "max_length": most}


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
