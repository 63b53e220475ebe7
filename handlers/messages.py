"""Knows which messages without a mention are for us: direct ones, and replies in threads that we are in."""

import re
from functools import partial
from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient

from handlers.answering import reply
from handlers.deps import Deps
from handlers.mentions import heard_from
from knowledge.conversations import Conversations

SPOKEN = (None, "file_share", "thread_broadcast")
"""Subtypes under which people say something; all others report edits, joins and the like."""

_TO_SOMEBODY_ELSE = re.compile(r"^\s*<@[UW][A-Z0-9]+")


def register(app: App, deps: Deps) -> None:
    """Listen for messages."""
    app.event("message")(partial(said, deps))


def said(deps: Deps, event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
    """Answer a direct message, or a reply in a thread that we are in; everything else is neither read nor kept."""
    if event.get("subtype") not in SPOKEN or event.get("bot_id") or not event.get("user"):
        return
    direct = event.get("channel_type") == "im"
    if not direct and not _for_us(event, context):
        return
    heard = heard_from(event, context, addressed=direct)
    if direct or Conversations(deps.engine).find(heard.thread) is not None:
        reply(client, deps, heard)


def _for_us(event: dict[str, Any], context: BoltContext) -> bool:
    """Say whether a channel message may be a follow-up: a reply without our mention (that comes as its own event)."""
    text = str(event.get("text") or "")
    ours = f"<@{context.bot_user_id}"
    return bool(event.get("thread_ts")) and ours not in text and not _TO_SOMEBODY_ELSE.match(text)
