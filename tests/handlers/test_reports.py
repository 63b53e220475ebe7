"""A report in its thread and as files: what the card says beside the score, and who gets its files, and where."""

import json
from typing import Any

import pytest

from handlers.blocks.details import FILES
from handlers.blocks.parts import actions, button
from handlers.blocks.report import worded
from tests.console import BOT_TOKEN
from tests.handlers import samples
from tests.handlers.test_labels import evaluated, place
from tests.handlers.test_training import job_in
from tests.handlers.world import ADA, World
from trainers import audit
from trainers.jobs import outbox
from trainers.jobs.ledger import move
from trainers.jobs.messages import ReportCard
from trainers.tables import Job

Json = dict[str, Any]
LABEL = "Label 20 pairs"


def reported(world: World, metric: str = "accuracy", *, files: bool = True) -> tuple[Job, Json]:
    """End a job with a report whose rule has this metric; gives the job and the report's message."""
    job = evaluated(world, rows=4)
    report = samples.report().to_json()
    report["rule"]["metric"] = metric
    if files:
        home = world.deps.datasets.folder / "jobs" / job.id / "report"
        home.mkdir(parents=True)
        for name in ("report.html", "predictions.csv", "report.json", "loss.png"):
            (home / name).write_text(f"{name} of job {job.number}")
    card = ReportCard(
        job_id=job.id, number=job.number, title=job.title, requested_by="U0ADA", model_id="", report=report,
        seconds=312, quoted_minutes=(5.1, 7.3),
    )  # fmt: skip
    result = json.dumps({"report": report, "seconds": 312.0, "model_id": None})
    with world.deps.jobs.ledger.transaction() as connection:
        for old, new, more in (
            ("quoted", "queued", {}),
            ("queued", "running", {}),
            ("running", "succeeded", {"result": result, "finished_at": world.now}),
        ):
            move(connection, job.model_copy(update={"state": old}), new, "w", world.now, **more)
        outbox.put(connection, job, card, world.now)
    world.deliver()
    return job_in(world, "succeeded"), world.slack.wait_message("Details", thread_ts=job.thread_ts)


def downloads(world: World) -> list[tuple[str, str]]:
    log = audit.listing(world.engine, ADA.workspace_id)
    return [(entry.who, entry.subject) for entry in log if entry.what == "downloaded"]


def loose_button(world: World, value: str) -> Json:
    """The button of the details in a message: what somebody meets who got hold of it elsewhere."""
    blocks = actions([button("Send me the files", FILES, value)], block_id="files")
    ts = world.slack.web.chat_postMessage(channel="C0ASK", text="details", blocks=blocks)["ts"]
    return world.slack.wait_message(lambda each: each["ts"] == ts)


def test_whoever_clicks_gets_the_files_in_their_direct_messages(world: World) -> None:
    """Ben opens the details and has page and table sent: to him alone, with the job in their names, and it is noted."""
    job, report = reported(world)
    world.slack.click(report, "Details", user="U0BEN")
    details = world.slack.wait_view("U0BEN", title="Full report")
    world.slack.click(details, "Send me the files", user="U0BEN")
    root = world.slack.wait_message("The whole report of job #1", channel="D0BEN", user="U0BEN")
    sent = world.slack.wait_message("job-1-predictions.csv", channel="D0BEN", thread_ts=root["ts"], user="U0BEN")
    assert [file["name"] for file in sent["files"]] == ["job-1-report.html", "job-1-predictions.csv"]
    page = world.slack.http.get(sent["files"][0]["url_private"], headers={"Authorization": f"Bearer {BOT_TOKEN}"})
    assert page.text == "report.html of job 1"
    assert "The whole report" not in json.dumps(world.slack.messages("C0ASK", job.thread_ts, user="U0BEN"))
    assert "The whole report" not in json.dumps(world.slack.messages("D0ADA"))
    assert downloads(world) == [("U0BEN", "job #1")]


def test_the_files_of_a_private_job_are_refused(world: World) -> None:
    """Somebody else who got hold of the button hears that the job is private; Ada gets her files."""
    job, _ = reported(world)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("update job set private = 1, channel = 'D0ADA'")
    message = loose_button(world, f"{job.id}:C0ASK")
    world.slack.click(message, "Send me the files", user="U0BEN")
    world.slack.wait_message("private conversation", user="U0BEN")
    assert (world.slack.messages("D0BEN", user="U0BEN"), downloads(world)) == ([], [])
    world.slack.click(message, "Send me the files")
    world.slack.wait_message("The whole report of job #1", channel="D0ADA")


def test_a_job_without_files_says_what_to_do(world: World) -> None:
    """A report without files is told so in direct messages, as the click was in a form; nothing is noted."""
    _, report = reported(world, files=False)
    world.slack.click(report, "Details")
    world.slack.click(world.slack.wait_view(title="Full report"), "Send me the files")
    said = world.slack.wait_message("left no report as files", channel="D0ADA")
    assert "a new run does" in said["text"]
    assert downloads(world) == []


def test_a_job_of_another_workspace_is_unknown(world: World) -> None:
    """The files of a job are found in the clicker's workspace only."""
    job, _ = reported(world)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("update job set workspace_id = 'T0ELSEWHERE'")
    message = loose_button(world, f"{job.id}:C0ASK")
    world.slack.click(message, "Send me the files")
    world.slack.wait_message("There is no job")


def test_a_report_says_what_decided(world: World) -> None:
    """Guardrails and reasons stand on the card; where each answer is right or wrong, nobody is asked to label."""
    _, report = reported(world)
    shown = json.dumps(report, ensure_ascii=False)
    assert "Guardrails: general skills 41/140 → 40/140, held (shown only) · harmful requests 120/140" in shown
    assert "120/140 → 60/140, broken (shown only)." in shown
    assert "A guardrail that a reader should know of." in shown
    assert LABEL not in shown


@pytest.mark.parametrize(
    ("metric", "free"),
    [
        ("accuracy", False),
        ("json_exact", False),
        ("macro_f1", False),
        ("judged", True),
        ("chrf", True),
        ("style", True),
    ],
)
def test_people_are_asked_about_free_text_only(metric: str, free: bool) -> None:
    """Labelling is offered where answers may be worded in many ways."""
    assert worded({"rule": {"metric": metric}}) is free


def test_the_labelling_begins_from_the_report(world: World) -> None:
    """The button on the card opens the first pair."""
    _, report = reported(world, "chrf")
    world.slack.click(report, LABEL)
    assert place(world.slack.wait_view(title="Which is better?")) == "1 of 4"
