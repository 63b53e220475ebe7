"""A quote says by which plan a job is judged and on which rows; frozen rows are kept and found again."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.evals import frozen_rows
from trainers.evals.judged_by import JudgedBy, frozen_test, judged_by
from trainers.evals.plan import make_plan
from trainers.evals.plan_store import Plans, StoredPlan

NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
ADA = Person(workspace_id="T1", user_id="U0ADA")
PLAN = make_plan("Sort tickets into billing, returns, other")


def rows(path: Path, count: int) -> Path:
    """Write so many rows with answers."""
    turns = [
        [{"role": "user", "content": f"ticket {n}"}, {"role": "assistant", "content": "billing"}] for n in range(count)
    ]
    path.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
    return path


def frozen(engine: Engine, folder: Path | None, path: Path) -> StoredPlan:
    """Freeze the plan with a file; without a data folder as an older version did, which kept only the hash."""
    plans = Plans(engine=engine, folder=folder)
    plans.save(PLAN, name="tickets", person=ADA, now=NOON)
    return plans.freeze("T1", "tickets", path, NOON)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"


def test_frozen_rows_outlive_their_file(engine: Engine, data: Path, tmp_path: Path) -> None:
    """What was frozen is found by its hash when the file is gone, by its own workspace alone, and cannot be written."""
    path = rows(tmp_path / "test.jsonl", 20)
    content, stored = path.read_bytes(), frozen(engine, data, path)
    path.unlink()
    kept = frozen_test(data, "T1", stored)
    assert kept.read_bytes() == content
    assert kept.stat().st_mode & 0o222 == 0
    assert frozen_rows.kept(data, "T2", stored.plan.test_sha256) is None
    with pytest.raises(UserError, match="only their hash was kept"):
        frozen_test(data, "T2", stored)


def test_kept_rows_that_were_changed_are_not_taken(data: Path) -> None:
    """A file that is no longer what was frozen counts as gone; keeping the rows again mends it."""
    sha256 = frozen_rows.keep(data, "T1", b"rows")
    assert sha256 == hashlib.sha256(b"rows").hexdigest()
    place = frozen_rows.kept(data, "T1", sha256)
    assert place is not None
    place.chmod(0o644)
    place.write_bytes(b"other rows")
    assert frozen_rows.kept(data, "T1", sha256) is None
    frozen_rows.keep(data, "T1", b"rows")
    assert frozen_rows.kept(data, "T1", sha256) == place


def test_an_older_plan_gets_its_rows_when_it_is_frozen_with_them_again(
    engine: Engine, data: Path, tmp_path: Path
) -> None:
    """Plans of an older version have a hash alone, and that is said; the same rows again are kept."""
    path = rows(tmp_path / "test.jsonl", 20)
    older = frozen(engine, None, path)
    with pytest.raises(UserError, match="12 Nov 2026, only their hash was kept") as refused:
        frozen_test(data, "T1", older, own=rows(tmp_path / "own.jsonl", 3))
    assert "as test rows" in refused.value.next_step
    assert frozen_test(data, "T1", older, own=path) == path
    assert Plans(engine=engine, folder=data).freeze("T1", "tickets", path, NOON) == older
    assert frozen_test(data, "T1", older).read_bytes() == path.read_bytes()


def test_a_job_on_the_frozen_rows_names_plan_day_and_rows(engine: Engine, data: Path, tmp_path: Path) -> None:
    """One sentence, and the quote reads it back."""
    path = rows(tmp_path / "test.jsonl", 20)
    told = judged_by(data, "T1", frozen(engine, data, path), path, training=True)
    assert told.sentence == "Judged by plan tickets (frozen 12 Nov 2026, 20 rows)."
    assert JudgedBy.from_json(json.loads(json.dumps(vars(told)))) == told


@pytest.mark.parametrize(
    ("keeps", "training", "those", "to_do"),
    [
        (True, True, "the 20 rows frozen on 12 Nov 2026", "with this plan and without test rows"),
        (True, False, "the 20 rows frozen on 12 Nov 2026", "with their file as test rows"),
        (False, True, "those frozen on 12 Nov 2026", "with their file as test rows"),
    ],
)
def test_other_rows_are_said_to_be_other_with_what_to_do(
    engine: Engine, data: Path, tmp_path: Path, keeps: bool, training: bool, those: str, to_do: str
) -> None:
    """Before approval people read that the rows are not the frozen ones, how many those were, and the way to them."""
    stored = frozen(engine, data if keeps else None, rows(tmp_path / "test.jsonl", 20))
    told = judged_by(data, "T1", stored, rows(tmp_path / "own.jsonl", 5), training=training)
    assert told.sentence.startswith("Judged by plan tickets, but not on its frozen rows")
    assert f"are not {those}." in told.sentence
    assert to_do in told.sentence
