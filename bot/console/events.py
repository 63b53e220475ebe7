"""Wraps what happened into Events API envelopes and hands them to the courier. Knows shapes and subscriptions."""

import base64

from bot.console.wire import Json
from bot.console.workspace import Workspace

SUBSCRIPTIONS = {"im": "message.im", "channel": "message.channels", "group": "message.groups", "mpim": "message.mpim"}


def emit(space: Workspace, event: Json, subscription: str = "") -> None:
    """Send one event to the app if it subscribed to it; `subscription` names it where that is not the type."""
    if space.settings.manifest.wants(subscription or event["type"]):
        space.courier.send_event(envelope(space, event))


def emit_message(space: Workspace, channel: Json, message: Json) -> None:
    """A message event for the app, in a channel that it is in."""
    if space.store.is_member(channel["id"], space.who.bot_user):
        kind = space.channel_type(channel)
        where = {"channel": channel["id"], "channel_type": kind}
        emit(space, {"event_ts": message["ts"], **message, **where}, SUBSCRIPTIONS[kind])


def emit_within(space: Workspace, channel_id: str, event: Json) -> None:
    """Send an event about something in a channel, if the app is in it."""
    if space.store.is_member(channel_id, space.who.bot_user):
        emit(space, {**event, "event_ts": space.clock.ts()})


def emit_mention(space: Workspace, channel: Json, message: Json) -> None:
    """The app_mention event beside the message event, in a channel that the app is in; never in a direct message."""
    if not space.store.is_member(channel["id"], space.who.bot_user):
        return
    kept = ("user", "ts", "client_msg_id", "text", "team", "blocks", "thread_ts", "parent_user_id", "files", "upload")
    event = {key: message[key] for key in kept if key in message}
    home, theirs = space.who.team_id, message.get("team")
    if theirs != home:  # of another company, in a channel that both share
        event |= {"team": home, "user_team": theirs, "source_team": theirs, "user_profile": {"team": theirs}}
    emit(space, {"type": "app_mention", **event, "channel": channel["id"], "event_ts": message["ts"]})


def envelope(space: Workspace, event: Json) -> Json:
    """The outer `event_callback` object."""
    who, is_shared = space.who, _is_shared(space, event)
    # A message of another company's person names that company's workspace, and ours as the context.
    origin = event.get("team", who.team_id) if is_shared and event["type"] == "message" else who.team_id
    context = f'{{"et":"{event["type"]}","tid":"{who.team_id}","aid":"{who.app_id}"}}'
    authorization = {
        "enterprise_id": None,
        "team_id": who.team_id,
        "user_id": who.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "local-slack-verification-token",
        "team_id": origin,
        "context_team_id": who.team_id,
        "context_enterprise_id": None,
        "api_app_id": who.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": space.clock.id("Ev"),
        "event_time": int(space.clock.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": is_shared,
        "event_context": "4-" + base64.urlsafe_b64encode(context.encode()).decode().rstrip("="),
    }


def _is_shared(space: Workspace, event: Json) -> bool:
    """Whether an event is of a channel that another company reads too."""
    channel = event.get("channel")
    found = space.store.get("channel", channel) if isinstance(channel, str) else None
    return bool(found and found.get("is_ext_shared"))
