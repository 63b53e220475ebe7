"""Knows what came of a run, from the provider's ledger and the local Slack alone; it knows nothing of how it went.

Our own database is asked one thing: which submission id belongs to which job. An id that it does not know is an orphan.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slack_sdk import WebClient

from trainers.jobs.messages import EndedCard, ReportCard

FINAL = (ReportCard.KIND, EndedCard.KIND)
"""Kinds of posts that tell people how a job ended."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What went wrong, counted."""

    lost: int
    """Jobs that the provider never accepted, or whose end nobody was told."""
    paid_twice: int
    """Jobs that the provider accepted, beyond one for each of ours."""
    duplicate_posts: int
    """Final posts beyond one for each job."""
    orphans: int
    """Provider jobs that nobody here knows, and files that were left there."""
    failed: int
    """Jobs that ended without a report."""


def judge(ledger: Path, posts: Mapping[str, int], jobs: Iterable[str], owners: Mapping[str, str]) -> Verdict:
    """Judge a run.

    `posts`: how often each outbox key (`job id:kind-fence`) stands in Slack; `jobs`: the ids of all jobs that were
    asked for; `owners`: submission id -> job id.
    """
    lines = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    accepted = Counter(owners.get(line["submission_id"], "") for line in lines if line["event"] == "created")
    nobodys = accepted.pop("", 0)
    told = {kind: _told(posts, kind) for kind in FINAL}
    final = sum(told.values(), Counter[str]())
    return Verdict(
        lost=sum(1 for job in jobs if not accepted[job] or not final[job]),
        paid_twice=sum(count - 1 for count in accepted.values()),
        duplicate_posts=sum(count - 1 for count in final.values()),
        orphans=nobodys + len(left_files(lines)),
        failed=len(told[EndedCard.KIND]),
    )


def read_posts(slack: WebClient, channel: str) -> Counter[str]:
    """Count the messages of a channel and its threads by the outbox key in their metadata."""
    found: Counter[str] = Counter()
    for root in _pages(slack.conversations_history, channel=channel):
        found.update(_key(root))
        if root.get("reply_count"):
            for reply in _pages(slack.conversations_replies, channel=channel, ts=root["ts"]):
                found.update(_key(reply) if reply["ts"] != root["ts"] else [])
    return found


def _told(posts: Mapping[str, int], kind: str) -> Counter[str]:
    told: Counter[str] = Counter()
    for key, count in posts.items():
        job, _, name = key.partition(":")
        if name.rpartition("-")[0] == kind:
            told[job] += count
    return told


def left_files(lines: Sequence[dict[str, Any]]) -> set[str]:
    """Return the files that were sent to the provider and that nobody deleted there."""
    sent = {line["id"] for line in lines if line["event"] == "uploaded"}
    return sent - {line["id"] for line in lines if line["event"] == "deleted"}


def _key(message: Mapping[str, Any]) -> list[str]:
    key = ((message.get("metadata") or {}).get("event_payload") or {}).get("key")
    return [key] if key else []


def _pages(read: Any, **where: str) -> Iterable[dict[str, Any]]:
    cursor = ""
    while True:
        page = read(**where, include_all_metadata=True, limit=200, cursor=cursor or None)
        yield from page["messages"]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
