"""Holds the table of Web API methods and runs one of them. Knows tokens and scopes, not what the methods do."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

Handler = Callable[[Workspace, Args], Json]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method of the Web API."""

    name: str
    """Such as `chat.postMessage`."""
    run: Handler
    """Carries it out; gives the answer without `ok`."""
    scopes: tuple[str, ...]
    """Bot scopes of which one is needed; none for all tokens."""
    errors: tuple[str, ...]
    """Errors of its own, beside those that every method can give."""
    tier: str
    """Name of its rate in the table `rates` of limits.toml: calls a minute, app and workspace."""


METHODS: dict[str, Method] = {}


def method(
    name: str, *, scopes: tuple[str, ...] = (), errors: tuple[str, ...] = (), tier: str = "tier_3"
) -> Callable[[Handler], Handler]:
    """Register a function as a method; a method of its own rate names it, the others are of tier 3."""

    def register(run: Handler) -> Handler:
        METHODS[name] = Method(name=name, run=run, scopes=scopes, errors=errors, tier=tier)
        return run

    return register


def call(space: Workspace, name: str, args: Args, token: str) -> Json:
    """Run a method as Slack does; a refusal is an answer with `ok` false."""
    try:
        chosen = METHODS.get(name)
        if chosen is None:
            raise SlackError("unknown_method", req_method=name)
        if name != "api.test":
            _authorise(space, chosen, token)
        return {"ok": True, **chosen.run(space, args)}
    except SlackError as error:
        return error.body()
    except RecursionError:
        return SlackError("invalid_arguments", "nested too deeply").body()


def _authorise(space: Workspace, chosen: Method, token: str) -> None:
    if not token:
        raise SlackError("not_authed")
    if not hmac.compare_digest(token.encode(), space.settings.bot_token.encode()):
        raise SlackError("invalid_auth")
    granted = space.settings.manifest.scopes
    if granted is not None and chosen.scopes and not granted.intersection(chosen.scopes):
        raise SlackError("missing_scope", needed=",".join(chosen.scopes), provided=",".join(sorted(granted)))
