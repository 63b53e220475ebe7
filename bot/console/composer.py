"""Turns what a person types into Slack's text and rich_text block. Knows names and marks, not where it is posted."""

import re
from collections.abc import Iterator, Mapping

from bot.console.blocks import normalised
from bot.console.emoji import code_points
from bot.console.wire import Json

SPECIAL = re.compile(r"<(@[UW]\w+|#[CDG]\w+(?:\|[^<>|]*)?|![a-z]+)>|(https?://[^\s<>|]+[^\s<>|.,;:!?)\]}'\"])")
FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
MARKS = {"*": "bold", "_": "italic", "~": "strike", "`": "code"}
FACE = re.compile(r":([\w+'-]{1,100}):(?::skin-tone-([2-6]):)?")
INLINE = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)([^\n]+?)(?<=\S)\1(?![\w*_~`])")


def compose(typed: str, people: Mapping[str, str], rooms: Mapping[str, str] | None = None) -> Json:
    """`text` and `blocks` for what was typed.

    `people` gives user ids by the lower-case names after an @, `rooms` channel ids by the names after a #.
    """
    text = _linked(_channels(_mentions(_broadcasts(typed), people), rooms or {}))
    return {"text": text, "blocks": normalised([{"type": "rich_text", "elements": list(_parts(text))}])}


def escaped(typed: str, people: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """A command's text as Slack sends it where the app asks for escaping: `<@U1|ada>`, `<#C1|general>`.

    `labels` gives for each id of a user or channel the name that stands behind the bar.
    """
    channels = {label: key for key, label in labels.items() if key.startswith("C")}
    text = _linked(_mentions(_bare_channels(typed, channels), people))
    return re.sub(r"<([@#])(\w+)>", lambda found: _labelled(found.group(1), found.group(2), labels), text)


def _labelled(mark: str, key: str, labels: Mapping[str, str]) -> str:
    return f"<{mark}{key}|{labels[key]}>" if key in labels else f"<{mark}{key}>"


def _channels(typed: str, rooms: Mapping[str, str]) -> str:
    """Replace #name by <#id|name>."""
    names = {key: name for name, key in rooms.items()}
    return re.sub(r"<#(\w+)>", lambda found: _labelled("#", found.group(1), names), _bare_channels(typed, rooms))


def _bare_channels(typed: str, rooms: Mapping[str, str]) -> str:
    """Replace #name by <#id>, longest names first."""
    for name in sorted(rooms, key=len, reverse=True):
        typed = re.sub(rf"(?<![\w<#&])#{re.escape(name)}(?![\w-])", f"<#{rooms[name]}>", typed)
    return typed


def _broadcasts(typed: str) -> str:
    """Replace @here, @channel and @everyone, which call many people at once."""
    return re.sub(r"(?<![\w<@])@(here|channel|everyone)\b", r"<!\1>", typed)


def _mentions(typed: str, people: Mapping[str, str]) -> str:
    """Replace @name by <@id>, longest names first."""
    for name in sorted(people, key=len, reverse=True):
        typed = re.sub(rf"(?<![\w<@])@{re.escape(name)}\b", f"<@{people[name]}>", typed, flags=re.IGNORECASE)
    return typed


def _linked(typed: str) -> str:
    """Escape everything but Slack's own entities, and wrap addresses."""
    made, place = [], 0
    for found in SPECIAL.finditer(typed):
        made.append(_escape(typed[place : found.start()]))
        made.append(f"<{found.group(1)}>" if found.group(1) else f"<{_escape(found.group(2))}>")
        place = found.end()
    return "".join([*made, _escape(typed[place:])])


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _parts(text: str) -> Iterator[Json]:
    place = 0
    for found in FENCE.finditer(text):
        yield from _lines(text[place : found.start()].strip("\n"))
        code = [{"type": "text", "text": _plain(found.group(1)) or " "}]
        yield {"type": "rich_text_preformatted", "elements": code}
        place = found.end()
    yield from _lines(text[place:].strip("\n") if place else text)


def _lines(text: str) -> Iterator[Json]:
    """Runs of quoted lines and of others."""
    for run in re.findall(r"(?:^&gt;[^\n]*\n?)+|(?:^(?!&gt;)[^\n]*\n?)+", text, re.MULTILINE):
        quoted = run.startswith("&gt;")
        bare = re.sub(r"^&gt; ?", "", run, flags=re.MULTILINE).rstrip("\n") if quoted else run
        elements = list(_inline(bare))
        if elements:
            yield {"type": "rich_text_quote" if quoted else "rich_text_section", "elements": elements}


def _inline(text: str) -> Iterator[Json]:
    place = 0
    for found in INLINE.finditer(text):
        yield from _tokens(text[place : found.start()], {})
        yield from _tokens(found.group(2), {MARKS[found.group(1)]: True})
        place = found.end()
    yield from _tokens(text[place:], {})


def _faces(text: str, mark: Json) -> Iterator[Json]:
    """Text, with :names: of emoji as elements of their own, but not in code."""
    place = 0
    for found in () if mark.get("style", {}).get("code") else FACE.finditer(text):
        points = code_points().get(found.group(1))
        if points is None:
            continue
        if found.start() > place:
            yield {"type": "text", "text": text[place : found.start()], **mark}
        tone = {"skin_tone": int(found.group(2))} if found.group(2) else {}
        yield {"type": "emoji", "name": found.group(1), "unicode": points, **tone, **mark}
        place = found.end()
    if place < len(text):
        yield {"type": "text", "text": text[place:], **mark}


def _tokens(text: str, style: Mapping[str, bool]) -> Iterator[Json]:
    """Text, mentions and links of one style."""
    mark = {"style": dict(style)} if style else {}
    for piece in re.split(r"(<[^<>]+>)", text):
        if not piece:
            continue
        inner = piece[1:-1] if piece.startswith("<") else ""
        if inner.startswith("@"):
            yield {"type": "user", "user_id": inner[1:], **mark}
        elif inner.startswith("#"):
            yield {"type": "channel", "channel_id": inner[1:].split("|")[0], **mark}
        elif inner.startswith("!"):
            yield {"type": "broadcast", "range": inner[1:], **mark}
        elif inner:
            yield {"type": "link", "url": _plain(inner), **mark}
        else:
            yield from _faces(_plain(piece), mark)
