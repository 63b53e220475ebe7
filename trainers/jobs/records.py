"""Knows the rows that jobs leave behind: what was billed, and which warnings were given; it does not know when."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from knowledge.clock import Moment


class RetirementWarning(SQLModel, table=True):
    """One warning to a tuned model's thread that it goes dark; SQL lets each be given once."""

    __tablename__ = "retirement_warning"

    model_id: str = Field(primary_key=True, foreign_key="model_version.id")
    retires_on: str = Field(primary_key=True)
    """ISO day; a provider that moves it is worth a new warning."""
    days: int = Field(primary_key=True)
    """How many days ahead: 90, 30 or 7."""
    at: datetime | None = Field(default=None, sa_type=Moment, nullable=False)


class Invoice(SQLModel, table=True):
    """What a provider billed for a job; the newest counts."""

    id: int | None = Field(default=None, primary_key=True)
    job_id: str = Field(foreign_key="job.id", index=True)
    dollars: str
    """A decimal string."""
    recorded_by: str
    at: datetime | None = Field(default=None, sa_type=Moment, nullable=False)
