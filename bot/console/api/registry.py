"""Holds the table of Web API methods and runs one of them. Knows tokens and scopes, not what the methods do."""

import hmac
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.console.site import Site
from bot.console.wire import Args, Json, RateLimited, SlackError
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
FORM_ONLY = frozenset(tomllib.loads(Path(__file__).parent.with_name("methods.toml").read_text("utf-8"))["form_only"])
"""Methods whose JSON bodies Slack does not read."""
OPEN = frozenset({"api.test", "oauth.v2.access"})
"""Methods that take no token."""
FOR_APP_TOKENS = frozenset({"apps.connections.open"})
"""Methods that take the app-level token and no other."""


def method(
    name: str, *, scopes: tuple[str, ...] = (), errors: tuple[str, ...] = (), tier: str = "tier_3"
) -> Callable[[Handler], Handler]:
    """Register a function as a method; a method of its own rate names it, the others are of tier 3."""

    def register(run: Handler) -> Handler:
        METHODS[name] = Method(name=name, run=run, scopes=scopes, errors=errors, tier=tier)
        return run

    return register


def call(site: Site, name: str, args: Args, token: str) -> Json:
    """Run a method as Slack does; a refusal is an answer with `ok` false. Raises RateLimited over its rate."""
    try:
        chosen = METHODS.get(name)
        if chosen is None:
            raise SlackError("unknown_method", req_method=name)
        space = site.team("") if name in OPEN else _authorised(site, chosen, token)
        if site.faults.now.rate_limits:
            space.rates.count(name, chosen.tier, args.text("channel"))
        return {"ok": True, **chosen.run(space, args)}
    except RateLimited:
        raise
    except SlackError as error:
        return error.body()
    except RecursionError:
        return SlackError("invalid_arguments", "nested too deeply").body()


def granted(scopes: frozenset[str] | None) -> list[str]:
    """The scopes of the app by name; a manifest that names none grants all that any method asks for."""
    return sorted({scope for made in METHODS.values() for scope in made.scopes} if scopes is None else scopes)


def accepted(name: str) -> tuple[str, ...]:
    """Scopes of which a method takes each."""
    return METHODS[name].scopes if name in METHODS else ()


def _authorised(site: Site, chosen: Method, token: str) -> Workspace:
    """The workspace whose token this is. Raises not_authed, invalid_auth, token_revoked, missing_scope and others."""
    if not token:
        raise SlackError("not_authed")
    app_token = site.settings.app_token
    if app_token and hmac.compare_digest(token.encode(), app_token.encode()):
        if chosen.name not in FOR_APP_TOKENS:
            raise SlackError("not_allowed_token_type")
        return site.team("")
    space = site.by_token(token)
    if chosen.name in FOR_APP_TOKENS:
        raise SlackError("not_allowed_token_type")
    granted = space.settings.manifest.scopes
    if granted is not None and chosen.scopes and not granted.intersection(chosen.scopes):
        raise SlackError("missing_scope", needed=",".join(chosen.scopes), provided=",".join(sorted(granted)))
    return space
