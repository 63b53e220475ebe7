"""From rows to an approved quote, a report and a tried model, over a real local Slack."""

import json
import re
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import delete

from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.console import wait_for
from tests.handlers import samples
from tests.handlers.world import ADA, World
from tests.trainers.data.test_pairs import as_trl
from trainers import quotes, registry
from trainers.data.examples import EXAMPLES
from trainers.jobs import outbox, service
from trainers.jobs.ledger import move
from trainers.jobs.messages import Announcement, EndedCard, HomeRefresh, ReportCard
from trainers.tables import Job, ModelVersion

Json = dict[str, Any]
BOT = "<@U0LUTHIER>"
TICKETS = EXAMPLES["tickets"].train.read_bytes()
TESTS = EXAMPLES["tickets"].test.read_bytes()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def quote_for(world: World, channel: str = "C0ASK") -> Json:
    """Go through the form with the shipped example; gives the quote's card."""
    world.slack.command("/tune train", channel=channel)
    world.slack.submit(world.slack.wait_view(title="Train a model"))
    root = world.slack.wait_message("wants to train", channel=channel)
    world.slack.wait_message("ready to train", channel=channel, thread_ts=root["ts"])
    job_in(world, "quoted")
    assert world.deliver()
    return world.slack.wait_message("Quote #1", channel=channel, thread_ts=root["ts"])


def job_in(world: World, state: str) -> Job:
    """Wait until the newest job is in this state."""
    ledger = world.deps.jobs.ledger
    return wait_for(lambda: next((j for j in ledger.listing(ADA.workspace_id) if j.state == state), None), what=state)


def form(world: World) -> Json:
    world.slack.command("/tune train")
    return world.slack.wait_view(title="Train a model")


def seen(world: World, card: Json, user: str = "U0ADA") -> str:
    shown = world.slack.messages(card["channel"], card["thread_ts"], user=user)
    return json.dumps(shown, ensure_ascii=False)


def test_the_shipped_example_gets_findings_and_a_quote_in_a_thread(world: World) -> None:
    """Choosing the example begins a thread with the findings, then the quote with two buttons."""
    card = quote_for(world)
    assert "Success is fixed now" in json.dumps(card)
    assert len(world.slack.messages("C0ASK", card["thread_ts"])) == 3


def test_the_form_works_in_direct_messages(world: World) -> None:
    """In direct messages the thread begins there."""
    assert quote_for(world, world.slack.dm_of())["channel"] == world.slack.dm_of()


def test_a_late_click_on_approve_hears_who_approved(world: World) -> None:
    """The first click queues the job and the card says who approved; a click on the old card is explained privately."""
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    job_in(world, "queued")
    world.slack.click(card, "Approve and start")
    world.slack.wait_message("approved this at", thread_ts=card["thread_ts"])
    assert "approved this at" not in seen(world, card, "U0BEN")
    world.deliver()
    edited = world.slack.wait_message("Approved by", thread_ts=card["thread_ts"])
    assert "Approve and start" not in json.dumps(edited)
    assert edited["ts"] == card["ts"]


def test_two_clicks_at_once_queue_one_job(world: World) -> None:
    """Identical clicks at the same moment approve once; nothing breaks."""
    card = quote_for(world)
    clicks = [threading.Thread(target=world.slack.click, args=(card, "Approve and start")) for _ in range(4)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    world.slack.wait_message("approved this at", thread_ts=card["thread_ts"])
    assert len(world.deps.jobs.ledger.listing(ADA.workspace_id)) == 1
    assert "broke" not in seen(world, card)


def test_somebody_else_may_not_approve(world: World) -> None:
    """Another person's click is refused, visible to them only, and says who may."""
    card = quote_for(world)
    world.slack.click(card, "Approve and start", user="U0BEN")
    world.slack.wait_message("may approve it", thread_ts=card["thread_ts"], user="U0BEN")
    assert "may approve it" not in seen(world, card)
    assert job_in(world, "quoted")


def test_a_job_that_costs_money_is_asked_for_and_approved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada asks, Ben hears of it and approves; each sees only the buttons that are theirs."""
    operator = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")
    rules = {"approvers": "U0BEN", "workspace_cap": "100"}
    world.deps.workspaces.change(ADA.workspace_id, rules, operator, world.now)
    monkeypatch.setattr(service, "quote", lambda *a, **m: replace(quotes.quote(*a, **m), training_cost=Decimal(12)))
    card = quote_for(world)
    world.slack.click(card, "Ask for approval")
    job_in(world, "awaiting_approval")
    world.deliver()
    world.slack.wait_message("asks for your approval", thread_ts=card["thread_ts"])
    waiting = world.slack.wait_message("Waiting for one approval", thread_ts=card["thread_ts"])
    approve = next(e for block in waiting["blocks"] for e in block.get("elements", []) if "Approve" in json.dumps(e))
    assert approve["visible_to_user_ids"] == ["U0BEN"]
    home = wait_for(lambda: world.slack.home("U0BEN"), what="Ben's Home")
    assert "asked for by <@U0ADA>" in json.dumps(home)
    world.deps.workspaces.change(ADA.workspace_id, {"approvers": "U0CHI,U0BEN"}, operator, world.now)
    world.slack.click(waiting, "Approve and start", user="U0BEN")
    job_in(world, "queued")
    world.deliver()
    world.slack.wait_message("Approved by <@U0BEN>", thread_ts=card["thread_ts"])


def test_whoever_may_not_approve_is_told_whom_to_ask(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An approver who was taken off the list clicks an old card and is told privately who may."""
    operator = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")
    world.deps.workspaces.change(ADA.workspace_id, {"approvers": "U0BEN", "workspace_cap": "100"}, operator, world.now)
    monkeypatch.setattr(service, "quote", lambda *a, **m: replace(quotes.quote(*a, **m), training_cost=Decimal(12)))
    card = quote_for(world)
    world.deps.workspaces.change(ADA.workspace_id, {"approvers": "U0CHI"}, operator, world.now)
    world.slack.click(card, "Approve and start", user="U0BEN")
    told = world.slack.wait_message("approver list for jobs of $12", thread_ts=card["thread_ts"], user="U0BEN")
    assert "Ask <@U0CHI>." in told["text"]
    assert "approver list" not in seen(world, card)


def test_cancel_and_stop_close_the_cards(world: World) -> None:
    """A queued job that is stopped from its progress message never runs, and both cards say so."""
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    job_in(world, "queued")
    world.deliver()
    progress = world.slack.wait_message("next in line", thread_ts=card["thread_ts"])
    world.slack.click(progress, "Stop")
    job_in(world, "cancelled")
    world.deliver()
    world.slack.wait_message("Stopped before it started", thread_ts=card["thread_ts"])
    assert '"Stop"' not in seen(world, card)


@pytest.mark.parametrize(
    ("values", "field", "expected"),
    [
        ({"train_file": TICKETS}, "ours", "Tick this"),
        ({"train_file": b"", "ours": ["yes"]}, "train_file", "empty"),
        ({"train_file": b"x" * 1_000_001, "ours": ["yes"]}, "train_file", "I take up to 1 MB"),
        ({"test_file": TESTS, "ours": ["yes"], "rows": None}, "train_file", "test rows alone"),
        ({"test_file": TESTS}, "ours", "Tick this"),
        ({"test_file": b"", "ours": ["yes"]}, "test_file", "empty"),
    ],
)
def test_a_form_that_cannot_work_says_so_at_the_field(world: World, values: Json, field: str, expected: str) -> None:
    """What can be told without reading the file is said at its field; the form stays open and nothing is posted."""
    uploads = {name: value for name, value in values.items() if name.endswith("_file")}
    files = {name: [world.slack.upload("rows.jsonl", value)] for name, value in uploads.items()}
    answer = world.slack.submit(form(world), {**values, **files})
    assert expected in answer["errors"][field]
    assert world.slack.messages("C0ASK") == []


def test_an_upload_with_tick_gets_a_quote_and_its_provenance_is_kept(world: World) -> None:
    """Uploaded rows become a data set under the given name, with who ticked what."""
    train, test = world.slack.upload("t.jsonl", TICKETS), world.slack.upload("test.jsonl", TESTS)
    world.slack.submit(form(world), {"train_file": [train], "test_file": [test], "ours": ["yes"], "name": "queues"})
    job_in(world, "quoted")
    (dataset,) = world.deps.datasets.listing(ADA.workspace_id)
    assert dataset.name == "queues"
    assert "U0ADA" in dataset.provenance
    assert "ours to use" in dataset.provenance
    assert list((world.deps.datasets.folder / "incoming").iterdir()) == []


def test_pairs_are_quoted_by_preferences(world: World) -> None:
    """An upload of preference pairs leads to a quote that says how it trains and what is measured."""
    pairs = "".join(json.dumps(as_trl(number)) + "\n" for number in range(60)).encode()
    world.slack.submit(form(world), {"train_file": [world.slack.upload("pairs.jsonl", pairs)], "ours": ["yes"]})
    job_in(world, "quoted")
    world.deliver()
    root = world.slack.wait_message("wants to train")
    card = json.dumps(world.slack.wait_message("Quote #1", thread_ts=root["ts"]), ensure_ascii=False)
    assert "by preferences (DPO), LoRA rank 16, beta 0.1" in card
    assert "points above the base" in card
    assert world.deps.datasets.listing(ADA.workspace_id)[0].pairs


def test_test_rows_are_taken_beside_the_shipped_example(world: World) -> None:
    """The chosen rows are trained on and the uploaded ones are the test: a version of its own, with whose they are."""
    other = b"".join(TESTS.splitlines(keepends=True)[:30])
    test = world.slack.upload("mine.jsonl", other)
    world.slack.submit(form(world), {"test_file": [test], "ours": ["yes"]})
    quote = json.loads(job_in(world, "quoted").quote)
    assert (quote["train_rows"], quote["test_rows"], quote["plan"]) == (120, 30, None)
    (dataset,) = world.deps.datasets.listing(ADA.workspace_id)
    assert (world.deps.datasets.folder / dataset.test_path).read_bytes() == other
    assert "uploaded in Slack by U0ADA" in dataset.provenance


def test_test_rows_beside_a_data_set_make_its_next_version(world: World) -> None:
    """A data set that is chosen keeps its rows and its version; with other test rows it is the next one."""
    first = world.deps.datasets.example("tickets", ADA, world.now).dataset
    test = world.slack.upload("mine.jsonl", b"".join(TESTS.splitlines(keepends=True)[:30]))
    world.slack.submit(form(world), {"rows": f"dataset:{first.id}", "test_file": [test], "ours": ["yes"]})
    job_in(world, "quoted")
    after = {(one.name, one.version, one.test_rows) for one in world.deps.datasets.listing(ADA.workspace_id)}
    assert after == {("tickets", 1, 60), ("tickets", 2, 30)}


def test_test_rows_that_are_trained_on_are_explained_and_not_kept(world: World) -> None:
    """Rows of the example as its test: the thread names the lines and both files, and no job begins."""
    test = world.slack.upload("mine.jsonl", b"".join(TICKETS.splitlines(keepends=True)[:30]))
    world.slack.submit(form(world), {"test_file": [test], "ours": ["yes"]})
    root = world.slack.wait_message("wants to train")
    said = world.slack.wait_message("othing was started", thread_ts=root["ts"])
    assert "tickets, tested on mine.jsonl" in said["text"]
    assert "in the test file too" in said["text"]
    assert world.deps.datasets.listing(ADA.workspace_id) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"messages": [{"role": "user", "content": "a"},]}\n', "isn't JSONL"),
        (b"\x89PNG\r\n\x1a\nnot rows", "isn't JSONL"),
        (TICKETS.split(b"\n")[0] + b"\n", "1 row that I can use"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_explained_in_the_thread(
    world: World, content: bytes, expected: str
) -> None:
    """No JSONL, or one row: the thread says what is wrong, no job begins, and the form is one click away."""
    file = world.slack.upload("rows.jsonl", content)
    world.slack.submit(form(world), {"train_file": [file], "ours": ["yes"]})
    root = world.slack.wait_message("wants to train")
    said = world.slack.wait_message("othing was started", thread_ts=root["ts"])
    assert expected in said["text"]
    assert world.deps.jobs.ledger.listing(ADA.workspace_id) == []
    assert world.deps.datasets.listing(ADA.workspace_id) == []
    world.slack.click(said, "Upload again")
    world.slack.wait_view(title="Train a model")


def test_a_file_in_a_mention_is_looked_at_and_used_only_after_a_click(world: World) -> None:
    """A file that comes with a mention is linted; its rows are taken when the confirmation is clicked."""
    file = world.slack.upload("queues.jsonl", TICKETS)
    asked = world.slack.send(f"{BOT} can you train on this?", files=[file["id"]])
    card = world.slack.wait_message("ready to train", thread_ts=asked["ts"])
    assert world.deps.datasets.listing(ADA.workspace_id) == []
    world.slack.click(card, "Train on it")
    job_in(world, "quoted")
    world.deliver()
    world.slack.wait_message("Quote #1", thread_ts=asked["ts"])


def test_a_card_counts_tokens_and_a_row_that_training_would_refuse_gets_no_quote(world: World) -> None:
    """The card tells tokens as a run counts them, and how; a row over its limit is named and stops a run here."""
    file = world.slack.upload("queues.jsonl", TICKETS)
    asked = world.slack.send(f"{BOT} look at this", files=[file["id"]])
    card = world.slack.wait_message("ready to train", thread_ts=asked["ts"])
    assert re.search(r"[\d,]+ tokens by an estimate with o200k_base \(median \d+ a row", json.dumps(card["blocks"]))
    long = TICKETS + TICKETS.splitlines()[0].replace(b'"content": "', b'"content": "' + b"and so on " * 400, 1) + b"\n"
    file = world.slack.upload("long.jsonl", long)
    asked = world.slack.send(f"{BOT} and this", files=[file["id"]])
    card = world.slack.wait_message("2 remarks", thread_ts=asked["ts"])
    assert "longer than 512 tokens, the most that a run on this machine reads" in json.dumps(card["blocks"])
    world.slack.click(card, "Train on it")
    world.slack.wait_message("longer than 512 tokens, the most that training reads", thread_ts=asked["ts"])
    assert world.deps.jobs.ledger.listing(ADA.workspace_id) == []


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("rows.csv", b"foo,bar\n" + b"x,y\n" * 20, "no names of columns that I know"),
        ("rows.xlsx", None, "ready to train"),
    ],
)
def test_a_file_in_a_mention_is_read_as_what_its_name_says(
    world: World, tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    """A table is judged as a table, and a workbook with nothing said is taken for rows, not for a document."""
    if content is None:
        book, path = Workbook(), tmp_path / name
        rows = [json.loads(line)["messages"] for line in TICKETS.splitlines()]
        for cells in [("ticket", "queue"), *((turns[-2]["content"], turns[-1]["content"]) for turns in rows)]:
            book.active.append(cells)
        book.save(path)
        content = path.read_bytes()
    file = world.slack.upload(name, content)
    asked = world.slack.send(BOT, files=[file["id"]])
    card = world.slack.wait_message(expected, thread_ts=asked["ts"])
    assert '"Fix"' not in json.dumps(card["blocks"])  # a table is mended in its own program


def finish(world: World, card: Json) -> Job:
    """Let the job of a quote end with a report, as the worker writes it."""
    world.slack.click(card, "Approve and start")
    job = job_in(world, "queued")
    picture = world.deps.datasets.folder / "jobs" / "job_1" / "report" / "loss.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(PNG)
    drawn = samples.report_card()
    ids: Json = {"job_id": job.id, "number": job.number, "title": job.title, "requested_by": "U0ADA"}
    report = ReportCard(
        **ids, model_id="model_1", report=drawn.report, seconds=312, quoted_minutes=(5.1, 7.3), images=drawn.images
    )
    line = Announcement(
        **ids, state="succeeded", outcome="PASS", points=68.0, channel=job.channel, thread_ts=job.thread_ts
    )
    result = json.dumps({"report": drawn.report, "seconds": 312.0, "model_id": "model_1"})
    model = ModelVersion(
        id="model_1", workspace_id=ADA.workspace_id, job_id=job.id, name="tickets", base="b", adapter_path="jobs/a",
        verdict="PASS", created_at=world.now,
    )  # fmt: skip
    with world.deps.jobs.ledger.transaction() as connection:
        move(connection, job, "running", "w", world.now)
        move(
            connection,
            job.model_copy(update={"state": "running"}),
            "succeeded",
            "w",
            world.now,
            result=result,
            finished_at=world.now,
        )
        registry.add(connection, model)
        outbox.put(connection, job, report, world.now)
        outbox.put(connection, job, line, world.now, channel="C0TUNING")
        outbox.put(connection, job, HomeRefresh(user_id="U0ADA"), world.now)
    world.deliver()
    return job


def test_a_report_comes_with_its_picture_and_can_be_opened_and_tried(world: World) -> None:
    """The report mentions who asked and shows the chart; Details opens it in full, Try it asks both models."""
    card = quote_for(world)
    finish(world, card)
    report = world.slack.wait_message("36/40 right", thread_ts=card["thread_ts"])
    assert "<@U0ADA>" in report["text"]
    assert [block for block in report["blocks"] if block["type"] == "image"]
    world.slack.click(report, "Details")
    assert "McNemar" in json.dumps(world.slack.wait_view(title="Full report"))
    world.slack.click(report, "Try it")
    world.slack.submit(world.slack.wait_view(title="Try it"), {"input": "where is my parcel?"})
    view = wait_for(
        lambda: next((v for v in world.slack.views() if "tuned heard" in json.dumps(v)), None), what="answers"
    )
    assert "base heard: where is my parcel?" in json.dumps(view)


def test_the_notification_channel_gets_one_line_with_a_link(world: World) -> None:
    """Another channel hears in one line what came of it, with the way to the thread."""
    finish(world, quote_for(world))
    line = world.slack.wait_message("passed (+68 points)", channel="C0TUNING")
    assert "|thread>" in line["text"]
    assert len(world.slack.messages("C0TUNING")) == 1


def test_home_lists_what_waits_what_ended_and_the_models(world: World) -> None:
    """A quote can be approved from Home; afterwards Home shows the verdict, a link and the model, and never posts."""
    card = quote_for(world)
    world.slack.act("home_opened", user="U0ADA", tab="home")
    home = wait_for(lambda: world.slack.home(), what="Home")
    assert "Approve and start" in json.dumps(home)
    finish(world, home)
    shown = wait_for(lambda: "passed, +68 points" in json.dumps(world.slack.home()) and world.slack.home(), what="Home")
    assert "|thread>" in json.dumps(shown)
    assert "Try it" in json.dumps(shown)
    assert card["thread_ts"]


def test_a_failed_job_says_why_and_can_be_resumed(world: World) -> None:
    """A failure is told to who asked; Resume queues the job again."""
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    job = job_in(world, "queued")
    said = EndedCard(
        job_id=job.id, number=job.number, title=job.title, requested_by="U0ADA", state="failed",
        what="The disk is full.",
        next_step="Free some space, then `resume`.",
    )  # fmt: skip
    with world.deps.jobs.ledger.transaction() as connection:
        move(connection, job, "running", "w", world.now)
        move(connection, job.model_copy(update={"state": "running"}), "failed", "w", world.now, finished_at=world.now)
        outbox.put(connection, job, said, world.now)
    world.deliver()
    ended = world.slack.wait_message("The disk is full", thread_ts=card["thread_ts"])
    assert "then *Resume*" in ended["text"]
    world.slack.click(ended, "Resume")
    world.slack.wait_message("continues from its last checkpoint", thread_ts=card["thread_ts"])
    assert job_in(world, "queued").id == job.id


def test_a_model_that_is_gone_is_told_at_the_field(world: World) -> None:
    """A model that was removed while its form was open is said to be gone, in the form."""
    card = quote_for(world)
    finish(world, card)
    world.slack.click(world.slack.wait_message("36/40 right", thread_ts=card["thread_ts"]), "Try it")
    view = world.slack.wait_view(title="Try it")
    with world.engine.begin() as connection:
        connection.execute(delete(ModelVersion))
    answer = world.slack.submit(view, {"input": "hello"})
    assert "There is no tuned model" in answer["errors"]["input"]
