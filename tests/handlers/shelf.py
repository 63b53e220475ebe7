"""A Slack side whose index is its own: real documents, a real Chroma server, and a worker that reads them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from bot.console.manifest import load_manifest
from knowledge.documents import Document
from knowledge.index import Index
from knowledge.places import Place
from knowledge.shelves import Shelves
from knowledge.sources import Page
from knowledge.tables import DocumentRow
from knowledge.topics import Topics
from knowledge.vectors import ChromaVectors
from tests.console import LocalSlack, wait_for
from tests.handlers.world import World, serve
from tests.knowledge.library import SharedWords
from trainers.backends.rehearsal import RehearsalBackend
from trainers.jobs.index_job import Desk
from trainers.jobs.run import Runner
from trainers.states import LIVE
from trainers.tables import Job

Json = dict[str, Any]
MANIFEST = Path(__file__).parents[2] / "manifest.yaml"
TEAM, OTHER = "T0NORTHWIND", "T1HARBOUR"
GUIDE = [
    Page(
        slug="adapters",
        title="Adapters",
        updated=date(2026, 11, 1),
        body="## What an adapter is\n\nAn adapter is a small set of weights that is trained beside a frozen model.",
    )
]


class Shelf:
    """A world with a library of its own."""

    def __init__(
        self, folder: Path, chroma_url: str, embedder: SharedWords | None = None, *, workspaces: int = 1
    ) -> None:
        self.folder = folder / "data"
        self.slack = LocalSlack(folder / "console", manifest=load_manifest(MANIFEST), workspaces=workspaces)
        self.world = World(self.slack, self.folder, None)  # type: ignore[arg-type]  # replaced below
        self.embedder = embedder or SharedWords()
        vectors = ChromaVectors(chroma_url, f"p-{folder.name}-{id(self)}"[-40:])
        words = self.folder / "words"
        self.index = Index(self.world.engine, vectors, Shelves(words), self.embedder, Topics(words / "topics.npz"))
        self.index.build(GUIDE)
        self.world.deps = replace(self.world.deps, index=self.index)
        self.world.messenger.deps = self.world.deps
        serve(self.world)

    def stop(self) -> None:
        self.index.close()
        self.world.stop()
        self.slack.stop()

    def deaf(self) -> Index:
        """The same index without a vector server."""
        vectors = ChromaVectors("http://127.0.0.1:9", "nobody")
        return Index(self.world.engine, vectors, self.index._shelves, self.embedder, self.index._topics)

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.world.deps.library.documents(TEAM)]

    def runner(self, owner: str = "w1", **desk: Any) -> Runner:
        deps = self.world.deps
        clock = lambda: self.world.now  # noqa: E731
        made = Desk(ledger=deps.jobs.ledger, library=deps.library, folder=self.folder, clock=clock, **desk)
        return Runner(
            ledger=deps.jobs.ledger,
            datasets=deps.datasets,
            backend=lambda _: RehearsalBackend(steps=1, seconds_per_step=0.0),
            env={},
            threads=1,
            clock=clock,
            owner=owner,
            notify_channel=lambda _: "C0TUNING",
            desk=made,
        )

    def jobs(self) -> list[Job]:
        return list(self.world.deps.jobs.ledger.listing(TEAM))

    def queued(self) -> Job:
        """Wait for a job that is to be done."""
        return wait_for(lambda: next((job for job in self.jobs() if job.state in LIVE), None), what="a queued job")

    def work(self, **desk: Any) -> Job:
        """Do what is queued, then deliver what there is to say; gives the job as it is then."""
        job = self.queued()
        self.runner(**desk).work(job.id)
        self.world.deliver()
        self.world.deliver()
        return self.world.deps.jobs.ledger.get(job.id)

    def form(self, channel: str = "C0ASK", user: str = "U0ADA") -> Json:
        self.slack.command("/tune learn", channel=channel, user=user)
        return self.slack.wait_view(user, title="Add documents")

    def add(self, *files: tuple[str, bytes], user: str = "U0ADA", **more: Any) -> Job:
        """Add files through the form and the worker."""
        view = self.form(user=user)
        self.slack.submit(view, self.upload(*files, user=user) | more, user=user)
        return self.work()

    def keep(self, made: Document, workspace: str = TEAM) -> DocumentRow:
        """Have a document without a job."""
        library = self.world.deps.library
        kept = library.add(made, Place(workspace, "documents"), size=100, by="U0ADA", now=self.world.now)
        found = library.find(workspace, kept.id)
        assert found is not None
        return found

    def upload(self, *files: tuple[str, bytes], user: str = "U0ADA") -> Json:
        return {"documents": [self.slack.upload(name, content, user=user) for name, content in files]}

    def said(self, channel: str = "C0ASK", user: str = "U0ADA") -> str:
        """Everything that can be read in a channel and its threads."""
        roots = self.slack.messages(channel, user=user)
        threads = [self.slack.messages(channel, root["ts"], user=user) for root in roots]
        return json.dumps([roots, threads], ensure_ascii=False)

    def seen(self, check: Callable[[], Any], what: str) -> Any:
        return wait_for(check, 10, what=what, seen=self.said)
