"""Passages: headings, lengths, ids, hashes and questions; and the sentences inside them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunks import LENGTH, OVERLAP, chunk_page
from knowledge.keywords import terms
from knowledge.sentences import sentences, split_sentences
from knowledge.sources import Page, load_guide

BODY = """# Kettles

Kettles boil water.

## Steel

Steel kettles are [heavy](weight.md).

```
# not a heading
  indented
```

### Care

Wipe it dry.

## Glass

Glass kettles break.
"""


def page(body: str, questions: tuple[str, ...] = ()) -> Page:
    return Page(slug="kettles", title="Kettles", updated=date(2026, 11, 2), questions=questions, body=body)


def test_passages_follow_the_headings() -> None:
    """Each passage carries the path of headings above it, and a # in a code block starts nothing."""
    chunks = chunk_page(page(BODY))
    assert [chunk.heading for chunk in chunks] == ["", "Steel", "Steel > Care", "Glass"]
    assert "# not a heading\n  indented" in chunks[1].text
    assert chunks[2].search_text.startswith("Kettles > Steel > Care\n")


def test_search_text_has_no_link_addresses() -> None:
    """Link addresses are not searched; the text as shown keeps them."""
    steel = chunk_page(page(BODY))[1]
    assert "weight.md" in steel.text
    assert "weight.md" not in steel.search_text
    assert "heavy" in steel.search_text


def test_id_survives_a_change_elsewhere_and_hash_tells_a_change() -> None:
    """Editing one section changes that passage's hash only; no id changes."""
    before = {chunk.id: chunk.content_hash for chunk in chunk_page(page(BODY))}
    after = {chunk.id: chunk.content_hash for chunk in chunk_page(page(BODY.replace("break", "shatter")))}
    assert before.keys() == after.keys()
    assert [key for key in before if before[key] != after[key]] == ["kettles#glass-0"]


def test_question_goes_to_the_passage_that_shares_its_words() -> None:
    """A question from the head is indexed with the passage that answers it."""
    chunks = chunk_page(page(BODY, ("Do glass kettles break?", "How do I care for steel?")))
    assert [chunk.questions for chunk in chunks] == [
        (),
        (),
        ("How do I care for steel?",),
        ("Do glass kettles break?",),
    ]


@given(st.lists(st.text(alphabet="ab .\n|-", max_size=400), max_size=12))
def test_long_text_is_cut_but_never_lost(parts: list[str]) -> None:
    """Whatever the text, passages stay within the length and every word is in one of them."""
    body = "\n\n".join(parts)
    chunks = chunk_page(page(body))
    assert all(0 < len(chunk.text) <= LENGTH for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    kept = "\n".join(chunk.text for chunk in chunks)
    assert set(body.split()) <= set(kept.split()) or max(map(len, body.split())) > OVERLAP


def test_neighbours_within_a_section_overlap() -> None:
    """A long section is cut at sentences, and neighbours share some text so that no thought is cut in two."""
    body = " ".join(f"Sentence number {n} says something about kettles." for n in range(60))
    first, second, *_ = chunk_page(page(body))
    assert first.text.endswith(".")
    assert second.text.startswith("Sentence")
    assert second.text.split(". ")[0] in first.text


def test_every_passage_of_the_guide_fits_the_embedder() -> None:
    """No passage of the shipped guide is longer than what the embedding model reads (256 tokens, 6 characters each)."""
    longest = max(len(chunk.text) for each in load_guide() for chunk in chunk_page(each))
    assert longest <= LENGTH


def test_sentences_leave_out_marks_code_headings_and_pointers() -> None:
    """Sentences read as prose: no list marks, code, headings or "see [page]"."""
    text = "# H\n\nOne is e.g. 3.5 GB. Two; see [B](b.md).\n\n- item (see [C](c.md))\n\n```\nx\n```\nSee [D](d.md).\n"
    assert sentences(text) == ["One is e.g. 3.5 GB.", "Two.", "item"]


def test_table_rows_become_sentences_with_their_column_names() -> None:
    """A table row can be quoted: it names its columns."""
    table = "| Model | QLoRA | LoRA |\n|---|---|---|\n| 8B | 6 GB | 16 GB |\n"
    assert sentences(table) == ["8B: QLoRA 6 GB; LoRA 16 GB."]


@given(st.text(max_size=300))
def test_splitting_sentences_loses_no_word(text: str) -> None:
    """Sentences put together again hold the same words."""
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fine-tuning", "finetuned"),
        ("Fine tuning", "fine‑tune"),
        ("retrieval-augmented generation", "RAG"),
        ("VRAM", "GPU memory"),
        ("4 bit", "4-bit"),
        ("an LLM", "language models"),
    ],
)
def test_spellings_of_one_term_meet(one: str, other: str) -> None:
    """Spellings that people mix up are one term for the search."""
    assert terms(one) == terms(other)


def test_words_that_say_nothing_are_no_terms() -> None:
    """A question of small words has nothing to search for."""
    assert terms("What is it, and how do I use that?") == []
