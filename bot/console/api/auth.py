"""api.test, auth.test, team.info, bots.info: who is calling and where. Knows identities only."""

from bot.console.api.registry import method
from bot.console.seed import FOUNDED
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace


@method("api.test")
def api_test(space: Workspace, args: Args) -> Json:
    """Echo the arguments, or the error that was asked for."""
    if args.text("error"):
        raise SlackError(args.text("error"), args=args.values)
    return {"args": args.values} if args.values else {}


@method("auth.test")
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


@method("team.info", scopes=("team:read",))
def team_info(space: Workspace, args: Args) -> Json:
    """Describe the workspace."""
    who = space.who
    icon = {"image_default": True}
    return {"team": {"id": who.team_id, "name": who.team_name, "domain": who.domain, "email_domain": "", "icon": icon}}


@method("bots.info", scopes=("users:read",), errors=("bot_not_found",))
def bots_info(space: Workspace, args: Args) -> Json:
    """Describe the app's bot."""
    who = space.who
    if args.text("bot", who.bot_id) != who.bot_id:
        raise SlackError("bot_not_found")
    bot = {"id": who.bot_id, "deleted": False, "name": who.app_name, "updated": FOUNDED, "app_id": who.app_id}
    return {"bot": {**bot, "user_id": who.bot_user, "icons": {}}}
