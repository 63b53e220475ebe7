"""Knows how we post: quietly, links left folded, never failing over a nicety; it does not know what is said."""

from collections.abc import Sequence
from contextlib import suppress

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks.parts import Block
from handlers.escape import shorten

TEXT = 3900
"""Characters of the plain text beside blocks: chat.update refuses more than 4,000."""

CLOSED = {"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "messages_tab_disabled"}
"""Errors that say: we may not write here."""


def post(client: WebClient, channel: str, text: str, blocks: Sequence[Block] = (), *, thread_ts: str = "") -> str:
    """Post a message and return its time stamp."""
    answer = client.chat_postMessage(
        channel=channel,
        text=shorten(text, TEXT),
        blocks=list(blocks) or None,
        thread_ts=thread_ts or None,
        unfurl_links=False,
        unfurl_media=False,
    )
    return str(answer["ts"])


def begin_thread(client: WebClient, channel: str, thread_ts: str, user: str, text: str) -> tuple[str, str]:
    """Go on in a thread, or begin one with `text`; where we may not write, in our direct messages with the person.

    Returns channel and thread.
    """
    if thread_ts:
        post(client, channel, text, thread_ts=thread_ts)
        return channel, thread_ts
    try:
        answer = client.chat_postMessage(channel=channel or user, text=shorten(text, TEXT), unfurl_links=False)
    except SlackApiError as error:
        if error.response["error"] not in CLOSED:
            raise
        answer = client.chat_postMessage(channel=user, text=shorten(text, TEXT), unfurl_links=False)
    return str(answer["channel"]), str(answer["ts"])


def edit(client: WebClient, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
    """Replace a message of ours."""
    client.chat_update(channel=channel, ts=ts, text=shorten(text, TEXT), blocks=list(blocks))


def whisper(
    client: WebClient, channel: str, user: str, text: str, blocks: Sequence[Block] = (), *, thread_ts: str = ""
) -> None:
    """Show a message to one person only; where we may not write, in our direct messages with them."""
    try:
        client.chat_postEphemeral(
            channel=channel,
            user=user,
            text=shorten(text, TEXT),
            blocks=list(blocks) or None,
            thread_ts=thread_ts or None,
        )
    except SlackApiError as error:
        if not channel or error.response["error"] not in CLOSED | {"user_not_in_channel"}:
            raise
        post(client, user, text, blocks)


def react(client: WebClient, channel: str, ts: str, name: str) -> None:
    """Put an emoji under a message; that it cannot be done is no reason to stop."""
    with suppress(SlackApiError):
        client.reactions_add(channel=channel, timestamp=ts, name=name)


def status(client: WebClient, channel: str, thread_ts: str, words: str) -> None:
    """Show what we are doing under a thread; "" clears it. Workspaces without agents have no such line."""
    with suppress(SlackApiError):
        client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=words)
