"""Knows how we post: quietly, links left folded, never failing over a nicety; it does not know what is said.

Whatever we say in Slack goes through here, and no other module calls `chat.*` (a test looks): nothing is unfurled, as
Slack would fetch an address that somebody planted, and nothing rings a whole channel, whoever wrote it.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from slack_bolt import Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks.parts import Block
from handlers.escape import shorten
from knowledge.tenancy import Person
from trainers.jobs.service import Place

TEXT = 3900
"""Characters of the plain text beside blocks: chat.update refuses more than 4,000."""

CLOSED = {"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "messages_tab_disabled"}
"""Errors that say: we may not write here."""

_BELL = re.compile(r"<(?=!(?:channel|here|everyone|subteam)\b)")


def post(
    client: WebClient,
    channel: str,
    text: str,
    blocks: Sequence[Block] = (),
    *,
    thread_ts: str = "",
    metadata: dict[str, Any] | None = None,
) -> str:
    """Post a message and return its time stamp."""
    return send(client, channel, text, blocks, thread_ts=thread_ts, metadata=metadata).thread_ts


def send(
    client: WebClient,
    channel: str,
    text: str,
    blocks: Sequence[Block] = (),
    *,
    thread_ts: str = "",
    metadata: dict[str, Any] | None = None,
) -> Place:
    """Post a message and return where it is: to a person's id it goes into our direct messages with them."""
    answer = client.chat_postMessage(
        channel=channel,
        **_quiet(text, blocks),
        thread_ts=thread_ts or None,
        unfurl_links=False,
        unfurl_media=False,
        metadata=metadata,
    )
    return Place(str(answer["channel"]), str(answer["ts"]))


def start_growing(client: WebClient, channel: str, thread_ts: str, person: Person, text: str) -> str:
    """Begin a message in a thread that grows; `text` is for a `markdown` block. Returns its time stamp.

    Raises SlackApiError where it may not: old workspaces, people of other workspaces, too many at once.
    """
    answer = client.chat_startStream(
        channel=channel,
        thread_ts=thread_ts,
        recipient_user_id=person.user_id,
        recipient_team_id=person.workspace_id,
        markdown_text=text,
    )
    return str(answer["ts"])


def grow(client: WebClient, channel: str, ts: str, text: str) -> None:
    """Add to a growing message; raises SlackApiError, `stopped_by_user` where a person pressed Stop."""
    client.chat_appendStream(channel=channel, ts=ts, markdown_text=text)


def stop_growing(client: WebClient, channel: str, ts: str, blocks: Sequence[Block] = (), text: str = "") -> None:
    """End a growing message, with a last piece of text and with blocks under it."""
    drawn = _quiet("", blocks)["blocks"]
    client.chat_stopStream(channel=channel, ts=ts, markdown_text=text or None, blocks=drawn)


def remove(client: WebClient, channel: str, ts: str) -> None:
    """Take a message of ours away, also one that still grows; that it is gone already is no reason to stop."""
    for call in (client.chat_stopStream, client.chat_delete):
        with suppress(SlackApiError):
            call(channel=channel, ts=ts)


def begin_thread(client: WebClient, channel: str, thread_ts: str, user: str, text: str) -> tuple[str, str]:
    """Go on in a thread, or begin one with `text`; where we may not write, in our direct messages with the person.

    Returns channel and thread.
    """
    if thread_ts:
        post(client, channel, text, thread_ts=thread_ts)
        return channel, thread_ts
    try:
        begun = send(client, channel or user, text)
    except SlackApiError as error:
        if error.response["error"] not in CLOSED:
            raise
        begun = send(client, user, text)
    return begun.channel, begun.thread_ts


def edit(client: WebClient, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> str:
    """Replace a message of ours and return its time stamp."""
    return str(client.chat_update(channel=channel, ts=ts, **_quiet(text, blocks))["ts"])


def whisper(
    client: WebClient, channel: str, user: str, text: str, blocks: Sequence[Block] = (), *, thread_ts: str = ""
) -> None:
    """Show a message to one person only; where we may not write, in our direct messages with them."""
    try:
        client.chat_postEphemeral(channel=channel, user=user, **_quiet(text, blocks), thread_ts=thread_ts or None)
    except SlackApiError as error:
        if not channel or error.response["error"] not in CLOSED | {"user_not_in_channel"}:
            raise
        post(client, user, text, blocks)


def answer_privately(respond: Respond, text: str, blocks: Sequence[Block] = ()) -> None:
    """Answer a command so that only whoever typed it sees it."""
    respond(**_quiet(shorten(text, 3000), blocks), response_type="ephemeral", unfurl_links=False, unfurl_media=False)


def withdraw(respond: Respond) -> None:
    """Take away the private message whose button was clicked."""
    respond(delete_original=True)


def permalink(client: WebClient, channel: str, ts: str) -> str:
    """Return the address of a message."""
    return str(client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"])


def react(client: WebClient, channel: str, ts: str, name: str) -> None:
    """Put an emoji under a message; that it cannot be done is no reason to stop."""
    with suppress(SlackApiError):
        client.reactions_add(channel=channel, timestamp=ts, name=name)


def status(client: WebClient, channel: str, thread_ts: str, words: str) -> None:
    """Show what we are doing under a thread; "" clears it. Workspaces without agents have no such line."""
    with suppress(SlackApiError):
        client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=words)


def _quiet(text: str, blocks: Sequence[Block]) -> dict[str, Any]:
    """Return text and blocks as Slack takes them, without anything that rings a channel: we never mean to."""
    return {"text": _BELL.sub("&lt;", shorten(text, TEXT)), "blocks": _muted(list(blocks)) or None}


def _muted(value: Any) -> Any:
    if isinstance(value, list):
        return [_muted(part) for part in value]
    if not isinstance(value, dict):
        return value
    made = {name: _muted(part) for name, part in value.items()}
    return made | {"text": _BELL.sub("&lt;", made["text"])} if made.get("type") == "mrkdwn" else made
