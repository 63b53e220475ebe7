"""Advice in Slack with a language model behind the reader: who is asked, who is not, and whose budget counts it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.readers import offline_reader
from bot.settings import Settings
from bot.wiring import reader_of
from knowledge.models import Message, open_chat_model
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.chat_server import ChatServer
from tests.console import wait_for
from tests.handlers.world import ADA, NOW, World, serve
from trainers.workspaces import Workspaces

BOT = "<@U0LUTHIER>"
CASE = "our nurses look things up in ward protocols, please advise"
FACTS = {"private_facts": {"value": True, "span": "ward protocols"}}


@pytest.fixture
def modelled(world: World, chat_server: ChatServer, tmp_path: Path) -> Iterator[World]:
    """The world with a language model set."""
    model = open_chat_model("some-model", chat_server.url, "key-1")
    assert model is not None
    model.complete([Message("user", "warm up")])  # the first call imports for seconds: Slack would send once more
    chat_server.rehearsal.requests.clear()
    settings = Settings(data=tmp_path, cache=Path.home() / ".cache" / "luthier")
    offline_reader(settings)("warm up, please")  # the learned reader opens its encoder
    world.deps = replace(world.deps, reader_of=reader_of(settings, model, world.engine))
    world.hands = serve(world)
    yield world
    model.close()


def script(chat_server: ChatServer, *said: dict[str, Any]) -> None:
    chat_server.rehearsal.script += [json.dumps(each) for each in said]


def carded(world: World, chat_server: ChatServer) -> tuple[dict[str, Any], dict[str, Any]]:
    script(chat_server, FACTS)
    asked = world.slack.send(f"{BOT} {CASE}")
    return asked, world.slack.wait_message("Confidence", thread_ts=asked["ts"])


def test_a_card_says_which_model_read_the_case(modelled: World, chat_server: ChatServer) -> None:
    """A mention is read by the language model once, its facts are weighed, and the card names the reader."""
    _, card = carded(modelled, chat_server)
    assert "Read by some-model, weighed by a fixed rubric" in json.dumps(card)
    assert "private or new facts" in json.dumps(card)
    assert len(chat_server.rehearsal.requests) == 1


def test_a_follow_up_to_us_is_read_by_the_model(modelled: World, chat_server: ChatServer) -> None:
    """What no pattern knows still counts when the model shows it in a message that is meant for us."""
    asked, card = carded(modelled, chat_server)
    script(chat_server, {"facts_change": {"value": "daily", "span": "the ink is never dry on them for a full day"}})
    modelled.slack.send(f"{BOT} and the ink is never dry on them for a full day", thread_ts=asked["ts"])
    wait_for(lambda: "facts change daily" in edited(modelled, asked, card), what="the edit")
    assert "Read by some-model, weighed by a fixed rubric" in edited(modelled, asked, card)


def edited(world: World, asked: dict[str, Any], card: dict[str, Any]) -> str:
    messages = world.slack.messages("C0ASK", asked["ts"])
    return json.dumps(next(each for each in messages if each["ts"] == card["ts"]))


def test_words_between_people_reach_no_model(modelled: World, chat_server: ChatServer) -> None:
    """A reply in our thread that mentions nobody and tells no fact is not sent to a language model."""
    asked, _ = carded(modelled, chat_server)
    before = len(modelled.hands.statuses)
    modelled.slack.send("the ink is never dry on them, is it", thread_ts=asked["ts"], user="U0BEN")
    wait_for(lambda: len(modelled.hands.statuses) > before, what="the event")
    assert len(chat_server.rehearsal.requests) == 1


def test_a_command_is_read_by_the_model_and_falls_back(modelled: World, chat_server: ChatServer) -> None:
    """`/tune advise` asks the model too; where it fails the card says that the text was read without it."""
    chat_server.rehearsal.mode = "busy"
    modelled.slack.command("/tune advise our answers must quote prices that change weekly")
    card = modelled.slack.wait_message("Confidence")
    assert "I read the text without it" in json.dumps(card)
    assert "without a language model" in json.dumps(card)


def test_tokens_count_against_the_workspace(modelled: World, chat_server: ChatServer) -> None:
    """What a reading took is counted; with the budget spent no model is asked any more, and the card says why."""
    operator = Person(workspace_id=LOCAL_WORKSPACE, user_id="op")
    Workspaces(engine=modelled.engine).change(ADA.workspace_id, {"chat_tokens_cap": "100"}, operator, NOW)
    carded(modelled, chat_server)
    modelled.slack.command("/tune advise our answers must quote prices that change weekly")
    assert "tokens for answers are used up" in json.dumps(modelled.slack.wait_message("used up"))
    assert len(chat_server.rehearsal.requests) == 1
