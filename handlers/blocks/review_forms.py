"""Knows the forms in which a row is edited or added, and the one after somebody else was first; it keeps nothing.

Block id and action id of an input are the same. A text longer than an input takes is shown and stays as it is.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from handlers.blocks.parts import Block, context, field, modal, option, plain_text, quoted, run, section, select
from handlers.blocks.review import VIEW_BYTES, turn_name
from handlers.blocks.words import count, person
from handlers.escape import clean, mrkdwn, plain
from trainers.data.jsonl import Message
from trainers.data.review import Key, Look
from trainers.data.review_report import PURPOSES
from trainers.data.review_rows import KINDS, Draft, turns_of
from trainers.tables import ReviewRow

EDIT_FORM, ADD_FORM = "review_edit_form", "review_add_form"
"""Callback ids."""

TURN, KIND, WHY = "turn", "kind", "why"
"""Block ids; the one of a turn has its place behind it."""

MOST_CHARACTERS = 3000
"""Of one input, by Slack's rule."""

MOST_TURNS = 20
"""Turns of one form: the last ones; earlier ones stay as they are."""


def edit_form(look: Look, row: ReviewRow, mine: Draft | None = None) -> Block:
    """Draw the form for a row; with `mine`, the text of somebody who was too late, above it what the row says now."""
    messages = turns_of(row)
    draft = mine or Draft(messages, row.kind, row.why, row.provenance)
    note = _meanwhile(row, mine) if mine else []
    metadata = json.dumps([row.review_id, row.place, row.version])
    submit = "Save mine" if mine else "Save and keep"
    blocks = [*note, *_inputs(look, draft)]
    title = f"Edit row {row.place}"
    return modal(title, blocks, callback_id=EDIT_FORM, submit=submit, close="Cancel", metadata=metadata)


def add_form(look: Look, like: ReviewRow | None = None) -> Block:
    """Draw the form for one's own row: empty, or with the words of a row that it should resemble."""
    if like is not None:
        draft = Draft(turns_of(like), like.kind, like.why, "")
        lead = f"This has the words of row {like.place}. Change them into another case of the same kind."
    else:
        draft = Draft((*_system(look), Message("user", ""), Message("assistant", "")), _kinds(look, "")[0], "", "")
        lead = "What a user would write, and what the right answer is."
    metadata = json.dumps([look.review.id])
    blocks = [section(lead), *_inputs(look, draft)]
    return modal("Add a row", blocks, callback_id=ADD_FORM, submit="Add and keep", close="Cancel", metadata=metadata)


def entered(values: Mapping[str, Any], base: Sequence[Message], provenance: str) -> Draft:
    """Read a form: turns that it did not offer, and those that nobody touched, stay exactly as they are in `base`."""

    def text(at: int, turn: Message) -> str:
        given = values.get(f"{TURN}{at}", {}).get(f"{TURN}{at}")
        said = turn.content if given is None else clean(given.get("value") or "")
        return turn.content if said == plain(turn.content, MOST_CHARACTERS) else said

    messages = tuple(Message(turn.role, text(at, turn)) for at, turn in enumerate(base))
    kind = (values[KIND][KIND].get("selected_option") or {}).get("value") or "other"
    return Draft(messages, str(kind), clean(values[WHY][WHY].get("value") or "").strip(), provenance)


def blank(look: Look, values: Mapping[str, Any]) -> list[Message]:
    """Return the turns of a form for an added row, without words: as many as it had inputs."""
    places = sorted(int(name.removeprefix(TURN)) for name in values if name.startswith(TURN))
    first = list(_system(look)) if places and places[0] == 1 else []
    roles = ["assistant" if place == places[-1] or (place - len(first)) % 2 else "user" for place in places]
    return [*first, *(Message(role, "") for role in roles)]


def question(base: Sequence[Message]) -> str:
    """Return the block id of the input to blame where a row asks nothing or too much alike."""
    users = [at for at, turn in enumerate(base) if turn.role == "user"]
    return f"{TURN}{users[-1] if users else len(base) - 1}"


def answer(values: Mapping[str, Any], base: Sequence[Message]) -> str:
    """Return the block id of the input with the answer; "" where it was too long for one, so that nobody changed it."""
    name = f"{TURN}{len(base) - 1}"
    return name if name in values else ""


def where(view: Mapping[str, Any]) -> Key:
    """Read which row at which version a form was opened for; of a form for a new row only the review counts."""
    review_id, *rest = json.loads(view["private_metadata"])
    return Key(str(review_id), *rest) if view["callback_id"] == EDIT_FORM else Key(str(review_id), 0, 0)


def _meanwhile(row: ReviewRow, mine: Draft) -> list[Block]:
    """Say who was first, and show both texts side by side where they differ."""
    who = person(row.changed_by)
    lead = f"*{who} changed this row before you saved.* Your text is below, nothing was lost."
    now = {"draft": "It is not decided now", "kept": "It is kept now", "dropped": "It is dropped now"}[row.status]
    theirs = turns_of(row)
    pairs = [
        {
            "type": "section",
            "fields": [_field(f"{turn_name(theirs, at)}, in the row", turn.content), _field("Yours", other.content)],
        }
        for at, (turn, other) in enumerate(zip(theirs, mine.messages, strict=False))
        if turn.content != other.content
    ]
    end = f"{now}. *Save mine* puts your text in its place; *Cancel* leaves the row as it is. Both stay in its history."
    return [section(lead), *pairs[:10], context(end)]


def _field(title: str, text: str) -> Block:
    return {"type": "mrkdwn", "text": f"*{title}*\n{mrkdwn(text, 900) or '(nothing)'}"}


def _inputs(look: Look, draft: Draft) -> list[Block]:
    messages = draft.messages
    first = _first(messages)
    earlier = [context(f"{count(first, 'earlier turn')} stay as they are.")] if first else []
    turns = [_turn(messages, at) for at in range(first, len(messages))]
    kinds = [option(kind, kind) for kind in _kinds(look, draft.kind)]
    chosen = next(choice for choice in kinds if choice["value"] == draft.kind)
    why = _text(WHY, draft.why[:MOST_CHARACTERS])
    return [
        *earlier,
        *turns,
        field("Kind", select(KIND, "Choose", kinds, chosen), block_id=KIND),
        field(PURPOSES[look.review.purpose], why, block_id=WHY, optional=True, hint="One sentence for the report."),
    ]


def _first(messages: Sequence[Message]) -> int:
    """Return the first turn that the form has room for, counted from the end."""
    sizes = accumulate(len(json.dumps(turn.content[:MOST_CHARACTERS])) for turn in reversed(messages))
    fit = sum(size <= VIEW_BYTES // 2 for size in sizes)
    return len(messages) - min(MOST_TURNS, fit, len(messages))


def _turn(messages: Sequence[Message], at: int) -> Block:
    turn, name = messages[at], turn_name(messages, at)
    if turn.role == "system":
        return quoted([run(f"{name} (stays as it is)", bold=True)], plain(turn.content, 600) or "(nothing)")
    if len(turn.content) > MOST_CHARACTERS:
        why = f"{name}: {len(turn.content):,} characters, more than a form takes; it stays as it is"
        return quoted([run(why, bold=True)], plain(turn.content, 600))
    last = at == len(messages) - 1
    hint = "Exactly what a perfect model would write. Without it the row cannot be kept." if last else ""
    return field(name, _text(f"{TURN}{at}", turn.content), block_id=f"{TURN}{at}", hint=hint)


def _text(name: str, value: str) -> Block:
    made: Block = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": MOST_CHARACTERS}
    shown = plain(value, MOST_CHARACTERS)
    return made | ({"initial_value": shown} if shown else {"placeholder": plain_text("Write here", 150)})


def _kinds(look: Look, kind: str) -> list[str]:
    """Return the kinds to choose from: the usual ones, those of the review, and the row's own."""
    there = [row.kind for row in look.rows]
    return list(dict.fromkeys([*([kind] if kind else []), *KINDS[look.review.purpose], *there]))[:100]


def _system(look: Look) -> tuple[Message, ...]:
    """Return the system prompt of the review's rows: an added row gets the same one."""
    first = next((turns_of(row)[0] for row in look.rows), None)
    return (first,) if first is not None and first.role == "system" else ()
