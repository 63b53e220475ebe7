"""Refreshing from litellm's list (recorded from litellm 1.110.2), and asking OpenAI for its own shutdown dates."""

import copy
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import ServiceError, UserError
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers.costs.estimate import estimate, shipped_shelf
from trainers.costs.facts import Source
from trainers.costs.lifecycle import line_of
from trainers.costs.live import shutdown_date
from trainers.costs.names import find_model
from trainers.costs.overlay import NAME, shelf_in, write
from trainers.costs.refresh import Difference, differences, fetch, parsed
from trainers.costs.workload import Workload

EXCERPT = Path(__file__).with_name("litellm_excerpt.json").read_bytes()
TODAY = date(2026, 11, 30)
SOURCE = Source(name="litellm's list", url="http://127.0.0.1/list.json", as_of=TODAY)


def changed(**fields: Any) -> bytes:
    """The recorded list with some figures of gpt-4.1-mini changed."""
    listed = copy.deepcopy(json.loads(EXCERPT))
    listed["gpt-4.1-mini-2025-04-14"] |= fields
    return json.dumps(listed).encode()


def found(content: bytes) -> list[Difference]:
    return list(differences(shipped_shelf(), parsed(content)))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Serves a folder over a real socket."""
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    serve = lambda *a: handler(*a, directory=str(tmp_path))  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ThreadProvider]:
    running = ThreadProvider(tmp_path)
    yield running
    running.stop()


def test_the_book_agrees_with_the_recorded_list() -> None:
    """What was taken from litellm says what litellm says, whatever unit the book writes it in."""
    assert found(EXCERPT) == []


def test_a_changed_price_is_shown_with_both_figures() -> None:
    """The difference names the old figure and the new one in a million tokens, exactly."""
    (one,) = found(changed(input_cost_per_token=4.5e-07))
    assert (one.change.field, one.odd) == ("base_input", False)
    assert (one.change.old, one.change.new) == ("0.40 USD per 1M tokens", "0.45 USD per 1M tokens")


def test_a_changed_day_is_shown() -> None:
    """A base that retires on another day is a difference."""
    (one,) = found(changed(deprecation_date="2027-02-01"))
    assert (one.change.field, one.change.old, one.change.new) == ("base_retires", "2027-01-14", "2027-02-01")


@pytest.mark.parametrize("factor", [Decimal(1000), Decimal("0.001")])
def test_a_slip_of_a_unit_is_marked(factor: Decimal) -> None:
    """A price that moved a thousandfold is odd: it is not taken over without a person's word."""
    (one,) = found(changed(input_cost_per_token=float(Decimal("4e-07") * factor)))
    assert one.odd


@pytest.mark.parametrize("value", [-1, "free", None, True, [], 1e400])
def test_what_is_no_price_changes_nothing(value: Any) -> None:
    """Negative, endless and wordy figures of the list are passed over."""
    assert found(changed(input_cost_per_token=value, deprecation_date="soon")) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"<html>", b'{"a": 1}', b"[" * 100_000], ids=len)
def test_what_is_no_list_is_refused(content: bytes) -> None:
    """A page or another file in place of the list is named, and nothing changes."""
    with pytest.raises(UserError):
        parsed(content)


def test_an_overlay_is_read_back_and_the_book_stays(tmp_path: Path) -> None:
    """What was taken over is used, with its own day and source; the shipped book and other folders are as they were."""
    changes = [one.change for one in found(changed(input_cost_per_token=5e-07, deprecation_date="2027-02-01"))]
    write(tmp_path, changes, SOURCE)
    shelf, model = shelf_in(tmp_path), find_model("gpt-4.1-mini")
    sheet = shelf.books["openai"].sheet(model)
    assert sheet is not None
    listed = sheet.prices["base_input"]
    assert (listed.price.text, listed.source) == ("0.5 USD per 1M tokens", SOURCE)
    assert line_of("openai", model, shelf.lines).tunes_retire == date(2027, 2, 1)
    assert line_of("openai", model).tunes_retire == date(2027, 1, 14)
    load = Workload(examples=5, prompt_tokens=Decimal(5), completion_tokens=Decimal(5))
    told = estimate(load, "gpt-4.1-mini", today=TODAY, shelf=shelf).to_json()
    assert told["prices"]["base_input"]["source"] == "litellm's list"


@pytest.mark.parametrize("content", ["", "{}", '{"source": {}, "changes": []}', '{"source": 1}'])
def test_a_damaged_overlay_is_said(tmp_path: Path, content: str) -> None:
    """A broken file in the data folder is named with the way out, instead of prices that nobody can explain."""
    (tmp_path / NAME).write_text(content)
    with pytest.raises(UserError, match="refresh"):
        shelf_in(tmp_path)


def test_the_list_comes_over_http(tmp_path: Path, web: str) -> None:
    """The recorded list is read from a server; one that is away or has no list leaves the prices as they are."""
    (tmp_path / "list.json").write_bytes(EXCERPT)
    assert fetch(f"{web}/list.json")["gpt-6-luna"]["input_cost_per_token"] == Decimal("1e-07")
    with pytest.raises(ServiceError, match="stay as they are"):
        fetch(f"{web}/nothing.json")
    with pytest.raises(ServiceError):
        fetch("http://127.0.0.1:9/list.json")


def test_openai_is_asked_for_its_own_day(provider: ThreadProvider) -> None:
    """The SDK reads shutdown_date from the shipped provider; a model without one has none, an unknown one is named."""
    provider.rehearsal.shutdowns = {"gpt-4.1-mini": "2027-01-14", "gpt-6-luna": ""}
    assert shutdown_date("gpt-4.1-mini", url=provider.url, key="k") == date(2027, 1, 14)
    assert shutdown_date("gpt-6-luna", url=provider.url, key="k") is None
    with pytest.raises(UserError, match="may be gone"):
        shutdown_date("gpt-2", url=provider.url, key="k")


def test_an_account_that_does_not_answer_is_said(provider: ThreadProvider) -> None:
    """A refused key and a day that is none are told apart, and neither is taken for "no shutdown"."""
    provider.now(rates={"read": {"unauthorized": 1.0}})
    with pytest.raises(UserError, match="401"):
        shutdown_date("rehearsal-small", url=provider.url, key="k")
    provider.now()
    provider.rehearsal.shutdowns = {"gpt-4.1": "soon"}
    with pytest.raises(ServiceError, match="did not say"):
        shutdown_date("gpt-4.1", url=provider.url, key="k")
