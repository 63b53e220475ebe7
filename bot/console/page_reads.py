"""What the page reads: the workspace, messages, views, live events. Knows the page's protocol, changes nothing."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import NamedTuple

from bot.console import modals
from bot.console.hub import END
from bot.console.messages import for_page, show
from bot.console.store import Row
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

Ask = Mapping[str, str]
"""What a request's address asks for."""
MOST_AT_ONCE = 1000
"""Messages that one request may ask for where it names a limit."""
MOST_THREADS = 50
"""Threads in the list of a person's threads."""
SHOWN_REPLIES = 3
"""Newest replies that the list of threads shows of each."""
HEARTBEAT = 15.0
"""Seconds between signs of life on an idle stream."""


def read(space: Workspace, name: str, ask: Ask) -> Json:
    """Answer what the page asks for at GET /_local/NAME. Raises unknown_method and the read's own."""
    chosen = READS.get(name)
    if chosen is None:
        raise SlackError("unknown_method")
    return chosen(space, ask)


def boot(space: Workspace, ask: Ask) -> Json:
    """Everything the page needs to draw its frame."""
    me, who = space.person(ask.get("user") or space.people()[0]), space.who
    manifest = space.settings.manifest
    seen = [each for each in space.store.all("channel") if space.store.is_member(each["id"], me["id"])]
    return {
        "ok": True,
        "team": {"id": who.team_id, "name": who.team_name, "domain": who.domain},
        "teams": [{"id": each.who.team_id, "name": each.who.team_name} for each in space.site],
        "me": me["id"],
        "users": [_user(each) for each in space.store.all("user")],
        "channels": [_channel(space, me["id"], each) for each in seen],
        "app": {"id": who.app_id, "name": who.app_name, "bot_user_id": who.bot_user, "bot_id": who.bot_id},
        "commands": [{"usage_hint": "", **command} for command in manifest.commands],
        "shortcuts": list(manifest.shortcuts),
        "suggested_prompts": list(manifest.prompts),
        "remote_endpoints": list(space.settings.remote_endpoints),
        "bar": space.settings.bar,
    }


def messages_of(space: Workspace, ask: Ask) -> Json:
    """A page of a channel's messages or of a thread, oldest first, as this person sees them.

    `limit` messages before `before`, after `after`, or about `around`; without them the newest; without `limit` all.
    """
    user, channel_id = ask.get("user", ""), ask.get("channel", "")
    channel = visible(space, user, channel_id)
    page = _thread(space, ask) if ask.get("thread_ts") else _history(space, ask)
    prompts = space.store.get("prompts", channel_id) or {}
    offered = prompts.get("prompts", list(space.settings.manifest.prompts) if channel.get("is_im") else [])
    shown = show(space, page.rows)
    return {
        "ok": True,
        "messages": [for_page(message, row) for message, row in zip(shown, page.rows, strict=True)],
        "has_older": page.has_older,
        "has_newer": page.has_newer,
        "last_read": space.store.last_read(user, read_key(channel_id, ask.get("thread_ts", ""))),
        "status": statuses(space, channel_id),
        "suggested_prompts": offered,
        "prompts_title": prompts.get("title", ""),
        "seq": space.hub.seq,
    }


class Page(NamedTuple):
    """Some messages that follow each other, oldest first."""

    rows: list[Row]
    has_older: bool
    has_newer: bool


def _thread(space: Workspace, ask: Ask) -> Page:
    """The parent and the newest replies, or those before `before`."""
    channel_id, user, most = ask["channel"], ask.get("user", ""), _most(ask)
    asked = space.message(channel_id, ask["thread_ts"])
    parent = space.message(channel_id, asked.root) if asked.root else asked
    before = ask.get("before", "~")
    replies = [row for row in space.store.replies(channel_id, parent.ts, viewer=user) if row.ts < before]
    kept = replies[-most:] if most > 0 else replies
    return Page([*([parent] if before == "~" else []), *kept], len(kept) < len(replies), False)


def _history(space: Workspace, ask: Ask) -> Page:
    """One page of the channel itself."""
    most, around = _most(ask), ask.get("around", "")
    if around and most > 0:
        older = _older(space, ask, around, most // 2)
        # The message itself comes with what follows it.
        newer = _newer(space, ask, around, most - most // 2, including=True)
        return Page([*older.rows, *newer.rows], older.has_older, newer.has_newer)
    if ask.get("after"):
        return _newer(space, ask, ask["after"], most)
    return _older(space, ask, ask.get("before", "~"), most)


def _older(space: Workspace, ask: Ask, before: str, most: int) -> Page:
    """`most` messages before a ts; one more is asked for to learn whether there are older ones."""
    more = most + 1 if most > 0 else -1
    rows = space.store.history(ask["channel"], viewer=ask.get("user", ""), before=before, most=more)
    has_older = 0 < most < len(rows)
    return Page((rows[:most] if has_older else rows)[::-1], has_older, before != "~")


def _newer(space: Workspace, ask: Ask, after: str, most: int, *, including: bool = False) -> Page:
    """`most` messages after a ts, or from it on."""
    more = most + 1 if most > 0 else -1
    # A ts has six decimals, so nothing stands between it and itself cut by its last digit but itself.
    start = after[:-1] if including else after
    rows = space.store.history_after(ask["channel"], viewer=ask.get("user", ""), after=start, most=more)
    rows = [row for row in rows if row.ts >= after]
    has_newer = 0 < most < len(rows)
    return Page(rows[:most] if has_newer else rows, True, has_newer)


def _most(ask: Ask) -> int:
    """The page's size; -1 for everything."""
    given = ask.get("limit", "")
    return max(1, min(int(given), MOST_AT_ONCE)) if given.isdecimal() else -1


def read_key(channel_id: str, thread_ts: str) -> str:
    """Under what the store keeps up to where a person has read: a channel, or a thread of it."""
    return f"{channel_id}/{thread_ts}" if thread_ts else channel_id


def threads(space: Workspace, ask: Ask) -> Json:
    """Threads in which this person takes part, the latest first: parent, newest replies, how many are unread."""
    user = space.person(ask.get("user", ""))["id"]
    found = []
    for channel_id, root in space.store.threads_of(user, MOST_THREADS):
        parent = space.store.message(channel_id, root)
        if parent is None or not space.store.is_member(channel_id, user):
            continue
        replies = space.store.replies(channel_id, root, viewer=user)
        mark = space.store.last_read(user, read_key(channel_id, root))
        unread = [row for row in replies if row.ts > mark and row.body.get("user") != user]
        shown = show(space, [parent, *replies[-SHOWN_REPLIES:]])
        found.append({"channel": channel_id, "ts": root, "messages": shown, "unread": len(unread)})
    return {"ok": True, "threads": found, "seq": space.hub.seq}


def browse(space: Workspace, ask: Ask) -> Json:
    """Channels that this person may join or is in, with how many people are there."""
    user = space.person(ask.get("user", ""))
    found = []
    for channel in space.store.all("channel"):
        members = space.store.members(channel["id"])
        is_in, is_guest = user["id"] in members, user.get("is_restricted")
        if channel.get("is_im") or channel.get("is_mpim") or not (is_in or not (channel.get("is_private") or is_guest)):
            continue
        kept = {key: channel.get(key) for key in ("id", "name", "is_private", "is_archived")}
        topic = channel.get("topic", {}).get("value", "")
        found.append({**kept, "topic": topic, "is_member": is_in, "members": len(members)})
    return {"ok": True, "channels": sorted(found, key=lambda each: str(each["name"]))}


def details(space: Workspace, ask: Ask) -> Json:
    """Who is in a channel, who made it and what is pinned."""
    channel = visible(space, ask.get("user", ""), ask.get("channel", ""))
    notes = {name: channel.get(name, {}).get("value", "") for name in ("topic", "purpose")}
    kept = {key: channel.get(key) for key in ("id", "name", "is_private", "created", "creator")}
    return {"ok": True, "channel": {**kept, **notes}, "members": space.store.members(channel["id"])}


def statuses(space: Workspace, channel_id: str) -> dict[str, str]:
    """Status lines by thread_ts; a line that the app wrote stands before its session's."""
    now = space.clock.now()
    lines: dict[str, str] = {}
    for kind in ("session_status", "status"):
        for entry in space.store.all(kind):
            if entry["channel"] == channel_id and entry["expires"] > now:
                lines[entry["thread_ts"]] = entry["status"]
    return lines


def home(space: Workspace, ask: Ask) -> Json:
    """The Home view of this person, or none yet."""
    view = modals.home(space, space.person(ask.get("user", ""))["id"])
    return {"ok": True, "view": modals.public(view) if view else None}


def views(space: Workspace, ask: Ask) -> Json:
    """The open modals of this person, the first opened first."""
    return {"ok": True, "views": modals.open_views(space, space.person(ask.get("user", ""))["id"])}


def raw(space: Workspace, ask: Ask) -> Json:
    """What the author of a message sent."""
    user = ask.get("user") or space.people()[0]
    channel_id, ts = ask.get("channel", ""), ask.get("ts", "")
    row = seen_message(space, user, channel_id, ts)
    return {"ok": True, "raw": space.store.raw(channel_id, ts) or row.body}


async def live(space: Workspace, user: str) -> AsyncGenerator[str, None]:
    """Server-sent events for one open page."""
    queue = space.hub.subscribe(user)
    try:
        yield f'retry: 1000\ndata: {{"type":"hello","seq":{space.hub.seq}}}\n\n'
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    event = await queue.get()
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event is END:
                return
            yield f"data: {json.dumps(event, separators=(',', ':'))}\n\n"
    finally:
        space.hub.unsubscribe(user, queue)


def visible(space: Workspace, user: str, channel_id: str) -> Json:
    """A channel in which this person is. Raises channel_not_found."""
    channel = space.channel(channel_id)
    if not space.store.is_member(channel_id, space.person(user)["id"]):
        raise SlackError("channel_not_found")
    return channel


def seen_message(space: Workspace, user: str, channel_id: str, ts: str) -> Row:
    """A message that this person may see. Raises message_not_found."""
    visible(space, user, channel_id)
    row = space.message(channel_id, ts)
    if row.viewer not in (None, user):
        raise SlackError("message_not_found")
    return row


def _user(user: Json) -> Json:
    kept = {key: user[key] for key in ("id", "name", "real_name", "is_bot")}
    return {**kept, "color": f"#{user['color']}", "role": role_of(user)}


def role_of(user: Json) -> str:
    """What the page calls a person's place in the team; nothing for an ordinary member."""
    roles = {"is_ultra_restricted": "single-channel guest", "is_restricted": "guest", "is_owner": "owner"}
    roles["is_admin"] = "admin"
    return next((name for flag, name in roles.items() if user.get(flag)), "")


def _channel(space: Workspace, user: str, channel: Json) -> Json:
    is_im, is_mpim = bool(channel.get("is_im")), bool(channel.get("is_mpim"))
    members = space.store.members(channel["id"]) if is_im or is_mpim else []
    other = next((member for member in members if member != user), user)
    return {
        "id": channel["id"],
        "name": str(space.user(other)["real_name"]) if is_im else channel["name"],
        "is_im": is_im,
        "is_mpim": is_mpim,
        "is_private": bool(channel.get("is_private")),
        "topic": channel.get("topic", {}).get("value", ""),
        "purpose": channel.get("purpose", {}).get("value", ""),
        "unread": space.store.unread(user, channel["id"]),
        "mentioned": space.store.unread(user, channel["id"], naming=f"<@{user}>") > 0,
        "im_user": other if is_im else None,
        "users": members,
    }


READS: dict[str, Callable[[Workspace, Ask], Json]] = {
    "boot": boot,
    "messages": messages_of,
    "threads": threads,
    "browse": browse,
    "details": details,
    "home": home,
    "views": views,
    "raw": raw,
}
"""What the page may GET from /_local/NAME."""
