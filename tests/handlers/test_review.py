"""A review as people meet it: two who click and edit at once, a restart in the middle, one finish, two files."""

import dataclasses
import json
import threading
from typing import Any

import pytest
from slack_sdk import WebClient
from sqlalchemy import text

from bot.store.engine import open_engine
from handlers.review import begin_review
from knowledge.tenancy import Person
from tests.console import find_element, wait_for
from tests.handlers.samples import NASTY, REVIEW_DRAFTS
from tests.handlers.world import ADA, World, serve
from trainers.data.review import Look
from trainers.data.review_finish import finished
from trainers.data.review_rows import turns_of
from trainers.data.store import Datasets
from trainers.jobs.service import Place

Json = dict[str, Any]
BEN = Person(workspace_id=ADA.workspace_id, user_id="U0BEN")
SPEC = {"labels": ["returns", "billing", "shipping"]}


def begun(world: World, drafts: Any = REVIEW_DRAFTS, **more: Any) -> Json:
    """Begin a review in a thread; gives its card."""
    root = world.slack.send("Please draft a test")
    client = WebClient(world.slack.bot_token, base_url=f"{world.slack.url}/api/")
    told = {"purpose": "test", "title": "sort tickets into 3 queues", "spec": SPEC} | more
    begin_review(client, world.deps, ADA, Place("C0ASK", root["ts"]), drafts, **told)
    return card_in(world, root["ts"], "Add my own")


def card_in(world: World, thread_ts: str, words: str) -> Json:
    return world.slack.wait_message(words, thread_ts=thread_ts)


def again(world: World, card: Json, words: str) -> Json:
    """Wait until the same card says something."""
    return world.slack.wait_message(
        lambda m: m["ts"] == card["ts"] and words in json.dumps(m, ensure_ascii=False), thread_ts=card["thread_ts"]
    )


def look(world: World, card: Json) -> Look:
    value = next(e["value"] for b in card["blocks"] for e in b.get("elements", []) if "value" in e)
    return world.deps.reviews.look(ADA, value.partition(":")[0])


def old_click(world: World, card: Json, action: str, user: str) -> None:
    """Click as a page does that has not been told of the newest drawing."""
    block_id, element = find_element(card, action)
    body = {"type": "block_actions", "team": {"id": ADA.workspace_id}, "user": {"id": user}, "trigger_id": "1.1"}
    body |= {"channel": {"id": "C0ASK"}, "actions": [{**element, "block_id": block_id}]}
    body |= {"container": {"message_ts": card["ts"], "channel_id": "C0ASK", "thread_ts": card["thread_ts"]}}
    world.slack.http.post(world.hands.url, data={"payload": json.dumps(body)})


def whispers(world: World, card: Json, user: str) -> str:
    return json.dumps(world.slack.messages("C0ASK", card["thread_ts"], user=user), ensure_ascii=False)


def test_the_card_shows_one_row_and_follows_each_verb(world: World) -> None:
    """Keep goes on to the next row, the counts and the coverage follow, and nothing is posted twice."""
    card = begun(world)
    assert "Row 1 of 4" in json.dumps(card)
    world.slack.click(card, "Keep")
    card = again(world, card, "Row 2 of 4")
    assert "1 kept · 0 dropped · 3 left" in json.dumps(card, ensure_ascii=False)
    assert "easy 1/1" in json.dumps(card)
    world.slack.click(card, "Drop", user="U0BEN")
    card = again(world, card, "Row 3 of 4")
    world.slack.click(card, "◀")
    card = again(world, card, "Row 2 of 4")
    assert "dropped by <@U0BEN>" in json.dumps(card)
    world.slack.click(card, "Undo")
    assert "1 kept · 0 dropped · 3 left" in json.dumps(again(world, card, "3 left"), ensure_ascii=False)
    assert len(world.slack.messages("C0ASK", card["thread_ts"])) == 2


def test_a_row_is_edited_in_a_form(world: World) -> None:
    """The form has a field per turn and the answer; saving keeps the row, and turns that nobody touched stay as is."""
    card = begun(world)
    world.slack.click(card, "Edit")
    form = world.slack.wait_view(title="Edit row 1")
    world.slack.submit(form, {"turn1": "I was charged twice", "turn2": "billing", "kind": "edge", "why": "tests money"})
    again(world, card, "1 kept")
    row = look(world, card).rows[0]
    assert [turn.content for turn in turns_of(row)][1:] == ["I was charged twice", "billing"]
    assert (row.kind, row.why, row.status) == ("edge", "tests money", "kept")
    assert turns_of(row)[0].content == REVIEW_DRAFTS[0]["messages"][0]["content"]


def test_two_who_edit_one_row_lose_nothing(world: World) -> None:
    """Ada hears that Ben was first, sees both texts and her own still in the form; then she may save hers over it."""
    card = begun(world)
    for user in ("U0ADA", "U0BEN"):
        world.slack.click(card, "Edit", user=user)
    forms = {user: world.slack.wait_view(user, title="Edit row 1") for user in ("U0ADA", "U0BEN")}
    world.slack.submit(forms["U0BEN"], {"turn1": "Ben's words"}, user="U0BEN")
    again(world, card, "Ben's words")
    world.slack.submit(forms["U0ADA"], {"turn1": "Ada's words"})
    form = wait_for(
        lambda: next((v for v in world.slack.views() if "nothing was lost" in json.dumps(v)), None),
        5,
        what="both texts",
    )
    assert "Ben's words" in json.dumps(form)
    assert "Ada's words" in json.dumps(form)
    assert turns_of(look(world, card).rows[0])[1].content == "Ben's words"
    world.slack.submit(form)
    again(world, card, "Ada's words")
    history = world.deps.reviews.history(ADA, look(world, card).review.id, 1)
    assert [change.what for change in history] == ["drafted", "edited", "too late", "edited"]


def test_a_row_without_an_answer_is_not_kept(world: World) -> None:
    """Keep says kindly that the answer is missing; the form gives it."""
    card = begun(world, REVIEW_DRAFTS[3:])
    world.slack.click(card, "Keep")
    world.slack.wait_message("Say what the right answer is first", thread_ts=card["thread_ts"])
    assert "Say what the right answer is first" not in whispers(world, card, "U0BEN")
    world.slack.click(card, "Edit")
    world.slack.submit(world.slack.wait_view(title="Edit row 1"), {"turn2": "I cannot help with that."})
    again(world, card, "1 kept")


def test_an_emptied_answer_is_refused_in_the_form(world: World) -> None:
    """Save and keep with nothing or only spaces as the answer is told under its field, and the answer stays."""
    card = begun(world)
    before = look(world, card).rows[0]
    world.slack.click(card, "Edit")
    form = world.slack.wait_view(title="Edit row 1")
    assert '"turn2": ' in json.dumps(world.slack.submit(form, {"turn2": ""}))
    assert "Say what the right answer is" in json.dumps(world.slack.submit(form, {"turn2": "  "}))
    assert look(world, card).rows[0] == before
    world.slack.submit(form, {"turn2": "billing"})
    again(world, card, "1 kept")


def test_ones_own_row_is_added(world: World) -> None:
    """The form takes question and answer, refuses what asks nothing or the same, and the card shows the new row."""
    card = begun(world)
    world.slack.click(card, "Add my own", user="U0BEN")
    form = world.slack.wait_view("U0BEN", title="Add a row")
    refused = world.slack.submit(form, {"turn1": "  ", "turn2": "billing"}, user="U0BEN")
    assert "asks nothing" in json.dumps(refused)
    refused = world.slack.submit(
        form, {"turn1": turns_of(look(world, card).rows[0])[1].content, "turn2": "billing"}, user="U0BEN"
    )
    assert "Row 1 asks the same" in json.dumps(refused)
    world.slack.submit(form, {"turn1": "Where is my money?", "turn2": "billing"}, user="U0BEN")
    card = again(world, card, "Row 5 of 5")
    row = look(world, card).rows[4]
    assert (row.status, row.provenance) == ("kept", "written in Slack by U0BEN")
    assert turns_of(row)[0].role == "system"


def test_another_like_this_without_a_drafter_offers_the_words(world: World) -> None:
    """Where nothing drafts rows, the form has the row's words to change; with a drafter the row just comes."""
    card = begun(world)
    world.slack.click(card, "Another like this")
    form = world.slack.wait_view(title="Add a row")
    assert "words of row 1" in json.dumps(form)
    world.slack.submit(form, {"turn1": "A different lamp is broken"})
    card = again(world, card, "Row 5 of 5")
    turns = [{"role": "user", "content": "drafted by a model"}]
    more = {"messages": turns, "kind": "easy", "why": "", "provenance": "a model"}
    world.deps = dataclasses.replace(world.deps, more_rows=lambda *_: more)
    serve(world)
    world.slack.click(card, "Another like this")
    again(world, card, "Row 6 of 6")


def test_a_restart_in_the_middle_loses_nothing(world: World) -> None:
    """New processes on the same database go on with the card and with a form that was open before."""
    card = begun(world)
    world.slack.click(card, "Keep")
    card = again(world, card, "Row 2 of 4")
    world.slack.click(card, "Edit")
    form = world.slack.wait_view(title="Edit row 2")
    engine = open_engine(str(world.engine.url))
    world.deps = dataclasses.replace(world.deps, engine=engine, datasets=Datasets(engine, world.deps.datasets.folder))
    serve(world)
    world.slack.submit(form, {"turn1": "Written before the restart"})
    card = again(world, card, "Written before the restart")
    world.slack.click(card, "▶")
    again(world, card, "Row 3 of 4")
    assert [row.status for row in look(world, card).rows] == ["kept", "kept", "draft", "draft"]
    engine.dispose()


def test_finish_posts_the_files_once(world: World) -> None:
    """Four clicks at once finish once: one pair of files, a card without buttons that says who, when and how many."""
    card = begun(world)
    world.slack.click(card, "Keep the rest")
    card = again(world, card, "3 kept")
    clicks = [
        threading.Thread(target=world.slack.click, args=(card, "Finish → JSONL"), kwargs={"user": user})
        for user in ("U0ADA", "U0BEN") * 2
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    ended = again(world, card, "Files in this thread")
    assert "actions" not in {block["type"] for block in ended["blocks"]}
    assert "3 kept, 0 dropped, 1 left out" in json.dumps(ended)
    files = [f for m in world.slack.messages("C0ASK", card["thread_ts"]) for f in m.get("files", [])]
    names = "sort-tickets-into-3-queues-test"
    assert sorted(file["name"] for file in files) == [f"{names}-review.md", f"{names}.jsonl"]
    review = world.deps.reviews.look(ADA, look(world, card).review.id).review
    lines = finished(world.deps.reviews, review).rows.read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"messages": d["messages"]} for d in REVIEW_DRAFTS[:3]]


def test_a_click_on_an_old_card_hears_who_was_first(world: World) -> None:
    """Ben's Keep on a row that Ada has dropped meanwhile changes nothing; he alone hears why, and sees it as it is."""
    card = begun(world)
    world.slack.click(card, "Drop")
    again(world, card, "1 dropped")
    old_click(world, card, "Keep", "U0BEN")
    world.slack.wait_message("before your click", thread_ts=card["thread_ts"], user="U0BEN")
    assert "before your click" not in whispers(world, card, "U0ADA")
    old_click(world, card, "Drop", "U0ADA")
    old_click(world, card, "▶", "U0ADA")
    again(world, card, "Row 2 of 4")
    assert [row.status for row in look(world, card).rows] == ["dropped", "draft", "draft", "draft"]
    assert whispers(world, card, "U0ADA").count("is_ephemeral") == 0


def test_edits_after_the_end_are_refused_and_kept(world: World) -> None:
    """A form that is submitted after the finish stays open with its text, says so, and the text is in the history."""
    card = begun(world)
    world.slack.click(card, "Edit", user="U0BEN")
    form = world.slack.wait_view("U0BEN", title="Edit row 1")
    world.slack.click(card, "Keep")
    card = again(world, card, "1 kept")
    world.slack.click(card, "Finish → JSONL")
    again(world, card, "Finished by")
    refused = world.slack.submit(form, {"turn1": "Much too late"}, user="U0BEN")
    assert "ended meanwhile" in json.dumps(refused)
    review_id = look(world, card).review.id
    assert "Much too late" in world.deps.reviews.history(BEN, review_id, 1)[-1].messages


def test_training_rows_that_are_blocked_leave_the_card_open(world: World) -> None:
    """What the linter says reaches whoever clicked; the review goes on."""
    card = begun(world, REVIEW_DRAFTS, purpose="train")
    world.slack.click(card, "Keep the rest")
    card = again(world, card, "3 kept")
    assert "confirm" not in find_element(card, "Finish → JSONL")[1]  # no promise of a file before the refusal
    world.slack.click(card, "Finish → JSONL")
    told = "3 rows are kept, and a data set needs at least 10. Keep, draft or add 7 rows more, then Finish."
    world.slack.wait_message(told, thread_ts=card["thread_ts"])
    assert look(world, card).review.state == "open"


def test_rows_that_contradict_each_other_are_named_on_the_card(world: World) -> None:
    """Before Keep the rest takes them; once one is dropped the card says no more of it."""
    asks = "My parcel never arrived and I want my money back, what do I do now"
    drafts = [
        {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": label}], "kind": "typical"}
        for text, label in ((asks, "shipping"), (f"{asks} then", "billing"), ("Send it back?", "returns"))
    ]
    card = begun(world, drafts, purpose="train")
    assert "rows 1 and 2 (shipping, billing)" in json.dumps(card)
    world.slack.click(card, "Drop")
    card = again(world, card, "1 dropped")
    assert "rows 1 and 2" not in json.dumps(card)


def test_long_and_hostile_rows_fit(world: World) -> None:
    """A row of sixty long turns is cut on the card and shown whole in a modal; what a form cannot take stays as is."""
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"{n} {NASTY}" + "é" * 4000} for n in range(60)]
    card = begun(world, [{"messages": turns, "kind": NASTY[:70], "why": NASTY * 20, "provenance": ""}])
    world.slack.click(card, "See it all")
    world.slack.wait_view(title="Row 1 of 1")
    world.slack.click(card, "Edit")
    world.slack.submit(world.slack.wait_view(title="Edit row 1"), {"why": "shorter"})
    again(world, card, "shorter")
    row = look(world, card).rows[0]
    assert [turn.content for turn in turns_of(row)] == [turn["content"] for turn in turns]


@pytest.mark.parametrize("action", ["Keep", "Edit", "▶", "See it all", "Keep the rest", "Add my own"])
def test_another_workspace_may_not_touch_it(world: World, action: str) -> None:
    """A click that names a review of another workspace is refused, whatever it wants."""
    card = begun(world)
    with world.engine.begin() as connection:
        connection.execute(text("update review set workspace_id = 'T0ELSEWHERE'"))
    world.slack.click(card, action)
    world.slack.wait_message("no such review in this workspace", thread_ts=card["thread_ts"])
    with world.engine.begin() as connection:
        assert set(connection.execute(text("select status from review_row")).scalars()) == {"draft"}
