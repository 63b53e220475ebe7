"""Index jobs on SQLite and on Postgres: what workers, stops and other people may do to each other's documents."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update

from knowledge import passages
from knowledge.collections import Library
from knowledge.index import Index
from knowledge.indexing import Indexed
from knowledge.places import Place as Collection
from knowledge.rows import scrub
from knowledge.shelves import Shelves
from knowledge.tables import DocumentRow
from knowledge.tenancy import Person
from knowledge.topics import Topics
from knowledge.vectors import ChromaVectors
from tests.databases import address, engine, hasty
from tests.knowledge.library import SharedWords, document
from tests.trainers.jobs.conftest import ADA, BEN, THREAD, Watch
from trainers.jobs import intake
from trainers.jobs.index_job import ALSO_ADDED, Desk
from trainers.jobs.learning import Given, Learning, sweep_folders
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.tables import Job, OutboxMessage

__all__ = ["address", "engine", "hasty"]

REFUNDS, PARCELS = b"# Refunds\n\nWithin fourteen days.\n", b"# Parcels\n\nWithin nine days.\n"
PLACE = Collection("T1", "documents")


class Hooked(Library):
    """A library in which something happens before it indexes."""

    meanwhile: Callable[[], Any] = staticmethod(lambda: None)

    def settle(self, place: Collection, **more: Any) -> Indexed:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return super().settle(place, **more)


class Office:
    """The verbs of documents and workers over one database; there is no vector server, so words alone are indexed."""

    def __init__(self, engine: Engine, jobs: Jobs, watch: Watch, runner: Callable[..., Runner], folder: Path) -> None:
        vectors, shelves = ChromaVectors("http://127.0.0.1:9", "nobody"), Shelves(folder / "words")
        index = Index(engine, vectors, shelves, SharedWords(), Topics(folder / "topics.npz"))
        self.engine, self.jobs, self.watch, self.folder, self._runner = engine, jobs, watch, folder, runner
        self.library = Hooked(engine, index)
        self.learning = Learning(jobs=jobs, library=self.library)

    def runner(self, owner: str = "w1") -> Runner:
        desk = Desk(ledger=self.jobs.ledger, library=self.library, folder=self.folder, clock=self.watch)
        return replace(self._runner(owner), desk=desk)

    def ask(self, request: str, person: Person = ADA, **files: bytes) -> Job:
        with self.learning.room(request) as folder:
            given = []
            for number, (name, content) in enumerate(files.items(), start=1):
                (folder / f"{number}").write_bytes(content)
                given.append(Given(f"{name}.md", folder / f"{number}"))
            taken = {"person": person, "place": THREAD, "now": self.watch()}
            return self.learning.take_in(given, folder, request=request, collection="documents", **taken)

    def work(self, job: Job, owner: str = "w1") -> Job:
        self.runner(owner).work(job.id)
        return self.jobs.ledger.get(job.id)

    def card(self, job: Job) -> list[tuple[str, str, str]]:
        """Name, outcome and remarks of each document that the job's last message tells of."""
        query = select(OutboxMessage.payload).where(OutboxMessage.job_id == job.id, OutboxMessage.kind == "learned")  # type: ignore[arg-type,call-overload]
        with self.engine.connect() as connection:
            told = json.loads(connection.execute(query).scalar_one())["documents"]
        return [(each["name"], each["outcome"], " ".join([*each["notes"], each["what"]]).strip()) for each in told]

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.library.documents("T1")]


@pytest.fixture
def office(engine: Engine, jobs: Jobs, watch: Watch, runner: Callable[..., Runner], tmp_path: Path) -> Office:
    return Office(engine, jobs, watch, runner, tmp_path)


def test_documents_come_in_are_found_and_go_again(office: Office) -> None:
    """A request that comes twice is one job; it leaves no name and no file, and what is forgotten is not told."""
    job = office.ask("r1", refunds=REFUNDS, parcels=PARCELS)
    assert office.ask("r1", refunds=REFUNDS).id == job.id
    done = office.work(job)
    assert (done.state, json.loads(done.result)["documents"], office.names) == (
        "succeeded",
        2,
        ["parcels.md", "refunds.md"],
    )
    assert intake.of_job(office.engine, job.id) == []
    assert list((office.folder / "intake").iterdir()) == []
    assert [hit.passage.title for hit in office.library._index.search("nine days", 1, "T1").hits] == ["Parcels"]
    (row,) = office.learning.named(ADA, "refunds.md")
    assert office.learning.forget(row.id, ADA, office.watch()) is not None
    office.library.settle(PLACE)
    assert (office.names, office.card(job)) == (["parcels.md"], [("parcels.md", "added", "")])


def test_a_worker_that_slept_and_then_broke_forgets_nothing_of_its_successor(office: Office) -> None:
    """What the job has to read stays, and the worker that took it over finishes it with all names."""
    job = office.ask("r1", refunds=REFUNDS)
    slow = office.jobs.ledger.claim(job.id, "slow", office.watch())
    assert slow is not None
    office.watch.move(minutes=1)
    office.library.meanwhile = lambda: office.runner("slow")._end(slow, "failed", "The disk is full.", "")
    assert office.work(job).state == "succeeded"
    assert office.card(job) == [("refunds.md", "added", "")]


def test_stop_takes_back_its_own_and_leaves_what_replaced_it(office: Office) -> None:
    """A document that was put in the place of the stopped job's one meanwhile is not this job's to take."""
    first = office.ask("r1", refunds=REFUNDS, parcels=PARCELS)

    def replaced_then_stopped() -> None:
        second = office.ask("r2", refunds=b"# Refunds\n\nAt once.\n")
        assert office.work(second, "w2").state == "succeeded"
        office.jobs.stop(first.id, ADA, office.watch())

    office.library.meanwhile = replaced_then_stopped
    assert (office.work(first).state, office.names) == ("cancelled", ["refunds.md"])
    assert office.card(first) == [
        ("refunds.md", "changed", "It was replaced meanwhile and stays."),
        ("parcels.md", "removed", ""),
    ]


def test_stop_leaves_what_somebody_else_was_told_is_there(office: Office) -> None:
    """A second person who added the same meanwhile keeps the document; the rest of the stopped job goes."""
    first = office.ask("r1", refunds=REFUNDS, parcels=PARCELS)

    def also_added_then_stopped() -> None:
        second = office.ask("r2", BEN, refunds=REFUNDS)
        assert office.work(second, "w2").state == "succeeded"
        assert office.card(second) == [("refunds.md", "already there", "")]
        office.jobs.stop(first.id, ADA, office.watch())

    office.library.meanwhile = also_added_then_stopped
    assert (office.work(first).state, office.names) == ("cancelled", ["refunds.md"])
    assert office.card(first) == [("refunds.md", "added", ALSO_ADDED), ("parcels.md", "removed", "")]


def test_the_same_file_twice_in_one_job_goes_when_that_job_is_stopped(office: Office) -> None:
    """That a job was told of its own document keeps nothing."""
    first = office.ask("r1", refunds=REFUNDS, copy=REFUNDS)
    office.library.meanwhile = lambda: office.jobs.stop(first.id, ADA, office.watch())
    assert (office.work(first).state, office.names) == ("cancelled", [])


def test_nobody_replaces_what_they_may_not_remove(office: Office) -> None:
    """Another person's file of the same name is refused with a reason; the document stays as it was, and theirs."""
    office.work(office.ask("r1", refunds=REFUNDS))
    job = office.work(office.ask("r2", BEN, refunds=b"# Refunds\n\nNever.\n"))
    assert (job.state, office.card(job)[0][1]) == ("failed", "failed")
    assert "somebody else added it" in office.card(job)[0][2]
    (row,) = office.library.documents("T1")
    assert (row.added_by, office.library.passages(row, 0, 1)[0].text) == ("U0ADA", "Within fourteen days.")
    again = office.work(office.ask("r3", BEN, refunds=REFUNDS))
    assert office.card(again) == [("refunds.md", "already there", "")]


def test_a_document_is_cut_into_passages_before_the_database_is_held(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large one takes longer than others wait for their turn to write; a version that came meanwhile is replaced."""
    held, cut = [], passages.document_rows

    def watched(*given: Any, **more: Any) -> Any:
        held.append(office.engine.pool.checkedout())  # type: ignore[attr-defined]
        if len(held) == 1:
            office.library.keep(document("a.md", "Other: Words."), PLACE, size=1, by="U0ADA", now=office.watch())
        return cut(*given, **more)

    monkeypatch.setattr(passages, "document_rows", watched)
    kept = office.library.keep(document("a.md", "Some: Text."), PLACE, size=1, by="U0ADA", now=office.watch())
    assert (held[:2], kept.outcome, office.names) == ([0, 0], "changed", ["a.md"])
    (row,) = office.library.documents("T1")
    assert [passage.text for passage in office.library.passages(row, 0, 9)] == ["Text."]


def test_bytes_that_cannot_be_scrubbed_now_spoil_no_connection(
    hasty: Engine,
) -> None:
    """Where somebody holds the tables it is left for later, and the next transaction of that connection is one."""
    with hasty.begin() as other:
        other.execute(update(DocumentRow).values(note=""))
        if hasty.dialect.name == "postgresql":
            other.execute(text("lock table passage in access exclusive mode"))
        assert not scrub(hasty)
    with hasty.connect() as connection:
        assert getattr(connection.connection.driver_connection, "autocommit", False) is not True


def test_a_folder_that_goes_while_it_is_looked_at_stops_no_sweeper(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request to which it belonged has just come to nothing."""
    home = office.folder / "intake"
    (home / "job_0-gone").mkdir(parents=True)
    listed = list(home.iterdir())
    (home / "job_0-gone").rmdir()
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))
    assert sweep_folders(office.jobs.ledger, office.folder, office.watch()) == 0
