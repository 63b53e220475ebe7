"""Rules about a closed set of labels: balance, spelling, and whether training covers what is tested and declared."""

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from heapq import merge

from trainers.data.findings import Finding, Spots, plural, warn
from trainers.data.hashes import short_hash
from trainers.data.labels import MOST_CHARACTERS, MOST_LABELS, MOST_WORDS, ROWS_PER_LABEL
from trainers.data.likeness import canonical
from trainers.data.rules.view import View

RATIO = 5  # the commonest label may have so many times the rows of the rarest
EVEN = 2  # times the rarest that the commonest label may have to be called even
LEAST_PER_LABEL = 5  # rows; fewer can hardly be learned and cannot be tested
_MOST_SPELLINGS = 1000
_SENTENCE = re.compile(r"[.\n;!?]+(?:\s|$)|\n|:")
_PARTS = re.compile(r"\s*(?:,|/|\||\bor\b|\band\b|\boder\b|\bund\b|\bou\b|\bo\b|\by\b)\s*", re.IGNORECASE)


class Labels:
    """The answers of a file, as long as they may be a closed set of labels."""

    def __init__(self) -> None:
        """Start without a row."""
        self.rows = 0
        self.spellings: dict[str, Counter[str]] | None = {}
        self.spots: dict[tuple[str, str], Spots] = {}

    def see(self, view: View) -> None:
        """Take a row into account."""
        self.rows += 1
        if self.spellings is None:
            return
        label, spelled = view.folded_target, view.row.target.strip()
        if not _may_be_label(label) or len(self.spots) > _MOST_SPELLINGS:
            self.spellings, self.spots = None, {}
            return
        self.spellings.setdefault(label, Counter())[spelled] += 1
        self.spots.setdefault((label, spelled), Spots()).add(view.line)
        if len(self.spellings) > MOST_LABELS:
            self.spellings, self.spots = None, {}

    def closed(self) -> dict[str, int] | None:
        """Count the labels under their commonest spelling, commonest first; None for free text."""
        spellings = self.spellings
        if not spellings or len(spellings) > self.rows // ROWS_PER_LABEL:
            return None
        counts = Counter({spelled.most_common(1)[0][0]: spelled.total() for spelled in spellings.values()})
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def lines(self, wanted: set[tuple[str, str]]) -> Spots:
        """Return the lines with these labels in these spellings."""
        return Spots(merge(*(self.spots[key] for key in wanted if key in self.spots)))


class LabelRules:
    """Warns about labels that are rare, spelled in several ways, tested but not taught, or declared but not taught."""

    def __init__(self) -> None:
        """Start without a row."""
        self.labels = Labels()
        self._tested = (array("Q"), array("Q"))
        self._declared: str | None = None

    def see(self, view: View) -> None:
        """Take a training row into account."""
        self.labels.see(view)
        if self._declared is None:
            self._declared = f"{view.row.system}\n{view.prompt[:2000] if not view.row.system else ''}"

    def see_test(self, view: View) -> None:
        """Take a test row into account."""
        self._tested[0].append(view.line)
        self._tested[1].append(short_hash(view.folded_target))

    def findings(self) -> Iterator[Finding]:
        """Say what is wrong with the labels, if there are labels."""
        labels = self.labels.closed()
        if not labels:
            return
        if len(labels) == 1:
            message = "Every answer is the same. A model would learn to say it always."
            yield warn("label_balance", (), message, "Add rows with the other answers.")
        else:
            yield from self._balance(labels)
        yield from self._spelling()
        yield from self._covered(labels)
        yield from self._as_declared(labels)

    def _balance(self, labels: dict[str, int]) -> Iterator[Finding]:
        most, least = max(labels.values()), min(labels.values())
        rare = {canonical(label) for label, count in labels.items() if count < max(LEAST_PER_LABEL, most / RATIO)}
        even = most <= EVEN * least and sum(labels.values()) < LEAST_PER_LABEL * len(labels)
        if rare and not even:  # an even file that is too small for its labels is told so as few rows
            lines = self.labels.lines({key for key in self.labels.spots if key[0] in rare})
            named = f"{plural(len(rare), 'label')} of {len(labels)}"
            message = f"Unbalanced: the commonest label has {plural(most, 'row')}, the rarest {least}; {named} rare."
            fix = "Add rows for the rare labels, or merge labels that nobody needs apart."
            yield warn("label_balance", lines, message, fix)

    def _spelling(self) -> Iterator[Finding]:
        """Answers are compared as labels, but the model learns letters."""
        spellings = self.labels.spellings or {}
        usual = {label: counts.most_common(1)[0][0] for label, counts in spellings.items()}
        lines = self.labels.lines({key for key in self.labels.spots if key[1] != usual[key[0]]})
        if lines:
            several = sum(len(counts) > 1 for counts in spellings.values())
            message = (
                f"{plural(several, 'label')} in more than one spelling, such as a capital letter or a full stop more."
            )
            yield warn("label_spelling", lines, message, "Spell each label one way.")

    def _covered(self, labels: dict[str, int]) -> Iterator[Finding]:
        taught = {short_hash(canonical(label)) for label in labels}
        lines = Spots(line for line, digest in zip(*self._tested, strict=True) if digest not in taught)
        if lines:
            message = (
                f"{plural(len(lines), 'test row')} with an answer that no training row has (lines of the test file)."
            )
            yield warn("label_untaught", lines, message, "Add training rows for it, or correct the test rows.")

    def _as_declared(self, labels: dict[str, int]) -> Iterator[Finding]:
        """Compare the labels with those that the prompt lists, if it plainly lists them."""
        taught = {canonical(label) for label in labels}
        declared = declared_labels(self._declared or "", taught)
        missing, other = declared - taught, taught - declared if declared else set()
        if missing:
            message = (
                f"The prompt lists {plural(len(declared), 'label')}; {len(missing)} of them no row has as its answer."
            )
            yield warn("label_missing", (), message, "Add rows for them, or take them out of the prompt.")
        if other:
            lines = self.labels.lines({key for key in self.labels.spots if key[0] in other})
            message = f"{plural(len(other), 'label')} among the answers that the prompt's list does not have."
            yield warn(
                "label_undeclared", lines, message, "Correct the answers, or add them to the list in the prompt."
            )


def declared_labels(prompt: str, taught: set[str]) -> set[str]:
    """Return the labels that a prompt lists, folded; empty unless half of a list in it are labels that are taught.

    >>> sorted(declared_labels("Label as billing, shipping or account.", {"billing", "shipping"}))
    ['account', 'billing', 'shipping']
    """
    for sentence in _SENTENCE.split(prompt[:5000]):
        parts = [canonical(part.strip(" \t\"'`*()[].-")) for part in _PARTS.split(sentence)]
        parts = [part for part in parts if part]
        if len(parts) < 2:
            continue
        opening = next(
            (label for label in sorted(taught, key=len, reverse=True) if parts[0].endswith(f" {label}")), None
        )
        closing = next((label for label in taught if parts[-1].startswith(f"{label} ")), None)
        listed = {opening or parts[0], *parts[1:-1], closing or parts[-1]}
        named = {part for part in listed if part in taught or len(part.split()) <= 2}
        if len(listed & taught) >= max(2, len(listed) / 2) and len(named) >= len(listed) - 1:
            return named
    return set()


def _may_be_label(label: str) -> bool:
    return bool(label) and len(label) <= MOST_CHARACTERS and len(label.split()) <= MOST_WORDS
