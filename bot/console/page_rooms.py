"""What a person does to conversations at the page: makes, joins, leaves, invites, opens. Knows what guests may not."""

from bot.console import rooms
from bot.console.api.members import invitation_trouble
from bot.console.limits import limit
from bot.console.page_reads import visible
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace


async def create_channel(space: Workspace, user: str, body: Json) -> Json:
    """Make a channel with this person in it: `name`, `private`."""
    _no_guest(space, user, "restricted_action", "Guests cannot make channels.")
    channel = rooms.create(space, str(body.get("name") or ""), user, private=bool(body.get("private")))
    return {"ok": True, "channel": channel}


async def join(space: Workspace, user: str, body: Json) -> Json:
    """Enter a public channel."""
    channel = space.channel(str(body.get("channel")))
    if space.channel_type(channel) != "channel":
        raise SlackError("channel_not_found")
    _no_guest(space, user, "user_is_restricted", "Guests need an invitation.")
    _open(channel)
    rooms.join(space, channel, user)
    return {"ok": True, "channel": channel}


async def leave(space: Workspace, user: str, body: Json) -> Json:
    """Leave a channel; nobody leaves the general one."""
    channel = _channel(space, user, body)
    if channel["is_general"]:
        raise SlackError("cant_leave_general", "Nobody can leave this channel.")
    _no_guest(space, user, "user_is_restricted", "Guests cannot leave a channel.")
    rooms.leave(space, channel, user)
    return {"ok": True}


async def invite(space: Workspace, user: str, body: Json) -> Json:
    """Bring people or the app into a channel: `users`."""
    channel = _channel(space, user, body)
    _no_guest(space, user, "user_is_restricted", "Guests cannot invite.")
    _open(channel)
    invited = list(dict.fromkeys(map(str, body.get("users") or [])))
    if not invited:
        raise SlackError("no_user")
    for each in invited:
        trouble = invitation_trouble(space, channel, each, user)
        if trouble:
            raise SlackError(trouble)
    for each in invited:
        rooms.join(space, channel, each, user)
    return {"ok": True}


async def open_dm(space: Workspace, user: str, body: Json) -> Json:
    """A direct message with the app, with another person, or with several: `users`."""
    others = [space.user(each)["id"] for each in dict.fromkeys(map(str, body.get("users") or [])) if each != user]
    if len(others) > limit("conversation.open_users"):
        raise SlackError("too_many_users", f"A group has at most {limit('conversation.open_users')} other people.")
    if len(others) > 1:
        channel, is_new = rooms.group(space, others, user)
    else:
        channel, is_new = rooms.pair(space, user, others[0] if others else user)
    return {"ok": True, "channel": channel, "is_new": is_new}


async def set_topic(space: Workspace, user: str, body: Json) -> Json:
    """Say what a channel is about: `text`."""
    channel = visible(space, user, str(body.get("channel")))
    if channel.get("is_im"):
        raise SlackError("method_not_supported_for_channel_type", "A direct message has no topic.")
    _open(channel)
    rooms.set_note(space, channel, "topic", str(body.get("text") or ""), user)
    return {"ok": True}


def _channel(space: Workspace, user: str, body: Json) -> Json:
    """A public or private channel in which this person is."""
    channel = visible(space, user, str(body.get("channel")))
    if space.channel_type(channel) not in ("channel", "group"):
        raise SlackError("method_not_supported_for_channel_type", "That is no channel.")
    return channel


def _open(channel: Json) -> None:
    if channel.get("is_archived"):
        raise SlackError("is_archived", "This channel is archived.")


def _no_guest(space: Workspace, user: str, error: str, why: str) -> None:
    if space.user(user)["is_restricted"]:
        raise SlackError(error, why)
