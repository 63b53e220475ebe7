"""A language model writes rows as a job: quoted, approved, killed, stopped, paused, resumed; paid for once."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.store.clock import open_clock
from knowledge.errors import UserError
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.row_server import Wire, wire
from tests.tables import rows_in
from tests.trainers.jobs.conftest import ADA, BEN, THREAD, Watch
from tests.valkey import running_valkey
from tests.whole import ROOT
from trainers import budgets, policy
from trainers.errors import NotAllowed, OverBudget
from trainers.evals.endpoint.journal import spent_in
from trainers.evals.generating.coverage import plan_grid
from trainers.evals.generating.price import ChatPrice
from trainers.evals.generating.spec import row_spec
from trainers.evals.metrics.operations import TokenPrices
from trainers.jobs import draft_job
from trainers.jobs.draft_job import Pen
from trainers.jobs.draft_tidy import sweep_drafts
from trainers.jobs.drafting import Drafting, Wish, home_of, wish_path
from trainers.jobs.ledger import Ledger
from trainers.jobs.queue import RqDoorbell, workers_on
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs, Place
from trainers.spec import TrainingSpec
from trainers.tables import Job, OutboxMessage, Review, ReviewRow
from trainers.workspaces import ChatMeter

__all__ = ["wire"]

PAID = ChatPrice(prices=TokenPrices(Decimal(1), Decimal(4)), basis="of a test")
FREE = ChatPrice(prices=TokenPrices(Decimal(0), Decimal(0)), basis="your own server: nobody is billed")
UNKNOWN = ChatPrice(prices=None, basis="nobody knows what writer-1 costs")
SHELL = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")
SPEC = row_spec("Sort tickets into billing, returns, shipping, other")


@pytest.fixture
def address(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what Postgres does otherwise is shown where budgets and ledger are tested."""
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    return f"sqlite:///{tmp_path / 'luthier.db'}"


def wish(count: int = 8, **spec: Any) -> Wish:
    made = replace(SPEC, **spec)
    return Wish(spec=made, grid=plan_grid(made), count=count, seed=7)


class Desk:
    """The verbs and workers of one installation whose language model is the rehearsal's."""

    def __init__(self, jobs: Jobs, make: Callable[..., Runner], watch: Watch, wire: Wire) -> None:
        self.jobs, self.make, self.watch, self.wire, self.price = jobs, make, watch, wire, PAID

    @property
    def drafting(self) -> Drafting:
        return Drafting(jobs=self.jobs, writer="writer-1", price=self.price)

    @property
    def folder(self) -> Path:
        return self.jobs.datasets.folder

    def rules(self, **rules: Any) -> None:
        with self.jobs.ledger.transaction() as connection:
            allowed = {"workspace_cap": Decimal(10), "own_click_limit": Decimal(5), **rules}
            policy.set_rules(connection, "T1", policy.Rules(**allowed), self.watch())

    def ask(self, count: int = 8, request: str = "view-1", person: Person = ADA, place: Place = THREAD) -> Job:
        now = self.watch()
        return self.drafting.propose(wish(count), request=request, person=person, place=place, now=now)

    def approved(self, count: int = 8) -> Job:
        job = self.ask(count)
        return self.jobs.approve(job.id, job.quote_hash, ADA, self.watch()).job

    def runner(self, owner: str = "w1", model: Any = None) -> Runner:
        engine, clock = self.jobs.ledger.engine, self.watch
        pen = Pen(
            ledger=self.jobs.ledger,
            folder=self.folder,
            clock=clock,
            model=lambda: model or self.wire.model,
            price=lambda: self.price,
            meter=lambda workspace: ChatMeter(engine=engine, workspace_id=workspace, clock=clock),
        )
        return replace(self.make(owner), pen=pen)

    def work(self, job: Job, owner: str = "w1", **more: Any) -> Job:
        self.runner(owner, **more).work(job.id)
        return self.jobs.ledger.get(job.id)

    def review(self) -> list[ReviewRow]:
        return rows_in(self.jobs.ledger.engine, ReviewRow)

    def owed(self, job: Job, kind: str) -> list[dict[str, Any]]:
        query = select(OutboxMessage.payload).where(OutboxMessage.job_id == job.id, OutboxMessage.kind == kind)  # type: ignore[arg-type,call-overload]
        with self.jobs.ledger.engine.connect() as connection:
            return [json.loads(payload) for payload in connection.execute(query).scalars()]

    def written(self, job: Job) -> int:
        """Rows in the job's journal."""
        path = home_of(self.folder, job.id) / draft_job.ROWS
        return path.read_text("utf-8").count('"is": "row"') if path.exists() else 0

    def money(self) -> tuple[Decimal, Decimal]:
        """Reserved and spent dollars of the workspace."""
        found = budgets.standing(self.jobs.ledger.engine, "T1", self.watch())
        whole = [each for each in found if each.scope == "workspace"]
        return (whole[0].reserved, whole[0].spent) if whole else (Decimal(0), Decimal(0))


@pytest.fixture
def desk(jobs: Jobs, runner: Callable[..., Runner], watch: Watch, wire: Wire) -> Desk:
    made = Desk(jobs, runner, watch, wire)
    made.rules()
    return made


def test_an_approved_run_ends_in_rows_under_review(desk: Desk) -> None:
    """The quote sets money aside, the run spends less, its rows wait for people, and all that is to be said is owed."""
    job = desk.approved()
    offer = json.loads(job.quote)
    assert (job.kind, job.queue, desk.money()[0]) == ("drafting", "io", Decimal(offer["evaluation_cost"]))
    done = desk.work(job)
    assert done.state == "succeeded", (done.error_what, done.error_next)
    result = json.loads(done.result)
    assert (result["rows"], result["written_by"], len(desk.review())) == (8, "writer-1", 8)
    assert (json.loads(done.progress)["step"], json.loads(done.progress)["steps"]) == (8, 8)
    assert not wish_path(desk.folder, job.id).exists()
    reserved, spent = desk.money()
    assert reserved == 0
    assert spent == Decimal(result["dollars"]) == Decimal(4 * 50 * len(desk.wire.rehearsal.requests)) / 1_000_000
    (card,), (review,) = desk.owed(job, "drafted"), desk.owed(job, "review")
    assert (card["rows"], Decimal(card["dollars"])) == (8, spent)
    (kept,) = rows_in(desk.jobs.ledger.engine, Review)
    assert (kept.id, kept.channel, kept.thread_ts) == (review["review_id"], "C1", "100.1")
    assert json.loads(kept.spec)["coverage"]["case"]
    assert all(json.loads(row.cell)["channel"] for row in desk.review() if row.provenance == "model writer-1")


def test_the_same_request_again_is_the_same_job(desk: Desk) -> None:
    """A form that is sent twice, also after its end, gives one job and one quote."""
    job = desk.ask()
    assert desk.ask().id == job.id
    desk.jobs.approve(job.id, job.quote_hash, ADA, desk.watch())
    assert not desk.jobs.approve(job.id, job.quote_hash, ADA, desk.watch()).changed
    desk.work(job)
    asked = len(desk.wire.rehearsal.requests)
    assert desk.ask().state == "succeeded"
    desk.work(job)
    assert (len(rows_in(desk.jobs.ledger.engine, Job)), len(desk.wire.rehearsal.requests)) == (1, asked)


def test_an_unknown_price_is_quoted_but_never_approved(desk: Desk) -> None:
    """Unknown is not 0: the quote says how to set it, and nobody can say yes."""
    desk.price = UNKNOWN
    job = desk.ask()
    offer = json.loads(job.quote)
    assert (job.state, offer["evaluation_cost"]) == ("quoted", None)
    assert "LUTHIER_MODEL_PRICE" in offer["cost_basis"]
    with pytest.raises(NotAllowed, match="not known"):
        desk.jobs.approve(job.id, job.quote_hash, ADA, desk.watch())
    assert desk.wire.rehearsal.requests == []


def test_one_s_own_server_begins_at_once(desk: Desk) -> None:
    """Nobody is billed, so whoever asked has said yes; the quote says that it costs $0 and why."""
    desk.price = FREE
    desk.rules(workspace_cap=Decimal(0), own_click_limit=Decimal(0))
    job = desk.ask()
    assert (job.state, job.approved_by) == ("queued", "U0ADA")
    assert Decimal(json.loads(job.quote)["evaluation_cost"]) == 0
    assert desk.work(job).state == "succeeded"
    assert desk.money() == (0, 0)


def test_a_budget_that_does_not_hold_the_quote_refuses_it(desk: Desk) -> None:
    """Dollars are refused at the click, tokens of the month before a quote is made; nothing is asked."""
    desk.rules(workspace_cap=Decimal("0.01"))
    job = desk.ask()
    with pytest.raises(OverBudget, match=r"has \$0\.01 left"):
        desk.jobs.approve(job.id, job.quote_hash, ADA, desk.watch())
    assert desk.jobs.ledger.get(job.id).state == "quoted"
    desk.rules(chat_tokens_cap=100)
    with pytest.raises(OverBudget, match="100 are left"):
        desk.ask(request="view-2")
    desk.rules(paused=True)
    with pytest.raises(UserError, match="paused"):
        desk.ask(request="view-3")
    assert desk.wire.rehearsal.requests == []
    assert len(rows_in(desk.jobs.ledger.engine, Job)) == 1


def test_somebody_else_s_money_needs_their_yes(desk: Desk) -> None:
    """Above one's own limit the click asks the approver; the model is asked after their yes alone."""
    desk.rules(own_click_limit=Decimal(0), approvers=("U0BEN",))
    job = desk.ask()
    waiting = desk.jobs.approve(job.id, job.quote_hash, ADA, desk.watch()).job
    assert waiting.state == "awaiting_approval"
    desk.work(waiting)
    assert desk.wire.rehearsal.requests == []
    assert desk.jobs.approve(job.id, job.quote_hash, BEN, desk.watch()).job.state == "queued"


def test_a_worker_that_is_killed_is_followed_by_one_that_asks_for_no_row_twice(desk: Desk) -> None:
    """After SIGKILL in the middle of a call the rows are there; that call counts as paid, and each row once."""
    job = desk.approved()
    killed_at(desk, job, calls=9)
    before, rows = len(desk.wire.rehearsal.requests), desk.written(job)
    assert 2 <= rows < 8
    desk.watch.move(minutes=1)
    done = desk.work(job, "w2")
    assert (done.state, json.loads(done.result)["rows"], done.fence) == ("succeeded", 8, 2)
    places = [json.loads(line)["place"] for line in lines_of(desk, job, draft_job.ROWS) if '"is": "row"' in line]
    assert sorted(places) == list(range(8))
    assert len(desk.wire.asked("<plan number")) == 1
    # after the death: two calls for each row that was missing, and those whose answer was thrown away
    thrown = sum('"is": "rejected"' in line for line in lines_of(desk, job, draft_job.ROWS))
    assert len(desk.wire.rehearsal.requests) - before <= 2 * (8 - rows) + 2 * thrown
    whole = spent_in(home_of(desk.folder, job.id) / draft_job.CALLS)
    answered = sum('"event": "answered"' in line for line in lines_of(desk, job, draft_job.CALLS))
    assert desk.money() == (0, whole)
    assert whole is not None
    assert whole > Decimal(4 * 50 * answered) / 1_000_000


def test_a_stop_keeps_the_rows_and_resume_goes_on(desk: Desk) -> None:
    """Stopped in the middle the job says how many rows are there; resumed under the same yes it writes the others."""
    job = desk.approved()
    asked: list[int] = []

    class Stopping:
        """The model, and somebody who clicks Stop while it writes."""

        name = "writer-1"

        def complete(self, *given: Any, **more: Any) -> str:
            asked.append(1)
            if len(asked) == 8:
                desk.jobs.stop(job.id, ADA, desk.watch())
                time.sleep(1.2)  # until the thread that keeps the lease has heard of it
            return desk.wire.model.complete(*given, **more)

    with quick_beats():
        stopped = desk.work(job, model=Stopping())
    rows = desk.written(job)
    assert (stopped.state, len(asked)) == ("cancelled", 8)
    assert 1 < rows < 8
    assert f"{rows} of 8 rows are written; `resume` goes on from there" in stopped.error_next
    assert desk.review() == []
    spent = desk.money()[1]
    assert spent > 0
    resumed = desk.jobs.resume(job.id, ADA, desk.watch()).job
    assert desk.money()[0] == Decimal(json.loads(job.quote)["evaluation_cost"]) - spent
    done = desk.work(resumed, "w2")
    assert (done.state, len(desk.review()), desk.written(job)) == ("succeeded", 8, 8)


def test_a_job_that_is_stopped_before_it_begins_costs_nothing(desk: Desk) -> None:
    """Out of the queue, with its money given back."""
    job = desk.approved()
    desk.jobs.stop(job.id, ADA, desk.watch())
    assert desk.work(job).state == "cancelled"
    assert (desk.money(), desk.wire.rehearsal.requests) == ((0, 0), [])


def test_a_busy_model_is_waited_for_and_then_given_up(desk: Desk) -> None:
    """At a 429 the job goes back to its queue, longer each time; at the end it fails with its rows kept."""
    job = desk.approved()
    desk.wire.rehearsal.fails_after = 7
    waits = []
    for _ in range(draft_job.MOST_PAUSES):
        waiting = desk.work(job)
        assert waiting.state == "queued"
        assert waiting.wake_at is not None
        waits.append((waiting.wake_at - desk.watch()).total_seconds())
        desk.watch.move(seconds=waits[-1])
    assert waits == sorted(waits)
    assert waits[0] >= 20
    failed = desk.work(job)
    assert (failed.state, desk.review()) == ("failed", [])
    assert "rows are written; `resume` goes on from there" in failed.error_next
    desk.wire.rehearsal.fails_after = None
    desk.jobs.resume(job.id, ADA, desk.watch())
    assert (desk.work(job).state, len(desk.review())) == ("succeeded", 8)


def test_a_pause_puts_a_running_job_aside(desk: Desk) -> None:
    """The kill switch holds up the next call; after it is off the job goes on where it was."""
    job = desk.approved()
    asked: list[int] = []

    class Pausing:
        name = "writer-1"

        def complete(self, *given: Any, **more: Any) -> str:
            asked.append(1)
            if len(asked) == 6:
                desk.rules(paused=True)
            return desk.wire.model.complete(*given, **more)

    aside = desk.work(job, model=Pausing())
    assert (aside.state, len(asked)) == ("queued", 6)
    assert desk.work(job).state == "queued"
    assert len(desk.wire.rehearsal.requests) == 6
    desk.rules()
    desk.watch.move(hours=2)
    assert (desk.work(job).state, len(desk.review())) == ("succeeded", 8)


def test_writing_lets_another_job_of_its_queue_go_first(desk: Desk) -> None:
    """After its slice of time it steps aside with its rows kept, and goes on where it was."""
    job = desk.approved()
    rows = desk.jobs.datasets.example("tickets", ADA, desk.watch()).dataset
    other = desk.jobs.propose(rows, TrainingSpec(backend="rehearsal"), person=ADA, now=desk.watch())
    runner = desk.runner()
    assert runner.pen is not None
    hurried = replace(runner, pen=replace(runner.pen, slice=0.0))
    desk.jobs.approve(other.id, other.quote_hash, ADA, desk.watch.move(seconds=1))
    hurried.work(job.id)
    aside = desk.jobs.ledger.get(job.id)
    assert (aside.state, desk.written(job)) == ("queued", 1)  # what was begun is decided first
    assert "Another job goes first" in desk.owed(job, "progress")[0]["note"]
    hurried.work(job.id)  # the other one is first in line now
    assert desk.jobs.ledger.get(other.id).state == "succeeded"
    desk.watch.move(seconds=4)
    assert (desk.work(job).state, desk.written(job)) == ("succeeded", 8)


def test_a_worker_that_slept_asks_for_no_job_that_has_ended(desk: Desk) -> None:
    """Thawed after another one cancelled the job, it looks before it calls: nothing is asked and nothing is spent."""
    job = desk.approved()

    class Slept:
        """The model; while its first answer is on its way the job passes to another worker, which stops it."""

        name = "writer-1"

        def complete(self, *given: Any, **more: Any) -> str:
            desk.watch.move(minutes=5)
            desk.jobs.stop(job.id, ADA, desk.watch())
            desk.runner("w2").work(job.id)
            return desk.wire.model.complete(*given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainers.jobs.alive.LOOK", 60.0)  # it sleeps: its heart does not beat either
        ended = desk.work(job, model=Slept())
    assert len(desk.wire.rehearsal.requests) == 1
    assert ended.state == "cancelled"


def test_patience_begins_anew_with_resume(desk: Desk) -> None:
    """A job that was given up waits as long as at first once a person resumes it."""
    job = desk.approved()
    desk.wire.rehearsal.fails_after = 0
    for _ in range(draft_job.MOST_PAUSES):
        desk.watch.move(minutes=10)
        assert desk.work(job).state == "queued"
    desk.watch.move(minutes=10)
    assert desk.work(job).state == "failed"
    desk.jobs.resume(job.id, ADA, desk.watch())
    assert desk.work(job).state == "queued"


def test_a_judge_s_words_are_in_no_row_of_the_ledger(desk: Desk) -> None:
    """Job and messages hold the point alone: the words may repeat what a row says."""
    desk.wire.rehearsal.mode = "judge_says_no"
    done = desk.work(desk.approved())
    assert json.loads(done.result)["rejected"] == {"judged not right, made up, no good example": 8}
    kept = json.dumps([done.model_dump(), desk.owed(done, "drafted"), desk.owed(done, "progress")], default=str)
    assert "It is vague" not in kept


def test_what_is_no_longer_what_was_approved_does_not_run(desk: Desk) -> None:
    """Another wish, another model, another price: refused in words, and nothing is asked."""
    job = desk.approved()
    path = wish_path(desk.folder, job.id)
    path.write_text(path.read_text("utf-8").replace('"count": 8', '"count": 80'), "utf-8")
    assert "what is to be written is not what it was" in desk.work(job).error_what
    path.write_text(path.read_text("utf-8").replace('"count": 80', '"count": 8'), "utf-8")
    desk.price = ChatPrice(prices=TokenPrices(Decimal(2), Decimal(4)), basis="dearer")
    desk.jobs.resume(job.id, ADA, desk.watch())
    assert "its price is another by now: dearer" in desk.work(job).error_what
    desk.price = PAID

    class Other:
        name = "writer-2"

    desk.jobs.resume(job.id, ADA, desk.watch())
    assert "the language model is writer-2 now" in desk.work(job, model=Other()).error_what
    assert desk.wire.rehearsal.requests == []


def test_a_model_that_writes_nothing_of_use_ends_cheaply_with_recipes(desk: Desk) -> None:
    """After a few answers it is given up; recipes fill up, the reasons are counted, the rows are marked as theirs."""
    desk.wire.rehearsal.mode = "prose"
    done = desk.work(desk.approved(12))
    result = json.loads(done.result)
    assert (done.state, result["rows"], result["from_recipes"]) == ("succeeded", 12, 12)
    assert len(desk.wire.rehearsal.requests) < 20
    assert "an answer that is no JSON object" in result["rejected"]
    assert any("unusable answers" in note for note in result["notes"])


def test_a_job_from_the_shell_leaves_files(desk: Desk) -> None:
    """Without a thread there is no review: rows, report and what was thrown away lie in the job's folder."""
    desk.price = FREE
    desk.wire.rehearsal.mode = "judge_says_no"
    job = desk.ask(person=SHELL, place=Place())
    done = desk.work(job)
    files = [Path(name) for name in json.loads(done.result)["files"]]
    assert [file.name for file in files] == ["drafted.jsonl", "drafted.report.md", "drafted.rejected.jsonl"]
    assert len(files[0].read_text("utf-8").splitlines()) == 8
    assert "judged not right" in json.loads(files[2].read_text("utf-8").splitlines()[0])["why"]
    assert desk.review() == []


def test_a_brand_s_texts_are_in_no_row_of_the_ledger(desk: Desk) -> None:
    """The wish lies in the job's folder; job, events and messages do not hold it."""
    spec = row_spec("Write in our voice", kind="voice", texts=["The wombat parcel is on its way to you, dear reader."])
    asked = Wish(spec=spec, grid=plan_grid(spec), count=4, seed=7)
    job = desk.drafting.propose(asked, request="v", person=ADA, place=THREAD, now=desk.watch())
    assert "wombat" in wish_path(desk.folder, job.id).read_text("utf-8")
    assert "wombat" not in json.dumps([job.model_dump(), desk.owed(job, "quote")], default=str)
    assert Wish.read(wish_path(desk.folder, job.id).read_text("utf-8")) == asked


def left_of(desk: Desk, job: Job) -> set[str]:
    return {path.name for path in home_of(desk.folder, job.id).iterdir()}


def test_words_of_a_job_that_will_not_go_on_are_removed(desk: Desk) -> None:
    """Wish and rows go: soon after success or a quote that nobody took, days after a stop; what was paid is kept."""
    ledger, stopped, unwanted = desk.jobs.ledger, desk.approved(2), desk.ask(3, request="view-2")
    done = desk.ask(4, request="view-3")
    desk.jobs.approve(done.id, done.quote_hash, ADA, desk.watch())
    desk.jobs.stop(stopped.id, ADA, desk.watch())
    assert desk.work(done).state == "succeeded"
    assert sweep_drafts(ledger, desk.folder, desk.watch()) == 0
    desk.watch.move(minutes=2)
    assert sweep_drafts(ledger, desk.folder, desk.watch()) == 1
    assert left_of(desk, done) == {draft_job.CALLS}
    assert left_of(desk, stopped) == left_of(desk, unwanted) == {"wish.json"}
    desk.watch.move(hours=24 * 3)
    assert sweep_drafts(ledger, desk.folder, desk.watch()) == 1
    assert (left_of(desk, stopped), left_of(desk, unwanted)) == ({"wish.json"}, set())
    desk.watch.move(hours=24 * 5)
    assert sweep_drafts(ledger, desk.folder, desk.watch()) == 1
    desk.jobs.resume(stopped.id, ADA, desk.watch())
    assert "kept for 7 days" in desk.work(stopped).error_what


def test_a_wish_that_never_came_to_a_job_is_removed(desk: Desk) -> None:
    """A process that died between the two leaves it alone in its folder."""
    path = wish_path(desk.folder, "job_none")
    path.parent.mkdir(parents=True)
    path.write_text(wish().text, "utf-8")
    real = datetime.now(UTC)
    assert sweep_drafts(desk.jobs.ledger, desk.folder, real) == 0
    assert sweep_drafts(desk.jobs.ledger, desk.folder, real + timedelta(hours=2)) == 1
    assert not path.exists()


@pytest.mark.slow  # 8 s and more: a queue and two workers of its own; a killed worker's successor is tested above
@pytest.mark.timeout(400)
def test_the_real_worker_is_killed_and_another_one_goes_on(
    jobs: Jobs, address: str, tmp_path: Path, wire: Wire
) -> None:
    """Two worker processes over a real queue: SIGKILL to the first while it writes, one review at the end."""
    wire.rehearsal.seconds = 0.1
    jobs = replace(jobs, ledger=Ledger(jobs.ledger.engine))
    now = open_clock(jobs.ledger.engine)
    drafting = Drafting(jobs=jobs, writer="writer-1", price=FREE)
    job = drafting.propose(wish(8), request="v", person=ADA, place=THREAD, now=now())
    with running_valkey(tmp_path / "queue") as url:
        env = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": address, "REDIS_URL": url, "LUTHIER_LEASE": "1"}
        env |= {"LUTHIER_MODEL": "writer-1", "LUTHIER_MODEL_URL": wire.url, "LUTHIER_MODEL_PRICE": "0 0"}
        rows = home_of(tmp_path, job.id) / draft_job.ROWS
        with worker(env) as one, worker(env) as other:  # both at once: to start takes seconds
            until(lambda: workers_on(url, "io") == 2, "two workers")
            RqDoorbell(url).ring(job.id, "io")
            until(lambda: rows.exists() and rows.read_text("utf-8").count('"is": "row"') >= 3, "three rows")
            owner = jobs.ledger.get(job.id).owner
            (first,) = [each for each in (one, other) if owner.endswith(f"-{each.pid}")]
            first.kill()
            first.wait(10)
            assert jobs.ledger.get(job.id).state == "running"
            until(lambda: (jobs.ledger.get(job.id).lease_until or now()) < now(), "the end of its lease")
            RqDoorbell(url).ring(job.id, "io")
            until(lambda: jobs.ledger.get(job.id).state == "succeeded", "the end")
    done = jobs.ledger.get(job.id)
    assert (done.fence, json.loads(done.result)["rows"]) == (2, 8)
    assert len(rows_in(jobs.ledger.engine, ReviewRow)) == 8
    assert len(wire.asked("<plan number")) == 1


@contextmanager
def worker(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `luthier worker io`."""
    process = subprocess.Popen([sys.executable, "-m", "bot", "worker", "io"], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def quick_beats() -> Iterator[None]:
    """Let the lease's thread hear of a stop soon: it asks every two seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainers.jobs.hold.BEAT", 0.0)
        patch.setattr("trainers.jobs.alive.LOOK", 0.05)
        yield


def killed_at(desk: Desk, job: Job, calls: int) -> None:
    """Let a worker write in a process of its own, and kill it while its call number `calls` is under way."""
    server = desk.wire.rehearsal
    server.hangs_after = calls - 1
    pid = os.fork()
    if not pid:
        try:
            desk.jobs.ledger.engine.dispose(close=False)
            desk.work(job, "dying")
        finally:
            os._exit(1)
    until(lambda: len(server.requests) == calls, "the call")
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    server.hangs_after = None
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def lines_of(desk: Desk, job: Job, name: str) -> list[str]:
    return (home_of(desk.folder, job.id) / name).read_text("utf-8").splitlines()


def until(check: Callable[[], object], what: str, limit: float = 100) -> None:
    end = time.monotonic() + limit
    while not check():
        assert time.monotonic() < end, f"{what} did not come in {limit} s"
        time.sleep(0.02)
