"""Preference pairs, for DPO: a question, the better answer and the worse one, in OpenAI's and Hugging Face's shapes."""

from trainers.data.formats.chat import from_chat, message, written
from trainers.data.formats.pairs import _text, _turn, _turns
from trainers.data.parsing import Refusal

Value = dict[str, object]
_BESIDE = ("tools", "parallel_tool_calls", "functions")


def from_openai_pair(value: Value) -> Value:
    """Turn input, preferred and non-preferred output into a chat with a rejected answer."""
    asked = value.get("input")
    if not isinstance(asked, dict):
        raise Refusal("no_messages", "an input that is not an object with messages")
    chat = from_chat(asked)
    turns: list[Value] = chat["messages"]  # type: ignore[assignment]  # the chat shape
    better, worse = (_only(_messages(value[name], name)) for name in ("preferred_output", "non_preferred_output"))
    return chat | {"messages": turns + better, "rejected": worse}


def from_pair(value: Value) -> Value:
    """Turn prompt, chosen and rejected, each a text or messages, into a chat with a rejected answer."""
    asked = value.get("prompt", value.get("question", value.get("instruction")))
    better, worse = value["chosen"], value["rejected"]
    if asked is None:
        return _without_prompt(better, worse)
    turns = _turns(asked, "user", "prompt")
    system = value.get("system")
    if isinstance(system, str) and system and turns[0]["role"] != "system":
        turns.insert(0, _turn("system", system))
    answers = [
        _only(_after(turns, _turns(answer, "assistant", name)))
        for answer, name in ((better, "chosen"), (worse, "rejected"))
    ]
    return {"messages": turns + answers[0], "rejected": answers[1]}


def to_openai_pair(chat: Value) -> Value:
    """Write a chat with a rejected answer as OpenAI reads it."""
    asked, better = _halves(chat)
    given: Value = {"messages": _written(asked)} | {key: chat[key] for key in _BESIDE if key in chat}
    return {"input": given, "preferred_output": _written(better), "non_preferred_output": _written(chat["rejected"])}


def to_pair(chat: Value) -> Value:
    """Write a chat with a rejected answer as Hugging Face's trainers read it."""
    asked, better = _halves(chat)
    tools: Value = {"tools": chat["tools"]} if "tools" in chat else {}
    return {"prompt": _written(asked), "chosen": _written(better), "rejected": _written(chat["rejected"])} | tools


def worse_side(chat: Value) -> Value:
    """Return a pair's conversation with its worse answer, in the chat shape."""
    asked, _ = _halves(chat)
    return {key: value for key, value in chat.items() if key != "rejected"} | {"messages": asked + chat["rejected"]}  # type: ignore[operator]  # the chat shape


def _written(turns: object) -> list[Value]:
    return [written(turn) for turn in turns]  # type: ignore[attr-defined]  # the chat shape


def _halves(chat: Value) -> tuple[list[Value], list[Value]]:
    turns: list[Value] = chat["messages"]  # type: ignore[assignment]  # the chat shape
    return turns[:-1], turns[-1:]


def _without_prompt(better: object, worse: object) -> Value:
    """Two whole conversations that differ in their last turn."""
    if not (isinstance(better, list) and isinstance(worse, list) and len(better) > 1 and len(worse) > 1):
        raise Refusal("no_messages", "a preference pair without its prompt")
    turns, others = [message(item) for item in better], [message(item) for item in worse]
    if turns[:-1] != others[:-1]:
        raise Refusal("preference_form", "two answers to different conversations")
    return {"messages": turns[:-1] + _only(turns[-1:]), "rejected": _only(others[-1:])}


def _after(asked: list[Value], answer: list[Value]) -> list[Value]:
    """Take the prompt off an answer that repeats it, with its system message or without."""
    for repeated in (asked, asked[1:] if asked[0]["role"] == "system" else asked):
        if len(answer) > len(repeated) and answer[: len(repeated)] == repeated:
            return answer[len(repeated) :]
    return answer


def _only(answer: list[Value]) -> list[Value]:
    """Return the one message that an answer is: of several the first would be context of its own, not of both."""
    if len(answer) != 1:
        raise Refusal("preference_form", "a better or worse answer of more than one message")
    if answer[0]["role"] != "assistant":
        raise Refusal("last_not_assistant", "a better or worse answer that is not the assistant's")
    return answer


def _messages(value: object, name: str) -> list[Value]:
    if isinstance(value, str):
        return [_turn("assistant", _text(value, name))]
    if not isinstance(value, list) or not value:
        raise Refusal("no_messages", f"a {name} that is no list of messages")
    return [message(item) for item in value]
