"""conversations.*: which there are, who is in them, what was said. Knows what the app may see; changes nothing."""

import re

from bot.console import pins
from bot.console.api import shapes
from bot.console.api.access import HISTORY, KINDS, READ, ids, joined, kind_of, known, need_scope
from bot.console.api.paging import cursor_to, metadata, page, page_size, place_of
from bot.console.api.registry import method
from bot.console.messages import show
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

PAGED = ("invalid_cursor", "invalid_limit")
TIMES = ("invalid_ts_latest", "invalid_ts_oldest")
MOST_REPLIES = 1000
"""Replies in an answer that was asked for no number of them."""
READING = ("channel_not_found", "not_in_channel", *TIMES, *PAGED)


@method("conversations.list", scopes=READ, errors=("invalid_types", *PAGED), tier="tier_2")
def conversations_list(space: Workspace, args: Args) -> Json:
    """Public channels, and of the others those in which the app is."""
    wanted = wanted_types(space, args)
    mine = space.store.channels_of(space.who.bot_user)
    rows = [
        shapes.listed(space, channel)
        for channel in chosen_channels(space, args, wanted)
        if channel["id"] in mine or kind_of(space, channel) == "public_channel"
    ]
    channels, more = page(rows, args, default=100)
    return {"channels": channels, **more}


@method("conversations.info", scopes=READ, errors=("channel_not_found",))
def conversations_info(space: Workspace, args: Args) -> Json:
    """One conversation."""
    channel = shapes.detailed(space, known(space, args, READ))
    if args.flag("include_num_members"):
        channel["num_members"] = len(space.store.members(channel["id"]))
    if args.flag("include_locale"):
        channel["locale"] = "en-US"
    return {"channel": channel}


@method("conversations.members", scopes=READ, errors=("channel_not_found", *PAGED), tier="tier_4")
def conversations_members(space: Workspace, args: Args) -> Json:
    """Ids of a conversation's members."""
    rows = [{"id": member} for member in space.store.members(known(space, args, READ)["id"])]
    members, more = page(rows, args, default=100, word="user")
    return {"members": [row["id"] for row in members], **more}


@method("conversations.history", scopes=HISTORY, errors=READING)
def conversations_history(space: Workspace, args: Args) -> Json:
    """Messages of a conversation, newest first."""
    channel = joined(space, args, HISTORY)
    size = page_size(args, 100)
    after, before = _range(args)
    start = _cursor_ts(args)
    if start:
        before = min(before, _step(start, 1))
    rows = space.store.history(channel["id"], after=after, before=before, most=size + 1)
    count = len(pins.pinned(space, channel["id"]))
    return {**_page_of(space, rows, size, args), "pin_count": count, **_echo(args)}


@method("conversations.replies", scopes=HISTORY, errors=("thread_not_found", *READING))
def conversations_replies(space: Workspace, args: Args) -> Json:
    """A thread, the parent first; of a message without replies, that message."""
    channel = joined(space, args, HISTORY)
    found = space.store.message(channel["id"], args.need("ts"))
    parent = space.store.message(channel["id"], found.root) if found and found.root else found
    if parent is None or parent.viewer:
        raise SlackError("thread_not_found")
    size = page_size(args, MOST_REPLIES)
    after, before = _range(args)
    start = _cursor_ts(args)
    if start:
        after = max(after, _step(start, -1))
    rows = space.store.replies(channel["id"], parent.ts, after=after, before=before, most=size + 1)
    return _page_of(space, rows if start else [parent, *rows], size, args)


def wanted_types(space: Workspace, args: Args) -> set[str]:
    """The kinds of conversation that `types` names. Raises invalid_types or missing_scope."""
    wanted = set(ids(args, "types") or ["public_channel"])
    if not wanted <= set(KINDS.values()):
        raise SlackError("invalid_types")
    need_scope(space, READ, sorted(wanted))
    return wanted


def chosen_channels(space: Workspace, args: Args, wanted: set[str]) -> list[Json]:
    """Conversations of these kinds, by id, without archived ones where `exclude_archived` asks for that."""
    leave_out = args.flag("exclude_archived")
    return [
        channel
        for channel in space.store.all("channel")
        if kind_of(space, channel) in wanted and not (leave_out and channel.get("is_archived"))
    ]


def _page_of(space: Workspace, rows: list[Row], size: int, args: Args) -> Json:
    """The first `size` rows; the one after them, if there is one, is where the next page begins."""
    kept, following = rows[:size], rows[size : size + 1]
    shown = show(space, kept)
    if not args.flag("include_all_metadata"):
        shown = [{key: value for key, value in message.items() if key != "metadata"} for message in shown]
    more = metadata(cursor_to("next_ts", following[0].ts.replace(".", ""))) if following else {}
    return {"messages": shown, "has_more": bool(following), **more}


def _cursor_ts(args: Args) -> str:
    place = place_of(args.text("cursor"), "next_ts")
    if place and not re.fullmatch(r"\d{7,18}", place):
        raise SlackError("invalid_cursor")
    return f"{place[:-6]}.{place[-6:]}" if place else ""


def _echo(args: Args) -> Json:
    """Slack repeats the bounds that were given."""
    return {name: args.text(name) for name in ("oldest", "latest") if _moment(args, name) is not None}


def _range(args: Args) -> tuple[str, str]:
    """The two exclusive bounds; `inclusive` widens them by a microsecond."""
    step = 1 if args.flag("inclusive") else 0
    oldest, latest = _moment(args, "oldest"), _moment(args, "latest")
    return _step(oldest, -step) if oldest else "", _step(latest, step) if latest else "~"


def _moment(args: Args, name: str) -> str | None:
    value = args.text(name)
    if not value or not value.strip("0."):
        return None
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", value):
        raise SlackError(f"invalid_ts_{name}")
    seconds, _, micros = value.partition(".")
    return _step(f"{seconds}.{micros.ljust(6, '0')}", 0)


def _step(ts: str, micros: int) -> str:
    """A ts some microseconds later, with as many digits as those of messages, so that they compare as text."""
    seconds, _, fraction = ts.partition(".")
    moment = min(int(seconds) * 1_000_000 + int(fraction) + micros, 10**16 - 1)
    return f"{moment // 1_000_000:010d}.{moment % 1_000_000:06d}"
