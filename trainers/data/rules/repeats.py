"""Rules about rows that repeat or contradict each other, within the training file and across to the test file.

A row is held as a few hashes; texts lie on disk. Memory grows by some 60 bytes a row.
"""

import re
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainers.data.findings import Finding, Spots, block, lines_are, lines_have, name_lines, plural, warn
from trainers.data.hashes import short_hash
from trainers.data.likeness import NearPair, canonical
from trainers.data.near import Ends, near_texts
from trainers.data.rules.view import View
from trainers.data.spool import Spool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_EXPLAINED = 3  # groups spelled out in a message
_LOOKED_AT = 8000  # characters of a question that are kept for comparison; likeness looks at 2,000 after common ends
_DIGIT = re.compile(r"\d")


class Asked:
    """The questions of one file with their answers, as hashes."""

    def __init__(self) -> None:
        """Start without a row."""
        self.lines = array("Q")
        self.inputs, self.keys, self.answers = array("Q"), array("Q"), array("Q")
        self._system = ("", short_hash(""))

    def see(self, view: View) -> str:
        """Take a row into account and return its folded question, which is empty where nothing is asked."""
        asked = view.folded_prompt
        if asked:
            self.lines.append(view.line)
            self.inputs.append(short_hash(asked))
            self.keys.append(self.inputs[-1] ^ self._hash_system(view.row.system))
            self.answers.append(short_hash(view.folded_target))
        return asked

    def _hash_system(self, system: str) -> int:
        if system != self._system[0]:
            self._system = (system, short_hash(canonical(system)))
        return self._system[1]


class Repeats:
    """Blocks what is in the test file too; warns about contradictions, duplicates and what is nearly so."""

    def __init__(self) -> None:
        """Start without a row."""
        self.asked, self.test = Asked(), Asked()
        self._texts, self._tested, self._ends = Spool(), Spool(), Ends()

    def see_test(self, view: View) -> None:
        """Take a row of the test file into account."""
        asked = self.test.see(view)
        if asked:
            self._tested.add(_DIGIT.sub("0", asked[:_LOOKED_AT]))

    def see(self, view: View) -> None:
        """Take a training row into account."""
        asked = self.asked.see(view)
        if asked:
            folded = _DIGIT.sub("0", asked[:_LOOKED_AT])
            self._texts.add(folded)
            self._ends.see(folded)

    def findings(self) -> Iterator[Finding]:
        """Say what repeats."""
        yield from self._overlap()
        yield from self._contradictions()
        for text in self._tested:  # behind the training rows, with which they are compared
            self._texts.add(text)
        yield from self._near()

    def close(self) -> None:
        """Let the texts on disk go."""
        self._texts.close()
        self._tested.close()

    def _overlap(self) -> Iterator[Finding]:
        if not self.test.inputs:
            return
        tested = set(self.test.inputs)
        pairs = zip(self.asked.lines, self.asked.inputs, strict=True)
        lines = Spots(line for line, asked in pairs if asked in tested)
        if lines:
            message = f"{lines_are(lines)} in the test file too, so the test would measure memory."
            yield block("test_overlap", lines, message, "Remove these rows from one of the two files.")

    def _contradictions(self) -> Iterator[Finding]:
        clashing, repeats, examples, count = _compare(self.asked)
        if count:
            said = "; ".join(name_lines(group) for group in examples)
            message = f"{plural(count, 'input')} with more than one answer ({said}). A model can't learn both."
            fix = "Keep the right answer of each, or say in the input what makes the difference."
            yield warn("contradiction", clashing, message, fix)
        if repeats:
            message = f"{lines_are(repeats)} a repeat of an earlier row and would weigh double."
            yield warn("duplicate", repeats, message, "Remove the repeats.")

    def _near(self) -> Iterator[Finding]:
        known = len(self.asked.lines)
        inputs = self.asked.inputs + self.test.inputs
        twins, leaks, count = bytearray(known), bytearray(known), 0
        tested: set[int] = set()
        examples: list[NearPair] = []
        taught = set(self.asked.inputs) if self.test.inputs else set()
        for pair in near_texts(self._texts, self._ends, known):
            if pair.later >= known:
                if inputs[pair.later] not in taught:
                    leaks[pair.earlier] = True
                    tested.add(pair.later - known)
            elif inputs[pair.earlier] != inputs[pair.later]:
                twins[pair.earlier] = twins[pair.later] = True
                count += 1
                examples = sorted([*examples, pair], key=lambda found: found.later)[:MOST_EXPLAINED]
        yield from self._tell_twins(self._lines(twins), examples, count)
        yield from self._tell_leaks(self._lines(leaks), sorted(tested))

    def _lines(self, flags: bytearray) -> Spots:
        return Spots(line for line, flag in zip(self.asked.lines, flags, strict=True) if flag)

    def _tell_twins(self, lines: Spots, examples: list[NearPair], count: int) -> Iterator[Finding]:
        if not lines:
            return
        of = self.asked.lines
        said = "; ".join(f"{of[pair.later]} like {of[pair.earlier]}" for pair in examples)
        message = f"{plural(count, 'row')} nearly repeating an earlier one (line {said}). They teach little."
        yield warn(
            "near_duplicate", lines, message, "Keep one of each, and write rows that differ in more than a word."
        )

    def _tell_leaks(self, lines: Spots, tested: list[int]) -> Iterator[Finding]:
        if not lines:
            return
        there = name_lines([self.test.lines[place] for place in tested])
        message = f"{lines_have(lines)} nearly the same input in the test file (there: {there})."
        fix = "Replace them in the test file; the score would be too good to be true."
        yield warn("near_leak", lines, message, fix)


def _compare(asked: Asked) -> tuple[Spots, Spots, list[list[int]], int]:
    """Return lines that contradict each other, lines that repeat one, the first few groups, and their number."""
    import numpy as np

    clashing, repeats = bytearray(len(asked.lines)), bytearray(len(asked.lines))
    groups: list[list[int]] = []
    count = 0
    for group in _groups(np.frombuffer(asked.keys, dtype=np.uint64) if asked.keys else np.zeros(0, dtype=np.uint64)):
        seen: set[int] = set()
        for place in group:
            repeats[place] = asked.answers[place] in seen
            seen.add(asked.answers[place])
        if len(seen) > 1:
            count += 1
            groups = sorted([*groups, group[:100]])[:MOST_EXPLAINED]
            for place in group:
                clashing[place] = True
    clashes, twice = (
        Spots(line for line, flag in zip(asked.lines, flags, strict=True) if flag) for flags in (clashing, repeats)
    )
    return clashes, twice, [[asked.lines[place] for place in group] for group in groups], count


def _groups(keys: "NDArray[np.uint64]") -> Iterator[list[int]]:
    """Yield the positions of equal keys, where there are several."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    sizes = np.diff(np.r_[starts, len(order)])
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        yield order[start : start + size].tolist()
