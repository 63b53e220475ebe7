"""Hostile bytes are refused by line and reason; good rows come through unchanged."""

import gzip
import io
import json
import os
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.data.jsonl import Reading, read_rows
from trainers.data.limits import ReadLimits, read_limits, target_limits
from trainers.spec import Hyperparameters

GOOD = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
WHOLE_FILE = {"empty_file", "file_too_large", "too_many_rows", "blank_lines"}
SMALL = ReadLimits(file_bytes=2000, line_bytes=500, rows=5, depth=32)

Read = Callable[..., Reading]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes to a file and read them as rows."""

    def read_bytes(data: bytes, limits: ReadLimits | None = None) -> Reading:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(data)
        return read_rows(path, limits)

    return read_bytes


def row(user: str, assistant: str = "ok") -> bytes:
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": turns}, ensure_ascii=False).encode()


BAD_LINES: list[tuple[str, bytes, str]] = [
    ("trailing comma in an object", GOOD[:-1] + b",}", "invalid_json"),
    ("trailing comma in a list", GOOD[:-2] + b",]}", "invalid_json"),
    ("cut off", GOOD[:40], "invalid_json"),
    ("two values", GOOD + b" " + GOOD, "invalid_json"),
    ("single quotes", b"{'messages': []}", "invalid_json"),
    ("Python None", b'{"messages": None}', "invalid_json"),
    ("raw tab in a text", b'{"messages": "a\tb"}', "invalid_json"),
    ("broken escape", b'{"messages": "\\q"}', "invalid_json"),
    ("form feed after the row", GOOD + b"\x0c", "invalid_json"),
    ("plain text", b"user: hi", "invalid_json"),
    ("CSV", b"prompt,completion", "invalid_json"),
    ("BOM in the middle", b"\xef\xbb\xbf" + GOOD, "invalid_json"),
    ("NaN", b'{"messages": [], "score": NaN}', "not_a_number"),
    ("Infinity", b'{"messages": [], "score": -Infinity}', "not_a_number"),
    ("1e999", b'{"messages": [], "score": 1e999}', "not_a_number"),
    ("5,000 digits", b'{"n": ' + b"9" * 5000 + b"}", "number_too_long"),
    ("duplicate keys", b'{"messages": [], "messages": []}', "duplicate_key"),
    ("nested duplicate keys", b'{"messages": [{"role": "user", "role": "system", "content": "x"}]}', "duplicate_key"),
    ("33 levels", b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "too_deep"),
    ("100,000 open brackets", b"[" * 100_000, "too_deep"),
    ("brackets after an open text", b'{"a": "' + b'"[' * 100, "too_deep"),
    ("raw NUL", b'{"a": "\x00"}', "nul_character"),
    ("escaped NUL", b'{"messages": [{"role": "user", "content": "a\\u0000b"}]}', "nul_character"),
    ("lone surrogate", b'{"messages": [{"role": "user", "content": "\\ud800"}]}', "lone_surrogate"),
    ("lone surrogate in a key", b'{"\\udfff": 1}', "lone_surrogate"),
    ("Latin-1", '{"messages": "Größe"}'.encode("latin-1"), "not_utf8"),
    ("overlong UTF-8", b'{"a": "\xc0\xaf"}', "not_utf8"),
    ("encoded surrogate", b'{"a": "\xed\xa0\x80"}', "not_utf8"),
    ("a list", b'["user", "assistant"]', "not_an_object"),
    ("a number", b"42", "not_an_object"),
    ("null", b"null", "not_an_object"),
    ("no messages", b'{"text": "hi"}', "no_messages"),
    ("prompt and completion", b'{"prompt": "hi", "completion": "ho"}', "no_messages"),
    ("Alpaca", b'{"instruction": "hi", "input": "", "output": "ho"}', "no_messages"),
    ("messages is a text", b'{"messages": "hi"}', "no_messages"),
    ("no message in the list", b'{"messages": []}', "no_messages"),
    ("message is a text", b'{"messages": ["hi"]}', "bad_message"),
    ("message without role", b'{"messages": [{"content": "hi"}]}', "unknown_role"),
    ("role is a number", b'{"messages": [{"role": 1, "content": "hi"}]}', "unknown_role"),
    ("message without content", b'{"messages": [{"role": "user"}]}', "bad_message"),
    ("answer without weight", b'{"messages": [{"role": "assistant", "content": "x", "weight": 0}]}', "bad_message"),
    ("content is null", b'{"messages": [{"role": "user", "content": null}]}', "not_text"),
    ("content has parts", b'{"messages": [{"role": "user", "content": [{"type": "text"}]}]}', "not_text"),
]


@pytest.mark.parametrize(("line", "code"), [case[1:] for case in BAD_LINES], ids=[case[0] for case in BAD_LINES])
def test_a_bad_line_is_named_and_the_rest_is_read(read: Read, line: bytes, code: str) -> None:
    """Each kind of bad line gives one blocking finding with its line number, and its neighbours survive."""
    reading = read(b"\n".join([GOOD, line, GOOD]))
    assert [(f.code, f.severity, f.lines) for f in reading.findings if f.severity == "BLOCK"] == [(code, "BLOCK", (2,))]
    assert [r.line for r in reading.rows] == [1, 3]
    assert "line 2" in reading.findings[0].message.lower()
    assert reading.findings[0].fix


def test_the_reason_is_in_plain_words(read: Read) -> None:
    """A trailing comma reads as a person would say it, not as a parser does."""
    (finding,) = read(b"\n".join([GOOD] * 16 + [GOOD[:-1] + b",}"])).findings
    assert finding.message.startswith("That file isn't JSONL: line 17 has a comma after the last item")


def test_a_million_equal_mistakes_are_one_finding(read: Read) -> None:
    """Findings are grouped by reason, list at most 1,000 lines and count the rest in words."""
    reading = read(b"x\n" * 5000)
    (finding,) = reading.findings
    assert len(finding.lines) == 1000
    assert "and 4,996 more" in finding.message


def _tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("rows.jsonl"))
    return target.getvalue()


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("rows.jsonl", GOOD)
    return target.getvalue()


FILES: list[tuple[str, bytes, str]] = [
    ("0 bytes", b"", "empty_file"),
    ("zip", _zip(), "archive"),
    ("gzip", gzip.compress(GOOD), "archive"),
    ("tar", _tar(), "archive"),
    ("PDF", b"%PDF-1.7\n" + os.urandom(50), "binary"),
    ("GGUF", b"GGUF\x03\x00\x00\x00", "binary"),
    ("random bytes with zeros", b"\x01\x00\x00\x02" * 50, "binary"),
    ("UTF-16 with mark", GOOD.decode().encode("utf-16"), "utf16"),
    ("UTF-16 little", GOOD.decode().encode("utf-16-le"), "utf16"),
    ("UTF-16 big", GOOD.decode().encode("utf-16-be"), "utf16"),
    ("UTF-32 little", GOOD.decode().encode("utf-32-le"), "utf16"),
    ("UTF-32 big", GOOD.decode().encode("utf-32-be"), "utf16"),
    ("login page", b"<!DOCTYPE html><html>", "not_jsonl"),
    ("one JSON list", b"[\n" + GOOD + b"\n]", "not_jsonl"),
    ("pretty-printed", json.dumps(json.loads(GOOD), indent=2).encode(), "not_jsonl"),
    ("bare carriage returns", GOOD + b"\r" + GOOD + b"\r", "invalid_json"),
]


@pytest.mark.parametrize(("data", "code"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_a_file_that_is_no_jsonl_is_called_by_its_name(read: Read, data: bytes, code: str) -> None:
    """Archives, binaries, other encodings and other JSON layouts give one clear finding and no rows."""
    reading = read(data)
    assert [finding.code for finding in reading.findings] == [code]
    assert reading.rows == []


def test_caps_hold(read: Read) -> None:
    """A file, a line or a number of lines over its limit is refused; at the limit it is not."""
    assert [f.code for f in read(GOOD + b"\n" * 2000, SMALL).findings] == ["file_too_large"]
    assert [f.code for f in read(row("x" * 600), SMALL).findings] == ["line_too_long"]
    assert [f.code for f in read(b"\n".join([GOOD] * 6), SMALL).findings] == ["too_many_rows"]
    exact = read(b"\n".join([GOOD] * 5), SMALL)
    assert len(exact.rows) == 5
    assert exact.findings == ()


def test_the_shipped_limits_are_as_documented() -> None:
    """64 MiB a file, 1 MiB a line, a million rows, 32 levels; a local row is as long as a run reads by default."""
    assert read_limits() == ReadLimits(file_bytes=64 * 2**20, line_bytes=2**20, rows=10**6, depth=32)
    assert target_limits("local").row_tokens == Hyperparameters().max_tokens
    assert target_limits("local").least_rows == 10


def test_lines_end_at_newline_alone(read: Read) -> None:
    """U+2028, U+0085, vertical tab and friends inside a text split no row, and stay in it."""
    text = "a\u2028b\u2029c\u0085d"
    reading = read(row(text) + b"\r\n" + row("a\\r") + b"\n")
    assert [r.messages[0].content for r in reading.rows] == [text, "a\\r"]
    assert reading.findings == ()


def test_one_byte_order_mark_and_windows_line_ends_are_fine(read: Read) -> None:
    """A UTF-8 file as Windows writes it is read without a finding."""
    reading = read(b"\xef\xbb\xbf" + GOOD + b"\r\n" + GOOD + b"\r\n")
    assert [r.line for r in reading.rows] == [1, 2]
    assert reading.findings == ()


def test_an_emoji_as_an_escaped_pair_is_fine(read: Read) -> None:
    """Two surrogates that belong together are one character."""
    line = b'{"messages": [{"role": "user", "content": "\\ud83d\\ude00 \\\\u0000"}]}'
    assert read(line).rows[0].messages[0].content == "\U0001f600 \\u0000"


def test_blank_lines_are_skipped_and_counted(read: Read) -> None:
    """Blank lines are no rows; line numbers stay those of the file."""
    reading = read(GOOD + b"\n\n \t\n" + GOOD)
    assert [r.line for r in reading.rows] == [1, 4]
    assert [(f.code, f.severity) for f in reading.findings] == [("blank_lines", "REPORT")]


def test_keys_that_training_ignores_are_told(read: Read) -> None:
    """Extra keys of a row or a message warn; a weight does not, because training honours it."""
    line = b'{"id": 1, "messages": [{"role": "user", "content": "x", "name": "Bo", "weight": 1}]}'
    assert [(f.code, f.severity) for f in read(line).findings] == [("ignored_key", "WARN")] * 2


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    """No file, or a folder, is an error that says what to do."""
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(UserError, match="no file"):
            read_rows(path)


def test_findings_never_repeat_content(read: Read) -> None:
    """Whatever is wrong with a line, its text does not appear in the message."""
    secret = "hunter2-correct-horse"
    lines = [f'{{"{secret}": 1,}}', f'{{"{secret}": NaN}}', f"[{secret}", f'{{"a": "{secret}', f'["{secret}"]']
    reading = read("\n".join(lines).encode())
    assert len(reading.findings) >= 4
    assert not any(secret in finding.message + finding.fix for finding in reading.findings)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
almost_rows = st.fixed_dictionaries(
    {
        "messages": st.lists(st.fixed_dictionaries({"role": json_values, "content": json_values}), max_size=3)
        | json_values
    }
)
lines = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    json_values.map(lambda value: json.dumps(value).encode()),
    almost_rows.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.sampled_from([GOOD, b"[" * 1000, b'"' * 999, b'{"a":' * 500, b"\\" * 999, b"\r", b""]),
    st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=4)).map(
        lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] :]
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(lines, max_size=8), st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00"]))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], start: bytes) -> None:
    """Any bytes give rows and findings, never an exception; a rejection names lines unless it means the file."""
    path = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    path.write_bytes(start + b"\n".join(parts))
    reading = read_rows(path)
    for finding in reading.findings:
        assert finding.lines or finding.code in WHOLE_FILE
        assert list(finding.lines) == sorted(set(finding.lines))
    for read_row in reading.rows:
        for turn in read_row.messages:
            assert "\x00" not in turn.content
            turn.content.encode("utf-8")
    refused = {line for finding in reading.findings if finding.severity == "BLOCK" for line in finding.lines}
    assert not refused & {read_row.line for read_row in reading.rows}


@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=50), min_size=1)
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Any text without NUL and surrogates comes back exactly, from escaped and from raw JSON."""
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    for ascii_only in (True, False):
        rows = [{"messages": [{"role": "user", "content": text}]} for text in texts]
        path.write_bytes(b"\n".join(json.dumps(value, ensure_ascii=ascii_only).encode() for value in rows))
        reading = read_rows(path)
        assert [r.messages[0].content for r in reading.rows] == texts


@pytest.mark.parametrize(
    "line",
    [b'{"a":"' + b'\\"' * 400_000, b'{"a":' + b'"["' * 250_000, b"[{" * 400_000, b'{"a":' + b"9" * 900_000 + b"}"],
    ids=["escaped quotes", "brackets in texts", "brackets", "digits"],
)
def test_a_line_built_to_be_slow_is_not(read: Read, line: bytes) -> None:
    """Lines of nearly 1 MiB that make naive scanners quadratic are refused within a second."""
    started = time.process_time()
    assert not read(line).rows
    assert time.process_time() - started < 1.0
