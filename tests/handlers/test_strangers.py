"""People of another company in a channel that is shared with them: what they are told, shown and refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import BoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.internals import build_context

from handlers.answering import GUIDE_ONLY, NO_FILES, ONLY_YOU
from handlers.blocks.answer import WHO_READS
from handlers.blocks.source import CLOSED
from handlers.strangers import NOT_THEIRS, is_stranger, look
from knowledge.errors import UserError
from tests.chroma import chroma_url
from tests.handlers.shelf import Shelf
from tests.handlers.world import ADA, serve
from tests.knowledge.library import document
from trainers.jobs.service import Place
from trainers.spec import TrainingSpec

__all__ = ["chroma_url"]

BEN = "U0BEN"
ASK_DOCUMENT, IN_DOCUMENT = "When is the quokka launch in Lisbon?", "ninth of March"
ASK_GUIDE, IN_GUIDE = "What is an adapter?", "small set of weights"


@pytest.fixture
def shelf(tmp_path: Path, chroma_url: str) -> Iterator[Shelf]:
    """A team with a document, in whose channel Ben is of another company."""
    made = Shelf(tmp_path, chroma_url)
    made.keep(document("plans.md", f"Launch: The quokka launch in Lisbon is on the {IN_DOCUMENT}."))
    made.slack.connect(BEN)
    yield made
    made.stop()


def test_strangers_are_answered_from_the_guide_alone(shelf: Shelf) -> None:
    """A question about the team's document gets an honest no without its title, one about the guide an answer."""
    asked = shelf.slack.send(f"<@U0LUTHIER> {ASK_DOCUMENT}", user=BEN)
    no = shelf.slack.wait_message("I don't have a source for that", thread_ts=asked["ts"], user=BEN)
    assert GUIDE_ONLY in json.dumps(no)
    asked = shelf.slack.send(f"<@U0LUTHIER> {ASK_GUIDE}", user=BEN)
    answer = shelf.slack.wait_message("Source 1", thread_ts=asked["ts"], user=BEN)  # it has grown to its end
    assert IN_GUIDE in json.dumps(answer)
    assert GUIDE_ONLY in json.dumps(answer)
    shelf.slack.click(answer, "Source 1", user=BEN)
    assert IN_GUIDE in json.dumps(shelf.slack.wait_view(BEN, title="Source"))
    seen = shelf.said(user=BEN)
    assert [word for word in (IN_DOCUMENT, "Lisbon is", "plans") if word in seen] == []


def test_a_stranger_in_a_thread_of_ours_gets_nothing_of_our_documents(shelf: Shelf) -> None:
    """Replies without a mention are answered from the guide, too."""
    root = shelf.slack.send(f"<@U0LUTHIER> {ASK_GUIDE}")
    shelf.slack.wait_message(IN_GUIDE, thread_ts=root["ts"])
    shelf.slack.send(ASK_DOCUMENT, user=BEN, thread_ts=root["ts"])
    shelf.slack.wait_message("I don't have a source for that", thread_ts=root["ts"], user=BEN)
    assert IN_DOCUMENT not in shelf.said(user=BEN)


def test_what_rests_on_our_documents_is_private_in_a_shared_channel_until_it_is_shared(shelf: Shelf) -> None:
    """Only who asked sees it; sharing asks once more, and then its sources open for our own people alone."""
    root = shelf.slack.send(f"<@U0LUTHIER> {ASK_DOCUMENT}")
    private = shelf.slack.wait_message(IN_DOCUMENT)  # in the channel: a thread without replies would not show it
    assert ONLY_YOU in json.dumps(private)
    assert WHO_READS in json.dumps(private)
    assert IN_DOCUMENT not in shelf.said(user=BEN)
    shelf.slack.click(private, "Share in channel")
    public = shelf.slack.wait_message("shares an answer", thread_ts=root["ts"], user=BEN)
    assert IN_DOCUMENT in json.dumps(public)
    shelf.slack.click(public, "Source 1", user=BEN)
    assert CLOSED in json.dumps(shelf.slack.wait_view(BEN, title="Source"))
    shelf.slack.click(public, "Source 1")
    assert IN_DOCUMENT in json.dumps(shelf.slack.wait_view(title="Source"))


def test_what_rests_on_the_guide_is_public_in_a_shared_channel(shelf: Shelf) -> None:
    """Everybody may read the guide, so everybody sees the answer."""
    root = shelf.slack.send(f"<@U0LUTHIER> {ASK_GUIDE}")
    answer = shelf.slack.wait_message(IN_GUIDE, thread_ts=root["ts"], user=BEN)  # posted whole
    assert ONLY_YOU not in json.dumps(answer)


def test_in_a_channel_of_our_own_nothing_changes(shelf: Shelf) -> None:
    """There the answer from a document is public."""
    root = shelf.slack.send(f"<@U0LUTHIER> {ASK_DOCUMENT}", channel="C0TUNING")
    answer = shelf.slack.wait_message(IN_DOCUMENT, channel="C0TUNING", thread_ts=root["ts"])
    assert not answer.get("is_ephemeral")


@pytest.mark.parametrize("command", ["sources", "learn", "forget plans.md", "train", f"ask {ASK_DOCUMENT}", "jobs all"])
def test_strangers_run_no_command(shelf: Shelf, command: str) -> None:
    """They are told why, and nothing opens."""
    shelf.slack.command(f"/tune {command}", user=BEN)
    told = shelf.slack.wait_message(NOT_THEIRS, user=BEN)
    assert IN_DOCUMENT not in json.dumps(told)
    assert shelf.slack.views(BEN) == []
    assert shelf.names == ["plans.md"]


def test_strangers_add_nothing(shelf: Shelf) -> None:
    """Their files are not taken, and neither may they press the button under a file of ours."""
    file = shelf.slack.upload("theirs.md", b"# A\n\nB", user=BEN)
    root = shelf.slack.send("<@U0LUTHIER> learn this file", user=BEN, files=[file["id"]])
    shelf.slack.wait_message(NO_FILES, user=BEN)
    file = shelf.slack.upload("ours.md", b"# A\n\nB")
    root = shelf.slack.send("<@U0LUTHIER> learn this file", files=[file["id"]])
    offer = shelf.slack.wait_message("Shall my answers use *ours.md*?", thread_ts=root["ts"])
    for button in ("Use as documents", "Open the form"):
        shelf.slack.click(offer, button, user=BEN)
    shelf.slack.wait_message(NOT_THEIRS, thread_ts=root["ts"], user=BEN)
    assert (shelf.jobs(), shelf.slack.views(BEN)) == ([], [])


def test_strangers_approve_nothing(shelf: Shelf) -> None:
    """A click of theirs on a quote leaves it as it is."""
    jobs = shelf.world.deps.jobs
    rows = jobs.datasets.example("tickets", ADA, shelf.world.now).dataset
    spec = TrainingSpec(backend="rehearsal")
    job = jobs.propose(rows, spec, person=ADA, now=shelf.world.now, place=Place("C0ASK", ""))
    shelf.world.deliver()
    card = shelf.slack.wait_message("Approve and start", user=BEN)
    for button in ("Approve and start", "Cancel"):
        shelf.slack.click(card, button, user=BEN)
    shelf.slack.wait_message(NOT_THEIRS, user=BEN)
    assert jobs.ledger.get(job.id).state == job.state


def test_no_language_model_hears_strangers(shelf: Shelf) -> None:
    """Neither their questions nor their use cases go to the endpoint that the team pays for."""

    class Never:
        name = "never"

        def complete(self, *_: Any, **__: Any) -> str:
            raise AssertionError("the model was asked")

        stream = complete

    shelf.world.deps = replace(shelf.world.deps, model=Never(), reader_of=Never().complete)  # type: ignore[arg-type]
    serve(shelf.world)
    asked = shelf.slack.send(f"<@U0LUTHIER> {ASK_GUIDE}", user=BEN)
    shelf.slack.wait_message(IN_GUIDE, thread_ts=asked["ts"], user=BEN)
    case = "<@U0LUTHIER> Should we fine-tune? We sort tickets into five queues and have 800 labelled ones."
    asked = shelf.slack.send(case, user=BEN)
    shelf.slack.wait_message("Fine-tun", thread_ts=asked["ts"], user=BEN)


def envelope(kind: str, *, team: str = "T1", shared: bool = True, **event: str) -> dict[str, Any]:
    """An event as Slack wraps it: `team` outside is where it comes from, the authorization says where we are."""
    inner = {"type": kind, "user": "U5", "channel": "C5", **({"team": team} if kind == "message" else {}), **event}
    ours = {"enterprise_id": None, "team_id": "T1", "user_id": "U1", "is_bot": True}
    return {
        "type": "event_callback", "team_id": team, "event": inner, "authorizations": [ours],
        "is_ext_shared_channel": shared,
    }  # fmt: skip


def click(team: str) -> dict[str, Any]:
    """A click; `team` is the workspace of whoever clicked."""
    user = {"id": "U5", **({"team_id": team} if team else {})}
    return {"type": "block_actions", "team": {"id": "T1"}, "user": user, "actions": [{"action_id": "source:1"}]}


SHAPES = [
    (envelope("app_mention", shared=False), True),
    (envelope("app_mention"), False),  # nothing says who it is
    (envelope("app_mention") | {"event": {"type": "app_mention", "user": "U5", "team": "T1"}}, True),
    (envelope("message"), True),
    (envelope("app_mention", user_team="T9"), False),
    (envelope("app_mention", team="T9", user_team="T1"), True),  # the other company's channel, our own person
    (envelope("app_mention", user_team="E9"), False),
    (envelope("message", team="T9"), False),
    (envelope("message", shared=False, user_team="T9"), False),
    (click("T1"), True),
    (click("T9"), False),
    (click(""), True),
    ({"command": "/tune", "team_id": "T1", "user_id": "U5"}, True),
]


@pytest.mark.parametrize(("body", "ours"), SHAPES)
def test_payloads_tell_who_is_of_another_company(body: dict[str, Any], ours: bool) -> None:
    """As Slack sends them, by the examples in Bolt's own tests; in a shared channel the unknown are strangers."""
    assert is_stranger(looked_at(body)) is not ours


def test_people_of_one_organisation_are_no_strangers() -> None:
    """Other workspaces of our organisation count as ours, those of another one do not."""
    for team, ours in (("E1", True), ("E9", False)):
        assert is_stranger(looked_at(envelope("app_mention", user_team=team), "E1")) is not ours
    elsewhere = envelope("message", shared=False, user_team="T7")
    assert not is_stranger(looked_at(elsewhere, "E1"))


def test_a_command_of_a_stranger_is_stopped_before_any_listener() -> None:
    """With one token every workspace's commands come through; only ours go on."""
    with pytest.raises(UserError, match="workspace that installed me"):
        looked_at({"command": "/tune", "team_id": "T9", "user_id": "U5"})


def looked_at(body: dict[str, Any], enterprise: str | None = None) -> BoltContext:
    """Let the look at a request happen as Bolt does."""
    context = build_context(BoltContext({}), body)
    context["authorize_result"] = AuthorizeResult(enterprise_id=enterprise, team_id="T1", bot_token="xoxb-1")
    look(body, context, lambda: None)
    return context
