"""Reads what a request carries: body, JSON, credentials. Knows HTTP and its limits, not what a request asks for."""

import base64
import binascii
import re
from collections.abc import AsyncGenerator

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from bot.console.wire import Json, SlackError, parse_json

BODY_MOST = 4 * 1024 * 1024
"""Bytes of a JSON or form body; files go another way."""
CHARSETS = ("utf-8", "utf8", "iso-8859-1")
"""Those that Slack names as valid."""


async def read_body(request: Request) -> bytes:
    """The whole body. Raises request_too_large, or request_timeout where the client went before it was all there."""
    parts, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > BODY_MOST:
                raise SlackError("request_too_large")
            parts.append(chunk)
    except ClientDisconnect:
        raise SlackError("request_timeout") from None
    return b"".join(parts)


def json_object(body: bytes) -> Json:
    """A JSON object. Raises invalid_json or json_not_object."""
    try:
        value = parse_json(body)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value


def content_type(request: Request) -> str:
    """The media type in lower case, without its parameters. Raises invalid_charset."""
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = re.search(r'charset\s*=\s*"?([^";\s]*)', parameters)
    if charset and charset[1] not in CHARSETS:
        raise SlackError("invalid_charset")
    return kind.strip()


async def form_fields(request: Request) -> Json:
    """The text fields of a multipart form. Raises invalid_form_data and what read_body raises."""
    body = await read_body(request)

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parser = MultiPartParser(request.headers, whole(), max_files=20, max_fields=200, max_part_size=BODY_MOST)
        form = await parser.parse()
    except (MultiPartException, KeyError):
        raise SlackError("invalid_form_data") from None
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    await form.close()
    return fields


def bearer(request: Request) -> str:
    """The token of the Authorization header, or an empty string."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def basic(request: Request) -> Json:
    """`client_id` and `client_secret` of a Basic authorization, where there is one."""
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        client, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return {}
    return {"client_id": client, "client_secret": secret}
