"""Whether the app is installed in a team and with which token. Knows tokens, not who may do what with them."""

import secrets

from bot.console.store import Store
from bot.console.wire import Json


class Install:
    """The installation of the one app in one team; it survives a restart."""

    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        # Whoever starts this Slack with a token has installed the app with it.
        self._save({"token": token, "active": True})

    @property
    def token(self) -> str:
        """The bot token, `xoxb-…`."""
        return str(self._get()["token"])

    @property
    def active(self) -> bool:
        """Whether the token still opens anything."""
        return bool(self._get()["active"])

    def revoke(self) -> None:
        """Make the token worthless."""
        self._save({**self._get(), "active": False})

    def renew(self) -> str:
        """Install again: the same token while it is good, a new one after it was revoked. Gives the token."""
        if not self.active:
            self._save({"token": f"xoxb-local-{secrets.token_hex(16)}", "active": True})
        return self.token

    def _get(self) -> Json:
        return self._store.get("install", "app") or {"token": "", "active": False}

    def _save(self, body: Json) -> None:
        self._store.put("install", "app", body)
