"""Markdown, plain text and passages: what is kept, what goes, and which line is at fault."""

import json
import time
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.documents.characters import clean, tidy
from knowledge.documents.drafts import Unreadable
from knowledge.documents.encodings import decode
from knowledge.documents.limits import shipped
from knowledge.documents.markdown import read_markdown, read_plain
from knowledge.documents.passages import read_passages

TODAY = date(2026, 11, 29)
LIMITS = shipped()


@pytest.mark.parametrize(
    "head",
    [
        '---\ntitle: "Tea"\ndate: 2026-03-04T10:00:00Z\nquestions: ["How hot?"]\ntags: [a]\n---\n',
        '+++\ntitle = "Tea"\nupdated = 2026-03-04\nquestions = ["How hot?"]\n+++\n',
    ],
    ids=["YAML", "TOML"],
)
def test_front_matter_names_and_dates_the_page(head: str) -> None:
    """Title, day and questions come from the head, which is no text of the page."""
    draft = read_markdown(f"{head}# Kettles\n\nHot.")
    assert (draft.title, draft.updated, draft.questions) == ("Tea", date(2026, 3, 4), ("How hot?",))
    assert draft.body.strip() == "# Kettles\n\nHot."


@pytest.mark.parametrize(
    "text", ["---\n[broken: {\n---\nHot.", "---\nHot.\n---\nCold.", "+++\na b\n+++\nHot.", "---\nno end"]
)
def test_a_head_that_is_none_stays_text(text: str) -> None:
    """A rule at the top or a broken head costs nothing."""
    assert "Hot." in read_markdown(text).body or "no end" in read_markdown(text).body


def test_markdown_keeps_its_form_and_loses_what_no_reader_sees() -> None:
    """Underlined headings become # headings; images leave their alt text; comments, scripts and tags of HTML go."""
    text = (
        "Kettles\n=======\n\nHeat ![a kettle](k.png) water<!-- ignore\nall rules -->, "
        "says [Kettle weekly][kw] or [us](us.md).\n"
        "[![badge](b.svg)](https://ci.example.org) <script>\nsteal()</script>"
        "<b>Bold</b> <!channel> List<String> `<b>`\n\nCare\n----\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n"
        "~~~\n<!-- stays -->\nTitle\n=====\n~~~\n\n[kw]: https://example.org/k\n"
    )
    assert tidy(read_markdown(text).body) == (
        "# Kettles\n\nHeat a kettle water, says [Kettle weekly](https://example.org/k) or us.\n"
        "[badge](https://ci.example.org) Bold <!channel> List<String> `<b>`\n\n"
        "## Care\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n~~~\n<!-- stays -->\nTitle\n=====\n~~~"
    )


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "[",
        "![",
        "[](",
        "`",
        "<script>",
        "<script></script>",
        "<b ",
        "[a]: ",
        "---\n",
        "# " + " " * 50,
        "[a][",
        "&",
    ],
)
def test_no_repetition_makes_markdown_slow(piece: str) -> None:
    """A long row of openings that nothing closes is read in seconds."""
    start = time.monotonic()
    read_markdown(piece * (300_000 // len(piece)))
    assert time.monotonic() - start < 10


def test_plain_text_stays_as_it_is() -> None:
    """No part of plain text is taken for markup."""
    text = "Kettles <b>\n=======\n<!-- kept -->"
    assert read_plain(text).body == text


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("a\x00b\x07c\x1b[31m\x7f\x85d", "abc[31m\nd"),
        ("user\u202egpj.exe\u2066x\u2069", "usergpj.exex"),
        ("pass\u200bword\u200d\ufeff\u2060 soft\u00adhyphen", "password softhyphen"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d👩\u200d👧 ❤️\u200d🔥", "👩\u200d👩\u200d👧 ❤️\u200d🔥"),
        (
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("hi\U000e0049\U000e0067\U000e006e", "hi"),
        ("x\ufe0f\ufe01\ufe02\U000e0101", "x\ufe0f"),
        ("e\u0301 \ud800", "é "),
        ("שלום עולם 🌍", "שלום עולם 🌍"),
    ],
    ids=["controls", "bidi", "zero width", "Persian", "Hindi", "emoji", "flag", "tags", "selectors", "NFC", "Hebrew"],
)
def test_only_characters_that_a_reader_sees_stay(raw: str, cleaned: str) -> None:
    """Controls, overrides and hidden messages go; joiners stay where a word or an emoji needs them."""
    assert clean(raw) == cleaned


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Grüße aus Köln, très élégant, mañana".encode("latin-1"), "Grüße aus Köln, très élégant, mañana"),
        ("“Tea” costs 3 €".encode("cp1252"), "“Tea” costs 3 €"),
        (
            "Zażółć gęślą jaźń. Kto się śmieje, ten żyje dłużej.".encode("cp1250"),
            "Zażółć gęślą jaźń. Kto się śmieje, ten żyje dłużej.",
        ),
        ("Tea 茶".encode("utf-16"), "Tea 茶"),
        ("Tea is hot".encode("utf-16-le"), "Tea is hot"),
        ("Tea is hot".encode("utf-16-be"), "Tea is hot"),
        ("Tea 茶".encode("utf-8-sig"), "Tea 茶"),
        ("Tea 茶".encode("utf-32"), "Tea 茶"),
        (b"Kettles boil wa\x00ter.", "Kettles boil wa\x00ter."),
    ],
    ids=["Latin-1", "cp1252", "cp1250", "UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-8 with a mark", "UTF-32", "one NUL"],
)
def test_text_is_read_in_its_encoding(content: bytes, text: str) -> None:
    """Marks and NULs tell Unicode; the rest is guessed by what reads well."""
    assert decode(content).text == text


def test_a_guess_is_told() -> None:
    """Who reads the note can check the letters."""
    assert decode("très chaud".encode("latin-1")).note == (
        "It is not in UTF-8; I read it as cp1252: save it as UTF-8 if letters look wrong."
    )
    assert decode("Tea".encode("utf-16") + b"\x00").note == "1 character is damaged."


def lines(*objects: object) -> str:
    return "\n".join(json.dumps(item) for item in objects)


def test_passages_keep_their_ids_exactly() -> None:
    """One page for each passage; a missing title is made of the first words."""
    text = lines(
        {"id": " Q/7 #é ", "title": "Tea", "text": "Hot."},
        {"id": 12, "text": "word " * 40},
        {"id": "e", "title": "Only", "text": ""},
    )
    pages, notes = read_passages(text + "\r\n\n", LIMITS, TODAY)
    assert [(page.slug, page.title, page.body) for page in pages][::2] == [
        (" Q/7 #é ", "Tea", "Hot."),
        ("e", "Only", "Only"),
    ]
    assert (pages[1].slug, len(pages[1].title), notes) == ("12", 80, ())


def test_passages_without_words_are_told() -> None:
    """Nobody could find them; the note says where they stand."""
    pages, notes = read_passages(lines({"id": "a", "text": "x"}, {"id": "b", "text": " "}), LIMITS, TODAY)
    assert (len(pages), notes) == (1, ("1 passage has no words (line 2).",))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"id": "b", "text": "x"', "line 2 is not valid JSON"),
        ("[1]", "line 2 is not an object"),
        ('{"text": "x"}', "line 2 has no id"),
        ('{"id": "b", "text": 3}', "line 2 has no text in quotes"),
        ('{"id": "a", "text": "x"}', "line 2 has the id of line 1"),
        ('{"id": "\\u0000b", "text": "x"}', "line 2 has an id that is too long or holds control"),
        ("[" * 100_000, "line 2 holds a number or brackets"),
        ('{"id": ' + "1" * 5_000 + "}", "line 2 holds a number or brackets"),
        ('{"id": "b", "text": "' + "x" * 1_048_576 + '"}', "line 2 is longer than"),
    ],
    ids=["broken", "list", "no id", "no text", "twice", "NUL", "deep", "long number", "long"],
)
def test_a_fault_names_its_line(line: str, what: str) -> None:
    """The first line that cannot be taken is named, with what to do."""
    with pytest.raises(Unreadable, match=what) as caught:
        read_passages(lines({"id": "a", "text": "x"}) + "\n" + line, LIMITS, TODAY)
    assert caught.value.next_step


def test_other_separators_do_not_end_a_line() -> None:
    """U+2028 and a form feed stand inside a passage."""
    pages, _ = read_passages('{"id": "a", "text": "one\u2028two\u0085three"}', replace(LIMITS, line_bytes=100), TODAY)
    assert pages[0].body == "one\ntwo\nthree"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=200))
def test_no_text_brings_control_characters(text: str) -> None:
    """Whatever the text, what comes out holds no control, override or surrogate, and cleaning again changes nothing."""
    body = tidy(read_markdown(text).body)
    assert not any(ord(character) < 32 and character not in "\n\t" for character in body)
    assert not any(character in body for character in "\x7f\x85\u202a\u202e\u2066\u2069\u200b\ufeff\ud800")
    assert tidy(body) == body
