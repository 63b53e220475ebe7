"""What a reader of rows has to say of lines that it could not take, gathered by reason; it reads nothing itself."""

from collections.abc import Iterator

from trainers.data.findings import Finding, Spots, block, lines_have, plural, tell, warn
from trainers.data.parsing import FIXES, Refusal

_NOT_ROWS = frozenset(("invalid_json", "not_an_object", "not_utf8"))  # such a line is no JSONL at all


class Notes:
    """Rejections and remarks of one reading, so that a million bad lines stay one finding."""

    def __init__(self, kind: str = "JSONL") -> None:
        """Take what kind of file it should be."""
        self.kind = kind
        self.refused: dict[tuple[str, str], Spots] = {}
        self.places: dict[tuple[str, str], int | None] = {}
        self.ignored: dict[str, Spots] = {}
        self.formulas = Spots()
        self.blank = 0
        self.too_many_rows = 0
        self.whole: list[Finding] = []

    def refuse(self, line: int, refusal: Refusal) -> None:
        """Note a line that was not taken."""
        key = (refusal.code, refusal.reason)
        self.places[key] = None if key in self.refused else refusal.place
        self.refused.setdefault(key, Spots()).add(line)

    def ignore(self, where: str, line: int) -> None:
        """Note keys of a row or a message that mean nothing."""
        self.ignored.setdefault(where, Spots()).add(line)

    def findings(self) -> tuple[Finding, ...]:
        """Say everything noted."""
        return tuple(self._spell())

    def _spell(self) -> Iterator[Finding]:
        yield from self.whole
        for (code, reason), spots in self.refused.items():
            place = self.places[code, reason]
            near = f" (near character {place + 1:,})" if place is not None else ""
            what = f"{lines_have(spots)} {reason}{near}."
            if code in _NOT_ROWS:
                what = f"That file isn't {self.kind}: {what[0].lower()}{what[1:]}"
            yield block(code, spots, what, FIXES[code])
        for where, spots in self.ignored.items():
            message = f"{lines_have(spots)} keys in a {where} that training ignores."
            yield warn("ignored_key", spots, message, "Remove them, or check that nothing needed is in there.")
        if self.formulas:
            message = f"{lines_have(self.formulas)} a cell that a spreadsheet would run as a formula."
            yield warn(
                "formula_cell", self.formulas, message, "Keep its value only, and open the file in no spreadsheet."
            )
        if self.too_many_rows:
            message = f"That file has more than {self.too_many_rows:,} lines, the most I read."
            yield block("too_many_rows", (), message, "Keep the best rows; past some thousands more rarely helps.")
        if self.blank:
            yield tell("blank_lines", f"{plural(self.blank, 'blank line')} skipped.")
