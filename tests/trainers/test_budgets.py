"""Budgets: whatever is approved, settled, refused and resumed in whatever order, none is ever over its cap."""

import random
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from bench.budget import NOW, prepare, race, racer
from knowledge.errors import UserError
from knowledge.models import Used
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from trainers import budgets
from trainers.errors import OverBudget
from trainers.policy import Rules
from trainers.tables import Job, Reservation
from trainers.workspaces import ChatMeter, Workspaces, parsed

OPERATOR = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")
SEEDS = 5
"""Races on each of two databases in `make test`; `python -m bench.budget` runs a thousand."""
WORKSPACES = count()
"""Numbers for workspaces that no other example has used."""

STEP = st.tuples(st.sampled_from(["reserve", "settle", "unknown"]), st.integers(0, 4), st.integers(0, 3_000_000))


def test_racing_approvals_never_go_over(engine: Engine) -> None:
    """16 threads with 64 approvals and settlements: no sum of reservations is above its cap, to the micro-dollar.

    Takes some seconds on each database, as every approval is a committed transaction.
    """
    for seed in range(SEEDS):
        seen = race(engine, seed, 64)
        assert seen.queued + seen.refused == 64
        assert seen.most_over_micros <= 0
        assert seen.counters_off_micros == 0


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cap=st.integers(0, 8_000_000), steps=st.lists(STEP, max_size=25))
def test_any_order_of_steps_keeps_the_cap(engine: Engine, cap: int, steps: list[tuple[str, int, int]]) -> None:
    """Reserved plus spent never exceeds the cap, and a refusal happens only where it would have."""
    number = next(WORKSPACES)
    workspace = f"TX{number}"
    rules = Rules(workspace_cap=Decimal(cap) / 1_000_000)
    jobs = [racer(workspace, -1 - number, n, Decimal(1), random.Random(0)) for n in range(5)]
    prepare(engine, workspace, rules, jobs)
    for what, place, micros in steps:
        amount = Decimal(micros) / 1_000_000
        before = sum(budgets.in_micros(each.reserved + each.spent) for each in _workspace(engine, workspace))
        try:
            with engine.begin() as connection:
                if what == "reserve":
                    budgets.reserve(connection, jobs[place], amount, rules, NOW)
                else:
                    _settle(connection, jobs[place], amount if what == "settle" else None)
        except OverBudget:
            assert before + micros > cap
        for each in _workspace(engine, workspace):
            assert each.cap is not None
            assert each.reserved + each.spent <= each.cap


def test_tokens_are_counted_and_their_cap_closes_the_model(engine: Engine) -> None:
    """A workspace over its tokens gets a reason instead of a model; next month it is open again."""
    now = NOW
    meter = ChatMeter(engine=engine, workspace_id="T1", clock=lambda: now)
    meter.count(Used(700, estimated=False))
    assert meter.closed() == ""
    Workspaces(engine=engine).change("T1", {"chat_tokens_cap": "1000"}, OPERATOR, now)
    assert meter.closed() == ""
    meter.count(Used(300, estimated=True))
    assert "1,000 tokens for answers are used up" in meter.closed()
    now = NOW + timedelta(days=30)
    assert meter.closed() == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("workspace_cap", "-1"), ("workspace_cap", "much"), ("workspace_cap", "NaN"), ("workspace_cap", "0.0000001"),
        ("own_click_limit", "none"), ("stoppers", "nobody"), ("solo_approver", "perhaps"), ("jobs_per_person", "0"),
        ("approvers", "U0BEN,U0BEN"), ("own_click_limit", "60"), ("colour", "blue"),
    ],
)  # fmt: skip
def test_rules_that_mean_nothing_are_refused(engine: Engine, name: str, text: str) -> None:
    """What an operator mistypes changes nothing and is explained."""
    known = Workspaces(engine=engine)
    with pytest.raises(UserError):
        known.change("T1", {name: text}, OPERATOR, NOW)
    assert known.rules("T1") == Rules()


def test_rules_are_read_as_people_write_them() -> None:
    """Dollar signs, thousands, mentions and yes are understood."""
    assert parsed("workspace_cap", "$1,200.50") == Decimal("1200.50")
    assert parsed("person_cap", "None") is None
    assert parsed("approvers", "<@U0BEN|ben>, U0CHI") == ("U0BEN", "U0CHI")
    assert parsed("paused", "YES") is True


def _settle(connection: Connection, job: Job, spent: Decimal | None) -> None:
    """Settle with at most what was set aside: a bill above its quote is not the budget's doing."""
    table = Reservation.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
    held = connection.execute(select(table.c.reserved).where(table.c.job_id == job.id)).scalar() or 0
    budgets.settle(connection, job, None if spent is None else min(spent, budgets.in_dollars(held)), NOW)


def _workspace(engine: Engine, workspace: str) -> list[budgets.Standing]:
    return [each for each in budgets.standing(engine, workspace, NOW) if each.scope == "workspace"]
