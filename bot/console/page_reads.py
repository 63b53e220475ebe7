"""What the page reads: the workspace, messages, views, live events. Knows the page's protocol, changes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator

from bot.console import modals
from bot.console.messages import for_page, show
from bot.console.store import Row
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

HEARTBEAT = 15.0
"""Seconds between signs of life on an idle stream."""


def boot(space: Workspace, user: str) -> Json:
    """Everything the page needs to draw its frame."""
    me, who = space.person(user or space.people()[0]), space.who
    manifest = space.settings.manifest
    seen = [each for each in space.store.all("channel") if space.store.is_member(each["id"], me["id"])]
    return {
        "ok": True,
        "team": {"id": who.team_id, "name": who.team_name, "domain": who.domain},
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


def messages_of(space: Workspace, user: str, channel_id: str, thread_ts: str) -> Json:
    """A channel's messages or a thread, oldest first, as this person sees them."""
    channel = visible(space, user, channel_id)
    if thread_ts:
        parent = space.message(channel_id, thread_ts)
        rows = [parent, *space.store.replies(channel_id, parent.ts, viewer=user)]
    else:
        rows = space.store.history(channel_id, viewer=user)[::-1]
    prompts = space.store.get("prompts", channel_id) or {}
    offered = prompts.get("prompts", list(space.settings.manifest.prompts) if channel.get("is_im") else [])
    return {
        "ok": True,
        "messages": [for_page(message, row) for message, row in zip(show(space, rows), rows, strict=True)],
        "status": statuses(space, channel_id),
        "suggested_prompts": offered,
        "prompts_title": prompts.get("title", ""),
    }


def statuses(space: Workspace, channel_id: str) -> dict[str, str]:
    """Status lines by thread_ts; a line that the app wrote stands before its session's."""
    now = space.clock.now()
    lines: dict[str, str] = {}
    for kind in ("session_status", "status"):
        for entry in space.store.all(kind):
            if entry["channel"] == channel_id and entry["expires"] > now:
                lines[entry["thread_ts"]] = entry["status"]
    return lines


def home(space: Workspace, user: str) -> Json:
    """The Home view of this person, or none yet."""
    view = modals.home(space, space.person(user)["id"])
    return {"ok": True, "view": modals.public(view) if view else None}


def views(space: Workspace, user: str) -> Json:
    """The open modals of this person, the first opened first."""
    return {"ok": True, "views": modals.open_views(space, space.person(user)["id"])}


def raw(space: Workspace, user: str, channel_id: str, ts: str) -> Json:
    """What the author of a message sent."""
    row = seen_message(space, user, channel_id, ts)
    return {"ok": True, "raw": space.store.raw(channel_id, ts) or row.body}


async def live(space: Workspace, user: str) -> AsyncIterator[str]:
    """Server-sent events for one open page."""
    queue = space.hub.subscribe(user)
    try:
        yield 'retry: 1000\ndata: {"type":"hello"}\n\n'
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    event = await queue.get()
            except TimeoutError:
                yield ": still here\n\n"
                continue
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
    return {**kept, "color": f"#{user['color']}"}


def _channel(space: Workspace, user: str, channel: Json) -> Json:
    is_im = bool(channel.get("is_im"))
    return {
        "id": channel["id"],
        "name": space.who.app_name if is_im else channel["name"],
        "is_im": is_im,
        "topic": channel.get("topic", {}).get("value", ""),
        "purpose": channel.get("purpose", {}).get("value", ""),
        "unread": space.store.unread(user, channel["id"]),
        "im_user": space.who.bot_user if is_im else None,
    }
