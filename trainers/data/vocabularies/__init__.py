"""Vocabularies that are shipped: o200k_base, which OpenAI's models since gpt-4o read with, as OpenAI publishes it.

The ranks are the file whose hash is pinned in tiktoken and here, packed with xz; gpt-oss has them under Apache-2.0 too.
"""

import base64
import hashlib
import lzma
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

O200K_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_O200K = Path(__file__).with_name("o200k_base.tiktoken.xz")
_SUFFIX = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERN = "|".join(
    (
        rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+{_SUFFIX}",
        rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]+[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]*{_SUFFIX}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""How a text is cut before it is encoded."""


@cache  # half a second once
def o200k() -> "Encoding":
    """Return the encoding; raises ValueError if its file is not what OpenAI publishes."""
    from tiktoken import Encoding

    content = lzma.decompress(_O200K.read_bytes())
    if hashlib.sha256(content).hexdigest() != O200K_SHA256:
        raise ValueError("o200k_base.tiktoken.xz is not the published vocabulary")
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, content.splitlines())}
    special = {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}
    return Encoding("o200k_base", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)
