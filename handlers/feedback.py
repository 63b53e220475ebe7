"""Knows what a thumb under a message leads to: quiet thanks, or a small form; it does not know how they look."""

import json
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks.feedback import FEEDBACK, FORM, SAID, VERDICT, feedback_form, read_thumb
from handlers.deps import Deps
from handlers.people import aside_of, person_of, thread_of
from handlers.posting import whisper
from knowledge.conversations import Thread
from knowledge.feedback import Feedback

Json = dict[str, Any]

THANKS = "Thank you, I noted it."


def register(app: App, deps: Deps) -> None:
    """Listen for thumbs and for the form."""
    app.action(FEEDBACK)(partial(rated, deps))
    app.view(FORM)(partial(explained, deps))


def rated(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Keep a thumb; thank privately for one that is up, and ask what was wrong for one that is down."""
    ack()
    thread, ts, user = thread_of(body, context), str(body["container"]["message_ts"]), context.user_id or ""
    good, receipt = read_thumb(str(action["value"]))
    Feedback(deps.engine).rate(thread, ts, user, good, deps.clock(), receipt)
    if good:
        whisper(client, thread.channel, user, THANKS, thread_ts=aside_of(body).thread_ts)
    else:
        metadata = json.dumps([thread.channel, thread.thread_ts, ts, aside_of(body).thread_ts])
        client.views_open(trigger_id=body["trigger_id"], view=feedback_form(metadata))


def explained(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Keep what was wrong, and thank privately."""
    ack()
    person, values = person_of(context), view["state"]["values"]
    channel, thread_ts, ts, aside = json.loads(view["private_metadata"])
    chosen = values[VERDICT][VERDICT].get("selected_option") or {}
    words = str(values[SAID][SAID].get("value") or "").strip()
    thread = Thread(person.workspace_id, channel, thread_ts)
    Feedback(deps.engine).explain(thread, ts, person.user_id, str(chosen.get("value") or ""), words)
    whisper(client, channel, person.user_id, THANKS, thread_ts=aside)
