"""Whether the app is installed in a team and with which token. Knows tokens, not who may do what with them."""

import secrets
from typing import Literal

from bot.console.store import Store
from bot.console.wire import Json

Gone = Literal["token_revoked", "account_inactive"]
"""What Slack says to a token that was revoked, and to one of an app that was taken out of the workspace."""


class Install:
    """The installation of the one app in one team; it survives a restart."""

    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        # Whoever starts this Slack with a token has installed the app with it, unless it was renewed since.
        kept = self._get()
        if kept.get("given") != token or kept.get("gone"):
            self._save({"token": token, "given": token, "gone": "", "former": []})

    @property
    def token(self) -> str:
        """The bot token, `xoxb-…`."""
        return str(self._get()["token"])

    @property
    def active(self) -> bool:
        """Whether the token still opens anything."""
        return not self._get()["gone"]

    def verdict(self, token: str) -> str:
        """What this team says to a token: `ok`, a reason why it is no good any more, or `` if it never saw it."""
        now = self._get()
        if secrets.compare_digest(token.encode(), now["token"].encode()):
            return str(now["gone"] or "ok")
        return "token_revoked" if token in now["former"] else ""

    def end(self, how: Gone) -> None:
        """Make the token worthless."""
        self._save({**self._get(), "gone": how})

    def renew(self) -> str:
        """Install again: the same token while it is good, a new one after it was revoked. Gives the token."""
        now = self._get()
        if now["gone"]:
            fresh = f"xoxb-local-{secrets.token_hex(16)}"
            self._save({**now, "token": fresh, "gone": "", "former": [*now["former"], now["token"]]})
        return self.token

    def _get(self) -> Json:
        return self._store.get("installation", "app") or {"token": "", "gone": "", "former": []}

    def _save(self, body: Json) -> None:
        self._store.put("installation", "app", body)
