"""Knows what people may do with their workspace's documents: add them by a job, and remove them; it reads none.

A job's row, its events and the audit stay for good, so they hold no name of a document: only how many there are, and
in which collection.
"""

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from knowledge.collections import Library
from knowledge.errors import UserError
from knowledge.places import Place as Collection
from knowledge.places import own_place
from knowledge.tables import DocumentRow
from knowledge.tenancy import Person
from trainers import audit, policy
from trainers.jobs import accounts, intake, outbox
from trainers.jobs.cards import waiting_card
from trainers.jobs.intake import INDEX, IntakeFile
from trainers.jobs.ledger import Ledger, add, move, read
from trainers.jobs.line import ahead
from trainers.jobs.messages import HomeRefresh, LearnedCard
from trainers.jobs.requests import job_id_of, job_of, led_to
from trainers.jobs.service import Jobs, Place
from trainers.states import LIVE
from trainers.tables import Job

FOLDER = "intake"
"""Folder under the data folder where files wait for their job."""

COLLECTION = "documents"
"""The collection where none is named."""

MOST = 10
"""Files and pages of one job; a form of Slack takes as many."""

LEFT = timedelta(hours=1)
"""After this long a folder that no job names is one whose request never came to its end."""

NOTHING = {"training_cost": "0", "evaluation_cost": "0", "training_minutes": [0, 0], "evaluation_minutes": [0, 0]}
"""The quote of an index job: it costs nothing, so nobody is asked."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Given(NamedTuple):
    """One file or page that somebody wants to have as a document."""

    name: str
    path: Path | None = None
    """Its bytes, in the folder that `room` gave; None for a page, or where they could not be had."""
    url: str = ""
    what: str = ""
    """Why its bytes could not be had."""
    next_step: str = ""


@dataclass(frozen=True, kw_only=True)
class Learning:
    """The verbs of a workspace's documents."""

    jobs: Jobs
    library: Library

    def check_may_add(self, person: Person, collection: str) -> Collection:
        """Return the place that a person wants to add to; raises NotAllowed, or UserError for a name that is none."""
        with self.jobs.ledger.reading() as connection:
            rules = policy.rules_of(connection, person.workspace_id)
        policy.check_may_add(person, rules)
        policy.check_not_paused(rules)
        return own_place(person.workspace_id, collection)

    def begun(self, request: str) -> bool:
        """Say whether a request has led to a job: it may come a second time."""
        with self.jobs.ledger.reading() as connection:
            return led_to(connection, request) is not None

    @contextmanager
    def room(self, request: str) -> Iterator[Path]:
        """Give a folder for the files of a request; where no job comes of it, the folder goes."""
        folder = self.jobs.datasets.folder / FOLDER / f"{job_id_of(request)}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder
        finally:
            if not self._is_used(request, folder):
                shutil.rmtree(folder, ignore_errors=True)

    def take_in(
        self,
        given: Sequence[Given],
        folder: Path,
        *,
        request: str,
        collection: str,
        person: Person,
        place: Place,
        now: datetime,
    ) -> Job:
        """Queue a job that adds these to a collection; the same request again gives the same job.

        Raises NotAllowed where this person may not, or has too many jobs; UserError for too many files at once.
        """
        if not 0 < len(given) <= MOST:
            raise UserError(f"I take 1 to {MOST} documents at a time.", "Send the others after these.")
        self.check_may_add(person, collection)
        job = job_of(
            request,
            kind=INDEX,
            title=_title(len(given), collection),
            spec={"backend": INDEX, "collection": collection, "folder": folder.name},
            quote=NOTHING,
            quote_hash=INDEX,
            person=person,
            place=place,
        )
        files = [_entry(job.id, number, each, self.jobs.datasets.folder) for number, each in enumerate(given, start=1)]
        with self.jobs.ledger.transaction() as connection:
            audit.take_turn(connection, job.workspace_id)
            known = led_to(connection, request)
            if known is not None:
                return known
            queued = self._queue(connection, job, files, person, now)
        self.jobs.ring(queued)
        return queued

    def named(self, person: Person, name: str) -> Sequence[DocumentRow]:
        """Return the documents that a person may mean by a name, or by COLLECTION/NAME."""
        rows, wanted = self.library.documents(person.workspace_id), name.strip().casefold()
        exactly = [row for row in rows if wanted in (row.name.casefold(), f"{row.collection}/{row.name}".casefold())]
        return exactly or [row for row in rows if wanted == row.title.casefold()]

    def forget(self, document_id: str, person: Person, now: datetime) -> DocumentRow | None:
        """Take a document away with its name everywhere; returns it as it was, None where it is gone already.

        What was derived from it goes with the next `library.settle` of its collection. Raises NotAllowed.
        """
        found = self.library.find(person.workspace_id, document_id)
        if found is None:
            return None
        with self.jobs.ledger.reading() as connection:
            policy.check_may_remove(found.added_by, person, policy.rules_of(connection, person.workspace_id))
        self.unname(found)
        gone = self.library.take_away(person.workspace_id, document_id)
        if gone is not None:
            told = {"collection": gone.collection, "passages": gone.passages}
            with self.jobs.ledger.transaction() as connection:
                audit.write(connection, person.workspace_id, person.user_id, "removed", "a document", now, **told)
        return gone

    def unname(self, document: DocumentRow) -> None:
        """Take a document's name out of what jobs have yet to say, before it is removed."""
        with self.jobs.ledger.transaction() as connection:
            for number, payload in outbox.owed_cards(connection, document.workspace_id, LearnedCard.KIND):
                card = json.loads(payload)
                others = [each for each in card["documents"] if not _names(each, document.name)]
                if len(others) < len(card["documents"]):
                    outbox.reword(connection, number, json.dumps({**card, "documents": others}))

    def _queue(
        self, connection: Connection, job: Job, files: Sequence[IntakeFile], person: Person, now: datetime
    ) -> Job:
        rules = policy.rules_of(connection, job.workspace_id, lock="share")
        accounts.check_share(connection, job, rules)
        added = add(connection, job, now)
        intake.put(connection, files)
        move(connection, added, "queued", person.user_id, now, approved_by=person.user_id, approved_at=now)
        queued = read(connection, job.id)
        collection = json.loads(job.spec)["collection"]
        accounts.tell(connection, queued, person.user_id, "adds documents", now, count=len(files), to=collection)
        outbox.put(connection, queued, waiting_card(queued, ahead(connection, queued, now)), now)
        outbox.put(connection, queued, HomeRefresh(user_id=person.user_id), now)
        return queued

    def _is_used(self, request: str, folder: Path) -> bool:
        with self.jobs.ledger.reading() as connection:
            known = led_to(connection, request)
            return known is not None and folder_of(known) == folder.name


def folder_of(job: Job) -> str:
    """Return the name of the folder with an index job's files."""
    return str(json.loads(job.spec).get("folder") or "")


def sweep_folders(ledger: Ledger, data: Path, now: datetime) -> int:
    """Remove the files of jobs that have ended, and those that never came to a job; returns how many folders."""
    home = data / FOLDER
    found = sorted(home.iterdir()) if home.is_dir() else []
    if not found:
        return 0
    with ledger.reading() as connection:
        live = select(_jobs.c.spec).where(_jobs.c.kind == INDEX, _jobs.c.state.in_(LIVE))
        used = {json.loads(spec)["folder"] for spec in connection.execute(live).scalars()}
        ended = select(_jobs.c.spec).where(_jobs.c.kind == INDEX, _jobs.c.state.not_in(LIVE))
        over = {json.loads(spec)["folder"] for spec in connection.execute(ended).scalars()}
    old = now.timestamp() - LEFT.total_seconds()
    left = [each for each in found if each.name not in used and (each.name in over or _older(each, old))]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def _older(folder: Path, moment: float) -> bool:
    try:
        return folder.stat().st_mtime < moment
    except FileNotFoundError:  # its request came to nothing just now
        return False


def _title(count: int, collection: str) -> str:
    noun = "1 document" if count == 1 else f"{count} documents"
    return noun if collection == COLLECTION else f"{noun} for {collection}"


def _entry(job_id: str, place: int, given: Given, data: Path) -> IntakeFile:
    return IntakeFile(
        job_id=job_id,
        place=place,
        name=given.name,
        path=given.path.relative_to(data).as_posix() if given.path else "",
        url=given.url,
        state="failed" if given.what else "waiting",
        what=given.what,
        next_step=given.next_step,
    )


def _names(told: dict[str, Any], name: str) -> bool:
    return told["name"] == name or any(name in note for note in told["notes"])
