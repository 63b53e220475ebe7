"""Errors of auth.*, apps.*, bots.info, oauth.v2.access."""

from typing import Any

from tests.bot.console.error_cases import Case, Json, World
from tests.console import CLIENT_ID, CLIENT_SECRET

OAUTH, UNINSTALL = "oauth.v2.access", "apps.uninstall"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
BACK = "http://127.0.0.1/back"


def allowed(**more: Any) -> Any:
    """A good code, with these arguments."""

    def stage(world: World) -> Json:
        return {**CLIENT, "code": world.slack.site.grants.allow("", "U0ADA", BACK), "redirect_uri": BACK, **more}

    return stage


def late(world: World) -> Json:
    """A code that is ten minutes and a second old."""
    given: Json = allowed()(world)
    world.clock.seconds += 601
    return given


def twice(world: World) -> Json:
    """A code that was exchanged before, with another address, which used it up."""
    given: Json = allowed()(world)
    world.slack.http.post(f"/api/{OAUTH}", data={**given, "redirect_uri": "http://127.0.0.1/other"})
    return given


CASES = [
    Case("apps.connections.open", "not_allowed_token_type", {}),
    *(Case(name, "invalid_client_id", {**CLIENT, "client_id": "1.1"}) for name in (OAUTH, UNINSTALL)),
    *(Case(name, "bad_client_secret", {**CLIENT, "client_secret": "x"}) for name in (OAUTH, UNINSTALL)),
    Case(OAUTH, "invalid_code", {**CLIENT, "code": "1.2.3"}),
    Case(OAUTH, "invalid_code", late),
    Case(OAUTH, "invalid_code", twice),
    Case(OAUTH, "bad_redirect_uri", allowed(redirect_uri="http://127.0.0.1/other")),
    Case(OAUTH, "invalid_grant_type", allowed(grant_type="password")),
    Case("auth.teams.list", "invalid_cursor", {"cursor": "!"}),
    Case("bots.info", "bot_not_found", {"bot": "B0NONE"}),
]
