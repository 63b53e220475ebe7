"""Knows how all of Luthier starts on one machine and ends again; each part is a process of its own."""

import secrets
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import httpx

from bot import install
from bot.services import announce, check_port, free_port, holding, ours, servers
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.supervisor import Program, Supervisor
from bot.wiring import ROOT
from knowledge.errors import ServiceError

Say = Callable[[str], None]

NOTIFY_CHANNEL = "C0TUNING"
"""The local Slack's #fine-tuning."""


def up(settings: Settings, say: Say) -> None:
    """Start everything, print the address, keep it running until Ctrl-C, and leave nothing behind."""
    check_port(settings.port)
    over = threading.Event()
    _listen(over)
    with holding(settings):
        say(f"Data: {settings.data}")
        migrate(open_engine(settings.database), settings.run)
        supervisor = Supervisor(logs=settings.data / "logs", say=say)
        try:
            with servers(settings, supervisor) as with_servers:
                _start(with_servers, supervisor, say, over)
                while not over.wait(0.5):
                    supervisor.watch()
        finally:
            say("Stopping…")
            supervisor.stop()
    say("Stopped. Nothing is left running; all data stays in the data folder.")


def _start(settings: Settings, supervisor: Supervisor, say: Say, over: threading.Event) -> None:
    local = not settings.slack_bot_token
    web_port = free_port() if local else settings.port
    if local:
        settings = replace(
            settings,
            slack_api_url=f"http://127.0.0.1:{settings.port}/api/",
            slack_bot_token=f"xoxb-local-{secrets.token_hex(16)}",
            slack_signing_secret=secrets.token_hex(16),
            notify_channel=settings.notify_channel or NOTIFY_CHANNEL,
        )
        supervisor.start(console(settings, web_port))
    for command in (f"web --port {web_port}", "worker cpu", "worker io", "messenger", "sweeper"):
        supervisor.start(ours(settings, command, name=command.partition(" --")[0]))
    supervisor.start(ours(settings, "index", once=True))
    announce(settings, "up")
    if install.note(settings):
        supervisor.start(ours(settings, "install", once=True))
        say("The training tools are being installed behind the answers; `luthier doctor` shows how far they are.")
    for endpoint in settings.remote_endpoints:
        say(f"Leaves this machine: {endpoint}")
    _wait_for(f"http://127.0.0.1:{web_port}/health", supervisor, over)
    say(
        f"Luthier is ready: http://127.0.0.1:{settings.port}  (Ctrl-C stops it)"
        if local
        else f"Luthier takes Slack's requests on port {web_port}."
    )


def console(settings: Settings, web_port: int) -> Program:
    """Describe the local Slack: a stranger that shares nothing with us but HTTP."""
    bar = "nothing leaves this machine" if not settings.remote_endpoints else "; ".join(settings.remote_endpoints)
    argv = (
        sys.executable,
        "-m",
        "bot.console",
        "--port",
        str(settings.port),
        "--app-url",
        f"http://127.0.0.1:{web_port}/slack/events",
        "--data",
        str(settings.data / "slack"),
        "--manifest",
        str(ROOT / "manifest.yaml"),
        "--bar",
        bar,
    )
    env = {
        **settings.child_env,
        "SLACK_BOT_TOKEN": settings.slack_bot_token,
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
    }
    return Program(name="slack", argv=argv, env=env, ready=lambda: _answers(f"http://127.0.0.1:{settings.port}/"))


def _listen(over: threading.Event) -> None:
    def stop(_: int, __: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _wait_for(url: str, supervisor: Supervisor, over: threading.Event) -> None:
    for _ in range(240):
        if over.wait(0.25) or _answers(url):
            return
        supervisor.watch()
    raise ServiceError(
        "The web process did not start within a minute.", f"Its log says: {supervisor.last_words('web')}"
    )


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
