"""Knows how all of Luthier starts on one machine and ends again; each part is a process of its own."""

import secrets
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType

import httpx

from bot import install
from bot.services import announce, check_port, free_port, holding, ours, provider, servers
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.supervisor import Program, Supervisor
from bot.wiring import ROOT
from knowledge.certificates import needed
from knowledge.errors import ServiceError, UserError

Say = Callable[[str], None]

TEAMS = ("T0NORTHWIND", "T1HARBOUR", "T2KESTREL", "T3LUMEN", "T4MERIDIAN")
"""Ids of the local Slack's workspaces."""


@dataclass(frozen=True, kw_only=True)
class LocalSlack:
    """What kind of local Slack to start."""

    people: int = 3
    """People in each workspace; from the fourth on there are an administrator and guests."""
    workspaces: int = 1
    """Workspaces in which Luthier is installed."""
    faults: bool = False
    """Duplicate and late events, failing and slow answers, rate limits."""
    rehearse: str = ""
    """Hosted trainer whose jobs a provider beside it only pretends to run."""

    def __post_init__(self) -> None:
        """Refuse what the local Slack would refuse, before anything starts."""
        if not 1 <= self.people <= PEOPLE_MOST or not 1 <= self.workspaces <= WORKSPACES_MOST:
            raise UserError(
                f"The local Slack has 1 to {WORKSPACES_MOST} workspaces with 1 to {PEOPLE_MOST} people each.",
                "Choose numbers within these.",
            )


PEOPLE_MOST, WORKSPACES_MOST = 24, 5
NOTIFY_CHANNELS = tuple(f"{team}=C{place}TUNING" for place, team in enumerate(TEAMS))
"""#fine-tuning of each of the local Slack's workspaces."""


def up(settings: Settings, say: Say, chosen: LocalSlack | None = None) -> None:
    """Start everything, print the address, keep it running until Ctrl-C, and leave nothing behind."""
    if chosen and settings.slack_bot_token:
        raise UserError(
            "SLACK_BOT_TOKEN is set, so no local Slack is started.",
            "Unset it, or leave out --people, --workspaces, --faults and --rehearse.",
        )
    check_port(settings.port)
    over = threading.Event()
    _listen(over)
    with holding(settings):
        say(f"Data: {settings.data}")
        migrate(open_engine(settings.database), settings.run)
        supervisor = Supervisor(logs=settings.data / "logs", say=say)
        try:
            with servers(settings, supervisor) as with_servers:
                _start(with_servers, supervisor, say, over, chosen or LocalSlack())
                while not over.wait(0.5):
                    supervisor.watch()
        finally:
            say("Stopping…")
            supervisor.stop()
    say("Stopped. Nothing is left running; all data stays in the data folder.")


def _start(settings: Settings, supervisor: Supervisor, say: Say, over: threading.Event, chosen: LocalSlack) -> None:
    local = not settings.slack_bot_token
    web_port = free_port() if local else settings.port
    if chosen.rehearse:
        settings = _rehearsing(settings, supervisor, say, chosen.rehearse)
    if local:
        settings = replace(
            settings,
            slack_api_url=f"http://127.0.0.1:{settings.port}/api/",
            slack_bot_token=",".join(f"xoxb-local-{secrets.token_hex(16)}" for _ in range(chosen.workspaces)),
            slack_signing_secret=secrets.token_hex(16),
            public_url=settings.public_url or f"http://127.0.0.1:{web_port}",
            notify_channel=settings.notify_channel or ",".join(NOTIFY_CHANNELS[: chosen.workspaces]),
        )
        supervisor.start(console(settings, web_port, chosen))
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


def _rehearsing(settings: Settings, supervisor: Supervisor, say: Say, trainer: str) -> Settings:
    """Start the rehearsal provider, and return settings under which a trainer's jobs go there."""
    port = free_port()
    settings = replace(settings, rehearse=trainer, rehearsal_url=f"http://127.0.0.1:{port}/v1")
    supervisor.start(provider(settings, port))
    say(f"Rehearsal: jobs on {trainer} go to a provider on this machine. Nothing is trained and nothing is charged.")
    return settings


def console(settings: Settings, web_port: int, chosen: LocalSlack) -> Program:
    """Describe the local Slack: a stranger that shares nothing with us but HTTP."""
    bar = "nothing leaves this machine" if not settings.remote_endpoints else "; ".join(settings.remote_endpoints)
    bar = f"{bar}; jobs on {chosen.rehearse} are a REHEARSAL: nothing is trained" if chosen.rehearse else bar
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
        "--people",
        str(chosen.people),
        "--workspaces",
        str(chosen.workspaces),
        *(["--faults"] if chosen.faults else []),
    )
    env = {
        **settings.child_env,
        "SLACK_BOT_TOKEN": settings.slack_bot_token,
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
        **{name: secrets.token_hex(16) for name in ("SLACK_APP_TOKEN", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")},
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
        return httpx.get(url, timeout=2, verify=needed(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
