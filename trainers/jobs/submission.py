"""Knows how a paid call is made at most once whatever crashes; it does not know what is paid for, nor any provider.

The order is the protocol; every line is committed before the next one begins (docs/decisions/0007-paid-calls.md):

1. `_intend`   mint the id, once for a job and kind, and write that the call is about to be made, under the job's fence;
2. `_call`     send nothing if the intent is older than the call may take: a process that slept is a zombie;
3. `_call`     call once, with the id as metadata; the last byte is held back until the clock has been looked at again;
4. `_change`   record what came back if the row is still as this worker wrote it;
5. anything but an answer or a definite refusal means "unknown": wait until the call can no longer arrive or hide, look
   it up by its id and adopt it. What two look-ups do not show is sent again with the same id, while that is allowed;
   else a person is asked.

The judgement is in `trainers.jobs.protocol`; this file does what it says.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, insert, select, update

from knowledge.clock import Clock, since_boot
from knowledge.errors import ServiceError
from trainers.backends.base import PaidCall, StopRequested, Timing, Waiting
from trainers.backends.deadline import Deadline
from trainers.errors import Refused
from trainers.jobs import accounts
from trainers.jobs.ledger import Ledger, renew, resumes
from trainers.jobs.protocol import Seen, Step, after_look, next_step, seconds_left
from trainers.tables import Job, Submission

log = logging.getLogger("luthier.submission")

ASK_AGAIN: Final = timedelta(minutes=10)
"""How often the provider is looked at again while a person is being asked."""

CLOSED: Final = ("refused", "abandoned")
"""States in which nothing of a submission exists at the provider, or nothing that matters any more."""

OPEN: Final = ("intended", "accepted", "asking")
"""The others."""

_rows = Submission.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


MaySpend = Callable[[Connection, Job, datetime], str]
"""Says inside the caller's transaction why a job may not spend (now), or ""."""


class Judged(NamedTuple):
    """A row, what to do about it, and the provider id where a look found one."""

    row: Submission | None
    step: Step
    found: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submissions:
    """The paid calls of one job in the hands of one worker."""

    ledger: Ledger
    job: Job
    """As claimed: its fence is the worker's right to act."""
    clock: Clock
    may_spend: MaySpend
    stopping: bool = False
    """Whether the job is being stopped: then nothing is sent any more."""
    elapsed: Callable[[], float] = since_boot
    """Seconds by a clock that nobody can set."""

    @property
    def _lease(self) -> float:
        return self.ledger.lease.total_seconds()

    def once(self, call: PaidCall) -> str | Waiting:
        """Return the provider id of what `call` creates, creating it at most once; as `Keeper.once`."""
        while True:
            judged = self._judge(call)
            if judged.step is Step.SEND:
                outcome = self._call(call, judged.row)
            elif judged.step is Step.CLOSED and judged.row is not None:
                raise Refused(judged.row.detail)
            else:
                outcome = self._settle(call, judged)
                if judged.step is Step.HAVE and not self._wanted(call, judged.row):
                    continue
            if outcome is not None:
                return outcome

    def made(self, call: PaidCall) -> str | Waiting | None:
        """Return the provider id of what `call` created, creating nothing; as `Keeper.made`."""
        while True:
            judged = self._judge(call)
            if judged.row is None or judged.step in (Step.CLOSED, Step.SEND, Step.HOLD):
                return None
            outcome = self._settle(call, judged)
            if outcome is not None:
                return outcome

    def taken(self, provider: str, provider_id: str) -> bool:
        """Say whether another call is known to have created this; as `Keeper.taken`."""
        there = (_rows.c.provider == provider) & (_rows.c.provider_id == provider_id)
        with self.ledger.reading() as connection:
            return connection.execute(select(_rows.c.id).where(there)).first() is not None

    def over(self, call: PaidCall, why: str) -> bool:
        """Record that what `call` created is dead or deleted; as `Keeper.over`."""
        with self.ledger.transaction() as connection:
            row = newest(connection, self.job.id, call.kind)
            if row is None:
                return False
            if row.state == "accepted":
                change(connection, row, state="abandoned", detail=why)
            return row.life < resumes(connection, self.job) and not self._uncovered(connection, call)

    def _judge(self, call: PaidCall) -> Judged:
        """Read the row, decide, and look at the provider where that is the decision."""
        now = self.clock()
        with self.ledger.reading() as connection:
            row = newest(connection, self.job.id, call.kind)
            if row is not None and row.state in CLOSED and row.life < resumes(connection, self.job):
                row = None  # a person resumed the job since: a new life, a new id
            may_send = not self.may_spend(connection, self.job, now)
        seen = look_at(row, now, may_send=may_send, stopping=self.stopping)
        step = next_step(seen, call.timing, self._lease)
        if step is not Step.LOOK or row is None:
            return Judged(row, step)
        try:
            found = call.find(row.id)
        except (ServiceError, Refused) as problem:
            log.warning("%s %s: the look-up failed: %s", call.kind, row.id, problem.what)
            return Judged(row, Step.SILENT)
        return Judged(row, after_look(seen, found is not None, call.timing), found)

    def _call(self, call: PaidCall, row: Submission | None) -> str | Waiting | None:
        begun = self.elapsed()  # before the intent: the row must never be older than we think
        row = self._intend(call, row)
        if row is None:
            return None
        if seconds_left(self.elapsed() - begun, call.timing) <= 0:
            return self._unknown(call, "was too slow to send anything")
        try:
            provider_id = call.create(row.id, Deadline(begun + call.timing.timeout, self.elapsed))
        except Refused as refusal:
            if refusal.again_in is not None:
                self._change(row, tried_at=None, tries=row.tries - 1)
                return Waiting(again_in=refusal.again_in, note=refusal.what)
            self._change(row, state="refused", settled_at=self.clock(), detail=refusal.what)
            raise
        except Exception as lost:  # whatever it is, the call may have arrived: unknown is never "failed"
            log.warning("%s %s: outcome unknown after %s", call.kind, row.id, type(lost).__name__)
            return self._unknown(call, "did not get an answer")
        kept = self._change(row, state="accepted", provider_id=provider_id, settled_at=self.clock())
        return provider_id if kept else None

    def _intend(self, call: PaidCall, row: Submission | None) -> Submission | None:
        """Commit that the call is about to be made; None where somebody else was faster or spending was forbidden.

        Raises LeaseLost where the job is no longer ours, StopRequested where somebody asked to stop (after such a wish
        is in SQL, nothing is sent) and Refused where nothing is set aside for it.
        """
        now = self.clock()
        values: dict[str, Any] = {"state": "intended", "fence": self.job.fence, "tried_at": now, "looked_at": None}
        with self.ledger.transaction() as connection:
            who = renew(connection, self.job, now, self.ledger.lease)
            if who:
                raise StopRequested(who)
            if self.may_spend(connection, self.job, now):
                return None
            if row is not None:
                values["tries"] = row.tries + 1
                return row.model_copy(update=values) if change(connection, row, **values) else None
            why_not = self._uncovered(connection, call)
            if why_not:
                raise Refused(why_not, "`resume` starts it anew, if an approver says so.")
            minted = Submission(
                id=str(uuid.uuid4()),
                workspace_id=self.job.workspace_id,
                job_id=self.job.id,
                kind=call.kind,
                life=resumes(connection, self.job),
                provider=call.provider,
                tries=1,
                expires_at=now + call.lives if call.lives else None,
                created_at=now,
                **values,
            )
            connection.execute(insert(_rows).values(**minted.model_dump()))
            return minted

    def _uncovered(self, connection: Connection, call: PaidCall) -> str:
        """Say why nothing is set aside for what this call would create anew, or ""; a file alone costs nothing."""
        return accounts.may_begin(connection, self.job) if call.kind == "job" else ""

    def _settle(self, call: PaidCall, judged: Judged) -> str | Waiting | None:
        """Do what a step says that sends nothing; None: judge again."""
        now, (row, step, found) = self.clock(), judged
        if row is None or step in (Step.HOLD, Step.SILENT):
            later = timedelta(seconds=call.timing.timeout)
            return Waiting(again_in=later, note=self._why_not(now) or f"{call.provider} does not answer")
        match step:
            case Step.HAVE:
                return row.provider_id
            case Step.ADOPT:
                self._change(row, state="accepted", provider_id=found, settled_at=now)
            case Step.REDATE:
                self._change(row, tried_at=now)
            case Step.GIVE_UP:
                self._change(row, state="abandoned", settled_at=now, detail="Stopped; nothing was made.")
            case Step.ASK:
                return self._ask(call, row, now)
            case _:
                if step is Step.REMEMBER:
                    self._change(row, looked_at=now)
                    row = row.model_copy(update={"looked_at": now})
                again_in = _until(row, call.timing, self._lease, now)
                return Waiting(again_in=again_in, note=f"Looking whether {call.provider} has it")
        return None

    def _wanted(self, call: PaidCall, row: Submission | None) -> bool:
        """Write down that it is in use, so that no sweep takes it; False where a sweep was faster.

        Raises LeaseLost where the job is no longer ours and StopRequested where somebody asked to stop.
        """
        if call.lives is None or row is None:
            return True
        now = self.clock()
        with self.ledger.transaction() as connection:
            who = renew(connection, self.job, now, self.ledger.lease)
            if who and not self.stopping:
                raise StopRequested(who)
            return change(connection, row, expires_at=now + call.lives)

    def _ask(self, call: PaidCall, row: Submission, now: datetime) -> Waiting:
        why = self._why_not(now) or f"{row.tries} calls got no answer"
        choice = "Decide: `resume` sends it again, `cancel` ends it."
        what = f"{call.provider} does not show this {call.kind}, and {why}. {choice}"
        if row.state != "asking":
            self._change(row, state="asking", detail=what)
        return Waiting(again_in=ASK_AGAIN, note=row.detail if row.state == "asking" else what)

    def _unknown(self, call: PaidCall, how: str) -> Waiting:
        patience = timedelta(seconds=max(self._lease, call.timing.grace))
        note = f"I {how}; before anything is sent again I look whether {call.provider} has it"
        return Waiting(again_in=patience, note=note)

    def _why_not(self, now: datetime) -> str:
        with self.ledger.reading() as connection:
            return self.may_spend(connection, self.job, now)

    def _change(self, row: Submission, **values: Any) -> bool:
        with self.ledger.transaction() as connection:
            return change(connection, row, **values)


def look_at(row: Submission | None, now: datetime, *, may_send: bool, stopping: bool) -> Seen:
    """Turn a row into what `next_step` judges."""
    if row is None:
        return Seen("", None, None, 0, may_send, stopping)
    return Seen(row.state, _since(row.tried_at, now), _since(row.looked_at, now), row.tries, may_send, stopping)


def newest(connection: Connection, job_id: str, kind: str) -> Submission | None:
    """Return the submission of this kind that a job minted last."""
    query = select(_rows).where(_rows.c.job_id == job_id, _rows.c.kind == kind).order_by(_rows.c.life.desc()).limit(1)
    found = connection.execute(query).mappings().one_or_none()
    return None if found is None else Submission(**found)


def change(connection: Connection, row: Submission, **values: Any) -> bool:
    """Change a row if it still is as it was read; False where somebody else was faster."""
    as_read = (
        (_rows.c.id == row.id)
        & (_rows.c.state == row.state)
        & (_rows.c.fence == row.fence)
        & _rows.c.tried_at.is_not_distinct_from(row.tried_at)
    )
    return connection.execute(update(_rows).where(as_read).values(**values)).rowcount == 1


def send_again(connection: Connection, row: Submission, who: str) -> bool:
    """Let a person's decision lead to one more call under the same id; False where nothing was being asked."""
    fresh = {"state": "intended", "tried_at": None, "looked_at": None, "tries": 0, "detail": f"Once more, by {who}"}
    return row.state == "asking" and change(connection, row, **fresh)


def asking(connection: Connection, job_id: str) -> list[Submission]:
    """Return the calls of a job about which a person has to decide."""
    query = select(_rows).where(_rows.c.job_id == job_id, _rows.c.state == "asking")
    return [Submission(**row) for row in connection.execute(query).mappings()]


def let_go(connection: Connection, job_id: str, kind: str, now: datetime) -> list[str]:
    """Give up what a job that succeeded needs no more, before the provider hears of it; returns the provider's ids."""
    mine = (_rows.c.job_id == job_id) & (_rows.c.kind == kind) & (_rows.c.state == "accepted")
    found = [str(provider_id) for provider_id in connection.execute(select(_rows.c.provider_id).where(mine)).scalars()]
    detail = "Its job has succeeded and needs it no more."
    connection.execute(update(_rows).where(mine).values(state="abandoned", settled_at=now, detail=detail))
    return found


def open_calls(connection: Connection, job_id: str) -> bool:
    """Say whether a job may have something at a provider."""
    return (
        connection.execute(select(_rows.c.id).where(_rows.c.job_id == job_id, _rows.c.state.in_(OPEN)).limit(1)).first()
        is not None
    )


def provider_of_run(connection: Connection, job_id: str) -> str:
    """Return which provider may have a run of this job, or ""."""
    query = select(_rows.c.provider).where(_rows.c.job_id == job_id, _rows.c.kind == "job", _rows.c.state.in_(OPEN))
    return str(connection.execute(query.limit(1)).scalar_one_or_none() or "")


def _since(then: datetime | None, now: datetime) -> float | None:
    return None if then is None else (now - then).total_seconds()


def _until(row: Submission, timing: Timing, lease: float, now: datetime) -> timedelta:
    """Say when the wait is over that `next_step` or `after_look` asked for."""
    start, wait = row.tried_at or now, max(lease, timing.grace)
    if row.looked_at is not None:
        start, wait = row.looked_at, timing.timeout + timing.lag
    return max(start + timedelta(seconds=wait) - now, timedelta(0)) + timedelta(milliseconds=10)
