"""Knows how a worker lets a language model write the rows of an approved job; not how rows are written or shown.

Killed at any point another worker goes on: rows are in one file as they come, and every call with what it may cost in
another before it leaves. So no row is asked for twice, and what was under way when a worker died counts as paid.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from knowledge.clock import Clock
from knowledge.errors import ServiceError, UserError
from knowledge.models import ChatModel, Meter, ModelUnavailable, Used
from trainers import budgets
from trainers.backends.base import Listener, StopRequested, Waiting
from trainers.errors import LeaseLost
from trainers.evals.endpoint.journal import InUse, spent_in
from trainers.evals.endpoint.journal import Journal as Calls
from trainers.evals.endpoint.spending import Meter as Purse
from trainers.evals.generating.coverage import Grid
from trainers.evals.generating.journal import Journal, open_journal, read_journal
from trainers.evals.generating.paid import PaidWriter
from trainers.evals.generating.price import ChatPrice
from trainers.evals.generating.rows import Generated, so_far
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.written import write_rows
from trainers.jobs.accounts import cost_of, may_spend
from trainers.jobs.alive import kept_alive
from trainers.jobs.drafting import Wish, home_of, wish_of, wish_path
from trainers.jobs.index_job import SLICE, STEP_ASIDE
from trainers.jobs.ledger import Ledger, read, resumes
from trainers.jobs.many_calls import TURN
from trainers.tables import Job

FIRST_PAUSE = timedelta(seconds=20)
"""Wait where the model does not answer and names none; doubled from one to the next."""

LONGEST_PAUSE = timedelta(minutes=5)
MOST_PAUSES = 5
"""Pauses without a row between them after which the job fails; `resume` goes on from its rows."""

CALLS, ROWS = "calls.jsonl", "rows.jsonl"
"""Files of a job: what was asked at which price, and what came of it."""


class Drafted(NamedTuple):
    """What came of a job."""

    wish: Wish
    made: Generated


class _Paused(Exception):
    """The workspace was paused meanwhile."""


class _AnotherFirst(Exception):
    """The pen is put down for another job of the queue: it is continued where it was."""


@dataclass(frozen=True, kw_only=True)
class Pen:
    """What a worker writes rows with."""

    ledger: Ledger
    folder: Path
    """The data folder."""
    clock: Clock
    model: Callable[[], ChatModel | None]
    price: Callable[[], ChatPrice]
    meter: Callable[[str], Meter]
    """Workspace -> what counts and caps its tokens."""
    slice: float = SLICE

    def work(self, job: Job, hold: Listener) -> Drafted | Waiting:
        """Write the rows that are missing; Waiting where it has to go on later.

        Raises StaleApproval where it is no longer what was approved, ServiceError where the model does not answer.
        """
        model, price = self.model(), self.price()
        if model is None:
            raise UserError("No language model is set where this worker runs.", "Set LUTHIER_MODEL there, `resume`.")
        wish = wish_of(job, self.folder, model.name, price)
        purse = partial(Purse, {model.name: price.prices} if price.prices else {}, cost_of(job) or Decimal(0))
        home = home_of(self.folder, job.id)
        try:
            calls = Calls(home / CALLS)
        except InUse:
            return Waiting(again_in=TURN, note="Another worker still writes these rows.")
        try:
            writer = PaidWriter(model, purse(calls.spent), calls)
            return self._write(job, hold, wish, writer, open_journal(*_journal_of(self.folder, job, wish)))
        finally:
            calls.close()

    def so_far(self, job: Job) -> str:
        """Say how many rows are there, and that none of them is lost."""
        try:
            wish = Wish.read(wish_path(self.folder, job.id).read_text("utf-8"))
            return _kept(read_journal(*_journal_of(self.folder, job, wish)), wish)
        except (OSError, UserError):
            return ""

    def _write(self, job: Job, hold: Listener, wish: Wish, writer: PaidWriter, rows: Journal) -> Drafted | Waiting:
        wanted: dict[str, Any] = {"count": wish.count, "seed": wish.seed, "grid": wish.grid, "journal": rows}
        with kept_alive(hold) as check:
            gate, teller = _Gate(self, job, check), _Teller(self, job, hold, check, rows)
            try:
                made = write_rows(wish.spec, model=writer, meter=gate, tell=teller, fill=False, **wanted)
            except _Paused:
                return Waiting(again_in=timedelta(0), note=f"{_so_far(rows, wish)}.")
            except _AnotherFirst:
                return Waiting(again_in=STEP_ASIDE, note=f"Another job goes first. {_so_far(rows, wish)}.")
            except ModelUnavailable as trouble:
                return _patient(trouble, rows, wish, self._life(job))
            check()
        if not made.drafts:
            reasons = "; ".join(dict.fromkeys(each.point for each in made.rejected)) or " ".join(made.notes)
            what = f"{writer.name} wrote no row that can be used: {reasons[:300]}."
            raise ServiceError(what, "Say more of the task, and ask anew with `data generate`.")
        return Drafted(wish, made)

    def _life(self, job: Job) -> int:
        with self.ledger.reading() as connection:
            return resumes(connection, job)


@dataclass(frozen=True)
class _Gate:
    """Counts tokens, and before each call looks whether the job still is ours, wanted and allowed."""

    pen: Pen
    job: Job
    check: Callable[[], None]

    def closed(self) -> str:
        """Say why the model is not to be asked, or ""; raises what ends the work in hand."""
        self.check()
        with self.pen.ledger.reading() as connection:
            _check_ours(read(connection, self.job.id), self.job)
            if may_spend(connection, self.job, self.pen.clock()):
                raise _Paused
        return self.pen.meter(self.job.workspace_id).closed()

    def count(self, used: Used) -> None:
        """Count an answer."""
        self.pen.meter(self.job.workspace_id).count(used)


def _check_ours(now: Job, taken: Job) -> None:
    """Raise where a job is no longer as it was taken: a worker that slept hears of it before its next heartbeat."""
    if now.fence != taken.fence or now.state != "running":
        raise LeaseLost
    if now.stop_requested_by:
        raise StopRequested(now.stop_requested_by)


@dataclass
class _Teller:
    """Tells how many rows there are, and how long the rest will take at this pace."""

    pen: Pen
    job: Job
    hold: Listener
    check: Callable[[], None]
    rows: Journal
    before: tuple[int, int] = field(init=False)
    """Rows that were there, and cells that were decided, when this worker began."""
    begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Remember where this worker began."""
        self.before = len(self.rows.drafts), self.rows.decided

    def __call__(self, done: int, wanted: int) -> None:
        """Hear of a row; after a slice of time in which a cell was decided another job of the queue goes first."""
        self.check()
        fresh, taken = done - self.before[0], time.monotonic() - self.begun
        left = taken / fresh * (wanted - done) if fresh > 0 and done < wanted else None
        self.hold.progress("writing", {"step": done, "steps": wanted, "seconds_left": left})
        if (
            self.rows.decided > self.before[1]
            and done < wanted
            and taken > self.pen.slice
            and self.pen.ledger.others_due(self.job, self.pen.clock())
        ):
            raise _AnotherFirst


def paid(connection: Connection, job: Job, folder: Path) -> Decimal | None:
    """Return the dollars of this life of a job: what its calls cost beside what was counted before; None: unknown."""
    whole = spent_in(home_of(folder, job.id) / CALLS)
    return None if whole is None else max(Decimal(0), whole - budgets.spent_by(connection, job.id))


def spent(folder: Path, job: Job) -> Decimal | None:
    """Return the dollars of all lives of a job; None where nobody knows."""
    return spent_in(home_of(folder, job.id) / CALLS)


def _patient(trouble: ModelUnavailable, rows: Journal, wish: Wish, life: int) -> Waiting:
    """Wait for a model that does not answer; raises ServiceError where this life of the job has waited long enough."""
    if not trouble.temporary or rows.pauses[life] >= MOST_PAUSES:
        raise ServiceError(trouble.what, f"{trouble.next_step} {_kept(rows, wish)}".strip()) from trouble
    wait = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** rows.pauses[life])
    if trouble.retry_after is not None:
        wait = max(wait, timedelta(seconds=min(trouble.retry_after, 3600)))
    rows.pause(life)
    return Waiting(again_in=wait, note=f"{trouble.what} It is asked again in {wait.seconds} s. {_so_far(rows, wish)}")


def _journal_of(folder: Path, job: Job, wish: Wish) -> tuple[Path, RowSpec, Grid, int, int]:
    return home_of(folder, job.id) / ROWS, wish.spec, wish.grid, wish.count, wish.seed


def _kept(rows: Journal, wish: Wish) -> str:
    return f"{_so_far(rows, wish)}; `resume` goes on from there and asks for none twice."


def _so_far(rows: Journal, wish: Wish) -> str:
    return so_far(len(rows.drafts), wish.count)
