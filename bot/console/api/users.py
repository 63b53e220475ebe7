"""users.*: people and bots of the workspace, and where they are. Knows user objects only."""

from bot.console.api import shapes
from bot.console.api.access import READ as CONVERSATIONS
from bot.console.api.access import kind_of
from bot.console.api.conversations import PAGED, chosen_channels, wanted_types
from bot.console.api.paging import MOST, page
from bot.console.api.registry import method
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

READ = ("users:read",)


@method("users.info", scopes=READ, errors=("user_not_found",), tier="tier_4")
def users_info(space: Workspace, args: Args) -> Json:
    """One user."""
    return {"user": shapes.user(space, space.user(args.need("user")), locale=args.flag("include_locale"))}


@method("users.list", scopes=READ, errors=PAGED, tier="tier_2")
def users_list(space: Workspace, args: Args) -> Json:
    """All users, page by page where a limit is given."""
    locale = args.flag("include_locale")
    rows = [shapes.user(space, user, locale=locale) for user in space.store.all("user")]
    members, metadata = page(rows, args, default=MOST, word="user")
    return {"members": members, "cache_ts": int(space.clock.now()), **metadata}


@method("users.lookupByEmail", scopes=("users:read.email",), errors=("users_not_found",))
def users_lookup_by_email(space: Workspace, args: Args) -> Json:
    """The user with an email address."""
    email = args.need("email").lower()
    for user in space.store.all("user"):
        if user["profile"].get("email", "").lower() == email and not user["deleted"]:
            return {"user": shapes.user(space, user)}
    raise SlackError("users_not_found")


@method("users.profile.get", scopes=("users.profile:read",), errors=("user_not_found",), tier="tier_4")
def users_profile_get(space: Workspace, args: Args) -> Json:
    """One user's profile; the bot's own where none is named."""
    user = space.user(args.text("user") or space.who.bot_user)
    return {"profile": {**shapes.profile(space, user), "fields": {}}}


@method("users.getPresence", scopes=READ, errors=("user_not_found",))
def users_get_presence(space: Workspace, args: Args) -> Json:
    """Everyone here is at the page; the app says of itself what it set."""
    user = space.user(args.text("user") or space.who.bot_user)["id"]
    if user != space.who.bot_user:
        return {"presence": "active"}
    away = (space.store.get("presence", user) or {}).get("presence") == "away"
    known = {"online": True, "auto_away": False, "manual_away": away, "connection_count": 1}
    return {"presence": "away" if away else "active", **known, "last_activity": int(space.clock.now())}


@method("users.setPresence", scopes=("users:write",), errors=("invalid_presence",), tier="tier_2")
def users_set_presence(space: Workspace, args: Args) -> Json:
    """Show the app as away, or as active again."""
    presence = args.need("presence")
    if presence not in ("auto", "away"):
        raise SlackError("invalid_presence")
    space.store.put("presence", space.who.bot_user, {"presence": presence})
    return {}


@method("users.conversations", scopes=CONVERSATIONS, errors=("user_not_found", "invalid_types", *PAGED), tier="tier_2")
def users_conversations(space: Workspace, args: Args) -> Json:
    """Conversations of which a user is a member; those that are not public only where the app is too."""
    theirs = space.store.channels_of(space.user(args.text("user") or space.who.bot_user)["id"])
    mine = space.store.channels_of(space.who.bot_user)
    rows = [
        shapes.conversation(space, channel)
        for channel in chosen_channels(space, args, wanted_types(space, args))
        if channel["id"] in theirs and (channel["id"] in mine or kind_of(space, channel) == "public_channel")
    ]
    channels, metadata = page(rows, args, default=100)
    return {"channels": channels, **metadata}
