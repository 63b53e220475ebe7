"""Rules about how many rows there are, how long each is, and how many of its tokens are trained on."""

import statistics
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trainers.data.chat_templates import TemplateRefused
from trainers.data.counting import CountRow
from trainers.data.enough import PROVABLE, missing
from trainers.data.findings import Finding, Spots, block, lines_are, lines_have, plural, tell, warn
from trainers.data.formats.preference import worse_side
from trainers.data.limits import TargetLimits
from trainers.data.rules.view import View

LEAST_TEST_ROWS = 20  # below this no verdict can be PASS (the success rule's minimum)
_MARGIN = 1.1  # an estimate over the limit by less than this is a warning only
# OpenAI's cookbook, Chat_finetuning_data_prep.ipynb: how often a small or a huge file is gone through.
_EPOCHS, _LEAST_SEEN, _MOST_SEEN, _MOST_EPOCHS = 3, 100, 25_000, 25


class TokenStats(NamedTuple):
    """Tokens per row after the chat template."""

    total: int
    """Sum over all rows."""
    median: int
    """Half of the rows have at most so many."""
    p95: int
    """19 of 20 rows have at most so many."""
    most: int
    """The longest row."""


class Rows:
    """Blocks too few rows, warns about few, in both files."""

    def __init__(self, limits: TargetLimits) -> None:
        """Take what the target accepts."""
        self._limits = limits
        self.count = 0
        self.test: int | None = None

    def see(self, _: View) -> None:
        """Count a training row."""
        self.count += 1

    def findings(self) -> Iterator[Finding]:
        """Say whether there are enough."""
        limits, have = self._limits, f"That file has {plural(self.count, 'row')}"
        if self.count < limits.least_rows:
            fix = f"Add at least {plural(limits.least_rows - self.count, 'row')} that show what you want."
            if self.test is None and missing(self.count):
                fix += f" A test is cut out of the same file: {PROVABLE} rows in all are enough for both."
            message = f"{have} that I can use; training needs at least {limits.least_rows}."
            yield block("too_few_rows", (), message, fix)
        elif self.count < limits.good_rows:
            message = f"{have}. That can be enough for a narrow task; {limits.good_rows} or more are safer."
            yield warn("few_rows", (), message, "Add rows, first of all for the hard and the rare cases.")
        if self.count > limits.rows:
            message = f"{have}; {limits.target} takes {limits.rows:,} at most."
            yield block("too_many_rows", (), message, "Keep the best rows; past some thousands more rarely helps.")
        if self.test is not None and self.test < LEAST_TEST_ROWS:
            message = (
                f"The test file has {plural(self.test, 'row')}; below {LEAST_TEST_ROWS} no result can count as proof."
            )
            fix = f"Add test rows until there are at least {LEAST_TEST_ROWS}, better 50."
            yield warn("few_test_rows", (), message, fix)


class Tokens:
    """Blocks rows longer than the target reads and rows without a token to learn; reports what a run would read."""

    def __init__(self, limits: TargetLimits, count: CountRow | None) -> None:
        """Take what the target accepts, and what counts; without it only weights are looked at."""
        self._limits, self._count = limits, count
        self._lengths = array("I")
        self._long, self._perhaps, self._idle, self._refused = Spots(), Spots(), Spots(), Spots()
        self._trained = 0
        self._paired = False

    def see(self, view: View) -> bool:
        """Count a row, and say whether it is too long or teaches nothing."""
        answers = [turn for turn in view.value["messages"] if turn["role"] == "assistant"]
        idle = bool(answers) and all(turn.get("weight") == 0 for turn in answers)
        if idle:
            self._idle.add(view.line)
        return self._counted(view, answers) or idle

    def _counted(self, view: View, answers: Sequence[Mapping[str, Any]]) -> bool:
        if self._count is None:
            return False
        most, sides = self._limits.row_tokens, [view.value]
        if "rejected" in view.value:
            self._paired = True
            sides.append(worse_side(view.value))
        try:
            counted = [self._count(side, most) for side in sides]
        except TemplateRefused:
            self._refused.add(view.line)
            return True
        total, trained = max(one.total for one in counted), min(one.trained for one in counted)
        self._lengths.append(min(sum(one.total for one in counted), 2**32 - 1))
        self._trained += sum(one.trained for one in counted)
        if total > most * (1 if self._count.exact else _MARGIN):
            self._long.add(view.line)
        elif total > most:
            self._perhaps.add(view.line)
            return False
        elif not trained and any(turn["content"].strip() for turn in answers):
            self._idle.add(view.line)
        else:
            return False
        return True

    @property
    def stats(self) -> TokenStats | None:
        """Figures over all rows; None where nobody counts."""
        if not self._lengths:
            return None
        ordered = sorted(self._lengths)
        p95 = ordered[max(0, -(-95 * len(ordered) // 100) - 1)]
        return TokenStats(sum(ordered), int(statistics.median(ordered)), p95, ordered[-1])

    def findings(self) -> Iterator[Finding]:
        """Say which rows do not fit or teach nothing."""
        most = self._limits.row_tokens
        if self._long:
            message = f"{lines_are(self._long)} longer than {most:,} tokens, the most that training reads of a row."
            yield block("row_too_long", self._long, message, "Shorten the row or split it; I never cut rows silently.")
        if self._perhaps:
            message = f"{lines_are(self._perhaps)} perhaps longer than {most:,} tokens, by an estimate."
            yield warn("row_maybe_too_long", self._perhaps, message, "Shorten the row or split it.")
        if self._idle:
            message = f"{lines_have(self._idle)} no token that is trained on, so nothing is learned from it."
            fix = "Give an answer of the row a weight of 1, or drop the row."
            yield block("no_trainable_tokens", self._idle, message, fix)
        if self._refused:
            message = f"{lines_have(self._refused)} turns that this model's chat template refuses or rewrites."
            fix = "Split the conversation into rows with one reply each, or choose another base."
            yield block("template_refuses", self._refused, message, fix)

    def told(self) -> Iterator[Finding]:
        """Report the histogram and what a run is billed for."""
        if not self._lengths or self._count is None:
            return
        limit, epochs = self._limits.row_tokens * (1 + self._paired), _epochs(len(self._lengths))
        once = sum(min(length, limit) for length in self._lengths)
        spread = ", ".join(f"{name} {count:,}" for name, count in self.histogram().items())
        yield tell("token_histogram", f"Tokens a row ({self._count.how}): {spread}.")
        if self._paired:
            said = "each question twice, once with each answer. How a provider bills pairs is its own affair"
            yield tell("billed_tokens", f"{once:,} tokens once through: {said}.")
            return
        share = f"{100 * self._trained / max(1, sum(self._lengths)):.0f}%"
        billed = f"{once:,} tokens once through, {once * epochs:,} billed at {plural(epochs, 'epoch')}"
        yield tell("billed_tokens", f"{billed}; {share} are trained on.")

    def histogram(self) -> dict[str, int]:
        """Count rows by powers of two of their tokens."""
        counts: dict[int, int] = {}
        for length in self._lengths:
            counts[length.bit_length()] = counts.get(length.bit_length(), 0) + 1
        return {f"under {1 << bits:,}": counts[bits] for bits in sorted(counts)}


def _epochs(rows: int) -> int:
    """Return how often a provider goes through a file if nobody says so."""
    if rows * _EPOCHS < _LEAST_SEEN:
        return min(_MOST_EPOCHS, _LEAST_SEEN // rows)
    return max(1, _MOST_SEEN // rows) if rows * _EPOCHS > _MOST_SEEN else _EPOCHS
