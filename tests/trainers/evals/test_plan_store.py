"""Plans are kept by workspace, frozen with their test rows by hash, and then neither code nor SQL changes them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.evals.drafts import draft_rows
from trainers.evals.drafts.files import write_drafts
from trainers.evals.plan import make_plan
from trainers.evals.plan_store import Plans, changed_since

NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
ADA = Person(workspace_id="T1", user_id="U0ADA")
PLAN = make_plan("Sort tickets into billing, returns, other")


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    """Reviewed test rows."""
    path = tmp_path / "test.jsonl"
    write_drafts(path, [each for each in draft_rows(PLAN, count=20, seed=7) if each.target])
    return path


def test_a_plan_is_kept_found_and_listed(engine: Engine) -> None:
    """The same name replaces an unfrozen plan; another workspace sees nothing of it."""
    plans = Plans(engine=engine)
    first = plans.save(PLAN, name=" tickets  v2 ", person=ADA, now=NOON)
    other = make_plan("Sort tickets into a, b")
    second = plans.save(other, name="tickets v2", person=ADA, now=NOON)
    assert (first.name, first.frozen, second.id, second.plan) == ("tickets v2", False, first.id, other)
    assert plans.get("T1", "tickets v2") == second
    assert [each.name for each in plans.listing("T1")] == ["tickets v2"]
    assert plans.listing("T2") == []
    with pytest.raises(UserError, match="no evaluation plan"):
        plans.get("T2", "tickets v2")


def test_a_frozen_plan_stays_as_it_is(engine: Engine, test_file: Path) -> None:
    """Freezing binds plan and rows; the same rows again change nothing, others and SQL are refused."""
    plans = Plans(engine=engine)
    plans.save(PLAN, name="tickets", person=ADA, now=NOON)
    frozen = plans.freeze("T1", "tickets", test_file, NOON)
    assert frozen.frozen_at == NOON
    assert frozen.digest == frozen.plan.digest == PLAN.with_test(frozen.plan.test_sha256).digest
    assert plans.freeze("T1", "tickets", test_file, NOON.replace(hour=20)) == frozen
    with pytest.raises(UserError, match="frozen on 12 Nov 2026"):
        plans.save(PLAN, name="tickets", person=ADA, now=NOON)
    test_file.write_text(test_file.read_text() + test_file.read_text().replace("Can", "May"))
    with pytest.raises(UserError, match="frozen"):
        plans.freeze("T1", "tickets", test_file, NOON)
    for sql in ("update eval_plan set body = '{}'", "update eval_plan set frozen_at = null", "delete from eval_plan"):
        with pytest.raises(IntegrityError, match="stays as it is"), engine.begin() as connection:
            connection.execute(text(sql))


def test_the_report_learns_what_changed(engine: Engine, test_file: Path) -> None:
    """Nothing changed, nothing said; other rows, a missing file and another rule are each named with the date."""
    plans = Plans(engine=engine)
    plans.save(PLAN, name="tickets", person=ADA, now=NOON)
    assert "never frozen" in changed_since(plans.get("T1", "tickets"), test_file)
    frozen = plans.freeze("T1", "tickets", test_file, NOON)
    assert changed_since(frozen, test_file) == ""
    assert changed_since(frozen, test_file, PLAN.rule) == ""
    looser = {**PLAN.rule, "useful_effect": "0.01"}
    assert changed_since(frozen, test_file, looser) == (
        "The rule changed after it was frozen on 12 Nov 2026: the smallest useful effect 0.05 → 0.01."
    )
    test_file.write_text(test_file.read_text().replace("billing", "returns"))
    said = changed_since(frozen, test_file)
    assert said.startswith("The test rows changed after they were frozen on 12 Nov 2026 (hash ")
    assert frozen.plan.test_sha256[:4] in said
    test_file.unlink()
    assert "the file is gone" in changed_since(frozen, test_file)
    tampered = replace(frozen, plan=replace(frozen.plan, useful_effect=Decimal("0.01")))
    assert "no longer matches its digest" in changed_since(tampered, test_file)


def test_rows_that_wait_for_their_target_are_not_frozen(engine: Engine, tmp_path: Path) -> None:
    """Drafts with open answers, no rows and no file are refused, and the plan stays open."""
    plans = Plans(engine=engine)
    plans.save(PLAN, name="tickets", person=ADA, now=NOON)
    drafted, empty = tmp_path / "drafted.jsonl", tmp_path / "empty.jsonl"
    write_drafts(drafted, draft_rows(PLAN, count=20, seed=7))
    empty.write_text("\n")
    for path, words in ((drafted, "wait for their target"), (empty, "no rows"), (tmp_path / "none", "no file")):
        with pytest.raises(UserError, match=words):
            plans.freeze("T1", "tickets", path, NOON)
    assert not plans.get("T1", "tickets").frozen


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\u202eb"])
def test_names_are_short_and_printable(engine: Engine, name: str) -> None:
    """A plan is called by something that people can read."""
    with pytest.raises(UserError, match="name of 1 to 80"):
        Plans(engine=engine).save(PLAN, name=name, person=ADA, now=NOON)
