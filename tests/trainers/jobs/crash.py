"""The side that lives: it lets children die at chosen calls, lets the rest of Luthier recover, and judges the rest."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from tests.console import LocalSlack
from tests.trainers.jobs.crash_child import CHANNEL, KILLED, SECRET
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers.states import STATES, TRANSITIONS

ROOT = Path(__file__).resolve().parents[3]

ROUNDS = 60
"""More rounds of recovery than any of these jobs needs."""

BACKENDS = {
    "pay": "hosted_rehearsal", "ask": "hosted_rehearsal", "call_off": "hosted_rehearsal",
    "fail": "broken", "wait": "patient",
}  # fmt: skip
"""Backend by act, where it is not the plain rehearsal."""


class Nursery:
    """The warm parent of those who die."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.trainers.jobs.crash_child"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        assert self._from.readline() == "ready\n"

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Let a child carry out an order; gives its exit status and what it said."""
        self._to.write(json.dumps(order) + "\n")
        self._to.flush()
        answer: dict[str, Any] = json.loads(self._from.readline())
        assert answer["status"] in (0, KILLED), answer.get("broke")
        return answer

    def stop(self) -> None:
        self._to.close()
        self._from.close()
        self._process.wait(10)


@contextmanager
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.stop()


@dataclass(kw_only=True)
class Ward:
    """One installation on which children die: a database, a data folder, a queue, a Slack and a provider."""

    nursery: Nursery
    engine: Engine
    env: dict[str, str]
    slack: LocalSlack
    provider: ThreadProvider
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @classmethod
    def build(
        cls, nursery: Nursery, engine: Engine, slack: LocalSlack, folder: Path, queue: str, provider: ThreadProvider
    ) -> "Ward":
        env = {
            "DATA_DIR": str(folder),
            "LUTHIER_CACHE": str(folder / "cache"),
            "DATABASE_URL": engine.url.render_as_string(hide_password=False),
            "REDIS_URL": queue,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": f"{slack.url}/api/",
            "LUTHIER_NOTIFY_CHANNEL": CHANNEL,
        }
        made = cls(nursery=nursery, engine=engine, env=env, slack=slack, provider=provider)
        made.order("prepare")
        return made

    def order(self, act: str, k: int = 0, on: str = "") -> dict[str, Any]:
        """Let a child carry out an act; `on` names the act whose backend works on the jobs."""
        backend = BACKENDS.get(on or act, "rehearsal")
        return self.nursery.run(
            {
                "act": act,
                "k": k,
                "env": self.env,
                "now": self.now.isoformat(),
                "backend": backend,
                "spec_backend": "hosted_rehearsal" if backend == "hosted_rehearsal" else "rehearsal",
                "provider": self.provider.url,
            }
        )

    def die(self, act: str, k: int) -> bool:
        """Carry out an act and die at its k-th call; False where it was over before that."""
        self.now += timedelta(minutes=1)
        return bool(self.order(act, k)["status"] == KILLED)

    def recover(self, on: str = "") -> None:
        """Let time pass and the other processes work until nothing is left to do."""
        for _ in range(ROUNDS):
            self.now += timedelta(seconds=30)
            if self.order("recover", on=on)["left"] == 0:
                return
        raise AssertionError(f"not recovered after {ROUNDS} rounds: {self.rows('select id, state, phase from job')}")

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.execution_options(reading=True).connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def newest(self) -> str:
        """Id of the newest job; empty where there is none."""
        found = self.rows("select id from job order by number desc limit 1")
        return str(found[0][0]) if found else ""

    def judge(self, job_id: str) -> str:
        """Assert that a job and all it left behind is legal; gives its state."""
        [(state,)] = self.rows("select state from job where id = :id", id=job_id)
        assert state in STATES
        self._judge_history(job_id, state)
        owed = self.rows(
            "select key, kind, version, sent_version, problem from outbox_message where job_id = :id", id=job_id
        )
        assert [row for row in owed if row[2] != row[3] or row[4]] == [], "not sent"
        posted = self._posted(job_id)
        wanted = [f"{job_id}:{key}" for key, kind, *_ in owed if kind != "home"]
        assert dict.fromkeys(wanted, 1) == posted, f"posted {posted}, owed {wanted}"
        self._judge_payments(job_id)
        return str(state)

    def _judge_payments(self, job_id: str) -> None:
        """The provider's own book says how often something was made for a job, and whether it is still there."""
        made = self.rows("select id, kind from submission where job_id = :id", id=job_id)
        for id_, _ in made:
            assert self.provider.count("created")[id_] <= 1, "paid twice"
        assert len(made) == len({kind for _, kind in made})

    def _judge_history(self, job_id: str, state: str) -> None:
        steps = self.rows("select old_state, new_state, fence from job_event where job_id = :id order by id", id=job_id)
        at, fences = "draft", [0]
        for old, new, fence in steps:
            assert old == at, f"{steps} is no path"
            assert new == old or new in TRANSITIONS[old]
            at = new
            fences.append(fence)
        assert at == state, f"{steps} does not end at {state}"
        assert fences == sorted(fences)

    def _posted(self, job_id: str) -> dict[str, int]:
        """Count the messages in Slack's own record, threads included, by the key that they carry."""
        asked = {"channel": CHANNEL, "limit": 60, "include_all_metadata": True}
        found = list(self.slack.web.conversations_history(**asked)["messages"])
        for root in [post for post in found if post.get("reply_count")]:
            found += self.slack.web.conversations_replies(**asked, ts=root["ts"])["messages"][1:]
        keys = [post.get("metadata", {}).get("event_payload", {}).get("key", "") for post in found]
        return dict(Counter(key for key in keys if key.startswith(f"{job_id}:")))


def clicks(ward: Ward) -> int:
    """How many clicks of a person the inbox holds."""
    return int(ward.rows("select count(*) from inbox")[0][0])


__all__ = ["CHANNEL", "Nursery", "Ward", "clicks", "nursery"]
