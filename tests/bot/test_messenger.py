"""The messenger against the real local Slack: each message once, also when it was killed in between."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, text

from bot.messenger import SETTLED, Messenger, keep_draining
from bot.workspaces import Workspaces
from knowledge.index import Index
from tests.console import LocalSlack, local_slack, wait_for
from tests.databases import kept
from tests.handlers import samples
from tests.handlers.world import ADA, NOW, build_deps
from trainers.jobs import outbox
from trainers.jobs.messages import Announcement, Message, ReportCard
from trainers.jobs.service import Place
from trainers.spec import TrainingSpec
from trainers.tables import Job

__all__ = ["local_slack"]

CHANNEL = "C0ASK"


PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


class Gate:
    """Stands before the local Slack: passes calls on, except where it was told to answer or to lose the answer."""

    def __init__(self, slack: LocalSlack) -> None:
        gate = self
        self.calls: list[str] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """Status, headers and body by method, such as `chat.postMessage`."""
        self.lost: set[str] = set()
        """Methods that Slack gets while the connection breaks before its answer arrives."""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                method = self.path.partition("?")[0].rpartition("/")[2]
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gate.calls.append(method)
                passed = {name: self.headers[name] for name in ("Authorization", "Content-Type") if self.headers[name]}
                if method not in gate.answers:
                    answer = slack.http.post(self.path, content=body, headers=passed)
                    gate_answer = answer.status_code, {"Content-Type": "application/json"}, answer.content
                    if method in gate.lost:
                        return
                else:
                    gate_answer = gate.answers[method]
                status, headers, content = gate_answer
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(content))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, method: str, status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> None:
        self.answers[method] = status, headers or {}, json.dumps(body).encode()


class Desk:
    """A messenger, its outbox and a clock."""

    def __init__(self, slack: LocalSlack, folder: Path, engine: Engine) -> None:
        self.slack, self.engine, self.now = slack, engine, NOW
        self.deps = build_deps(engine, folder, cast(Index, None), slack, lambda: self.now)
        self.folder = folder
        self.gate = Gate(slack)
        self.messenger = self.another()

    def another(self) -> Messenger:
        """A messenger process of its own on the same outbox."""
        slack = Workspaces([self.slack.bot_token], f"{self.gate.url}/api/").client
        return Messenger(deps=self.deps, slack=slack, folder=self.folder, clock=lambda: self.now)

    def propose(self, channel: str = CHANNEL) -> Job:
        jobs = self.deps.jobs
        dataset = jobs.datasets.example("tickets", ADA, self.now).dataset
        return jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=ADA, now=self.now, place=Place(channel))

    def owe(self, job: Job, message: Message) -> None:
        with self.deps.jobs.ledger.transaction() as connection:
            outbox.put(connection, job, message, self.now, channel=CHANNEL)

    def owe_report(self, job: Job, *pictures: str) -> None:
        """Owe a report with these pictures; only `loss.png` lies on the disk."""
        (self.folder / "loss.png").write_bytes(PNG)
        images = tuple({"path": path, "title": path, "alt": path} for path in pictures)
        self.owe(
            job,
            ReportCard(
                job_id=job.id,
                number=job.number,
                title=job.title,
                requested_by="U0ADA",
                model_id="model_1",
                report=samples.report().to_json(),
                seconds=312,
                quoted_minutes=(5.1, 7.3),
                images=images,
            ),
        )

    def reports(self) -> list[dict[str, Any]]:
        """Reports in the channel and below the quote, which opens a thread where a job has none."""
        below = [each for row in self.rows() if row["ts"] for each in self.slack.messages(CHANNEL, row["ts"])]
        told = [*self.slack.messages(CHANNEL), *below]
        return [message for message in told if "36/40 right" in str(message["blocks"])]

    def drained(self) -> int:
        """Drain until nothing is due: what a quote opened a thread for goes out in the round after it."""
        return sum(iter(self.messenger.drain, 0))

    def rows(self, key: str = "quote") -> list[dict[str, Any]]:
        """Rows of the outbox with this key, oldest first."""
        with self.engine.begin() as connection:
            found = connection.execute(text("select * from outbox_message where key = :key order by id"), {"key": key})
            return [dict(row) for row in found.mappings()]

    def spoil(self, job: Job, **columns: str) -> None:
        """Write something into a job's rows that this version would not write."""
        with self.engine.begin() as connection:
            for name, value in columns.items():
                changed = text(f"update outbox_message set {name} = :value where job_id = :id")
                connection.execute(changed, {"value": value, "id": job.id})

    def posts(self) -> list[dict[str, Any]]:
        return [message for message in self.slack.messages(CHANNEL) if "Quote" in message.get("text", "")]

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def desk(local_slack: LocalSlack, tmp_path: Path, engine: Engine) -> Iterator[Desk]:
    made = Desk(local_slack, tmp_path, engine)
    yield made
    made.gate.server.shutdown()
    made.gate.server.server_close()


def test_a_message_goes_out_once(desk: Desk) -> None:
    """The quote is posted, and draining again posts nothing."""
    desk.propose()
    assert desk.messenger.drain() == 1
    desk.later(10)
    assert desk.messenger.drain() == 0
    assert len(desk.posts()) == 1


def test_a_newer_version_is_an_edit(desk: Desk) -> None:
    """After approval the same message changes in place and its buttons are gone."""
    job = desk.propose()
    desk.messenger.drain()
    assert "Approve and start" in str(desk.posts()[0]["blocks"])
    desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    desk.later(4)
    desk.messenger.drain()
    assert len(desk.posts()) == 1
    assert "Approve and start" not in str(desk.posts()[0]["blocks"])


def test_edits_of_one_message_keep_three_seconds_apart(desk: Desk) -> None:
    """A change within three seconds of the last one waits."""
    job = desk.propose()
    desk.messenger.drain()
    desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    desk.later(1)
    desk.messenger.drain()
    assert "Approve and start" in str(desk.posts()[0]["blocks"])


def test_a_home_tab_is_drawn_once_for_all_that_changed(desk: Desk) -> None:
    """Three jobs of one person change: one call draws the tab anew and none of the three is owed any more."""
    for _ in range(3):
        job = desk.propose()
        desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    while desk.messenger.drain():
        desk.later(10)
    assert desk.gate.calls.count("views.publish") == 1
    assert [row for row in desk.rows() if row["version"] > row["sent_version"]] == []


def test_a_post_whose_record_was_lost_is_found_again(desk: Desk) -> None:
    """Killed after Slack took a message and before it was recorded, the next messenger finds it and posts no second."""
    desk.propose()
    row = outbox.due(desk.engine, desk.now)[0]
    desk.messenger.drain()
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("update outbox_message set ts = '', sent_version = 0, due_at = 0")
    assert outbox.trying(desk.engine, row, desk.now)
    desk.now += SETTLED
    desk.messenger.drain()
    assert len(desk.posts()) == 1
    assert all(owed.kind != "quote" for owed in outbox.due(desk.engine, desk.now))


def test_a_channel_that_is_gone_is_given_up(desk: Desk) -> None:
    """A message for a channel that does not exist is not tried for ever, and the row says why."""
    desk.propose(channel="C0GONE")
    desk.messenger.drain()
    desk.later(60)
    assert outbox.due(desk.engine, desk.now) == []
    with desk.engine.begin() as connection:
        problem = connection.exec_driver_sql("select problem from outbox_message").scalar_one()
    assert problem == "channel_not_found"


def test_slack_out_of_reach_is_tried_again(desk: Desk) -> None:
    """While Slack does not answer nothing is lost; when it does, the message goes out once."""
    desk.propose()
    reachable = desk.messenger.slack
    desk.messenger.slack = Workspaces([desk.slack.bot_token], "http://127.0.0.1:9/api/").client
    assert desk.messenger.drain() == 0
    desk.messenger.slack = reachable
    desk.later(6)
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1


def test_an_older_post_that_is_found_again_shows_the_newest_version(desk: Desk) -> None:
    """Quote posted, messenger killed, person approves: the next messenger finds the card and takes its buttons away."""
    job = desk.propose()
    desk.gate.lost = {"chat.postMessage"}
    assert desk.messenger.drain() == 0
    desk.gate.lost = set()
    desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    desk.now += SETTLED
    desk.another().drain()
    assert len(desk.posts()) == 1
    assert "Approve and start" not in str(desk.posts()[0]["blocks"])
    row = desk.rows()[0]
    assert (row["sent_version"], row["ts"]) == (2, desk.posts()[0]["ts"])


def test_a_post_whose_answer_got_lost_is_not_repeated(desk: Desk) -> None:
    """Slack took the post but the connection broke: one call, and the next try finds the post."""
    desk.propose()
    desk.gate.lost = {"chat.postMessage"}
    assert desk.messenger.drain() == 0
    assert desk.gate.calls.count("chat.postMessage") == 1
    desk.gate.lost = set()
    desk.later(6)
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1


def test_a_look_up_that_is_not_allowed_does_not_silence_a_message(desk: Desk) -> None:
    """Without the scope to look a post up it is posted, perhaps again: a duplicate beats silence."""
    desk.propose()
    desk.gate.answer("chat.postMessage", 503, ok=False, error="service_unavailable")
    desk.messenger.drain()
    desk.gate.answers.clear()
    desk.gate.answer("conversations.history", ok=False, error="missing_scope")
    desk.later(6)
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"payload": "no json"},
        {"payload": '{"from": "another version"}'},
        {"kind": "a kind of another version"},
        {"payload": "[]"},
    ],
    ids=["no json", "old fields", "unknown kind", "no object"],
)
def test_a_row_that_cannot_be_read_stops_no_other(desk: Desk, columns: dict[str, str]) -> None:
    """A payload of another version is given up and says why; the quote behind it goes out."""
    desk.spoil(desk.propose(), **columns)
    desk.propose()
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1
    broken, whole = desk.rows()
    assert broken["sent_version"] == broken["version"]
    assert broken["problem"].endswith("Error")
    assert whole["problem"] == ""
    assert [row for row in outbox.due(desk.engine, desk.now + timedelta(days=1)) if row.key == "quote"] == []


def test_a_row_that_cannot_be_drawn_stops_no_other(desk: Desk) -> None:
    """A quote that lacks its figures is given up; the quote behind it goes out."""
    job = desk.propose()
    payload = json.loads(desk.rows()[0]["payload"]) | {"quote": {}}
    desk.spoil(job, payload=json.dumps(payload))
    desk.propose()
    assert desk.messenger.drain() == 1
    assert [row["problem"] for row in desk.rows()] == ["KeyError", ""]


def _refuse_scope(gate: Gate) -> None:
    gate.answer("files.getUploadURLExternal", ok=False, error="missing_scope")


def _accept_only(gate: Gate) -> None:
    """The answer 202 raises SlackRequestError, which is neither SlackApiError nor OSError."""
    gate.answer("files.getUploadURLExternal", ok=True, upload_url=f"{gate.url}/upload/v1/here", file_id="F1")
    gate.answer("here", 202)


def _break_upload(gate: Gate) -> None:
    gate.answer("files.getUploadURLExternal", ok=True, upload_url=f"{gate.url}/upload/v1/here", file_id="F1")
    gate.answer("here", 500)


@pytest.mark.parametrize("trouble", [_refuse_scope, _accept_only, _break_upload])
def test_a_report_without_its_picture_beats_none(desk: Desk, trouble: Any) -> None:
    """Where Slack does not take the picture the report is posted without it, at the first try."""
    trouble(desk.gate)
    desk.owe_report(desk.propose(), "loss.png")
    assert desk.drained() == 2
    assert [block["type"] for block in desk.reports()[0]["blocks"] if block["type"] == "image"] == []


def test_a_picture_that_is_gone_leaves_the_others(desk: Desk) -> None:
    """A picture missing from the disk is left out; the one that is there is shown."""
    desk.owe_report(desk.propose(), "gone.png", "loss.png")
    assert desk.drained() == 2
    assert [block["alt_text"] for block in desk.reports()[0]["blocks"] if block["type"] == "image"] == ["loss.png"]


def test_pictures_are_not_uploaded_before_a_look_up_failed(desk: Desk) -> None:
    """While it cannot be known whether a report is out, nothing is uploaded for it again."""
    desk.owe_report(desk.propose(), "loss.png")
    desk.gate.lost = {"chat.postMessage"}
    desk.messenger.drain()
    uploads = desk.gate.calls.count("files.getUploadURLExternal")
    desk.gate.lost = {"conversations.history"}
    desk.later(6)
    assert desk.messenger.drain() == 0
    assert desk.gate.calls.count("files.getUploadURLExternal") == uploads == 1


def test_an_announcement_whose_thread_is_gone_has_no_link(desk: Desk) -> None:
    """A deleted thread costs the announcement its link, not its life."""
    job = desk.propose()
    said = {"job_id": job.id, "number": job.number, "title": job.title, "requested_by": "U0ADA", "state": "failed"}
    desk.owe(job, Announcement(**said, channel=CHANNEL, thread_ts="1.000001"))
    assert desk.messenger.drain() == 2
    assert "chat.getPermalink" in desk.gate.calls
    assert [message for message in desk.slack.messages(CHANNEL) if job.title in message["text"]]
    assert desk.rows("announcement")[0]["problem"] == ""


def test_tries_come_less_and_less_often(desk: Desk) -> None:
    """Waits double from five seconds to five minutes, and begin anew after a success."""
    job = desk.propose()
    desk.gate.answer("chat.postMessage", 500, ok=False, error="internal_error")
    waits = []
    for _ in range(8):
        desk.messenger.drain()
        waits.append(desk.rows()[0]["due_at"] / 1e6 - desk.now.timestamp())
        desk.later(waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    desk.gate.answers.clear()
    assert desk.messenger.drain() == 1
    desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    desk.later(4)
    desk.gate.answer("chat.update", 500, ok=False, error="internal_error")
    desk.messenger.drain()
    assert desk.rows()[0]["due_at"] / 1e6 - desk.now.timestamp() == 5


def test_a_channel_waits_as_long_as_slack_asks(desk: Desk) -> None:
    """After 429 nothing is posted in that channel, nothing gets due earlier because it changed; then all go."""
    job = desk.propose()
    desk.propose()
    desk.gate.answer("chat.postMessage", 429, {"Retry-After": "60"}, ok=False, error="ratelimited")
    assert desk.messenger.drain() == 0
    assert desk.gate.calls.count("chat.postMessage") == 1
    desk.gate.answers.clear()
    desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    desk.later(59)
    desk.messenger.drain()
    assert desk.posts() == []
    assert desk.rows()[0]["due_at"] / 1e6 == desk.now.timestamp() + 1
    desk.later(1)
    desk.messenger.drain()
    assert len(desk.posts()) == 2


def test_quiet_in_one_channel_silences_no_other_and_outlives_a_restart(desk: Desk) -> None:
    """What Slack asked for holds for the messenger that comes next, and only for that method in that channel."""
    desk.propose()
    desk.gate.answer("chat.postMessage", 429, {"Retry-After": "60"}, ok=False, error="ratelimited")
    desk.messenger.drain()
    desk.gate.answers.clear()
    desk.propose()
    desk.propose(channel="C0GENERAL")
    desk.later(59)
    assert desk.another().drain() == 1
    assert desk.posts() == []
    desk.later(1)
    assert desk.another().drain() == 2


def test_a_look_up_reads_every_page(desk: Desk) -> None:
    """A post of unknown outcome is found although 150 messages came after it."""
    desk.propose()
    desk.gate.lost = {"chat.postMessage"}
    assert desk.messenger.drain() == 0
    desk.gate.lost = set()
    for number in range(150):
        desk.slack.send(f"talk {number}")
    desk.later(6)
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1
    assert desk.gate.calls.count("conversations.history") == 2


@pytest.mark.parametrize("asked", ["", "soon", "9" * 40])
def test_a_limit_without_a_sensible_wait_is_waited_out(desk: Desk, asked: str) -> None:
    """Slack's 429 with no number, or one beyond reason, ends in a wait like any other."""
    desk.propose()
    desk.gate.answer("chat.postMessage", 429, {"Retry-After": asked}, ok=False, error="ratelimited")
    assert desk.messenger.drain() == 0
    desk.gate.answers.clear()
    desk.later(3600)
    assert desk.messenger.drain() == 1


def test_a_messenger_that_lost_its_role_stops_between_messages(desk: Desk) -> None:
    """The role is asked for before each message, not once for a whole drain."""
    desk.propose()
    desk.propose()
    answers = iter([True, True, False])
    desk.messenger.leads = lambda: next(answers)
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1


def test_two_messengers_do_not_post_the_same_row(desk: Desk) -> None:
    """A messenger that slept between reading and posting finds that another one posted, and posts no second."""
    desk.propose()
    other = desk.another()
    turns = iter([lambda: 0, other.drain])
    desk.messenger.leads = lambda: next(turns)() >= 0
    assert desk.messenger.drain() == 0
    assert len(desk.posts()) == 1
    assert desk.gate.calls.count("chat.postMessage") == 1


def test_a_post_under_way_elsewhere_is_left_alone_until_it_is_settled(desk: Desk) -> None:
    """Another process's post of a moment ago may still be travelling: it is neither looked up nor repeated yet."""
    desk.propose()
    assert outbox.trying(desk.engine, outbox.due(desk.engine, desk.now)[0], desk.now)
    desk.later(10)
    assert desk.messenger.drain() == 0
    assert desk.gate.calls == []
    desk.later(10)
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1


def test_a_database_that_is_kept_does_not_end_the_messenger(
    hasty: Engine, desk: Desk, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop outlives a database that is kept by somebody else, says so, and posts when it is free again."""
    desk.propose()
    over = threading.Event()
    loop = threading.Thread(target=keep_draining, args=(desk.messenger, over))
    with kept(address):
        loop.start()
        wait_for(lambda: "the database did not answer" in caplog.text, what="the error is logged")
        assert desk.posts() == []
    wait_for(desk.posts, what="the quote is posted")
    over.set()
    loop.join(10)
    assert not loop.is_alive()
