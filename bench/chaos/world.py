"""Knows what a chaos run starts around our processes: database, queue, provider with faults, local Slack."""

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from bot.services import free_port, servers
from bot.settings import CHILD_VARIABLES, Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.supervisor import Program, Supervisor
from bot.up import LocalSlack, console
from tests.postgres import DURABLE, Postgres

CREATES = {"drop_before": 0.02, "drop_after": 0.02, "slow": 0.01, "busy": 0.01}
"""Share of the paid calls with each fault: broken before and after it is kept, slower than we wait, 429."""

OTHERS = {"drop_before": 0.01, "drop_after": 0.01, "busy": 0.01}
"""The same for reads and deletions."""

TIMEOUT, LAG, GRACE, LEASE = 0.5, 0.5, 1.2, 2.0
"""Seconds: as the settings of these names, some ten times shorter than they are by default."""

FAULTS = {
    "upload": CREATES,
    "start": CREATES,
    "delete": OTHERS,
    "read": OTHERS,
    "slow_seconds": 1.5 * TIMEOUT,
    "retry_after": 0.3,
    "list_lag": 0.3,
}

PACE = ("0.1", "0.1", "0.3")
"""Seconds that a job at the provider is checked, waits and runs."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What surrounds our processes."""

    settings: Settings
    supervisor: Supervisor
    web_port: int
    """Where the local Slack sends what people do."""
    ledger: Path
    """The provider's ledger."""


@contextmanager
def world(data: Path, ledger: Path, *, seed: int, postgres: bool) -> Iterator[World]:
    """Start everything but our own processes, and end it."""
    supervisor = Supervisor(logs=data / "logs", say=lambda _: None)
    server = Postgres(DURABLE) if postgres else None
    try:
        settings = _settings(data, server.url(server.create()) if server else "")
        migrate(open_engine(settings.database), data / "run")
        with servers(settings, supervisor, vectors=False) as ready:
            web_port = free_port()
            supervisor.start(console(ready, web_port, LocalSlack()))
            supervisor.start(_provider(ready, ledger, seed))
            yield World(settings=ready, supervisor=supervisor, web_port=web_port, ledger=ledger)
    finally:
        supervisor.stop()
        if server:
            server.stop()


def _settings(data: Path, database_url: str) -> Settings:
    env = {name: os.environ[name] for name in CHILD_VARIABLES if name in os.environ}
    (data / "run").mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = Settings.from_env(
        env,
        data=data,
        database_url=database_url,
        port=port,
        slack_api_url=f"http://127.0.0.1:{port}/api/",
        slack_bot_token=f"xoxb-local-{secrets.token_hex(16)}",
        slack_signing_secret=secrets.token_hex(16),
        slack_timeout=3,
        rehearsal_url=f"http://127.0.0.1:{free_port()}/v1",
    )
    return replace(
        settings,
        lease=LEASE,
        provider_timeout=TIMEOUT,
        provider_lag=LAG,
        provider_grace=GRACE,
        provider_poll=0.5,
    )


def _provider(settings: Settings, ledger: Path, seed: int) -> Program:
    port = settings.rehearsal_url.rpartition(":")[2].partition("/")[0]
    argv = (sys.executable, "-m", "trainers.rehearsal", "--port", port, "--ledger", str(ledger), "--pace", *PACE)
    argv = (*argv, "--faults", json.dumps(FAULTS), "--seed", str(seed))
    return Program(name="provider", argv=argv, env=settings.child_env, ready=lambda: _answers(settings.rehearsal_url))


def _answers(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/models", timeout=2, trust_env=False).status_code)
    except httpx.HTTPError:
        return False
