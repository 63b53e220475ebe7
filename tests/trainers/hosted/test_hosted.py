"""A job at OpenAI and at Azure from its quote to the registered model, and what is refused before anything is sent."""

import json
import time
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from knowledge.errors import UserError
from knowledge.tenancy import Person
from tests.trainers.hosted.shop import NAME, TODAY, Shop
from tests.trainers.jobs.conftest import ADA
from tests.trainers.jobs.paid import is_legal
from tests.trainers.rehearsal.provider import ENDLESS
from trainers import budgets
from trainers.backends.rehearsal import RehearsalBackend
from trainers.costs.facts import Source
from trainers.costs.overlay import Change, write
from trainers.errors import JobNotFound, NotAllowed
from trainers.jobs import elsewhere
from trainers.jobs.accounts import cost_of
from trainers.jobs.tidy import tidy
from trainers.registry import Registry
from trainers.rehearsal.life import Pace
from trainers.spec import Hyperparameters
from trainers.tables import Job


def test_a_tuned_model_is_judged_at_its_provider_and_registered(shop: Shop) -> None:
    """Trained, asked beside its best-prompted base within the quote, registered; the cost is what the tokens say."""
    job = shop.finish(shop.approved())
    assert job.state == "succeeded", job.error_what
    result = json.loads(job.result)
    report = result["report"]
    arms = {arm["arm"]: arm for arm in report["arms"]}
    assert arms["tuned"]["right"] > arms[report["rival"]]["right"]
    assert is_legal(shop.provider)
    assert shop.provider.count("uploaded") == shop.provider.count("deleted")
    registry = Registry(shop.jobs.ledger.engine, shop.jobs.datasets.folder)
    model = registry.get("T1", job.id)
    with pytest.raises(JobNotFound, match="stays at openai"):
        registry.adapter(model)
    assert model.remote_id.startswith(f"ft:{NAME}:")
    assert (model.backend, model.remote_base, model.retires_on) == ("openai", NAME, "2027-01-14")
    assert (model.quote_hash, len(model.data_sha256)) == (job.quote_hash, 64)
    cost, approved = Decimal(result["dollars"]), cost_of(job)
    assert approved is not None
    assert 0 < cost <= approved
    assert budgets.standing(shop.jobs.ledger.engine, "T1", shop.clock())[0].spent == cost
    assert (shop.jobs.datasets.folder / "jobs" / job.id / "train" / "losses.jsonl").exists()


def test_a_deployment_stands_for_the_test_and_goes(azure: Shop) -> None:
    """Azure's model is deployed once, without an hourly fee, judged under that name, and deleted with the job's end."""
    job = azure.finish(azure.approved())
    assert job.state == "succeeded", job.error_what
    assert azure.provider.count("deployed").total() == 1
    assert azure.provider.count("deployed") == azure.provider.count("undeployed")
    [made] = [line for line in azure.provider.lines() if line["event"] == "deployed"]
    assert made["sku"]["name"] == "standard"  # the class's own default: the account of `bot.accounts` sets the other
    model = Registry(azure.jobs.ledger.engine, azure.jobs.datasets.folder).get("T1", job.id)
    assert model.remote_id.startswith("ft:")
    row = azure.row(job, "deployment")
    assert row is not None
    assert row.state == "abandoned"


def test_a_deployment_that_does_not_go_is_swept(azure: Shop) -> None:
    """The provider breaks just when it is to be deleted: the job succeeds all the same, and the sweep removes it."""
    azure.provider.now(script={"undeploy": ["error_before"]})
    job = azure.finish(azure.approved())
    assert job.state == "succeeded", job.error_what
    assert azure.provider.count("undeployed").total() == 0
    assert tidy(azure.jobs.ledger, azure.backend(), azure.clock()) == 1
    assert azure.provider.count("deployed") == azure.provider.count("undeployed")


def test_a_rehearsal_ends_without_report_model_or_cost(shop: Shop) -> None:
    """Every step runs, answers included; no verdict, no file of a report, no model, nothing spent, and it says so."""
    shop.pretends = True
    shop.__post_init__()
    job = shop.finish(shop.approved())
    assert job.state == "succeeded", job.error_what
    result = json.loads(job.result)
    assert (result["report"], result["pretended"], result["model_id"]) == (None, True, "")
    assert job.title.startswith("[rehearsal] ")
    assert Registry(shop.jobs.ledger.engine, shop.jobs.datasets.folder).listing("T1") == []
    assert not (shop.jobs.datasets.folder / "jobs" / job.id / "report").exists()
    assert budgets.standing(shop.jobs.ledger.engine, "T1", shop.clock())[0].spent == 0
    assert "Nothing was charged" in result["billed"]


def test_a_server_that_says_that_it_pretends_is_believed(shop: Shop) -> None:
    """Whatever a setting says: what a rehearsal answers becomes no report."""
    shop.pretends = True
    shop.__post_init__()
    shop.pretends = False
    job = shop.finish(shop.approved())
    assert json.loads(job.result)["report"] is None


def test_a_yes_to_a_rehearsal_is_none_to_the_real_thing(shop: Shop) -> None:
    """A rehearsed job that is taken up where the provider is real sends nothing and fails in words, and the reverse."""
    shop.pretends = True
    shop.__post_init__()
    job = shop.approved()
    shop.pretends = False
    ended = shop.finish(job)
    assert (ended.state, "approved as a rehearsal" in ended.error_what) == ("failed", True)
    assert shop.provider.count("uploaded").total() == 0


def said(shop: Shop, job: Job) -> str:
    """What the thread's progress message says last."""
    return shop.jobs.ledger.history(job)[-1].note


REFUSED = {
    "wrong key": ("read", "unauthorized", "LUTHIER_OPENAI_KEY"),
    "no such model": ("read", "missing", "compares who still trains"),
    "no access": ("read", "forbidden", "compares who still trains"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_account_would_refuse_is_found_before_anything_is_sent(shop: Shop, what: str) -> None:
    """A wrong key, a missing model and missing access fail the job in words, with nothing uploaded."""
    call, fault, said = REFUSED[what]
    shop.provider.now(script={call: [fault] * 5})
    job = shop.finish(shop.approved())
    assert (job.state, said in f"{job.error_what} {job.error_next}") == ("failed", True), job.error_next
    assert shop.provider.count("uploaded").total() == 0


def test_a_base_that_its_provider_shut_down_is_refused(shop: Shop) -> None:
    """GET /models names a day that has come, though our book does not know it: nothing is sent."""
    job = shop.approved()
    shop.provider.rehearsal.shutdowns = {NAME: TODAY.isoformat()}
    ended = shop.finish(job)
    assert (ended.state, "has shut" in ended.error_what) == ("failed", True)
    assert shop.provider.count("uploaded").total() == 0


def test_prices_that_rose_since_the_yes_stop_it(shop: Shop) -> None:
    """What was approved no longer covers the run by today's list: a new quote is asked for, and nothing is sent."""
    job = shop.approved()
    dearer = Change(provider="openai", model="gpt-4.1-mini", field="training", old="", new="50.00 USD per 1M tokens")
    write(shop.jobs.datasets.folder, [dearer], Source(name="new list", url="x", as_of=TODAY))
    ended = shop.finish(job)
    assert (ended.state, "Prices changed" in ended.error_what) == ("failed", True)
    assert shop.provider.count("uploaded").total() == 0


def test_a_multiplier_out_of_range_is_refused_by_the_place(azure: Shop) -> None:
    """Azure recommends 0.02 to 0.2; what lies beyond is told with the range, when it is quoted."""
    azure.spec = replace(azure.spec, hyperparameters=Hyperparameters(epochs=2, learning_rate_multiplier=5.0))
    with pytest.raises(UserError, match=r"0\.02 to 0\.2"):
        azure.approved()
    assert azure.jobs.ledger.listing("T1") == []


def test_what_a_place_takes_no_more_is_refused_before_anything_is_sent(
    azure: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quote may be a day old: what the place said since is looked at again, and nothing is sent."""
    azure.spec = replace(azure.spec, hyperparameters=Hyperparameters(epochs=2, learning_rate_multiplier=0.15))
    job = azure.approved()
    backend = azure.backend()
    backend.traits = replace(backend.traits, multiplier=(0.02, 0.1))
    monkeypatch.setattr(azure, "backend", lambda _="": backend)
    job = azure.finish(job)
    assert (job.state, "0.02 to 0.1" in job.error_what) == ("failed", True)
    assert azure.provider.count("uploaded").total() == 0


def test_access_that_ends_at_the_start_removes_the_rows(shop: Shop) -> None:
    """OpenAI says no only when the job is made: the rows go at once, and the thread hears how to find who trains."""
    shop.provider.now(script={"start": ["forbidden"]})
    job = shop.finish(shop.approved())
    assert (job.state, "compares who still trains" in job.error_next) == ("failed", True)
    assert shop.provider.count("uploaded") == shop.provider.count("deleted") != {}


def test_an_unknown_state_is_told_and_waited_for(shop: Shop) -> None:
    """A state that nobody knows is shown in the provider's word, and the job goes on."""
    shop.provider.now(ENDLESS)
    job = shop.finish(shop.approved(), until=lambda job: bool(shop.provider.count("created")))
    shop.provider.now(ENDLESS, rates={"read": {"odd_status": 1.0}})
    job = shop.turn(job)
    assert (job.state, "which I do not know" in said(shop, job)) == ("queued", True)


def test_an_hour_of_silence_costs_nothing(shop: Shop) -> None:
    """500 for an hour after the provider took the job: it is asked on, nothing is sent again, it ends well."""
    shop.provider.now(ENDLESS)
    job = shop.finish(shop.approved(), until=lambda job: bool(shop.provider.count("created")))
    begun = shop.clock()
    shop.provider.now(ENDLESS, rates={"read": {"error_before": 1.0}})
    while (shop.clock() - begun).total_seconds() < 3600:
        assert shop.turn(job).state == "queued"
        shop.clock.skip(120)
    assert "status 500" in said(shop, job)
    assert list(shop.provider.count("created").values()) == [1]
    shop.provider.now()
    assert shop.finish(job).state == "succeeded"
    assert is_legal(shop.provider)


def test_a_key_that_ends_while_it_runs_does_not_give_the_run_up(shop: Shop) -> None:
    """Paid for and running: a refused key is told, with the setting, and the run is not cancelled."""
    shop.provider.now(ENDLESS)
    job = shop.finish(shop.approved(), until=lambda job: bool(shop.provider.count("created")))
    shop.provider.now(ENDLESS, rates={"read": {"unauthorized": 1.0}})
    shop.turn(job)
    assert ("LUTHIER_OPENAI_KEY" in said(shop, job), shop.get(job).state) == (True, "queued")
    shop.provider.now()
    assert shop.finish(job).state == "succeeded"


def test_a_file_that_somebody_deleted_does_not_hurt(shop: Shop) -> None:
    """The rows are gone at the provider while it trains: the job ends well, and nothing is deleted twice."""
    shop.provider.now(ENDLESS)
    job = shop.finish(shop.approved(), until=lambda job: bool(shop.provider.count("created")))
    file = shop.row(job, "upload")
    assert file is not None
    shop.provider.now()
    answer = httpx.delete(
        f"{shop.provider.url}/files/{file.provider_id}", headers={"Authorization": "Bearer k"}, trust_env=False
    )
    assert answer.status_code in (200, 409)
    assert shop.finish(job).state == "succeeded"
    assert shop.provider.count("deleted") == shop.provider.count("uploaded")


def test_a_test_that_fails_leaves_no_deployment(azure: Shop) -> None:
    """The model answers nothing: the job fails in words, and an hour later its deployment is gone."""
    azure.provider.now(rates={"chat": {"error_before": 1.0}})
    job = azure.finish(azure.approved())
    assert (job.state, azure.provider.count("deployed").total()) == ("failed", 1), job.error_what
    azure.clock.skip(3700)
    tidy(azure.jobs.ledger, azure.backend(), azure.clock())
    assert azure.provider.count("deployed") == azure.provider.count("undeployed")


def test_a_test_that_is_taken_up_again_trains_and_counts_nothing_twice(azure: Shop) -> None:
    """The test fails, a person resumes it: the same run is judged on the same deployment, and all counts once."""
    azure.provider.now(rates={"chat": {"error_before": 1.0}})
    job = azure.finish(azure.approved())
    assert job.state == "failed"
    approved = cost_of(job)
    azure.provider.now()
    assert azure.jobs.resume(job.id, ADA, azure.clock()).changed
    job = azure.finish(job)
    assert job.state == "succeeded", job.error_what
    assert azure.provider.count("created").total() == 1
    assert azure.provider.count("deployed").total() == 1
    assert budgets.standing(azure.jobs.ledger.engine, "T1", azure.clock())[0].spent == approved
    azure.clock.skip(4000)
    tidy(azure.jobs.ledger, azure.backend(), azure.clock())
    assert azure.provider.count("deployed") == azure.provider.count("undeployed")


def test_a_stop_before_it_is_deployed_leaves_nothing(azure: Shop) -> None:
    """Stopped while Azure is too busy to deploy: nothing is deployed, the rows are gone, and it says cancelled."""
    azure.provider.now(rates={"deploy": {"busy": 1.0}})
    job = azure.approved()
    azure.finish(job, until=lambda job: azure.row(job, "deployment") is not None)
    azure.jobs.stop(job.id, ADA, azure.clock())
    assert azure.finish(job).state == "cancelled"
    assert azure.provider.count("deployed").total() == 0
    assert azure.provider.count("uploaded") == azure.provider.count("deleted")


def test_a_run_that_its_provider_forgot_can_be_stopped(shop: Shop) -> None:
    """The provider knows the run no more, to cancel or to read: a stop ends, and nothing of the job stays."""
    shop.provider.now(ENDLESS)
    job = shop.finish(shop.approved(), until=lambda job: bool(shop.provider.count("created")))
    shop.provider.rehearsal.book.runs.clear()
    shop.jobs.stop(job.id, ADA, shop.clock())
    assert shop.finish(job).state == "cancelled"
    assert shop.provider.count("deleted") == shop.provider.count("uploaded")


def test_people_see_and_pause_a_run_there(shop: Shop) -> None:
    """State, steps and checkpoints as the provider tells them; whoever may stop a job may pause its run."""
    shop.provider.now(Pace(validating=0.05, queued=0.05, running=3.0))
    job = shop.finish(shop.approved(), until=lambda job: bool(shop.provider.count("created")))
    stranger, backend = Person(workspace_id="T1", user_id="U0EVE"), shop.backend()
    with pytest.raises(NotAllowed):
        elsewhere.pause(shop.jobs, backend, job, stranger, shop.clock())
    time.sleep(1.5)
    elsewhere.pause(shop.jobs, backend, job, ADA, shop.clock())
    run = elsewhere.look(shop.jobs, backend, job)
    assert (run.step > 0, run.loss is not None, len(run.checkpoints) > 0) == (True, True, True)
    assert elsewhere.look(shop.jobs, backend, job).step == run.step
    elsewhere.pause(shop.jobs, backend, job, ADA, shop.clock(), go_on=True)
    shop.provider.now()
    assert shop.finish(job).state == "succeeded"
    with pytest.raises(UserError, match="no run at a provider"):
        elsewhere.look(shop.jobs, RehearsalBackend(), job)
