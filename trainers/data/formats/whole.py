"""What of a row is more than texts, calls of tools and pictures: how people read it, and how it is kept whole.

It reads no file, makes no call and opens no picture.
"""

import json
import re
from collections.abc import Iterable, Sequence

from trainers.data.formats.chat import said, written
from trainers.data.formats.pictures import pictures, stand_in
from trainers.data.limits import read_limits
from trainers.data.parsing import Refusal, parse_value

Value = dict[str, object]
DECLARED = ("tools", "parallel_tool_calls", "functions")
"""Keys of a row, beside its messages, that say which tools there are."""
_CALLS, _TOOL_ROLES = ("tool_calls", "function_call"), ("tool", "function")
_ARROW = "→ "
_SPACE = re.compile(r"\s")
_CALL = re.compile(rf"^{_ARROW}\S+\(.*\)$", re.MULTILINE)


def calls_tools(turns: Iterable[Value]) -> bool:
    """Say whether a tool is called, or answers, in turns of the chat shape."""
    return any(turn["role"] in _TOOL_ROLES or any(turn.get(key) for key in _CALLS) for turn in turns)


def shows_pictures(turns: Iterable[Value]) -> bool:
    """Say whether turns of the chat shape hold a picture, or a file in Vertex's own form."""
    return any("parts" in turn or "vertex_parts" in turn for turn in turns)


def whole(shape: Value) -> str:
    """Write a row that is more than texts as OpenAI reads its messages, in JSON; "" for a row of texts."""
    turns, worse = _turns(shape, "messages"), _turns(shape, "rejected")
    declared = {key: shape[key] for key in DECLARED if key in shape}
    if not (declared or calls_tools([*turns, *worse]) or shows_pictures([*turns, *worse])):
        return ""
    row: Value = {"messages": [written(turn) for turn in turns]} | declared
    if worse:
        row["rejected"] = [written(turn) for turn in worse]
    return json.dumps(row, ensure_ascii=False, sort_keys=True)


def shown(turn: Value) -> str:
    """Return all that a turn says, with a word for each picture: rows about different pictures are different rows."""
    return _pictured(turn, said(turn))


def told(turn: Value) -> str:
    """Return what a turn says for people and for marks: its text, then a line for each tool that it calls.

    >>> call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"n": 7.0, "in": "Ulm"}'}}
    >>> told({"role": "assistant", "content": "", "tool_calls": [call]})
    '→ find({"in": "Ulm", "n": 7})'
    """
    calls = [each.get("function") for each in _listed(turn.get("tool_calls"))] + [turn.get("function_call")]
    lines = [_line(call) for call in calls if isinstance(call, dict)]
    return _pictured(turn, "\n".join([*([str(turn["content"])] if turn["content"] else []), *lines]))


def calls_in(text: str) -> list[str]:
    """Return the calls of tools in what `told` wrote, sorted; none where it is words alone."""
    return sorted(_CALL.findall(text))


def name_of(call: str) -> str:
    """Return the tool that a call of `calls_in` names."""
    return call.removeprefix(_ARROW).partition("(")[0]


def _line(function: Value) -> str:
    """Write a call the same way whatever order its arguments have; what is no JSON stays as it is."""
    given = function.get("arguments") or "{}"
    given = given if isinstance(given, str) else json.dumps(given)
    try:
        value = _plain(parse_value(given.encode("utf-8", "surrogatepass"), read_limits()))
    except Refusal:
        value = given
    name = _SPACE.sub("_", str(function.get("name")))
    return f"{_ARROW}{name}({json.dumps(value, ensure_ascii=False, sort_keys=True)})"


def _plain(value: object) -> object:
    """Write whole numbers without a point: 7.0 and 7 are the same argument."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _pictured(turn: Value, text: str) -> str:
    if not shows_pictures([turn]):
        return text
    words = [stand_in(url) for url in pictures(turn)]
    return "\n".join([*([text] if text or not words else []), *words])


def _turns(shape: Value, key: str) -> Sequence[Value]:
    turns = shape.get(key, ())
    return turns if isinstance(turns, list) else ()


def _listed(calls: object) -> list[Value]:
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
