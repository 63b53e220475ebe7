"""Knows how adding documents looks: the form, the offer under a file, and what became of them; not how it is done."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.parts import Block, actions, button, confirm, context, field, modal, option, plain_text, section
from handlers.blocks.words import count, duration, in_slack, person
from handlers.escape import mrkdwn, plain
from trainers.jobs.messages import LearnedCard

LEARN = "learn_form"
"""Callback id of the form."""

FILES, ADDRESS, COLLECTION, EVERYBODY = "documents", "address", "collection", "everybody"
"""Block ids and action ids of its inputs; each has one name for both."""

USE, OPEN = "documents_use", "documents_add"
"""Action ids: take the files of a message as documents; open the form."""

SEEN_BY_ALL = "Everybody in this workspace will be able to see passages of these documents in my answers."
FROM_PRIVATE = f"⚠️ You are in a private conversation. {SEEN_BY_ALL}"
TICK = "They may be seen by everybody in this workspace."
HOW_HOSTS = "Pages of a site: an operator allows its host, `luthier settings set document_hosts=docs.example.com`."

_VALUE = 2000
_SHOWN = 10
"""Documents in one card."""


def learn_form(
    metadata: str, *, most: int, collection: str, hosts: Sequence[str] = (), private: bool = False, url: str = ""
) -> Block:
    """Draw the form; in a private conversation it wants to hear that everybody may see what is added."""
    files: Block = {"type": "file_input", "action_id": FILES, "max_files": most}
    name = {"type": "plain_text_input", "action_id": COLLECTION, "max_length": 40, "initial_value": collection}
    hint = "PDF, DOCX, Markdown, HTML, plain text, or JSONL of passages."
    blocks = [
        section(FROM_PRIVATE if private else SEEN_BY_ALL),
        field("Files", files, block_id=FILES, optional=True, hint=hint),
        *([_address(hosts, url)] if hosts else [context(HOW_HOSTS)]),
        field("Collection", name, block_id=COLLECTION, hint="Small letters, digits, - and _. A new name begins one."),
        *([_tick()] if private else []),
    ]
    return modal("Add documents", blocks, callback_id=LEARN, submit="Add", close="Cancel", metadata=metadata)


def offer_blocks(names: Sequence[str], value: Mapping[str, Any], *, private: bool) -> list[Block]:
    """Offer to take files that came with a message as documents, and say who will see them."""
    dialog = confirm("Add for everybody?", f"{SEEN_BY_ALL} You can remove them again.", "Add", "Not now")
    packed = json.dumps(value, separators=(",", ":"))
    buttons = [button("Use as documents", USE, packed, style="primary", confirm=dialog)] if len(packed) < _VALUE else []
    buttons.append(button("Open the form", OPEN))
    return [section(offer_text(names)), context(FROM_PRIVATE if private else SEEN_BY_ALL), *actions(buttons)]


def offer_text(names: Sequence[str]) -> str:
    """Ask whether answers are to use these."""
    listed = ", ".join(f"*{mrkdwn(name, 80)}*" for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"Shall my answers use {listed}{more}?"


def learned_blocks(card: LearnedCard) -> list[Block]:
    """Draw what became of the documents of a job, each with what could not be read in it."""
    lines = [_line(each) for each in card.documents[:_SHOWN]]
    more = len(card.documents) - _SHOWN
    small = (
        [mrkdwn(f"{card.degraded} Until that is mended they are found by words only.", 400)] if card.degraded else []
    )
    small += [f"{more} more not shown: `/tune sources`."] if more > 0 else []
    parts = [section("\n".join(lines[at : at + 3]), verbatim=True) for at in range(0, len(lines), 3)]
    return [section(learned_text(card)), *parts, *([context(*small)] if small else [])]


def learned_text(card: LearnedCard) -> str:
    """Say in one line what came of it."""
    kept = [each for each in card.documents if each["outcome"] in ("added", "changed", "already there")]
    passages = sum(each["passages"] for each in kept)
    where, who = f"*{mrkdwn(card.collection, 40)}*", person(card.requested_by)
    if card.state == "cancelled":
        by = f" by {person(card.ended_by)}" if card.ended_by else ""
        return f"{who} Adding to {where} was stopped{by}. What it alone had added was removed again."
    if not kept:
        return f"{who} Nothing was added to {where}."
    took = f"in {duration(card.seconds)}"
    ready = "can be found" if card.degraded else "are ready: ask me about them"
    return f"{who} *{count(len(kept), 'document')}, {count(passages, 'passage')}* in {where} {ready}. Done {took}."


def _line(told: Mapping[str, Any]) -> str:
    name, outcome = f"*{mrkdwn(told['name'], 120)}*", told["outcome"]
    if outcome == "failed":
        what = told["what"].removeprefix(f"{told['name']} ")
        why = what if what == told["what"] else f"It {what}"
        return f"⛔ {name} was not added. {in_slack(mrkdwn(' '.join((why, told['next_step'])), 500))}"
    if outcome == "removed":
        return f"• {name}: removed again."
    notes = mrkdwn(" ".join(told["notes"]), 400)
    said = {"added": "added", "changed": "changed", "already there": "was there already"}[outcome]
    return f"✅ {name}: {said}, {count(told['passages'], 'passage')}.{f' {notes}' if notes else ''}"


def _address(hosts: Sequence[str], url: str) -> Block:
    element: Block = {
        "type": "url_text_input",
        "action_id": ADDRESS,
        "placeholder": plain_text(f"https://{hosts[0]}/…", 150),
    }
    if url:
        element["initial_value"] = plain(url, 2000)
    hint = f"Allowed hosts: {', '.join(hosts)}"
    return field("Or a page", element, block_id=ADDRESS, optional=True, hint=plain(hint, 1500))


def _tick() -> Block:
    tick = {"type": "checkboxes", "action_id": EVERYBODY, "options": [option(TICK, "yes")]}
    return field("Who sees them", tick, block_id=EVERYBODY, optional=True)
