"""Says which drafted rows the place of their training may find too long, by an estimate; the linter counts exactly."""

import re
from collections.abc import Sequence

from trainers.data.limits import target_limits
from trainers.data.tokens import MARKS_PER_MESSAGE, encoder
from trainers.evals.generating.rows import TrainingDraft


def long_note(drafts: Sequence[TrainingDraft], target: str = "") -> str:
    """Say how many rows are perhaps too long to be trained on there, and what to do; "" where none is."""
    most = target_limits(target or "local").row_tokens
    long = sum(_tokens(draft) > most for draft in drafts)
    if not long:
        return ""
    reads = "a run on this machine reads" if target in ("", "local") else f"{target} reads of a row"
    what = f"{long} of {len(drafts)} rows may be longer than {most:,} tokens, the most that {reads}."
    return f"{what} Ask for fewer keys, lower `maxItems`, drop these rows, or train elsewhere; `luthier lint` counts."


def _tokens(draft: TrainingDraft) -> int:
    """Estimate the tokens: small models take each digit by itself, the vocabulary counted with takes three at once."""
    count = encoder("o200k_base") or (lambda text: len(text) // 3)
    texts = [message.content for message in draft.messages]
    return sum(count(text) + MARKS_PER_MESSAGE + 2 * len(re.findall(r"\d", text)) // 3 for text in texts)
