"""OpenAI's chat rows: what a message may hold, and the chat shape of it; roles and their order are judged elsewhere."""

import json
from collections.abc import Collection

from trainers.data.formats.pictures import check
from trainers.data.parsing import Refusal

Value = dict[str, object]
_KEPT = ("weight", "name", "tool_calls", "tool_call_id", "function_call")
WRITTEN = ("role", "content", "name", "tool_calls", "tool_call_id", "function_call", "weight")
"""The keys of a message that are written, in their order."""
_ROW_KEPT = ("tools", "parallel_tool_calls", "functions")


def from_chat(value: Value) -> Value:
    """Return a row with checked messages, their content as one text, and what belongs to tools."""
    messages = value.get("messages")
    if not isinstance(messages, list):
        raise Refusal("no_messages", 'no "messages" list')
    if not messages:
        raise Refusal("no_messages", 'an empty "messages" list')
    chat: Value = {"messages": [message(item) for item in messages]}
    for key in ("tools", "functions"):
        if not isinstance(value.get(key), list | None):
            raise Refusal("bad_message", f"{key} that are no list")
    return chat | {key: value[key] for key in _ROW_KEPT if value.get(key) is not None}


def message(item: object) -> Value:
    """Return a message with one text as its content; raises `Refusal` where it has none and calls nothing."""
    if not isinstance(item, dict):
        raise Refusal("bad_message", "a message that is not an object with role and content")
    role = item.get("role")
    if not isinstance(role, str):
        raise Refusal("unknown_role", "a message without a role")
    kept = {key: item[key] for key in _KEPT if item.get(key) is not None}
    if "weight" in kept and (isinstance(kept["weight"], bool) or kept["weight"] not in (0, 1)):
        raise Refusal("bad_message", "a weight other than 0 and 1")
    for key in ("name", "tool_call_id"):
        if key in kept and not isinstance(kept[key], str):
            raise Refusal("bad_message", f"a {key} that is no text")
    if "tool_calls" in kept:
        _check_calls(kept["tool_calls"])
    if "function_call" in kept:
        _check_function(kept["function_call"])
    content = _content(item, calling="tool_calls" in kept or "function_call" in kept)
    return {"role": role, "content": content} | _pictured(item) | kept


def _content(item: Value, *, calling: bool) -> str:
    content = item.get("content")
    if content is None and calling:
        return ""
    if content is None and "content" in item and item.get("role") == "assistant":
        raise Refusal("empty_target", "an assistant answer that is null and calls no tool")
    if "content" not in item:
        raise Refusal("bad_message", "a message without content")
    if isinstance(content, list):
        return _parts(content)
    if not isinstance(content, str):
        raise Refusal("not_text", "a message whose content is not text")
    return content


def _parts(parts: list[object]) -> str:
    """Join the texts of content that is written in parts; beside them there may be pictures, and nothing else."""
    if not parts:
        raise Refusal("not_text", "a message whose content is not text")
    texts = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "image_url" and isinstance(part, dict):
            check(part)
        elif kind == "text" and isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(str(part["text"]))
        else:
            raise Refusal("not_text", "a message with a part that is neither text nor a picture")
    return "\n".join(texts)


def _pictured(item: Value) -> Value:
    """Return the parts of a message that shows pictures, as they were; a message of texts only needs none."""
    content = item.get("content")
    return {"parts": content} if is_pictured(content) else {}


def is_pictured(content: object) -> bool:
    """Say whether a message's content has a picture among its parts."""
    return isinstance(content, list) and any(isinstance(part, dict) and "image_url" in part for part in content)


def _check_calls(calls: object) -> None:
    """Refuse tool calls of another shape than {"id", "type": "function", "function": {"name", "arguments"}}."""
    if not isinstance(calls, list) or not calls:
        raise Refusal("bad_message", "tool_calls that are no list of calls")
    for call in calls:
        _check_function(call.get("function") if isinstance(call, dict) else None)
        if not isinstance(call.get("id"), str | None):
            raise Refusal("bad_message", "a tool call whose id is no text")


def _check_function(function: object) -> None:
    """Refuse what is called in another shape than {"name", "arguments"}, both texts."""
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Refusal("bad_message", "a tool call without a function and its name")
    if not isinstance(function.get("arguments"), str):
        raise Refusal("bad_message", "a tool call whose arguments are not one text of JSON")


def written(turn: Value, kept: Collection[str] = WRITTEN) -> Value:
    """Return a message of the chat shape as OpenAI writes it: pictures in its content, null beside calls of tools."""
    plain = {key: turn[key] for key in WRITTEN if key in turn and key in kept}
    if "parts" in turn:
        plain["content"] = turn["parts"]
    if (turn.get("tool_calls") or turn.get("function_call")) and not turn["content"]:
        plain["content"] = None
    return plain


def said(turn: Value) -> str:
    """Return all that a message says: its text, then the tools that it calls."""
    calls = turn.get("tool_calls") or turn.get("function_call")
    text = str(turn["content"])
    return text if not calls else f"{text}\n{json.dumps(calls, ensure_ascii=False)}".strip()
