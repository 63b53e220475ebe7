"""What a conversion writes, its target takes: a row that the linter would block is named and never written."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from trainers.data.converting import DESTINATIONS, convert
from trainers.data.counting import counter
from trainers.data.limits import shell_limits, target_names
from trainers.data.lint import lint
from trainers.data.source import Source

TEXTS = [(f"Question {n} about matter {n * 7919 % 997}?", f"Answer {n}: {n * 104729 % 9973} days.") for n in range(12)]
KEY = "-----BEGIN RSA PRIVATE KEY-----"
Make = Callable[[Any], Path]


def turn(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def chat(asked: str, answered: str) -> dict[str, Any]:
    return {"messages": [turn("user", asked), turn("assistant", answered)]}


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


SHAPES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "chat": chat,
    "developer": lambda q, a: {"messages": [turn("developer", "Be brief."), *chat(q, a)["messages"]]},
    "parts": lambda q, a: {"messages": [turn("user", [{"type": "text", "text": q}]), turn("assistant", a)]},  # type: ignore[arg-type]
    "prompt_completion": lambda q, a: {"prompt": q, "completion": a},
    "alpaca": lambda q, a: {"instruction": q, "input": "", "output": a},
    "sharegpt": lambda q, a: {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]},
    "vertex": lambda q, a: {
        "systemInstruction": said("system", "Be brief."), "contents": [said("user", q), said("model", a)]
    },
    "preference": lambda q, a: {"prompt": q, "chosen": a, "rejected": "No idea."},
    "openai_preference": lambda q, a: {
        "input": {"messages": [turn("user", q)]},
        "preferred_output": [turn("assistant", a)],
        "non_preferred_output": [turn("assistant", "No idea.")],
    },
}  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write rows as JSONL."""

    def written(rows: list[dict[str, Any]]) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return path

    return written


def table_file(folder: Path, kind: str) -> Path:
    """Write the texts as CSV, TSV, a workbook or one JSON list."""
    path = folder / f"rows.{kind}"
    if kind == "xlsx":
        book = Workbook()
        for cells in [("question", "answer"), *TEXTS]:
            book.active.append(cells)
        book.save(path)
    elif kind == "json":
        path.write_text(json.dumps([SHAPES["alpaca"](*pair) for pair in TEXTS], indent=1))
    else:
        text = io.StringIO()
        csv.writer(text, delimiter="\t" if kind == "tsv" else ",").writerows([("question", "answer"), *TEXTS])
        path.write_text(text.getvalue())
    return path


def check(path: Path, folder: Path, to: str, rows: int = 12) -> None:
    """Convert, and hold the linter's judgement of the new file against it."""
    out, target = folder / f"out.{to}", to if to in target_names() else "local"
    done = convert(path, out, to=to, count=counter("o200k_base") if to in target_names() else None)
    assert done.rows == rows, (to, done.findings)
    report = lint(out, target=target, count=counter("o200k_base"), limits=shell_limits())
    blocking = [finding for finding in report.findings if finding.severity == "BLOCK"]
    assert (report.rows, blocking) == (rows, []), to


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_written_from_any_rows_its_target_takes(shape: str, make: Make, tmp_path: Path) -> None:
    """Each format becomes each target's file, which the linter does not block; only pairs have no place in Vertex."""
    path = make([SHAPES[shape](*pair) for pair in TEXTS])
    for to in DESTINATIONS:
        if shape.endswith("preference") and to == "vertex":
            done = convert(path, tmp_path / "none", to=to)
            assert (done.rows, [finding.code for finding in done.findings]) == (0, ["format_mismatch"])
        else:
            check(path, tmp_path, to)


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx", "json"])
def test_what_is_written_from_any_file_its_target_takes(kind: str, tmp_path: Path) -> None:
    """Tables, workbooks and lists become each target's file, which the linter does not block."""
    path = table_file(tmp_path, kind)
    for to in ("openai", "azure", "vertex", "local"):
        check(path, tmp_path, to)


BAD: list[tuple[str, dict[str, Any]]] = [
    ("secret", chat("What is the key?", f"{KEY} abc")),
    ("secret", {"prompt": f"Here it is: {KEY}", "completion": "Thanks."}),
    ("unknown_role", {"messages": [turn("narrator", "Once."), turn("assistant", "Upon.")]}),
    ("role_order", {"messages": [turn("user", "One."), turn("user", "Two."), turn("assistant", "Three.")]}),
    ("last_not_assistant", {"messages": [turn("user", "And?")]}),
    ("empty_target", chat("What?", " \u200b ")),
    ("no_trainable_tokens", {"messages": [turn("user", "What?"), turn("assistant", "That.", weight=0)]}),
    ("tool_order", {"messages": [turn("user", "?"), turn("assistant", None, tool_calls=[
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]),
        turn("tool", "x", tool_call_id="b"), turn("assistant", "x")]}),
    ("mixed_formats", {"prompt": "Which?", "chosen": "This.", "rejected": "That."}),
    ("row_too_long", chat("Count.", " one two" * 40_000)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "row"), BAD, ids=[code for code, _ in BAD])
def test_a_row_that_would_be_blocked_is_named_and_not_written(
    code: str, row: dict[str, Any], make: Make, tmp_path: Path
) -> None:
    """Without skip nothing is written; with it the rest is, and the new file passes; the line and reason are told."""
    path, out = make([*(chat(*pair) for pair in TEXTS), row]), tmp_path / "out"
    count = counter("o200k_base")
    refused = convert(path, out, to="openai", count=count)
    assert (refused.rows, out.exists()) == (0, False)
    assert (code, (13,)) in {(f.code, f.lines) for f in refused.findings if f.severity == "BLOCK"}
    skipped = convert(path, out, to="openai", count=count, skip=True)
    assert (skipped.rows, skipped.findings) == (12, refused.findings)
    assert KEY not in out.read_text()
    assert not lint(out, target="openai", count=count).blocked


CALLED = {
    "messages": [
        turn("user", "Where is 7?"),
        turn("assistant", None, function_call={"name": "find", "arguments": "{}"}),
        turn("function", "Ulm", name="find"),
        turn("assistant", "In Ulm."),
    ],
    "functions": [{"name": "find"}],
}


def test_an_old_function_call_is_kept_or_refused_but_never_dropped(make: Make, tmp_path: Path) -> None:
    """OpenAI reads its old form of calls, so it comes out as it was; the others refuse the line."""
    path = make([CALLED] * 10)
    assert convert(path, tmp_path / "openai", to="openai").rows == 10
    assert json.loads((tmp_path / "openai").read_text().splitlines()[0]) == CALLED
    for to in ("together", "fireworks", "vertex", "hf", "local", "csv"):
        done = convert(path, tmp_path / to, to=to)
        assert done.rows == 0, to
        assert {finding.code for finding in done.findings} & {"format_mismatch"}, to


def test_declared_tools_are_not_dropped_either(make: Make, tmp_path: Path) -> None:
    """A target that trains on texts refuses a row that declares tools."""
    path = make([{**chat(*pair), "tools": [{"type": "function", "function": {"name": "find"}}]} for pair in TEXTS])
    assert convert(path, tmp_path / "openai", to="openai").rows == 12
    for to in ("vertex", "local", "csv"):
        assert convert(path, tmp_path / to, to=to).rows == 0, to


def test_what_is_left_out_beside_the_rows_is_counted(make: Make, tmp_path: Path) -> None:
    """Ids and notes have no place in a target's format; how many rows had such is told."""
    rows = [{**SHAPES["alpaca"](*pair), **({"id": "T-1"} if place < 3 else {})} for place, pair in enumerate(TEXTS)]
    (told,) = convert(make(rows), tmp_path / "out", to="openai").findings
    assert (told.code, told.severity, told.message.split(" ")[0]) == ("left_out", "REPORT", "3")


def test_a_row_that_grows_over_the_cap_is_not_written(make: Make, tmp_path: Path) -> None:
    """A row that is just small enough to be read, and too long with its new keys, would not be read again."""
    most = shell_limits().line_bytes
    long = "x" * (most - len(json.dumps({"prompt": "q", "completion": ""})) - 2)
    path = make([*(chat(*pair) for pair in TEXTS), {"prompt": "q", "completion": long}])
    done = convert(path, tmp_path / "out", to="hf")
    assert [(finding.code, finding.lines) for finding in done.findings] == [("line_too_long", (13,))]


def test_too_few_rows_are_written_and_told(make: Make, tmp_path: Path) -> None:
    """A few rows may be a test file: they are converted, and that no target trains on them is said."""
    done = convert(make([chat(*pair) for pair in TEXTS[:3]]), tmp_path / "out", to="vertex")
    assert (done.rows, [finding.code for finding in done.findings]) == (3, ["few_rows"])


PICTURED = [
    {"type": "text", "text": "Which bridge?"},
    {"type": "image_url", "image_url": {"url": "https://shop.test/bridge.png"}},
]
CALLS = [{"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}]


def test_a_pair_with_a_picture_and_calls_is_written_as_openai_reads_it(make: Make, tmp_path: Path) -> None:
    """The picture stays in the content, what calls a tool has null beside it, and no key of ours goes out."""
    rows = [
        {
            "input": {
                "messages": [{"role": "user", "content": [{"type": "text", "text": f"No. {n}?"}, *PICTURED]}],
                "tools": [{"type": "function", "function": {"name": "find"}}],
            },
            "preferred_output": [{"role": "assistant", "content": None, "tool_calls": CALLS}],
            "non_preferred_output": [{"role": "assistant", "content": "A wooden one"}],
        }
        for n in range(3)
    ]
    for to in ("openai", "azure"):
        out = tmp_path / f"{to}.jsonl"
        assert convert(make(rows), out, to=to).rows == 3
        assert [json.loads(each) for each in out.read_text("utf-8-sig").splitlines()] == rows


def test_a_speakers_name_is_refused_where_it_has_no_place(make: Make, tmp_path: Path) -> None:
    """Vertex and tables know no names: the line is named, nothing is dropped."""
    row = chat(*TEXTS[0])
    row["messages"][-2]["name"] = "ada"
    for to in ("vertex", "csv", "tsv"):
        found = convert(make([row]), tmp_path / f"out.{to}", to=to).findings
        assert [(each.code, each.lines) for each in found if each.severity == "BLOCK"] == [("format_mismatch", (1,))]


def test_line_breaks_survive_a_table(make: Make, tmp_path: Path) -> None:
    """A text with line ends of Windows, of old Macs and plain ones comes back from CSV as it was."""
    said = "one\r\ntwo\rthree\nfour"
    out = tmp_path / "out.csv"
    convert(make([chat("Count", said)]), out, to="csv")
    assert [each.row.target for each in Source(out, shell_limits())] == [said]
    out.write_bytes(b'question,answer\r\nHow?,"so\r\nand so"\r\n')
    assert [each.row.target for each in Source(out, shell_limits())] == ["so\nand so"]


def test_vertex_rows_stay_as_they_were_for_vertex(make: Make, tmp_path: Path) -> None:
    """The parts of a turn are not joined, and its other keys are left out."""
    contents = [
        {"role": "user", "parts": [{"text": "q0"}, {"text": "more"}]},
        {"role": "model", "parts": [{"text": "a"}, {"text": "b"}]},
    ]
    system = {"role": "system", "parts": [{"text": "Be"}, {"text": "brief"}]}
    out = tmp_path / "out.jsonl"
    convert(make([{"id": 1, "systemInstruction": system, "contents": contents}]), out, to="vertex")
    assert json.loads(out.read_text()) == {"systemInstruction": system, "contents": contents}
