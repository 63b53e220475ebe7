"""The local Slack as a process: start, restart, refusals at the door."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from websockets.sync.client import connect

from bot.console.__main__ import main
from bot.console.manifest import load_manifest
from tests.bot.console.test_console_bad_input import upload
from tests.bot.console.third_party import Answer, Heard, recorder
from tests.console import LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]
ROOT = Path(__file__).parents[3]
GIVEN = {
    "SLACK_SIGNING_SECRET": "s",
    "SLACK_BOT_TOKEN": "xoxb-t",
    "SLACK_APP_TOKEN": "xapp-t",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "c",
}


class Process:
    """`python -m bot.console`, started and stopped as a supervisor does."""

    def __init__(self, data: Path, port: int, *flags: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environ = {**os.environ, **GIVEN}
        command = [sys.executable, "-m", "bot.console", "--port", str(port), "--data", str(data), *flags]
        self.child = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.web = WebClient(token="xoxb-t", base_url=f"{self.url}/api/")

    def wait(self) -> None:
        """Until it answers."""

        def answers() -> Any:
            assert self.child.poll() is None, self.child.communicate()
            try:
                return httpx.get(f"{self.url}/api/api.test").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, 15, what="the process answers")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; gives the exit code."""
        self.child.send_signal(number)
        self.child.communicate(timeout=10)
        return self.child.returncode


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def processes(tmp_path: Path, port: int) -> Iterator[Any]:
    """Starts processes on one data folder; ends what a test left running."""
    started: list[Process] = []

    def begin(*flags: str) -> Process:
        started.append(Process(tmp_path / "data", port, *flags))
        return started[-1]

    yield begin
    for each in started:
        if each.child.poll() is None:
            each.end(signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_everything(processes: Any, how: signal.Signals) -> None:
    """Messages, threads, reactions, files and Home survive a stop and a kill; time never runs backwards."""
    first = processes()
    first.wait()
    ts = first.web.chat_postMessage(channel="C0ASK", text="kept")["ts"]
    first.web.chat_postMessage(channel="C0ASK", text="reply", thread_ts=ts)
    first.web.reactions_add(channel="C0ASK", timestamp=ts, name="eyes")
    first.web.files_upload_v2(channel="C0ASK", filename="a.txt", content="hello")
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "home"}}
    first.web.views_publish(user_id="U0ADA", view={"type": "home", "blocks": [block]})
    first.end(how)
    second = processes()
    second.wait()
    shared, kept = second.web.conversations_history(channel="C0ASK")["messages"]
    assert (kept["text"], kept["reply_count"], kept["reactions"][0]["name"]) == ("kept", 1, "eyes")
    url = shared["files"][0]["url_private"]
    assert httpx.get(url, headers={"authorization": "Bearer xoxb-t"}).text == "hello"
    assert httpx.get(f"{second.url}/_local/home", params={"user": "U0ADA"}).json()["view"]["type"] == "home"
    assert second.web.chat_postMessage(channel="C0ASK", text="new")["ts"] > shared["ts"]


def test_a_port_in_use_is_a_clear_message(processes: Any) -> None:
    """The second process names the port and the flag, and exits 2 without a traceback."""
    processes().wait()
    second = processes()
    _, errors = second.child.communicate(timeout=15)
    assert second.child.returncode == 2
    assert "--port" in errors.decode()
    assert "Traceback" not in errors.decode()


def test_secrets_are_not_printed_when_given(processes: Any) -> None:
    """What comes from the environment stays out of the output."""
    running = processes()
    running.wait()
    running.child.send_signal(signal.SIGTERM)
    out, errors = running.child.communicate(timeout=10)
    assert b"xoxb-t" not in out + errors
    assert out.decode().strip() == f"Local Slack: {running.url}"


def fails(*flags: str, **environ: str) -> int:
    """The exit code of a start that must fail."""
    try:
        return main(flags, environ)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--people", "0"], "1 to 24"),
        (["--people", "many"], "1 to 24"),
        (["--workspaces", "6"], "1 to 5"),
        (["--port", "99999"], "1 to 65535"),
        (["--port", "-1"], "--port"),
        (["--nonsense"], "--nonsense"),
        (["--data", "/proc/none"], "--data"),
        (["--data", "FOLDER/broken"], "is not a database"),
        (["--data", "FOLDER/file"], "--data"),
        (["--manifest", "FOLDER/manifest.yaml"], "holds no manifest"),
        (["--manifest", "FOLDER/none.yaml"], "Cannot read the manifest"),
    ],
)
def test_a_wrong_start_is_one_sentence(
    tmp_path: Path, port: int, flags: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one line that names the flag or what to do; no traceback."""
    (tmp_path / "manifest.yaml").write_text("- just\n- a list\n")
    (tmp_path / "file").write_text("x")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "slack.db").write_bytes(b"no database " * 100)
    given = [flag.replace("FOLDER", str(tmp_path)) for flag in flags]
    usual = ["--port", str(port), "--data", str(tmp_path / "data")]
    assert fails(*usual, *given, **GIVEN) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert [says in line for line in lines] == [True]


def test_one_token_cannot_be_of_two_workspaces(tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bot token twice would name no workspace."""
    flags = ("--port", str(port), "--data", str(tmp_path), "--workspaces", "2")
    assert fails(*flags, **{**GIVEN, "SLACK_BOT_TOKEN": "xoxb-a,xoxb-a"}) == 2
    assert "token of its own" in capsys.readouterr().err


def test_help_names_every_flag_and_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """--help says what each flag is for, with its range and default, and where secrets come from."""
    assert fails("--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in ("1 to 24 (default 3)", "1 to 5 (default 1)", "default 8765", *GIVEN):
        assert words in text


def test_two_processes_do_not_share_a_folder(
    processes: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second one, on another port, is refused while the first lives; SIGKILL frees the folder."""
    first = processes()
    first.wait()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = str(probe.getsockname()[1])
    assert fails("--port", other, "--data", str(tmp_path / "data"), **GIVEN) == 2
    assert "Another local Slack uses the folder" in capsys.readouterr().err


def test_it_ends_at_once_whatever_is_open(processes: Any) -> None:
    """With live streams, a socket, half a request and a click under way SIGTERM ends it in two seconds, quietly."""
    app = recorder(lambda heard: (time.sleep(2.5), Answer())[1])
    running = processes("--app-url", app.url)
    running.wait()
    headers = {"x-local-slack": "1"}
    with ExitStack() as open_things, httpx.Client(base_url=running.url, timeout=10, headers=headers) as http:
        for _ in range(3):
            open_things.enter_context(http.stream("GET", "/_local/events", params={"user": "U0ADA"}))
        half = open_things.enter_context(socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))))
        half.sendall(
            b"POST /api/api.test HTTP/1.1\r\nHost: " + running.url[7:].encode() + b"\r\nContent-Length: 9\r\n\r\n{"
        )
        command = {"user": "U0ADA", "channel": "C0ASK", "command": "/tune", "text": "x"}
        click = threading.Thread(target=http.post, args=("/_local/command",), kwargs={"json": command})
        click.start()
        wait_for(lambda: app.heard, what="the click")
        opened = http.post("/api/apps.connections.open", headers={"authorization": "Bearer xapp-t"}).json()
        wire = open_things.enter_context(connect(opened["url"], proxy=None))
        assert json.loads(wire.recv())["type"] == "hello"
        begun = time.monotonic()
        running.child.send_signal(signal.SIGTERM)
        _, errors = running.child.communicate(timeout=10)
        assert time.monotonic() - begun < 2
        click.join()
    app.stop()
    assert b"Traceback" not in errors
    assert len(errors.splitlines()) <= 1, errors


def test_what_is_owed_survives_a_kill(processes: Any) -> None:
    """An event that nobody had acknowledged when the process was killed comes after the restart, with the same id."""
    first_try = threading.Event()

    def answer(heard: Heard) -> Answer:
        if not first_try.is_set():
            first_try.set()
            time.sleep(2)
        return Answer()

    app = recorder(answer)
    first = processes("--app-url", app.url)
    first.wait()
    body = {"user": "U0ADA", "channel": "C0ASK", "text": "owed"}
    httpx.post(f"{first.url}/_local/send", json=body, headers={"x-local-slack": "1"})
    assert first_try.wait(5)
    first.end(signal.SIGKILL)
    second = processes("--app-url", app.url)
    second.wait()
    wait_for(lambda: len(app.heard) == 2, what="the event again")
    assert len({heard.body["event_id"] for heard in app.heard}) == 1
    assert "x-slack-retry-num" not in app.heard[1].headers  # the kill left no answer, so this is no retry of Slack's
    time.sleep(0.2)
    assert len(app.heard) == 2
    app.stop()


def test_a_large_upload_takes_no_memory(processes: Any) -> None:
    """60 MB, plain, chunked and as a form: the process grows by less than 24 MB, and the bytes arrive."""
    running = processes()
    running.wait()
    size = 60_000_000
    before = peak(running.child.pid)
    with httpx.Client(timeout=30) as http:
        for way in ("raw", "chunked", "multipart", "multipart chunked"):
            ticket = running.web.files_getUploadURLExternal(filename="big.bin", length=size)
            answer = upload(http, ticket["upload_url"], size, way)
            assert answer.text == f"OK - {size}", way
            running.web.files_completeUploadExternal(files=[{"id": ticket["file_id"]}], channel_id="C0ASK")
        file = running.web.files_info(file=ticket["file_id"])["file"]
        url = file["url_private_download"]
        with http.stream("GET", url, headers={"authorization": "Bearer xoxb-t"}) as got:
            assert sum(len(piece) for piece in got.iter_bytes()) == size
    assert peak(running.child.pid) - before < 24_000


def peak(pid: int) -> int:
    """The most kB that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def test_a_manifest_names_app_commands_scopes_and_events(tmp_path: Path) -> None:
    """All parts that the local Slack uses are read from where Slack's manifests have them."""
    path = tmp_path / "manifest.yaml"
    path.write_text(
        """
display_information: {name: Other App}
features:
  bot_user: {display_name: Other}
  slash_commands: [{command: /other, description: does it, usage_hint: "[x]"}]
  agent_view: {suggested_prompts: [{title: A, message: B}]}
oauth_config: {scopes: {bot: [chat:write]}}
settings: {event_subscriptions: {bot_events: [app_mention]}}
"""
    )
    manifest = load_manifest(path)
    assert (manifest.name, manifest.handle, manifest.commands[0]["command"]) == ("Other", "other", "/other")
    assert (manifest.scopes, manifest.wants("app_mention"), manifest.wants("message.im")) == (
        frozenset({"chat:write"}),
        True,
        False,
    )
    assert manifest.prompts == ({"title": "A", "message": "B"},)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1:1"},
        {"host": "127.0.0.1.evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/_local/boot?user=U0ADA", "/static/app.js", "/api/auth.test"])
def test_strangers_are_refused(local_slack: LocalSlack, headers: dict[str, str], path: str) -> None:
    """A foreign Host or Origin gets 403 on every address."""
    assert httpx.get(f"{local_slack.url}{path}", headers=headers).status_code == 403


def test_a_post_needs_the_pages_header(local_slack: LocalSlack) -> None:
    """Without X-Local-Slack, which no form of another site can set, a POST is refused."""
    body = {"user": "U0ADA", "channel": "C0ASK", "text": "x"}
    assert httpx.post(f"{local_slack.url}/_local/send", json=body).status_code == 403
    assert local_slack.messages() == []


def test_every_answer_carries_security_headers(local_slack: LocalSlack) -> None:
    """Scripts from here only, no framing, no sniffing; on pages, errors and refusals alike."""
    for path, headers in (("/", {}), ("/nothing", {}), ("/", {"host": "evil.example"})):
        answer = httpx.get(f"{local_slack.url}{path}", headers=headers)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("send", {"user": "U0ADA", "channel": "C0ASK", "text": ""}, "no_text"),
        ("send", {"user": "U0ADA", "channel": "C0ASK", "text": "x" * 20_000}, "msg_too_long"),
        ("send", {"user": "U0ADA", "channel": "D0BEN", "text": "x"}, "channel_not_found"),
        ("send", {"user": "U0LUTHIER", "channel": "C0ASK", "text": "x"}, "user_not_found"),
        ("send", {"user": "U0ADA", "channel": "C0ASK", "text": "x", "file_ids": ["F0NONE"]}, "file_not_found"),
        ("action", {"user": "U0ADA"}, "invalid_arguments"),
        ("action", {"user": "U0ADA", "action": {}, "message_ts": "1.2"}, "message_not_found"),
        ("view_submit", {"user": "U0ADA", "view_id": "V0NONE"}, "view_not_found"),
        ("nothing", {"user": "U0ADA"}, "unknown_method"),
    ],
)
def test_the_page_gets_reasons(local_slack: LocalSlack, name: str, body: dict[str, Any], error: str) -> None:
    """Each wrong request is answered with an error and a sentence."""
    answer = local_slack.http.post(f"/_local/{name}", json=body)
    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["error"]) == (False, error)
    assert answer.json()["detail"]


def test_the_raw_view_shows_what_the_app_sent(local_slack: LocalSlack) -> None:
    """The raw JSON is the app's own arguments, without its token."""
    blocks = [{"type": "divider"}]
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=blocks, token=local_slack.bot_token)["ts"]
    raw = local_slack.page("raw", channel="C0ASK", ts=ts)["raw"]
    assert raw == {"channel": "C0ASK", "text": "x", "blocks": blocks}


def test_boot_names_everything_the_frame_needs(local_slack: LocalSlack) -> None:
    """People, channels, the app, commands and what leaves the machine."""
    boot = local_slack.page("boot", user="U0BEN")
    assert boot["team"]["name"] == "Northwind"
    assert [channel["id"] for channel in boot["channels"]] == ["C0ASK", "C0GENERAL", "C0TUNING", "D0BEN"]
    assert boot["channels"][-1]["im_user"] == "U0LUTHIER"
    assert boot["commands"][0]["command"] == "/tune"
    assert (boot["bar"], boot["remote_endpoints"]) == ("nothing leaves this machine", [])
