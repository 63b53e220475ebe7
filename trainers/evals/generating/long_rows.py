"""Says which drafted rows a run on this machine may find too long, by an estimate; the linter counts exactly."""

import re
from collections.abc import Sequence

from trainers.data.limits import target_limits
from trainers.data.tokens import MARKS_PER_MESSAGE, encoder
from trainers.evals.generating.rows import TrainingDraft


def long_note(drafts: Sequence[TrainingDraft]) -> str:
    """Say how many rows are perhaps too long to be trained on here, and what to do; "" where none is."""
    most = target_limits("local").row_tokens
    long = sum(_tokens(draft) > most for draft in drafts)
    if not long:
        return ""
    what = f"{long} of {len(drafts)} rows may be longer than {most} tokens, the most that a run on this machine reads."
    return f"{what} Ask for fewer keys, lower `maxItems`, drop these rows, or train elsewhere; `luthier lint` counts."


def _tokens(draft: TrainingDraft) -> int:
    """Estimate the tokens: small models take each digit by itself, the vocabulary counted with takes three at once."""
    count = encoder("o200k_base") or (lambda text: len(text) // 3)
    texts = [message.content for message in draft.messages]
    return sum(count(text) + MARKS_PER_MESSAGE + 2 * len(re.findall(r"\d", text)) // 3 for text in texts)
