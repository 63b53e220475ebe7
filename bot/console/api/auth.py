"""api.test, auth.*, apps.*, oauth.v2.access: who is calling, with which token, over which connection."""

import hmac

from bot.console import events
from bot.console.api.paging import page
from bot.console.api.registry import granted, method
from bot.console.avatars import pictures
from bot.console.seed import FOUNDED
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace


@method("api.test")
def api_test(space: Workspace, args: Args) -> Json:
    """Echo the arguments, or the error that was asked for."""
    if args.text("error"):
        raise SlackError(args.text("error"), args=args.values)
    return {"args": args.values} if args.values else {}


@method("auth.test", tier="special_600")
def auth_test(space: Workspace, args: Args) -> Json:
    """Say whose token this is."""
    who = space.who
    return {
        "url": f"{space.settings.address}/",
        "team": who.team_name,
        "user": space.settings.manifest.handle,
        "team_id": who.team_id,
        "user_id": who.bot_user,
        "bot_id": who.bot_id,
        "app_id": who.app_id,
        "is_enterprise_install": False,
    }


@method("auth.revoke", tier="tier_3")
def auth_revoke(space: Workspace, args: Args) -> Json:
    """Make the calling token worthless, unless it is only a test."""
    if args.flag("test"):
        return {"revoked": False}
    _tell_revoked(space)
    space.install.end("token_revoked")
    return {"revoked": True}


@method("auth.teams.list", tier="tier_2", errors=("invalid_cursor",))
def auth_teams_list(space: Workspace, args: Args) -> Json:
    """The one workspace that the token is for."""
    teams, metadata = page([{"id": space.who.team_id, "name": space.who.team_name}], args, default=100)
    return {"teams": teams, **metadata}


@method("apps.uninstall", tier="tier_1", errors=("bad_client_secret", "invalid_client_id"))
def apps_uninstall(space: Workspace, args: Args) -> Json:
    """Take the app out of the workspace."""
    _check_client(space, args)
    events.emit(space, {"type": "app_uninstalled", "event_ts": space.clock.ts()})
    _tell_revoked(space)
    space.install.end("account_inactive")
    return {}


@method("apps.connections.open", tier="tier_1_socket", errors=("not_allowed_token_type",))
def apps_connections_open(space: Workspace, args: Args) -> Json:
    """An address at which the app may open one socket."""
    return {"url": space.site.sockets.ticket(space.who.app_id)}


@method(
    "oauth.v2.access",
    tier="special_600",
    errors=("invalid_client_id", "bad_client_secret", "invalid_code", "bad_redirect_uri", "invalid_grant_type"),
)
def oauth_v2_access(space: Workspace, args: Args) -> Json:
    """Exchange the code of a finished installation for the bot token."""
    _check_client(space, args)
    if args.text("grant_type") not in ("", "authorization_code"):
        raise SlackError("invalid_grant_type")
    grant = space.site.grants.use(args.text("code"), args.text("redirect_uri"))
    team = space.site.team(grant.team_id)
    return {
        "app_id": team.who.app_id,
        "authed_user": {"id": grant.user},
        "scope": ",".join(granted(team.settings.manifest.scopes)),
        "token_type": "bot",
        "access_token": team.install.renew(),
        "bot_user_id": team.who.bot_user,
        "team": {"id": team.who.team_id, "name": team.who.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _tell_revoked(space: Workspace) -> None:
    gone = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [space.who.bot_user]}}
    events.emit(space, {**gone, "event_ts": space.clock.ts()})


def _check_client(space: Workspace, args: Args) -> None:
    settings = space.settings
    if not settings.client_id or args.text("client_id") != settings.client_id:
        raise SlackError("invalid_client_id")
    if not hmac.compare_digest(args.text("client_secret").encode(), settings.client_secret.encode()):
        raise SlackError("bad_client_secret")


@method("team.info", scopes=("team:read",))
def team_info(space: Workspace, args: Args) -> Json:
    """Describe the workspace."""
    who = space.who
    address = space.settings.address
    icon = {"image_default": True, **pictures(address, who.team_id, (34, 44, 68, 88, 102, 132, 230))}
    team = {"id": who.team_id, "name": who.team_name, "url": f"{address}/", "domain": who.domain, "email_domain": ""}
    return {"team": {**team, "icon": icon, "avatar_base_url": f"{address}/avatars/", "is_verified": False}}


@method("bots.info", scopes=("users:read",), errors=("bot_not_found",))
def bots_info(space: Workspace, args: Args) -> Json:
    """Describe the app's bot."""
    who = space.who
    if args.text("bot", who.bot_id) != who.bot_id:
        raise SlackError("bot_not_found")
    bot = {"id": who.bot_id, "deleted": False, "name": who.app_name, "updated": FOUNDED, "app_id": who.app_id}
    icons = pictures(space.settings.address, who.bot_user, (36, 48, 72))
    return {"bot": {**bot, "user_id": who.bot_user, "icons": icons}}
