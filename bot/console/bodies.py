"""Reads what a request carries: body, JSON, credentials. Knows HTTP and its limits, not what a request asks for."""

import base64
import binascii
import json

from starlette.requests import Request

from bot.console.wire import Json, SlackError

BODY_MOST = 4 * 1024 * 1024
"""Bytes of a JSON or form body; files go another way."""


async def read_body(request: Request) -> bytes:
    """The whole body. Raises request_too_large."""
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST:
            raise SlackError("request_too_large")
        parts.append(chunk)
    return b"".join(parts)


def json_object(body: bytes) -> Json:
    """A JSON object. Raises invalid_json or json_not_object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return _mended(value) if b"\\u" in body else value


def _mended(value: Json) -> Json:
    """JSON can spell half a character; it becomes U+FFFD, since neither SQLite nor HTTP can carry it."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    mended: Json = json.loads(text)
    return mended


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
