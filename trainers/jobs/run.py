"""Knows how a worker takes a job from claim to report; it does not know RQ, Slack or what training is."""

import json
import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from knowledge.clock import Clock
from knowledge.errors import ServiceError
from trainers import budgets, registry
from trainers.backends.base import Backend, Housekeeper, Order, StopRequested, Trained, Waiting, WorkerLeaving
from trainers.costs.own_prices import OwnPrices
from trainers.data.store import Datasets
from trainers.errors import ChildFailed, LeaseLost, Refused
from trainers.evals.planned import changed
from trainers.evals.probes import ALL_PROBES
from trainers.evals.report import Report
from trainers.jobs import accounts, draft_end, intake, outbox, pausing
from trainers.jobs.cards import announcement, ended_card, progress_card, report_card
from trainers.jobs.draft_job import Drafted, Pen
from trainers.jobs.drafting import wish_path
from trainers.jobs.endpoint_job import evaluate_over
from trainers.jobs.evaluating import Bench, Evaluated, evaluate
from trainers.jobs.failures import in_words
from trainers.jobs.hold import Hold
from trainers.jobs.hosted_job import Cover, billed, evaluate_served, reckoned
from trainers.jobs.index_job import AGAIN, Desk, Learned, learned_card
from trainers.jobs.intake import INDEX
from trainers.jobs.judging import Court
from trainers.jobs.kinds import DRAFTING
from trainers.jobs.ledger import Ledger, move, read
from trainers.jobs.messages import Announcement, HomeRefresh, Message
from trainers.jobs.outcome import model_version, result_json
from trainers.jobs.places import refresh
from trainers.jobs.recovery import recovery
from trainers.jobs.sealed import sealed_rows
from trainers.jobs.service import spec_of
from trainers.jobs.set_back import bring_near
from trainers.jobs.submission import MaySpend, let_go
from trainers.jobs.tidy import KEEP, kept_for_now
from trainers.tables import Dataset, Job, ModelVersion

log = logging.getLogger("luthier.worker")

MOST_DEATHS = 10
"""A job on which workers keep dying (out of memory, say) is failed rather than tried for ever."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A worker's hands."""

    ledger: Ledger
    datasets: Datasets
    backend: Callable[[str], Backend]
    """Name -> backend, built for this machine."""
    env: Mapping[str, str]
    """The environment of children: no secrets in it."""
    threads: int
    clock: Clock
    owner: str
    """This process, unique on this installation."""
    notify_channel: Callable[[str], str]
    """Channel of the one-line notifications by workspace; empty: none."""
    may_spend: MaySpend = accounts.may_spend
    """Says why a job may not spend (now), or ""."""
    secret: Callable[[str], str] = lambda name: ""
    """Value of a named environment variable, asked for when it is needed and kept nowhere; raises UserError."""
    cache: Path | None = None
    """Where evaluations keep what the next one can use, for all data folders."""
    probes: int = ALL_PROBES
    """Most probes of a suite that an evaluation asks here."""
    court: Court | None = None
    """Who judges free text; None: nobody."""
    desk: Desk | None = None
    """What documents are read and indexed with; None: this worker does not."""
    pen: Pen | None = None
    """What rows are written with; None: this worker does not."""
    own_prices: Mapping[str, OwnPrices] = field(default_factory=dict)
    """Prices that the operator set, by backend."""
    pretending: Collection[str] = ()
    """Backends that only pretend here."""
    keep: timedelta = KEEP
    """How long what a failed job has at a provider is kept for `resume`."""
    leaving: threading.Event = field(default_factory=threading.Event)
    """Set when this worker has to go."""

    @property
    def bench(self) -> Bench:
        """What evaluations work with here."""
        return Bench(
            data=self.datasets.folder,
            env=self.env,
            threads=self.threads,
            cache=self.cache,
            probes=self.probes,
            court=self.court,
            earlier=self.ledger.earlier,
            changed=partial(changed, self.ledger.engine),
        )

    def leave(self) -> None:
        """Put the job in hand down at its next checkpoint, for another worker to continue."""
        self.leaving.set()

    def work(self, job_id: str) -> None:
        """Answer one ring: take what is first in line on that job's queue and bring it as far as it goes now.

        A duplicate ring finds nothing to do, or what another ring would have found.
        """
        job = self.ledger.claim_for(job_id, self.owner, self.clock())
        while job is not None and pausing.put_back(self.ledger, job, self.owner, self.clock()):
            job = self.ledger.claim_for(job_id, self.owner, self.clock())  # a pause is not to keep others waiting
        if job is None:
            return
        hold = Hold(runner=self, job=job)
        try:
            try:
                self._advance(job, hold)
            except StopRequested as wish:
                self._stop(job, hold, wish)
        except LeaseLost:
            return
        except WorkerLeaving:
            self._wait(
                job, Waiting(again_in=timedelta(0), note="The worker stopped; the job continues from its checkpoint")
            )
        except OperationalError:
            raise  # the database is busy or away: the lease runs out and the job is rung for again
        except Exception as error:  # the worker's boundary: what nobody foresaw must end a job, not repeat it for ever
            self._end(job, "failed", *in_words(job, error))

    def _advance(self, job: Job, hold: Hold) -> None:
        deaths = self.ledger.deaths(job)
        if deaths.times >= MOST_DEATHS:
            raise ChildFailed(f"The worker died {deaths.times} times on this job.", "Look at its log, then `resume`.")
        if deaths.just_now:
            hold.recovery = recovery(job, deaths.silent_since, self.clock())
            hold.note = hold.recovery.at_first()
        hold.progress("preparing", {})
        if job.kind == INDEX:
            self._learn(job, hold)
            return
        if job.kind == DRAFTING:
            self._draft(job, hold)
            return
        dataset = sealed_rows(self.ledger, self.datasets, job, self.clock().date(), self.own_prices)
        if accounts.pays_as_it_goes(job):
            self._over_endpoint(job, dataset, hold)
            return
        order = self._order(job, dataset)
        trained = (
            self._model_to_judge(job, order, hold)
            if job.kind == "evaluate"
            else self.backend(order.spec.backend).advance(order, hold)
        )
        if isinstance(trained, Waiting):
            self._wait(job, trained)
            return
        evaluated = self._evaluate(job, dataset, trained, hold)
        if isinstance(evaluated, Waiting):
            self._wait(job, evaluated)
        else:
            self._succeed(job, trained, evaluated)

    def _evaluate(self, job: Job, dataset: Dataset, trained: Trained, hold: Hold) -> Evaluated | Waiting | None:
        if trained.served is None:
            return evaluate(job, dataset, trained, self.bench, hold)
        return evaluate_served(job, dataset, trained.served, self.bench, hold, judge=not trained.pretended)

    def _learn(self, job: Job, hold: Hold) -> None:
        made = self._desk.work(job, hold)
        if isinstance(made, Waiting):
            self._wait(job, made)
        else:
            self._end_learned(job, "failed" if made.failed else "succeeded", made)

    def _end_learned(self, job: Job, state: str, made: Learned, who: str = "") -> None:
        """End an index job: the ledger keeps counts, the names go out with the card and are forgotten here."""
        now = self.clock()
        seconds = (now - (job.started_at or now)).total_seconds()
        changes: dict[str, Any] = {"result": json.dumps({**made.counts(), "seconds": seconds}), "finished_at": now}
        if state == "failed":
            changes |= {"error_what": "None of the documents could be added.", "error_next": AGAIN}
        with self.ledger.transaction() as connection:
            if not move(connection, job, state, who or self.owner, now, fenced=True, phase="", **changes):
                return
            intake.clear(connection, job.id)
            self._tell(connection, job, state, [learned_card(job, state, made, seconds, who)], now)
        self._desk.put_away(job)

    def _draft(self, job: Job, hold: Hold) -> None:
        made = self._pen.work(job, hold)
        if isinstance(made, Waiting):
            self._wait(job, made)
        else:
            self._end_drafted(job, made)

    def _end_drafted(self, job: Job, made: Drafted) -> None:
        """End a job with its rows: they come under review in the transaction that ends it, so there is one review."""
        now, folder = self.clock(), self.datasets.folder
        result = draft_end.result_of(job, made, folder, now)
        with self.ledger.transaction() as connection:
            changes: dict[str, Any] = {"result": json.dumps(result), "finished_at": now, "phase": ""}
            if not move(connection, job, "succeeded", self.owner, now, fenced=True, **changes):
                return
            accounts.settle(connection, read(connection, job.id), self._paid(connection, job), now)
            self._tell(connection, job, "succeeded", draft_end.messages_of(connection, job, made, result, now), now)
        wish_path(folder, job.id).unlink(missing_ok=True)  # a brand's texts may be in it, and nothing needs it again

    @property
    def _pen(self) -> Pen:
        if self.pen is None:
            raise ServiceError("This worker writes no rows.", "Start one with `luthier worker io`, then `resume`.")
        return self.pen

    @property
    def _desk(self) -> Desk:
        if self.desk is None:
            raise ServiceError("This worker reads no documents.", "Start one with `luthier worker io`.")
        return self.desk

    def _over_endpoint(self, job: Job, dataset: Dataset, hold: Hold) -> None:
        evaluated = evaluate_over(job, dataset, self.bench, hold, self.secret)
        if isinstance(evaluated, Waiting):
            self._wait(job, evaluated)
        else:
            self._succeed(job, Trained(adapter=None, base=None), evaluated)

    def _paid(self, connection: Connection, job: Job) -> Decimal | None:
        """Return what a job has spent, in dollars, where its own list of answers knows."""
        return draft_end.paid(connection, job, self.datasets.folder) if accounts.pays_as_it_goes(job) else None

    def _cost(self, connection: Connection, job: Job, trained: Trained) -> Decimal | None:
        """Return what a job cost that succeeded; None where nobody can say."""
        if trained.served is None:
            return self._paid(connection, job)
        return Decimal(0) if trained.pretended else reckoned(job, trained.trained_tokens, self.bench)

    def _uncounted(self, connection: Connection, job: Job, trained: Trained, cost: Decimal | None) -> Decimal | None:
        """Return what of a job's cost was not counted yet when an earlier life of it ended."""
        if cost is None or trained.served is None:
            return cost  # what pays as it goes has left it out already
        return max(Decimal(0), cost - budgets.spent_by(connection, job.id))

    def _stop(self, job: Job, hold: Hold, wish: StopRequested) -> None:
        """End what runs elsewhere first: a job that says "cancelled" costs nothing any more."""
        hold.stopping = True
        if job.kind == INDEX:
            self._end_learned(job, "cancelled", self._desk.stop(job, hold), who=wish.who)
            return
        if job.kind == DRAFTING:
            self._end(job, "cancelled", "Stopped.", self._pen.so_far(job), who=wish.who)
            return
        left = self.backend(spec_of(job).backend).release(self._order(job, self.datasets.get(job.dataset_id)), hold)
        if left is not None:
            self._wait(job, left)
            return
        self._end(job, "cancelled", "Stopped.", "`resume` continues from the last checkpoint.", who=wish.who)

    def _order(self, job: Job, dataset: Dataset) -> Order:
        folder = self.datasets.folder
        train, own, today = folder / dataset.train_path, folder / "jobs" / job.id, self.clock().date()
        cover = Cover(
            job=job,
            dataset=dataset,
            folder=folder,
            today=today,
            own_prices=self.own_prices,
            pretending=self.pretending,
        )
        held_out = self.datasets.held_out(dataset)
        return Order(
            job_id=job.id, spec=spec_of(job), train=train, test=held_out, folder=own, still_covered=cover.check
        )

    def _model_to_judge(self, job: Job, order: Order, hold: Hold) -> Trained | Waiting:
        """Find the adapter of an earlier job instead of training one."""
        model = registry.Registry(self.ledger.engine, self.datasets.folder).get(job.workspace_id, job.model_id)
        return self.backend(order.spec.backend).find(order, self.datasets.folder / model.adapter_path, hold)

    def _wait(self, job: Job, waiting: Waiting) -> None:
        now = self.clock()
        with self.ledger.transaction() as connection:
            if move(
                connection,
                job,
                "queued",
                self.owner,
                now,
                fenced=True,
                remark=waiting.note,
                wake_at=now + waiting.again_in,
                rung_at=None,
            ):
                kept = read(connection, job.id)
                shown = pausing.noted(connection, job, {**json.loads(kept.progress), "note": waiting.note})
                outbox.put(connection, job, progress_card(job, kept.phase or "preparing", shown), now)

    def _succeed(self, job: Job, trained: Trained, evaluated: Evaluated | None) -> None:
        now = self.clock()
        seconds = (now - (job.started_at or now)).total_seconds()
        made, pictures = (evaluated.report, evaluated.pictures) if evaluated else (None, [])
        model = self._model(job, made, trained, now) if made and (trained.adapter or trained.served) else None
        with self.ledger.transaction() as connection:
            cost = self._cost(connection, job, trained)
            card = report_card(job, made, model.id if model else "", seconds, pictures, billed(job, trained, cost))
            result = result_json(card, trained, evaluated, cost)
            changes: dict[str, Any] = {"result": json.dumps(result), "finished_at": now, "phase": ""}
            if not move(connection, job, "succeeded", self.owner, now, fenced=True, **changes):
                return
            accounts.settle(connection, read(connection, job.id), self._uncounted(connection, job, trained, cost), now)
            if model and job.kind == "train":
                registry.add(connection, model)
            gone = let_go(connection, job.id, "deployment", now)
            self._tell(connection, job, "succeeded", [card, announcement(job, "succeeded", made)], now)
        self._remove(job, gone)

    def _remove(self, job: Job, deployments: Sequence[str]) -> None:
        """End what only the evaluation needed; what does not go now, the sweep removes."""
        keeper = self.backend(spec_of(job).backend) if deployments else None
        for name in deployments:
            if isinstance(keeper, Housekeeper):
                try:
                    keeper.remove("deployment", name)
                except (ServiceError, Refused) as problem:
                    log.warning("deployment %s stays for the sweep: %s", name, problem.what)

    def _end(self, job: Job, state: str, what: str, next_step: str, who: str = "") -> None:
        now = self.clock()
        with self.ledger.transaction() as connection:
            failed = state == "failed"
            kept = kept_for_now(connection, job, self.keep) if failed else ""
            next_step = f"{AGAIN if job.kind == INDEX else next_step} {kept}".strip()
            messages: list[Message] = [ended_card(job, state, what, next_step, who)]
            messages += [announcement(job, state, None)] if failed and job.kind != INDEX else []
            changes: dict[str, Any] = {"error_what": what, "error_next": next_step, "finished_at": now}
            if move(connection, job, state, who or self.owner, now, fenced=True, remark=what, **changes):
                if job.kind == INDEX:  # only now: until then they are those of whoever took the job over
                    intake.clear(connection, job.id)
                accounts.settle(connection, read(connection, job.id), self._paid(connection, job), now)
                self._tell(connection, job, state, messages, now)

    def _tell(self, connection: Any, job: Job, state: str, messages: list[Message], now: datetime) -> None:
        job = read(connection, job.id)
        outbox.put(connection, job, progress_card(job, "", json.loads(job.progress), state=state), now)
        for message in messages:
            if isinstance(message, Announcement):
                channel = self.notify_channel(job.workspace_id)
                if channel and not job.private:
                    outbox.put(connection, job, message, now, channel=channel, key=f"announcement-{job.fence}")
                continue
            outbox.put(connection, job, message, now, key=f"{message.KIND}-{job.fence}")
        outbox.put(connection, job, HomeRefresh(user_id=job.requested_by), now)

    def _model(self, job: Job, made: Report, trained: Trained, now: datetime) -> ModelVersion:
        dataset, folder = self.datasets.get(job.dataset_id), self.datasets.folder
        return model_version(job, dataset, made, trained, folder, now)


def sweep(ledger: Ledger, ring: Callable[[Job], bool], now: datetime) -> int:
    """Ring for every job that is due or abandoned, first in line first, renew places, and return for how many.

    What a pause holds up is put aside before, and what it no longer holds up is rung for at once.
    Where no ring is heard the waiting cards say so, and it is rung again at the next sweep.
    """
    bring_near(ledger, now)
    pausing.tend(ledger, now)
    waiting, unheard = ledger.due(now), set()
    for job in waiting:
        if ring(job):
            ledger.rung(job.id, now)
        else:
            unheard.add(job.id)
    refresh(ledger, now, unheard)
    return len(waiting)
