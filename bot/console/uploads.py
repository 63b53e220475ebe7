"""Upload addresses: made for one file, good once and for a day. Knows tickets and lengths, not methods or messages."""

from collections.abc import AsyncIterator

from bot.console import files
from bot.console.limits import limit
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace


def reserve(space: Workspace, file: Json, length: int) -> str:
    """The address that takes the bytes of a new file."""
    ticket = space.clock.trigger()
    space.store.put("upload", ticket, {"file": file["id"], "length": length, "made": space.clock.now()})
    return f"{space.settings.address}/upload/v1/{ticket}"


async def accept(space: Workspace, ticket: str, chunks: AsyncIterator[bytes]) -> int:
    """Take the bytes; gives their number. Raises no_such_upload, length_mismatch or file_upload_size_restricted."""
    promised = space.store.get("upload", ticket)
    if promised is None or promised["made"] + limit("file.upload_seconds") < space.clock.now():
        raise SlackError("no_such_upload", "This upload address is not known, was used or is too old.")
    space.store.drop("upload", ticket)
    try:
        record = await files.receive(space, promised["file"], chunks, promised["length"])
    except BaseException:
        # An upload that failed may be tried again at the same address.
        space.store.put("upload", ticket, promised)
        raise
    return int(record["size"])
