"""Labels of people: a random, blind and repeatable sample, and rows that are kept once."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from knowledge.errors import ServiceError, UserError
from knowledge.tenancy import Person
from tests.bot.test_triggers import DATASET, JOB, insert
from trainers.evals import labels
from trainers.evals.judges.pairwise import Judged
from trainers.tables import Job

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
PLACE = Person(workspace_id="T1", user_id="U1")


def lay(folder: Path, rows: int, *, same: int = 0, missing: int = 0) -> tuple[Path, Path]:
    """Write test rows and answers: the last `same` rows are answered alike, the first `missing` by base alone."""
    test, predictions = folder / "test.jsonl", folder / "predictions.jsonl"
    turns = [[("user", f"question {n}"), ("assistant", f"right {n}")] for n in range(rows)]
    test.write_text(
        "".join(json.dumps({"messages": [{"role": r, "content": c} for r, c in row]}) + "\n" for row in turns)
    )
    lines = []
    for n in range(rows):
        for arm in ("base_few_shot", "tuned"):
            said = f"alike {n}" if n >= rows - same else f"{arm} says {n}"
            if arm != "tuned" or n >= missing:
                lines.append({"arm": arm, "row": n, "output": said, "expected": f"right {n}", "correct": False})
    predictions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return predictions, test


def test_the_sample_is_random_and_the_same_for_everybody(tmp_path: Path) -> None:
    """Thirty different rows in an order that only the job decides, drawn where both answered and differ."""
    predictions, test = lay(tmp_path, 60, same=10, missing=5)
    drawn = labels.sample("job_1", predictions, test)
    assert drawn == labels.sample("job_1", predictions, test)
    rows = [choice.row for choice in drawn]
    assert len(set(rows)) == len(rows) == 30
    assert set(rows) <= set(range(6, 51))
    assert rows != sorted(rows)
    assert rows != [choice.row for choice in labels.sample("job_2", predictions, test)]
    assert drawn[0].tuned == f"tuned says {rows[0] - 1}"


def test_every_row_is_drawn_about_equally_often(tmp_path: Path) -> None:
    """Over many jobs no row is preferred, as a random sample has to be."""
    predictions, test = lay(tmp_path, 40)
    times = dict.fromkeys(range(1, 41), 0)
    for job in range(40):
        for choice in labels.sample(f"job_{job}", predictions, test, most=20):
            times[choice.row] += 1
    assert all(8 <= count <= 32 for count in times.values())


def test_sides_change_with_row_and_person() -> None:
    """Neither side is favoured, and a place resolves to whose answer stood there."""
    sides = [labels.tuned_is_left("job_1", row, f"U{n}") for row in range(50) for n in range(4)]
    assert 70 < sum(sides) < 130
    for row in range(20):
        left = "tuned" if labels.tuned_is_left("job_1", row, "U1") else "base"
        assert labels.resolved("job_1", row, "U1", "a") == left
        assert {labels.resolved("job_1", row, "U1", place) for place in "ab"} == {"base", "tuned"}
    assert labels.resolved("job_1", 1, "U1", "tie") == "tie"
    with pytest.raises(UserError):
        labels.resolved("job_1", 1, "U1", "c")


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    """Equal answers everywhere, or answers that are gone, are told in words."""
    predictions, test = lay(tmp_path, 5, same=5)
    with pytest.raises(UserError, match="same answer to every row"):
        labels.sample("job_1", predictions, test)
    predictions.unlink()
    with pytest.raises(ServiceError):
        labels.sample("job_1", predictions, test)


@pytest.fixture
def job(engine: Engine) -> Job:
    """A job to label."""
    with engine.begin() as connection:
        insert(connection, "dataset", DATASET)
        insert(connection, "job", JOB)
    return Job(id="job_1", workspace_id="T1")


def test_a_choice_is_kept_once_for_each_person(engine: Engine, job: Job) -> None:
    """A second click changes nothing; another person's choice stands beside the first; other teams see neither."""
    assert labels.add(engine, job, 3, PLACE, "tuned", NOW)
    assert not labels.add(engine, job, 3, PLACE, "base", NOW)
    assert labels.add(engine, job, 3, Person(workspace_id="T1", user_id="U2"), "tie", NOW)
    found = labels.labels_of(engine, "T1", "job_1")
    assert [(label.person, label.choice) for label in found] == [("U1", "tuned"), ("U2", "tie")]
    assert labels.labels_of(engine, "T2", "job_1") == []


def test_sql_refuses_a_choice_that_is_none(engine: Engine, job: Job) -> None:
    """Only the three choices can be stored, whatever the code does."""
    columns = "workspace_id, job_id, row, person, choice, at"
    query = text(f"insert into human_label ({columns}) values ('T1', 'job_1', 1, 'U1', 'left', 1)")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(query)


def test_a_judges_verdicts_are_left_for_later(tmp_path: Path) -> None:
    """Verdicts by row survive the file; a missing or damaged one is no judge."""
    path = tmp_path / "evaluation" / "judged.json"
    assert labels.read_judged(path) == {}
    labels.write_judged(path, [Judged(3, "tuned", "tuned", (1, 2)), Judged(4, None, "base", (1, 2))])
    assert labels.read_judged(path) == {3: "tuned"}
    path.write_text("[")
    assert labels.read_judged(path) == {}
