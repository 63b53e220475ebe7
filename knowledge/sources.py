"""Reads pages written in Markdown with TOML front matter; it knows a page's parts, not how they are cut or searched."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from knowledge.errors import UserError

GUIDE = Path(__file__).parent / "guide"
ASKED = "asked.jsonl"
"""Beside the pages: for each part of a page questions that it answers, lines of slug, heading and questions."""
_FENCE = "+++"


class SourceError(UserError):
    """A page cannot be read as written."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a page's facts come from."""

    name: str
    """What a reader would call it, for instance "QLoRA paper (Dettmers et al. 2023)"."""
    url: str
    """Address of the source; empty where it has none."""
    no_url: str = ""
    """Why it has none; empty where it has one or the page does not say."""
    as_of: str
    """Day, month or year that the facts are from, as the page writes it; empty where it does not say."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the guide or of a team's own documents."""

    slug: str
    """Name in addresses and links: lower case, no spaces."""
    title: str
    """Heading shown in citations."""
    updated: date
    """Day of the last change of substance; shown beside citations."""
    questions: tuple[str, ...] = ()
    """Questions that this page answers, in users' words; they help the search and are never shown as text."""
    asked: tuple[tuple[str, str], ...] = ()
    """More of them, each with the heading of the part that answers it; "" is the text above the first heading."""
    sources: tuple[Source, ...] = ()
    """What the page relies on."""
    body: str
    """Markdown without the front matter."""

    def __post_init__(self) -> None:
        """Refuse a page that could not be cited."""
        if not self.slug or not self.title.strip():
            raise SourceError(f"The page {self.slug or '(no slug)'} has no slug or no title.", "Add both to its head.")


def anchor(heading: str) -> str:
    """Return the address of a heading inside its page, as in `guide/open-models/#the-families`.

    Lower case, each run of other characters than letters, digits and _ becomes one dash, none at the ends; "top" if
    nothing is left. Passages, links between pages, the built site and links from Slack all use this rule: a changed
    rule breaks links that people have saved.
    """
    return re.sub(r"[^\w]+", "-", heading.lower()).strip("-") or "top"


def load_guide(folder: Path = GUIDE) -> tuple[Page, ...]:
    """Return every page in `folder`, by slug; raise SourceError naming the first file that cannot be read."""
    pages = [parse_page(path.read_text(encoding="utf-8"), name=path.stem) for path in sorted(folder.glob("*.md"))]
    slugs = [page.slug for page in pages]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if twice:
        raise SourceError(f"Two pages have the slug {twice[0]}.", "Give each page its own.")
    asked = _asked(folder / ASKED)
    return tuple(replace(page, asked=asked.get(page.slug, ())) for page in pages)


def parse_page(text: str, *, name: str) -> Page:
    """Return the page in `text`; `name` (the file's stem) is its slug unless the front matter gives one."""
    head, body = _split(text.removeprefix("\ufeff"), name)
    try:
        fields = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"The head of {name} is not valid TOML: {error}.", "Correct it and build again.") from error
    updated = _day(fields.get("updated"))
    if updated is None:
        raise SourceError(f"The head of {name} has no date `updated`.", "Add `updated = 2026-11-22`.")
    return Page(
        slug=str(fields.get("slug", name)),
        title=str(fields.get("title", "")),
        updated=updated,
        questions=tuple(str(question) for question in fields.get("questions", ())),
        sources=tuple(_source(entry) for entry in fields.get("sources", ())),
        body=body.strip(),
    )


def _asked(path: Path) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the questions beside the pages by slug; none where there is no such file."""
    asked: dict[str, tuple[tuple[str, str], ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        part = json.loads(line)
        pairs = tuple((part["heading"], question) for question in part["questions"])
        asked[part["slug"]] = (*asked.get(part["slug"], ()), *pairs)
    return asked


def _split(text: str, name: str) -> tuple[str, str]:
    """Return front matter and body."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FENCE:
        raise SourceError(f"{name} does not start with a line {_FENCE}.", "Put its head between two such lines.")
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == _FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    raise SourceError(f"The head of {name} is not closed.", f"End it with a line {_FENCE}.")


def _source(entry: Mapping[str, Any]) -> Source:
    return Source(**{key: str(entry.get(key, "")) for key in ("name", "url", "no_url", "as_of")})


def _day(value: object) -> date | None:
    """Return a day from a TOML date, a TOML time or text such as 2026-11-22."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None
