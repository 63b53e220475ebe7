"""Knows how a worker turns the files of an index job into searchable documents; not how a file is read or indexed.

Killed at any point it is done again from the start: what was kept is found kept, in the transaction that also proved
that the job is still this worker's. So nothing is added twice, and nothing that was removed meanwhile comes back.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from knowledge.clock import Clock
from knowledge.collections import Kept, Library
from knowledge.documents import read_document
from knowledge.documents.limits import shipped
from knowledge.errors import LuthierError, ServiceError, UserError
from knowledge.fetching import fetch
from knowledge.indexing import Indexed
from knowledge.places import Place
from knowledge.rows import scrub
from knowledge.tenancy import Person
from trainers import policy
from trainers.backends.base import StopRequested, Waiting
from trainers.jobs import intake
from trainers.jobs.alive import kept_alive
from trainers.jobs.intake import IntakeFile
from trainers.jobs.learning import FOLDER, folder_of
from trainers.jobs.ledger import Ledger, renew
from trainers.jobs.messages import LearnedCard
from trainers.tables import Job

SLICE = 10.0
"""Seconds of indexing after which another job of the queue, such as the poll of a provider, goes first."""

STEP_ASIDE = timedelta(seconds=3)
"""How long indexing then waits: longer than the sweeper takes to ring for the other one."""

AGAIN = "Add the documents again with `learn`."
"""What to do after a job that cannot be resumed: its files are gone."""

REPLACED = "It was replaced meanwhile and stays."
ALSO_ADDED = "Somebody else added the same meanwhile, so it stays."

_OUTCOMES = {"": "failed", "shared": "added"}
"""What people are told where it is not the word that we keep."""

Fetch = Callable[..., None]
"""`knowledge.fetching.fetch`, or what stands in for it."""


class Held(Protocol):
    """The worker's hold on the job."""

    def keep(self) -> None:
        """Renew the lease; raises StopRequested, WorkerLeaving or LeaseLost."""

    def progress(self, phase: str, numbers: Mapping[str, Any]) -> None:
        """Write the newest figures into the job and its one progress message."""


class Learned(NamedTuple):
    """What came of a job."""

    documents: tuple[dict[str, Any], ...]
    """As in `LearnedCard`."""
    indexed: Indexed

    @property
    def failed(self) -> bool:
        """Whether nothing of it could be added."""
        return all(each["outcome"] == "failed" for each in self.documents)

    def counts(self) -> dict[str, Any]:
        """Return what the ledger keeps: no names."""
        there = [each for each in self.documents if each["outcome"] not in ("failed", "removed")]
        return {"documents": len(there), "passages": sum(each["passages"] for each in there)}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a worker needs to read and index documents."""

    ledger: Ledger
    library: Library
    folder: Path
    """The data folder."""
    clock: Clock
    fetch: Fetch = fetch
    slice: float = SLICE

    def work(self, job: Job, hold: Held) -> Learned | Waiting:
        """Read what is waiting, then index; Waiting where another job goes first."""
        files, place = intake.of_job(self.ledger.engine, job.id), place_of(job)
        with kept_alive(hold) as check:
            for file in files:
                if file.state == "waiting":
                    check()
                    note = f"Document {file.place} of {len(files)}" if len(files) > 1 else ""
                    hold.progress("reading", {"step": file.place - 1, "steps": len(files), "note": note})
                    self._take(job, file, place)
            try:
                indexed = self.library.settle(place, progress=self._teller(job, hold, check))
            except _AnotherFirst:
                return Waiting(again_in=STEP_ASIDE, note="Another job goes first")
            check()
        with self.ledger.transaction() as connection:
            self._still_wanted(connection, job)
        return Learned(self.outcomes(job), indexed)

    def outcomes(self, job: Job) -> tuple[dict[str, Any], ...]:
        """Say what became of each document so far."""
        there = {row.id for row in self.library.documents(job.workspace_id)}
        return tuple(_outcome(file, there) for file in intake.of_job(self.ledger.engine, job.id))

    def stop(self, job: Job, hold: Held) -> Learned:
        """Remove what a job that is being stopped has added; what replaced an older version, or others want, stays."""
        with kept_alive(hold):
            for file in intake.of_job(self.ledger.engine, job.id):
                if file.outcome in ("added", "shared"):
                    self._take_back(job, file)
            return Learned(self.outcomes(job), self.library.settle(place_of(job)))

    def put_away(self, job: Job) -> None:
        """Remove the files of a job that has ended; killed before, the sweeper does it."""
        name = folder_of(job)
        if name:
            shutil.rmtree(self.folder / FOLDER / name, ignore_errors=True)
        scrub(self.ledger.engine)

    def _take(self, job: Job, file: IntakeFile, place: Place) -> None:
        """Read one file and keep it as a document, or note why not; raises LeaseLost or StopRequested."""
        path = self._path(job, file)
        try:
            if file.url:
                self._fetch(job, file, path)
            document = read_document(path, file.name, today=self.clock().date())
            self.library.keep(
                document,
                place,
                size=path.stat().st_size,
                by=job.requested_by,
                now=self.clock(),
                within=partial(self._kept, job, file, document.notes),
            )
        except (UserError, ServiceError, OSError) as error:
            self._failed(job, file, error)

    def _take_back(self, job: Job, file: IntakeFile) -> None:
        """Remove what was added, unless somebody has put other content in its place, or was told that it is there."""
        content = hashlib.sha256(self._path(job, file).read_bytes()).hexdigest()
        still = partial(intake.is_own, file=file)
        if self.library.take_away(job.workspace_id, file.document_id, sha256=content, may=still) is None:
            with self.ledger.transaction() as connection:
                own = intake.is_own(connection, file)
                values = {"outcome": "changed", "notes": REPLACED} if own else {"notes": ALSO_ADDED}
                intake.mark(connection, file, **values)

    def _path(self, job: Job, file: IntakeFile) -> Path:
        return self.folder / (file.path or f"{FOLDER}/{folder_of(job)}/page-{file.place}")

    def _fetch(self, job: Job, file: IntakeFile, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.ledger.reading() as connection:
            hosts = policy.rules_of(connection, job.workspace_id).document_hosts
        self.fetch(file.url, path, hosts=hosts, most=shipped().bytes)

    def _kept(self, job: Job, file: IntakeFile, notes: Sequence[str], connection: Connection, kept: Kept) -> None:
        """Prove that the job is ours and write down what became of a file, in the transaction that keeps it."""
        self._still_wanted(connection, job)
        policy.check_may_replace(kept.replaces, _asker(job), policy.rules_of(connection, job.workspace_id))
        same = [] if kept.name == file.name else [f"It is there as {kept.name}."]
        values = {"document_id": kept.id, "outcome": kept.outcome, "passages": kept.passages}
        if kept.outcome == "already there":
            intake.share(connection, kept.id, job.id)
        intake.mark(connection, file, state="kept", notes="\n".join([*same, *notes]), **values)

    def _still_wanted(self, connection: Connection, job: Job) -> None:
        """Raise LeaseLost where the job is no longer ours, StopRequested where somebody asked to stop."""
        who = renew(connection, job, self.clock(), self.ledger.lease)
        if who:
            raise StopRequested(who)

    def _failed(self, job: Job, file: IntakeFile, error: Exception) -> None:
        what, next_step = _words(file, error)
        with self.ledger.transaction() as connection:
            self._still_wanted(connection, job)
            intake.mark(connection, file, state="failed", what=what, next_step=next_step)

    def _teller(self, job: Job, hold: Held, check: Callable[[], None]) -> Callable[[int, int], None]:
        begun = time.monotonic()

        def tell(done: int, whole: int) -> None:
            check()
            taken = time.monotonic() - begun
            left = taken / done * (whole - done) if 0 < done < whole else None
            hold.progress("indexing", {"step": done, "steps": whole, "seconds_left": left})
            if done < whole and taken > self.slice and self.ledger.others_due(job, self.clock()):
                raise _AnotherFirst

        return tell


class _AnotherFirst(Exception):
    """Indexing is put down: it is continued where it was."""


def place_of(job: Job) -> Place:
    """Return the collection that an index job adds to."""
    return Place(job.workspace_id, str(json.loads(job.spec)["collection"]))


def _asker(job: Job) -> Person:
    return Person(workspace_id=job.workspace_id, user_id=job.requested_by)


def learned_card(job: Job, state: str, made: Learned, seconds: float, ended_by: str = "") -> LearnedCard:
    """Say what became of a job's documents."""
    return LearnedCard(
        job_id=job.id,
        number=job.number,
        title=job.title,
        requested_by=job.requested_by,
        collection=place_of(job).collection,
        state=state,
        documents=made.documents,
        seconds=seconds,
        degraded=made.indexed.degraded,
        ended_by=ended_by,
    )


def _outcome(file: IntakeFile, there: set[str]) -> dict[str, Any]:
    gone = file.state == "kept" and file.document_id not in there
    return {
        "name": file.name,
        "outcome": "removed" if gone else _OUTCOMES.get(file.outcome, file.outcome),
        "passages": file.passages,
        "notes": file.notes.splitlines(),
        "what": file.what,
        "next_step": file.next_step,
    }


def _words(file: IntakeFile, error: Exception) -> tuple[str, str]:
    if isinstance(error, LuthierError):
        return error.what, error.next_step
    reason = error.strerror if isinstance(error, OSError) else ""
    return f"{file.name} cannot be read: {reason or type(error).__name__}.", "Upload it again."
