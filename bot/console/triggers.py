"""Short-lived permissions handed to the app: trigger ids and response addresses. Knows their limits, not their use."""

import secrets
from dataclasses import dataclass

from bot.console.clock import Clock
from bot.console.limits import limit
from bot.console.store import Store
from bot.console.wire import Json, SlackError


@dataclass(kw_only=True)
class Trigger:
    """One person's click, good for opening one view."""

    user: str
    """Who clicked."""
    expires: float
    """Seconds since 1970."""
    view_id: str | None
    """The modal in which it happened, if it did."""
    used: bool = False
    """Whether a view was opened with it."""


class Triggers:
    """Trigger ids, valid for three seconds and one use; they need not survive a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Trigger] = {}

    def mint(self, user: str, view_id: str | None = None) -> str:
        """A new trigger id for what this person just did."""
        now = self._clock.now()
        self._known = {key: known for key, known in self._known.items() if known.expires > now - 3600}
        key = self._clock.trigger()
        self._known[key] = Trigger(user=user, expires=now + limit("interaction.trigger_seconds"), view_id=view_id)
        return key

    def check(self, trigger_id: str) -> Trigger:
        """The trigger, still unused. Raises invalid_, exchanged_ or expired_trigger_id."""
        found = self._known.get(trigger_id)
        if found is None:
            raise SlackError("invalid_trigger_id")
        if found.used:
            raise SlackError("exchanged_trigger_id")
        if found.expires < self._clock.now():
            raise SlackError("expired_trigger_id")
        return found


class ResponseUrls:
    """Response addresses: five uses within thirty minutes, kept over a restart."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def mint(self, user: str, channel: str, message_ts: str | None = None, thread_ts: str | None = None) -> str:
        """The secret last part of a new address."""
        key = f"{int(self._clock.now())}/{secrets.token_urlsafe(18)}"
        origin = {"user": user, "channel": channel, "message_ts": message_ts, "thread_ts": thread_ts}
        expires = self._clock.now() + limit("interaction.response_url_seconds")
        self._store.put("response_url", key, {**origin, "uses": 0, "expires": expires})
        return key

    def use(self, key: str) -> Json:
        """Count one use and say where it came from. Raises no_such_url, expired_url or used_url."""
        origin = self._store.get("response_url", key)
        if origin is None:
            raise SlackError("invalid_url")
        if origin["expires"] < self._clock.now():
            raise SlackError("expired_url")
        if origin["uses"] >= limit("interaction.response_url_uses"):
            raise SlackError("used_url")
        self._store.put("response_url", key, {**origin, "uses": origin["uses"] + 1})
        return origin
