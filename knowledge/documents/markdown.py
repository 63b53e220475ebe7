"""Reads Markdown and plain text: front matter, headings of both styles, no HTML that a reader would not see."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from knowledge.documents.characters import clean, one_line
from knowledge.documents.drafts import Draft, day_of

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.{0,300})$", re.MULTILINE)
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})$")
_NOT_A_TITLE = re.compile(r"^\s*(?:[-*+>|#]|\d+[.)]\s|$)")
_HEAD_LIMIT = 16_384
_TAGS = (
    "a abbr address article aside b bdi bdo big blockquote br center cite code dd del details dfn div dl dt em "
    "figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p picture pre q s "
    "samp section small source span strong sub summary sup table tbody td tfoot th thead tr tt u ul var video"
)
# One code span, the start of a comment or of an unseen element, or one tag.
# Here and below each repetition has a bound, so that no input makes the search slow.
_INLINE = re.compile(
    r"(?P<code>`[^`\n]{1,1000}`)|(?P<comment><!--)|<(?P<unseen>script|style)\b[^<>]{0,500}>|"
    rf"</?(?P<tag>{'|'.join(_TAGS.split())})(?P<fields>\s[^<>]{{0,1000}})?/?>",
    re.IGNORECASE,
)
_ALT = re.compile(r"\balt\s{0,3}=\s{0,3}(?:\"([^\"<>]{0,500})\"|'([^'<>]{0,500})')", re.IGNORECASE)
_IMAGE = re.compile(r"!\[([^\[\]\n]{0,500})\](?:\([^()\n]{0,2000}\)|\[[^\[\]\n]{0,100}\])")
_LINK = re.compile(
    r"(?<!!)\[([^\[\]\n]{1,500})\]"
    r"\( ?<?([^()\s<>]{0,2000}(?:\([^()\s<>]{0,200}\)[^()\s<>]{0,200})?)>?(?: [^()\n]{0,300})?\)"
)
_BY_NAME = re.compile(r"(?<!!)\[([^\[\]\n]{1,500})\]\[([^\[\]\n]{0,100})\]")
_DEFINITION = re.compile(
    r"^ {0,3}\[([^\[\]^\n][^\[\]\n]{0,99})\]:[ \t]{1,8}<?(\S{1,2000}?)>?(?:[ \t].{0,300})?$", re.MULTILINE
)
_WEB = re.compile(r"https?://\S+", re.IGNORECASE)


class _Head(NamedTuple):
    fields: dict[str, Any]
    body: str


def read_markdown(text: str) -> Draft:
    """Return Markdown as a draft; what its head says about title, day and questions is taken over."""
    head = _split_head(clean(text))
    parts = list(_parts(head.body))
    names = {
        found[1].casefold(): found[2] for part, fenced in parts if not fenced for found in _DEFINITION.finditer(part)
    }
    body = "\n".join(part if fenced else _rewritten(part, names) for part, fenced in parts)
    questions = head.fields.get("questions")
    return Draft(
        title=one_line(str(head.fields.get("title") or "")) or title_of(body),
        body=body,
        updated=_day(head.fields),
        questions=tuple(one_line(item) for item in questions if isinstance(item, str))
        if isinstance(questions, list)
        else (),
    )


def read_plain(text: str) -> Draft:
    """Return plain text as it is."""
    return Draft(title=title_of(text), body=text)


def title_of(body: str) -> str:
    """Return the first heading; empty where there is none."""
    found = _HEADING.search(body)
    return one_line(found[1].rstrip("# ")) if found else ""


def _split_head(text: str) -> _Head:
    """Return TOML or YAML front matter and what follows; a head that does not parse stays in the text."""
    text = text.lstrip("\n")
    for mark in ("+++", "---"):
        end = text.find(f"\n{mark}", 3, _HEAD_LIMIT) if text.startswith(f"{mark}\n") else -1
        if end < 0 or text[end + 4 : end + 5] not in ("", "\n"):
            continue
        fields = _fields(text[4 : end + 1], mark)
        if fields is not None:
            return _Head(fields, text[end + 4 :])
    return _Head({}, text)


def _fields(head: str, mark: str) -> dict[str, Any] | None:
    if mark == "+++":
        try:
            return tomllib.loads(head)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError):
            return None
    import yaml

    try:
        # The base loader makes texts, lists and mappings only: no dates that overflow, no objects.
        fields = yaml.load(head, Loader=yaml.BaseLoader)  # noqa: S506 - safer than the safe loader, see above
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return {key: value for key, value in fields.items() if isinstance(key, str)} if isinstance(fields, dict) else None


def _day(fields: dict[str, Any]) -> date | None:
    for name in ("updated", "lastmod", "last_modified", "modified", "date"):
        value = fields.get(name)
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if isinstance(value, str) and day_of(value):
            return day_of(value)
    return None


def _parts(body: str) -> Iterator[tuple[str, bool]]:
    """Yield code blocks, which stay as they are, and what stands between them."""
    lines: list[str] = []
    fence = ""
    for line in body.split("\n"):
        found = _FENCE.match(line)
        if found and not fence:
            yield "\n".join(lines), False
            lines, fence = [line], found[1]
        elif found and found[1].startswith(fence) and line.strip() == found[1]:
            yield "\n".join([*lines, line]), True
            lines, fence = [], ""
        else:
            lines.append(line)
    yield "\n".join(lines), bool(fence)


def _rewritten(part: str, names: dict[str, str]) -> str:
    """Return Markdown without unseen HTML, with `#` headings, alt texts for images and web addresses only."""
    text = _IMAGE.sub(r"\1", _visible(part))
    text = _DEFINITION.sub("", text)
    text = _BY_NAME.sub(lambda found: _link(found[1], names.get((found[2] or found[1]).casefold(), "")), text)
    text = _LINK.sub(lambda found: _link(found[1], found[2]), text)
    return _hash_headings(text)


def _link(label: str, address: str) -> str:
    return f"[{label}]({address})" if _WEB.fullmatch(address) else label


def _visible(text: str) -> str:
    """Return text without comments, scripts, styles and tags of HTML; `<!channel>` and `List<T>` are none."""
    kept: list[str] = []
    place = 0
    open_forever: set[str] = set()
    small = text.lower()  # an İ grows when it is made small, so this serves only where the lengths agree
    small = small if len(small) == len(text) else text
    while found := _INLINE.search(text, place):
        kept.append(text[place : found.start()])
        place = found.end()
        end = "-->" if found["comment"] else f"</{found['unseen'].lower()}>" if found["unseen"] else ""
        if found["code"]:
            kept.append(found[0])
        elif end:
            close = -1 if end in open_forever else small.find(end, place)
            if close < 0:  # nothing closes it: it stays as text, and nobody looks again
                open_forever.add(end)
                kept.append(found[0])
            else:
                place = close + len(end)
        else:
            kept.append(_shown(found["tag"].lower(), found["fields"] or ""))
    return "".join((*kept, text[place:]))


def _shown(tag: str, fields: str) -> str:
    """Return what a tag leaves: an image its alt text, a line break a line break."""
    if tag == "img":
        found = _ALT.search(fields)
        return (found[1] or found[2] or "") if found else ""
    return "\n" if tag in ("br", "p", "div", "tr") else ""


def _hash_headings(text: str) -> str:
    """Turn a line that is underlined with = or - into a heading with #, the style that passages are cut at."""
    lines: list[str] = []
    for line in text.split("\n"):
        found = _UNDERLINE.match(line)
        above = lines[-1] if lines else ""
        if found and not _NOT_A_TITLE.match(above) and (len(lines) < 2 or not lines[-2].strip()):
            lines[-1] = f"{'#' if found[1][0] == '=' else '##'} {above.strip()}"
        else:
            lines.append(line)
    return "\n".join(lines)
