"""Pictures inside messages: how OpenAI and Vertex write them, and what stands for one in a text; none is opened."""

import re
from collections.abc import Iterator

from trainers.data.hashes import short_hash
from trainers.data.parsing import Refusal

Value = dict[str, object]
INSIDE = re.compile(r"data:image/(?:jpeg|jpg|png|webp);base64,[A-Za-z0-9+/]+={0,2}\Z")
ADDRESS = re.compile(r"(?:https?|gs)://\S+\Z")


def check(part: Value) -> None:
    """Refuse a picture of another shape than {"type": "image_url", "image_url": {"url": ...}}."""
    picture = part.get("image_url")
    url = picture.get("url") if isinstance(picture, dict) else None
    if not isinstance(url, str) or not (INSIDE.match(url) or ADDRESS.match(url)):
        raise Refusal("not_text", "a picture that is neither an address nor JPEG, PNG or WebP in base64")


def pictures(turn: Value) -> Iterator[str]:
    """Yield the address, or the bytes in base64, of each picture or file in a turn of the chat shape."""
    if "parts" not in turn and "vertex_parts" not in turn:
        return
    for part in (*_listed(turn.get("parts")), *_listed(turn.get("vertex_parts"))):
        for key, name in (("image_url", "url"), ("fileData", "fileUri")):
            held = part.get(key)
            if isinstance(held, dict):
                yield str(held.get(name, ""))


def stand_in(url: str) -> str:
    """Return a word of letters that stands for a picture wherever texts are compared."""
    digits = f"{short_hash(url):016x}"
    return "picture " + "".join(chr(ord("g") + int(digit, 16)) for digit in digits)


def _listed(parts: object) -> list[Value]:
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
