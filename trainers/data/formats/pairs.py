"""Rows of one question and one answer: prompt and completion, Alpaca, and tables whose columns have telling names."""

import re

from trainers.data.formats.chat import message
from trainers.data.parsing import Refusal

Value = dict[str, object]
QUESTION = (
    "prompt",
    "question",
    "input",
    "instruction",
    "user",
    "query",
    "text",
    "message",
    "ticket",
    "request",
    "utterance",
    "sentence",
    "q",
)
ANSWER = (
    "completion",
    "answer",
    "output",
    "response",
    "assistant",
    "target",
    "reply",
    "label",
    "category",
    "class",
    "intent",
    "a",
)
SYSTEM = ("system", "system_prompt", "system_message")
UNDERSTOOD = (
    f"the question may be called {', '.join(QUESTION)}; its answer {', '.join(ANSWER)}; "
    f"a system prompt, if there is one, {', '.join(SYSTEM)}"
)
"""The names of columns that are understood, for a sentence."""
_ELSEWHERE = (
    *("chosen", "rejected", "preferred_output", "non_preferred_output"),
    *("messages", "contents", "conversations", "tools", "metadata", "history"),
)
"""Keys of other formats."""
_LETTERS = ("q", "a")  # they tell question and answer only beside each other, or beside a whole word
_ANYTHING = re.compile(
    r"|[a-z]|\W*|[\W\d_]*|(?:col|column|field|var|variable|value|unnamed|spalte|feld|colonne|columna)[\W\d_]*[a-z]?"
    r"|foo|bar|baz|qux|x\d|y\d|id|uuid|key|index|idx|row|nr|no|num|number|line|lang|language|date|time|timestamp"
    r"|created(?:_at)?|score|weight|source|url|split|null|none|nan"
)
"""Names of columns from which nobody can tell what stands in them, or which hold something beside the rows."""


def from_prompt(value: Value) -> Value:
    """Turn prompt and completion, each a text or messages, into a chat."""
    asked, answered = value["prompt"], value["completion"]
    turns = _turns(asked, "user", "prompt") + _turns(answered, "assistant", "completion")
    return {"messages": _system(value) + turns}


def from_alpaca(value: Value) -> Value:
    """Turn instruction, input and output into a chat; the input follows the instruction after an empty line."""
    extra = value.get("input")
    asked = _text(value["instruction"], "instruction")
    if extra not in (None, ""):
        asked = f"{asked}\n\n{_text(extra, 'input')}"
    turns = [*_history(value.get("history")), _turn("user", asked)]
    turns.append(_turn("assistant", _text(value["output"], "output")))
    return {"messages": _system(value) + turns}


class _Table:
    """Rows of a table, or objects that look like one: a column for the question, one for the answer."""

    def fits(self, value: Value) -> bool:
        """Say whether the names of the columns tell which is which."""
        return columns(list(value)) is not None

    def __call__(self, value: Value) -> Value:
        """Turn a row into a chat."""
        found = columns(list(value))
        if found is None:
            raise Refusal("no_messages", "no column for the question and one for the answer")
        asked, answered = found
        turns = [
            _turn("user", _text(value[asked], "question")),
            _turn("assistant", _text(value[answered], "answer")),
        ]
        return {"messages": _system(value) + turns}


from_table = _Table()


def columns(names: list[str]) -> tuple[str, str] | None:
    """Name the columns of question and answer; None where they do not tell themselves apart.

    Of two columns one that is known tells the other, unless that one's name could mean anything.
    """
    plain = {plain_name(name): name for name in reversed(names)}
    answered = next((plain[name] for name in ANSWER if name in plain), None)
    asked = next((plain[name] for name in QUESTION if name in plain and plain[name] != answered), None)
    if len(names) == 2 and (asked is None) is not (answered is None):
        known = asked or answered
        other = next(name for name in names if name != known)
        meant = plain_name(other)
        if meant in (*QUESTION, *ANSWER, *SYSTEM, *_ELSEWHERE) or _ANYTHING.fullmatch(meant):
            return None
        if plain_name(str(known)) in _LETTERS:
            return None
        return (str(known), other) if asked else (other, str(known))
    return None if asked is None or answered is None else (asked, answered)


def plain_name(name: str) -> str:
    """Spell the name of a column in small letters, its words joined."""
    return name.strip().casefold().replace(" ", "_")


def _system(value: Value) -> list[Value]:
    plain = {plain_name(name): name for name in value}
    name = next((plain[name] for name in SYSTEM if name in plain), None)
    if name is None or value[name] in (None, ""):
        return []
    return [_turn("system", _text(value[name], "system prompt"))]


def _history(history: object) -> list[Value]:
    """Turn Alpaca's earlier rounds, pairs of texts, into turns."""
    if history is None:
        return []
    if not isinstance(history, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in history):
        raise Refusal("bad_message", "a history that is no list of pairs")
    roles = ("user", "assistant")
    return [_turn(role, _text(text, "history")) for pair in history for role, text in zip(roles, pair, strict=True)]


def _turns(value: object, role: str, name: str) -> list[Value]:
    if isinstance(value, list) and value:
        return [message(item) for item in value]
    return [_turn(role, _text(value, name))]


def _turn(role: str, content: str) -> Value:
    return {"role": role, "content": content}


def _text(value: object, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refusal("not_text", f"a {name} that is not text")
    return value if isinstance(value, str) else str(value)
