"""Codes of the installation flow: who allowed the app in which team. Knows codes, not tokens."""

import secrets
import time
from typing import NamedTuple

from bot.console.limits import limit
from bot.console.wire import SlackError


class Grant(NamedTuple):
    """One person's consent."""

    team_id: str
    user: str
    redirect_uri: str
    until: float
    """Monotonic seconds."""


class Grants:
    """Codes that wait to be exchanged, each once and within ten minutes."""

    def __init__(self) -> None:
        self._waiting: dict[str, Grant] = {}

    def allow(self, team_id: str, user: str, redirect_uri: str) -> str:
        """The code for one consent."""
        code = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
        until = time.monotonic() + limit("oauth.code_seconds")
        self._waiting[code] = Grant(team_id, user, redirect_uri, until)
        return code

    def use(self, code: str, redirect_uri: str) -> Grant:
        """Exchange a code. Raises invalid_code or bad_redirect_uri."""
        grant = self._waiting.pop(code, None)
        if grant is None or grant.until < time.monotonic():
            raise SlackError("invalid_code")
        if redirect_uri and redirect_uri != grant.redirect_uri:
            raise SlackError("bad_redirect_uri")
        return grant
