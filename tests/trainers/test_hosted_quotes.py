"""Quotes of hosted trainers: what is approved, what its hash covers, what is refused, and what came of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from knowledge.errors import UserError
from tests.trainers.jobs.conftest import ADA, Watch, bell, jobs, quoted, runner, watch
from tests.trainers.jobs.paid import FREE_HAND
from trainers.backends.base import Timing
from trainers.backends.hosted import HostedBackend
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.traits import traits_of
from trainers.costs.estimate import shipped_shelf
from trainers.costs.facts import Source
from trainers.costs.gate import check_base
from trainers.costs.lifecycle import NotTrainable
from trainers.costs.overlay import Change, laid_over
from trainers.costs.reconcile import reconcile
from trainers.data.counting import counter
from trainers.data.jsonl import read_rows
from trainers.data.store import Datasets
from trainers.evals.rule import SuccessRule
from trainers.jobs.invoices import compared, record
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.policy import set_rules
from trainers.quotes import Quote, quote
from trainers.spec import Hyperparameters, TrainingSpec
from trainers.tables import Dataset, Job

__all__ = ["bell", "jobs", "quoted", "runner", "watch"]

TODAY = date(2026, 11, 30)
AZURE = TrainingSpec(base="gpt-4.1-mini", backend="azure", hyperparameters=Hyperparameters(epochs=3))


@pytest.fixture
def tickets(engine: Engine, tmp_path: Path, watch: Watch) -> Dataset:
    return Datasets(engine, tmp_path).example("tickets", ADA, watch()).dataset


def offered(tickets: Dataset, folder: Path, spec: TrainingSpec = AZURE, **other: Any) -> Quote:
    given: dict[str, Any] = {"today": TODAY, **other}
    return quote(tickets, spec, SuccessRule(), folder=folder, tokenizer=None, **given)


def test_tokens_of_openais_models_are_counted_as_they_are_read(tickets: Dataset, tmp_path: Path) -> None:
    """With o200k the quote has the linter's figure and not one for every four characters; elsewhere it is estimated."""
    made = offered(tickets, tmp_path)
    count_row, chats = counter("o200k_base"), read_rows(tmp_path / tickets.train_path).rows
    linted = sum(
        count_row({"messages": [{"role": turn.role, "content": turn.content} for turn in row.messages]}, 10**6).total
        for row in chats
    )
    assert made.tokens_exact
    assert made.train_tokens == 3 * linted  # of three epochs
    other = offered(
        tickets, tmp_path, replace(AZURE, backend="together", base="meta-llama/Meta-Llama-3.1-8B-Instruct-Reference")
    )
    assert not other.tokens_exact


def test_what_is_approved_is_the_most_it_may_cost(tickets: Dataset, tmp_path: Path) -> None:
    """The quote asks for the high figure, rounded up to a cent, and holds ranges, prices, days and lifecycle."""
    made = offered(tickets, tmp_path)
    assert made.estimate is not None
    assert made.training_cost is not None
    most = Decimal(str(made.estimate["training"]["high"]))
    assert 0 <= made.training_cost - most < Decimal("0.01") + Decimal("1e-6")
    assert made.serving_cost_30_days is not None
    assert made.serving_cost_30_days > 1224
    assert made.estimate["prices"]["training"]["as_of"] == "2026-08-11"
    assert made.estimate["lifecycle"]["state"] == "closing"
    assert json.loads(json.dumps(made.to_json()))["estimate"]["provider"] == "azure"


def test_the_hash_covers_prices_and_everything_else(tickets: Dataset, tmp_path: Path) -> None:
    """Another price, model, method, knob or file is another quote: an approval of the old one is stale."""
    source = Source(name="new list", url="x", as_of=TODAY)
    change = Change(provider="azure", model="gpt-4.1-mini", field="training", old="", new="0.006 USD per 1K tokens")
    others = [
        offered(tickets, tmp_path, shelf=laid_over(shipped_shelf(), [change], source)),
        offered(tickets, tmp_path, replace(AZURE, base="gpt-4.1")),
        offered(tickets, tmp_path, replace(AZURE, hyperparameters=Hyperparameters(epochs=4))),
        replace(offered(tickets, tmp_path), data_sha256="0" * 64),
        offered(tickets, tmp_path, today=date(2026, 12, 1)),
    ]
    hashes = {made.hash for made in [offered(tickets, tmp_path), *others]}
    assert len(hashes) == 1 + len(others)
    assert offered(tickets, tmp_path).hash == offered(tickets, tmp_path).hash


def test_a_quote_without_estimate_keeps_its_hash(tickets: Dataset, tmp_path: Path) -> None:
    """A run on this machine has no estimate in its data, so quotes that wait for approval survive an upgrade."""
    assert "estimate" not in offered(tickets, tmp_path, TrainingSpec()).to_json()


def test_an_unknown_price_stays_unknown_in_the_quote(tickets: Dataset, tmp_path: Path) -> None:
    """A trainer whose rate nobody confirmed is quoted with no training cost, so nobody can approve it as free."""
    made = offered(tickets, tmp_path, replace(AZURE, base="gemini-3.5-flash", backend="vertex"))
    assert made.training_cost is None
    assert made.total is None


@pytest.mark.parametrize("backend", ["openai", "hosted_rehearsal"])
def test_a_base_that_is_gone_is_refused_before_the_quote(tickets: Dataset, tmp_path: Path, backend: str) -> None:
    """No quote for what a provider trains no more; an unknown base is the provider's to refuse."""
    gone = replace(AZURE, base="gpt-4.1-nano", backend=backend)
    with pytest.raises(NotTrainable, match="2026-10-23"):
        offered(tickets, tmp_path, gone)
    with pytest.raises(NotTrainable, match="2027-01-06"):
        offered(tickets, tmp_path, replace(gone, base="gpt-4.1-mini"), today=date(2027, 1, 6))
    assert check_base("local", "gpt-4.1-nano", TODAY) is None
    assert check_base("openai", "never-heard-of", TODAY) is None


def test_a_job_is_refused_a_quote_by_the_same_rule(jobs: Jobs, watch: Watch) -> None:
    """Asking for a job on a retired base says so, and no job is made."""
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset
    spec = TrainingSpec(base="gpt-3.5-turbo", backend="hosted_rehearsal")
    with pytest.raises(NotTrainable):
        jobs.propose(dataset, spec, person=ADA, now=watch())
    assert jobs.ledger.listing(ADA.workspace_id) == []


def test_nothing_is_uploaded_for_a_base_that_closed_since(
    jobs: Jobs, watch: Watch, runner: Callable[..., Runner], tmp_path: Path
) -> None:
    """Approved the day before the end, worked on the day after: the job fails with the reason, and nothing was sent."""
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset
    spec = TrainingSpec(base="gpt-4.1-mini", backend="hosted_rehearsal")
    with jobs.ledger.transaction() as connection:
        set_rules(connection, ADA.workspace_id, FREE_HAND, watch())
    job = jobs.propose(dataset, spec, person=ADA, now=watch())
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    nowhere = FineTuningApi(name="rehearsal provider", url="http://127.0.0.1:9/v1", key="k")
    traits = traits_of("hosted_rehearsal")
    backend = HostedBackend(traits=traits, api=nowhere, timing=Timing(1, 0, 90), today=lambda: date(2027, 1, 6))
    replace(runner("w1"), backend=lambda _: backend).work(job.id)
    ended = jobs.ledger.get(job.id)
    assert ended.state == "failed"
    assert "2027-01-06" in ended.error_what


QUOTED = {
    "train_tokens": 1000,
    "tokens_exact": True,
    "training_minutes": (4.0, 6.0),
    "evaluation_minutes": (1.0, 2.0),
    "training_cost": "4.95",
    "evaluation_cost": "0.05",
}


def test_quote_and_outcome_are_compared() -> None:
    """Tokens, times and the invoice stand beside what was quoted, with the error and whether it was within."""
    result = {"trained_tokens": 1250, "timing": [1250, 300.0, 60, 300.0], "invoice": "4.00"}
    found = {one.what: one for one in reconcile(QUOTED, result)}
    assert [found[what].within for what in found] == [False, True, False, False]
    assert found["trained tokens"].error == pytest.approx(-0.2)
    assert found["training time"].error == pytest.approx(0.0)
    assert found["cost"].error == pytest.approx(0.25)
    assert found["cost"].sentence == "cost: 4 USD, quoted 5 (the quote was +25% off)"
    assert reconcile(QUOTED, {}) == []
    hosted = {one.what: one for one in reconcile({**QUOTED, "estimate": {}}, {"trained_tokens": 1015})}
    assert not hosted["trained tokens"].within  # counted here, and a count is a count
    hosted = {
        one.what: one for one in reconcile({**QUOTED, "estimate": {"date": "2026-11-30"}}, {"trained_tokens": 1015})
    }
    assert hosted["trained tokens"].within  # a provider may count its own marks


def test_a_finished_job_keeps_the_comparison(
    jobs: Jobs, quoted: Job, watch: Watch, runner: Callable[..., Runner]
) -> None:
    """An invoice adds the cost to what is compared, is told to the audit, and can be corrected."""
    job = jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).job
    with pytest.raises(UserError, match="succeeded"):
        record(jobs.ledger, job.id, Decimal(1), ADA, watch())
    runner("w1").work(job.id)
    assert all(one.what != "cost" for one in compared(jobs.ledger, jobs.ledger.get(job.id)))
    for dollars in ("4.62", "0.30"):
        found = record(jobs.ledger, job.id, Decimal(dollars), ADA, watch())
        assert found[-1].actual == float(dollars)
    done = jobs.ledger.get(job.id)
    assert compared(jobs.ledger, done)[-1].actual == 0.3
    for wrong in ("-1", "nan", "1e12"):
        with pytest.raises(UserError):
            record(jobs.ledger, job.id, Decimal(wrong), ADA, watch())
