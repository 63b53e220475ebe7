"""What can be mended without guessing is mended in a copy; the file itself and what is doubtful stay as they are."""

import json
from pathlib import Path

import pytest

from knowledge.errors import UserError
from trainers.data.jsonl import read_rows
from trainers.data.mending import mend, mended_name


def row(user: str, assistant: str = "ok", role: str = "user") -> bytes:
    turns = [{"role": role, "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": turns}).encode()


def test_each_mend_is_told_with_its_lines(tmp_path: Path) -> None:
    """Line ends, white space, roles, last commas, raw tabs, joined rows and copies; what is left is copied."""
    path = tmp_path / "rows.jsonl"
    lines = [
        b"\xef\xbb\xbf" + row("one") + b"\r",
        b"  " + row("two"),
        row("three", role="Human"),
        row("four")[:-1] + b",}",
        row("five").replace(b"five", b"fi\tve"),
        row("six") + row("seven"),
        b"",
        row("one"),
        b"{broken",
    ]
    before = b"\n".join(lines)
    path.write_bytes(before)
    done = mend(path, marked=False)
    assert path.read_bytes() == before
    assert {name: list(spots) for name, spots in done.changes.items()} == {
        "byte_order_mark": [1],
        "line_ends": [1],
        "white_space": [2],
        "roles": [3],
        "last_commas": [4],
        "control_characters": [5],
        "joined_rows": [6],
        "blank_lines": [7],
        "duplicates": [8],
    }
    reading = read_rows(done.path)
    assert [r.prompt for r in reading.rows] == ["one", "two", "three", "four", "fi\tve", "six", "seven"]
    assert {turn.role for r in reading.rows for turn in r.messages} == {"user", "assistant"}
    assert (done.rows, done.left) == (8, 1)
    assert "1 line: roles spelled as chat models know them (line 3)." in done.sentences(marked=False)


def test_rows_out_of_a_list_and_answers_with_white_space_are_mended(tmp_path: Path) -> None:
    """A comma after a row goes, and so does what follows an answer; a question keeps its white space."""
    row = '{"messages": [{"role": "user", "content": " hi "}, {"role": "assistant", "content": " returns "}]}'
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{row.replace('hi', 'ho')}\n{row},\n", "utf-8")
    mended = mend(path, marked=False)
    assert mended.left == 0
    assert list(mended.changes["commas_after"]) == [2]
    assert list(mended.changes["answers"]) == [1, 2]
    rows = [json.loads(line)["messages"] for line in mended.path.read_text("utf-8").splitlines()]
    assert [(turns[0]["content"], turns[1]["content"]) for turns in rows] == [
        (" ho ", " returns"),
        (" hi ", " returns"),
    ]


def test_wide_text_and_lists_become_rows(tmp_path: Path) -> None:
    """UTF-16 is written as UTF-8, one JSON list is spread, and Azure's byte order mark is added."""
    wide, spread = tmp_path / "wide.jsonl", tmp_path / "list.jsonl"
    wide.write_bytes((row("Größe").decode() + "\n" + row("b").decode()).encode("utf-16"))
    spread.write_bytes(b"[" + row("a") + b",\n" + row("b") + b"]")
    assert len(read_rows(mend(wide, marked=False).path).rows) == 2
    done = mend(spread, marked=True)
    assert done.path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(read_rows(done.path).rows) == 2


def test_a_line_over_the_cap_is_copied_whole(tmp_path: Path) -> None:
    """What is too long to be looked at is not cut in two: it stands in the copy byte for byte, and counts as left."""
    path = tmp_path / "rows.jsonl"
    for end in (b"\n", b""):
        long = row("x" * 1_600_000)
        path.write_bytes(row("one") + b"\r\n" + row("two", role="Human") + b"\n" + long + end)
        done = mend(path, marked=False)
        lines = done.path.read_bytes().split(b"\n")
        assert (lines[2], lines[3:], done.left, done.rows) == (long, [b""], 1, 3)
        assert list(done.from_lines) == [1, 2, 3]
        done.path.unlink()


def test_how_far_an_answer_is_indented_is_part_of_it(tmp_path: Path) -> None:
    """Code keeps the spaces of its first line; blank lines before it and white space behind it go."""
    path = tmp_path / "rows.jsonl"
    said = ["    def f():\n        return 1", "\n \n    x = 1 \n", "plain"]
    path.write_bytes(b"\n".join(row(f"Write {n}", text) for n, text in enumerate(said)))
    done = mend(path, marked=False)
    assert [each.target for each in read_rows(done.path).rows] == [said[0], "    x = 1", "plain"]
    assert list(done.changes["answers"]) == [2]


def test_rows_of_a_list_are_counted_one_by_one(tmp_path: Path) -> None:
    """In one JSON list each change has the number of its row, and so has each row that is written."""
    path = tmp_path / "rows.json"
    path.write_bytes(b"[" + b",".join([row("a"), row("a"), row("b", role="Human"), row("a"), row("c")]) + b"]")
    done = mend(path, marked=False)
    assert list(done.changes["duplicates"]) == [2, 4]
    assert list(done.from_lines) == [1, 3, 5]
    assert "2 rows: rows dropped that repeat an earlier one word for word (rows 2 and 4)." in done.sentences(
        marked=False
    )


def test_a_doubtful_line_stays_as_it_is(tmp_path: Path) -> None:
    """The same key twice is no guess of ours, and a copy that is there is never written over."""
    path = tmp_path / "rows.jsonl"
    doubtful = b'{"messages": [], "messages": [1],}'
    path.write_bytes(doubtful)
    done = mend(path, marked=False)
    assert (done.path.read_bytes(), done.left) == (doubtful + b"\n", 1)
    with pytest.raises(UserError, match="already"):
        mend(path, marked=False)


def test_what_is_no_text_is_not_mended(tmp_path: Path) -> None:
    """A picture gives a reason and no file."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(UserError, match="picture"):
        mend(path, marked=False)
    assert not mended_name(path).exists()


def test_a_table_is_not_mended_as_if_it_were_json(tmp_path: Path) -> None:
    """Its lines are no broken JSON: nothing is written, also where only its name says that it is a table."""
    for name, content in (("rows.jsonl", b"question,answer\na,b\n"), ("rows.csv", b"foo,bar\na,b\n")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UserError, match="table"):
            mend(path, marked=False)
        assert not mended_name(path).exists()
