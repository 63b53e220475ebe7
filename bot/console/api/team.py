"""team.profile.get, team.preferences.list, emoji.list, dnd.*, usergroups.*: facts of a small workspace that has few."""

from bot.console.api.access import ids
from bot.console.api.registry import method
from bot.console.emoji import categories
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

GROUPS = ("usergroups:read",)
AWAKE = {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}
"""What Slack says of somebody who set no hours of rest."""


@method("team.profile.get", scopes=("users.profile:read",))
def team_profile_get(space: Workspace, args: Args) -> Json:
    """The profile's own fields: this workspace has none beside Slack's."""
    return {"profile": {"fields": [], "sections": []}}


@method("team.preferences.list", scopes=("team.preferences:read",))
def team_preferences_list(space: Workspace, args: Args) -> Json:
    """Settings of the workspace that an app may want to know."""
    can = {"allow_message_deletion": True, "display_real_names": False, "disable_file_uploads": "allow_all"}
    return {"msg_edit_window_mins": -1, **can, "who_can_post_general": "everyone"}


@method("emoji.list", scopes=("emoji:read",), tier="tier_2")
def emoji_list(space: Workspace, args: Args) -> Json:
    """Custom emoji: nobody made any; on request also those that everybody has."""
    named = [{"name": name, "emoji_names": list(known)} for name, known in categories().items()]
    more = {"categories_version": "1", "categories": named} if args.flag("include_categories") else {}
    return {"emoji": {}, "cache_ts": f"{space.clock.now():.6f}", **more}


@method("dnd.info", scopes=("dnd:read",), errors=("user_not_found",))
def dnd_info(space: Workspace, args: Args) -> Json:
    """Nobody rests here."""
    space.user(args.text("user") or space.who.bot_user)
    return {**AWAKE, "snooze_enabled": False}


@method("dnd.teamInfo", scopes=("dnd:read",), errors=("no_users_provided", "user_not_found"), tier="tier_2")
def dnd_team_info(space: Workspace, args: Args) -> Json:
    """The same of several people."""
    users = ids(args, "users")
    if not users:
        raise SlackError("no_users_provided")
    return {"users": {space.user(user)["id"]: AWAKE for user in users}, "cached": False}


@method("usergroups.list", scopes=GROUPS, tier="tier_2")
def usergroups_list(space: Workspace, args: Args) -> Json:
    """User groups: nobody made any."""
    return {"usergroups": []}


@method("usergroups.users.list", scopes=GROUPS, errors=("no_such_subteam",), tier="tier_2")
def usergroups_users_list(space: Workspace, args: Args) -> Json:
    """Members of a user group, of which there is none."""
    args.need("usergroup")
    raise SlackError("no_such_subteam")
