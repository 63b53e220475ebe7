"""Knows how a workspace's rules are read, changed and told, with caps and audit kept in step; not who shows them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from sqlalchemy import Engine

from knowledge.clock import Clock
from knowledge.errors import UserError
from knowledge.models import Used
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from trainers import audit, budgets
from trainers.budgets import Standing
from trainers.errors import NotAllowed
from trainers.policy import Rules, check_approver, rules_of, set_rules


class Change(NamedTuple):
    """One rule that was changed, as plain data."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True)
class Workspaces:
    """The rules and budgets of workspaces."""

    engine: Engine

    def rules(self, workspace_id: str) -> Rules:
        """Return a workspace's rules."""
        with self.engine.execution_options(reading=True).connect() as connection:
            return rules_of(connection, workspace_id)

    def standing(self, workspace_id: str, now: datetime) -> Sequence[Standing]:
        """Return this month's budgets, the workspace's own first also where nothing was spent yet."""
        found = budgets.standing(self.engine, workspace_id, now)
        if any(each.scope == "workspace" for each in found):
            return found
        return [Standing("workspace", self.rules(workspace_id).workspace_cap, Decimal(0), Decimal(0)), *found]

    def change(self, workspace_id: str, texts: Mapping[str, str], who: Person, now: datetime) -> Sequence[Change]:
        """Set rules from texts, as an operator types them; returns what changed. Raises UserError, NotAllowed.

        An approver may not: whoever can raise a limit alone makes the second approver above it worthless.
        """
        if who.workspace_id != LOCAL_WORKSPACE:
            raise NotAllowed("Only the operator of this machine sets rules.", "Ask them to use `luthier settings set`.")
        values = {name: parsed(name, text) for name, text in texts.items()}
        return self._write(workspace_id, values, who, now)

    def pause(self, workspace_id: str, who: Person, now: datetime, *, paused: bool = True) -> bool:
        """Turn the kill switch on or off; False where it stood so already. Raises NotAllowed."""
        return bool(self._write(workspace_id, {"paused": paused}, who, now))

    def _write(self, workspace_id: str, values: dict[str, Any], who: Person, now: datetime) -> Sequence[Change]:
        with self.engine.begin() as connection:
            old = rules_of(connection, workspace_id, lock="change")
            if who.workspace_id not in (workspace_id, LOCAL_WORKSPACE):
                raise NotAllowed("These are the rules of another workspace.", "Nothing was changed.")
            check_approver(who, old)
            audit.take_turn(connection, workspace_id)
            _check_people(workspace_id, values.get("approvers", ()))
            new = replace(old, **values)
            changes = _changes(old, new)
            if changes:
                set_rules(connection, workspace_id, new, now)
                budgets.recap(connection, workspace_id, new, now)
                told = {name: {"old": before, "new": after} for name, before, after in changes}
                audit.write(connection, workspace_id, _signed(who), _verb(changes), "rules", now, **told)
            return changes


def _check_people(workspace_id: str, people: Sequence[str]) -> None:
    """Refuse a name where Slack's id is meant: nobody would ever be that approver."""
    wrong = [name for name in people if workspace_id != LOCAL_WORKSPACE and not re.fullmatch(r"[UW][A-Z0-9]{2,}", name)]
    if wrong:
        raise UserError(
            f"{', '.join(wrong)} is no member id.", "Give ids such as U0BEN: in Slack, a profile's menu copies its own."
        )


@dataclass(frozen=True, kw_only=True)
class ChatMeter:
    """Counts what answers of a language model use in a workspace; a `knowledge.models.Meter`.

    Answers that are written at the same moment are counted one after the other, so the last ones may exceed the cap
    by what they use themselves.
    """

    engine: Engine
    workspace_id: str
    clock: Clock

    def closed(self) -> str:
        """Say why the model is not to be asked, or ""."""
        with self.engine.execution_options(reading=True).connect() as connection:
            rules = rules_of(connection, self.workspace_id)
            left = budgets.tokens_left(connection, self.workspace_id, rules, self.clock())
        if rules.paused:
            return "Luthier is paused in this workspace, so no language model was asked."
        if left is None or left > 0:
            return ""
        return f"This month's {rules.chat_tokens_cap:,} tokens for answers are used up, so no language model was asked."

    def count(self, used: Used) -> None:
        """Count an answer."""
        with self.engine.begin() as connection:
            rules = rules_of(connection, self.workspace_id)
            budgets.count_tokens(connection, self.workspace_id, used.tokens, rules, self.clock())


def parsed(name: str, text: str) -> Any:
    """Read the text of a rule into its value. Raises UserError that says what would be right."""
    if name not in _READERS:
        raise UserError(f"There is no rule called {name}.", f"There are {', '.join(_READERS)}.")
    reader, expected = _READERS[name]
    try:
        return reader(text.strip())
    except (ValueError, InvalidOperation, KeyError) as wrong:
        raise UserError(f"{name} is {expected}.", "Nothing was changed.") from wrong


def _dollars(text: str) -> Decimal:
    amount = Decimal(text.removeprefix("$").replace(",", ""))
    if not amount.is_finite() or amount != round(amount, 6):
        raise ValueError
    return amount


def _or_none(reader: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text.lower() == "none" else reader(text)


def _people(text: str) -> tuple[str, ...]:
    bare = (name.strip().strip("<@>").partition("|")[0] for name in text.split(","))
    return tuple(name for name in bare if name and name.lower() != "none")


def _hosts(text: str) -> tuple[str, ...]:
    names = (name.strip().lower().removeprefix("https://").rstrip("/") for name in text.split(","))
    return tuple(sorted({name for name in names if name and name != "none"}))


def _flag(text: str) -> bool:
    return {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}[text.lower()]


_MONEY = (_dollars, "an amount of dollars, such as 50 or 4.50")
_CAP = (_or_none(_dollars), "an amount of dollars, such as 50, or none for no cap")
_COUNT = (int, "a whole number")
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "own_click_limit": _MONEY,
    "one_approver_limit": _MONEY,
    "approvers": (_people, "user ids with commas between them, in the order of asking, or none"),
    "solo_approver": (_flag, "yes or no"),
    "workspace_cap": _CAP,
    "channel_cap": _CAP,
    "person_cap": _CAP,
    "chat_tokens_cap": (_or_none(int), "a whole number of tokens, or none for no cap"),
    "stoppers": (str, "requester, approvers or anyone"),
    "jobs_per_person": _COUNT,
    "remind_after_hours": _COUNT,
    "add_documents": (str, "anyone or approvers"),
    "document_hosts": (_hosts, "host names with commas between them, such as docs.example.com, or none"),
    "paused": (_flag, "yes or no"),
}


def _changes(old: Rules, new: Rules) -> list[Change]:
    before, after = old.to_json(), new.to_json()
    names = [field.name for field in fields(Rules)]
    return [Change(name, before[name], after[name]) for name in names if getattr(old, name) != getattr(new, name)]


def _verb(changes: Sequence[Change]) -> str:
    if [change.name for change in changes] != ["paused"]:
        return "changed rules"
    return "paused" if changes[0].new else "unpaused"


def _signed(who: Person) -> str:
    return f"operator {who.user_id}" if who.workspace_id == LOCAL_WORKSPACE else who.user_id
