"""chat.scheduleMessage and its neighbours: messages that wait for their time, over a restart too."""

import asyncio
from collections.abc import Iterable

from bot.console.api.access import seen
from bot.console.api.chat import POST_ERRORS, WRITE, place, post
from bot.console.api.paging import page
from bot.console.api.registry import method
from bot.console.drafts import content, signature
from bot.console.limits import limit
from bot.console.messages import thread_root
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

LOOK_EVERY = 0.5
"""Seconds between two looks for messages that are due."""
DAY = 86_400


@method(
    "chat.scheduleMessage",
    scopes=WRITE,
    errors=("invalid_time", "time_in_past", "time_too_far", "restricted_too_many", *POST_ERRORS),
)
def chat_schedule_message(space: Workspace, args: Args) -> Json:
    """Keep a message until `post_at`, seconds since 1970."""
    channel = place(space, args)
    post_at = _time(space, args)
    if len(args.text("text")) > limit("message.text_kept"):
        raise SlackError("msg_too_long")
    body = {**signature(space, args), **content(space, args), "type": "delayed_message"}
    thread_root(space, channel["id"], args.text("thread_ts") or None)
    _check_window(space, channel["id"], post_at)
    key = space.clock.id("Q")
    when = {"post_at": post_at, "date_created": int(space.clock.now())}
    entry = {"id": key, "channel_id": channel["id"], **when, "text": body["text"], "args": args.values}
    space.store.put("scheduled", key, entry)
    return {"channel": channel["id"], "scheduled_message_id": key, "post_at": post_at, "message": body}


@method("chat.deleteScheduledMessage", scopes=WRITE, errors=("channel_not_found", "invalid_scheduled_message_id"))
def chat_delete_scheduled_message(space: Workspace, args: Args) -> Json:
    """Take back a message that waits; in its last minute it cannot be any more."""
    channel = seen(space, space.channel_for(args.need("channel")))
    entry = space.store.get("scheduled", args.need("scheduled_message_id"))
    if entry is None or entry["channel_id"] != channel["id"]:
        raise SlackError("invalid_scheduled_message_id")
    if entry["post_at"] - space.clock.now() < limit("schedule.locked_seconds"):
        raise SlackError("invalid_scheduled_message_id")
    space.store.drop("scheduled", entry["id"])
    return {}


@method("chat.scheduledMessages.list", errors=("invalid_channel", "invalid_cursor", "invalid_limit"))
def chat_scheduled_messages_list(space: Workspace, args: Args) -> Json:
    """What waits, the next first; `oldest` and `latest` bound the time of posting."""
    rows = sorted(space.store.all("scheduled"), key=lambda entry: (entry["post_at"], entry["id"]))
    if args.text("channel"):
        channel_id = _channel(space, args.text("channel"))
        rows = [entry for entry in rows if entry["channel_id"] == channel_id]
    oldest, latest = _bound(args, "oldest", 0.0), _bound(args, "latest", float("inf"))
    rows = [entry for entry in rows if oldest <= entry["post_at"] <= latest]
    chosen, metadata = page(rows, args, default=100, word="scheduled")
    shown = [{key: value for key, value in entry.items() if key != "args"} for entry in chosen]
    return {"scheduled_messages": shown, **metadata}


def post_due(space: Workspace) -> None:
    """Post what is due; what cannot be posted any more is dropped, as Slack does."""
    now = space.clock.now()
    due = [entry for entry in space.store.all("scheduled") if entry["post_at"] <= now]
    for entry in sorted(due, key=lambda entry: float(entry["post_at"])):
        space.store.drop("scheduled", entry["id"])
        args = Args({**entry["args"], "channel": entry["channel_id"]})
        try:
            post(space, place(space, args), args)
        except SlackError:
            continue


async def tend(spaces: Iterable[Workspace]) -> None:
    """Post what is due in each workspace, until cancelled."""
    teams = list(spaces)
    while True:
        for space in teams:
            post_due(space)
        await asyncio.sleep(LOOK_EVERY)


def _time(space: Workspace, args: Args) -> int:
    try:
        post_at = int(args.need("post_at"))
    except ValueError:
        raise SlackError("invalid_time") from None
    if post_at <= space.clock.now():
        raise SlackError("time_in_past")
    if post_at > space.clock.now() + limit("schedule.days_ahead") * DAY:
        raise SlackError("time_too_far")
    return post_at


def _check_window(space: Workspace, channel_id: str, post_at: int) -> None:
    """Raise restricted_too_many where a channel has its share of messages within the same five minutes."""
    span = limit("schedule.window_seconds")
    beside = [
        entry
        for entry in space.store.all("scheduled")
        if entry["channel_id"] == channel_id and entry["post_at"] // span == post_at // span
    ]
    if len(beside) >= limit("schedule.in_window"):
        raise SlackError("restricted_too_many")


def _channel(space: Workspace, channel: str) -> str:
    try:
        return str(seen(space, space.channel_for(channel))["id"])
    except SlackError:
        raise SlackError("invalid_channel") from None


def _bound(args: Args, name: str, default: float) -> float:
    try:
        return float(args.text(name) or default)
    except ValueError:
        raise SlackError("invalid_arguments", f"must be a timestamp [json-pointer:/{name}]") from None
