"""What people do with an answer: open its sources, rate it, share it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from handlers.sharing import VALUE, recalled, ticket_for, unpacked
from knowledge.answer import Answer, answer
from knowledge.conversations import Conversations, Thread
from knowledge.errors import UserError
from knowledge.feedback import Feedback, Rating, hash_of
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.console import wait_for
from tests.handlers.world import ADA, World

Json = dict[str, Any]
ASKED = "What is QLoRA?"


def answered(world: World) -> Json:
    """Ask in a channel; gives the answer."""
    asked = world.slack.send(f"<@U0LUTHIER> {ASKED}")
    return world.slack.wait_message("Sources:", thread_ts=asked["ts"])


def private(world: World) -> Json:
    """Ask so that only Ada sees the answer; gives it."""
    world.slack.command(f"/tune ask {ASKED}")
    return world.slack.wait_message("Sources:")


def runs(view: Json) -> Sequence[Json]:
    drawn = next(block for block in view["blocks"] if block["type"] == "rich_text")
    return drawn["elements"][0]["elements"]


def ratings(world: World) -> Sequence[Rating]:
    return Feedback(world.engine).listing()


def test_a_source_opens_at_its_passage(world: World) -> None:
    """The button under an answer shows the passage, the cited sentence bold, with its page, date and sources."""
    said = answered(world)
    world.slack.click(said, "Source 1")
    view = world.slack.wait_view(title="Source")
    bold = [run["text"] for run in runs(view) if run.get("style", {}).get("bold")]
    assert len(bold) == 1
    assert bold[0].rstrip(".") in said["blocks"][0]["text"].replace("*", "")
    assert all(words in json.dumps(view, ensure_ascii=False) for words in ("QLoRA", "Updated", "rests on", "https://"))


def test_a_source_that_is_gone_says_so(world: World) -> None:
    """A passage that was removed after the answer is not made up: the modal says what happened."""
    asked = world.slack.send("hello")
    value = json.dumps(["/guide/removed#top-0", "It was here."])
    shown = {"type": "actions", "elements": [{"type": "button", "action_id": "source:1", "value": value}]}
    shown["elements"][0]["text"] = {"type": "plain_text", "text": "Source 1"}  # type: ignore[index]
    ts = world.slack.web.chat_postMessage(channel="C0ASK", thread_ts=asked["ts"], text="old", blocks=[shown])["ts"]
    old = next(each for each in world.slack.messages("C0ASK", asked["ts"]) if each["ts"] == ts)
    world.slack.click(old, "Source 1")
    assert "not in my sources any more" in json.dumps(world.slack.wait_view(title="Source"))


def test_a_good_thumb_is_thanked_for_and_kept_with_its_sources(world: World) -> None:
    """Of the question only a hash is kept, of the answer only the ids of its passages."""
    said = answered(world)
    world.slack.click(said, "feedback", value=thumb(said, "positive_button"))
    world.slack.wait_message("I noted it", thread_ts=said["thread_ts"])
    assert "I noted it" not in json.dumps(world.slack.messages("C0ASK", said["thread_ts"], user="U0BEN"))
    (kept,) = ratings(world)
    assert (kept.good, kept.verdict, kept.words) == (True, "", "")
    assert kept.question_hash == hash_of(ADA.workspace_id, ASKED) != hash_of("T2", ASKED)
    assert all(key.startswith("/guide/") for key in json.loads(kept.passages))
    assert "QLoRA" not in json.dumps(kept.model_dump(mode="json"))


def test_a_bad_thumb_asks_what_was_wrong(world: World) -> None:
    """The thumb counts at once, the form adds what was wrong, and a second thumb takes both back."""
    said = answered(world)
    world.slack.click(said, "feedback", value=thumb(said, "negative_button"))
    form = world.slack.wait_view(title="Not a good answer")
    assert [(each.good, each.verdict) for each in ratings(world)] == [(False, "")]
    world.slack.submit(form, {"verdict": "outdated", "said": "The price is old."})
    world.slack.wait_message("I noted it", thread_ts=said["thread_ts"])
    assert [(each.verdict, each.words) for each in ratings(world)] == [("outdated", "The price is old.")]
    tally = Feedback(world.engine).tally(ADA.workspace_id, world.now - timedelta(days=1))
    assert (tally.good, tally.bad, tally.verdicts) == (0, 1, {"outdated": 1})
    world.slack.click(said, "feedback", value=thumb(said, "positive_button"))
    wait_for(lambda: ratings(world)[0].good, what="the second thumb")
    assert (ratings(world)[0].verdict, ratings(world)[0].words) == ("", "")


def thumb(said: Json, which: str) -> str:
    thumbs = next(block for block in said["blocks"] if block["type"] == "context_actions")["elements"][0]
    return thumbs[which]["value"]


def test_a_private_answer_is_shared_by_its_reader(world: World) -> None:
    """Share posts the answer with who shares it and what was asked, and takes the private one away."""
    said = private(world)
    assert ASKED not in json.dumps(world.slack.messages(user="U0BEN"))
    world.slack.click(said, "Share in channel")
    shared = world.slack.wait_message("shares an answer", user="U0BEN")
    assert all(words in json.dumps(shared) for words in ("<@U0ADA>", ASKED, "Sources:", "feedback"))
    assert shared["blocks"][1]["text"]["text"] == said["blocks"][0]["text"]["text"]
    wait_for(lambda: [each["ts"] for each in world.slack.messages()] == [shared["ts"]], what="the private one gone")
    known = Conversations(world.engine).find(Thread(ADA.workspace_id, "C0ASK", shared["ts"]))
    assert known is not None
    world.slack.click(shared, "Source 1", user="U0BEN")
    assert runs(world.slack.wait_view("U0BEN", title="Source"))


def test_an_answer_in_direct_messages_has_nobody_to_be_shared_with(world: World) -> None:
    """Neither there nor under an honest no is a Share button."""
    world.slack.command(f"/tune ask {ASKED}", channel=world.slack.dm_of())
    assert "Share" not in json.dumps(world.slack.wait_message("Sources:", channel=world.slack.dm_of()))
    world.slack.command("/tune ask Which wine goes with grilled mackerel in Lisbon?")
    assert "Share" not in json.dumps(world.slack.wait_message("don't have a source"))


def test_only_the_reader_may_share(world: World) -> None:
    """A button's value in other hands, and one whose source has gone, share nothing and say why."""
    said = answer(ASKED, world.deps.index)
    ticket = unpacked(ticket_for(ADA, "C0ASK", ASKED, said))
    assert recalled(world.deps.index, ADA, ticket).citations == said.citations
    with pytest.raises(UserError, match="somebody else"):
        recalled(world.deps.index, Person(workspace_id=ADA.workspace_id, user_id="U0BEN"), ticket)
    with pytest.raises(UserError, match="changed or removed"):
        recalled(world.deps.index, ADA, ticket._replace(cited=[("T2/docs/secret#top-0", "x")]))


def test_a_share_button_holds_what_slack_keeps() -> None:
    """A question too long to travel stays behind; an answer too long cannot be shared."""
    noise = "".join(chr(0x4E00 + place * 7919 % 20_000) for place in range(3_000))
    said = Answer(text="Short. [1]", confidence=1, seconds=0)
    assert unpacked(ticket_for(ADA, "C0ASK", ASKED, said)).question == ASKED
    assert unpacked(ticket_for(ADA, "C0ASK", noise, said)).question == ""
    assert len(ticket_for(ADA, "C0ASK", noise, said)) <= VALUE
    assert ticket_for(ADA, "C0ASK", ASKED, Answer(text=noise, confidence=1, seconds=0)) == ""


def test_approvers_see_how_answers_were_rated(world: World) -> None:
    """The Home tab of an approver counts the ratings of the last 30 days; that of others does not."""
    place = Thread(ADA.workspace_id, "C0ASK", "1.1")
    Feedback(world.engine).rate(place, "1.2", "U0BEN", False, world.now)
    Feedback(world.engine).explain(place, "1.2", "U0BEN", "unclear", "")
    operator = Person(workspace_id=LOCAL_WORKSPACE, user_id="operator")
    world.deps.workspaces.change(ADA.workspace_id, {"approvers": "U0BEN"}, operator, world.now)
    for user, sees in (("U0BEN", True), ("U0ADA", False)):
        world.slack.act("home_opened", user=user, tab="home")
        home = wait_for(lambda user=user: world.slack.home(user), what="the Home tab")
        assert ("1 × it is unclear" in json.dumps(home, ensure_ascii=False)) == sees
