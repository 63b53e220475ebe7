"""Vertex's rows: `contents` of role and parts; the assistant is called model and the system prompt stands apart.

Parts that are no texts (files, calls of functions and their answers) are kept as they are, for Vertex alone.
"""

import json

from trainers.data.formats.pictures import ADDRESS
from trainers.data.parsing import Refusal

Value = dict[str, object]
_ROLES = {"user": "user", "model": "assistant", "function": "user"}  # a function's answer comes in the user's place
_BACK = {"user": "user", "assistant": "model"}
_CALLS = ("functionCall", "functionResponse", "function_call", "function_response")


def from_vertex(value: Value) -> Value:
    """Turn contents into a chat; a role that Vertex does not know keeps its name, which is then blocked."""
    contents = value.get("contents")
    if not isinstance(contents, list) or not contents:
        raise Refusal("no_messages", "contents that are no list of turns")
    messages: list[Value] = []
    system = value.get("systemInstruction", value.get("system_instruction"))
    if system is not None:
        messages.append({"role": "system", "content": _text(system)})
    for turn in contents:
        role = turn.get("role") if isinstance(turn, dict) else None
        if not isinstance(role, str):
            raise Refusal("unknown_role", "a turn without a role")
        if role == "assistant":
            raise Refusal("unknown_role", "the role assistant, which Vertex calls model")
        messages.append({"role": _ROLES.get(role, role)} | _said(turn))
    tools: Value = {"vertex_tools": value["tools"]} if value.get("tools") else {}
    return {"messages": messages} | tools


def to_vertex(chat: Value) -> Value:
    """Write a chat as Vertex reads it; raises `Refusal` where Vertex has no place for something."""
    row: Value = {}
    contents: list[Value] = []
    for turn in chat["messages"]:  # type: ignore[attr-defined]  # the chat shape
        if turn["role"] == "system":
            row["systemInstruction"] = {"role": "system", "parts": [{"text": turn["content"]}]}
        elif turn.get("tool_calls") or turn["role"] not in _BACK:
            raise Refusal("format_mismatch", "a tool call, which is not written for Vertex here")
        elif turn.get("name"):
            raise Refusal("format_mismatch", "a speaker's name, which Vertex does not know")
        elif turn.get("weight") == 0:
            raise Refusal("format_mismatch", "a weight of 0, which Vertex does not know")
        elif "parts" in turn:
            raise Refusal("format_mismatch", "a picture, which Vertex wants as a file in Cloud Storage")
        else:
            parts = turn.get("vertex_parts") or [{"text": turn["content"]}]
            contents.append({"role": _BACK[turn["role"]], "parts": parts})
    tools: Value = {"tools": chat["vertex_tools"]} if "vertex_tools" in chat else {}
    return row | {"contents": contents} | tools


def rewritten(value: Value) -> Value:
    """Return a row of Vertex's that was read, part by part as it was, without keys beside the conversation."""
    row: Value = {}
    system = value.get("systemInstruction", value.get("system_instruction"))
    if system is not None:
        row["systemInstruction"] = {"role": "system", "parts": _parts(system)}
    turns: list[Value] = value["contents"]  # type: ignore[assignment]  # its reader has looked
    row["contents"] = [{"role": turn["role"], "parts": _parts(turn)} for turn in turns]
    return row | ({"tools": value["tools"]} if value.get("tools") else {})


def only_vertex(chat: Value) -> bool:
    """Say whether a chat has parts that are written in Vertex's own way."""
    return "vertex_tools" in chat or any("vertex_parts" in turn for turn in chat["messages"])  # type: ignore[attr-defined]


def _said(turn: object) -> Value:
    """Return a turn's text, and its parts where they are more than that: calls are texts of JSON here."""
    texts, other = [], False
    for part in _parts(turn):
        call = next((name for name in _CALLS if name in part), None)
        if isinstance(part.get("text"), str):
            texts.append(str(part["text"]))
        elif call and isinstance(part[call], dict):
            texts.append(json.dumps({call: part[call]}, ensure_ascii=False, sort_keys=True))
            other = True
        elif _is_file(part):
            other = True
        else:
            raise Refusal("not_text", "a part that is no text, file or function")
    return {"content": "".join(texts)} | ({"vertex_parts": _parts(turn)} if other else {})


def _is_file(part: Value) -> bool:
    file = part.get("fileData")
    named = isinstance(file, dict) and isinstance(file.get("mimeType"), str) and isinstance(file.get("fileUri"), str)
    return named and bool(ADDRESS.match(str(file["fileUri"])))  # type: ignore[index]  # it is a dict, as named says


def _text(turn: object) -> str:
    texts = [part.get("text") for part in _parts(turn)]
    if not all(isinstance(text, str) for text in texts):
        raise Refusal("not_text", "a system prompt with a part that is not text")
    return "".join(str(text) for text in texts)


def _parts(turn: object) -> list[Value]:
    parts = turn.get("parts") if isinstance(turn, dict) else None
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise Refusal("bad_message", "a turn without parts")
    return parts
