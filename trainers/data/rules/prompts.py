"""Rules about system prompts: one in all training rows, and the same one in the test."""

from array import array
from collections import Counter
from collections.abc import Iterator

from trainers.data.findings import Finding, Spots, lines_have, name_lines, plural, warn
from trainers.data.hashes import short_hash
from trainers.data.likeness import canonical
from trainers.data.rules.view import View

_NONE = short_hash("")
_MOST_KNOWN = 100_000  # different prompts that are folded; more are only counted


class Prompts:
    """The system prompts of one file, as hashes."""

    def __init__(self) -> None:
        """Start without a row."""
        self.lines, self.hashes = array("Q"), array("Q")
        self.counts: Counter[int] = Counter()
        self.folded: dict[int, int] = {}
        self._last = ("", _NONE)

    def see(self, view: View) -> None:
        """Take a row into account."""
        system = view.row.system
        if system != self._last[0]:
            self._last = (system, short_hash(system))
        digest = self._last[1]
        self.lines.append(view.line)
        self.hashes.append(digest)
        self.counts[digest] += 1
        if digest not in self.folded and len(self.folded) < _MOST_KNOWN:
            self.folded[digest] = short_hash(canonical(system))

    def lines_where(self, unlike: int) -> Spots:
        """Return the lines with another prompt than this."""
        return Spots(line for line, digest in zip(self.lines, self.hashes, strict=True) if digest != unlike)


class SystemPrompts:
    """Warns about rows whose system prompt differs from the commonest one, and about prompts that only the test has."""

    def __init__(self) -> None:
        """Start without a row."""
        self.taught, self.tested = Prompts(), Prompts()

    def see(self, view: View) -> None:
        """Take a training row into account."""
        self.taught.see(view)

    def see_test(self, view: View) -> None:
        """Take a test row into account."""
        self.tested.see(view)

    @property
    def says_something(self) -> bool:
        """Whether any training row has a system prompt."""
        return self.taught.counts.keys() != {_NONE}

    def findings(self) -> Iterator[Finding]:
        """Say what differs."""
        if len(self.taught.counts) > 1:
            yield self._variants()
        if self.taught.counts and self.tested.counts:
            yield from self._untaught()

    def _variants(self) -> Finding:
        """In use there will be one prompt."""
        counts, folded = self.taught.counts, self.taught.folded
        usual, _ = counts.most_common(1)[0]
        lines = self.taught.lines_where(unlike=usual)
        slight = len(set(folded.values())) < len(folded)
        detail = ", some differing only in spelling" if slight else ", or none at all" if _NONE in counts else ""
        message = (
            f"{len(counts):,} different system prompts{detail}. {lines_have(lines)} another than the commonest one."
        )
        fix = "Use one system prompt in all rows, the same that will be used afterwards."
        return warn("system_prompt_variants", lines, message, fix)

    def _untaught(self) -> Iterator[Finding]:
        taught, tested = self.taught, self.tested
        pairs = list(zip(tested.lines, tested.hashes, strict=True))
        unseen = [(line, digest) for line, digest in pairs if digest not in taught.counts]
        if not unseen:
            return
        lines = [line for line, _ in unseen]
        usual, rows = taught.counts.most_common(1)[0]
        first = next(line for line, digest in zip(taught.lines, taught.hashes, strict=True) if digest == usual)
        message = (
            f"{len(lines):,} of {plural(len(pairs), 'test row')} with a system prompt that no training row has "
            f"({name_lines(lines)} of the test file{self._how(unseen[0][1])}): the tuned model never saw it. "
            f"In training {rows:,} of {plural(len(taught.lines), 'row')} have "
            f"{'none' if usual == _NONE else 'another'}, first in line {first:,}."
        )
        fix = "Give both files one system prompt, the same that will be used afterwards."
        yield warn("untaught_system_prompt", lines, message, fix)

    def _how(self, digest: int) -> str:
        """Say what is other about the first one, without repeating it."""
        if digest == _NONE:
            return ", the first without any"
        alike = self.tested.folded.get(digest) in set(self.taught.folded.values())
        return ", the first only spelled otherwise" if alike else ""
