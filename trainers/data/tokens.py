"""Knows how many tokens a row costs a model; it does not know prices."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

MARKS_PER_MESSAGE = 5
"""ChatML wraps each message in <|im_start|>, role, newline, <|im_end|>, newline: one token each for SmolLM2."""

MARKS_OF_OPENAI = 4
"""Tokens around each message of OpenAI's chat models: three marks and the role (OpenAI's cookbook)."""

MARKS_OF_REPLY = 3
"""Tokens that begin a reply, which the cookbook counts once a row."""

CHARACTERS_PER_TOKEN = 4
"""Rule of thumb for English, used only until the base's own tokenizer is on this machine."""


class HasContent(Protocol):
    """A message, as far as counting is concerned."""

    @property
    def content(self) -> str:
        """Its text."""


class TokenCount(NamedTuple):
    """Tokens of some rows, and whether the base's own tokenizer counted them."""

    tokens: int
    exact: bool


def count(rows: Iterable[Sequence[HasContent]], tokenizer: Path | None) -> TokenCount:
    """Count the tokens of rows in the base's chat format, once through; `tokenizer` is its tokenizer.json, if here."""
    exact = tokenizer is not None and tokenizer.exists()
    length = _exact(tokenizer) if exact and tokenizer else _estimate
    return TokenCount(sum(length(m.content) + MARKS_PER_MESSAGE for row in rows for m in row), exact)


@lru_cache(maxsize=4)  # reading one takes 0.1 s; a base's tokenizer never changes: its weights are pinned
def _exact(tokenizer: Path) -> Callable[[str], int]:
    from tokenizers import Tokenizer  # 0.1 s that only quotes pay

    encoder = Tokenizer.from_file(str(tokenizer))
    return lambda text: len(encoder.encode(text, add_special_tokens=False).ids)


class Split(NamedTuple):
    """Tokens of some rows once through, before and in the answers that are learned, and how they were counted."""

    prompt: int
    completion: int
    exact: bool
    basis: str
    """For people."""


def split(rows: Iterable[Sequence[HasContent]], encoding: str) -> Split:
    """Count prompts and answers (a row's last message) by the encoding of OpenAI's models named `encoding`.

    Without one that is at hand, by characters. OpenAI wraps each message in about four tokens and a reply in 3 more.
    """
    length = encoder(encoding)
    count_in = length or _estimate
    prompt = completion = 0
    for row in rows:
        prompt += sum(count_in(message.content) + MARKS_OF_OPENAI for message in row[:-1])
        completion += count_in(row[-1].content) + MARKS_OF_OPENAI + MARKS_OF_REPLY if row else 0
    basis = f"counted with {encoding}" if length else "estimated, four characters a token"
    return Split(prompt, completion, length is not None, basis)


def encoder(encoding: str) -> Callable[[str], int] | None:
    """Return what counts tokens as OpenAI's models do, offline; None for an encoding that is not at hand."""
    if encoding != "o200k_base":
        return None
    from trainers.data.vocabularies import o200k  # a second that only quotes and linting pay

    found = o200k()
    return lambda text: len(found.encode_ordinary(text))


def _estimate(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
