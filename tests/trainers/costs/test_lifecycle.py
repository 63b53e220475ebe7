"""Lifecycles: how a model stands on a given day, and who may still train it."""

from datetime import date
from typing import Any

import pytest

from trainers.costs.lifecycle import NotTrainable, check_trainable, due_warnings, line_of, lines, sentence
from trainers.costs.live import asked_on
from trainers.costs.names import PROVIDERS, find_model, models


@pytest.mark.parametrize(
    ("model", "provider", "day", "state"),
    [
        ("gpt-4.1-mini", "openai", date(2026, 11, 30), "closing"),
        ("gpt-4.1-mini", "openai", date(2027, 1, 5), "closing"),
        ("gpt-4.1-mini", "openai", date(2027, 1, 6), "closed"),
        ("gpt-4.1-mini", "openai", date(2027, 1, 13), "closed"),
        ("gpt-4.1-mini", "openai", date(2027, 1, 14), "retired"),
        ("gpt-4.1-nano", "openai", date(2026, 10, 22), "closing"),
        ("gpt-4.1-nano", "openai", date(2026, 10, 23), "retired"),
        ("gpt-3.5-turbo", "openai", date(2026, 11, 30), "retired"),
        ("gpt-6-luna", "openai", date(2026, 11, 30), "closed"),
        ("gpt-5", "openai", date(2026, 12, 11), "retired"),
        ("gpt-4.1-mini", "azure", date(2026, 11, 30), "closing"),
        ("gpt-4.1-mini", "azure", date(2027, 4, 14), "closed"),
        ("gpt-4.1-mini", "azure", date(2027, 10, 14), "retired"),
        ("gpt-oss-20b", "azure", date(2026, 11, 30), "open"),
        ("gemini-3.5-flash", "vertex", date(2026, 11, 30), "open"),
        ("gemini-3.5-flash", "vertex", date(2027, 6, 1), "open"),
        ("gemini-2.5-flash", "vertex", date(2026, 10, 16), "closing"),
        ("gemini-2.5-flash", "vertex", date(2026, 10, 20), "retired"),
        ("o1", "openai", date(2026, 11, 30), "retired"),
        ("o3", "openai", date(2026, 11, 30), "closed"),
        ("o4-mini", "azure", date(2026, 11, 30), "closing"),
        ("ministral-3b", "azure", date(2026, 11, 30), "closing"),
        ("llama-3.3-70b-instruct", "azure", date(2027, 1, 31), "retired"),
        ("gpt-5", "azure", date(2026, 11, 30), "closing"),
        ("llama-3.1-8b-instruct", "bedrock", date(2026, 11, 30), "closing"),
        ("qwen3-8b", "own_gpu", date(2040, 1, 1), "open"),
        ("gpt-4.1", "together", date(2026, 11, 30), "unknown"),
    ],
)
def test_the_state_follows_from_the_day(model: str, provider: str, day: date, state: str) -> None:
    """A day named in the book is the first one on which the thing is gone; a promise is no announcement."""
    line = line_of(provider, find_model(model))
    assert line.state(day) == state
    told = line.to_json(day)
    assert told["state"] == state
    if state in ("closing", "closed", "retired"):
        assert state in told["sentence"]


def test_the_dates_are_told_in_iso() -> None:
    """Both days of OpenAI's end stand in the data and in the sentence."""
    told = line_of("openai", find_model("gpt-4o")).to_json(date(2026, 11, 30))
    assert (told["training_until"], told["tunes_retire"]) == ("2027-01-06", "2027-01-14")
    assert "2027-01-06" in told["sentence"]
    assert "2027-01-14" in told["sentence"]
    assert "gpt-6-luna, which cannot be fine-tuned" in told["sentence"]


@pytest.mark.parametrize("model", ["gpt-4.1-nano", "gpt-6-luna", "gpt-3.5-turbo"])
def test_what_nobody_can_train_is_refused_before_anything_is_sent(model: str) -> None:
    """The check says what happened and where to look next."""
    with pytest.raises(NotTrainable) as refused:
        check_trainable(line_of("openai", find_model(model)), date(2026, 11, 30))
    assert refused.value.next_step
    check_trainable(line_of("openai", find_model("gpt-4.1")), date(2026, 11, 30))


def test_every_line_names_what_the_books_know() -> None:
    """Providers and models of the lifecycle book are those of the price book, no two lines speak of the same."""
    keys = [(line.provider, line.model) for line in lines()]
    assert len(set(keys)) == len(keys)
    assert {line.provider for line in lines()} <= set(PROVIDERS)
    assert {line.model for line in lines()} - {"*"} <= set(models())


def test_days_come_in_order() -> None:
    """Training ends before tunes go dark, and no line has a promise and no day."""
    for line in lines():
        if line.training_until and line.dark_on:
            assert line.training_until <= line.dark_on
        assert not line.floor or line.dark_on


def test_the_providers_own_day_wins() -> None:
    """A shutdown date that an account was told replaces the book's, also for tunes that share the base's day."""
    today = date(2026, 11, 30)
    source = asked_on(today, "http://x")
    asked = line_of("openai", find_model("gpt-4.1")).asked(date(2027, 2, 1), source)
    assert (asked.base_retires, asked.tunes_retire) == (date(2027, 2, 1), date(2027, 2, 1))
    azure = line_of("azure", find_model("gpt-4.1")).asked(date(2027, 2, 1), source)
    assert azure.tunes_retire == date(2027, 10, 14)
    floor = line_of("vertex", find_model("gemini-3.5-flash")).asked(date(2027, 6, 1), source)
    assert floor.state(today) == "closing"
    assert floor.asked(None, source) is floor


@pytest.mark.parametrize(
    ("today", "steps"),
    [
        (date(2026, 10, 15), ()),
        (date(2026, 10, 16), (90,)),
        (date(2026, 12, 15), (90, 30)),
        (date(2027, 1, 7), (90, 30, 7)),
        (date(2027, 1, 13), (90, 30, 7)),
        (date(2027, 1, 14), ()),
    ],
)
def test_warnings_come_due(today: date, steps: tuple[int, ...]) -> None:
    """Ninety, thirty and seven days ahead; none before, and none once it is dark."""
    assert due_warnings(date(2027, 1, 14), today) == steps


def test_a_sentence_is_said_of_everything() -> None:
    """No line, on any of its days, lacks words."""
    for line in lines():
        model: Any = find_model("qwen3-8b" if line.model == "*" else line.model)
        for day in (date(2026, 1, 1), date(2026, 11, 30), date(2028, 1, 1)):
            assert sentence(line_of(line.provider, model), day).endswith(".")


@pytest.mark.parametrize(
    ("provider", "model", "days"),
    [
        ("vertex", "gemini-2.5-pro", ("2026-10-16", "2026-10-20")),
        ("openai", "davinci-002", ("2026-10-23", "2026-09-28")),
        ("azure", "gpt-4.1", ("2026-10-14", "2027-04-14")),
        ("azure", "gpt-4o", ("2026-10-01", "2027-04-14")),
        ("azure", "o4-mini", ("2026-10-16", "2026-11-19")),
        ("azure", "gpt-5", ("2027-02-06", "2027-02-09")),
    ],
)
def test_days_that_contradict_are_both_named(provider: str, model: str, days: tuple[str, str]) -> None:
    """Where two sources name different days the sentence says "not confirmed" and both."""
    told = sentence(line_of(provider, find_model(model)), date(2026, 11, 30))
    assert "Not confirmed" in told
    assert all(day in told for day in days)


@pytest.mark.parametrize("model", ["gpt-3.5-turbo", "gpt-4", "o4-mini", "davinci-002", "gpt-4.1-nano"])
def test_no_replacement_is_named_that_no_source_names(model: str) -> None:
    """OpenAI's page names gpt-6-luna for the 4.1 and 4o line only; for the others nothing is invented."""
    assert line_of("openai", find_model(model)).replacement == ""


def test_google_names_a_replacement_for_each_model() -> None:
    """Pro, Flash and Flash-Lite each point to what Google's page names for them."""
    named = {name: line_of("vertex", find_model(f"gemini-2.5-{name}")).replacement for name in ("pro", "flash-lite")}
    assert named == {"pro": "gemini-3.5-flash", "flash-lite": "gemini-3.1-flash-lite or Gemma 4"}


def test_each_trainer_of_open_models_has_its_own_source() -> None:
    """No provider's state rests on another one's page, and what a third party said is not confirmed."""
    lines_by = {name: line_of(name, find_model("llama-3.1-8b")) for name in ("together", "fireworks", "nebius")}
    sources = {name: line.source for name, line in lines_by.items()}
    assert len({source.url for source in sources.values() if source}) == 3
    assert sources["nebius"] is not None
    assert sources["nebius"].unverified
