"""A whole Slack side for tests: the local Slack, a real Bolt app on HTTP, real jobs on SQLite, the real messenger."""

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from sqlalchemy import Engine
from sqlmodel import SQLModel

import handlers
import knowledge.conversations
from bot.messenger import Messenger
from bot.store.engine import open_engine
from handlers.deps import Deps
from knowledge.index import Index
from knowledge.tenancy import Person
from tests.console import LocalSlack
from trainers.data.counting import counter
from trainers.data.store import Datasets
from trainers.evals.rule import SuccessRule
from trainers.jobs.ledger import Ledger
from trainers.jobs.queue import SilentDoorbell
from trainers.jobs.service import Jobs
from trainers.registry import Registry
from trainers.serving import Said

NOW = datetime(2026, 11, 22, 10, 3, tzinfo=UTC)
ADA = Person(workspace_id="T0NORTHWIND", user_id="U0ADA")


class Echo:
    """Models that say who they are and repeat the question: what is tested here is how answers are shown."""

    def say(self, adapter: Path | None, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 128) -> Said:
        who = "tuned" if adapter else "base"
        return Said(f"{who} heard: {messages[-1]['content']}", 0.25)


class Hands(threading.Thread):
    """Serves a Bolt app as the web process does: events are worked off before the answer, interactions acked first."""

    def __init__(self, events: App, interactions: App) -> None:
        super().__init__(daemon=True)
        self.statuses: list[int] = []
        statuses = self.statuses

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                app = events if "json" in self.headers["Content-Type"] else interactions
                answer = app.dispatch(BoltRequest(body=body, headers=dict(self.headers.items())))
                statuses.append(answer.status)
                payload = answer.body.encode()
                self.send_response(answer.status)
                for name, values in answer.headers.items():
                    self.send_header(name, values[0])
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/slack/events"

    def run(self) -> None:
        self.server.serve_forever(poll_interval=0.05)


class World:
    """Everything that a handler test touches."""

    def __init__(self, slack: LocalSlack, folder: Path, index: Index) -> None:
        self.slack = slack
        self.now = NOW
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'luthier.db'}")
        assert knowledge.conversations  # its tables are made with the others
        SQLModel.metadata.create_all(self.engine)
        self.deps = build_deps(self.engine, folder, index, slack, lambda: self.now)
        client = WebClient(slack.bot_token, base_url=f"{slack.url}/api/")
        self.messenger = Messenger(deps=self.deps, slack=lambda _: client, folder=folder, clock=lambda: self.now)
        self.served: list[Hands] = []
        self.hands = serve(self)

    def stop(self) -> None:
        for hands in self.served:
            hands.server.shutdown()
            hands.server.server_close()
        self.engine.dispose()

    def event(self, event: dict[str, Any], **more: Any) -> int:
        """Send an event as Slack would, also one that the page would not let a person type; gives the status."""
        outer = {"type": "event_callback", "team_id": ADA.workspace_id, "event": event, "event_id": "Ev1"}
        who = {"team_id": ADA.workspace_id, "user_id": "U0LUTHIER", "is_bot": True}
        return self.slack.http.post(self.hands.url, json={**outer, "authorizations": [who], **more}).status_code

    def deliver(self) -> int:
        """Let the messenger send what is owed, edits too."""
        self.now += timedelta(seconds=4)
        return self.messenger.drain()


def serve(world: World) -> Hands:
    """Serve the world's deps from now on."""
    client = WebClient(world.slack.bot_token, base_url=f"{world.slack.url}/api/")
    hands = Hands(bolt(client, world.deps, wait=True), bolt(client, world.deps, wait=False))
    hands.start()
    world.served.append(hands)
    world.slack.point_at(hands.url)
    return hands


def bolt(client: WebClient, deps: Deps, *, wait: bool) -> App:
    # without a name Bolt looks for one through the sources of all modules: a third of a second
    app = App(name="luthier", client=client, process_before_response=wait, request_verification_enabled=False)
    handlers.register(app, deps)
    return app


def build_deps(engine: Engine, folder: Path, index: Index, slack: LocalSlack, clock: Any) -> Deps:
    datasets = Datasets(engine, folder, lambda _: counter("estimate"))
    jobs = Jobs(
        ledger=Ledger(engine),
        doorbell=SilentDoorbell(),
        datasets=datasets,
        tokenizer=lambda _: None,
        rule=SuccessRule(),
    )
    return Deps(
        engine=engine,
        index=index,
        model=None,
        jobs=jobs,
        datasets=datasets,
        registry=Registry(engine, folder),
        models=Echo(),
        file_hosts=frozenset({f"127.0.0.1:{slack.port}"}),
        file_limit=1_000_000,
        clock=clock,
        install_note=lambda: "",
    )  # type: ignore[arg-type]  # Echo is no LocalModels
