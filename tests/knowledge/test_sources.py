"""Pages: front matter, dates and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from knowledge.sources import SourceError, load_guide, parse_page

PAGE = """+++
title = "Kettles"
updated = 2026-11-02
questions = ["How hot?"]
sources = [{name = "Kettle weekly", url = "https://example.org/k", as_of = "2026-07"}]
+++
# Kettles

Hot.
"""


def test_page_has_the_parts_of_its_head() -> None:
    """A page's head and body come out as written, and the file's name is its slug."""
    page = parse_page(PAGE, name="kettles")
    assert (page.slug, page.title, page.updated) == ("kettles", "Kettles", date(2026, 11, 2))
    assert page.questions == ("How hot?",)
    assert (page.sources[0].name, page.sources[0].as_of) == ("Kettle weekly", "2026-07")
    assert page.body == "# Kettles\n\nHot."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# No head", "does not start"),
        ('+++\ntitle = "A"\n', "not closed"),
        ("+++\ntitle = A\n+++\n", "not valid TOML"),
        ('+++\ntitle = "A"\n+++\n', "no date"),
        ("+++\nupdated = 2026-11-02\n+++\n", "no title"),
    ],
)
def test_broken_head_is_refused_with_the_reason(text: str, reason: str) -> None:
    """A page that cannot be cited is refused by name, with what is wrong and what to do."""
    with pytest.raises(SourceError, match=reason) as caught:
        parse_page(text, name="kettles")
    assert "kettles" in caught.value.what
    assert caught.value.next_step


def test_two_pages_with_one_slug_are_refused(tmp_path: Path) -> None:
    """Two files cannot claim the same address."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(PAGE.replace("title", 'slug = "k"\ntitle'), encoding="utf-8")
    with pytest.raises(SourceError, match="Two pages"):
        load_guide(tmp_path)


def test_every_page_of_the_guide_reads() -> None:
    """The shipped guide loads, and each page has a title, questions and sources."""
    pages = load_guide()
    assert len(pages) > 20
    assert all(page.title and page.questions and page.sources for page in pages)
