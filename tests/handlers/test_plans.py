"""An evaluation plan as people meet it: drafted rows are reviewed and frozen once, and a training is judged by it."""

import json
import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import text

from bot.wiring import more_rows
from handlers.review import begin_review
from knowledge.tenancy import Person
from tests.console import find_element, wait_for
from tests.handlers.samples import REVIEW_DRAFTS
from tests.handlers.test_review import again, card_in, look, old_click
from tests.handlers.test_training import form, job_in
from tests.handlers.world import ADA, World, serve
from trainers.data import review_finish
from trainers.data.examples import EXAMPLES
from trainers.data.review_rows import turns_of
from trainers.evals.plan import make_plan
from trainers.evals.plan_store import Plans, StoredPlan
from trainers.evals.planned import MOMENT, may_draft
from trainers.jobs.service import Place
from trainers.tables import Job

Json = dict[str, Any]
TASK = "Sort support tickets into billing, returns, shipping, other"
FROZEN = "Frozen: the plan"


@pytest.fixture
def drafting(world: World) -> World:
    """A world whose reviews draft further rows as a started Luthier does that has no language model."""
    world.deps = replace(world.deps, more_rows=more_rows(world.engine, None))
    serve(world)
    return world


def drafted(world: World, channel: str = "C0ASK", answered_in: str = "C0ASK") -> Json:
    """Plan the task and let its test rows be drafted; gives the review's card."""
    world.slack.command(f"/tune eval-plan {TASK}", channel=channel)
    plan = world.slack.wait_message("Draft test rows", channel=channel)
    world.slack.click(plan, "Draft test rows")
    root = world.slack.wait_message("drafts test rows for", channel=answered_in)
    return world.slack.wait_message("Add my own", channel=answered_in, thread_ts=root["ts"])


def reviewed(world: World, title: str, task: str = TASK) -> Json:
    """Begin a review of two drafts for the plan, and keep them."""
    root = world.slack.send("Please draft a test")
    client = WebClient(world.slack.bot_token, base_url=f"{world.slack.url}/api/")
    spec, place = {"plan": make_plan(task).to_json()}, Place("C0ASK", root["ts"])
    begin_review(client, world.deps, ADA, place, REVIEW_DRAFTS[:2], purpose="test", title=title, spec=spec)
    card = card_in(world, root["ts"], "Add my own")
    world.slack.click(card, "Keep the rest")
    return again(world, card, "2 kept")


def until(world: World, card: Json, fits: Any) -> Json:
    """Wait until the same card is drawn so."""
    at = {"channel": card["channel"], "thread_ts": card["thread_ts"]}
    return world.slack.wait_message(lambda m: m["ts"] == card["ts"] and fits(json.dumps(m, ensure_ascii=False)), **at)


def finish(world: World, card: Json, user: str = "U0ADA") -> None:
    """Finish with as few rows as there are, knowing what that means."""
    world.slack.click(card, "Finish → JSONL", user=user)
    world.slack.click(warned(world, card, user), "Freeze anyway", user=user)


def warned(world: World, card: Json, user: str = "U0ADA") -> Json:
    """Wait for the word that there are too few rows; only who clicked sees it."""
    at = {"channel": card["channel"], "thread_ts": card["thread_ts"]}
    return world.slack.wait_message("Freeze anyway", user=user, **at)


def all_warned(world: World, card: Json) -> list[tuple[Json, str]]:
    """Each such word, with who sees it."""
    users = ("U0ADA", "U0BEN")
    seen = [(m, user) for user in users for m in world.slack.messages(card["channel"], card["thread_ts"], user=user)]
    return [(message, user) for message, user in seen if "Freeze anyway" in json.dumps(message)]


def frozen_words(world: World, card: Json) -> list[str]:
    said = world.slack.messages(card["channel"], card["thread_ts"])
    return [message["text"] for message in said if FROZEN in message["text"]]


def test_a_plan_becomes_frozen_rows_once(world: World) -> None:
    """Twenty drafts, edited, dropped, kept: two files and one sentence on what is frozen, however many click Finish."""
    card = drafted(world)
    assert "Row 1 of 20" in json.dumps(card)
    world.slack.click(card, "Edit")
    edit = world.slack.wait_view(title="Edit row 1")
    world.slack.submit(edit, {"turn1": "The invoice names my old address", "turn2": "billing"})
    card = again(world, card, "The invoice names my old address")
    world.slack.click(card, "▶")
    card = again(world, card, "Row 2 of 20")
    world.slack.click(card, "Drop")
    card = again(world, card, "1 dropped")
    world.slack.click(card, "Keep the rest")
    card = until(world, card, lambda drawn: "Keep the rest" not in drawn)
    for user in ("U0ADA", "U0BEN", "U0ADA"):
        world.slack.click(card, "Finish → JSONL", user=user)
    told = wait_for(
        lambda: len(said := all_warned(world, card)) == 3 and said, what="three words that rows are too few"
    )
    press = lambda word, user: world.slack.click(word, "Freeze anyway", user=user)  # noqa: E731
    clicks = [threading.Thread(target=press, args=each) for each in told]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    again(world, card, "Files in this thread")
    (said,) = wait_for(lambda: frozen_words(world, card), what="what was frozen")
    (stored,) = world.deps.plans.listing(ADA.workspace_id)
    assert stored.frozen
    assert stored.name in said
    assert stored.plan.test_sha256[:12] in said
    assert "test rows can never pass" in said
    files = [f["name"] for m in world.slack.messages("C0ASK", card["thread_ts"]) for f in m.get("files", [])]
    assert sorted(name.rpartition("-test")[2] for name in files) == ["-review.md", ".jsonl"]


def test_an_answer_outside_the_labels_is_refused_in_the_form(world: World) -> None:
    """A slip in an edited or added answer is told under its field with the labels: after Finish it cannot be mended."""
    card = reviewed(world, "tickets")
    world.slack.click(card, "Edit")
    edit = world.slack.wait_view(title="Edit row 1")
    refused = json.dumps(world.slack.submit(edit, {"turn2": "biling"}))
    assert '"turn2": "The plan has no such label' in refused
    assert "billing, returns, shipping, other" in refused
    assert "biling" not in look(world, card).rows[0].messages
    world.slack.submit(edit, {"turn2": "Billing."})
    wait_for(lambda: "Billing." in look(world, card).rows[0].messages, what="a label in another spelling")
    world.slack.click(card, "Add my own")
    add = world.slack.wait_view(title="Add a row")
    assert "no such label" in json.dumps(world.slack.submit(add, {"turn1": "Where is it?", "turn2": "shiping"}))
    assert len(look(world, card).rows) == 2


def test_another_like_this_drafts_one_more_of_its_kind(drafting: World) -> None:
    """One row more, of the same kind, undecided, that asks what no other row asks."""
    card = drafted(drafting)
    drafting.slack.click(card, "Another like this")
    again(drafting, card, "Row 21 of 21")
    rows = look(drafting, card).rows
    assert (rows[20].kind, rows[20].status) == (rows[0].kind, "draft")
    assert turns_of(rows[20])[-2].content not in [turns_of(row)[-2].content for row in rows[:20]]


def test_a_kind_of_which_nothing_more_is_drafted_is_said_so(drafting: World) -> None:
    """For a row of a kind that only people know, whoever clicks is told to write one."""
    root = drafting.slack.send("Please draft a test")
    client = WebClient(drafting.slack.bot_token, base_url=f"{drafting.slack.url}/api/")
    spec, place = {"plan": make_plan(TASK).to_json()}, Place("C0ASK", root["ts"])
    odd = [REVIEW_DRAFTS[0] | {"kind": "angry"}]
    begin_review(client, drafting.deps, ADA, place, odd, purpose="test", title="odd", spec=spec)
    drafting.slack.click(card_in(drafting, root["ts"], "Add my own"), "Another like this")
    drafting.slack.wait_message("no further row of the kind 'angry'", thread_ts=root["ts"])


def test_where_the_bot_may_not_write_the_review_is_in_direct_messages(world: World) -> None:
    """Asked for in a private channel that Luthier is not in, the rows come to the DM, and so do the files."""
    quiet = world.slack.act("create_channel", user="U0ADA", name="quiet", private=True)["channel"]["id"]
    card = drafted(world, channel=quiet, answered_in="D0ADA")
    world.slack.click(card, "Keep the rest")
    card = until(world, card, lambda drawn: "Keep the rest" not in drawn)
    finish(world, card)
    until(world, card, lambda drawn: "Files in this thread" in drawn)
    assert wait_for(lambda: frozen_words(world, card), what="what was frozen")
    assert "drafts test rows for" not in json.dumps(world.slack.messages(quiet))


def test_a_plan_that_lacks_what_drafting_needs_has_no_button(world: World) -> None:
    """Without labels there is nothing to draft; the plan says what it assumed."""
    world.slack.command("/tune eval-plan Classify our tickets")
    plan = world.slack.wait_message("I assumed")
    with pytest.raises(AssertionError, match="No element"):
        find_element(plan, "Draft test rows")


@pytest.mark.parametrize(
    "title", ["a" * 59 + " tickets", "sort  tickets\ninto\xa0queues"], ids=["a space where it is cut", "odd spaces"]
)
def test_a_name_with_odd_spaces_is_frozen_once(world: World, title: str) -> None:
    """The plan is found again by the name that it is kept under: a late Finish is no error and freezes nothing more."""
    card = reviewed(world, title)
    finish(world, card)
    wait_for(lambda: frozen_words(world, card), what="what was frozen")
    old_click(world, card, "Finish → JSONL", "U0BEN")
    world.slack.wait_message("finished this review", thread_ts=card["thread_ts"], user="U0BEN")
    assert len(world.deps.plans.listing(ADA.workspace_id)) == 1
    assert len(frozen_words(world, card)) == 1


def test_who_finishes_a_review_that_a_dead_process_left_is_told_what_was_frozen(world: World) -> None:
    """A process that died between the end of the review and its files: the next Finish posts them and says the rest."""
    card = reviewed(world, "tickets")
    review_finish.finish(world.deps.reviews, ADA, look(world, card).review.id, world.now)
    world.slack.click(card, "Finish → JSONL", user="U0BEN")
    again(world, card, "Files in this thread")
    assert len(wait_for(lambda: frozen_words(world, card), what="what was frozen")) == 1


def test_a_double_click_drafts_once(world: World) -> None:
    """Two clicks of one person begin one review, and the second is told so; a minute later it is a new wish."""
    world.slack.command(f"/tune eval-plan {TASK}")
    plan = world.slack.wait_message("Draft test rows")
    clicks = [threading.Thread(target=world.slack.click, args=(plan, "Draft test rows")) for _ in range(2)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    world.slack.wait_message("began a moment ago")
    begun = lambda: [m for m in world.slack.messages() if "drafts test rows for" in m["text"]]  # noqa: E731
    (root,) = wait_for(begun, what="the thread")
    world.slack.wait_message("Add my own", thread_ts=root["ts"])
    world.now += timedelta(minutes=2)
    world.slack.click(plan, "Draft test rows")
    wait_for(lambda: len(begun()) == 2, what="the second review")


def test_the_same_click_after_a_crash_drafts(world: World) -> None:
    """A click that is carried out again because its process died is no second click; another person's is its own."""
    card, ben = "plan 1", Person(workspace_id=ADA.workspace_id, user_id="U0BEN")
    assert [may_draft(world.engine, ADA, card, click, world.now) for click in ("1", "1", "2")] == [True, True, False]
    assert may_draft(world.engine, ben, card, "3", world.now)
    assert may_draft(world.engine, ADA, "plan 2", "4", world.now)
    assert may_draft(world.engine, ADA, card, "5", world.now + MOMENT)


def test_a_review_whose_card_could_not_be_posted_is_discarded(world: World) -> None:
    """Nobody could decide or finish there, so it does not stay open."""
    client = WebClient(world.slack.bot_token, base_url=f"{world.slack.url}/api/")
    with pytest.raises(SlackApiError):
        begin_review(client, world.deps, ADA, Place("C0NONE"), REVIEW_DRAFTS, purpose="test", title="t", spec={})
    with world.engine.connect() as connection:
        assert connection.execute(text("select state, card_ts from review")).all() == [("discarded", "")]


def test_rows_that_do_not_fit_their_plan_are_mended_before_the_review_ends(world: World) -> None:
    """A kept answer outside the labels: Finish names the row, the card shows it with Edit, and then it is frozen."""
    card = reviewed(world, "tickets", "Sort support tickets into billing, returns")
    finish(world, card)
    said = world.slack.wait_message("answer that the plan does not know", thread_ts=card["thread_ts"])["text"]
    assert said.startswith("Row 2 has an answer")
    assert "one of: billing, returns" in said
    card = again(world, card, "Row 2 of 2")
    assert look(world, card).review.state == "open"
    assert world.deps.plans.listing(ADA.workspace_id) == []
    world.slack.click(card, "Edit")
    world.slack.submit(world.slack.wait_view(title="Edit row 2"), {"turn2": "billing"})
    wait_for(lambda: "billing" in look(world, card).rows[1].messages, what="the mended row")
    finish(world, card)
    assert len(wait_for(lambda: frozen_words(world, card), what="what was frozen")) == 1


def test_rows_that_another_plan_has_are_posted_and_not_frozen(world: World) -> None:
    """The same rows, reviewed for a second plan: the files come all the same, once, with why nothing was frozen."""
    finish(world, reviewed(world, "first"))
    wait_for(lambda: world.deps.plans.listing(ADA.workspace_id), what="the first plan")
    card = reviewed(world, "second")
    finish(world, card)
    again(world, card, "Files in this thread")
    said = world.slack.wait_message("no plan was frozen", thread_ts=card["thread_ts"])["text"]
    assert "were frozen on 22 Nov 2026 with the plan 'first" in said
    old_click(world, card, "Finish → JSONL", "U0BEN")
    world.slack.wait_message("finished this review", thread_ts=card["thread_ts"], user="U0BEN")
    told = [m for m in world.slack.messages("C0ASK", card["thread_ts"]) if "no plan was frozen" in m["text"]]
    assert len(told) == 1
    assert sorted(plan.frozen for plan in world.deps.plans.listing(ADA.workspace_id)) == [False, True]


# Too few rows


def test_too_few_rows_are_told_before_anything_is_frozen(world: World) -> None:
    """Finish with two rows says to whoever clicked that they never pass; nothing is over, and more can be drafted."""
    card = reviewed(world, "tickets")
    world.slack.click(card, "Finish → JSONL")
    told = warned(world, card)
    assert "2 rows are kept, and a model can never pass with fewer than 20" in json.dumps(told)
    assert "Freeze anyway" not in json.dumps(world.slack.messages("C0ASK", card["thread_ts"], user="U0BEN"))
    assert look(world, card).review.state == "open"
    assert world.deps.plans.listing(ADA.workspace_id) == []
    world.slack.click(told, "Draft 18 more rows")
    again(world, card, "Row 3 of ")
    rows = look(world, card).rows
    assert 12 <= len(rows) <= 20
    assert {row.status for row in rows[2:]} == {"draft"}
    wait_for(
        lambda: "Freeze anyway" not in json.dumps(world.slack.messages("C0ASK", card["thread_ts"])),
        what="a clean thread",
    )


def test_enough_rows_finish_at_once(world: World) -> None:
    """With twenty kept rows there is no question; the notice says which gain they show and what one label outweighs."""
    root = world.slack.send("Please draft a test")
    client = WebClient(world.slack.bot_token, base_url=f"{world.slack.url}/api/")
    turns = [[{"role": "user", "content": f"case {n}"}, {"role": "assistant", "content": "billing"}] for n in range(20)]
    drafts = [{"messages": each, "kind": "easy", "why": "", "provenance": ""} for each in turns]
    spec, place = {"plan": make_plan(TASK).to_json()}, Place("C0ASK", root["ts"])
    begin_review(client, world.deps, ADA, place, drafts, purpose="test", title="tickets", spec=spec)
    card = card_in(world, root["ts"], "Add my own")
    world.slack.click(card, "Keep the rest")
    card = again(world, card, "20 kept")
    world.slack.click(card, "Finish → JSONL")
    again(world, card, "Files in this thread")
    (said,) = wait_for(lambda: frozen_words(world, card), what="what was frozen")
    assert "20 test rows of 400 planned show a gain of" in said
    assert "100% of the test rows are “billing”" in said


# Changed on its card


def planned(world: World, task: str = TASK) -> Json:
    world.slack.command(f"/tune eval-plan {task}")
    return world.slack.wait_message("Draft test rows")


def redrawn(world: World, card: Json, words: str) -> Json:
    fits = lambda m: m["ts"] == card["ts"] and words in json.dumps(m, ensure_ascii=False)  # noqa: E731
    return world.slack.wait_message(fits)


def test_a_plan_is_changed_on_its_card(world: World) -> None:
    """The form holds what the plan says; what is entered is in the same message, and in what is drafted from it."""
    card = planned(world, f"{TASK}, at least 80% right")
    world.slack.click(card, "Change")
    form = world.slack.wait_view(title="Change the plan")
    assert find_element(form, "target")[1]["initial_value"] == "80"
    entered = {"target": "90", "effect": "10", "labels": "billing, returns, shipping", "have": "30"}
    world.slack.submit(form, entered)
    card = redrawn(world, card, "At least 90.0% right")
    assert "3 labels: billing, returns, shipping" in json.dumps(card)
    assert len([m for m in world.slack.messages() if "Draft test rows" in json.dumps(m)]) == 1
    world.slack.click(card, "Change")
    again_form = world.slack.wait_view(title="Change the plan")
    assert find_element(again_form, "effect")[1]["initial_value"] == "10"
    world.slack.submit(again_form, {"target": ""})
    card = redrawn(world, card, "No absolute target")
    world.slack.click(card, "Draft test rows")
    root = world.slack.wait_message("drafts test rows for")
    review = look(world, world.slack.wait_message("Add my own", thread_ts=root["ts"])).review
    plan = json.loads(review.spec)["plan"]
    assert (plan["target"], plan["useful_effect"], plan["rows_had"]) == (None, "0.1", 30)
    assert plan["labels"] == ["billing", "returns", "shipping"]
    assert world.deps.plans.listing(ADA.workspace_id) == []


def test_a_mistake_in_the_form_is_told_at_its_field(world: World) -> None:
    """The form stays open with words under the field, and the card stays as it is."""
    card = planned(world)
    world.slack.click(card, "Change")
    form = world.slack.wait_view(title="Change the plan")
    refused = world.slack.submit(form, {"target": "0.9", "gain": "20"})
    assert refused["response_action"] == "errors"
    assert set(refused["errors"]) == {"target", "loss"}
    assert "Write 90" in refused["errors"]["target"]
    assert redrawn(world, card, "No absolute target")["blocks"] == card["blocks"]


def test_a_changed_plan_that_is_gone_is_told(world: World) -> None:
    """A button of another workspace's plan, or of one that was cleaned up, says to plan again."""
    card = planned(world)
    world.slack.click(card, "Change")
    world.slack.submit(world.slack.wait_view(title="Change the plan"), {"target": "90"})
    card = redrawn(world, card, "At least 90.0% right")
    with world.engine.begin() as connection:
        connection.execute(text("update eval_plan set workspace_id = 'T0ELSEWHERE'"))
    world.slack.click(card, "Draft test rows")
    world.slack.wait_message("Plan again")


# Talk in the thread


def test_rows_written_in_the_thread_are_answered_and_not_taken(world: World) -> None:
    """Lines like `text => label` get one answer that says why not and what instead; other talk is left alone."""
    card = drafted(world)
    before = len(look(world, card).rows)
    at = card["thread_ts"]
    world.slack.send("Should row 3 not be returns?", thread_ts=at, user="U0BEN")
    world.slack.send("My parcel is wet => returns\nCharged twice -> billing", thread_ts=at)
    said = world.slack.wait_message("I take no rows from Slack messages", thread_ts=at)
    assert "Add my own" in said["text"]
    assert len(look(world, card).rows) == before
    answers = [m for m in world.slack.messages("C0ASK", at, user="U0BEN") if m.get("bot_id")]
    assert [m["text"] for m in answers[2:]] == [said["text"]]
    with world.engine.connect() as connection:
        assert "wet" not in json.dumps(
            [list(row) for row in connection.execute(text("select messages from review_row"))]
        )


def test_titles_end_behind_a_word(world: World) -> None:
    """A long task is cut between words, in the title of its review and in the names made of it."""
    task = (
        "Sort the support tickets of our shop for lamps, lampshades and bulbs into billing, returns, shipping, "
        "workshop, wholesale, other"
    )
    world.slack.command(f"/tune eval-plan {task}")
    world.slack.click(world.slack.wait_message("Draft test rows"), "Draft test rows")
    root = world.slack.wait_message("drafts test rows for")
    review = look(world, world.slack.wait_message("Add my own", thread_ts=root["ts"])).review
    assert review.title == task.removesuffix(", wholesale, other") + "…"
    assert json.loads(review.spec)["name"] == "Sort the support tickets of our shop for lamps, lampshades…"


# Trained by a plan


def plan_with_target(world: World, tmp_path: Path, plans: Plans | None = None) -> StoredPlan:
    """Freeze a plan that asks for another metric and a target, with rows of its own."""
    rows = tmp_path / "frozen.jsonl"
    plans = plans or world.deps.plans
    rows.write_text("".join(json.dumps({"messages": draft["messages"]}) + "\n" for draft in REVIEW_DRAFTS[:3]))
    plan = make_plan(TASK, target=Decimal("0.9"), useful_effect=Decimal("0.1"))
    plans.save(plan, name="tickets <!here>", person=ADA, now=world.now)
    return plans.freeze(ADA.workspace_id, "tickets <!here>", rows, world.now)


def rule(job: Job) -> Json:
    made: Json = json.loads(job.quote)["rule"]
    return made


def test_the_form_offers_frozen_plans_only(world: World, tmp_path: Path) -> None:
    """No plan, no field; a draft of a plan is not offered; a frozen one is, with metric and rows."""
    assert "Evaluation plan" not in json.dumps(form(world))
    world.deps.plans.save(make_plan(TASK), name="not yet", person=ADA, now=world.now)
    stored = plan_with_target(world, tmp_path)
    world.slack.command("/tune train")
    shown = wait_for(
        lambda: next((v for v in world.slack.views() if "Evaluation plan" in json.dumps(v)), None), what="the field"
    )
    (only,) = find_element(shown, "plan")[1]["options"]
    assert only["value"] == stored.id
    assert only["description"]["text"].startswith("accuracy, ")


def test_a_training_by_a_plan_is_quoted_with_its_rule(world: World, tmp_path: Path) -> None:
    """The chosen plan's metric, effect, target and digest are in the rule that is approved, and the card names them."""
    stored = plan_with_target(world, tmp_path)
    world.slack.submit(form(world), {"plan": stored.id})
    made = rule(job_in(world, "quoted"))
    assert (made["plan"], made["metric"]) == (stored.digest, "accuracy")
    assert (Decimal(made["target"]), Decimal(made["useful_effect"])) == (Decimal("0.9"), Decimal("0.1"))
    world.deliver()
    root = world.slack.wait_message("wants to train")
    card = json.dumps(world.slack.wait_message("Quote #1", thread_ts=root["ts"]))
    assert "at least 10 points above the best-prompted base, and 90% or more" in card
    assert "Judged by plan tickets &lt;!here&gt; (frozen 22 Nov 2026, 3 rows)." in card


def test_a_plan_without_test_rows_brings_its_own(world: World, tmp_path: Path) -> None:
    """The file that was frozen may be gone: its rows were kept, and are the test."""
    stored = plan_with_target(world, tmp_path)
    frozen = (tmp_path / "frozen.jsonl").read_bytes()
    (tmp_path / "frozen.jsonl").unlink()
    world.slack.submit(form(world), {"plan": stored.id})
    job = job_in(world, "quoted")
    dataset = world.deps.datasets.get(job.dataset_id)
    assert (world.deps.datasets.folder / dataset.test_path).read_bytes() == frozen
    assert json.loads(job.quote)["plan"]["on_frozen_rows"]


def test_other_test_rows_than_the_frozen_ones_are_said_before_approval(world: World, tmp_path: Path) -> None:
    """Uploaded test rows are taken; the card says that they are not the frozen ones, and how to get to these."""
    stored = plan_with_target(world, tmp_path)
    test = world.slack.upload("mine.jsonl", EXAMPLES["tickets"].test.read_bytes())
    world.slack.submit(form(world), {"plan": stored.id, "test_file": [test], "ours": ["yes"]})
    assert json.loads(job_in(world, "quoted").quote)["test_rows"] == 60
    world.deliver()
    root = world.slack.wait_message("wants to train")
    card = json.dumps(world.slack.wait_message("Quote #1", thread_ts=root["ts"]), ensure_ascii=False)
    assert "⚠️ Judged by plan tickets &lt;!here&gt;, but not on its frozen rows" in card
    assert "are not the 3 rows frozen on 22 Nov 2026" in card
    assert "ask again with this plan and without test rows" in card


def test_rows_of_the_plan_are_not_trained_on(world: World, tmp_path: Path) -> None:
    """An upload that holds a frozen row is explained by its line and by whose test rows it is; no job begins."""
    stored = plan_with_target(world, tmp_path)
    held = EXAMPLES["tickets"].train.read_bytes() + (tmp_path / "frozen.jsonl").read_bytes().splitlines()[0] + b"\n"
    train = world.slack.upload("mine.jsonl", held)
    world.slack.submit(form(world), {"plan": stored.id, "train_file": [train], "ours": ["yes"]})
    root = world.slack.wait_message("wants to train")
    said = world.slack.wait_message("othing was started", thread_ts=root["ts"])["text"]
    assert "tested on the rows frozen with plan tickets &lt;!here&gt; on 22 Nov 2026" in said
    assert "Line 121 is in the test file too" in said
    assert world.deps.jobs.ledger.listing(ADA.workspace_id) == []


def test_a_plan_whose_rows_were_never_kept_says_so(world: World, tmp_path: Path) -> None:
    """A plan of an older version has only their hash: the thread says so and what to give, and nothing is started."""
    stored = plan_with_target(world, tmp_path, Plans(engine=world.engine))
    world.slack.submit(form(world), {"plan": stored.id})
    root = world.slack.wait_message("wants to train")
    said = world.slack.wait_message("only their hash was kept", thread_ts=root["ts"])["text"]
    assert "Give the file that was frozen" in said
    assert world.deps.jobs.ledger.listing(ADA.workspace_id) == []


def test_a_training_without_a_choice_is_judged_by_default(world: World, tmp_path: Path) -> None:
    """A plan that nobody chose, frozen with other rows, changes no rule."""
    plan_with_target(world, tmp_path)
    world.slack.submit(form(world))
    assert (rule(job_in(world, "quoted"))["plan"], rule(job_in(world, "quoted"))["target"]) == ("", None)
