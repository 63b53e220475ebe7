"""Mentions, direct messages, follow-ups and clicks over a real local Slack."""

import json
from typing import Any

import pytest

from knowledge.conversations import Conversations, Thread
from tests.console import wait_for
from tests.handlers.world import ADA, World

Json = dict[str, Any]
BOT = "<@U0LUTHIER>"
PRICES = f"{BOT} our support bot must quote our private price list, it changes every week, about 300 questions a day"
TICKETS = f"{BOT} we sort support tickets into 4 queues, have 120 labelled rows, and the data may not leave our laptop"


def thread(world: World, root: Json) -> list[Json]:
    return world.slack.messages("C0ASK", root.get("thread_ts") or root["ts"])


def reactions(world: World, message: Json) -> list[str]:
    found = next(each for each in thread(world, message) if each["ts"] == message["ts"])
    return [each["name"] for each in found.get("reactions", [])]


def advised(world: World, text: str = PRICES) -> tuple[Json, Json]:
    """Ask for advice in a channel; gives the question and the card, once the card is remembered."""
    asked = world.slack.send(text)
    card = world.slack.wait_message("Confidence", thread_ts=asked["ts"])
    key = Thread(ADA.workspace_id, "C0ASK", asked["ts"])
    found = Conversations(world.deps.engine).find
    wait_for(lambda: (known := found(key)) and known.card_ts == card["ts"], what="the remembered card")
    return asked, card


def settled(world: World, count: int) -> None:
    """Wait until the app has answered so many requests."""
    wait_for(lambda: len(world.hands.statuses) >= count, what=f"{count} requests")


def test_a_mention_with_a_use_case_gets_one_advice_card_in_its_thread(world: World) -> None:
    """A use case told in a mention is answered by one advice card in the thread, eyes first, and by nothing else."""
    asked, card = advised(world)
    assert "RAG" in card["text"]
    assert any(block["type"] == "table" for block in card["blocks"])
    assert len(thread(world, asked)) == 2
    assert reactions(world, asked) == ["eyes"]
    assert "Train on our rows" not in json.dumps(card)


def test_a_follow_up_without_mention_edits_the_card_in_place(world: World) -> None:
    """A new fact in the thread is weighed into the same card; where the advice stays, a check mark says so."""
    asked, card = advised(world)
    more = world.slack.send("answers must show a source", thread_ts=asked["ts"], user="U0BEN")
    wait_for(lambda: "white_check_mark" in reactions(world, more), what="a check mark")
    edited = thread(world, asked)[1]
    assert edited["ts"] == card["ts"]
    assert edited["blocks"] != card["blocks"]
    assert "show a source" in json.dumps(edited)
    assert len(thread(world, asked)) == 3


def test_a_change_of_mind_is_said_in_the_thread(world: World) -> None:
    """Facts that turn the recommendation edit the card and are told in one line."""
    asked, _ = advised(
        world, f"{BOT} should we use RAG or fine-tuning? answers rest on our documents, which never change"
    )
    world.slack.send(
        "we only sort them into 4 labels, have 3,000 labelled examples, no private facts, and it must run locally",
        thread_ts=asked["ts"],
    )
    said = world.slack.wait_message("changes my mind", thread_ts=asked["ts"])
    assert thread(world, asked)[1]["text"].split(" Confidence")[0] in said["text"]


def test_words_between_people_are_left_alone(world: World) -> None:
    """A reply to somebody else, small talk and messages outside our threads get no answer."""
    asked, _ = advised(world)
    before = len(world.hands.statuses)
    world.slack.send("<@U0BEN> what do you think of weekly changes?", thread_ts=asked["ts"])
    world.slack.send("what is QLoRA?")
    world.slack.send("thanks!", thread_ts=asked["ts"])
    settled(world, before + 3)
    assert len(thread(world, asked)) == 4
    assert len(world.slack.messages("C0ASK")) == 2


def test_a_question_gets_a_cited_answer_and_a_follow_up_another(world: World) -> None:
    """An answer shows numbered sources with their dates; the next question in the thread needs no mention."""
    asked = world.slack.send(f"{BOT} What is QLoRA?")
    said = world.slack.wait_message("Sources:", thread_ts=asked["ts"])
    assert "updated" in json.dumps(said)
    world.slack.send("How much memory does it need?", thread_ts=asked["ts"])
    wait_for(lambda: len(thread(world, asked)) == 4, what="a second answer")
    assert thread(world, asked)[-1]["user"] == "U0LUTHIER"


def test_what_is_not_in_the_guide_is_said_to_be_missing(world: World) -> None:
    """A question beyond the sources gets an honest no with the nearest pages."""
    asked = world.slack.send(f"{BOT} Which wine goes with grilled mackerel in Lisbon?")
    said = world.slack.wait_message("don't have a source", thread_ts=asked["ts"])
    assert "Sources:" not in json.dumps(said)


@pytest.mark.parametrize("text", [BOT, f"{BOT} help", f"{BOT} hello"])
def test_an_empty_mention_is_greeted_with_suggestions(world: World, text: str) -> None:
    """A mention without a question gets the hello; a suggestion that is clicked is answered in its thread."""
    asked = world.slack.send(text)
    hello = world.slack.wait_message("Hi, I'm Luthier", thread_ts=asked["ts"])
    world.slack.click(hello, "What is QLoRA?")
    world.slack.wait_message("Sources:", thread_ts=asked["ts"])


@pytest.mark.parametrize("text", [f"{BOT} 🎉🎉", f"{BOT} our list is big"])
def test_what_cannot_be_read_is_answered_kindly(world: World, text: str) -> None:
    """Emoji, and half sentences get a kind word on what helps."""
    asked = world.slack.send(text)
    said = world.slack.wait_message(lambda message: message["user"] == "U0LUTHIER", thread_ts=asked["ts"])
    assert "broke" not in said["text"]
    assert 200 not in {status for status in world.hands.statuses if status != 200}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PRICES + ", and so on" * 1700, "I read the first 8,000 characters"),
        (f"{BOT} {'lorem ipsum ' * 1700}", "I only know about"),
        (f"{BOT} what is {'a very ' * 2800} long question?", "characters; I read up to"),
    ],
)
def test_20_000_characters_are_answered_kindly(world: World, text: str, expected: str) -> None:
    """A very long case is weighed as far as it was read, and says so; a very long question is asked for a short one."""
    asked = world.slack.send("Long words follow")
    world.event({"type": "app_mention", "user": "U0ADA", "channel": "C0ASK", "ts": asked["ts"], "text": text})
    world.slack.wait_message(expected, thread_ts=asked["ts"])


def test_a_wish_for_advice_without_a_case_is_asked_for_one(world: World) -> None:
    """Advice without a case asks for it; the reply then gets its own card."""
    asked = world.slack.send(f"{BOT} we need your advice")
    world.slack.wait_message("Tell me about your case", thread_ts=asked["ts"])
    world.slack.send("our answers must quote prices that change weekly", thread_ts=asked["ts"])
    card = world.slack.wait_message("Confidence", thread_ts=asked["ts"])
    assert card["ts"] == thread(world, asked)[-1]["ts"]


def test_a_direct_message_needs_no_mention(world: World) -> None:
    """In direct messages every message is for us, and the answer goes into its thread."""
    asked = world.slack.dm("What is LoRA?")
    world.slack.wait_message("Sources:", channel=world.slack.dm_of(), thread_ts=asked["ts"])


def test_advice_to_train_offers_the_form_for_the_same_thread(world: World) -> None:
    """Where training is recommended, its button leads through the form to a quote in this thread."""
    asked, card = advised(world, TICKETS)
    world.slack.click(card, "Train on our rows")
    world.slack.submit(world.slack.wait_view(title="Train a model"))
    world.slack.wait_message("ready to train", thread_ts=asked["ts"])
    wait_for(lambda: world.deps.jobs.ledger.listing(ADA.workspace_id), what="a job")
    world.deliver()
    world.slack.wait_message("Quote #1", thread_ts=asked["ts"])
    assert len(world.slack.messages("C0ASK")) == 1


def test_options_and_costs_open_in_modals(world: World) -> None:
    """Compare shows every option with its points and sources, cost the quote of the shipped example."""
    _, card = advised(world)
    world.slack.click(card, "Compare all options")
    view = json.dumps(world.slack.wait_view(title="All options"))
    assert all(column in view for column in ("Likely quality", "Cost to implement", "Time", "Maintenance", "Ease of"))
    world.slack.click(card, "What would it cost?")
    wait_for(lambda: "For scale" in json.dumps(world.slack.views()), what="the example's quote")


def test_a_thumb_is_kept_and_thanked_for_privately(world: World) -> None:
    """A thumb is answered to the clicker alone."""
    asked, card = advised(world)
    world.slack.click(card, "feedback", value="good")
    world.slack.wait_message("I noted it", thread_ts=asked["ts"])
    assert "I noted it" not in json.dumps(world.slack.messages("C0ASK", asked["ts"], user="U0BEN"))


def test_what_people_ask_each_other_in_our_thread_stays_theirs(world: World) -> None:
    """A reply that the guide cannot answer, and that did not mention us, gets a private word at most."""
    asked, _ = advised(world)
    world.slack.send("which wine goes with mackerel tonight, Ben?", thread_ts=asked["ts"])
    world.slack.wait_message("don't have a source", thread_ts=asked["ts"])
    assert "don't have a source" not in json.dumps(world.slack.messages("C0ASK", asked["ts"], user="U0BEN"))


def test_a_picture_beside_a_use_case_does_not_hide_it(world: World) -> None:
    """A file that cannot be rows is left aside, and the words are answered."""
    picture = world.slack.upload("board.png", b"\x89PNG\r\n\x1a\n" + bytes(30))
    asked = world.slack.send(PRICES, files=[picture["id"]])
    world.slack.wait_message("Confidence", thread_ts=asked["ts"])
