"""A passage as people read it, with the cited sentence found in it."""

import pytest

from knowledge.chunks import chunk_page
from knowledge.reading import page_sources, readable, reading
from knowledge.sentences import sentences
from knowledge.sources import load_guide
from knowledge.tables import Passage

PAGE = """# Memory

QLoRA keeps the base
in **4 bit**; see [sizes](sizes.md).

- a list item
  that goes on
1. one

| Model | GB |
|-------|----|
| 8B    | 6  |

```
a  line
```
"""


def test_markdown_reads_like_a_page() -> None:
    """Lines of a paragraph are joined, list items, table rows and code keep their lines, marks and links go."""
    assert readable(PAGE) == (
        "Memory\n\nQLoRA keeps the base in 4 bit; see sizes.\n\n• a list item that goes on\n1. one\n\n"
        "Model · GB\n8B · 6\n\na  line"
    )


@pytest.mark.parametrize(
    ("quote", "cited"),
    [
        ("QLoRA keeps the base in **4 bit**.", "QLoRA keeps the base in 4 bit"),
        ("a list item that goes on", "a list item that goes on"),
        ("8B: GB 6.", "8B · 6"),
        ("Nothing of this kind stands here.", ""),
        ("", ""),
    ],
)
def test_the_cited_sentence_is_found(quote: str, cited: str) -> None:
    """A sentence is found word by word, a table row by its words, and what is gone is not found."""
    found = reading(PAGE, quote)
    assert found.cited == cited
    assert found.before + found.cited + found.after == readable(PAGE)


def test_every_sentence_of_the_guide_is_found_in_its_passage() -> None:
    """Whatever an answer may quote from the guide can be shown in bold."""
    passages = [chunk.text for page in load_guide() for chunk in chunk_page(page)]
    assert [quote for text in passages for quote in sentences(text) if not reading(text, quote).cited] == []


def test_only_the_guides_pages_name_sources() -> None:
    """A team's own page with the slug of a page of the guide does not borrow its sources."""
    page = next(page for page in load_guide() if page.sources)
    ours = Passage(workspace_id="", collection="guide", slug=page.slug)
    theirs = Passage(workspace_id="T1", collection="guide", slug=page.slug)
    assert (page_sources(ours), page_sources(theirs)) == (page.sources, ())
