"""Knows how facts look: the form with all of them, who set which, what changed; it does not weigh them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from handlers.blocks.parts import Block, context, field, header, modal, option, plain_text, section, select
from handlers.blocks.words import day, person
from handlers.escape import mrkdwn, plain
from knowledge.advice.facts import ALLOWED, IMPRESSIONS, NAMES, NUMBERS, Changes, Facts, Value, from_mapping, known
from knowledge.advice.rubric import load_rubric
from knowledge.conversations import Origin

FACTS = "facts_form"
"""Callback id; the block id and action id of each input is the fact's name."""

UNKNOWN = "null"
"""Value of the choice that makes a fact unknown."""

MOST = 10**12
"""Largest number that the form takes."""

MOST_SETTERS = 6
"""Lines about who set what under one card or group; Slack takes 100 blocks in a form."""

ASKABLE = tuple(name for name in NAMES if name not in IMPRESSIONS)
"""Facts that somebody can know; an impression is the learned reader's own."""

Origins = Mapping[str, Origin]


class Opened(NamedTuple):
    """What a form remembers of the moment when it was opened."""

    channel: str
    thread_ts: str
    card_ts: str
    """The card from which it was opened."""
    facts: Facts

    def written(self) -> str:
        """Write it for `private_metadata`, of which Slack takes 3,000 characters."""
        return json.dumps([self.channel, self.thread_ts, self.card_ts, known(self.facts)], separators=(",", ":"))


def opened(metadata: str) -> Opened:
    """Read what a form remembers."""
    channel, thread_ts, card_ts, facts = json.loads(metadata)
    return Opened(channel, thread_ts, card_ts, from_mapping(facts))


def facts_form(at: Opened, origins: Origins) -> Block:
    """Draw an input for each fact, by group, filled with what is known, and who set what below each group."""
    rubric, now = load_rubric(), known(at.facts)
    blocks = [section("All that I weigh. Change what you know better; what you leave alone stays as it is.")]
    for group, title in rubric.groups.items():
        names = [name for name in ASKABLE if rubric.facts[name].group == group]
        blocks.append(header(title))
        blocks += [_number(name, now.get(name)) if name in NUMBERS else _menu(name, now.get(name)) for name in names]
        blocks += [context(line) for line in _setters(at.facts, {n: origins[n] for n in names if n in origins}, True)]
    return modal("Facts", blocks, callback_id=FACTS, submit="Weigh again", close="Cancel", metadata=at.written())


def entered(values: Mapping[str, Any], facts: Facts) -> tuple[dict[str, Value | None], dict[str, str]]:
    """Return what a person changed against `facts`, which their form was filled with; and what is wrong, by block."""
    changes: dict[str, Value | None] = {}
    wrong: dict[str, str] = {}
    for name in ASKABLE:
        state = values.get(name, {}).get(name)
        if state is None:
            continue
        try:
            value = _count(state.get("value")) if name in NUMBERS else json.loads(_chosen(state))
        except ValueError:
            wrong[name] = "Write a whole number of 0 or more in digits, or leave it empty if it is not known."
            continue
        if value != getattr(facts, name):
            changes[name] = value
    return changes, wrong


def who_set_what(facts: Facts, origins: Origins) -> list[Block]:
    """Draw the line under a card's assumptions; nothing where one person set everything."""
    if len({each.user_id for each in origins.values()}) < 2:
        return []
    return [context(line) for line in _setters(facts, origins, False)]


def changes_words(before: Facts, after: Facts) -> list[str]:
    """Say what was corrected: facts that had another value before, and those that are no longer known."""
    rubric, old, new = load_rubric(), known(before), known(after)
    lines = []
    for name, value in old.items():
        if name not in new:
            lines.append(f"*{mrkdwn(rubric.says(name, None))}* (before: {mrkdwn(rubric.says(name, value))})")
        elif new[name] != value:
            lines.append(f"*{mrkdwn(rubric.says(name, new[name]))}* (before: {mrkdwn(rubric.says(name, value))})")
    return lines


def noted_words(changes: Changes) -> str:
    """Say what was taken in, in one line."""
    rubric = load_rubric()
    return mrkdwn(" · ".join(rubric.says(name, value) for name, value in changes.items()), 600)


def _menu(name: str, value: Value | None) -> Block:
    allowed: Iterable[Value] = ALLOWED.get(name, (True, False))
    choices = {json.dumps(each): option(_capital(load_rubric().says(name, each)), json.dumps(each)) for each in allowed}
    choices[UNKNOWN] = option("Not known", UNKNOWN)
    menu = select(name, "Choose", list(choices.values()), choices[json.dumps(value)])
    return field(load_rubric().facts[name].title, menu, block_id=name)


def _number(name: str, value: Value | None) -> Block:
    element: Block = {"type": "number_input", "action_id": name, "is_decimal_allowed": False, "min_value": "0"}
    element |= {"max_value": str(MOST), "placeholder": plain_text("Not known", 150)}
    if value is not None:
        element["initial_value"] = str(value)
    return field(load_rubric().facts[name].title, element, block_id=name, optional=True)


def _chosen(state: Mapping[str, Any]) -> str:
    return str((state.get("selected_option") or {}).get("value") or UNKNOWN)


def _count(typed: str | None) -> int | None:
    if not typed or not typed.strip():
        return None
    number = int(typed)
    if not 0 <= number <= MOST:
        raise ValueError(typed)
    return number


def _setters(facts: Facts, origins: Origins, dated: bool) -> list[str]:
    """Word who set what, one line for each person and way; days where wanted."""
    said: dict[tuple[str, bool, str], list[str]] = defaultdict(list)
    for name in (name for name in ASKABLE if name in origins):
        origin = origins[name]
        on = _on(origin.at) if dated else ""
        said[origin.user_id, origin.read, on].append(load_rubric().says(name, getattr(facts, name)))
    lines = []
    for (user_id, read, on), words in said.items():
        how = f"from the words of {person(user_id)}" if read else f"set by {person(user_id)}"
        lines.append(f"{mrkdwn(' · '.join(words), 500)} ({how}{on})")
    shown = len(lines) if len(lines) <= MOST_SETTERS else MOST_SETTERS - 1
    return [*lines[:shown], *([f"and {len(lines) - shown} more"] if shown < len(lines) else [])]


def _on(moment: datetime) -> str:
    return f", {day(moment.isoformat())}"


def _capital(words: str) -> str:
    return plain(words[:1].upper() + words[1:], 75)
