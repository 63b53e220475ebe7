"""Knows what opens when somebody asks for a source of an answer; it does not know how the modal looks."""

import json
import re
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks.parts import Block
from handlers.blocks.source import SOURCE, closed_view, gone_view, source_view
from handlers.deps import Deps
from handlers.people import person_of
from handlers.strangers import is_stranger
from knowledge.passages import of_guide
from knowledge.reading import page_sources


def register(app: App, deps: Deps) -> None:
    """Listen for the buttons under an answer."""
    app.action(re.compile(f"^{SOURCE}:"))(partial(open_source, deps))


def open_source(
    deps: Deps, ack: Ack, body: dict[str, Any], action: dict[str, Any], context: BoltContext, client: WebClient
) -> None:
    """Show the passage behind a citation, as it is now, to whoever may read it."""
    ack()
    key, quote = json.loads(action["value"])
    client.views_open(trigger_id=body["trigger_id"], view=_view(deps, context, key, quote))


def _view(deps: Deps, context: BoltContext, key: str, quote: str) -> Block:
    if is_stranger(context) and not of_guide(key):
        return closed_view()
    passage = deps.index.passage(key, person_of(context).workspace_id)
    return source_view(passage, quote, page_sources(passage)) if passage else gone_view()
