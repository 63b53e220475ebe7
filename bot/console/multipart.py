"""Streams the bytes of an upload, plain or as a multipart form. Knows encodings, not what the bytes are."""

from collections.abc import AsyncGenerator, AsyncIterator

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from bot.console.limits import limit
from bot.console.wire import SlackError

PIECE = 1 << 16


class TooLargeError(MultiPartException):
    """The form is larger than a file may be."""


class CutOffError(MultiPartException):
    """The client went before the form was all there."""


async def upload_chunks(request: Request) -> AsyncIterator[bytes]:
    """The file's bytes, piece by piece. Raises file_upload_size_restricted where the form is too large."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        async for chunk in request.stream():
            yield chunk
        return
    form = await _spooled(request)
    try:
        for value in form.values():
            if isinstance(value, UploadFile):
                while piece := await value.read(PIECE):
                    yield piece
    finally:
        await form.close()


async def _spooled(request: Request) -> FormData:
    """The form, its file on disk. The parser cleans up after its own kind of exception only."""
    try:
        return await MultiPartParser(request.headers, _counted(request), max_files=1, max_fields=20).parse()
    except TooLargeError:
        raise SlackError("file_upload_size_restricted") from None
    except CutOffError:
        raise SlackError("request_timeout") from None
    except (MultiPartException, KeyError):
        raise SlackError("invalid_form_data") from None


async def _counted(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit("file.bytes") + PIECE:
                raise TooLargeError("too large")
            yield chunk
    except ClientDisconnect:
        raise CutOffError("cut off") from None
