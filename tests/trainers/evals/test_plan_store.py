"""Plans are kept by workspace, frozen with their test rows by hash, and then neither code nor SQL changes them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.evals.drafts import draft_rows
from trainers.evals.drafts.files import write_drafts
from trainers.evals.plan import EvalPlan, make_plan
from trainers.evals.plan_store import Plans

NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
ADA = Person(workspace_id="T1", user_id="U0ADA")
TASK = "Sort tickets into billing, returns, other"
PLAN = make_plan(TASK)


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


def test_the_same_rows_have_one_frozen_plan(engine: Engine, test_file: Path) -> None:
    """A laxer plan for rows that are frozen already is refused and names the first; another workspace is its own."""
    plans = Plans(engine=engine)
    for name, plan in (("tickets", PLAN), ("laxer", make_plan(TASK, useful_effect=Decimal("0.01")))):
        plans.save(plan, name=name, person=ADA, now=NOON)
    first = plans.freeze("T1", "tickets", test_file, NOON)
    with pytest.raises(UserError, match="frozen on 12 Nov 2026 with the plan 'tickets'"):
        plans.freeze("T1", "laxer", test_file, NOON + timedelta(days=1))
    assert not plans.get("T1", "laxer").frozen
    assert plans.frozen_as("T1", test_sha256=first.plan.test_sha256) == first
    plans.save(PLAN, name="tickets", person=Person(workspace_id="T2", user_id="U0EVE"), now=NOON)
    assert plans.freeze("T2", "tickets", test_file, NOON).frozen


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


def rows_of(path: Path, targets: Sequence[str]) -> Path:
    """Write test rows with these right answers."""
    lines = (
        {"messages": [{"role": "user", "content": f"text {n}"}, {"role": "assistant", "content": target}]}
        for n, target in enumerate(targets)
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


RIGHT = json.dumps({"vendor": "Ada", "total_amount": "12.50 EUR", "date": "2026-11-12"})
INVOICES = "Extract vendor, total amount and date"


def test_a_guessed_schema_that_right_answers_break_is_left_out(engine: Engine, tmp_path: Path) -> None:
    """A number that is written with its currency breaks the guess: schema and guardrail go, and the plan says so."""
    plans, plan = Plans(engine=engine), make_plan(INVOICES)
    assert plan.schema_guessed
    plans.save(plan, name="invoices", person=ADA, now=NOON)
    path = rows_of(tmp_path / "rows.jsonl", [RIGHT] * 3)
    frozen = plans.freeze("T1", "invoices", path, NOON)
    assert frozen.plan.schema is None
    assert "valid" not in [rail.name for rail in frozen.plan.guardrails]
    assert "do not fit the targets of 3 rows (lines 1, 2 and 3)" in frozen.plan.assumptions[-1].says
    assert frozen.digest == frozen.plan.digest
    assert plans.freeze("T1", "invoices", path, NOON) == frozen


def test_a_guessed_schema_that_fits_is_kept(engine: Engine, tmp_path: Path) -> None:
    """Where the targets are as guessed, also those that are drafted, the schema is frozen."""
    plans, plan = Plans(engine=engine), make_plan(INVOICES)
    plans.save(plan, name="invoices", person=ADA, now=NOON)
    path = tmp_path / "rows.jsonl"
    write_drafts(path, [each for each in draft_rows(plan, count=20, seed=7) if each.target])
    frozen = plans.freeze("T1", "invoices", path, NOON)
    assert (frozen.plan.schema, frozen.plan.guardrails) == (plan.schema, plan.guardrails)


@pytest.mark.parametrize(
    ("plan", "targets", "words"),
    [
        (
            make_plan("Do it", schema={"type": "object", "properties": {"total_amount": {"type": "number"}}}),
            ['{"total_amount": 12.5}', RIGHT, "12.50 EUR"],
            "2 rows have a target that breaks the plan's schema (lines 2 and 3), so nothing was frozen.",
        ),
        (
            PLAN,
            ["billing", "Returns.", "shipping"],
            "1 row has a target outside the plan's labels (line 3), so nothing was frozen.",
        ),
    ],
)
def test_targets_that_do_not_fit_what_was_given_are_refused(
    engine: Engine, tmp_path: Path, plan: EvalPlan, targets: list[str], words: str
) -> None:
    """A schema that somebody gave and a closed set of labels hold for the right answers too."""
    plans = Plans(engine=engine)
    plans.save(plan, name="p", person=ADA, now=NOON)
    with pytest.raises(UserError) as refused:
        plans.freeze("T1", "p", rows_of(tmp_path / "rows.jsonl", targets), NOON)
    assert (refused.value.what, bool(refused.value.next_step)) == (words, True)
    assert not plans.get("T1", "p").frozen


def test_a_plan_behind_a_card_is_kept_for_a_month(engine: Engine) -> None:
    """The same plan is kept once and found by id in its workspace alone; no list shows it, and in a month it goes."""
    plans = Plans(engine=engine)
    first = plans.keep_for_card(PLAN, person=ADA, now=NOON)
    assert plans.keep_for_card(PLAN, person=ADA, now=NOON + timedelta(days=1)).id == first.id
    assert plans.find("T1", first.id) == first
    assert plans.find("T2", first.id) is None
    assert plans.listing("T1") == []
    other = plans.keep_for_card(
        make_plan(TASK, useful_effect=Decimal("0.1")), person=ADA, now=NOON + timedelta(days=31)
    )
    assert plans.find("T1", first.id) is None
    assert plans.find("T1", other.id) == other
    with pytest.raises(UserError, match="Luthier's own"):
        plans.save(PLAN, name="card/mine", person=ADA, now=NOON)


def test_a_named_plan_outlives_those_behind_cards(engine: Engine, test_file: Path) -> None:
    """What somebody named is not cleaned up, frozen or not."""
    plans = Plans(engine=engine)
    plans.save(PLAN, name="open", person=ADA, now=NOON)
    plans.save(PLAN, name="tickets", person=ADA, now=NOON)
    plans.freeze("T1", "tickets", test_file, NOON)
    plans.keep_for_card(PLAN, person=ADA, now=NOON + timedelta(days=90))
    assert {each.name for each in plans.listing("T1")} == {"open", "tickets"}
