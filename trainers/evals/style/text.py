"""Takes a text apart into words, marks, sentences and character pieces, in linear time; it does not judge style."""

import re

import numpy as np
from numpy.typing import NDArray

from trainers.evals.style.limits import limits

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)*_]?\s+|(?<=[。！？])|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|vs|approx|No|Fig|St|Dr|Mr|Mrs|Ms|etc|cf|ca)|\b[A-Z])\.$")


def seen(text: str) -> str:
    """Return the part of a text that is looked at."""
    most: int = limits("text")["characters"]
    return text[:most]


def words(text: str) -> list[str]:
    """Return the words of a text, folded in case and apostrophes; `we're` is one word."""
    return [word.casefold().replace("’", "'") for word in _WORD.findall(seen(text))]


def tokens(text: str) -> list[str]:
    """Return words and marks in order, folded as in `words`; each mark and each emoji sign is one token."""
    return [token.casefold().replace("’", "'") for token in _TOKEN.findall(seen(text))]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order; a line break ends one, a common abbreviation does not."""
    found: list[str] = []
    open_part: list[str] = []
    start = 0
    cut = seen(text)
    ends = [(match.start(), match.end()) for match in _SENTENCE_END.finditer(cut)]
    for end, following in [*ends, (len(cut), len(cut))]:
        piece = cut[start:end].strip()
        start = following
        if piece:
            open_part.append(piece)
        if "\n" not in cut[end:following] and end < len(cut) and _ABBREVIATION.search(piece[-8:]):
            continue
        if open_part:
            found.append(" ".join(open_part))
            open_part = []
    return [sentence for sentence in found if any(character.isalnum() for character in sentence)]


def piece_hashes(text: str, sizes: range) -> NDArray[np.uint64]:
    """Hash every run of characters of the given sizes to a 64-bit number, whatever the script."""
    folded = " ".join(seen(text).casefold().split())
    codes = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    parts = [_hashes(codes, size) for size in sizes if len(codes) >= size]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)


def _hashes(codes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    last = len(codes) - size + 1
    sums = np.full(last, size, dtype=np.uint64)
    for offset in range(size):  # wraps modulo 2**64 on purpose
        sums = sums * np.uint64(0x100000001B3) + codes[offset : offset + last]
    sums ^= sums >> np.uint64(29)
    sums *= np.uint64(0xBF58476D1CE4E5B9)
    return sums ^ (sums >> np.uint64(32))
