"""Vertex's rows: `contents` of role and parts; the assistant is called model and the system prompt stands apart."""

from trainers.data.parsing import Refusal

Value = dict[str, object]
_ROLES = {"user": "user", "model": "assistant"}
_BACK = {"user": "user", "assistant": "model"}


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
            raise Refusal("bad_message", "a turn without a role")
        if role == "assistant":
            raise Refusal("unknown_role", "the role assistant, which Vertex calls model")
        messages.append({"role": _ROLES.get(role, role), "content": _text(turn)})
    return {"messages": messages}


def to_vertex(chat: Value) -> Value:
    """Write a chat as Vertex reads it; raises `Refusal` where Vertex has no place for something."""
    row: Value = {}
    contents: list[Value] = []
    for turn in chat["messages"]:  # type: ignore[attr-defined]  # the chat shape
        if turn["role"] == "system":
            row["systemInstruction"] = {"role": "system", "parts": [{"text": turn["content"]}]}
        elif turn.get("tool_calls") or turn["role"] not in _BACK:
            raise Refusal("format_mismatch", "a tool call, which is not written for Vertex here")
        elif turn.get("weight") == 0:
            raise Refusal("format_mismatch", "a weight of 0, which Vertex does not know")
        else:
            contents.append({"role": _BACK[turn["role"]], "parts": [{"text": turn["content"]}]})
    return row | {"contents": contents}


def _text(turn: object) -> str:
    parts = turn.get("parts") if isinstance(turn, dict) else None
    if isinstance(turn, dict) and isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not parts:
        raise Refusal("bad_message", "a turn without parts")
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise Refusal("not_text", "a part that is not text")
    return "".join(str(text) for text in texts)
