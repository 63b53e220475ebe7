"""Knows what may be spent in a month, what is reserved for jobs and what was spent; it does not know who approves."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, and_, insert, or_, select, update

from knowledge.rows import add_if_absent
from knowledge.tenancy import LOCAL_WORKSPACE
from trainers.errors import OverBudget
from trainers.policy import Rules, dollars
from trainers.tables import Budget, Job, Reservation

_budgets = Budget.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_reservations = Reservation.__table__  # type: ignore[attr-defined]  # the same

MICROS = 1_000_000
"""Micro-dollars in a dollar: SQL counts whole ones, so that no sum is ever rounded."""
CHAT = "chat"
"""Scope that counts a language model's tokens, not dollars."""
NAMES = {"workspace": "this workspace", "channel": "this channel", "person": "whoever asked for it"}


class Standing(NamedTuple):
    """How one budget stands this month, in dollars (tokens for `CHAT`)."""

    scope: str
    cap: Decimal | None
    reserved: Decimal
    spent: Decimal


def reserve(connection: Connection, job: Job, amount: Decimal, rules: Rules, now: datetime) -> Decimal:
    """Set aside what a job may spend in the transaction that queues it; returns how much, in dollars.

    Raises OverBudget, and then the caller's transaction must not be kept. What is set aside already stays as it is.
    """
    before = _reservation(connection, job.id)
    if before is not None and before["closed_at"] is None:
        return in_dollars(before["reserved"])
    micros = in_micros(amount)
    month = month_of(now)
    for scope, cap in scopes_of(job, rules) if micros else ():
        _hold(connection, job.workspace_id, scope, month, cap, micros)
    values = {"month": month, "reserved": micros, "closed_at": None}
    if before is None:
        place = {"workspace_id": job.workspace_id, "channel": job.channel, "person": job.requested_by}
        connection.execute(insert(_reservations).values(job_id=job.id, spent=0, **place, **values))
    else:
        connection.execute(update(_reservations).where(_reservations.c.job_id == job.id).values(**values))
    return in_dollars(micros)


def spent_by(connection: Connection, job_id: str) -> Decimal:
    """Return what was counted for a job in all its lives, in dollars."""
    row = _reservation(connection, job_id)
    return Decimal(0) if row is None else in_dollars(row["spent"])


def reserved_for(connection: Connection, job_id: str) -> Decimal | None:
    """Return what is set aside for a job and not settled yet, in dollars; None where nothing ever was."""
    query = select(_reservations.c.reserved).where(_reservations.c.job_id == job_id)
    micros = connection.execute(query).scalar_one_or_none()
    return None if micros is None else in_dollars(micros)


def check_left(connection: Connection, job: Job, amount: Decimal, rules: Rules, now: datetime) -> None:
    """Refuse what no budget could take as it stands: nobody is asked for a yes that cannot count. Sets nothing aside.

    Raises OverBudget.
    """
    for scope, cap in scopes_of(job, rules):
        used = _used(connection, job.workspace_id, scope, month_of(now))
        if cap is not None and used + in_micros(amount) > in_micros(cap):
            raise _over(job.workspace_id, scope, in_micros(amount), cap, used)


def settle(connection: Connection, job: Job, spent: Decimal | None, now: datetime) -> Decimal | None:
    """Turn what was set aside for a job that ended into what it spent, in dollars, and give the rest back.

    `spent` None means that nobody knows: then all that was set aside counts as spent. Returns what was counted, and
    None where nothing was set aside or it was settled before: that changes nothing.
    """
    row = _reservation(connection, job.id)
    if row is None or row["closed_at"] is not None:
        return None
    amount = row["reserved"] if spent is None else in_micros(spent)
    scopes = ("workspace", f"person:{row['person']}", f"channel:{row['channel']}")  # in the order of `scopes_of`
    for scope in scopes if row["reserved"] or amount else ():
        connection.execute(
            update(_budgets)
            .where(_is(row["workspace_id"], scope, row["month"]))
            .values(reserved=_budgets.c.reserved - row["reserved"], spent=_budgets.c.spent + amount)
        )
    closed = {"reserved": 0, "spent": row["spent"] + amount, "closed_at": now}
    connection.execute(update(_reservations).where(_reservations.c.job_id == job.id).values(**closed))
    return in_dollars(amount)


def count_beyond(connection: Connection, job: Job, amount: Decimal, rules: Rules, now: datetime) -> None:
    """Count what was spent beside what was set aside; it is spent, so it counts even where it exceeds a cap."""
    month = month_of(now)
    for scope, cap in scopes_of(job, rules):
        _open(connection, job.workspace_id, scope, month, _cap(cap))
        here = _is(job.workspace_id, scope, month)
        connection.execute(update(_budgets).where(here).values(spent=_budgets.c.spent + in_micros(amount)))


def count_tokens(connection: Connection, workspace_id: str, tokens: int, rules: Rules, now: datetime) -> None:
    """Count what an answer of a language model used."""
    _open(connection, workspace_id, CHAT, month_of(now), rules.chat_tokens_cap)
    connection.execute(
        update(_budgets).where(_is(workspace_id, CHAT, month_of(now))).values(spent=_budgets.c.spent + tokens)
    )


def tokens_left(connection: Connection, workspace_id: str, rules: Rules, now: datetime) -> int | None:
    """Return how many tokens a language model may still use this month; None where there is no cap."""
    if rules.chat_tokens_cap is None:
        return None
    query = select(_budgets.c.spent).where(_is(workspace_id, CHAT, month_of(now)))
    return max(0, rules.chat_tokens_cap - int(connection.execute(query).scalar() or 0))


def standing(engine: Engine, workspace_id: str, now: datetime) -> Sequence[Standing]:
    """Return this month's budgets of a workspace, its own first."""
    query = select(_budgets).where(_budgets.c.workspace_id == workspace_id, _budgets.c.month == month_of(now))
    with engine.execution_options(reading=True).connect() as connection:
        rows = connection.execute(query).mappings().all()
    made = [_standing(row["scope"], row["cap"], row["reserved"], row["spent"]) for row in rows]
    return sorted(made, key=lambda each: (each.scope != "workspace", each.scope))


def recap(connection: Connection, workspace_id: str, rules: Rules, now: datetime) -> None:
    """Give this month's budgets the caps of new rules; what is set aside or spent already stays, even above them."""
    caps = {"workspace": rules.workspace_cap, "person": rules.person_cap, "channel": rules.channel_cap}
    for kind, cap in caps.items():
        is_it = or_(_budgets.c.scope == kind, _budgets.c.scope.startswith(f"{kind}:"))
        this_month = (_budgets.c.workspace_id == workspace_id) & (_budgets.c.month == month_of(now))
        connection.execute(update(_budgets).where(this_month, is_it).values(cap=_cap(cap)))
    connection.execute(update(_budgets).where(_is(workspace_id, CHAT, month_of(now))).values(cap=rules.chat_tokens_cap))


def month_of(now: datetime) -> str:
    """Name the calendar month (UTC) to which a moment belongs."""
    return now.strftime("%Y-%m")


def in_micros(dollars: Decimal) -> int:
    """Return whole micro-dollars, rounded up: a budget is never over by a fraction."""
    return int((dollars * MICROS).to_integral_value(ROUND_CEILING))


def in_dollars(micros: int) -> Decimal:
    """Return dollars."""
    return Decimal(micros) / MICROS


def scopes_of(job: Job, rules: Rules) -> Sequence[tuple[str, Decimal | None]]:
    """Return the budgets that a job draws on, each with its cap."""
    scopes = [("workspace", rules.workspace_cap), (f"person:{job.requested_by}", rules.person_cap)]
    return [*scopes, (f"channel:{job.channel}", rules.channel_cap)] if job.channel else scopes


def _reservation(connection: Connection, job_id: str) -> RowMapping | None:
    query = select(_reservations).where(_reservations.c.job_id == job_id).with_for_update()
    return connection.execute(query).mappings().one_or_none()


def _hold(connection: Connection, workspace_id: str, scope: str, month: str, cap: Decimal | None, amount: int) -> None:
    """Set an amount aside in one budget, in one guarded update. Raises OverBudget."""
    _open(connection, workspace_id, scope, month, _cap(cap))
    total = _budgets.c.reserved + _budgets.c.spent + amount
    fits = or_(_budgets.c.cap.is_(None), total <= _budgets.c.cap)
    held = update(_budgets).where(_is(workspace_id, scope, month), fits).values(reserved=_budgets.c.reserved + amount)
    if connection.execute(held).rowcount == 0:
        raise _over(workspace_id, scope, amount, cap or Decimal(0), _used(connection, workspace_id, scope, month))


def _used(connection: Connection, workspace_id: str, scope: str, month: str) -> int:
    """Return what one budget has set aside and spent, in micro-dollars."""
    query = select(_budgets.c.reserved + _budgets.c.spent).where(_is(workspace_id, scope, month))
    return int(connection.execute(query).scalar() or 0)


def _over(workspace_id: str, scope: str, amount: int, cap: Decimal, used: int) -> OverBudget:
    kind = scope.partition(":")[0]
    at = "" if workspace_id == LOCAL_WORKSPACE else f" --workspace {workspace_id}"
    return OverBudget(
        f"This job needs {dollars(in_dollars(amount))}, and the budget of {NAMES[kind]} "
        f"has {dollars(in_dollars(max(0, in_micros(cap) - used)))} left this month.",
        f"An operator can raise it, now {dollars(cap)} a month, with `luthier settings set {kind}_cap=DOLLARS{at}`; "
        "next month starts a new one.",
    )


def _open(connection: Connection, workspace_id: str, scope: str, month: str, cap: int | None) -> None:
    """Make this month's row of a budget where there is none, and keep its cap as the rules say."""
    row = Budget(workspace_id=workspace_id, scope=scope, month=month, cap=cap)
    if not add_if_absent(connection, _budgets, **row.model_dump()):
        connection.execute(update(_budgets).where(_is(workspace_id, scope, month)).values(cap=cap))


def _cap(cap: Decimal | None) -> int | None:
    return None if cap is None else in_micros(cap)


def _is(workspace_id: str, scope: str, month: str) -> ColumnElement[bool]:
    return and_(_budgets.c.workspace_id == workspace_id, _budgets.c.scope == scope, _budgets.c.month == month)


def _standing(scope: str, cap: int | None, reserved: int, spent: int) -> Standing:
    unit = 1 if scope == CHAT else MICROS
    return Standing(
        scope, None if cap is None else Decimal(cap) / unit, Decimal(reserved) / unit, Decimal(spent) / unit
    )
