"""The rule about rows of one group on both sides: the same customer, thread or document in training and test."""

import re
from collections.abc import Iterator, Mapping

from trainers.data.findings import Finding, Spots, lines_have, plural, warn
from trainers.data.hashes import short_hash
from trainers.data.rules.view import View

_GROUP = re.compile(
    r"(?:group|thread|conversation|session|customer|client|user|account|document|doc|ticket|case|author|patient|order"
    r"|template|family|cluster|parent|article|dialog|dialogue|episode|speaker|page|source_(?:doc|document|file)|incident"
    r"|contract|product|company|email_thread)(?:_?(?:id|key|no|number|uuid|name))?|(?:source_?)?(?:url|uri)|source_id",
    re.IGNORECASE,
)
_INSIDE = ("metadata", "meta", "extra", "info")


class Groups:
    """Warns about training rows of a group that the test has rows of."""

    def __init__(self) -> None:
        """Start without a row."""
        self._tested: dict[str, set[int]] = {}
        self._test_rows = 0
        self._spots: dict[str, Spots] = {}

    def see_test(self, view: View) -> None:
        """Take a test row into account; all of them come before the first training row."""
        self._test_rows += 1
        for name, value in groups_of(view.raw):
            self._tested.setdefault(name, set()).add(short_hash(value))

    def see(self, view: View) -> None:
        """Take a training row into account."""
        if not self._tested:
            return
        for name, value in groups_of(view.raw):
            if short_hash(value) in self._tested.get(name, ()):
                self._spots.setdefault(name, Spots()).add(view.line)

    def findings(self) -> Iterator[Finding]:
        """Say which rows share a group with the test."""
        for name, lines in self._spots.items():
            if len(self._tested[name]) == 1 and self._test_rows > 2:
                continue  # a value that all test rows share is no group
            message = (
                f"{lines_have(lines)} a group that the test has rows of too, by one of their keys "
                f"({plural(len(self._tested[name]), 'group')} in the test): what is tested was half seen."
            )
            fix = "Split by group: all rows of one customer, thread or document on the same side."
            yield warn("group_leak", lines, message, fix)


def groups_of(raw: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a row's group keys."""
    nested = [value for name in _INSIDE if isinstance(value := raw.get(name), dict)]
    for table in (raw, *nested):
        for name, value in table.items():
            given = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
            if given and _GROUP.fullmatch(name):
                yield name.casefold(), str(value)
