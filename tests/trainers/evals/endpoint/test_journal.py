"""What the journal of paid answers says where some of it is damaged."""

from decimal import Decimal
from pathlib import Path

import pytest

from trainers.evals.endpoint.journal import Journal, spent_in
from trainers.evals.endpoint.wire import Reply


def written(path: Path) -> Decimal:
    """Write three calls: two answered, one lost; return what they cost."""
    journal = Journal(path)
    for key in "abc":
        journal.asked(key, Decimal(3))
    journal.answered("a", Reply("yes", 1.0, 5, 1, "stop", "m"), Decimal(1))
    journal.answered("b", Reply("", 1.0), Decimal(2))
    journal.gone("c", "no answer")
    journal.close()
    return Decimal(6)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize(
    "bad",
    [b"{", b"\xff\x00", b"[]", b"7", b'{"key": "a"}', b'{"event": "asked", "key": "a", "dollars": "x"}', b"[" * 5000]
    + [b'{"event": "asked", "key": "a", "dollars": "%s"}' % dollars for dollars in (b"NaN", b"-1")],
)
def test_a_damaged_line_is_skipped_and_counted_at_its_dearest(tmp_path: Path, bad: bytes, place: int) -> None:
    """Whatever line is damaged, nothing breaks, the rest is known, and no less is counted than was spent."""
    path = tmp_path / "answers.jsonl"
    spent = written(path)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:place], bad, *lines[place + 1 :]]) + b"\n")
    found = spent_in(path)
    assert found is not None
    assert found >= spent
    journal = Journal(path)
    assert (journal.spent, len(journal.replies)) == (found, 2 - (place in (3, 4)))
    journal.close()


def test_what_cannot_be_read_at_all_is_not_taken_for_nothing(tmp_path: Path) -> None:
    """No file is no spending; a file of garbage, or none that can be opened, is unknown."""
    path = tmp_path / "answers.jsonl"
    assert spent_in(path) == 0
    path.write_bytes(b"?\n")
    assert spent_in(path) is None
    assert spent_in(tmp_path) is None
