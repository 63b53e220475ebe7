"""Knows what a mention in a channel is: a message for us; it does not know how it is answered."""

from functools import partial
from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient

from handlers.answering import Heard, reply
from handlers.deps import Deps
from handlers.people import person_of, spoken


def register(app: App, deps: Deps) -> None:
    """Listen for mentions."""
    app.event("app_mention")(partial(mentioned, deps))


def mentioned(deps: Deps, event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
    """Answer a mention in its thread."""
    if event.get("bot_id") or event.get("edited"):
        return
    reply(client, deps, heard_from(event, context, addressed=True))


def heard_from(event: dict[str, Any], context: BoltContext, *, addressed: bool) -> Heard:
    """Read a message or mention event."""
    bot_user = context.bot_user_id or ""
    text = spoken(str(event.get("text") or ""), bot_user)
    files = [file for file in event.get("files") or () if may_hold_rows(file) or not text]
    return Heard(
        person=person_of(context), channel=str(event["channel"]), ts=str(event["ts"]),
        thread_ts=str(event.get("thread_ts") or event["ts"]), text=text,
        file_ids=tuple(str(file["id"]) for file in files), addressed=addressed, bot_user=bot_user,
    )  # fmt: skip


def may_hold_rows(file: dict[str, Any]) -> bool:
    """Say whether a file may be meant as training rows; a picture beside a question is not."""
    return str(file.get("name") or "").lower().rpartition(".")[2] in {"jsonl", "ndjson", "json", "txt", "csv", "tsv"}
