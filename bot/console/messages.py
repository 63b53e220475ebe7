"""Posts, edits, removes and shows messages for app and people alike. Knows threads and events, not who may call."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.console import events
from bot.console.files import hydrate
from bot.console.limits import limit
from bot.console.store import Row
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

SPOKEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes of messages that somebody wrote; the others tell what happened to a channel."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A message that is about to be posted."""

    channel: Json
    """Where."""
    author: str
    """User id of who posts."""
    body: Json
    """Everything of the message but ts and thread."""
    thread_ts: str | None = None
    """A message of the thread in which it goes."""
    broadcast: bool = False
    """Show the reply in the channel too."""
    viewer: str | None = None
    """The only person who sees it (ephemeral), or None."""
    raw: Json | None = None
    """What the author sent, for the page's raw view."""


def post(space: Workspace, draft: Draft) -> Json:
    """Store a message, show it on pages and, unless ephemeral, send its events. Gives the message object."""
    channel, ts = draft.channel, space.clock.ts()
    root = thread_root(space, channel["id"], draft.thread_ts)
    body = {"type": "message", **draft.body, "ts": ts}
    if root:
        body["thread_ts"] = root
        parent = space.store.message(channel["id"], root)
        if parent and parent.body.get("user"):
            body["parent_user_id"] = parent.body["user"]
    if draft.broadcast and root:
        body["subtype"] = "thread_broadcast"
    row = Row(channel["id"], ts, root, draft.viewer, body)
    space.store.add_message(row, draft.author, broadcast=draft.broadcast, raw=draft.raw)
    shown = show(space, [row])[0]
    if draft.viewer:
        tell(space, channel["id"], {"type": "ephemeral", "ts": ts, "message": for_page(shown, row)}, [draft.viewer])
        return shown
    tell(space, channel["id"], {"type": "message", "ts": ts, "message": for_page(shown, row)})
    refresh_parent(space, row)
    announce(space, channel, shown)
    return shown


def announce(space: Workspace, channel: Json, message: Json) -> None:
    """Send the events of a new message: the message itself, a mention of the app, shared files."""
    bare = {key: value for key, value in message.items() if key not in ("reactions", "metadata")}
    events.emit_message(space, channel, bare)
    mentioned = f"<@{space.who.bot_user}>" in message.get("text", "")
    spoken = message.get("subtype") in SPOKEN and message.get("bot_id") != space.who.bot_id
    if mentioned and spoken and not channel.get("is_im"):
        events.emit_mention(space, channel, bare)
    for file in message.get("files", []):
        shared = {"type": "file_shared", "file_id": file["id"], "file": {"id": file["id"]}}
        where = {"user_id": message.get("user"), "channel_id": channel["id"]}
        events.emit_within(space, channel["id"], {**shared, **where})


def edit(space: Workspace, row: Row, body: Json, raw: Json | None = None) -> Json:
    """Replace what a message says; tells pages and, unless ephemeral, the app. Gives the message object."""
    previous = show(space, [row])[0]
    space.store.set_body(row.channel, row.ts, body, raw)
    changed = row._replace(body=body)
    shown = show(space, [changed])[0]
    repaint(space, changed)
    if row.viewer is None:
        event = {"type": "message", "subtype": "message_changed", "hidden": True, "ts": space.clock.ts()}
        channel = space.channel(row.channel)
        events.emit_message(space, channel, {**event, "message": shown, "previous_message": previous})
    return shown


def repaint(space: Workspace, row: Row) -> None:
    """Send pages the whole message again."""
    shown = show(space, [row])[0]
    viewers = [row.viewer] if row.viewer else None
    event = {"type": "message_changed", "ts": row.ts, "message": for_page(shown, row)}
    tell(space, row.channel, event, viewers)


def remove(space: Workspace, row: Row) -> None:
    """Delete a message; a parent with replies stays as a tombstone."""
    previous = show(space, [row])[0]
    if row.viewer is None and previous.get("reply_count"):
        grave = {"type": "message", "subtype": "tombstone", "text": "This message was deleted.", "hidden": True}
        space.store.set_body(row.channel, row.ts, {**grave, "user": "USLACKBOT", "ts": row.ts, "thread_ts": row.ts})
        repaint(space, space.message(row.channel, row.ts))
    else:
        space.store.remove_message(row.channel, row.ts)
        space.store.drop("pin", f"{row.channel}/{row.ts}")
        event = {"type": "message_deleted", "ts": row.ts, "thread_ts": row.root}
        tell(space, row.channel, event, [row.viewer] if row.viewer else None)
        refresh_parent(space, row)
    if row.viewer is None:
        gone = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": row.ts}
        channel = space.channel(row.channel)
        events.emit_message(space, channel, {**gone, "ts": space.clock.ts(), "previous_message": previous})


def show(space: Workspace, rows: Sequence[Row]) -> list[Json]:
    """Message objects as Slack gives them: with files, reactions and thread counts. Rows are of one channel."""
    if not rows:
        return []
    channel = rows[0].channel
    stamps = [row.ts for row in rows]
    threads = space.store.threads(channel, stamps)
    reactions = space.store.reactions(channel, stamps)
    pins = space.store.present("pin", [f"{channel}/{ts}" for ts in stamps])
    shown = []
    for row in rows:
        message = hydrate(space, row.body)
        if row.body.get("subtype") == "thread_broadcast":
            message["root"] = _root(space, row)
        thread = threads.get(row.ts)
        if thread:
            people = {"reply_users": thread.authors, "reply_users_count": len(thread.authors)}
            count = {"thread_ts": row.ts, "reply_count": thread.replies, "latest_reply": thread.latest}
            message = {**message, **count, **people, "is_locked": False, "subscribed": False}
        if row.ts in reactions:
            message["reactions"] = reactions[row.ts]
        if f"{channel}/{row.ts}" in pins:
            message["pinned_to"] = [channel]
        shown.append(message)
    return shown


def _root(space: Workspace, row: Row) -> Json:
    """The parent that a reply carries where it is shown in the channel too."""
    parent = space.store.message(row.channel, row.root or "")
    return show(space, [parent])[0] if parent else {}


def for_page(message: Json, row: Row) -> Json:
    """A message object with what only the page needs."""
    extra: Json = {"channel": row.channel}
    if row.viewer:
        extra["is_ephemeral"] = True
    if message.get("streaming_state") == "in_progress":
        extra["streaming"] = True
    return {**message, **extra}


def tell(space: Workspace, channel_id: str, event: Json, viewers: Sequence[str] | None = None) -> None:
    """Send an event about a channel to the pages of those who see it."""
    audience = space.audience(channel_id) if viewers is None else viewers
    space.hub.tell(audience, {"channel": channel_id, **event})


def refresh_parent(space: Workspace, row: Row) -> None:
    """Show a parent again after its replies changed."""
    parent = space.store.message(row.channel, row.root) if row.root else None
    if parent:
        repaint(space, parent)


def thread_root(space: Workspace, channel_id: str, thread_ts: str | None) -> str | None:
    """The parent's ts for a ts anywhere in a thread. Raises thread_not_found."""
    if not thread_ts:
        return None
    found = space.store.message(channel_id, thread_ts)
    if found is None:
        raise SlackError("thread_not_found")
    return found.root or found.ts


def react(space: Workspace, row: Row, name: str, user: str, *, add: bool) -> None:
    """Add or remove a reaction. Raises already_reacted, no_reaction, too_many_emoji or too_many_reactions."""
    if add:
        _check_room(space, row, name, user)
    change = space.store.react if add else space.store.unreact
    if not change(row.channel, row.ts, name, user):
        raise SlackError("already_reacted" if add else "no_reaction")
    item = {"type": "message", "channel": row.channel, "ts": row.ts}
    event = {"type": "reaction_added" if add else "reaction_removed", "user": user, "reaction": name, "item": item}
    events.emit_within(space, row.channel, {**event, "item_user": row.body.get("user")})
    reactions = space.store.reactions(row.channel, [row.ts]).get(row.ts, [])
    tell(space, row.channel, {"type": "reaction", "ts": row.ts, "thread_ts": row.root, "reactions": reactions})


def permalink(space: Workspace, row: Row) -> str:
    """The address of a message at the page, with its thread where it is a reply."""
    link = f"{space.settings.address}/archives/{row.channel}/p{row.ts.replace('.', '')}"
    return f"{link}?thread_ts={row.root}&cid={row.channel}" if row.root else link


def _check_room(space: Workspace, row: Row, name: str, user: str) -> None:
    present = space.store.reactions(row.channel, [row.ts]).get(row.ts, [])
    if any(entry["name"] == name and user in entry["users"] for entry in present):
        return
    if len({entry["name"] for entry in present} | {name}) > limit("reaction.emoji_on_message"):
        raise SlackError("too_many_emoji")
    if sum(user in entry["users"] for entry in present) >= limit("reaction.by_one_user"):
        raise SlackError("too_many_reactions")
