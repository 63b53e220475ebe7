"""Knows what people may do with jobs: propose, approve, stop, resume; not the work, nor how Slack shows it."""

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers import audit, policy
from trainers.backends import QUEUES, check_name
from trainers.costs.gate import PROVIDER_OF
from trainers.costs.local import PastRun
from trainers.costs.overlay import shelf_in
from trainers.costs.own_prices import OwnPrices
from trainers.data.keeping import hold_rows
from trainers.data.store import Datasets
from trainers.errors import NotAllowed, OverBudget
from trainers.evals.judged_by import JudgedBy, judged_by
from trainers.evals.plan_store import StoredPlan
from trainers.evals.planned import frozen, plan_for, rule_of
from trainers.evals.rule import SuccessRule
from trainers.jobs import accounts, approval, intake, outbox
from trainers.jobs.cards import ended_card, progress_card, waiting_card
from trainers.jobs.intake import INDEX
from trainers.jobs.kinds import again
from trainers.jobs.ledger import RESUMED, STOP, Ledger, add, move, read
from trainers.jobs.line import BATCH, INTERACTIVE, ahead
from trainers.jobs.no_report import no_report
from trainers.jobs.queue import Doorbell
from trainers.jobs.submission import asking, open_calls, send_again
from trainers.quotes import VALID_FOR, Quote, quote
from trainers.spec import Method, TrainingSpec
from trainers.states import ENDED, LIVE, RESUMABLE
from trainers.tables import Dataset, Job


class Place(NamedTuple):
    """Where a job's messages go; empty for a job from the shell."""

    channel: str = ""
    thread_ts: str = ""
    private: bool = False
    """Whether not everybody in the workspace can read there."""


NOWHERE = Place()

PRETENDED = "a rehearsal: nothing is trained and nothing is charged, however real these figures are"
"""Said of the costs of a job that only pretends."""


class Outcome(NamedTuple):
    """A job after a person's wish, and whether that wish changed anything (a second click changes nothing)."""

    job: Job
    changed: bool


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The verbs of a job's life."""

    ledger: Ledger
    doorbell: Doorbell
    datasets: Datasets
    tokenizer: Callable[[str], Path | None]
    """Name of a base -> its tokenizer.json, if it is on this machine."""
    rule: SuccessRule
    own_prices: Mapping[str, OwnPrices] = field(default_factory=dict)
    """Prices that the operator set, by backend."""
    pretending: Collection[str] = ()
    """Backends that only pretend here: every message about their jobs says so."""

    def propose(
        self,
        dataset: Dataset,
        spec: TrainingSpec,
        *,
        person: Person,
        now: datetime,
        place: Place = NOWHERE,
        kind: str = "train",
        model_id: str = "",
        batch: bool = False,
        plan: str = "",
        offer: Quote | None = None,
        job_id: str = "",
    ) -> Job:
        """Quote a run and put the quote before the person; nothing starts and nothing is spent.

        With `batch` it lets pass what somebody waits for, for two hours at most. `plan` names a frozen evaluation
        plan, by which the model is judged whatever the test rows are; without it the plan that was frozen with these
        rows applies, if there is one. `offer` is a quote made elsewhere, `job_id` an id chosen elsewhere: a second job
        of that id is refused by the database. Raises UserError for a backend or a plan that nobody knows.
        """
        check_name(spec.backend)
        if offer is None and spec.backend == "endpoint":
            raise UserError("An endpoint answers, it trains nothing.", "Judge its models: `luthier evaluate --url`.")
        offer = offer or self.offer(dataset, spec, person, kind, plan, now)
        job = Job(
            id=job_id or f"job_{uuid.uuid4().hex[:12]}",
            workspace_id=person.workspace_id,
            number=0,
            kind=kind,
            state="quoted",
            queue=QUEUES.get(spec.backend, "cpu"),
            priority=BATCH if batch else INTERACTIVE,
            private=place.private,
            title=f"{self._pretended(spec)}{dataset.name} on {spec.base}",
            dataset_id=dataset.id,
            model_id=model_id,
            spec=json.dumps(spec.to_json()),
            quote=json.dumps(offer.to_json()),
            quote_hash=offer.hash,
            requested_by=person.user_id,
            channel=place.channel,
            thread_ts=place.thread_ts,
            expires_at=now + VALID_FOR,
        )
        return self.put_forward(job, now)

    def put_forward(self, job: Job, now: datetime) -> Job:
        """Put a job that is quoted before the person; nothing starts. The database refuses a second one of its id."""
        with self.ledger.transaction() as connection:
            audit.take_turn(connection, job.workspace_id)  # numbers are counted together too
            hold_rows(connection, job.dataset_id)
            added = add(connection, job, now)
            cost = accounts.cost_of(added)
            asked = {"quote": added.quote_hash, "dollars": None if cost is None else str(cost)}
            accounts.tell(connection, added, added.requested_by, "asked for", now, **asked)
            approval.show(connection, added, policy.rules_of(connection, added.workspace_id), now, home=False)
            return added

    def approve(self, job_id: str, quote_hash: str, person: Person, now: datetime, via: str = "") -> Outcome:
        """Approve a quote: that queues the job, or asks whoever else has to say yes. A second click changes nothing.

        `via` names what said yes in this person's name, for the audit: the key that they granted a limit.
        Raises NotAllowed, OverBudget, or StaleApproval where the quote changed or expired.
        """
        try:
            with self.ledger.transaction() as connection:
                job = read(connection, job_id, lock=True)
                policy.check_workspace(job, person)
                if job.state in (*LIVE, *ENDED):
                    return Outcome(job, changed=False)
                changed = approval.click(connection, job, quote_hash, person, now, via)
                job = read(connection, job_id)
        except OverBudget as refusal:
            self.note_refusal(job, person, refusal, now)
            raise
        if job.state == "queued" and changed:
            self.ring(job)
        return Outcome(job, changed)

    def stop(self, job_id: str, person: Person, now: datetime) -> Outcome:
        """Cancel a job that has not started, or ask the worker of a running one to stop; the wish is in SQL first."""
        with self.ledger.transaction() as connection:
            return self.stop_within(connection, job_id, person, now)

    def stop_within(self, connection: Connection, job_id: str, person: Person, now: datetime) -> Outcome:
        """Stop a job inside the caller's transaction, together with whatever else has to be true at that moment."""
        job = read(connection, job_id, lock=True)
        policy.check_stop(job, person, policy.rules_of(connection, job.workspace_id))
        if job.state in ENDED or job.stop_requested_by:
            return Outcome(job, changed=False)
        who = person.user_id
        begun = job.state == "queued" and job.fence > 0
        # A worker counts what was paid, or takes back the documents that were added.
        to_finish = begun and (accounts.pays_as_it_goes(job) or job.kind == INDEX)
        if job.state == "running" or open_calls(connection, job.id) or to_finish:
            changed = move(connection, job, job.state, who, now, remark=STOP, stop_requested_by=who, wake_at=None)
        else:
            changed = move(connection, job, "cancelled", who, now, finished_at=now, stop_requested_by=who, phase="")
            if changed:
                self._close_unstarted(connection, read(connection, job_id), now)
        after = read(connection, job_id)
        if changed:
            verb = "cancelled" if after.state == "cancelled" else "stop requested"
            accounts.tell(connection, after, who, verb, now)
        return Outcome(after, changed)

    def resume(self, job_id: str, person: Person, now: datetime) -> Outcome:
        """Queue a failed or stopped job again under its old approval; it continues from its last checkpoint.

        A job that waits because nobody knows whether a provider took it sends its call again.
        Raises NotAllowed, or OverBudget where what is left of the approved cost does not fit any more.
        """
        try:
            with self.ledger.transaction() as connection:
                outcome = self.resume_within(connection, job_id, person, now)
        except OverBudget as refusal:
            self.note_refusal(self.ledger.get(job_id), person, refusal, now)
            raise
        if outcome.changed:
            self.ring(outcome.job)
        return outcome

    def resume_within(self, connection: Connection, job_id: str, person: Person, now: datetime) -> Outcome:
        """Resume a job inside the caller's transaction, who rings once it is kept; raises as `resume` does."""
        job = read(connection, job_id, lock=True)
        rules = policy.rules_of(connection, job.workspace_id, lock="share")
        policy.check_stop(job, person, rules)
        if job.state == "queued" and not job.stop_requested_by:
            return self._once_more(connection, job, person, rules, now)
        if job.state not in RESUMABLE:
            return Outcome(job, changed=False)
        if job.kind == INDEX:
            raise UserError("The files of that job are not kept.", "Add the documents again with `learn`.")
        if job.approved_at is None:
            raise NotAllowed("This job was never approved.", f"Ask for a new quote with {again(job.kind)}.")
        policy.check_not_paused(rules)
        hold_rows(connection, job.dataset_id)
        if not move(connection, job, "queued", person.user_id, now, remark=RESUMED, **_FRESH):
            return Outcome(read(connection, job_id), changed=False)
        job = read(connection, job_id)
        held = accounts.begin_again(connection, job, person, rules, now)
        accounts.tell(connection, job, person.user_id, "resumed", now, dollars=str(held))
        outbox.put(connection, job, waiting_card(job, ahead(connection, job, now)), now)
        said = ended_card(job, "queued", "", "", person.user_id)
        for key in (f"{said.KIND}-{job.fence}", f"run-ended-{job.fence}"):
            outbox.replace(connection, job, said, key, now)
        return Outcome(job, changed=True)

    def tend_quotes(self, now: datetime) -> int:
        """Ask the next approver where nobody answered and close quotes that expired; returns how many it touched."""
        with self.ledger.engine.execution_options(reading=True).connect() as connection:
            found = approval.due(connection, now)
        touched = 0
        for job_id in found:
            with self.ledger.transaction() as connection:
                job = read(connection, job_id, lock=True)
                touched += approval.expire(connection, job, now) or approval.remind(connection, job, now)
        return touched

    def waiting_for(self, person: Person, now: datetime) -> Sequence[Job]:
        """Return the quotes that wait for this person's approval."""
        with self.ledger.engine.execution_options(reading=True).connect() as connection:
            return approval.waiting_for(connection, person, now)

    def given(self, job: Job) -> Sequence[str]:
        """Return who has approved the job's present quote."""
        with self.ledger.engine.execution_options(reading=True).connect() as connection:
            return approval.given_for(connection, job)

    def asked(self, job: Job) -> Sequence[str]:
        """Return who may still approve it."""
        with self.ledger.engine.execution_options(reading=True).connect() as connection:
            given = approval.given_for(connection, job)
            return [
                user
                for user in policy.approvers_for(job, policy.rules_of(connection, job.workspace_id))
                if user not in given
            ]

    def note_refusal(self, job: Job, person: Person, refusal: OverBudget, now: datetime) -> None:
        """Tell the audit of a refusal for budget, whose transaction was not kept."""
        with self.ledger.transaction() as connection:
            accounts.tell(connection, job, person.user_id, "refused for budget", now, why=refusal.what)

    def note_download(self, job: Job, person: Person, now: datetime) -> None:
        """Tell the audit that somebody took a job's report out as files."""
        with self.ledger.transaction() as connection:
            accounts.tell(connection, job, person.user_id, "downloaded", now)

    def ring(self, job: Job) -> bool:
        """Wake a worker for this job; where nobody hears it the sweeper rings again."""
        return self.doorbell.ring(job.id, job.queue)

    def rule_for(self, dataset: Dataset, plan: str = "") -> SuccessRule:
        """Return the rule of a plan: the one named, else the one frozen with these very test rows, else the default.

        Raises UserError for a plan that is unknown or was never frozen.
        """
        chosen = self._plan_of(dataset, plan)
        return self.rule if chosen is None else rule_of(chosen.plan, judge=self.rule.metric == "judged")

    def judged_by(self, dataset: Dataset, plan: str = "", *, training: bool = True) -> JudgedBy | None:
        """Say by which plan a job on these rows is judged, and whether on its rows; None where no plan applies."""
        chosen, folder = self._plan_of(dataset, plan), self.datasets.folder
        if chosen is None:
            return None
        return judged_by(folder, dataset.workspace_id, chosen, folder / dataset.test_path, training=training)

    def past_runs(self, spec: TrainingSpec, person: Person) -> list[PastRun]:
        """Return what this machine's last runs on the same base took."""
        found = self.ledger.results(person.workspace_id, kind="train")
        same = [
            json.loads(result) for written, result in found if _alike(TrainingSpec.from_json(json.loads(written)), spec)
        ]
        return [PastRun(*result["timing"]) for result in same if result.get("timing")][:5]

    def _once_more(
        self, connection: Connection, job: Job, person: Person, rules: policy.Rules, now: datetime
    ) -> Outcome:
        """Carry out a person's decision about a call of which nobody knows: it is sent again under the same id."""
        open_questions = asking(connection, job.id)
        if not open_questions:
            return Outcome(job, changed=False)
        policy.check_not_paused(rules)
        for row in open_questions:
            send_again(connection, row, person.user_id)
            accounts.tell(connection, job, person.user_id, "sent again", now, submission=row.id)
        changed = move(connection, job, "queued", person.user_id, now, remark="sent again", wake_at=None, rung_at=None)
        return Outcome(read(connection, job.id), changed)

    def _plan_of(self, dataset: Dataset, plan: str) -> StoredPlan | None:
        engine, workspace_id = self.ledger.engine, dataset.workspace_id
        if plan:
            return frozen(engine, workspace_id, plan)
        return plan_for(engine, workspace_id, self.datasets.folder / dataset.test_path)

    def offer(self, dataset: Dataset, spec: TrainingSpec, person: Person, kind: str, plan: str, now: datetime) -> Quote:
        """Quote a run or an evaluation (`kind`), keeping nothing; raises UserError where it cannot be."""
        offer = quote(
            dataset,
            spec,
            self.rule_for(dataset, plan),
            folder=self.datasets.folder,
            tokenizer=self.tokenizer(spec.base),
            past=self.past_runs(spec, person),
            training=kind == "train",
            today=now.date(),
            shelf=shelf_in(self.datasets.folder) if spec.backend in PROVIDER_OF else None,
            own=self.own_prices.get(spec.backend),
        )
        if self._pretended(spec):
            offer = replace(offer, rehearsal=True, cost_basis=f"{PRETENDED}; {offer.cost_basis}")
        return replace(offer, plan=self.judged_by(dataset, plan, training=kind == "train"))

    def _pretended(self, spec: TrainingSpec) -> str:
        return "[rehearsal] " if spec.backend in self.pretending else ""

    def _close_unstarted(self, connection: Connection, job: Job, now: datetime) -> None:
        accounts.settle(connection, job, None, now)
        if job.kind == INDEX:
            intake.clear(connection, job.id)
        else:
            approval.show(connection, job, policy.rules_of(connection, job.workspace_id), now)
        if job.approved_at is not None:
            outbox.put(
                connection,
                job,
                progress_card(
                    job,
                    "",
                    {"note": "Stopped while it waited." if job.fence else "Stopped before it started; nothing ran."},
                    state=job.state,
                ),
                now,
            )


_FRESH: dict[str, Any] = {
    "stop_requested_by": "",
    "error_what": "",
    "error_next": "",
    "started_at": None,
    "finished_at": None,
    "wake_at": None,
    "rung_at": None,
    "phase": "",
}
"""What a resumed job forgets of its first life; the clock of "took" starts anew, checkpoints stay."""


def _alike(one: TrainingSpec, other: TrainingSpec) -> bool:
    """Say whether two runs take a like time for a token."""
    same_work = (one.method == Method.DPO) is (other.method == Method.DPO)
    return one.base == other.base and one.backend == other.backend and same_work


def spec_of(job: Job) -> TrainingSpec:
    """Read a job's training spec."""
    return TrainingSpec.from_json(json.loads(job.spec))


def result_of(job: Job) -> dict[str, Any]:
    """Read what a job left behind; raises UserError with what became of it where it has not succeeded."""
    if job.state != "succeeded":
        raise UserError(*no_report(job))
    result: dict[str, Any] = json.loads(job.result)
    return result
