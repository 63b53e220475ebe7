"""What every block may have. Knows no block by name."""

from collections.abc import Mapping

from bot.console.limits import limit
from bot.console.schema import Check, record, string


def block_of(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, is_open: bool = False
) -> Check:
    """A block with these fields and perhaps an id of its own; an open one may hold more."""
    own = {"block_id": string(limit("block.block_id"))}
    return record(required, {**own, **(optional or {})}, is_open=is_open)
