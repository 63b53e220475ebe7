"""What a file is, by its name and its first bytes: type, preview, size of a picture. Knows no shares."""

import mimetypes
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.console.wire import Json

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
HEAD = PREVIEW * 4
"""Bytes from which all facts come."""
FILTERS: Mapping[str, Callable[[Json], bool]] = {
    "images": lambda file: str(file["mimetype"]).startswith("image/"),
    "snippets": lambda file: file["mode"] == "snippet",
    "zips": lambda file: file["filetype"] == "zip",
    "pdfs": lambda file: file["filetype"] == "pdf",
    "spaces": lambda file: file["mode"] in ("space", "post"),
    "canvases": lambda file: file["mode"] == "quip",
    "lists": lambda file: file["mode"] == "list",
    "gdocs": lambda file: file["external_type"] == "gdrive",
    "all": lambda file: True,
}
"""What the argument `types` of files.list may name; this local Slack has no canvases, lists or Google files."""


def type_of(name: str) -> tuple[str, str, str]:
    """(filetype, pretty_type, mimetype) by a file's name."""
    suffix = Path(name).suffix.lower().lstrip(".")
    if suffix in TYPES:
        return TYPES[suffix]
    guess = mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"
    return suffix or "binary", suffix.upper() or "Binary", guess


def content_facts(record: Json, head: bytes, lines: int) -> Json:
    """Trust bytes over names: a picture is one only if it begins like one; text gets a preview."""
    real = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)
    if real or record["mimetype"] in INLINE:
        return {"mimetype": real or "application/octet-stream", **_dimensions(head)}
    if b"\x00" in head:
        return {}
    text = head.decode("utf-8", "ignore")[:PREVIEW]
    facts: Json = {"preview": text, "preview_is_truncated": len(head) > len(text.encode())}
    if record["mode"] == "snippet":
        shown = text.count("\n") + 1
        facts |= {"preview_highlight": "", "lines": lines, "lines_more": max(0, lines - shown)}
    return facts


def _dimensions(head: bytes) -> Json:
    """Width and height of a PNG or GIF, where the bytes say them."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
    elif head.startswith(b"GIF8") and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
    else:
        return {}
    return {"original_w": width, "original_h": height}
