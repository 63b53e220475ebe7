"""Knows the row of a tuned model; `trainers.tables` has the others, and hands this one on."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from knowledge.clock import Moment


class ModelVersion(SQLModel, table=True):
    """A tuned model that a job published."""

    __tablename__ = "model_version"

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    job_id: str = Field(foreign_key="job.id", unique=True)
    name: str
    base: str
    adapter_path: str
    system_prompt: str = ""
    status: str = "candidate"
    verdict: str = ""
    created_at: datetime | None = Field(default=None, sa_type=Moment, nullable=False)
    backend: str = "local"
    """Where it was trained, and answers."""
    remote_id: str = ""
    """The provider's id of a model that stays there; "" for an adapter of ours."""
    remote_base: str = ""
    """Name under which its base answers there."""
    data_sha256: str = ""
    """Hash over the rows that it was trained and judged on."""
    quote_hash: str = ""
    """Hash of the quote that was approved for it."""
    retires_on: str = ""
    """ISO day, the first one on which nobody answers at its provider; "" where none was announced."""
