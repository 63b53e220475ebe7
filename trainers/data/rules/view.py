"""What a rule gets to see: one row with what is derived from it once, and how a rule speaks; it judges nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from trainers.data.findings import Finding, Spots
from trainers.data.formats.chat import said
from trainers.data.likeness import folded
from trainers.data.limits import TargetLimits
from trainers.data.source import Chat


class View:
    """One row under judgement."""

    def __init__(self, chat: Chat) -> None:
        """Take the row."""
        self.line = chat.row.line
        self.row, self.raw, self.kind = chat.row, chat.raw, chat.kind
        self.value: dict[str, Any] = chat.value

    @cached_property
    def text(self) -> str:
        """All that is said in the row, worse answers included."""
        said_in = [turn.content for turn in self.row.messages]
        return "\n".join([*said_in, *(said(turn) for turn in self.value.get("rejected", ()))])

    @cached_property
    def target(self) -> str:
        """The answer, with straight apostrophes."""
        return self.row.target.replace("\u2019", "'")

    @cached_property
    def lower_text(self) -> str:
        """All that is said, in small letters."""
        return self.text.lower()

    @cached_property
    def lower_target(self) -> str:
        """The answer in small letters."""
        return self.target.lower()

    @cached_property
    def prompt(self) -> str:
        """The question: all before the answer except the system prompt."""
        return self.row.prompt

    @cached_property
    def folded_prompt(self) -> str:
        """The question without what does not change its meaning."""
        return folded(self.prompt)

    @cached_property
    def folded_target(self) -> str:
        """The answer without what does not change its meaning."""
        return folded(self.row.target)


class Rule(Protocol):
    """Sees every row of a file once, then says what it found."""

    def see(self, view: View) -> object:
        """Take one row into account."""

    def findings(self) -> Iterator[Finding]:
        """Say what was found in all rows."""


class Gate(Rule, Protocol):
    """A rule that tells at once whether a row can't be used."""

    def see(self, view: View) -> bool:
        """Take one row into account and say whether it is blocked."""


Speak = Callable[[str, Spots, str, str], Finding]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule that needs one row only: when it holds, the line is named."""

    code: str
    """The finding's code."""
    speak: Speak
    """`block` or `warn`."""
    holds: Callable[[View, TargetLimits], object]
    """Whether a row has the defect."""
    opening: Callable[[Spots], str]
    """How the sentence begins: lines that have something, or are something."""
    what: str
    """The rest of the sentence, and why it matters."""
    fix: str
    """What to do."""


class RowCheck:
    """Runs a check over a file."""

    def __init__(self, check: Check, limits: TargetLimits) -> None:
        """Take the check and what the target accepts."""
        self._check, self._limits, self._spots = check, limits, Spots()

    def see(self, view: View) -> bool:
        """Note the row's line if the check holds, and say whether it does."""
        if not self._check.holds(view, self._limits):
            return False
        self._spots.add(view.line)
        return True

    def findings(self) -> Iterator[Finding]:
        """Say in which lines it held."""
        if self._spots:
            check = self._check
            named = {"{roles}": spell_roles, "{target}": _target, "{pictures}": _spell_pictures}
            what, fix = check.what, check.fix
            for name, spelled in named.items():
                what, fix = (text.replace(name, spelled(self._limits)) for text in (what, fix))
            yield check.speak(check.code, self._spots, f"{check.opening(self._spots)} {what}", fix)


def spell_roles(limits: TargetLimits) -> str:
    """List the roles that a target knows."""
    usual = ("system", "developer", "user", "assistant", "tool", "function")
    names = [name for name in usual if name in limits.roles]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _target(limits: TargetLimits) -> str:
    return limits.target


def _spell_pictures(limits: TargetLimits) -> str:
    """Say how a target takes pictures."""
    forms = {"inside": "as JPEG, PNG or WebP in base64", "address": "by their addresses"}
    named = " or ".join(forms[form] for form in sorted(limits.pictures))
    return f"Give at most {limits.row_pictures:,} of them a row, {named}."
