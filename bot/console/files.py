"""Uploaded files: their objects, their bytes on disk, their addresses. Knows nothing of messages or methods."""

import mimetypes
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from bot.console.limits import limit
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

INLINE = frozenset({"image/png", "image/jpeg", "image/gif"})
"""Types that a browser may show; everything else is only ever downloaded."""
TYPES = {
    "jsonl": ("jsonl", "JSONL", "application/jsonl"),
    "json": ("json", "JSON", "application/json"),
    "csv": ("csv", "CSV", "text/csv"),
    "txt": ("text", "Plain Text", "text/plain"),
    "md": ("markdown", "Markdown", "text/markdown"),
    "png": ("png", "PNG", "image/png"),
    "jpg": ("jpg", "JPEG", "image/jpeg"),
    "jpeg": ("jpg", "JPEG", "image/jpeg"),
    "gif": ("gif", "GIF", "image/gif"),
    "pdf": ("pdf", "PDF", "application/pdf"),
    "zip": ("zip", "Zip", "application/zip"),
}
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
PREVIEW = 2000


def new_file(space: Workspace, name: str, user: str, *, title: str = "", alt_txt: str = "") -> Json:
    """Make a file record that has no bytes yet; gives the stored object."""
    file_id = space.clock.id("F")
    safe = re.sub(r"[\x00-\x1f/\\]", "_", name).strip() or "file"
    kind, pretty, mimetype = _type_of(safe)
    created = int(space.clock.now())
    bot = {"bot_id": space.who.bot_id, "app_id": space.who.app_id} if user == space.who.bot_user else {}
    file = {
        "id": file_id,
        "created": created,
        "timestamp": created,
        "name": safe,
        "title": title or safe,
        "mimetype": mimetype,
        "filetype": kind,
        "pretty_type": pretty,
        "user": user,
        "user_team": space.who.team_id,
        "editable": False,
        "size": 0,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        **({"alt_txt": alt_txt} if alt_txt else {}),
        **bot,
        "channels": [],
        "groups": [],
        "ims": [],
        "shares": {},
        "comments_count": 0,
        "file_access": "visible",
    }
    space.store.put("file", file_id, {**file, "state": "waiting"})
    return file


def path_of(space: Workspace, file_id: str) -> Path:
    """Where the bytes are."""
    return space.folder / "files" / file_id


async def receive(space: Workspace, file_id: str, chunks: AsyncIterator[bytes]) -> Json:
    """Stream bytes to disk, counting. Raises file_upload_size_restricted over the cap; nothing is kept then."""
    path = path_of(space, file_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, size = path.with_suffix(".part"), 0
    try:
        with partial.open("wb") as out:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit("file.bytes"):
                    raise SlackError("file_upload_size_restricted")
                out.write(chunk)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    record = space.store.get("file", file_id) or {}
    with path.open("rb") as handle:
        head = handle.read(PREVIEW * 4)
    record.update(_content_facts(record, head), size=size, state="received")
    space.store.put("file", file_id, record)
    return record


def find(space: Workspace, file_id: str) -> Json:
    """A finished file's object with its addresses. Raises file_not_found."""
    record = space.store.get("file", file_id)
    if record is None or record["state"] == "waiting":
        raise SlackError("file_not_found")
    return _public(space, record)


def share(space: Workspace, file_id: str, channel: Json, ts: str, thread_ts: str | None) -> None:
    """Record that a file was shown in a channel."""
    record = space.store.get("file", file_id) or {}
    where = "ims" if channel.get("is_im") else "channels"
    if channel["id"] not in record[where]:
        record[where] = [*record[where], channel["id"]]
    scope = "private" if channel.get("is_im") else "public"
    entry = {"ts": ts, "channel_name": channel.get("name", ""), "team_id": space.who.team_id}
    entry.update({"thread_ts": thread_ts} if thread_ts else {})
    record["shares"].setdefault(scope, {}).setdefault(channel["id"], []).append(entry)
    record["is_public"] = scope == "public" or record["is_public"]
    space.store.put("file", file_id, record)


def hydrate(space: Workspace, body: Json) -> Json:
    """A message with whole file objects in place of file ids, without what only this Slack needs."""
    message = {key: value for key, value in body.items() if key != "file_ids" and not key.startswith("_")}
    if "file_ids" not in body:
        return message
    records = [(file_id, space.store.get("file", file_id)) for file_id in body["file_ids"]]
    message["files"] = [
        _public(space, record) if record else {"id": file_id, "mode": "tombstone"} for file_id, record in records
    ]
    return message


def _public(space: Workspace, record: Json) -> Json:
    base = f"{space.settings.address}/files-pri/{space.who.team_id}-{record['id']}"
    name = quote(record["name"], safe="")
    urls = {
        "url_private": f"{base}/{name}",
        "url_private_download": f"{base}/download/{name}",
        "permalink": f"{space.settings.address}/files/{record['user']}/{record['id']}/{name}",
    }
    return {**{key: value for key, value in record.items() if key != "state"}, **urls}


def _type_of(name: str) -> tuple[str, str, str]:
    suffix = Path(name).suffix.lower().lstrip(".")
    if suffix in TYPES:
        return TYPES[suffix]
    guess = mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"
    return suffix or "binary", suffix.upper() or "Binary", guess


def _content_facts(record: Json, head: bytes) -> Json:
    """Trust bytes over names: a picture is one only if it begins like one; text gets a preview."""
    real = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)
    if real or record["mimetype"] in INLINE:
        return {"mimetype": real or "application/octet-stream"}
    if b"\x00" in head:
        return {}
    text = head.decode("utf-8", "ignore")[:PREVIEW]
    return {"preview": text, "preview_is_truncated": len(head) > len(text.encode())}
