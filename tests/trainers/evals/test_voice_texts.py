"""How texts of a brand come out of pastes and files."""

import json
from datetime import date
from pathlib import Path

import pytest

from knowledge.errors import UserError
from trainers.evals.style.voice_texts import read_texts, split_texts

TODAY = date(2026, 11, 30)


def test_lines_of_dashes_divide_texts():
    """Dashes, equals signs and stars stand between texts; a dash inside a line does not."""
    assert split_texts("One - two.\n---\nThree.\n\n===\n***\nFour") == ["One - two.", "Three.", "Four"]
    assert split_texts(" \n---\n ") == []


def test_rows_give_their_answers(tmp_path: Path):
    """Of JSONL the last assistant turn, a completion or a text is taken; marks and breaks stay."""
    rows = [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "A!\n\nB"}]},
        {"prompt": "q", "completion": "C"},
        {"text": "D"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", "utf-8")
    assert read_texts([path], today=TODAY) == ["A!\n\nB", "C", "D"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rows.jsonl", b"{nope", "Line 1 of rows.jsonl is not JSON"),
        ("rows.jsonl", b'{"text": 3}', "Line 1 of rows.jsonl holds no text"),
        ("rows.jsonl", b"[]", "holds no text"),
        ("a.txt", b"\xff\xfe\x00", "not UTF-8"),
        ("a.docx", b"PK\x03\x04broken", "a.docx"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes, says: str):
    """A broken file is refused by name, with the line where there is one."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=says):
        read_texts([path], today=TODAY)


def test_a_missing_file_is_said(tmp_path: Path):
    """A name that leads nowhere is told with what can be given."""
    with pytest.raises(UserError, match="There is no file"):
        read_texts([tmp_path / "none.txt"], today=TODAY)


@pytest.mark.parametrize(("name", "content"), [("empty.txt", ""), ("dashes.md", "---\n\n---\n"), ("rows.jsonl", "\n")])
def test_a_file_without_a_text_is_named(tmp_path: Path, name: str, content: str) -> None:
    """Nothing is quietly made of texts that are not there."""
    (tmp_path / "good.txt").write_text("We answer within a day.")
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=f"{name} holds no text"):
        read_texts([tmp_path / "good.txt", tmp_path / name], today=date(2026, 12, 1))
