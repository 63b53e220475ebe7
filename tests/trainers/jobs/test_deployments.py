"""Deployments, which cost by the hour: made at most once, kept while they are used, gone soon after."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from knowledge.errors import ServiceError
from tests.trainers.jobs.conftest import ADA
from tests.trainers.jobs.paid import Bench
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers.backends.azure_shape import ACCOUNT, DeploymentApi
from trainers.backends.base import PaidCall, StopRequested, Waiting
from trainers.backends.deadline import Deadline
from trainers.backends.hosted import HostedBackend
from trainers.errors import LeaseLost, Refused
from trainers.jobs.ledger import move
from trainers.jobs.service import Jobs
from trainers.jobs.submission import Submissions
from trainers.jobs.tidy import QUIET, tidy
from trainers.tables import Job

HOUR = timedelta(hours=1)
PATH = ACCOUNT.format(subscription="s", group="g", account="a")


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ThreadProvider]:
    made = ThreadProvider(tmp_path)
    yield made
    made.stop()


class Serving(Bench):
    """The bench of hosted jobs, whose provider serves models too."""

    def backend(self, _: str = "") -> HostedBackend:
        made = super().backend()
        url = urljoin(self.provider.url, PATH)
        made.deployments = DeploymentApi(name="rehearsal provider", url=url, key="rehearsal")
        return made

    def call(self, lives: timedelta | None = HOUR) -> PaidCall:
        return self.backend().deployment(self.tuned(), lives)

    def tuned(self) -> str:
        """A model that the provider has tuned."""
        if not self.provider.rehearsal.book.runs:
            rows = self.jobs.datasets.folder / "rows.jsonl"
            rows.write_text('{"messages": [{"role": "user", "content": "a"}]}\n' * 10)
            file = self.api.upload("nobodys", rows, Deadline.after(5))
            self.api.start("nobodys", Deadline.after(5), model="rehearsal-small", training_file=file)
            time.sleep(0.25)
        return str(next(iter(self.api.jobs({})))["fine_tuned_model"])

    def claimed(self) -> Job:
        job = self.jobs.ledger.claim(self.approved().id, "w1", self.clock())
        assert job is not None
        return job

    def hands(self, job: Job) -> Submissions:
        return Submissions(ledger=self.jobs.ledger, job=job, clock=self.clock, may_spend=lambda *_: "")

    def deployed(self, job: Job, call: PaidCall) -> str:
        """Ask until it is there, as the worker of a job does, through whatever waits it takes."""
        for _ in range(20):
            made = self.hands(job).once(call)
            if isinstance(made, str):
                return made
            assert isinstance(made, Waiting)
            self.wait(job, made.again_in.total_seconds() + 0.01)
        raise AssertionError("no deployment")

    def wait(self, job: Job, seconds: float) -> None:
        """Let time pass for a worker that lives: it keeps its lease."""
        self.clock.skip(seconds)
        self.jobs.ledger.keep(job, self.clock())

    def end(self, job: Job, state: str) -> None:
        with self.jobs.ledger.transaction() as connection:
            assert move(connection, job, state, "w1", self.clock(), fenced=True, finished_at=self.clock())
        self.clock.skip(QUIET.total_seconds() + 1)

    def sweep(self) -> int:
        return tidy(self.jobs.ledger, self.backend(), self.clock())


@pytest.fixture
def bench(jobs: Jobs, provider: ThreadProvider) -> Serving:
    return Serving(jobs=jobs, provider=provider)


@pytest.mark.parametrize("fault", ["", "drop_before", "drop_after", "error_before", "error_after", "busy", "late"])
def test_a_deployment_is_made_once(bench: Serving, fault: str) -> None:
    """Whatever becomes of the call, exactly one deployment is there, and asking again gives the same one."""
    call, job = bench.call(), bench.claimed()
    bench.provider.now(script={"deploy": [fault]}, late_seconds=1.2)
    if fault == "late":
        assert isinstance(bench.hands(job).once(call), Waiting)
        time.sleep(1.3)  # the skipping clock does not move the provider
    name = bench.deployed(job, call)
    assert bench.deployed(job, call) == name
    row = bench.row(job, "deployment")
    assert row is not None
    assert (bench.provider.count("deployed"), name) == ({row.id: 1}, f"luthier-{row.id}")
    assert bench.provider.count("updated").total() == 0


def test_a_deployment_in_use_is_never_swept(bench: Serving) -> None:
    """Asked for again within its hour, it stays for hours; an hour after the last time it goes, its worker dead."""
    call, job = bench.call(), bench.claimed()
    name = bench.deployed(job, call)
    for _ in range(4):
        bench.wait(job, 50 * 60)
        assert bench.deployed(job, call) == name
        assert bench.sweep() == 0
    bench.clock.skip(59 * 60)
    assert bench.sweep() == 0
    bench.clock.skip(2 * 60)
    assert bench.sweep() == 1
    assert bench.provider.count("undeployed") == bench.provider.count("deployed")


def test_whoever_comes_after_the_sweep_deploys_nothing_unasked(bench: Serving) -> None:
    """Its time over, the job that wants it hears so and does not pay again; a person's resume may."""
    call, job = bench.call(), bench.claimed()
    bench.deployed(job, call)
    bench.wait(job, 3601)
    assert bench.sweep() == 1
    with pytest.raises(Refused, match="its time is over"):
        bench.hands(job).once(call)
    assert bench.provider.count("deployed").total() == 1
    bench.end(job, "failed")
    bench.jobs.resume(job.id, ADA, bench.clock())
    again = bench.jobs.ledger.claim(job.id, "w2", bench.clock())
    assert again is not None
    bench.deployed(again, call)
    assert sorted(bench.provider.count("deployed").values()) == [1, 1]


def test_a_worker_that_asks_while_the_sweep_looks_keeps_it(bench: Serving) -> None:
    """Between the provider's list and the decision it is asked for: the decision is made on what is true then."""
    call, job = bench.call(), bench.claimed()
    name = bench.deployed(job, call)
    bench.wait(job, 3601)
    keeper = bench.backend()
    listed = keeper.listing

    def slow(kind: str) -> list[object]:
        found = listed(kind)
        if kind == "deployment":
            assert bench.hands(job).once(call) == name
        return list(found)

    keeper.listing = slow  # type: ignore[method-assign, assignment]  # a list takes its time
    assert tidy(bench.jobs.ledger, keeper, bench.clock()) == 0
    assert bench.provider.count("undeployed").total() == 0


def test_only_the_worker_of_the_job_keeps_it(bench: Serving) -> None:
    """A worker that was overtaken, or whose job somebody stopped, does not make it last longer."""
    call, job = bench.call(), bench.claimed()
    bench.deployed(job, call)
    bench.jobs.stop(job.id, ADA, bench.clock())
    with pytest.raises(StopRequested):
        bench.hands(job).once(call)
    bench.clock.skip(20)
    assert bench.jobs.ledger.claim(job.id, "w2", bench.clock()) is not None
    with pytest.raises(LeaseLost):
        bench.hands(job).once(call)
    bench.clock.skip(3600)
    assert bench.sweep() == 1


@pytest.mark.parametrize(
    ("lives", "state", "gone"),
    [(None, "succeeded", True), (HOUR, "succeeded", False), (None, "cancelled", True), (HOUR, "cancelled", True)],
)
def test_a_deployment_outlives_its_job_only_where_that_was_meant(
    bench: Serving, lives: timedelta | None, state: str, gone: bool
) -> None:
    """Without a time of its own it goes with its job; with one it stays until then, unless the job was stopped."""
    call, job = bench.call(lives), bench.claimed()
    bench.deployed(job, call)
    bench.clock.skip(7)
    assert bench.sweep() == 0
    bench.end(job, state)
    assert (bench.sweep() == 1) is gone
    assert (bench.provider.count("undeployed") == bench.provider.count("deployed")) is gone


def test_lists_are_read_to_their_end_and_strangers_left_alone(bench: Serving) -> None:
    """Three of ours and one of somebody else's, two on a page: three are listed; a link elsewhere is not followed."""
    model, api = bench.tuned(), bench.backend().deployments
    assert api is not None
    for name in ("s1", "s2", "s3"):
        api.deploy(name, Deadline.after(5), model)
    headers, params = {"Authorization": "Bearer any"}, {"api-version": "1"}
    body = {"sku": {"name": "standard"}, "properties": {"model": {"name": model}}}
    url = f"{api.url}/deployments/theirs"
    assert httpx.put(url, json=body, headers=headers, params=params, trust_env=False).status_code == 201
    assert [made.submission_id for made in api.listing()] == ["s1", "s2", "s3"]
    api.delete("luthier-s2")
    api.delete("luthier-s2")
    assert (api.find("s1"), api.find("s2")) == ("luthier-s1", None)
    with pytest.raises(ServiceError, match="another address"):
        api._next({"nextLink": "https://elsewhere.example/deployments?page=2"})


@pytest.mark.parametrize(("change", "code"), [("model", "DeploymentModelNotSupported"), ("version", "MissingApi")])
def test_the_provider_refuses_in_azures_words(bench: Serving, change: str, code: str) -> None:
    """A model that nobody tuned, or a request without the API's version, is refused and nothing is deployed."""
    model = "gpt-none" if change == "model" else bench.tuned()
    body = {"sku": {"name": "standard"}, "properties": {"model": {"name": model}}}
    url, headers = urljoin(bench.provider.url, f"{PATH}/deployments/x"), {"Authorization": "Bearer any"}
    params = {"api-version": "1"} if change == "model" else {}
    answer = httpx.put(url, json=body, headers=headers, params=params, trust_env=False)
    assert (answer.status_code, code in json.dumps(answer.json()["error"])) == (400, True)
    assert bench.provider.count("deployed") == {}


def test_the_provider_remembers_deployments_and_their_bill(bench: Serving) -> None:
    """Its ledger holds how long each was served, and a new process knows which still are."""
    call, job = bench.call(), bench.claimed()
    name = bench.deployed(job, call)
    path = bench.provider.ledger
    again = type(bench.provider.rehearsal.book)(path=path)
    again.close()
    assert name in again.deployments
    bench.backend().remove("deployment", name)
    [line] = [line for line in bench.provider.lines() if line["event"] == "undeployed"]
    assert line["seconds"] > 0
