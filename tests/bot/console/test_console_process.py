"""The local Slack as a process: start, restart, refusals at the door."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient

from bot.console.manifest import ManifestError, load_manifest
from tests.console import LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]
ROOT = Path(__file__).parents[3]


class Process:
    """`python -m bot.console`, started and stopped as a supervisor does."""

    def __init__(self, data: Path, port: int, *flags: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environ = {**os.environ, "SLACK_SIGNING_SECRET": "s", "SLACK_BOT_TOKEN": "xoxb-t"}
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
    import socket

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


def test_a_broken_manifest_is_a_clear_message(processes: Any, tmp_path: Path) -> None:
    """A manifest that is no mapping stops the start with what to do."""
    path = tmp_path / "manifest.yaml"
    path.write_text("- just\n- a list\n")
    running = processes("--manifest", str(path))
    _, errors = running.child.communicate(timeout=15)
    assert running.child.returncode == 2
    assert "holds no manifest" in errors.decode()
    with pytest.raises(ManifestError, match="Cannot read"):
        load_manifest(tmp_path / "missing.yaml")


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
