"""Which labels may be shown where others read along: none where they hold a secret or personal data."""

from collections.abc import Collection, Iterable

from trainers.data.findings import Finding
from trainers.data.rules.credentials import secrets_in
from trainers.data.rules.personal import has_long_number, is_personal


def may_show(labels: Iterable[str], findings: Collection[Finding] = ()) -> bool:
    """Say whether labels are harmless words, beside what the linter found in the rows that have them.

    A secret or a number may be told as one by the question beside it, so what was found in the rows counts too.
    """
    found = {finding.code.removeprefix("test_") for finding in findings}
    if "secret" in found:
        return False
    numbered = "personal_data" in found
    return not any(_gives_away(label) or (numbered and has_long_number(label)) for label in labels)


def _gives_away(label: str) -> bool:
    return bool(secrets_in(label)) or is_personal(label)
