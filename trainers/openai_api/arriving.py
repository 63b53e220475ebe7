"""Knows how a file arrives: counted while it comes, on disk and never in memory, gone if it does not come whole."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import BinaryIO, cast

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from trainers.openai_api.arrivals import Arrival, Arrivals, Crowded, Room
from trainers.openai_api.objects import Sent
from trainers.openai_api.refusals import ApiError, bad, missing, too_large

AROUND = 64 * 1024
"""Bytes that a form may have around its file."""

SECONDS = 3600.0
"""An upload that takes longer is given up."""

DRAIN = 1_100_000_000
"""Bytes that are read and dropped after a refusal: a client that is still sending hears it only then."""

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
"""What OpenAI lets a file be for."""

LEAST_LIFE, MOST_LIFE = 3600, 2_592_000
"""Seconds that `expires_after` may name."""


class _Over(MultiPartException):
    """More came than is taken; the parser's own kind of error, so that it closes what it has written so far."""


class _OnDisk(MultiPartParser):
    """Starlette's parser, with its file in the engine's folder: unlinked at once, so that the system cleans up."""

    folder: Path

    def on_headers_finished(self) -> None:
        """Begin a part; a file's bytes go straight to disk."""
        super().on_headers_finished()
        if self._current_part.file is not None:
            self._current_part.file.file.close()
            kept = tempfile.SpooledTemporaryFile(self.spool_max_size, dir=str(self.folder))  # noqa: SIM115  # with the form
            self._current_part.file.file = cast(BinaryIO, kept)
            self._files_to_close_on_error.append(kept)


@asynccontextmanager
async def sent_in(
    request: Request, folder: Path, limit: int, room: Room, arrivals: Arrivals
) -> AsyncGenerator[Sent, None]:
    """Give the file of an upload, closed afterwards. Raises ApiError; a lost connection raises ClientDisconnect."""
    kind, length = (request.headers.get(name, "") for name in ("content-type", "content-length"))
    if not kind.startswith("multipart/form-data"):
        raise bad("Send the file as multipart/form-data.", None)
    expected = int(length) if length.isdecimal() else 0
    with ExitStack() as under_way:
        try:
            if expected > limit + AROUND:
                raise too_large(limit)
            arrival = under_way.enter_context(arrivals.one(room, max(expected - AROUND, 0)))
        except ApiError:
            await _drain(request.stream())
            raise
        form = await _form(request, folder, limit, arrival)
        try:
            yield _sent(form)
        finally:
            await form.close()


async def _form(request: Request, folder: Path, limit: int, arrival: Arrival) -> FormData:
    parser = _OnDisk(request.headers, _capped(request, limit + AROUND, arrival), max_files=1, max_fields=6)
    parser.folder = folder
    try:
        async with asyncio.timeout(SECONDS):
            return await parser.parse()
    except TimeoutError:
        raise ApiError(408, f"The file did not arrive within {SECONDS:.0f} seconds.", "upload_timeout") from None
    except _Over:
        raise too_large(limit) from None
    except (MultiPartException, KeyError):
        raise bad("We could not parse the form of your request.", None) from None


async def _capped(request: Request, most: int, arrival: Arrival) -> AsyncGenerator[bytes, None]:
    size, stream = 0, request.stream()
    async for block in stream:
        size += len(block)
        try:
            if size > most:
                raise _Over("too large")
            arrival.grow(size - AROUND)
        except (_Over, Crowded):
            await _drain(stream)
            raise
        yield block


async def _drain(stream: AsyncGenerator[bytes, None]) -> None:
    """Read on and drop it, within reason: closing now would reset the connection before the refusal is read."""
    left = DRAIN
    try:
        async with asyncio.timeout(120):
            async for block in stream:
                left -= len(block)
                if left <= 0:
                    return
    except (TimeoutError, ClientDisconnect):
        return


def _sent(form: FormData) -> Sent:
    file, purpose = form.get("file"), form.get("purpose")
    if not isinstance(file, UploadFile):
        raise missing("file")
    if not isinstance(purpose, str) or not purpose:
        raise missing("purpose")
    if purpose not in PURPOSES:
        raise bad(f"'{purpose[:40]}' is not one of {list(PURPOSES)} - 'purpose'", "invalid_value", "purpose")
    name = Path((file.filename or "").replace("\\", "/")).name[:200] or "file"
    return Sent(name, purpose, file.file, file.size or 0, _life(form))


def _life(form: FormData) -> int | None:
    anchor, seconds = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return None
    text = seconds if isinstance(seconds, str) and len(seconds) < len(str(MOST_LIFE)) + 1 else ""
    if anchor != "created_at" or not text.isdecimal() or not LEAST_LIFE <= int(text) <= MOST_LIFE:
        what = f"Invalid 'expires_after': anchor 'created_at' and {LEAST_LIFE} to {MOST_LIFE} seconds."
        raise bad(what, "invalid_value", "expires_after")
    return int(text)
