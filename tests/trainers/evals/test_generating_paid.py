"""What drafting with a language model costs before and while it runs: prices, bills, limits, calls that are lost."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from knowledge.errors import UserError
from knowledge.models import Message, ModelUnavailable, open_chat_model
from tests.chroma import free_port
from tests.row_server import Wire, wire
from tests.trainers.evals.test_generating import PASSAGES, TASKS, spec_of
from tests.trainers.evals.test_generating_written import Purse
from trainers.costs.names import find_model
from trainers.costs.overlay import shelf_in
from trainers.evals.endpoint.journal import Journal, spent_in
from trainers.evals.endpoint.spending import Meter
from trainers.evals.generating.bill import bill
from trainers.evals.generating.paid import PaidWriter, Spent
from trainers.evals.generating.price import chat_price
from trainers.evals.generating.spec import ROW_KINDS, row_spec
from trainers.evals.generating.written import write_rows
from trainers.evals.metrics.operations import TokenPrices

__all__ = ["wire"]

PRICES = TokenPrices(Decimal(1), Decimal(4))
ASKED = [Message("user", "Say something.")]


def test_the_price_comes_from_the_operator_else_from_the_book_else_it_is_unknown(tmp_path: Path) -> None:
    """Unknown is None and says who is asked; only two zeros of the operator's are free."""
    shelf = shelf_in(tmp_path)
    own = chat_price("any", "http://10.0.0.1/v1", "0.15, $0.60", shelf)
    assert (own.prices, own.free) == (TokenPrices(Decimal("0.15"), Decimal("0.60")), False)
    booked = chat_price("gpt-4o-mini", "", "", shelf)
    assert booked.prices == TokenPrices(Decimal("0.15"), Decimal("0.60"))
    assert "OpenAI as of 20" in booked.basis
    for model, url in (("gpt-4o-mini", "http://127.0.0.1:1/v1"), ("gpt-9", ""), ("gpt-4o-mini", "https://a.example")):
        unknown = chat_price(model, url, "", shelf)
        assert (unknown.prices, unknown.free, unknown.to_json()) == (None, False, None)
    assert chat_price("any", "http://127.0.0.1:1/v1", "0 0", shelf).free


def test_a_tuned_model_is_priced_as_one_or_not_at_all(tmp_path: Path) -> None:
    """Its prices are the book's for tuned models, which may be dearer; where none is listed nobody knows."""
    shelf = shelf_in(tmp_path)
    sheet = shelf.books["openai"].sheet(find_model("gpt-4.1-mini"))
    tuned = chat_price("ft:gpt-4.1-mini-2025-04-14:acme:support:abc", "", "", shelf)
    base = chat_price("gpt-4.1-mini", "", "", shelf)
    assert tuned.prices is not None
    assert tuned.prices != base.prices
    assert str(tuned.prices.prompt) in sheet.prices["tuned_input"].price.text
    assert chat_price("ft:gpt-5-nano:acme::abc", "", "", shelf).prices is None


@pytest.mark.parametrize("url", ["", "https://api.openai.com/v1", "https://api.tokenfactory.nebius.com/v1"])
def test_who_is_known_to_bill_is_not_free(url: str, tmp_path: Path) -> None:
    """Two zeros are for one's own server; for a provider of the price books they are refused."""
    with pytest.raises(UserError, match="bills its answers"):
        chat_price("gpt-4o-mini", url, "0 0", shelf_in(tmp_path))


def test_a_refused_connection_costs_nothing(tmp_path: Path) -> None:
    """Nothing was sent, so nothing counts as paid."""
    journal, meter = Journal(tmp_path / "calls.jsonl"), Meter({"writer-1": PRICES}, Decimal(1))
    model = open_chat_model("writer-1", f"http://127.0.0.1:{free_port()}/v1", "key")
    assert model is not None
    with pytest.raises(ModelUnavailable, match="Nothing answers"):
        PaidWriter(model, meter, journal).complete(ASKED, max_tokens=10)
    assert (journal.spent, meter.spent, meter.held) == (0, 0, 0)
    journal.close()
    model.close()


@pytest.mark.parametrize("text", ["1", "a b", "-1 2", "1 2 3", "nan 1"])
def test_a_price_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    """The setting is named, with how it is written."""
    with pytest.raises(UserError, match="LUTHIER_MODEL_PRICE is") as refused:
        chat_price("any", "", text, shelf_in(tmp_path))
    assert "0 0 for your own server" in refused.value.next_step


@pytest.mark.parametrize("kind", ROW_KINDS)
def test_a_run_takes_what_its_bill_said(kind: str, wire: Wire) -> None:
    """Calls and characters asked lie between the least and the most that was quoted."""
    task, told = TASKS[kind]
    spec = row_spec(task, **{**told, **({"passages": PASSAGES} if kind == "documents" else {})})
    expected = bill(spec, 10)
    write_rows(spec, count=10, seed=7, model=wire.model, meter=Purse())
    requests = wire.rehearsal.requests
    asked = sum(len(turn["content"]) for request in requests for turn in request["messages"]) / 4
    assert expected.calls[0] <= len(requests) <= expected.calls[2]
    assert expected.prompt_tokens[0] * 0.9 <= asked <= expected.prompt_tokens[2]
    assert sum(request["max_completion_tokens"] for request in requests) <= expected.output_tokens[2]
    assert expected.dollars(None) is None


def test_nothing_is_asked_beyond_what_was_approved(wire: Wire, tmp_path: Path) -> None:
    """Where the next call might cost more than is left the run ends; recipes fill up and it is said."""
    limit = Decimal("0.01")
    journal = Journal(tmp_path / "calls.jsonl")
    writer = PaidWriter(wire.model, Meter({"writer-1": PRICES}, limit), journal)
    made = write_rows(spec_of("classification"), count=40, seed=7, model=writer, meter=Purse())
    journal.close()
    assert 2 < len(wire.rehearsal.requests) < 80
    assert Decimal(0) < (spent_in(tmp_path / "calls.jsonl") or 0) <= limit
    assert any("The approved $0.01 would not hold another call" in note for note in made.notes)
    assert len(made.drafts) == 40
    with pytest.raises(Spent):
        PaidWriter(wire.model, Meter({"writer-1": PRICES}, Decimal(0))).complete(ASKED, max_tokens=10)


def test_a_call_that_dies_counts_as_paid_and_a_refused_one_does_not(wire: Wire, tmp_path: Path) -> None:
    """What was on its way when a process died is in the journal in full; a 429 costs nothing."""
    path = tmp_path / "calls.jsonl"
    dying, meter = Journal(path), Meter({"writer-1": PRICES}, Decimal(1))
    dying.asked("1", Decimal("0.25"))
    dying.close()
    wire.rehearsal.fails_after = 0
    journal = Journal(path)
    assert (journal.spent, journal.unaccounted) == (Decimal("0.25"), 1)
    with pytest.raises(ModelUnavailable):
        PaidWriter(wire.model, meter, journal).complete(ASKED, max_tokens=10)
    assert (journal.spent, meter.spent, meter.held) == (Decimal("0.25"), 0, 0)
    wire.rehearsal.fails_after = None
    PaidWriter(wire.model, meter, journal).complete(ASKED, max_tokens=10)
    assert meter.spent == Decimal(4 * 50) / 1_000_000
    journal.close()
    assert not any("Say something" in json.dumps(line) for line in path.read_text().splitlines())
