"""Turns HTML into Markdown: what a reader of the page would see, without its chrome; it fetches nothing.

lxml calls a writer at each tag instead of building a tree, so time and memory grow with the page's length only,
however deep its tags are nested.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from knowledge.documents.blocks import Blocks
from knowledge.documents.characters import clean, one_line
from knowledge.documents.drafts import Draft, day_of
from knowledge.documents.encodings import declared_encoding, decode

_SKIPPED = re.compile(
    r"script|style|nav|noscript|template|svg|canvas|iframe|frame|frameset|object|embed|applet|audio|video|map|button|"
    r"select|input|textarea|datalist|dialog|menu"
)
_BLOCKS = re.compile(
    r"address|article|aside|body|caption|center|details|div|dt|fieldset|figcaption|figure|footer|form|header|hgroup|hr|"
    r"html|legend|main|p|section|summary|tbody|tfoot|thead"
)
_CODE = frozenset(("code", "kbd", "samp", "tt"))
_UNSEEN_CLASSES = frozenset(("sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text"))
_UNSEEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0+(?:\.0*)?(?:[a-z]{1,4}|%)?\s*(?:[;!]|$)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s<>\"\\^`{}|]{1,2000}", re.IGNORECASE)
_DATES = (
    "article:modified_time",
    "og:updated_time",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
    "modified",
)
_ANCHORS = frozenset(("#", "¶", "§", "🔗", ""))
_MARK = re.compile(r"[\[(]?(?:\d{1,4}|[a-z]|edit|[\^↑↩]\ufe0e?)[\])]?")
_SPACE = re.compile(r"\s+")
_STEP = 65_536


def read_web_page(content: bytes) -> Draft:
    """Return an HTML page as a draft; raise Unreadable where it is no text."""
    decoded = decode(content, declared=declared_encoding(content))
    draft = draft_of(decoded.text)
    return draft._replace(notes=(decoded.note,) if decoded.note else ())


def draft_of(html: str) -> Draft:
    """Return what `html` shows as Markdown, with its title and the day of its last change."""
    from lxml import etree

    writer = Writer()
    parser = etree.HTMLParser(target=writer, encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    data = clean(html).encode("utf-8")
    for start in range(0, max(len(data), 1), _STEP):
        parser.feed(data[start : start + _STEP])
    parser.close()
    return writer.draft()


class _Link(NamedTuple):
    start: int
    """Place in the line where its text starts."""
    address: str


class Writer:
    """What lxml tells about a page, written down as Markdown."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._blocks = Blocks()
        self._skipping = 0
        """Open tags from the one whose content is not shown."""
        self._links: list[_Link] = []
        self._in_title = False
        self._title = ""
        self._updated = ""
        self._code = 0
        self._openers = _openers(self._blocks) | {
            "meta": self._meta,
            "title": self._open_title,
            "img": self._image,
            "a": self._open_link,
        }
        self._closers = _closers(self._blocks) | {"title": self._close_title, "a": self._close_link}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        if self._skipping or _SKIPPED.fullmatch(tag) or _unseen(attributes):
            self._skipping += 1
        elif tag in _CODE:
            self._code += 1
            if self._code == 1:
                self._blocks.open_code()
        elif tag in self._openers:
            self._openers[tag](attributes)
        elif _BLOCKS.fullmatch(tag):
            self._blocks.flush()
            if tag == "main" or attributes.get("role") == "main":
                self._blocks.open_main()

    def end(self, tag: str) -> None:
        """Close an element."""
        if self._skipping:
            self._skipping -= 1
        elif tag in _CODE:
            self._code -= 1
            if self._code == 0:
                self._blocks.close_code()
        elif tag in self._closers:
            self._closers[tag]()
        elif _BLOCKS.fullmatch(tag):
            self._blocks.flush()
            if tag == "main":
                self._blocks.close_main()

    def data(self, text: str) -> None:
        """Take text."""
        if self._skipping:
            return
        if self._in_title:
            self._title += text
        else:
            self._blocks.write(text)

    def close(self) -> None:
        """End the page."""

    def draft(self) -> Draft:
        """Return what was written."""
        heading, body = self._blocks.finish()
        return Draft(title=one_line(heading or self._title), body=body, updated=day_of(self._updated))

    def _meta(self, attributes: Mapping[str, str]) -> None:
        name = (attributes.get("property") or attributes.get("name") or attributes.get("http-equiv") or "").lower()
        if name in _DATES and not self._updated:
            self._updated = attributes.get("content") or ""

    def _open_title(self, _: Mapping[str, str]) -> None:
        self._in_title = not self._title

    def _close_title(self) -> None:
        self._in_title = False

    def _image(self, attributes: Mapping[str, str]) -> None:
        self.data(f" {one_line(attributes.get('alt') or '')} ")

    def _open_link(self, attributes: Mapping[str, str]) -> None:
        self._links.append(_Link(self._blocks.here(), attributes.get("href") or ""))

    def _close_link(self) -> None:
        """Keep the text, and the address if it is one of the web; signs that only lead around the page go."""
        if not self._links:
            return
        link = self._links.pop()
        text = self._blocks.take_from(link.start)
        if text is None:  # the link held whole blocks, which are written already
            return
        shown = _SPACE.sub(" ", text).strip()
        inside = link.address.startswith("#")
        if shown in _ANCHORS or (inside and _MARK.fullmatch(shown)):
            return
        address = link.address.strip()
        if _ADDRESS.fullmatch(address) and shown != address and not self._code:
            label = shown.replace("[", "(").replace("]", ")")
            target = address.replace("(", "%28").replace(")", "%29")
            text = text.replace(text.strip(), f"[{label}]({target})", 1)
        self._blocks.put(text)


def _unseen(attributes: Mapping[str, str]) -> bool:
    """Say whether a browser would not show the element."""
    if not attributes:
        return False
    hidden = attributes.get("hidden")
    return (
        (hidden is not None and hidden != "until-found")
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") == "navigation"
        or bool(_UNSEEN_STYLE.search((attributes.get("style") or "")[:2000]))
        or not _UNSEEN_CLASSES.isdisjoint((attributes.get("class") or "")[:2000].split())
    )


def _openers(blocks: Blocks) -> dict[str, Callable[[Mapping[str, str]], None]]:
    """Return what the start of each element does to the layout."""
    headings = {f"h{level}": partial(_heading, blocks, level) for level in range(1, 7)}
    return headings | {
        "br": lambda _: blocks.line_break(),
        "ul": lambda _: blocks.open_list(None),
        "dl": lambda _: blocks.open_list(None),
        "ol": lambda attributes: blocks.open_list(_first(attributes)),
        "li": lambda _: blocks.open_item(),
        "dd": lambda _: blocks.open_item(),
        "blockquote": lambda _: blocks.open_quote(),
        "pre": lambda attributes: blocks.open_pre(_language(attributes)),
        "table": lambda _: blocks.open_table(),
        "tr": lambda _: blocks.open_row(),
        "td": lambda _: blocks.open_cell(),
        "th": lambda _: blocks.open_cell(),
    }


def _closers(blocks: Blocks) -> dict[str, Callable[[], None]]:
    """Return what the end of each element does to the layout."""
    return dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), blocks.close_heading) | {
        "ul": blocks.close_list,
        "dl": blocks.close_list,
        "ol": blocks.close_list,
        "li": blocks.close_item,
        "dd": blocks.close_item,
        "blockquote": blocks.close_quote,
        "pre": blocks.close_pre,
        "table": blocks.close_table,
        "td": blocks.close_cell,
        "th": blocks.close_cell,
    }


def _heading(blocks: Blocks, level: int, _: Mapping[str, str]) -> None:
    blocks.open_heading(level)


def _first(attributes: Mapping[str, str]) -> int:
    """Return the first number of a list."""
    start = attributes.get("start") or ""
    return int(start) if re.fullmatch(r"[0-9]{1,6}", start) else 1


def _language(attributes: Mapping[str, str]) -> str:
    found = re.search(r"\b(?:language|lang|highlight|brush)[-:]([\w+#-]{1,20})", (attributes.get("class") or "")[:500])
    return found[1] if found else ""
