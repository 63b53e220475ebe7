"""An evaluation over an endpoint as a job: quoted, approved, killed, stopped, resumed; money by both sides' books."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from knowledge.errors import UserError
from tests.trainers.evals.endpoint.fake import Fake, running
from tests.trainers.jobs.conftest import ADA, BEN, THREAD, Watch
from trainers import backends, budgets, policy
from trainers.data.examples import EXAMPLES
from trainers.errors import NotAllowed
from trainers.evals.endpoint.contest import journal_path
from trainers.evals.endpoint.journal import spent_in
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.rule import SuccessRule
from trainers.jobs.endpoint_job import Asked, propose, read_price
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.rehearsal.chat_models import BASE, TUNED, Pretender
from trainers.spec import TrainingSpec
from trainers.tables import Job

MakeRunner = Callable[..., Runner]
KEY = "sk-very-secret"
PRICE = TokenPrices(Decimal(1), Decimal(2))
ROWS = (EXAMPLES["tickets"].train, EXAMPLES["tickets"].test)


@pytest.fixture
def address(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what Postgres does otherwise is shown where budgets and ledger are tested."""
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    return f"sqlite:///{tmp_path / 'luthier.db'}"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    with running(tmp_path, Pretender.from_files(ROWS).right) as made:
        made.rehearsal.key = KEY
        yield made


@pytest.fixture
def worker(runner: MakeRunner) -> Callable[[str], Runner]:
    def make(owner: str) -> Runner:
        return replace(runner(owner), backend=backends.load, secret=lambda name: {"MY_KEY": KEY}[name])

    return make


def asked(fake: Fake, **other: object) -> Asked:
    given = {"prices": {BASE: PRICE, TUNED: PRICE}, "key_env": "MY_KEY", "probes": False, "concurrency": 8, **other}
    return Asked(url=fake.url, base=BASE, tuned=TUNED, **given)  # type: ignore[arg-type]


def quoted(jobs: Jobs, watch: Watch, what: Asked) -> Job:
    train, test = (jobs.datasets.folder / name for name in ("small-train.jsonl", "small-test.jsonl"))
    for path, whole, rows in ((train, ROWS[0], 15), (test, ROWS[1], 24)):
        path.write_text("\n".join(whole.read_text("utf-8").splitlines()[:rows]) + "\n", "utf-8")
    dataset = jobs.datasets.add(train, test, name="tickets", person=ADA, provenance="test", now=watch()).dataset
    return propose(jobs, dataset, what, person=ADA, now=watch(), place=THREAD)


def approved(jobs: Jobs, watch: Watch, what: Asked) -> Job:
    with jobs.ledger.transaction() as connection:
        rules = policy.Rules(approvers=("U0BEN",), workspace_cap=Decimal(100))
        policy.set_rules(connection, "T1", rules, watch())
    job = quoted(jobs, watch, what)
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    return jobs.approve(job.id, job.quote_hash, BEN, watch()).job


def journal_of(jobs: Jobs, job: Job) -> Path:
    return journal_path(jobs.datasets.folder / "jobs" / job.id / "evaluation")


def counted(jobs: Jobs, watch: Watch) -> tuple[Decimal, Decimal]:
    """Reserved and spent dollars of the workspace."""
    whole = budgets.standing(jobs.ledger.engine, "T1", watch())[0]
    return whole.reserved, whole.spent


def test_a_tuned_model_at_an_endpoint_is_judged(
    jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch, tmp_path: Path
) -> None:
    """The report is built as for a local model; the quote held, the budget knows what was charged, no key is kept."""
    jobs = replace(jobs, rule=SuccessRule(guardrails=()))  # what is not asked keeps no verdict open
    job = approved(jobs, watch, asked(fake))
    offer = json.loads(job.quote)
    bill = offer["endpoint"]["bill"]
    assert (job.queue, job.kind, bill["parts"]["tuned"], bill["choosing"]) == ("io", "evaluate", 24, 7 * 12 + 4 * 3)
    assert counted(jobs, watch) == (Decimal(offer["evaluation_cost"]), 0)
    worker("w1").work(job.id)
    done = jobs.ledger.get(job.id)
    assert done.state == "succeeded", (done.error_what, done.error_next)
    report = json.loads(done.result)["report"]
    arms = {arm["arm"]: arm for arm in report["arms"]}
    assert report["verdict"]["outcome"] == "PASS"
    assert (arms["tuned"]["right"], arms["tuned"]["n"]) == (24, 24)
    assert arms["base_few_shot"]["right"] < 20
    assert "most similar training rows" in arms["base_few_shot"]["asked"]
    assert json.loads(done.result)["model_id"] == ""
    low, expected, most = (Decimal(amount) for amount in bill["dollars"])
    assert low <= fake.charged() <= most
    assert expected / 2 < fake.charged() < expected * 2
    assert counted(jobs, watch) == (0, spent_in(journal_of(jobs, job))) == (0, fake.charged())
    assert fake.twice() == 0
    assert KEY not in "".join(path.read_text(errors="ignore") for path in tmp_path.rglob("*") if path.is_file())


def test_without_probes_their_guardrails_stay_in_the_rule(jobs: Jobs, fake: Fake, watch: Watch) -> None:
    """What the plan wants kept is still asked for where the probes are not: the quote says what that means."""
    with_probes, without = (json.loads(quoted(jobs, watch, asked(fake, probes=on)).quote) for on in (True, False))
    assert without["rule"] == with_probes["rule"]
    assert {"general", "refusal"} <= {rail["name"] for rail in without["rule"]["guardrails"]}
    assert with_probes["endpoint"]["bill"]["parts"]["probes_tuned"] > 0
    assert "probes_tuned" not in without["endpoint"]["bill"]["parts"]
    assert "no PASS is possible" in without["cost_basis"]
    assert "no PASS is possible" not in with_probes["cost_basis"]


def test_an_unknown_price_is_quoted_but_never_approved(jobs: Jobs, fake: Fake, watch: Watch) -> None:
    """Unknown is not 0: nobody can say yes, whatever the rules; 0 has to be said."""
    job = quoted(jobs, watch, asked(fake, prices=None))
    assert json.loads(job.quote)["evaluation_cost"] is None
    with pytest.raises(NotAllowed, match="not known"):
        jobs.approve(job.id, job.quote_hash, ADA, watch())
    free = TokenPrices(Decimal(0), Decimal(0))
    own = quoted(jobs, watch, asked(fake, prices={BASE: free, TUNED: free}))
    assert jobs.approve(own.id, own.quote_hash, ADA, watch()).job.state == "queued"


def test_the_approved_amount_is_never_passed(jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch) -> None:
    """A smaller budget ends midway with a report that says so, not a cent above."""
    fake.now(drop_after=0.02, no_usage=0.05)
    budget = Decimal(json.loads(quoted(jobs, watch, asked(fake)).quote)["endpoint"]["bill"]["dollars"][1])
    job = approved(jobs, watch, asked(fake, budget=budget))
    worker("w1").work(job.id)
    done = jobs.ledger.get(job.id)
    assert done.state == "succeeded", (done.error_what, done.error_next)
    report = json.loads(done.result)["report"]
    assert any("do not hold another call" in notice for notice in report["notices"])
    said = journal_of(jobs, job).with_name("predictions.jsonl").read_text("utf-8").count("\n")
    assert report["verdict"]["n"] <= said < 3 * 24
    assert 0 < fake.charged() <= counted(jobs, watch)[1] <= budget


def test_busy_for_minutes_is_an_honest_report(jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch) -> None:
    """An endpoint that only says that it is busy leaves a verdict without a claim, and no bill."""
    fake.now(busy=1.0, retry_after=3600)
    job = approved(jobs, watch, asked(fake))
    worker("w1").work(job.id)
    done = jobs.ledger.get(job.id)
    assert done.state == "succeeded", (done.error_what, done.error_next)
    report = json.loads(done.result)["report"]
    assert report["verdict"]["outcome"] == "INCONCLUSIVE"
    assert any("busy" in notice for notice in report["notices"])
    assert counted(jobs, watch) == (0, 0)


def test_another_model_that_answers_is_named(jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch) -> None:
    """Where answers name another model than was asked for, no verdict claims a success, and each model is said once."""
    fake.now(other_model=1.0)
    job = approved(jobs, watch, asked(fake))
    worker("w1").work(job.id)
    report = json.loads(jobs.ledger.get(job.id).result)["report"]
    assert report["verdict"]["outcome"] != "PASS"
    assert f"Asked for {TUNED}, 24 of 24 answers came from another model: another-model (24)." in report["proof"]
    assert any(
        f"Asked for {BASE}, 24 of 24 answers" in notice and "not proven" in notice for notice in report["notices"]
    )
    assert not any(f"Asked for {TUNED}" in notice for notice in report["notices"])


def test_a_stop_is_quick_and_a_resume_pays_for_the_rest_alone(
    jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch
) -> None:
    """Stop ends within ten seconds; what was paid is counted, and resuming asks only what was not answered."""
    fake.now(latency=0.1)
    job = approved(jobs, watch, asked(fake))
    work = threading.Thread(target=worker("w1").work, args=(job.id,))
    work.start()
    until = time.monotonic() + 30
    while len(fake.lines()) < 20 and time.monotonic() < until:
        time.sleep(0.02)
    jobs.stop(job.id, ADA, watch())
    asked_at = time.monotonic()
    work.join(15)
    assert time.monotonic() - asked_at < 10
    stopped = jobs.ledger.get(job.id)
    first = fake.charged()
    assert (stopped.state, counted(jobs, watch)) == ("cancelled", (0, first))
    fake.now()
    cost = Decimal(json.loads(job.quote)["evaluation_cost"])
    jobs.resume(job.id, ADA, watch())
    assert counted(jobs, watch) == (cost - first, first)
    worker("w2").work(job.id)
    assert jobs.ledger.get(job.id).state == "succeeded"
    assert fake.twice() == 0
    assert counted(jobs, watch) == (0, fake.charged())


def test_a_journal_that_cannot_be_read_ends_the_job(jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch) -> None:
    """The job fails rather than running for ever, and all that was set aside counts as spent."""
    job = approved(jobs, watch, asked(fake))
    journal_of(jobs, job).mkdir(parents=True)
    worker("w1").work(job.id)
    assert jobs.ledger.get(job.id).state == "failed"
    assert counted(jobs, watch) == (0, Decimal(json.loads(job.quote)["evaluation_cost"]))


def test_a_wrong_key_fails_in_words(jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch) -> None:
    """The job fails after a few calls that cost nothing, and a resume with the right key finishes it."""
    fake.rehearsal.key = "another"
    job = approved(jobs, watch, asked(fake))
    worker("w1").work(job.id)
    failed = jobs.ledger.get(job.id)
    assert failed.state == "failed"
    assert "refused the key" in failed.error_what
    assert fake.charged() == 0
    fake.rehearsal.key = KEY
    jobs.resume(job.id, ADA, watch())
    worker("w2").work(job.id)
    assert jobs.ledger.get(job.id).state == "succeeded"


def test_a_job_that_waits_after_a_crash_is_settled_by_a_worker(
    jobs: Jobs, worker: MakeRunner, fake: Fake, watch: Watch
) -> None:
    """Who stops a job that another worker has begun does not lose sight of what that one paid."""
    job = approved(jobs, watch, asked(fake))
    leaving = worker("w1")
    work = threading.Thread(target=leaving.work, args=(job.id,))
    work.start()
    until = time.monotonic() + 30
    while len(fake.lines()) < 5 and time.monotonic() < until:
        time.sleep(0.01)
    leaving.leave()
    work.join(15)
    assert jobs.ledger.get(job.id).state == "queued"
    jobs.stop(job.id, ADA, watch())
    assert jobs.ledger.get(job.id).state == "queued"
    worker("w2").work(job.id)
    assert jobs.ledger.get(job.id).state == "cancelled"
    assert counted(jobs, watch) == (0, fake.charged())
    assert fake.charged() > 0


def test_what_means_nothing_is_refused_before_a_quote(jobs: Jobs, fake: Fake, watch: Watch) -> None:
    """An address with a password, equal names, a wild concurrency, a price that is none, a training at an endpoint."""
    for wrong in (
        {"concurrency": 0},
        {"concurrency": 1000},
        {"tuned": BASE},
        {"url": "ftp://x/v1"},
        {"url": "http://me:secret@x/v1"},
        {"url": "http://x/v1?key=secret"},
        {"url": "http://x:99999999/v1"},
    ):
        with pytest.raises(UserError) as caught:
            quoted(jobs, watch, replace(asked(fake), **wrong))
        assert "secret" not in str(caught.value)
    for text in ("-1", "NaN", "Infinity", "cheap", ""):
        with pytest.raises(UserError):
            read_price(text)
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset
    with pytest.raises(UserError, match="trains nothing"):
        jobs.propose(dataset, TrainingSpec(backend="endpoint"), person=ADA, now=watch())
