"""users.*: people and bots of the workspace. Knows user objects only."""

from bot.console.api.paging import page
from bot.console.api.registry import method
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

READ = ("users:read",)


@method("users.info", scopes=READ, errors=("user_not_found",))
def users_info(space: Workspace, args: Args) -> Json:
    """One user."""
    return {"user": space.user(args.need("user"))}


@method("users.list", scopes=READ, errors=("invalid_cursor",))
def users_list(space: Workspace, args: Args) -> Json:
    """All users, page by page."""
    members, metadata = page(space.store.all("user"), args, default=200)
    return {"members": members, "cache_ts": int(space.clock.now()), **metadata}


@method("users.lookupByEmail", scopes=("users:read.email",), errors=("users_not_found",))
def users_lookup_by_email(space: Workspace, args: Args) -> Json:
    """The user with an email address."""
    email = args.need("email").lower()
    for user in space.store.all("user"):
        if user["profile"].get("email") == email:
            return {"user": user}
    raise SlackError("users_not_found")


@method("users.profile.get", scopes=("users.profile:read",), errors=("user_not_found",))
def users_profile_get(space: Workspace, args: Args) -> Json:
    """One user's profile; the bot's own where none is named."""
    return {"profile": space.user(args.text("user") or space.who.bot_user)["profile"]}


@method("users.getPresence", scopes=READ, errors=("user_not_found",))
def users_get_presence(space: Workspace, args: Args) -> Json:
    """Everyone here is at the page."""
    space.user(args.text("user") or space.who.bot_user)
    return {"presence": "active"}


@method("users.conversations", scopes=("channels:read", "im:read"), errors=("user_not_found", "invalid_types"))
def users_conversations(space: Workspace, args: Args) -> Json:
    """Channels of which a user is a member."""
    user = space.user(args.text("user") or space.who.bot_user)["id"]
    types = args.text("types") or "public_channel"
    rows = [channel for channel in space.store.all("channel") if space.store.is_member(channel["id"], user)]
    wanted = [row for row in rows if ("im" if row.get("is_im") else "public_channel") in types.split(",")]
    channels, metadata = page(wanted, args, default=100)
    return {"channels": channels, **metadata}
