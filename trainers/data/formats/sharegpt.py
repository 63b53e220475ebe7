"""ShareGPT's rows: turns of `from` and `value`, with names for the roles that differ from file to file."""

from trainers.data.parsing import Refusal

Value = dict[str, object]
ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant",
    "bard": "assistant", "model": "assistant", "bot": "assistant", "assistant": "assistant", "system": "system",
}  # fmt: skip
"""What speakers are called, and who they are in a chat."""


def from_sharegpt(value: Value) -> Value:
    """Turn conversations into a chat; a speaker that nobody knows keeps its name, which is then blocked."""
    turns = value.get("conversations", value.get("conversation"))
    if not isinstance(turns, list) or not turns:
        raise Refusal("no_messages", "conversations that are no list of turns")
    messages = [_turn(turn) for turn in turns]
    system = value.get("system")
    if isinstance(system, str) and system and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system})
    return {"messages": messages}


def _turn(turn: object) -> Value:
    if not isinstance(turn, dict):
        raise Refusal("bad_message", "a turn that is not an object")
    speaker, text = turn.get("from", turn.get("role")), turn.get("value", turn.get("content"))
    if not isinstance(speaker, str):
        raise Refusal("unknown_role", "a turn without a speaker")
    if not isinstance(text, str):
        raise Refusal("not_text", "a turn whose value is not text")
    kept = {"weight": turn["weight"]} if turn.get("weight") in (0, 1) else {}
    return {"role": ROLES.get(speaker.casefold(), speaker), "content": text} | kept
