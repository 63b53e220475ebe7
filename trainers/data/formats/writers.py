"""How each target wants its rows written: exact keys and roles, one JSON object a line; it reads nothing."""

import json
from collections.abc import Callable, Mapping

from trainers.data.formats.chat import WRITTEN, written
from trainers.data.formats.preference import to_openai_pair, to_pair
from trainers.data.formats.vertex import only_vertex, to_vertex
from trainers.data.parsing import Refusal

Value = dict[str, object]
_ROW = ("tools", "parallel_tool_calls", "functions")
MARK = b"\xef\xbb\xbf"


def to_openai(chat: Value) -> Value:
    """Write a chat as OpenAI and Azure read it, with weights, tools and pictures."""
    if only_vertex(chat):
        raise Refusal("format_mismatch", "a file or function in Vertex's own form, which is not rewritten here")
    if "rejected" in chat:
        return to_openai_pair(chat)
    return _plain(chat, frozenset((*WRITTEN, *_ROW)))


def to_together(chat: Value) -> Value:
    """Write a chat as Together reads it: weights and tools are known there too."""
    return to_openai(_without_functions(chat))


def to_fireworks(chat: Value) -> Value:
    """Write a chat as Fireworks reads it: weights, and tools."""
    return to_openai(_without_functions(chat))


def to_hugging_face(chat: Value) -> Value:
    """Write a chat for Hugging Face's trainers, which know no weights."""
    _without_pictures(chat)
    if any(turn.get("weight") == 0 for turn in _turns(chat)):
        raise Refusal("format_mismatch", "a weight of 0, which this format does not know")
    if "rejected" in chat:
        return to_pair(chat)
    return _plain(_without_functions(chat), frozenset((*WRITTEN, *_ROW)) - {"weight", "parallel_tool_calls"})


def to_local(chat: Value) -> Value:
    """Write a chat for a run on this machine, which trains on texts and weights, on no tools and no pictures."""
    return to_openai(_without_pictures(without_tools(chat)))


def texts_only(chat: Value) -> Value:
    """Return a chat that is nothing but texts; raises `Refusal` for another one."""
    return _without_pictures(without_tools(chat))


def without_tools(chat: Value) -> Value:
    """Return a chat that declares and calls no tools; raises `Refusal` for another one."""
    calling = any(turn.get("tool_calls") or turn.get("function_call") for turn in _turns(chat))
    if calling or chat.get("tools") or chat.get("functions"):
        raise Refusal("format_mismatch", "tools, for which this format has no place")
    return chat


def to_pairless_vertex(chat: Value) -> Value:
    """Write a chat as Vertex reads it; preference pairs have another shape there."""
    if "rejected" in chat:
        raise Refusal("format_mismatch", "a preference pair, which is not written for Vertex here")
    return to_vertex(without_tools(chat))


WRITERS: Mapping[str, Callable[[Value], Value]] = {
    "openai": to_openai,
    "azure": to_openai,
    "vertex": to_pairless_vertex,
    "together": to_together,
    "fireworks": to_fireworks,
    "hf": to_hugging_face,
    "local": to_local,
}
"""Writes the chat shape for each target; raises `Refusal` where the target has no place for something."""


def line(value: Value) -> bytes:
    """Write a row as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n"


def _without_pictures(chat: Value) -> Value:
    """Return a chat of texts; raises `Refusal` for another one."""
    if any("parts" in turn for turn in _turns(chat)) or only_vertex(chat):
        raise Refusal("format_mismatch", "a picture, for which this format has no place")
    return chat


def _without_functions(chat: Value) -> Value:
    """Return a chat without OpenAI's old form of calls, which nobody else reads; raises `Refusal`."""
    if chat.get("functions") or any(turn.get("function_call") for turn in _turns(chat)):
        raise Refusal("format_mismatch", "a call in OpenAI's old form of functions, which this format does not know")
    return chat


def _plain(chat: Value, kept: frozenset[str]) -> Value:
    """Keep what the format knows."""
    turns = [written(turn, kept) for turn in _turns(chat)]
    return {"messages": turns} | {key: chat[key] for key in _ROW if key in chat and key in kept}


def _turns(chat: Value) -> list[Value]:
    turns: list[Value] = chat["messages"]  # type: ignore[assignment]  # the chat shape
    return turns
