"""Knows the rows of the ledger, the data sets and the outbox; it does not know how they change."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.clock import Moment
from trainers.models import ModelVersion as ModelVersion
from trainers.states import STATES, SUBMISSION_STATES


def _moment(*, index: bool = False, nullable: bool = True) -> datetime | None:
    return Field(default=None, sa_type=Moment, index=index, nullable=nullable)  # type: ignore[no-any-return]  # SQLModel's Field is Any


class Dataset(SQLModel, table=True):
    """One version of a team's rows; the files lie under the data folder and never change."""

    __table_args__ = (UniqueConstraint("workspace_id", "name", "version"),)

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    name: str
    version: int
    train_path: str
    test_path: str
    train_rows: int
    test_rows: int
    sha256: str
    labels: str = ""
    provenance: str
    lint: str
    created_by: str
    created_at: datetime | None = _moment(nullable=False)
    private: bool = False
    """Seen and used only by whoever added it, until it is shared."""
    sources: str = "[]"
    """JSON list of the files that its rows are from, as `trainers.data.provenance.Origin` writes them."""
    pairs: bool = False
    """Whether its rows are preference pairs, in OpenAI's format, and not chats."""
    calls: bool = False
    """Whether some of its rows call tools, which not every place trains on."""
    pictures: bool = False
    """Whether some of its rows show pictures."""
    deleted_by: str = ""
    deleted_at: datetime | None = _moment()
    """When its bytes were removed; the row stays, because jobs name it."""

    @property
    def holds(self) -> str:
        """What stands in its rows beside texts, for a sentence; "" for nothing."""
        return " and ".join([*(["calls of tools"] if self.calls else []), *(["pictures"] if self.pictures else [])])


class Job(SQLModel, table=True):
    """One piece of long work; SQL is the truth about it and the queue only wakes a worker."""

    __table_args__ = (
        CheckConstraint("state in ({})".format(", ".join(f"'{state}'" for state in STATES)), name="job_state"),
        UniqueConstraint("workspace_id", "number"),
        Index("job_due", "state", "wake_at"),
        Index("job_line", "queue", "state", "approved_at", "id"),
    )

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    number: int
    kind: str
    state: str
    queue: str = "cpu"
    """Which workers advance it: io, cpu or gpu."""
    priority: str = "interactive"
    private: bool = False
    """Begun where not everybody can read, so it is announced and listed nowhere else."""
    phase: str = ""
    title: str
    dataset_id: str | None = Field(default=None, foreign_key="dataset.id")
    """The rows that it trains or judges on; None for work of another kind."""
    model_id: str = ""
    spec: str
    quote: str
    quote_hash: str
    requested_by: str
    channel: str = ""
    thread_ts: str = ""
    asked_at: datetime | None = _moment()
    reminded_at: datetime | None = _moment()
    approved_by: str = ""
    approved_at: datetime | None = _moment()
    expires_at: datetime | None = _moment()
    fence: int = 0
    owner: str = ""
    lease_until: datetime | None = _moment()
    wake_at: datetime | None = _moment()
    rung_at: datetime | None = _moment()
    stop_requested_by: str = ""
    progress: str = "{}"
    result: str = "{}"
    error_what: str = ""
    error_next: str = ""
    created_at: datetime | None = _moment(nullable=False)
    started_at: datetime | None = _moment()
    finished_at: datetime | None = _moment()


class JobEvent(SQLModel, table=True):
    """One change of a job, written in the same transaction as the change."""

    __tablename__ = "job_event"

    id: int | None = Field(default=None, primary_key=True)
    job_id: str = Field(foreign_key="job.id", index=True)
    at: datetime | None = _moment(nullable=False)
    old_state: str
    new_state: str
    fence: int
    who: str
    note: str = ""


class Submission(SQLModel, table=True):
    """One thing that is paid for at a provider; its row is committed before the call that creates it.

    `id` goes to the provider as metadata (of a file: in its name) and never changes from one attempt to the next.
    """

    __table_args__ = (
        CheckConstraint(
            "state in ({})".format(", ".join(f"'{state}'" for state in SUBMISSION_STATES)), name="submission_state"
        ),
        CheckConstraint("kind in ('upload', 'validation', 'job', 'deployment')", name="submission_kind"),
        UniqueConstraint("job_id", "kind", "life"),
        UniqueConstraint("provider", "provider_id"),
        Index("submission_open", "state", "kind"),
    )

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    job_id: str = Field(foreign_key="job.id")
    kind: str
    life: int = 0
    """How often a person had resumed the job when this was minted: only a resume may lead to a second one."""
    state: str
    fence: int
    """The job's fence when the newest intent was written: only that worker may record what came of it."""
    provider: str
    provider_id: str | None = None
    tries: int = 0
    """Intents whose call may have reached the provider."""
    tried_at: datetime | None = _moment()
    """When the newest intent was written; None where the call is known to have created nothing."""
    looked_at: datetime | None = _moment()
    """When the provider was first found not to have it, since the newest intent."""
    expires_at: datetime | None = _moment()
    """When a deployment has to be gone, unless its job asks for it again before."""
    created_at: datetime | None = _moment(nullable=False)
    settled_at: datetime | None = _moment()
    detail: str = ""
    """Why it was refused, abandoned or is asked about, in words."""


class OutboxMessage(SQLModel, table=True):
    """One Slack message that a job owes: posted once, then edited while `version` runs ahead of `sent_version`."""

    __tablename__ = "outbox_message"
    __table_args__ = (UniqueConstraint("job_id", "key"), Index("outbox_due", "due_at"))

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str
    job_id: str = Field(foreign_key="job.id")
    key: str
    kind: str
    channel: str
    thread_ts: str = ""
    payload: str
    version: int = 1
    sent_version: int = 0
    ts: str = ""
    trying_since: datetime | None = _moment()
    due_at: datetime | None = _moment()
    sent_at: datetime | None = _moment()
    problem: str = ""


class Leader(SQLModel, table=True):
    """Who holds a role that only one process may hold at a time."""

    role: str = Field(primary_key=True)
    owner: str
    lease_until: datetime | None = _moment(nullable=False)


class RateFreeze(SQLModel, table=True):
    """Until when Slack asked for quiet about one method, in one channel where its limit is per channel."""

    __tablename__ = "rate_freeze"

    workspace_id: str = Field(primary_key=True)
    method: str = Field(primary_key=True)
    channel: str = Field(primary_key=True, default="")
    until: datetime | None = _moment(nullable=False)


class WorkspaceRules(SQLModel, table=True):
    """What a workspace allows, as `trainers.policy.Rules` writes it."""

    __tablename__ = "workspace_rules"

    workspace_id: str = Field(primary_key=True)
    body: str
    changed_at: datetime | None = _moment(nullable=False)


class Approval(SQLModel, table=True):
    """One person's yes to one quote; a changed quote has another hash and starts without any."""

    __table_args__ = (UniqueConstraint("job_id", "quote_hash", "person"),)

    id: int | None = Field(default=None, primary_key=True)
    job_id: str = Field(foreign_key="job.id")
    quote_hash: str
    person: str
    at: datetime | None = _moment(nullable=False)


class Budget(SQLModel, table=True):
    """What one scope may spend in one month, in micro-dollars (tokens for the chat scope); it is never over its cap."""

    __table_args__ = (CheckConstraint("reserved >= 0 and spent >= 0", name="budget_not_negative"),)

    workspace_id: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    cap: int | None = Field(default=None, sa_type=BigInteger)
    reserved: int = Field(default=0, sa_type=BigInteger)
    spent: int = Field(default=0, sa_type=BigInteger)


class Reservation(SQLModel, table=True):
    """What is set aside for a job while it runs, and what it spent in all its lives, in micro-dollars."""

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    workspace_id: str
    channel: str
    person: str
    month: str
    reserved: int = Field(sa_type=BigInteger)
    spent: int = Field(default=0, sa_type=BigInteger)
    closed_at: datetime | None = _moment()


class AuditEntry(SQLModel, table=True):
    """One line of a workspace's log; SQL refuses to change or remove it."""

    __tablename__ = "audit"

    workspace_id: str = Field(primary_key=True)
    place: int = Field(primary_key=True)
    at: datetime | None = _moment(nullable=False)
    who: str
    what: str
    subject: str
    detail: str = "{}"
    previous: str
    hash: str


class AuditHead(SQLModel, table=True):
    """The newest entry of a workspace's log."""

    __tablename__ = "audit_head"

    workspace_id: str = Field(primary_key=True)
    place: int
    hash: str


class HumanLabel(SQLModel, table=True):
    """Which of two answers one person preferred on one row of a job's evaluation; seen blind, kept resolved."""

    __tablename__ = "human_label"
    __table_args__ = (
        CheckConstraint("choice in ('base', 'tuned', 'tie')", name="human_label_choice"),
        UniqueConstraint("job_id", "row", "person"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(index=True)
    job_id: str = Field(foreign_key="job.id")
    row: int
    """The row's line in its test file."""
    person: str
    choice: str
    at: datetime | None = _moment(nullable=False)


class Review(SQLModel, table=True):
    """Rows that people look through together, in one card of one thread, before anything uses them."""

    __table_args__ = (
        CheckConstraint("state in ('open', 'finishing', 'finished', 'discarded')", name="review_state"),
        CheckConstraint("purpose in ('test', 'train')", name="review_purpose"),
    )

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    purpose: str
    title: str
    spec: str = "{}"
    """JSON of what the rows are for; `labels`, where given, are the answers that are wanted."""
    channel: str = ""
    thread_ts: str = ""
    card_ts: str = ""
    shown: int = 1
    """Place of the row that the card shows: it is one card for everybody in the thread."""
    revision: int = 0
    """Counts every change of the review and its rows, so that an older drawing is recognised."""
    state: str = "open"
    created_by: str
    created_at: datetime | None = _moment(nullable=False)
    finished_by: str = ""
    finished_at: datetime | None = _moment()
    dataset_id: str = ""
    result: str = "{}"
    """JSON of what finishing made: counts, hash and file names."""
    posting_at: datetime | None = _moment()
    """When somebody last began to upload the files into the thread."""
    posted: str = ""
    """Slack's ids of the uploaded files, with spaces between them."""


class ReviewRow(SQLModel, table=True):
    """A row under review as it is now."""

    __tablename__ = "review_row"
    __table_args__ = (CheckConstraint("status in ('draft', 'kept', 'dropped')", name="review_row_status"),)

    review_id: str = Field(primary_key=True, foreign_key="review.id")
    place: int = Field(primary_key=True)
    messages: str
    """JSON of the turns; the last one is the assistant's, the expected answer, and may be empty while a draft."""
    kind: str
    why: str = ""
    provenance: str
    cell: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    """JSON of what it covers, by dimension, as far as whoever drafted it knows."""
    answered: bool
    """Whether the expected answer says something."""
    status: str = "draft"
    version: int = 1
    changed_by: str
    changed_at: datetime | None = _moment(nullable=False)


class ReviewChange(SQLModel, table=True):
    """One version of a row, or an edit that came too late to become one; SQL refuses to change it."""

    __tablename__ = "review_change"
    __table_args__ = (Index("review_change_row", "review_id", "place", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    review_id: str = Field(foreign_key="review.id")
    place: int
    version: int
    """The version that this made; of an edit that came too late, the version that it was written on."""
    what: str
    """drafted, added, edited, kept, kept with the rest, dropped, undid, or too late."""
    messages: str
    kind: str
    why: str
    status: str
    who: str
    at: datetime | None = _moment(nullable=False)


class EvalPlanRow(SQLModel, table=True):
    """One evaluation plan of a workspace; once frozen, SQL refuses to change or remove it."""

    __tablename__ = "eval_plan"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: str = Field(primary_key=True)
    workspace_id: str
    name: str
    body: str
    """The plan as `EvalPlan.to_json` writes it."""
    digest: str
    test_sha256: str = ""
    """Hash of the test file's bytes once frozen, else ""."""
    frozen_at: datetime | None = _moment()
    created_by: str
    created_at: datetime | None = _moment(nullable=False)
