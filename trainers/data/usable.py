"""Which rows a target would refuse: the linter's rules about single rows that block, asked as rows are written."""

from collections.abc import Iterator

from trainers.data.counting import CountRow
from trainers.data.findings import Finding, Spots, block, lines_are
from trainers.data.limits import TargetLimits
from trainers.data.rules import shape
from trainers.data.rules.credentials import NoSecrets
from trainers.data.rules.size import Tokens
from trainers.data.rules.view import Gate, RowCheck, View

_PAIRS = ("preference", "openai_preference")


class Usable:
    """Lets rows through that a target takes, and remembers why it did not take the others."""

    def __init__(self, limits: TargetLimits, count: CountRow | None = None) -> None:
        """Take what the target accepts, and what counts its tokens; without it no row is too long."""
        checks = [RowCheck(check, limits) for check in shape.CHECKS if check.speak is block]
        self._gates: tuple[Gate, ...] = (*checks, NoSecrets(), Tokens(limits, count))
        self._paired: bool | None = None
        self._mixed = Spots()

    def takes(self, view: View) -> bool:
        """Say whether a row, as it would be written, can be used."""
        held = [gate.see(view) for gate in self._gates]  # each is asked, so that a row is named with all its faults
        return not any(held) and self._like_the_first(view)

    def findings(self) -> Iterator[Finding]:
        """Say which rows can't be used, and why."""
        for gate in self._gates:
            yield from gate.findings()
        if self._mixed:
            pairs = "a chat among preference pairs" if self._paired else "a preference pair among chats"
            message = f"{lines_are(self._mixed)} {pairs}; a file holds one kind."
            yield block(
                "mixed_formats", self._mixed, message, "Write chats and preference pairs into files of their own."
            )

    def _like_the_first(self, view: View) -> bool:
        paired = view.kind in _PAIRS
        if self._paired is None:
            self._paired = paired
        if paired is not self._paired:
            self._mixed.add(view.line)
        return paired is self._paired
