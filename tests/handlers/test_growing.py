"""Answers that grow in their thread: only what was checked, sources at the end, and whatever happens half-way."""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient

from handlers.answering import Heard, reply
from knowledge.conversations import Thread
from knowledge.growing import Growing
from knowledge.models import ChatModel, Message, open_chat_model
from knowledge.tenancy import Person
from tests.chat_server import ChatServer
from tests.handlers.world import ADA, World

Json = dict[str, Any]
ASKED = "What is QLoRA?"


class Watched:
    """A language model behind a real endpoint; `after` is called after each piece that it sends."""

    def __init__(self, model: ChatModel, after: Callable[[], None] = lambda: None) -> None:
        self.model, self.name, self.after = model, model.name, after

    def stream(self, messages: Sequence[Message], **options: Any) -> Generator[str, None, None]:
        for piece in self.model.stream(messages, **options):
            yield piece
            self.after()


@pytest.fixture
def watched(world: World, chat_server: ChatServer) -> Iterator[Watched]:
    model = open_chat_model("some-model", chat_server.url, "key-1")
    assert model is not None
    made = Watched(model)
    world.deps = replace(world.deps, model=made)  # type: ignore[arg-type]  # only answers are asked of it
    yield made
    model.close()


def ask(world: World, person: Person = ADA) -> Json:
    """Have a question answered in this thread of execution; gives the question's message."""
    asked = world.slack.send(ASKED)
    again(world, asked, person)
    return asked


def again(world: World, asked: Json, person: Person = ADA) -> None:
    """Deliver a question, perhaps for the second time."""
    client = WebClient(world.slack.bot_token, base_url=f"{world.slack.url}/api/")
    heard = Heard(person=person, channel="C0ASK", ts=asked["ts"], thread_ts=asked["ts"], text=ASKED)
    reply(client, world.deps, heard)


def answers(world: World, asked: Json) -> list[Json]:
    found = world.slack.messages("C0ASK", asked["ts"])[1:]
    return [each for each in found if each["user"] == "U0LUTHIER"]


def kinds(message: Json) -> list[str]:
    return [block["type"] for block in message["blocks"]]


def test_an_answer_grows_by_checked_sentences(world: World, watched: Watched, chat_server: ChatServer) -> None:
    """Each look at the growing message shows whole sentences with marks, none unsupported; sources come last."""
    chat_server.rehearsal.mode = "unsupported"
    asked = world.slack.send(ASKED)
    looks: list[str] = []

    def look() -> None:
        looks.extend(each["blocks"][0]["text"] for each in answers(world, asked) if each.get("streaming"))

    watched.after = look
    again(world, asked)
    (whole,) = answers(world, asked)
    assert kinds(whole) == ["markdown", "context", "actions", "context", "context_actions"]
    text = whole["blocks"][0]["text"]
    assert len(set(looks)) >= 2
    assert all(text.startswith(part) and part.endswith("]") for part in looks)
    assert "987654321" not in json.dumps(whole)
    assert "streaming" not in whole
    assert Growing(world.engine).half(Thread(ADA.workspace_id, "C0ASK", asked["ts"]), asked["ts"]) == ""


def test_an_offline_answer_grows_too(world: World) -> None:
    """Without a model the words come at once, in a message that is ended with its sources."""
    (said,) = answers(world, ask(world))
    assert kinds(said) == ["markdown", "context", "actions", "context", "context_actions"]


def test_what_may_not_grow_is_posted_whole(world: World) -> None:
    """Where Slack refuses the stream, here for somebody of another workspace, one ordinary message has it all."""
    (said,) = answers(world, ask(world, Person(workspace_id="T0OTHER", user_id="U0ADA")))
    assert kinds(said) == ["section", "context", "actions", "context", "context_actions"]


def test_a_model_that_breaks_off_leaves_what_was_checked(
    world: World, watched: Watched, chat_server: ChatServer
) -> None:
    """Half an answer stays, without its last unfinished sentence, with a note; it is not replaced by another."""
    chat_server.rehearsal.mode = "cut"
    (said,) = answers(world, ask(world))
    assert "broke off" in json.dumps(said)
    assert "Written by some-model" in json.dumps(said)
    assert said["blocks"][0]["text"].endswith("]")


def test_a_model_that_breaks_off_at_once_leads_to_the_offline_answer(
    world: World, watched: Watched, chat_server: ChatServer
) -> None:
    """As long as nothing was shown, the answer without the model takes its place, and the note says why."""
    chat_server.rehearsal.mode = "broken"
    (said,) = answers(world, ask(world))
    assert "I answered without it" in json.dumps(said)
    assert "without a language model" in json.dumps(said)


def test_stop_ends_the_answer_and_the_model(world: World, watched: Watched, chat_server: ChatServer) -> None:
    """After a person's Stop nothing is added, what stands there keeps its sources, and the rest is not even read."""
    asked = world.slack.send(ASKED)
    pieces: list[int] = []

    def stop() -> None:
        pieces.append(1)
        if len(pieces) > 1 and answers(world, asked) and "streaming" in answers(world, asked)[0]:
            world.slack.act("stop", user="U0ADA", channel="C0ASK", thread_ts=asked["ts"])

    watched.after = stop
    again(world, asked)
    (said,) = answers(world, asked)
    assert "Stopped here as you asked." in json.dumps(said)
    assert "Sources:" in json.dumps(said)
    assert len(pieces) < len(said["blocks"][0]["text"].split()) + 60


@pytest.mark.parametrize("removed", [False, True])
def test_an_answer_that_slack_ended_is_mended(world: World, watched: Watched, removed: bool) -> None:
    """A stream that ended too early is edited into the whole answer; a message that people removed stays away."""
    asked, done = world.slack.send(ASKED), []

    def end() -> None:
        for growing in answers(world, asked) if not done else ():
            done.append(world.slack.web.chat_stopStream(channel="C0ASK", ts=growing["ts"]))
            if removed:
                world.slack.web.chat_delete(channel="C0ASK", ts=growing["ts"])

    watched.after = end
    again(world, asked)
    said = answers(world, asked)
    assert done
    assert [kinds(each)[:2] for each in said] == ([] if removed else [["section", "context"]])


def test_a_process_killed_half_way_answers_again(world: World, watched: Watched) -> None:
    """The half answer goes away when the same question is delivered again, and one whole answer stands there."""
    asked = world.slack.send(ASKED)

    def die() -> None:
        if answers(world, asked):
            raise KeyboardInterrupt

    watched.after = die
    with pytest.raises(KeyboardInterrupt):
        again(world, asked)
    (half,) = answers(world, asked)
    assert half["streaming"]
    watched.after = lambda: None
    again(world, asked)
    (whole,) = answers(world, asked)
    assert whole["ts"] != half["ts"]
    assert "Sources:" in json.dumps(whole)
