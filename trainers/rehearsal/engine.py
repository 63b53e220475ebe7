"""Knows how to behave like OpenAI's fine-tuning service without training, and to break on request; it knows no HTTP."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from trainers.openai_api import refusals, signing
from trainers.openai_api.arrivals import Room
from trainers.openai_api.engine import Caller, Scope
from trainers.openai_api.objects import (
    ChatAsk,
    Checkpoint,
    Clock,
    Event,
    Hook,
    JobRequest,
    ModelCard,
    Page,
    Piece,
    Sent,
    Slice,
    StoredFile,
    TuningJob,
    Verb,
    cut,
)
from trainers.openai_api.refusals import ApiError
from trainers.openai_api.shapes import method
from trainers.rehearsal import life
from trainers.rehearsal.book import Book, Run, submission_in
from trainers.rehearsal.faults import Faults
from trainers.rehearsal.hang_up import HungUp
from trainers.rehearsal.hooks import Hooks
from trainers.rehearsal.life import NOTHING, Pace
from trainers.rehearsal.rows import count_rows
from trainers.rehearsal.talking import Talker

MODELS: Final = ("rehearsal-small", "rehearsal-large", "smollm2-135m-instruct")
"""Bases that can be named, beside those that are given."""

T = TypeVar("T")


@dataclass(kw_only=True)
class Rehearsal:
    """The provider: its book, its faults and its pace."""

    book: Book
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=Pace)
    clock: Clock = time.time
    shutdowns: dict[str, str] = field(default_factory=dict)
    """Further models that can be asked about and trained -> the ISO day on which each is shut down, or ""."""
    paused_status: str = "queued"
    """What a paused job is called: OpenAI's types have no word for it, Azure says paused."""
    file_limit: int = 512_000_000
    talker: Talker = field(default_factory=Talker)
    notice: str = NOTHING
    fingerprint: str = "fp_rehearsal_nothing_is_trained"
    hooks_kept: Hooks = field(init=False)

    def __post_init__(self) -> None:
        """Watch our own jobs for whoever wants to hear how they ended."""
        self.hooks_kept = Hooks(
            clock=self.clock, states=self._states, fault=lambda job: self.faults.choose("webhook", job)
        )

    @property
    def spool(self) -> Path:
        """Where uploads arrive."""
        return Path(tempfile.gettempdir())

    async def admit(self, key: str, scope: Scope) -> Caller:
        """Let any key in."""
        self.hooks_kept.wake()
        return Caller(None)

    async def room(self, caller: Caller) -> Room:
        """Return room for a few files of the greatest size: none is kept."""
        return Room("", 8 * self.file_limit)

    async def add_file(self, caller: Caller, sent: Sent) -> StoredFile:
        """Count the rows and forget them."""
        counted = await asyncio.to_thread(count_rows, sent.file)

        def keep(_: str) -> StoredFile:
            facts = {"name": sent.name, "size": sent.size, "purpose": sent.purpose, "lives": sent.lives}
            made = self.book.new_id("file")
            self.book.note("uploaded", submission_in(sent.name), id=made, at=self.clock(), **facts, **counted._asdict())
            return life.upload(self.book.uploads[made])

        return await self.perform("upload", submission_in(sent.name), keep)

    async def files(self, caller: Caller, page: Page, purpose: str) -> Slice[StoredFile]:
        """Return uploads and result files."""
        uploads = [life.upload(each) for each in self.book.uploads.values() if not each.deleted]
        kept = sorted([*uploads, *self._results()], key=lambda file: file.at)
        shown = [file for file in kept if purpose in ("", file.purpose) and self.visible(file.at)]
        ordered = shown[::-1] if page.newest_first else shown
        return await self.perform("read", "files", lambda _: cut(ordered, page))

    async def file(self, caller: Caller, file_id: str) -> StoredFile:
        """Return an upload or a result file."""
        found = self._file(file_id)
        return await self.perform("read", file_id, lambda _: found)

    async def content(self, caller: Caller, file_id: str) -> Path | bytes:
        """Return a job's step metrics; OpenAI hands out no training rows, and these were forgotten anyway."""
        found = self._file(file_id)
        if found.purpose != "fine-tune-results":
            raise refusals.bad("Not allowed to download files of purpose: " + found.purpose, "invalid_purpose", "id")
        run = next(run for run in self.book.runs.values() if life.results_id(run) == file_id)
        return await self.perform("read", file_id, lambda _: life.results(run))

    async def delete_file(self, caller: Caller, file_id: str) -> None:
        """Delete an upload or a result file, whether or not a job reads it."""
        found = self._file(file_id)
        submission_id = submission_in(found.name)

        def keep(_: str) -> None:
            self.book.note("deleted", submission_id, id=file_id, at=self.clock())

        await self.perform("delete", submission_id, keep)

    async def start(self, caller: Caller, request: JobRequest) -> TuningJob:
        """Take a job, unless OpenAI would refuse it."""
        self._check(request)
        submission_id = str((request.metadata or {}).get("submission_id", ""))
        rows = self.book.uploads[request.training_file]

        def keep(fault: str) -> TuningJob:
            made = self.book.new_id("ftjob")
            ill = fault if fault in (*life.FAILS_AT_ONCE, "dies") else ""
            facts = {"tokens": rows.tokens, "examples": rows.examples, "kind": rows.kind, "fault": ill}
            self.book.note("created", submission_id, id=made, at=self.clock(), body=_body(request), **facts)
            return self._job(self.book.runs[made])

        return await self.perform("start", submission_id, keep)

    async def jobs(self, caller: Caller, page: Page, metadata: Mapping[str, str]) -> Slice[TuningJob]:
        """Return jobs, newest first."""
        shown = [run for run in reversed(self.book.runs.values()) if self.visible(run.at) and self._fits(run, metadata)]

        def listed(_: str) -> Slice[TuningJob]:
            some = cut(shown, page)
            return Slice([self._job(run) for run in some.items], some.has_more)

        return await self.perform("read", "jobs", listed)

    async def job(self, caller: Caller, job_id: str) -> TuningJob:
        """Return a job."""
        run = self._run(job_id)
        return await self.perform("read", job_id, lambda fault: self._job(run, odd=fault == "odd_status"))

    async def change(self, caller: Caller, job_id: str, verb: Verb) -> TuningJob:
        """Cancel, pause or resume."""
        run = self._run(job_id)

        def keep(_: str) -> TuningJob:
            state = self._state(run)
            past, allowed = _PAST[verb]
            if state in ("succeeded", "failed") or (state not in allowed and state != past):
                said = f"Job has already {state}." if state in ("succeeded", "failed") else f"Job is {state}."
                raise refusals.bad(said, "invalid_job_state")
            if state in allowed:
                self.book.note(past, run.submission_id, id=run.id, at=self.clock())
            return self._job(run)

        return await self.perform(verb, run.submission_id, keep)

    async def events(self, caller: Caller, job_id: str, page: Page) -> Slice[Event]:
        """Return what happened."""
        told = life.events(self._run(job_id), self.pace, self.clock())
        return await self.perform("read", job_id, lambda _: cut(told, page))

    async def checkpoints(self, caller: Caller, job_id: str, page: Page) -> Slice[Checkpoint]:
        """Return pretended checkpoints."""
        made = life.checkpoints(self._run(job_id), self.pace, self.clock())
        return await self.perform("read", job_id, lambda _: cut(made, page))

    async def models(self, caller: Caller) -> Sequence[ModelCard]:
        """Return the bases, and what jobs would have left."""
        names = [*dict.fromkeys((*MODELS, *self.shutdowns)), *self.tuned()]
        return await self.perform("read", "models", lambda _: [self._card(name) for name in names])

    async def model(self, caller: Caller, name: str) -> ModelCard:
        """Return one of them."""
        if not self._knows(name):
            raise refusals.no_model(name)
        return await self.perform("read", name, lambda _: self._card(name))

    async def chat(self, caller: Caller, ask: ChatAsk) -> AsyncIterator[Piece]:
        """Say that this is a rehearsal."""
        deployed = self.book.deployments.get(ask.model)
        name = deployed.model if deployed else ask.model
        if not self._knows(name):
            raise refusals.no_model(ask.model)
        said = await self.perform("chat", ask.model, lambda _: self.talker.pieces(ask, tuned=name.startswith("ft:")))
        for piece in said:
            yield piece
            await asyncio.sleep(0)

    async def hooks(self, caller: Caller, page: Page) -> Slice[Hook]:
        """Return the addresses."""
        return cut(list(reversed(self.hooks_kept.kept.values())), page)

    async def hook(self, caller: Caller, hook_id: str) -> Hook:
        """Return an address."""
        if hook_id not in self.hooks_kept.kept:
            raise refusals.no_hook(hook_id)
        return self.hooks_kept.kept[hook_id]

    async def add_hook(self, caller: Caller, name: str, url: str, event_types: Sequence[str]) -> tuple[Hook, str]:
        """Keep an address."""
        made = self.hooks_kept.add(name, url, event_types)
        self.hooks_kept.wake()
        return made

    async def change_hook(self, caller: Caller, hook_id: str, changes: Mapping[str, Any]) -> Hook:
        """Change an address."""
        if "event_types" in changes:
            changes = {**changes, "event_types": tuple(changes["event_types"])}
        return self.hooks_kept.change(await self.hook(caller, hook_id), **changes)

    async def rotate_hook(self, caller: Caller, hook_id: str, keep_old: bool) -> tuple[Hook, str]:
        """Give an address a new secret."""
        return self.hooks_kept.rotate(await self.hook(caller, hook_id))

    async def delete_hook(self, caller: Caller, hook_id: str) -> None:
        """Forget an address."""
        self.hooks_kept.drop(await self.hook(caller, hook_id))

    async def test_hook(self, caller: Caller, hook_id: str, event_type: str) -> int:
        """Send a sample."""
        told = signing.event("evt_rehearsal_sample", event_type, "ftjob-rehearsal-sample", self.clock())
        return await self.hooks_kept.send(await self.hook(caller, hook_id), told)

    async def perform(self, call: str, about: str, keep: Callable[[str], T]) -> T:
        """Do what a call asks for, or what its fault makes of it."""
        fault = self.faults.choose(call, about)
        if fault in _REFUSED:
            raise _REFUSED[fault](self.faults)
        if fault == "drop_before":
            raise HungUp
        if fault == "late":
            await asyncio.sleep(self.faults.late_seconds)
        answer = keep(fault)
        if fault == "drop_after":
            raise HungUp
        if fault == "slow":
            await asyncio.sleep(self.faults.slow_seconds)
        if fault == "error_after":
            raise refusals.broken()
        return answer

    def visible(self, at: float) -> bool:
        """Say whether lists show what was made at that moment."""
        return self.clock() - at >= self.faults.list_lag

    def tuned(self) -> list[str]:
        """Return the names of all models that were not made."""
        return [life.tuned_name(run) for run in self.book.runs.values() if self._state(run) == "succeeded"]

    def _check(self, request: JobRequest) -> None:
        """Raise ApiError where OpenAI would take no such job."""
        day = self.shutdowns.get(request.model, "")
        if request.model not in (*MODELS, *self.shutdowns):
            raise refusals.not_trainable(request.model)
        if day and day <= time.strftime("%Y-%m-%d", time.gmtime(self.clock())):
            raise refusals.not_trainable(request.model, f"It was shut down on {day}.")
        for param in ("training_file", "validation_file"):
            file_id = getattr(request, param)
            if file_id is None:
                continue
            upload = self.book.uploads.get(file_id)
            if upload is None or upload.deleted:
                raise refusals.bad(f"invalid {param}: {file_id}", "invalid_file_id", param)
            if upload.purpose != "fine-tune":
                raise refusals.bad("The file's purpose must be 'fine-tune'.", "invalid_file_purpose", param)

    def _states(self) -> Mapping[str, str]:
        return {run.id: self._state(run) for run in list(self.book.runs.values())}

    def _state(self, run: Run) -> str:
        return life.status(run, self.pace, self.clock())

    def _results(self) -> list[StoredFile]:
        done = (run for run in self.book.runs.values() if self._state(run) == "succeeded")
        return [life.results_file(run, self.pace) for run in done if life.results_id(run) not in self.book.gone]

    def _file(self, file_id: str) -> StoredFile:
        kept = self.book.uploads.get(file_id)
        found = life.upload(kept) if kept and not kept.deleted else None
        found = found or next((file for file in self._results() if file.id == file_id), None)
        if found is None:
            raise refusals.no_file(file_id)
        return found

    def _run(self, job_id: str) -> Run:
        if job_id not in self.book.runs:
            raise refusals.no_job(job_id)
        return self.book.runs[job_id]

    def _fits(self, run: Run, metadata: Mapping[str, str]) -> bool:
        kept = (run.body.get("metadata") or {}) if self.faults.metadata == "kept" else {}
        return self.faults.metadata == "ignored" or metadata.items() <= kept.items()

    def _job(self, run: Run, *, odd: bool = False) -> TuningJob:
        told = life.job(run, self.pace, self.clock(), self.paused_status, "reticulating_splines" if odd else "")
        if self.faults.metadata == "kept":
            return told
        return replace(told, request=replace(told.request, metadata=None))

    def _knows(self, name: str) -> bool:
        return name in MODELS or name in self.shutdowns or name in self.tuned()

    def _card(self, name: str) -> ModelCard:
        return ModelCard(id=name, owner=NOTHING, shutdown=self.shutdowns.get(name, ""))


_PAST: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "cancel": ("cancelled", ("validating_files", "queued", "running", "paused")),
    "pause": ("paused", ("validating_files", "queued", "running")),
    "resume": ("resumed", ("paused",)),
}
"""What is asked -> what it is called once it is so, and the states in which it can be done."""

_REFUSED: Final[dict[str, Callable[[Faults], ApiError]]] = {
    "error_before": lambda _: refusals.broken(),
    "unavailable": lambda _: refusals.broken("The engine is currently overloaded, please try again later", 503),
    "busy": lambda faults: refusals.too_many("Rate limit reached.", faults.retry_after),
    "unauthorized": lambda _: refusals.wrong_key(),
    "forbidden": lambda _: refusals.training_not_available("Your organization is not able to create fine-tuning jobs."),
    "missing": lambda _: ApiError(404, "The resource does not exist.", "not_found"),
    "conflict": lambda _: ApiError(409, "Another request is changing this resource.", "conflict"),
}
"""Faults that refuse, and nothing is kept."""


def _body(request: JobRequest) -> dict[str, Any]:
    """Return a request as it came, which is what the book remembers."""
    told = {name: getattr(request, name) for name in ("model", "training_file", "validation_file", "seed", "metadata")}
    return {**told, "suffix": request.suffix, "method": method(request.method), **request.extra}
