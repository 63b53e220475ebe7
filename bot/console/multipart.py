"""Streams the bytes of an upload, plain or as a multipart form. Knows encodings, not what the bytes are."""

from collections.abc import AsyncIterator

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from bot.console.limits import limit
from bot.console.wire import SlackError

PIECE = 1 << 16


async def upload_chunks(request: Request) -> AsyncIterator[bytes]:
    """The file's bytes, piece by piece. Raises file_upload_size_restricted where the form says too much."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        async for chunk in request.stream():
            yield chunk
        return
    _check_length(request)
    try:
        async with request.form(max_files=1, max_fields=20) as form:
            for value in form.values():
                if isinstance(value, UploadFile):
                    while piece := await value.read(PIECE):
                        yield piece
    except MultiPartException:
        raise SlackError("invalid_form_data") from None


def _check_length(request: Request) -> None:
    """A form is spooled to disk before it can be read, so its declared length is checked first."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > limit("file.bytes") + PIECE:
        raise SlackError("file_upload_size_restricted")
