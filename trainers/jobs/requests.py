"""Knows which job a request leads to, so that one that comes twice leads to one only; not what the job does."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from knowledge.tenancy import Person
from trainers.errors import JobNotFound
from trainers.jobs.ledger import read
from trainers.jobs.service import Place
from trainers.tables import Job


def job_id_of(request: str) -> str:
    """Return the id of the job that a request of Slack or of a shell leads to."""
    return f"job_{sha256(request.encode()).hexdigest()[:12]}"


def led_to(connection: Connection, request: str) -> Job | None:
    """Return the job that a request has led to; None where it has led to none yet."""
    try:
        return read(connection, job_id_of(request))
    except JobNotFound:
        return None


def job_of(
    request: str,
    *,
    kind: str,
    title: str,
    spec: Mapping[str, Any],
    quote: Mapping[str, Any],
    quote_hash: str,
    person: Person,
    place: Place,
    expires_at: datetime | None = None,
) -> Job:
    """Return a request's quoted job of the io queue, which nobody has kept yet."""
    return Job(
        id=job_id_of(request),
        workspace_id=person.workspace_id,
        number=0,
        kind=kind,
        state="quoted",
        queue="io",
        private=place.private,
        title=title,
        spec=json.dumps(spec),
        quote=json.dumps(quote),
        quote_hash=quote_hash,
        requested_by=person.user_id,
        channel=place.channel,
        thread_ts=place.thread_ts,
        expires_at=expires_at,
    )
