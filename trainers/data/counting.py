"""How many tokens a chat row has for a target, and how many of them are trained on; it does not know limits.

For OpenAI's models they are counted with o200k_base; for an open model with its own tokenizer and chat template, and
the mask is the one of `trainers/scripts/chat.py`; for other models o200k_base serves as an estimate.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from trainers.data.chat_templates import TemplateRefused, template_in
from trainers.data.formats.chat import said
from trainers.data.vocabularies import o200k

_PER_MESSAGE, _PER_NAME, _REPLY = 3, 1, 3  # OpenAI's cookbook, How_to_count_tokens_with_tiktoken.ipynb
_PIECE = 20_000  # characters encoded at once: the time for one endless word grows faster than its length


class Counted(NamedTuple):
    """Tokens of one row."""

    total: int
    """All of them."""
    trained: int
    """Those that carry loss."""


class CountRow(Protocol):
    """Counts the tokens of a row."""

    exact: bool
    """Whether the target counts so, or this is an estimate."""
    how: str
    """What counted, for a sentence."""

    def __call__(self, chat: Mapping[str, Any], most: int) -> Counted:
        """Count a row in the chat shape, of which the first `most` tokens are read; raises TemplateRefused."""


class ByO200k:
    """Counts as OpenAI does for chat models since gpt-4o."""

    def __init__(self, *, exact: bool) -> None:
        """Take whether the target reads with this vocabulary."""
        self.exact = exact
        self.how = "o200k_base" if exact else "an estimate with o200k_base"
        self._length = _encoded(o200k().encode_ordinary)

    def __call__(self, chat: Mapping[str, Any], most: int) -> Counted:
        """Count a row; answers of weight 0 are not trained on."""
        total = trained = 0
        for turn in chat["messages"]:
            length = self._length(said(turn))
            total += _PER_MESSAGE + 1 + length + (_PER_NAME + self._length(str(turn["name"])) if "name" in turn else 0)
            if turn["role"] == "assistant" and turn.get("weight") != 0 and total <= most:
                trained += length
        return Counted(total + _REPLY, trained)


class ByModel:
    """Counts with the tokenizer and chat template of a model's folder, masked as our training script masks."""

    exact = True

    def __init__(self, folder: Path) -> None:
        """Take the folder; raises UserError where the files are not there."""
        from tokenizers import Tokenizer  # 0.1 s that only counting pays

        self._template = template_in(folder)
        encoder = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._length = _encoded(lambda text: encoder.encode(text, add_special_tokens=False).ids)
        self.how = f"the tokenizer of {folder.name}"

    def __call__(self, chat: Mapping[str, Any], most: int) -> Counted:
        """Count a row as it is trained: each reply apart from what precedes it."""
        turns = [{"role": turn["role"], "content": turn["content"]} for turn in chat["messages"]]
        total = trained = 0
        rendered = ""
        for index, turn in enumerate(chat["messages"]):
            if turn["role"] != "assistant" or turn.get("weight") == 0:
                continue
            prompt = self._template.render(turns[:index], waiting=True)
            whole = self._template.render(turns[: index + 1], waiting=False)
            if not prompt.startswith(rendered) or not whole.startswith(prompt):
                raise TemplateRefused
            reply = whole[len(prompt) :].rstrip()
            total += self._length(prompt[len(rendered) :])
            answer = self._length(reply) if turn["content"].strip() else 0
            trained += min(answer, max(0, most - total))
            total += answer
            rendered = prompt + reply
        return Counted(total, trained)


@lru_cache(maxsize=4)
def counter(vocabulary: str, folder: Path | None = None) -> CountRow:
    """Return what counts for a target: a model's own files where they are at hand, else o200k_base."""
    if folder is not None and vocabulary != "o200k_base":
        return ByModel(folder)
    return ByO200k(exact=vocabulary == "o200k_base")


def _encoded(encode: Callable[[str], list[int]]) -> Callable[[str], int]:
    """Measure texts, remembering those that come again and again, such as a system prompt."""

    @lru_cache(maxsize=256)
    def known(text: str) -> int:
        return len(encode(text))

    def length(text: str) -> int:
        if len(text) <= _PIECE:
            return known(text)
        return sum(len(encode(text[start : start + _PIECE])) for start in range(0, len(text), _PIECE))

    return length
