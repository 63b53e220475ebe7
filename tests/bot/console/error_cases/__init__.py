"""What provokes each error that a Web API method declares. One file a family, named like its module in bot/console/api.

A file holds `CASES: list[Case]`. All cases share one local Slack, so a case makes what it needs and counts on nothing
that another one left. test_console_errors.py sends them and says which declared errors have no case.
"""

import importlib
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.hand import Hand
from tests.console import LocalSlack

Json = dict[str, Any]
EVERY_METHOD = ("not_authed", "invalid_auth", "missing_scope", "invalid_arguments", "request_too_large")
"""Errors that any method may give and none declares."""


@dataclass(frozen=True, kw_only=True)
class World:
    """The local Slack in which all cases happen, with what most of them need."""

    slack: LocalSlack
    clock: Hand

    def message(self, channel: str = "C0ASK") -> str:
        """The ts of a person's new message."""
        return str(self.slack.send("root", channel=channel)["ts"])

    def post(self, channel: str = "C0ASK", **more: Any) -> str:
        """The ts of the app's new message."""
        return str(self.slack.web.chat_postMessage(channel=channel, text="posted", **more)["ts"])

    def trigger(self, user: str = "U0ADA", view_id: str | None = None) -> str:
        """A fresh trigger id of this person, as an interaction would carry it."""
        return self.slack.space.triggers.mint(user, view_id)

    def channel(self, *, joined: bool = True) -> str:
        """The id of a new public channel with Ada in it, and the app or not."""
        made = self.slack.web.conversations_create(name=self.fresh())["channel"]["id"]
        self.slack.web.conversations_invite(channel=made, users="U0ADA")
        if not joined:
            self.slack.web.conversations_leave(channel=made)
        return str(made)

    def fresh(self) -> str:
        """A word that nothing has been named yet."""
        return f"case-{next(self._numbers)}"

    _numbers: Iterator[int] = field(default_factory=itertools.count)


@dataclass(frozen=True)
class Case:
    """One call that must be refused."""

    method: str
    error: str
    given: Json | Callable[[World], Json]
    """The arguments, or a function that sets the stage and gives them."""
    says: str = ""
    """A part of the reason in `response_metadata.messages`, where the case is about it."""
    app: Manifest | None = None
    """The app that must be installed, where the default one would not do."""

    def arguments(self, world: World) -> Json:
        """The arguments, after the stage is set."""
        return self.given(world) if callable(self.given) else self.given


def families() -> dict[str, list[Case]]:
    """The cases of each file of this folder, by its name."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return {name: importlib.import_module(f"{__name__}.{name}").CASES for name in names}
