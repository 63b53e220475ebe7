"""Knows what a mention in a channel is: a message for us; it does not know how it is answered."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient

from handlers.answering import Heard, reply
from handlers.deps import Deps
from handlers.files import KINDS
from handlers.people import person_of, spoken
from handlers.strangers import is_shared, is_stranger

_LEARN = re.compile(
    r"\b(?:learn|remember|index|read)\b.{0,40}\b(?:this|these|it|them|file|files|documents?|pdf)\b"
    r"|\b(?:as|to (?:your|our|the)) (?:documents?|sources?)\b|^\s*learn\b",
    re.IGNORECASE,
)
"""How people say that a file is meant for answers."""


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
    given = event.get("files") or ()
    learn = wants_learning(text, given)
    files = [] if learn else [file for file in given if may_hold_rows(file) or not text]
    return Heard(
        person=person_of(context), channel=str(event["channel"]), ts=str(event["ts"]),
        thread_ts=str(event.get("thread_ts") or event["ts"]), text=text,
        file_ids=tuple(str(file["id"]) for file in files), addressed=addressed, bot_user=bot_user,
        to_learn=tuple((str(file["id"]), str(file.get("name") or "file")) for file in given if learn),
        unshared=any(file.get("is_public") is False for file in given if learn),
        stranger=is_stranger(context), shared=is_shared(context),
    )  # fmt: skip


def wants_learning(text: str, files: Sequence[dict[str, Any]]) -> bool:
    """Say whether files are meant as documents: somebody says so, or they are nothing else and nothing is said."""
    if not files:
        return False
    return bool(_LEARN.search(text)) or (not text and not any(may_hold_rows(file) for file in files))


def may_hold_rows(file: dict[str, Any]) -> bool:
    """Say whether a file may be meant as training rows; a picture beside a question is not."""
    return str(file.get("name") or "").lower().rpartition(".")[2] in KINDS
