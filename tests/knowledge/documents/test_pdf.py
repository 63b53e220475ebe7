"""PDF: pages with their numbers, running lines, hyphens, scans, locks and damage."""

from dataclasses import replace

import pytest

from knowledge.documents.drafts import Unreadable
from knowledge.documents.limits import shipped
from knowledge.documents.paragraphs import paragraphs
from knowledge.documents.pdf import read_pdf
from tests.knowledge.documents.files import locked, pdf

LIMITS = shipped()
WORDS = ("Kettles boil water.", "Teapots keep it.", "Cups hold tea.", "Spoons stir it.", "Saucers catch drops.")


def test_each_page_has_a_heading_with_its_number() -> None:
    """A passage can be cited with its page; title and day come from the file."""
    draft = read_pdf(pdf([["Kettles boil water."], ["Teapots keep it."]], title="Tea manual"), LIMITS)
    assert draft.body == "## Page 1\n\nKettles boil water.\n\n## Page 2\n\nTeapots keep it."
    assert (draft.title, str(draft.updated), draft.notes) == ("Tea manual", "2026-03-04", ())


def test_lines_that_run_through_the_pages_go() -> None:
    """Headers and footers with page numbers are dropped; a line that only two pages share stays."""
    pages = [
        ["Tea manual 2026", *([words] * (1 + (number < 2))), "All hot.", f"{number + 1} of 5"]
        for number, words in enumerate(WORDS)
    ]
    pages[3][2] = pages[4][2] = "Two pages say this."
    body = read_pdf(pdf(pages), LIMITS).body
    assert "Tea manual" not in body
    assert " of 5" not in body
    assert all(words in body for words in WORDS)
    assert body.count("Two pages say this.") == 2


def test_a_word_broken_at_the_end_of_a_line_is_whole_again() -> None:
    """A hyphen that breaks a word goes; one that belongs to the word stays, and lines become a paragraph."""
    lines = [
        "The kettle has a thermo-",
        "stat that was made by Jean-",
        "Luc and works in 2025-",
        "2026 without a fault.",
    ]
    assert (
        paragraphs(lines)
        == "The kettle has a thermostat that was made by Jean-Luc and works in 2025- 2026 without a fault."
    )


def test_lists_and_headings_stay_apart() -> None:
    """A bullet starts a line of its own, and a short line is not drawn into the next paragraph."""
    lines = [
        "Care",
        "Descale the kettle every month, and do it with care.",
        "• vinegar",
        "• lemon",
        "# no heading of ours",
    ]
    assert paragraphs(lines).split("\n\n") == [
        "Care",
        "Descale the kettle every month, and do it with care.",
        "- vinegar\n- lemon",
        "\\# no heading of ours",
    ]


def test_pages_without_text_are_told() -> None:
    """Scanned pages among others are counted in a note."""
    draft = read_pdf(pdf([["Kettles boil water."], [], []], picture=True), LIMITS)
    assert draft.notes == ("2 of 3 pages hold only pictures; run text recognition (OCR) to have them read.",)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (pdf([[], []], picture=True), "only pictures"),
        (pdf([[]]), "only empty pages"),
        (locked(pdf([["Secret."]]), "sesame"), "locked with a password"),
        (locked(pdf([["Secret."]]), "sesame", algorithm="RC4-128"), "locked with a password"),
        (b"%PDF-1.7\n" + b"\x00\xff" * 500, "damaged"),
        (pdf([["Kettles boil water."]])[:300], "damaged"),
    ],
    ids=["pictures", "empty", "locked", "locked with RC4", "noise", "cut off"],
)
def test_a_pdf_without_readable_text_is_refused(content: bytes, what: str) -> None:
    """Each says what is wrong and what to do."""
    with pytest.raises(Unreadable, match=what) as caught:
        read_pdf(content, LIMITS)
    assert caught.value.next_step


def test_a_pdf_that_only_forbids_changes_is_read() -> None:
    """An empty password, AES or not, opens by itself."""
    for algorithm in ("AES-256", "RC4-128"):
        assert "Kettles" in read_pdf(locked(pdf([["Kettles boil water."]]), "", algorithm=algorithm), LIMITS).body


def test_one_broken_page_does_not_spoil_the_rest() -> None:
    """What can be read is read, and the note says what could not."""
    draft = read_pdf(pdf([["Kettles boil water."], ["Lost."], ["Teapots keep it."]], broken=2), LIMITS)
    assert draft.body == "## Page 1\n\nKettles boil water.\n\n## Page 3\n\nTeapots keep it."
    assert draft.notes == ("1 of 3 pages is damaged; I left them out.",)
    with pytest.raises(Unreadable, match="damaged"):
        read_pdf(pdf([["Lost."]], broken=1), LIMITS)


def test_the_limit_of_pages_is_data() -> None:
    """A smaller limit refuses what the shipped one takes."""
    with pytest.raises(Unreadable, match="3 pages; I read up to 2"):
        read_pdf(pdf([["x"]] * 3), replace(LIMITS, pages=2))
