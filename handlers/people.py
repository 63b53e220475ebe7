"""Knows who speaks and where, from what Bolt hands a listener; it does not know what they say."""

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt import BoltContext

from knowledge.conversations import Thread
from knowledge.tenancy import Person
from trainers.jobs.service import Place

_ADDRESS = re.compile(r"<(?:https?://|mailto:)?([^<>|]*)\|([^<>]*)>")
_BARE = re.compile(r"<(https?://[^<>|]*|mailto:[^<>|]*)>")
_PERSON = re.compile(r"<[@!#][^<>]*>")


def spoken(text: str, bot_user: str) -> str:
    """Return a message's words: our own mention gone, links and names without Slack's markup, entities undone."""
    bare = re.sub(rf"<@{re.escape(bot_user)}(?:\|[^>]*)?>", " ", text) if bot_user else text
    bare = _PERSON.sub(" ", _BARE.sub(r"\1", bare))
    bare = _ADDRESS.sub(r"\2", bare)
    return bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def person_of(context: BoltContext) -> Person:
    """Return the person behind a request; an organisation-wide installation has no team, its enterprise stands in."""
    return Person(workspace_id=context.team_id or context.enterprise_id or "", user_id=context.user_id or "")


def place_of(body: Mapping[str, Any]) -> Place:
    """Return where a click happened: the thread of its message; empty for a click in a view.

    A payload names its channel `directmessage` or `privategroup` where that is so; ids tell the same of older ones.
    """
    container = body.get("container", {})
    channel = container.get("channel_id") or body.get("channel", {}).get("id") or ""
    message = body.get("message", {})
    ts = container.get("message_ts") or message.get("ts") or ""
    thread = container.get("thread_ts") or message.get("thread_ts") or ("" if container.get("is_ephemeral") else ts)
    return Place(str(channel), str(thread), is_private(str(channel), str(body.get("channel", {}).get("name") or "")))


def aside_of(body: Mapping[str, Any]) -> Place:
    """Return where to tell only whoever clicked: in the thread if the message has one, else in the channel.

    Slack shows nothing private in a thread that nobody has replied in; a message carries its thread once somebody has.
    """
    thread = body.get("container", {}).get("thread_ts") or body.get("message", {}).get("thread_ts") or ""
    return place_of(body)._replace(thread_ts=str(thread))


def is_private(channel: str, name: str) -> bool:
    """Say whether only some people can read a channel, by its id and the name that a command or click gives it."""
    return channel[:1] in ("D", "G", "U", "W") or name in ("directmessage", "privategroup") or name.startswith("mpdm-")


def thread_of(body: Mapping[str, Any], context: BoltContext) -> Thread:
    """Return the thread of a click as a key."""
    return Thread(person_of(context).workspace_id, *place_of(body)[:2])
