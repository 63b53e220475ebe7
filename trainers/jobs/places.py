"""Knows which waiting cards show a place that is no longer true, and renews them; it does not know the order itself."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import select

from trainers.jobs import outbox
from trainers.jobs.cards import waiting_card, waiting_note
from trainers.jobs.ledger import Ledger, read
from trainers.jobs.line import Ahead, standings
from trainers.jobs.messages import ProgressCard
from trainers.jobs.queue import QUEUES
from trainers.tables import OutboxMessage

_rows = OutboxMessage.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def refresh(ledger: Ledger, now: datetime, unheard: Collection[str] = ()) -> int:
    """Renew each waiting card whose place changed, in place and never as a new message; returns how many.

    `unheard` are jobs for which the queue server took no ring just now.
    """
    renewed = 0
    for job_id, place in list(_moved(ledger, now, unheard)):
        with ledger.transaction() as connection:
            job = read(connection, job_id, lock=True)
            if job.state == "queued":  # else a worker was faster, and its progress must not be overwritten
                outbox.put(connection, job, waiting_card(job, place, unheard=job_id in unheard), now)
                renewed += 1
    return renewed


def _moved(ledger: Ledger, now: datetime, unheard: Collection[str]) -> Iterator[tuple[str, Ahead]]:
    with ledger.engine.execution_options(reading=True).connect() as connection:
        places = {job: place for queue in QUEUES for job, place in standings(connection, queue, now).items()}
        if not places:
            return
        shown = select(_rows.c.job_id, _rows.c.payload).where(
            _rows.c.key == ProgressCard.KIND, _rows.c.job_id.in_(places)
        )
        cards = connection.execute(shown).all()
    for job_id, payload in cards:
        card = json.loads(payload)
        # A job that waits in the middle of its life has something else to say, such as what it waits for.
        waits = card.get("state") == "queued" and card.get("phase") == ""
        if waits and card.get("note") != waiting_note(places[job_id], unheard=job_id in unheard):
            yield job_id, places[job_id]
