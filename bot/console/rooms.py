"""Makes conversations and changes them and who is in them, for app and people alike. Knows not who may ask for it."""

import re

from bot.console import events, messages, seed
from bot.console.limits import limit
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

MARKS = re.compile(r"[\W_]+")
NAME_TROUBLE = {
    "invalid_name_required": "Value passed for `name` was empty.",
    "invalid_name_maxlength": "Value passed for `name` exceeded max length.",
    "invalid_name_punctuation": "Value passed for `name` contained only punctuation.",
    "invalid_name_specials": "Value passed for `name` contained unallowed special characters or upper case characters.",
    "name_taken": "A channel cannot be created with the given name.",
}
"""Slack's `detail` of each refusal of a name."""


def create(space: Workspace, name: str, by: str, *, private: bool = False) -> Json:
    """Make a channel with its maker in it. Raises name_taken and invalid_name_*."""
    _check_name(space, name)
    now = int(space.clock.now())
    blank: Json = {"value": "", "creator": "", "last_set": 0}
    channel = seed.channel(space.who, space.clock.id("C"), name, "", by=by)
    channel.update(created=now, updated=now * 1000, topic=blank, purpose=blank, is_private=private)
    channel.update(is_channel=not private, is_group=private)
    space.store.put("channel", channel["id"], channel)
    space.store.join(channel["id"], by)
    if not private:
        kept = ("id", "name", "name_normalized", "created", "creator", "context_team_id", "updated", "previous_names")
        facts = {key: channel[key] for key in channel if key in kept or key.startswith("is_")}
        events.emit(space, {"type": "channel_created", "channel": facts, "event_ts": space.clock.ts()})
    _note(space, channel, by, "channel_join", f"<@{by}> has joined the channel")
    tell_lists(space, channel)
    return channel


def group(space: Workspace, users: list[str], by: str) -> tuple[Json, bool]:
    """The group direct message of these people, made at first need; and whether it is new."""
    members = sorted({*users, by})
    key = "+".join(members)
    known = space.store.get("group", key)
    if known:
        return space.channel(known["channel"]), False
    now = int(space.clock.now())
    ordered = [by, *(user for user in users if user != by)]
    names = [str(space.user(user)["name"]) for user in ordered]
    note = {"creator": by, "last_set": now}
    channel = seed.channel(space.who, space.clock.id("C"), f"mpdm-{'--'.join(names)}-1", "", by=by)
    channel.update(created=now, updated=now * 1000, is_channel=False, is_group=True, is_mpim=True, is_private=True)
    channel["topic"] = {"value": "Group messaging", **note}
    channel["purpose"] = {"value": "Group messaging with: " + " ".join(f"@{name}" for name in names), **note}
    space.store.put("channel", channel["id"], channel)
    space.store.put("group", key, {"channel": channel["id"]})
    for user in members:
        space.store.join(channel["id"], user)
    tell_lists(space, channel)
    return channel, True


def pair(space: Workspace, one: str, other: str) -> tuple[Json, bool]:
    """The direct message of two users, of whom one may be the app; and whether it is new."""
    if space.who.bot_user in (one, other):
        person = other if one == space.who.bot_user else one
        known = space.store.get("channel", f"D{person[1:]}") is not None
        return seed.direct_message(space.store, space.who, person), not known
    first, second = sorted((one, other))
    channel_id = f"D{first[1:]}{second[1:]}"
    found = space.store.get("channel", channel_id)
    if found:
        return found, False
    now = int(space.clock.now())
    kind = {"is_im": True, "is_archived": False, "is_org_shared": False, "is_user_deleted": False, "priority": 0}
    made = {"id": channel_id, "created": now, "context_team_id": space.who.team_id, "user": second, **kind}
    space.store.put("channel", channel_id, made)
    for user in (first, second):
        space.store.join(channel_id, user)
    tell_lists(space, made)
    return made, True


def join(space: Workspace, channel: Json, user: str, inviter: str = "") -> bool:
    """Make somebody a member; says whether that is new."""
    if not space.store.join(channel["id"], user):
        return False
    by = {"inviter": inviter} if inviter else {}
    _note(space, channel, user, "channel_join", f"<@{user}> has joined the channel", **by)
    event = {"type": "member_joined_channel", "user": user, "team": space.who.team_id, **_where(channel), **by}
    events.emit_within(space, channel["id"], event)
    tell_lists(space, channel)
    return True


def leave(space: Workspace, channel: Json, user: str, by: str = "") -> bool:
    """End a membership, `by` somebody else's hand where one is named; says whether there was one."""
    people = space.audience(channel["id"])
    if not space.store.is_member(channel["id"], user):
        return False
    said = f"<@{user}> was removed from the channel by <@{by}>" if by else f"<@{user}> has left the channel"
    _note(space, channel, user, "channel_leave", said)
    space.store.leave(channel["id"], user)
    if user == space.who.bot_user:
        kind = "group_left" if channel.get("is_private") else "channel_left"
        event = {"type": kind, "channel": channel["id"], "actor_id": by or user}
        events.emit(space, {**event, "event_ts": space.clock.ts()})
    else:
        event = {"type": "member_left_channel", "user": user, "team": space.who.team_id, **_where(channel)}
        events.emit_within(space, channel["id"], event)
    space.hub.tell({*people, user}, {"type": "channels", "channel": channel["id"]})
    return True


def rename(space: Workspace, channel: Json, name: str, by: str) -> Json:
    """Give a channel another name. Raises name_taken and invalid_name_*."""
    if name == channel["name"]:
        return channel
    _check_name(space, name)
    old = channel["name"]
    change = {"name": name, "name_normalized": name, "previous_names": [*channel.get("previous_names", []), old]}
    channel = _change(space, channel, change)
    said = f'<@{by}> has renamed the channel from "{old}" to "{name}"'
    _note(space, channel, by, "channel_name", said, name=name, old_name=old)
    kept = ("id", "is_channel", "is_mpim", "name", "name_normalized", "created")
    kind = "group_rename" if channel.get("is_private") else "channel_rename"
    _announce(space, channel, {"type": kind, "channel": {key: channel[key] for key in kept}})
    return channel


def set_note(space: Workspace, channel: Json, which: str, value: str, by: str) -> Json:
    """Set the `topic` or the `purpose`. Raises too_long."""
    if len(value) > limit(f"conversation.{which}"):
        raise SlackError("too_long")
    if value == channel.get(which, {}).get("value"):
        return channel
    note = {"value": value, "creator": by, "last_set": int(space.clock.now())}
    channel = _change(space, channel, {which: note})
    what = "topic" if which == "topic" else "description"
    said = f"<@{by}> set the channel {what}: {value}" if value else f"<@{by}> cleared the channel {what}"
    _note(space, channel, by, f"channel_{which}", said, **{which: value})
    return channel


def archive(space: Workspace, channel: Json, by: str, *, closed: bool) -> None:
    """Close a channel for everybody, or open it again."""
    word = "archive" if closed else "unarchive"
    channel = _change(space, channel, {"is_archived": closed})
    said = f"<@{by}> {'archived' if closed else 'un-archived'} the channel"
    _note(space, channel, by, f"channel_{word}", said)
    kind = "group" if channel.get("is_private") else "channel"
    moved = {"is_moved": 0} if closed else {}
    _announce(space, channel, {"type": f"{kind}_{word}", "channel": channel["id"], "user": by, **moved})


def tell_lists(space: Workspace, channel: Json) -> None:
    """Tell members' pages that their list of conversations is not up to date."""
    messages.tell(space, channel["id"], {"type": "channels"})


def _check_name(space: Workspace, name: str) -> None:
    trouble = ""
    if not name:
        trouble = "invalid_name_required"
    elif len(name) > limit("conversation.name"):
        trouble = "invalid_name_maxlength"
    elif not MARKS.sub("", name) and re.fullmatch(r"[-_.]+", name):
        trouble = "invalid_name_punctuation"
    elif not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        trouble = "invalid_name_specials"
    elif any(channel.get("name") == name for channel in space.store.all("channel")):
        trouble = "name_taken"
    if trouble:
        raise SlackError(trouble, detail=NAME_TROUBLE[trouble])


def _change(space: Workspace, channel: Json, change: Json) -> Json:
    changed = {**channel, **change, "updated": int(space.clock.now() * 1000)}
    space.store.put("channel", channel["id"], changed)
    tell_lists(space, changed)
    return changed


def _note(space: Workspace, channel: Json, user: str, subtype: str, text: str, **facts: str) -> None:
    """The line in a channel that says what happened to it."""
    body = {"subtype": subtype, "user": user, "team": space.who.team_id, "text": text, **facts}
    messages.post(space, messages.Draft(channel=channel, author=user, body=body))


def _where(channel: Json) -> Json:
    """Channel and its kind as membership events say it: one letter."""
    return {"channel": channel["id"], "channel_type": "G" if channel.get("is_private") else "C"}


def _announce(space: Workspace, channel: Json, event: Json) -> None:
    """Everyone may know what becomes of a public channel; of a private one only who is in it."""
    if channel.get("is_private"):
        events.emit_within(space, channel["id"], event)
    else:
        events.emit(space, {**event, "event_ts": space.clock.ts()})
