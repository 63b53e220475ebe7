"""Which messages still grow, and what ends them: five minutes, or a person who presses Stop. Knows no chunks."""

from bot.console import messages
from bot.console.limits import limit
from bot.console.store import Row
from bot.console.wire import Json
from bot.console.workspace import Workspace


def settled(space: Workspace, row: Row) -> Row:
    """The message as it is now: a stream that outlived its five minutes has failed."""
    if not is_growing(row) or row.body["_stream_started"] + limit("stream.life_seconds") >= space.clock.now():
        return row
    return repaint(space, row, {**row.body, "streaming_state": "errored"})


def is_growing(row: Row) -> bool:
    """Whether a message takes chunks, as far as is stored."""
    return row.body.get("streaming_state") == "in_progress"


def stop_all(space: Workspace, channel_id: str, root: str) -> list[str]:
    """End every stream of a thread because a person pressed Stop; gives their ts."""
    rows = [settled(space, row) for row in space.store.replies(channel_id, root)]
    growing = [row for row in rows if is_growing(row)]
    for row in growing:
        repaint(space, row, {**row.body, "streaming_state": "completed", "_stopped_by_user": True})
    return [row.ts for row in growing]


def repaint(space: Workspace, row: Row, body: Json) -> Row:
    """Store a body and show it on pages without events: Slack sends none while a message grows."""
    space.store.set_body(row.channel, row.ts, body)
    changed = row._replace(body=body)
    messages.repaint(space, changed)
    return changed
