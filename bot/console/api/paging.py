"""Cuts lists into pages with Slack's cursors. Knows nothing of what is listed."""

import base64
import binascii
from typing import NamedTuple

from bot.console.wire import Args, Json, SlackError

MOST = 1000
"""Rows that one call may ask for."""


class Page(NamedTuple):
    """One page of a list."""

    rows: list[Json]
    metadata: Json
    """`response_metadata` with the next cursor, empty on the last page."""


def page(rows: list[Json], args: Args, *, default: int, word: str = "team", key: str = "id") -> Page:
    """The page that `cursor` and `limit` ask for. A cursor names the row with which the page begins.

    So nothing is skipped or shown twice when rows before it come or go. Raises invalid_cursor or invalid_limit.
    """
    size = page_size(args, default)
    start = place_of(args.text("cursor"), word)
    begin = 0
    if start:
        begin = next((at for at, row in enumerate(rows) if row[key] == start), -1)
        if begin < 0:
            raise SlackError("invalid_cursor")
    following = rows[begin + size : begin + size + 1]
    cursor = cursor_to(word, str(following[0][key])) if following else ""
    return Page(rows[begin : begin + size], metadata(cursor))


def page_size(args: Args, default: int) -> int:
    """How many rows `limit` asks for; 0 is no limit of one's own. Raises invalid_limit."""
    try:
        return args.number("limit", default, 0, MOST) or default
    except SlackError:
        raise SlackError("invalid_limit") from None


def metadata(cursor: str) -> Json:
    """`response_metadata` with the next cursor."""
    return {"response_metadata": {"next_cursor": cursor}}


def cursor_to(word: str, place: str) -> str:
    """An opaque cursor, made as Slack's are: base64 of `word:place`."""
    return base64.b64encode(f"{word}:{place}".encode()).decode()


def place_of(cursor: str, word: str) -> str:
    """The place that a cursor names; "" without a cursor. Raises invalid_cursor."""
    if not cursor:
        return ""
    try:
        said, _, place = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise SlackError("invalid_cursor") from None
    if said != word or not place:
        raise SlackError("invalid_cursor")
    return place
