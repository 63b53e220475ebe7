"""Cuts lists into pages with Slack's cursors. Knows nothing of what is listed."""

import base64
import binascii
from typing import NamedTuple

from bot.console.wire import Args, Json, SlackError


class Page(NamedTuple):
    """One page of a list."""

    rows: list[Json]
    metadata: Json
    """`response_metadata` with the next cursor, empty on the last page."""


def page(rows: list[Json], args: Args, *, default: int, most: int = 1000) -> Page:
    """The page that `cursor` and `limit` ask for. Raises invalid_cursor or invalid_limit."""
    try:
        size = args.number("limit", default, 0, most) or default
    except SlackError:
        raise SlackError("invalid_limit") from None
    start = _start(args.text("cursor"))
    more = start + size < len(rows)
    cursor = base64.b64encode(f"next:{start + size}".encode()).decode() if more else ""
    return Page(rows[start : start + size], {"response_metadata": {"next_cursor": cursor}})


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word != "next":
            raise ValueError(word)
        return max(0, int(number))
    except (ValueError, binascii.Error):
        raise SlackError("invalid_cursor") from None
