"""Rows come in from every usual format, are told by their content, and go out exactly as each target reads them."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.data.converting import convert
from trainers.data.formats import detect, to_chat
from trainers.data.formats.pairs import columns
from trainers.data.formats.writers import WRITERS
from trainers.data.limits import shell_limits, target_names
from trainers.data.parsing import Refusal
from trainers.data.source import Source
from trainers.data.spreadsheets.cells import guard, unguard

said = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40).filter(
    str.strip
)


@st.composite
def chats(draw: st.DrawFn, weights: bool = False) -> dict[str, Any]:
    """A chat of one to three rounds, with a system prompt or without."""
    turns: list[dict[str, Any]] = []
    if draw(st.booleans()):
        turns.append({"role": "system", "content": draw(said)})
    for _ in range(draw(st.integers(1, 3))):
        turns.append({"role": "user", "content": draw(said)})
        turns.append({"role": "assistant", "content": draw(said)})
    if weights:
        turns[-1]["weight"] = 1
        for turn in turns[:-1]:
            if turn["role"] == "assistant" and draw(st.booleans()):
                turn["weight"] = 0
    return {"messages": turns}


@pytest.mark.parametrize("to", ["vertex", "hf", "openai", "azure", "together", "fireworks", "local"])
@given(chat=chats())
@settings(max_examples=60, deadline=None)
def test_a_chat_comes_back_from_every_format(to: str, chat: dict[str, Any]) -> None:
    """What is written for a target is told by its content and read back as the same chat."""
    written = json.loads(json.dumps(WRITERS[to](chat)))
    assert to_chat(written, detect(written)) == chat


@given(chat=chats(weights=True))
@settings(max_examples=60, deadline=None)
def test_weights_survive_where_they_are_known_and_are_never_lost(chat: dict[str, Any]) -> None:
    """OpenAI, Azure, Together and Fireworks keep weights; the others refuse a weight of 0 rather than train on it."""
    for to in ("openai", "together", "fireworks"):
        assert to_chat(WRITERS[to](chat), "chat") == chat
    if any(turn.get("weight") == 0 for turn in chat["messages"]):
        for to in ("vertex", "hf"):
            with pytest.raises(Refusal):
                WRITERS[to](chat)


@pytest.mark.parametrize("to", ["openai", "hf"])
@given(chat=chats(), worse=said)
@settings(max_examples=40, deadline=None)
def test_preference_pairs_come_back(to: str, chat: dict[str, Any], worse: str) -> None:
    """A better and a worse answer survive in OpenAI's and in Hugging Face's shape."""
    pair = {**chat, "rejected": [{"role": "assistant", "content": worse}]}
    written = WRITERS[to](pair)
    assert detect(written) == {"openai": "openai_preference", "hf": "preference"}[to]
    assert to_chat(written, detect(written)) == pair


CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"order": 7}'}}


def test_tool_calls_survive_and_are_refused_where_they_have_no_place() -> None:
    """OpenAI's tool calls come back as they were; for Vertex they are refused, not dropped."""
    row: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": "Where is it?"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "In Ulm.", "tool_call_id": "c1"},
            {"role": "assistant", "content": "In Ulm."},
        ],
        "tools": [{"type": "function", "function": {"name": "find"}}],
    }
    assert WRITERS["openai"](to_chat(row, "chat")) == row
    with pytest.raises(Refusal):
        WRITERS["vertex"](to_chat(row, "chat"))


ROWS: list[tuple[str, dict[str, Any]]] = [
    ("chat", {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}),
    ("prompt_completion", {"prompt": "q", "completion": "a"}),
    (
        "prompt_completion",
        {"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]},
    ),
    ("alpaca", {"instruction": "q", "input": "", "output": "a"}),
    ("sharegpt", {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}),
    ("vertex", {"contents": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [{"text": "a"}]}]}),
    ("table", {"question": "q", "answer": "a"}),
    ("table", {"text": "q", "label": "a"}),
]


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_every_format_is_told_by_its_content(kind: str, row: dict[str, Any]) -> None:
    """One question and its answer come out the same from every shape."""
    assert detect(row) == kind
    turns = to_chat(row, kind)["messages"]
    assert [(turn["role"], turn["content"]) for turn in turns] == [("user", "q"), ("assistant", "a")]  # type: ignore[attr-defined]


def test_alpaca_input_and_system_prompts_are_kept() -> None:
    """The input follows the instruction; a system column or key becomes the system prompt."""
    row: dict[str, object] = {"instruction": "Translate.", "input": "Haus", "output": "house", "system": "Be brief."}
    assert [turn["content"] for turn in to_chat(row, "alpaca")["messages"]] == [  # type: ignore[attr-defined]
        "Be brief.",
        "Translate.\n\nHaus",
        "house",
    ]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"text": "only this"}, "no_messages"),
        ({"messages": []}, "no_messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "not_text"),
        ({"messages": [{"role": "assistant", "content": None}]}, "empty_target"),
        ({"messages": [{"role": "assistant", "content": "x", "weight": 2}]}, "bad_message"),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": "y"}]}, "bad_message"),
        ({"conversations": [{"from": "gpt"}]}, "not_text"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "unknown_role"),
        ({"contents": [{"role": "user", "parts": [{"fileData": {}}]}]}, "not_text"),
        ({"prompt": "q", "completion": None}, "not_text"),
        ({"chosen": "a", "rejected": "b"}, "no_messages"),
        ({"prompt": "q", "chosen": "a"}, "no_messages"),
        ({"prompt": "q", "rejected": "a"}, "no_messages"),
        ({"prompt": "q", "chosen": "a", "rejected": None}, "not_text"),
        ({"input": {"messages": []}, "preferred_output": []}, "no_messages"),
        ({"instruction": "q", "input": "i"}, "empty_target"),
        ({"prompt": "q"}, "empty_target"),
        ({"messages": [{"content": "x"}]}, "unknown_role"),
        ({"contents": [{"parts": [{"text": "x"}]}]}, "unknown_role"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "not_text"),
        ({"contents": [{"role": "user", "parts": [{"inlineData": {}}]}]}, "not_text"),
    ],
)
def test_a_row_that_is_none_is_refused_by_reason(row: dict[str, Any], code: str) -> None:
    """A shape that can't be read is refused with a code, never guessed at."""
    with pytest.raises(Refusal) as refused:
        to_chat(row, detect(row))
    assert refused.value.code == code


KEYS = sorted(
    {key for _, row in ROWS for key in (*row, "role", "content", "parts", "from", "value", "tool_calls", "weight")}
)
KEYS += ["chosen", "rejected", "preferred_output", "non_preferred_output"]
plain = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
objects = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
)


@given(objects)
@settings(max_examples=200, deadline=None)
def test_no_object_breaks_a_format(value: object) -> None:
    """Any JSON object is either a chat or refused."""
    if isinstance(value, dict):
        try:
            chat = to_chat(value, detect(value))
        except Refusal:
            return
        assert chat["messages"]


@given(st.text(max_size=12))
def test_a_guarded_cell_comes_back_and_runs_nowhere(cell: str) -> None:
    """What a spreadsheet would run gets an apostrophe in front, which reading takes away again."""
    written = guard(cell)
    assert unguard(written) == cell
    assert written[:1] not in ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file."""

    def written(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


PAIRS = [(f"Question {number}, with a comma?", f'Answer "{number}"\nin two lines.') for number in range(12)]


def table(delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["prompt", "completion"])
    writer.writerows(PAIRS)
    return text.getvalue().encode()


def test_a_file_is_converted_to_every_target_and_back(make: Callable[[str, bytes], Path], tmp_path: Path) -> None:
    """CSV becomes each target's file, whose rows are the same; Azure's begins with a byte order mark, no other does."""
    path = make("rows.csv", table())
    for to in (*target_names(), "hf", "tsv"):
        out = tmp_path / f"out.{to}"
        done = convert(path, out, to=to)
        assert (done.rows, done.findings) == (12, ())
        assert out.read_bytes().startswith(b"\xef\xbb\xbf") is (to == "azure")
        back = [chat.row for chat in Source(out, shell_limits())]
        assert [(row.prompt, row.target) for row in back] == PAIRS


def test_a_conversion_is_whole_or_not_at_all(make: Callable[[str, bytes], Path], tmp_path: Path) -> None:
    """A bad line stops it and no file appears; with skip the rest is written; a file that is there stays as it is."""
    good = json.dumps(ROWS[0][1]).encode()
    path, out = make("rows.jsonl", b"\n".join([good, b"{", good])), tmp_path / "out.jsonl"
    assert convert(path, out, to="vertex").rows == 0
    assert not out.exists()
    done = convert(path, out, to="vertex", skip=True)
    blocked = [finding.lines for finding in done.findings if finding.severity == "BLOCK"]
    assert (done.rows, blocked) == (2, [(2,)])
    before = out.read_bytes()
    with pytest.raises(UserError, match="already"):
        convert(path, out, to="vertex")
    assert out.read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["out.jsonl", "rows.jsonl"]


def test_a_json_list_is_read_and_spread(make: Callable[[str, bytes], Path], tmp_path: Path) -> None:
    """Alpaca as it is published, one list over many lines, becomes one row a line."""
    path = make("alpaca.json", json.dumps([ROWS[3][1]] * 3, indent=2).encode())
    assert convert(path, tmp_path / "out.jsonl", to="openai").rows == 3


SHOT = {"type": "image_url", "image_url": {"url": "https://shop.example/a.png"}}
INSIDE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def pictured(*pictures: dict[str, Any], role: str = "user", asked: str = "What is it?") -> dict[str, Any]:
    """A row that shows pictures, in the question or elsewhere."""
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "A cup."},
    ]
    place = 0 if role == "user" else 1
    turns[place] = {"role": role, "content": [{"type": "text", "text": asked}, *pictures]}
    return {"messages": turns}


CALLED: dict[str, Any] = {
    "system_instruction": {"role": "system", "parts": [{"text": "You help a shop."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Is it in stock?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "stock", "args": {"id": "7"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "stock", "response": {"left": 3}}}]},
        {"role": "model", "parts": [{"text": "Yes, three."}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "stock"}]}],
}
FILED: dict[str, Any] = {
    "contents": [
        {
            "role": "user",
            "parts": [{"fileData": {"mimeType": "image/png", "fileUri": "gs://shop/a.png"}}, {"text": "What is it?"}],
        },
        {"role": "model", "parts": [{"text": "A cup."}]},
    ]
}


@pytest.mark.parametrize("to", ["openai", "azure", "together", "fireworks"])
def test_pictures_survive_where_they_are_trained_on(to: str) -> None:
    """A row with a picture is written as it was; texts that are only split into parts become one text."""
    assert WRITERS[to](to_chat(pictured(INSIDE), "chat")) == pictured(INSIDE)
    assert to_chat(pictured(), "chat")["messages"][0] == {"role": "user", "content": "What is it?"}  # type: ignore[index]


@pytest.mark.parametrize("row", [CALLED, FILED])
def test_what_only_vertex_knows_comes_back_there_and_is_refused_elsewhere(row: dict[str, Any]) -> None:
    """Files and functions in Vertex's own form are written for Vertex again, and dropped by nobody."""
    chat = to_chat(row, "vertex")
    assert WRITERS["vertex"](chat)["contents"] == row["contents"]
    assert WRITERS["vertex"](chat).get("tools") == row.get("tools")
    for to in ("openai", "hf", "local", "fireworks"):
        with pytest.raises(Refusal):
            WRITERS[to](chat)


@pytest.mark.parametrize("to", ["vertex", "hf", "local"])
def test_a_picture_is_refused_where_it_has_no_place(to: str) -> None:
    """It is not dropped silently."""
    with pytest.raises(Refusal):
        WRITERS[to](to_chat(pictured(SHOT), "chat"))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["foo", "bar"], None),
        (["a", "b"], None),
        (["q", "x"], None),
        (["text", "id"], None),
        (["column1", "column2"], None),
        (["label", "1"], None),
        (["text", "team"], ("text", "team")),
        (["letter", "label"], ("letter", "label")),
        (["q", "a"], ("q", "a")),
        (["utterance", "intent"], ("utterance", "intent")),
    ],
)
def test_columns_tell_each_other_only_by_names_that_mean_something(
    names: list[str], found: tuple[str, str] | None
) -> None:
    """Of two columns one known name tells the other, but no letter, number or id is taken for an answer."""
    assert columns(names) == found


def test_a_table_without_telling_names_lists_those_that_are_known(make: Callable[[str, bytes], Path]) -> None:
    """The error says which names are understood, and repeats none of the file's: without a header they are rows."""
    source = Source(make("rows.csv", b"Where is my secret parcel,shipping\nAnd mine,shipping\n"), shell_limits())
    assert list(source) == []
    (finding,) = source.findings()
    assert (finding.code, finding.lines) == ("no_columns", (1,))
    assert "question may be called prompt, question" in finding.message
    assert "its answer completion, answer" in finding.message
    assert "parcel" not in finding.message
