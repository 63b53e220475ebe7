"""Knows who is of another company in a channel that companies share, and what they may use; not what comes of it.

Slack Connect: such a channel brings us messages and clicks of people whose workspace did not install us. They are
answered from the guide; what is the installing workspace's (documents, rows, jobs, money) is not theirs to see or use.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import App, BoltContext, BoltResponse

from handlers.blocks.answer import PROMPT
from handlers.blocks.feedback import FEEDBACK, FORM
from handlers.blocks.source import SOURCE
from knowledge.errors import UserError

Json = Mapping[str, Any]

OPEN_TO_ALL = re.compile(rf"(?:{SOURCE}|{PROMPT}):.*|{FEEDBACK}")
"""Action ids that people of another company may use: passages of the guide, suggested questions, thumbs."""

EVENTS = ("app_mention", "message")
"""Events of theirs that are looked at."""

NOT_THEIRS = "That is for the people of the workspace that installed me."
INSTEAD = "You can mention me and ask about prompting, RAG and fine-tuning: I answer from my guide."

_STRANGER, _SHARED = "luthier_stranger", "luthier_shared"


def register(app: App) -> None:
    """Look at every request before any listener does."""
    app.middleware(look)


def look(body: dict[str, Any], context: BoltContext, next: Callable[[], None]) -> BoltResponse | None:
    """Mark a request of another company's person; raise UserError for one that is none of their business."""
    context[_SHARED] = body.get("is_ext_shared_channel") is True
    context[_STRANGER] = not _is_ours(body, context)
    if context[_STRANGER] and not _may(body):
        if body.get("event") is not None:
            return BoltResponse(status=200)  # nobody waits for an answer to it
        raise UserError(NOT_THEIRS, INSTEAD)
    next()
    return None


def is_stranger(context: BoltContext) -> bool:
    """Say whether whoever is behind a request is of another company than the workspace that installed us."""
    return bool(context.get(_STRANGER))


def is_shared(context: BoltContext) -> bool:
    """Say whether an event happened in a channel that another company reads too; commands and clicks do not tell."""
    return bool(context.get(_SHARED))


def _may(body: Json) -> bool:
    event = body.get("event")
    if event is not None:
        return event.get("type") in EVENTS
    if "actions" in body:
        return all(OPEN_TO_ALL.fullmatch(str(action.get("action_id"))) for action in body["actions"])
    return body.get("type") == "view_submission" and body.get("view", {}).get("callback_id") == FORM


def _is_ours(body: Json, context: BoltContext) -> bool:
    """Say whether a person belongs to the installing workspace, or to its organisation.

    In a shared channel whoever cannot be told is nobody of ours.
    """
    known = context.authorize_result
    home = {known.team_id, known.enterprise_id} - {None, ""} if known else {context.team_id}
    if "event" in body:
        if body.get("is_ext_shared_channel") is True:
            # Bolt sorts out user_team, team and the outer ids, which differ between the kinds of events.
            return bool(home & {context.actor_team_id, context.actor_enterprise_id})
        named = body["event"].get("user_team") or body["event"].get("team")
        # Inside one organisation people of its other workspaces come along, without being of another company.
        return not isinstance(named, str) or named in home or bool(known and known.enterprise_id)
    if "command" in body:
        return bool(home & {body.get("team_id"), body.get("enterprise_id")}) or bool(context.is_enterprise_install)
    user = body.get("user")
    team = user.get("team_id") if isinstance(user, dict) else None
    # `team` of a click is the workspace that installed us; `team_id` of its user is where that person is from.
    return not team or team in home or bool(context.is_enterprise_install)
