"""The seal of an approval: a job runs only while quote, knobs, rows and prices are those that were approved."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tests.trainers.jobs.conftest import ADA, Watch
from tests.trainers.jobs.paid import FREE_HAND, Bench
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers import quotes
from trainers.backends.base import Order, Trained
from trainers.backends.rehearsal import RehearsalBackend
from trainers.costs.facts import Source
from trainers.costs.overlay import NAME, Change, write
from trainers.costs.rehearsal import Price
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.policy import set_rules
from trainers.spec import Hyperparameters, TrainingSpec
from trainers.tables import Dataset, Job

MakeRunner = Callable[..., Runner]
SOURCE = Source(name="a newer list", url="x", as_of=date(2026, 11, 22))


class Watched(RehearsalBackend):
    """A backend that says whether anything was begun."""

    begun = False

    def advance(self, order: Order, keeper: Any) -> Any:
        self.begun = True
        return Trained(adapter=None, base=None)


def worked(jobs: Jobs, job: Job, runner: MakeRunner) -> tuple[Job, bool]:
    """Let a worker have a job; gives it as it is then, and whether anything was begun."""
    backend = Watched()
    replace(runner("w1"), backend=lambda _: backend).work(job.id)
    return jobs.ledger.get(job.id), backend.begun


def refused(jobs: Jobs, job: Job, runner: MakeRunner, why: str) -> None:
    after, begun = worked(jobs, job, runner)
    assert (after.state, begun) == ("failed", False)
    assert "was approved:" in after.error_what
    assert why in after.error_what
    assert "new quote" in after.error_next


def rows_of(jobs: Jobs, job: Job) -> Dataset:
    return jobs.datasets.get(job.dataset_id)


def test_what_was_approved_runs(jobs: Jobs, approved: Job, runner: MakeRunner) -> None:
    """A job whose seal holds is begun."""
    after, begun = worked(jobs, approved, runner)
    assert (after.state, begun) == ("succeeded", True)


@pytest.mark.parametrize("file", ["train_path", "test_path"])
@pytest.mark.parametrize("gone", [False, True])
def test_rows_that_changed_do_not_run(jobs: Jobs, approved: Job, runner: MakeRunner, file: str, gone: bool) -> None:
    """One line more in the training or the test file, or a file that is gone, and nothing is begun."""
    path = jobs.datasets.folder / getattr(rows_of(jobs, approved), file)
    if gone:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[0])
    refused(jobs, approved, runner, "the rows of tickets v1")


def test_rows_that_are_put_back_run_after_a_resume(jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch) -> None:
    """The approval is still good for what was approved: nobody has to ask again once the rows are as they were."""
    path = jobs.datasets.folder / rows_of(jobs, approved).train_path
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    refused(jobs, approved, runner, "the rows")
    path.write_bytes(before)
    assert jobs.resume(approved.id, ADA, watch()).changed
    assert worked(jobs, approved, runner)[0].state == "succeeded"


def more_epochs(job: Job) -> dict[str, str]:
    """What somebody would write into the database for more epochs: in the spec, in the quote, or in both."""
    spec, offer = json.loads(job.spec), json.loads(job.quote)
    spec["hyperparameters"]["epochs"] = offer["spec"]["hyperparameters"]["epochs"] = 50
    return {"spec": json.dumps(spec), "quote": json.dumps(offer)}


@pytest.mark.parametrize("columns", [("spec",), ("quote",), ("spec", "quote")])
def test_epochs_that_changed_do_not_run(
    jobs: Jobs, approved: Job, runner: MakeRunner, columns: tuple[str, ...]
) -> None:
    """The database refuses such a change after the approval; where its rules were taken off, the worker refuses."""
    fresh = more_epochs(approved)
    change = text(f"update job set {', '.join(f'{name} = :{name}' for name in columns)} where id = :id")
    values = {"id": approved.id, **{name: fresh[name] for name in columns}}
    with pytest.raises(IntegrityError), jobs.ledger.transaction() as connection:
        connection.execute(change, values)
    with jobs.ledger.transaction() as connection:
        without_rules(connection)
        connection.execute(change, values)
    refused(jobs, approved, runner, "knobs" if columns == ("spec",) else "the quote is another one")


def without_rules(connection: Connection) -> None:
    """Take the triggers off the table of jobs, as somebody with the database in hand can."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("alter table job disable trigger user"))
        return
    query = "select name from sqlite_master where type = 'trigger' and tbl_name = 'job'"
    for name in connection.execute(text(query)).scalars().all():
        connection.execute(text(f"drop trigger {name}"))


@pytest.fixture
def azure(jobs: Jobs, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Job]:
    """Propose a run at Azure, priced by the book; where it would go is the rehearsal."""
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset
    with jobs.ledger.transaction() as connection:
        set_rules(connection, ADA.workspace_id, FREE_HAND, watch())
    spec = TrainingSpec(base="gpt-4.1-mini", backend="azure", hyperparameters=Hyperparameters(epochs=3))
    return lambda: jobs.propose(dataset, spec, person=ADA, now=watch())


def overlay(
    folder: Path, field: str = "training", new: str = "0.006 USD per 1K tokens", model: str = "gpt-4.1-mini"
) -> None:
    """What `luthier prices refresh --yes` leaves behind."""
    write(folder, [Change(provider="azure", model=model, field=field, old="", new=new)], SOURCE)


def test_prices_that_changed_do_not_run(jobs: Jobs, azure: Callable[[], Job], runner: MakeRunner, watch: Watch) -> None:
    """A price that came after the approval, dearer or cheaper, asks for a new quote, and names both figures."""
    job = azure()
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    overlay(jobs.datasets.folder)
    refused(jobs, job, runner, "training: 0.0025 to 0.0055 (usually 0.005) USD per 1K tokens of 2026-08-11 then")
    assert "0.006 USD per 1K tokens of 2026-11-22 now" in jobs.ledger.get(job.id).error_what


def test_prices_of_others_change_nothing(
    jobs: Jobs, azure: Callable[[], Job], runner: MakeRunner, watch: Watch
) -> None:
    """Another model's price is not this job's."""
    job = azure()
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    overlay(jobs.datasets.folder, model="gpt-4.1")
    assert worked(jobs, job, runner)[0].state == "succeeded"


def test_a_quote_is_reckoned_with_what_was_taken_over(jobs: Jobs, azure: Callable[[], Job]) -> None:
    """Prices and days that an operator took over into the data folder are those of the next quote."""
    shipped = json.loads(azure().quote)
    overlay(jobs.datasets.folder)
    fresh = json.loads(azure().quote)
    assert fresh["estimate"]["prices"]["training"]["price"] == "0.006 USD per 1K tokens"
    assert Decimal(fresh["training_cost"]) > Decimal(shipped["training_cost"])
    overlay(jobs.datasets.folder, "base_retires", "2026-12-24")
    assert json.loads(azure().quote)["estimate"]["lifecycle"]["base_retires"] == "2026-12-24"


def test_a_damaged_list_of_prices_stops_what_rests_on_prices_alone(
    jobs: Jobs, azure: Callable[[], Job], approved: Job, runner: MakeRunner, watch: Watch
) -> None:
    """A run on this machine goes on; a paid one fails with the way out, and is resumed once the list is whole."""
    job = azure()
    (jobs.datasets.folder / NAME).write_text("{")
    assert worked(jobs, approved, runner)[0].state == "succeeded"
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    after, begun = worked(jobs, job, runner)
    assert (after.state, begun) == ("failed", False)
    assert "luthier prices refresh" in after.error_next
    (jobs.datasets.folder / NAME).unlink()
    assert jobs.resume(job.id, ADA, watch()).changed
    assert worked(jobs, job, runner)[0].state == "succeeded"


@pytest.fixture
def bench(jobs: Jobs, tmp_path: Path) -> Any:
    provider = ThreadProvider(tmp_path)
    yield Bench(jobs=jobs, provider=provider)
    provider.stop()


def test_what_a_provider_has_is_brought_home(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and prices that change once the provider has the run change nothing there: it is watched to its end."""
    job = bench.finish(
        bench.approved(), until=lambda job: bench.row(job) is not None and bool(bench.row(job).provider_id)
    )
    monkeypatch.setattr(quotes, "price", lambda tokens: Price(Decimal(99), (1.0, 2.0), "dearer"))
    (bench.jobs.datasets.folder / rows_of(bench.jobs, job).train_path).write_bytes(b"")
    assert bench.finish(job).state == "succeeded"


def test_a_pretended_price_is_sealed_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rehearsal of a hosted run refuses what the real one would: nothing was uploaded."""
    job = bench.approved()
    monkeypatch.setattr(quotes, "price", lambda tokens: Price(Decimal(99), (1.0, 2.0), "dearer"))
    after = bench.finish(job)
    assert after.state == "failed"
    assert "99 USD now" in after.error_what
    assert bench.row(job, "upload") is None
