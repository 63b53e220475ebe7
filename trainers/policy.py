"""Knows who may approve and who may stop a job; it does not know how they are asked."""

from decimal import Decimal

from knowledge.tenancy import Person
from trainers.errors import NotAllowed
from trainers.tables import Job

OWN_CLICK_LIMIT = Decimal(0)
"""Up to this many dollars the requester's own click approves."""


def check_approval(job: Job, person: Person, cost: Decimal | None) -> None:
    """Raise NotAllowed unless this person may approve this job at this cost (None: the cost is not known)."""
    check_workspace(job, person)
    if cost is None:
        raise NotAllowed("The cost of this job is not known.", "Choose a backend whose price is known.")
    if cost > OWN_CLICK_LIMIT:
        raise NotAllowed(
            f"This job costs ${cost}, and nobody is set as approver yet.", "Run it on this machine for $0."
        )
    if person.user_id != job.requested_by:
        raise NotAllowed("Only the person who asked for this job may approve it.", "Ask them to click.")


def check_stop(job: Job, person: Person) -> None:
    """Raise NotAllowed unless this person may stop this job."""
    check_workspace(job, person)
    if person.user_id != job.requested_by:
        raise NotAllowed("Only the person who asked for this job may stop it.", "Ask them to click.")


def check_workspace(job: Job, person: Person) -> None:
    """Raise NotAllowed where a job belongs to another workspace than the person."""
    if job.workspace_id != person.workspace_id:
        raise NotAllowed("This job belongs to another workspace.", "Nothing was changed.")
