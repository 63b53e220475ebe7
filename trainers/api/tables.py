"""Knows the rows of the fine-tuning API: keys, files, jobs, webhooks; it does not know how they change."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from knowledge.clock import Moment


def _moment(*, index: bool = False, nullable: bool = True) -> datetime | None:
    return Field(default=None, sa_type=Moment, index=index, nullable=nullable)  # type: ignore[no-any-return]  # SQLModel's Field is Any


class ApiKey(SQLModel, table=True):
    """One key of one person, or of a service that a person answers for; the secret itself is not kept."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("limit_micros >= 0 and per_minute > 0", name="api_key_limits"),)

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    owner: str
    """The person who answers for what is done with it."""
    name: str
    service: bool = False
    """Whether a program uses it rather than its owner."""
    secret_sha256: str = Field(unique=True)
    hint: str
    """The secret's last characters."""
    scopes: str
    """Names from `SCOPES` with spaces between."""
    channel: str = ""
    """Where cards of its jobs go; empty: nowhere, as for a key of the shell's workspace."""
    private: bool = False
    """Whether not everybody can read there."""
    limit_micros: int = Field(default=0, sa_type=BigInteger)
    """Micro-dollars up to which one job needs no further approval."""
    granted_by: str = ""
    """The approver whose grant that limit is."""
    per_minute: int
    """Requests that it may make in a minute."""
    created_at: datetime | None = _moment(nullable=False)
    rotated_at: datetime | None = _moment()
    used_at: datetime | None = _moment()
    """When it was last used, to the minute."""
    revoked_at: datetime | None = _moment()
    revoked_by: str = ""


class ApiFile(SQLModel, table=True):
    """One file that was handed in, or that a job left; its bytes lie under the data folder."""

    __tablename__ = "api_file"

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    key_id: str = Field(foreign_key="api_key.id")
    owner: str
    private: bool = False
    """Whether its owner's keys alone see it."""
    name: str
    purpose: str
    size: int = Field(sa_type=BigInteger)
    created_at: datetime | None = _moment(nullable=False)
    expires_at: datetime | None = _moment()
    deleted_at: datetime | None = _moment()
    """When its bytes were removed; the row stays, because jobs name it."""


class ApiJob(SQLModel, table=True):
    """A job as the API took it; `job` holds the run once its file was found good."""

    __tablename__ = "api_job"
    __table_args__ = (
        Index("api_job_listed", "workspace_id", "created_at", "id"),
        Index("api_job_unprepared", "prepared_at", "lease_until"),
        Index("api_job_untold", "told_at"),
    )

    id: str = Field(primary_key=True)
    workspace_id: str
    key_id: str = Field(foreign_key="api_key.id")
    owner: str
    channel: str = ""
    private: bool = False
    request: str
    """JSON of `trainers.openai_api.objects.JobRequest`."""
    training_file: str = Field(index=True)
    validation_file: str = Field(default="", index=True)
    result_file: str = ""
    created_at: datetime | None = _moment(nullable=False)
    lease_until: datetime | None = _moment()
    """Until when a process is at work on its file."""
    prepared_at: datetime | None = _moment()
    """When its file was found good and a run was proposed, or the job failed."""
    job_id: str = Field(default="", index=True)
    """The run; empty: there is none (yet)."""
    paused_at: datetime | None = _moment()
    cancelled_at: datetime | None = _moment()
    error_code: str = ""
    error_message: str = ""
    error_param: str = ""
    told_at: datetime | None = _moment()
    """When its end was put down for webhooks."""


class ApiJobLabel(SQLModel, table=True):
    """One pair of a job's metadata."""

    __tablename__ = "api_job_label"
    __table_args__ = (Index("api_job_label_value", "name", "value"),)

    api_job_id: str = Field(primary_key=True, foreign_key="api_job.id")
    name: str = Field(primary_key=True)
    value: str


class ApiEvent(SQLModel, table=True):
    """Something that happened to a job before or beside its run."""

    __tablename__ = "api_event"

    id: int | None = Field(default=None, primary_key=True)
    api_job_id: str = Field(foreign_key="api_job.id", index=True)
    at: datetime | None = _moment(nullable=False)
    level: str
    message: str


class ApiHook(SQLModel, table=True):
    """An address that is told how jobs end; its secret has to be kept as it is, because it signs."""

    __tablename__ = "api_hook"

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    key_id: str = Field(foreign_key="api_key.id")
    owner: str
    name: str
    url: str
    event_types: str
    """Names with spaces between."""
    secret: str
    old_secret: str = ""
    old_until: datetime | None = _moment()
    """Until when the old secret signs too."""
    created_at: datetime | None = _moment(nullable=False)
    changed_at: datetime | None = _moment(nullable=False)


class ApiDelivery(SQLModel, table=True):
    """One event that one address is owed."""

    __tablename__ = "api_delivery"
    __table_args__ = (Index("api_delivery_due", "due_at"),)

    id: str = Field(primary_key=True)
    """The event's id, the same at every attempt."""
    hook_id: str = Field(foreign_key="api_hook.id", index=True)
    api_job_id: str
    event_type: str
    at: datetime | None = _moment(nullable=False)
    due_at: datetime | None = _moment()
    """When it is tried next; None: it arrived, or was given up."""
    tries: int = 0
    status: int = 0
    """What the address answered last; 0: nothing."""
