"""Conversation and user objects as Slack's answers show them to the app. Knows shapes, not methods."""

from bot.console import messages
from bot.console.api.access import has_scope, kind_of
from bot.console.avatars import pictures
from bot.console.wire import Json
from bot.console.workspace import Workspace

NEVER = "0000000000.000000"
"""What `last_read` says where nothing was read."""
PROFILE: Json = {
    "title": "",
    "phone": "",
    "skype": "",
    "status_expiration": 0,
    "status_text_canonical": "",
    "status_emoji_display_info": [],
}
"""What a profile holds where nobody filled it in."""


def conversation(space: Workspace, channel: Json) -> Json:
    """A conversation without what only a member or a count would add."""
    if kind_of(space, channel) == "im":
        return {**channel, "user": _partner(space, channel)}
    shared: Json = {"shared_team_ids": [space.who.team_id], "pending_shared": [], "pending_connected_team_ids": []}
    flags: Json = {"is_pending_ext_shared": False, "is_frozen": False, "unlinked": 0, "parent_conversation": None}
    opened = {"is_open": not closed(space, channel)} if channel.get("is_mpim") else {}
    return {**shared, **flags, **channel, **opened}


def listed(space: Workspace, channel: Json) -> Json:
    """A conversation as lists show it: with membership and number of members."""
    made = conversation(space, channel)
    if kind_of(space, channel) == "im":
        return made
    members = space.store.members(channel["id"])
    return {**made, "is_member": space.who.bot_user in members, "num_members": len(members)}


def detailed(space: Workspace, channel: Json) -> Json:
    """A conversation as answers about it alone show it: what the app has read of it, where it is a member."""
    made, me = conversation(space, channel), space.who.bot_user
    is_im = kind_of(space, channel) == "im"
    is_member = space.store.is_member(channel["id"], me)
    if not is_im:
        made["is_member"] = is_member
    if is_member:
        made["last_read"] = space.store.last_read(me, channel["id"]) or NEVER
    if is_im:
        rows = space.store.history(channel["id"], most=1)
        unread = space.store.unread(me, channel["id"])
        made["latest"] = messages.show(space, rows)[0] if rows else None
        made.update(unread_count=unread, unread_count_display=unread, is_open=not closed(space, channel))
    return made


def closed(space: Workspace, channel: Json) -> bool:
    """Whether the app closed this direct message and nobody opened it again."""
    return space.store.get("closed", channel["id"]) is not None


def user(space: Workspace, found: Json, *, locale: bool = False) -> Json:
    """A user as the app sees it: the email address only with the scope for it."""
    more = {"locale": "en-US"} if locale else {}
    return {**found, "profile": profile(space, found), "who_can_share_contact_card": "EVERYONE", **more}


def profile(space: Workspace, found: Json) -> Json:
    """A user's profile as the app sees it."""
    made = {**PROFILE, **found["profile"], **pictures(space.settings.address, found["id"])}
    if not has_scope(space, "users:read.email"):
        made.pop("email", None)
    return made


def _partner(space: Workspace, channel: Json) -> str:
    others = [member for member in space.store.members(channel["id"]) if member != space.who.bot_user]
    return str(others[0] if others else channel["user"])
