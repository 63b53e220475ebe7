"""Knows how a failure is told to the person it happened to; it does not know how to put it right."""

import logging
import secrets
import urllib.error
from collections.abc import Mapping
from typing import Any, NamedTuple

from slack_bolt import App, BoltContext, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from sqlalchemy.exc import OperationalError

from handlers.blocks.words import in_slack, with_people
from handlers.escape import mrkdwn
from handlers.people import aside_of
from handlers.posting import post, status, whisper
from knowledge.errors import ServiceError, UserError
from trainers.errors import NotAllowed, OverBudget

log = logging.getLogger("luthier.handlers")

TOO_LATE = {"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged"}

BROKE = "Something broke on my side, and it is not your doing."


class Where(NamedTuple):
    """Where to tell somebody that something failed."""

    channel: str
    thread_ts: str
    user: str
    private: bool
    """Whether only that person should see it."""


def register(app: App) -> None:
    """Listen for what listeners raise."""
    app.error(tell)


def tell(error: Exception, body: dict[str, Any], context: BoltContext, client: WebClient) -> BoltResponse | None:
    """Tell the person what happened and what to do next.

    An event counts as done then; where Slack itself did not take our words it does not, and is tried again.
    """
    if isinstance(error, SlackApiError) and error.response.get("error") in TOO_LATE:
        error = UserError("Slack gives a click three seconds to open a form, and they ran out.", "Click again.")
    if isinstance(error, SlackClientError | urllib.error.URLError | ConnectionError | TimeoutError):
        log.warning("Slack did not take a call: %s", _slack_reason(error))
        return None
    where = where_from(body, context)
    if where is not None:
        _say(client, where, words_for(error))
        status(client, where.channel, where.thread_ts, "")
    return BoltResponse(status=200)


def words_for(error: Exception) -> str:
    """Return what a person should read about a failure; an unforeseen one is logged without content."""
    if isinstance(error, UserError | ServiceError):
        words = told(error.what, error.next_step)
        return with_people(words) if isinstance(error, NotAllowed | OverBudget) else words
    if isinstance(error, OperationalError):
        log.error("the database did not answer: %s", type(error.orig).__name__)
        return told("The database did not take that: it is busy, full or away.", "Look, and try again in a minute.")
    reference = secrets.token_hex(3)
    # The traceback names files and lines; the error's own text may repeat what somebody wrote, so it stays out.
    places = [f"{frame.f_code.co_filename}:{line}" for frame, line in _walk(error)]
    log.error("unforeseen %s, reference %s, at %s", type(error).__name__, reference, " < ".join(reversed(places[-6:])))
    return f"{BROKE} Try again; if it stays, give your admin the reference `{reference}`."


def told(what: str, next_step: str) -> str:
    """Join what happened and what to do."""
    return in_slack(mrkdwn(f"{what} {next_step}".strip()))


def where_from(body: Mapping[str, Any], context: BoltContext) -> Where | None:
    """Return where the person is waiting for an answer, or None where nobody is."""
    user = context.user_id or ""
    event = body.get("event")
    if event is not None:
        channel, ts = event.get("channel"), event.get("thread_ts") or event.get("ts")
        return (
            Where(str(channel), str(ts), user, private=False)
            if channel and ts and event.get("text") is not None
            else None
        )
    if "command" in body:
        return Where(str(body.get("channel_id") or user), "", user, private=True)
    place = aside_of(body)
    return Where(place.channel or user, place.thread_ts, user, private=bool(place.channel)) if user else None


def _say(client: WebClient, where: Where, words: str) -> None:
    if where.private:
        whisper(client, where.channel, where.user, words, thread_ts=where.thread_ts)
    else:
        post(client, where.channel, words, thread_ts=where.thread_ts)


def _slack_reason(error: Exception) -> str:
    return str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__


def _walk(error: Exception) -> list[tuple[Any, int]]:
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return found
