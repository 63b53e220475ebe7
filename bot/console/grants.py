"""Codes of the installation flow: who allowed the app in which team. Knows codes, not tokens."""

import secrets
from typing import NamedTuple

from bot.console.clock import Now
from bot.console.limits import limit
from bot.console.wire import SlackError


class Grant(NamedTuple):
    """One person's consent."""

    team_id: str
    user: str
    redirect_uri: str
    """As the request named it, empty where it named none."""
    until: float
    """Seconds since 1970."""


class Grants:
    """Codes that wait to be exchanged, each once and within ten minutes."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._waiting: dict[str, Grant] = {}

    def allow(self, team_id: str, user: str, redirect_uri: str) -> str:
        """The code for one consent."""
        code = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
        now = self._now()
        self._waiting = {key: each for key, each in self._waiting.items() if each.until >= now}
        self._waiting[code] = Grant(team_id, user, redirect_uri, now + limit("oauth.code_seconds"))
        return code

    def use(self, code: str, redirect_uri: str) -> Grant:
        """Exchange a code. Raises invalid_code or bad_redirect_uri."""
        grant = self._waiting.pop(code, None)
        if grant is None or grant.until < self._now():
            raise SlackError("invalid_code")
        if redirect_uri != grant.redirect_uri:
            raise SlackError("bad_redirect_uri")
        return grant
