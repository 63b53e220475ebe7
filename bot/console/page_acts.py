"""What a person does at the page: sends, uploads, clicks, submits, reacts. Knows the page's protocol, not HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable

from bot.console import (
    events,
    files,
    growing,
    interactions,
    messages,
    onlooking,
    page_rooms,
    pins,
    response_urls,
    sessions,
)
from bot.console.api.reactions import reaction_name
from bot.console.composer import compose, escaped
from bot.console.limits import limit
from bot.console.page_reads import read_key, seen_message, visible
from bot.console.schema import boolean, items, record, string
from bot.console.seed import SLACKBOT, direct_message
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

Act = Callable[[Workspace, str, Json], Awaitable[Json]]
MOST_TYPED = 12_000
"""Characters that Slack's composer sends in one message."""
TEXTS = "user channel text ts thread_ts message_ts name command block_id action_id value view_id tab callback_id title"
OPEN = record({}, {}, is_open=True)
BODY = record(
    {},
    {
        **dict.fromkeys(TEXTS.split(), string(least=0)),
        "file_ids": items(string(), 10, least=0),
        "users": items(string(), limit("conversation.invited_users"), least=0),
        "private": boolean,
        "action": record({}, {"action_id": string()}, is_open=True),
        "state": record({}, {"values": OPEN}, is_open=True),
        "reply_broadcast": boolean,
    },
)
"""The form of every body that the page sends."""
TROUBLE = {
    "operation_timeout": "The app did not answer within 3 seconds.",
    "dispatch_failed": "The app could not be reached.",
    "http_service_error": "The app answered with an error.",
}


async def send(space: Workspace, user: str, body: Json) -> Json:
    """Post what a person typed, with files that they uploaded."""
    channel = visible(space, user, str(body.get("channel")))
    typed, file_ids = str(body.get("text") or ""), [str(item) for item in body.get("file_ids") or []]
    if channel.get("is_archived"):
        raise SlackError("is_archived", "This channel is archived.")
    if not typed.strip() and not file_ids:
        raise SlackError("no_text", "a message needs text or a file")
    _check_length(typed)
    ids = {"user": user, "team": space.user(user)["team_id"], "client_msg_id": space.clock.hash().replace(".", "-")}
    content = compose(typed, _names(space), _rooms(space)) if typed.strip() else {"text": ""}
    for file_id in file_ids:
        if files.find(space, file_id)["user"] != user:
            raise SlackError("file_not_found")
    shared = {"subtype": "file_share", "upload": False, "file_ids": file_ids} if file_ids else {}
    draft = messages.Draft(
        channel=channel,
        author=user,
        body={**ids, **content, **shared},
        thread_ts=body.get("thread_ts") or None,
        broadcast=bool(body.get("reply_broadcast")),
    )
    message = messages.post(space, draft)
    for file_id in file_ids:
        files.share(space, file_id, channel, message["ts"], message.get("thread_ts"))
    space.store.mark_read(user, read_key(channel["id"], message.get("thread_ts", "")), message["ts"])
    return {"ok": True, "ts": message["ts"], "message": message}


async def edit(space: Workspace, user: str, body: Json) -> Json:
    """Say something else in one's own message: `text`."""
    row = _own(space, user, body, "cant_update_message")
    typed = str(body.get("text") or "")
    if not typed.strip() and not row.body.get("file_ids"):
        raise SlackError("no_text", "a message needs text or a file")
    _check_length(typed)
    kept = {key: value for key, value in row.body.items() if key not in ("text", "blocks", "attachments")}
    said = compose(typed, _names(space), _rooms(space)) if typed.strip() else {"text": ""}
    edited = {"edited": {"user": user, "ts": space.clock.ts()}}
    return {"ok": True, "message": messages.edit(space, row, {**kept, **said, **edited})}


async def delete(space: Workspace, user: str, body: Json) -> Json:
    """Take one's own message back; admins may take anybody's."""
    messages.remove(space, _own(space, user, body, "cant_delete_message", admins=True))
    return {"ok": True}


async def pin(space: Workspace, user: str, body: Json) -> Json:
    """Pin a message to its channel, or take the pin off."""
    row = seen_message(space, user, str(body.get("channel")), str(body.get("ts")))
    if row.viewer:
        raise SlackError("not_pinnable", "Only you can see this message.")
    present = any(entry["ts"] == row.ts for entry in pins.pinned(space, row.channel))
    (pins.unpin if present else pins.pin)(space, row, user)
    return {"ok": True, "pinned": not present}


async def upload(space: Workspace, user: str, name: str, chunks: AsyncIterator[bytes]) -> Json:
    """Take the bytes of a file that a person chose."""
    file = files.new_file(space, name or "file", space.person(user)["id"])
    try:
        await files.receive(space, file["id"], chunks)
    except SlackError:
        space.store.drop("file", file["id"])
        raise
    return {"ok": True, "file": files.find(space, file["id"])}


async def command(space: Workspace, user: str, body: Json) -> Json:
    """Run a slash command; what the app answers at once is shown to the person."""
    channel = visible(space, user, str(body.get("channel")))
    name = "/" + str(body.get("command", "")).lstrip("/")
    known = {each["command"]: each for each in space.settings.manifest.commands}
    if name not in known:
        sorry = (
            f"`{name}` is not a valid command. In Slack, all messages that start with the “/” character are "
            "interpreted as commands. To send it as a message, put a space before it."
        )
        _slackbot(space, user, channel, sorry)
        return {"ok": False, "error": "unknown_command", "detail": f"{name} is not a valid command."}
    typed = str(body.get("text") or "")
    text = escaped(typed, _names(space), space.labels()) if known[name].get("should_escape") else typed
    reply = await interactions.command(space, user, channel, name, text)
    if not reply.ok:
        _slackbot(space, user, channel, f'{name} failed with the error "{reply.error}"')
        return interactions.failed(reply, f"{name} failed. {TROUBLE[reply.error]}")
    answer = reply.body if isinstance(reply.body, dict) else {"text": str(reply.body or "")}
    if answer.get("text") or answer.get("blocks") or answer.get("attachments"):
        response_urls.answer(space, user, channel["id"], Args(answer))
    return {"ok": True}


async def action(space: Workspace, user: str, body: Json) -> Json:
    """Use a button, a menu or another element."""
    if not isinstance(body.get("action"), dict):
        raise SlackError("invalid_arguments", "missing required field: action")
    reply = await interactions.click(space, user, body)
    return {"ok": True} if reply.ok else interactions.failed(reply, TROUBLE[reply.error])


async def view_submit(space: Workspace, user: str, body: Json) -> Json:
    """Submit a modal."""
    state = body.get("state")
    return await interactions.submit(space, user, str(body.get("view_id")), state if isinstance(state, dict) else None)


async def view_close(space: Workspace, user: str, body: Json) -> Json:
    """Close a modal without submitting."""
    await interactions.close(space, user, str(body.get("view_id")))
    return {"ok": True}


async def options(space: Workspace, user: str, body: Json) -> Json:
    """Options of an external select for what was typed so far."""
    reply = await interactions.suggest(space, user, body)
    if not reply.ok:
        return interactions.failed(reply, TROUBLE[reply.error])
    answer = reply.body if isinstance(reply.body, dict) else {}
    return {"ok": True, **{key: answer[key] for key in ("options", "option_groups") if key in answer}}


async def home_opened(space: Workspace, user: str, body: Json) -> Json:
    """Open the app's Home or Messages tab."""
    channel = direct_message(space.store, space.who, user)["id"]
    onlooking.opened(space, user, channel, "messages" if body.get("tab") == "messages" else "home")
    return {"ok": True}


async def viewing(space: Workspace, user: str, body: Json) -> Json:
    """Look at a channel while the app stands beside it."""
    onlooking.looks_at(space, user, visible(space, user, str(body.get("channel")))["id"])
    return {"ok": True}


async def react(space: Workspace, user: str, body: Json) -> Json:
    """Add a reaction, or take one's own back."""
    row = seen_message(space, user, str(body.get("channel")), str(body.get("ts")))
    name = reaction_name(str(body.get("name", "")))
    present = space.store.reactions(row.channel, [row.ts]).get(row.ts, [])
    mine = any(entry["name"] == name and user in entry["users"] for entry in present)
    messages.react(space, row, name, user, add=not mine)
    return {"ok": True, "added": not mine}


async def read(space: Workspace, user: str, body: Json) -> Json:
    """Mark a channel, or a thread of it, as read up to a message; an earlier ts makes what follows unread again."""
    channel, thread_ts = visible(space, user, str(body.get("channel"))), str(body.get("thread_ts") or "")
    ts = str(body.get("ts") or space.clock.ts())
    space.store.mark_read(user, read_key(channel["id"], thread_ts), ts)
    # The person's other tabs.
    event = {"type": "read", "channel": channel["id"], "thread_ts": thread_ts, "ts": ts}
    space.hub.tell([user], {**event, "unread": space.store.unread(user, channel["id"])})
    return {"ok": True}


async def stop(space: Workspace, user: str, body: Json) -> Json:
    """Press Stop on a working agent session."""
    channel = visible(space, user, str(body.get("channel")))
    thread_ts = messages.thread_root(space, channel["id"], str(body.get("thread_ts")))
    stopped = growing.stop_all(space, channel["id"], thread_ts or "")
    event = {"type": "agent_session_stopped", "channel": channel["id"], "thread_ts": thread_ts, "user": user}
    events.emit(space, {**event, "event_ts": space.clock.ts(), "streaming_message_ts": stopped})
    return {"ok": True}


async def session_rename(space: Workspace, user: str, body: Json) -> Json:
    """Give an agent session another title."""
    channel = visible(space, user, str(body.get("channel")))
    thread_ts = messages.thread_root(space, channel["id"], str(body.get("thread_ts"))) or ""
    title = str(body.get("title") or "")[: limit("assistant.session_title")]
    return {"ok": True, "title": sessions.rename_by_person(space, user, channel["id"], thread_ts, title)["title"]}


async def shortcut(space: Workspace, user: str, body: Json) -> Json:
    """Use a shortcut of the app."""
    if not body.get("callback_id"):
        raise SlackError("invalid_arguments", "missing required field: callback_id")
    spot = interactions.spot_of(space, user, body) if body.get("message_ts") else None
    reply = await interactions.shortcut(space, user, str(body.get("callback_id")), spot)
    return {"ok": True} if reply.ok else interactions.failed(reply, TROUBLE[reply.error])


async def act(space: Workspace, name: str, body: Json) -> Json:
    """Carry out what the page POSTed to /_local/NAME. Raises unknown_method, invalid_arguments and the act's own."""
    chosen = ACTS.get(name)
    if chosen is None:
        raise SlackError("unknown_method")
    given = {key: value for key, value in body.items() if value is not None}
    problems = list(BODY(given, ""))
    if problems:
        raise SlackError("invalid_arguments", *problems)
    return await chosen(space, space.person(given.get("user", ""))["id"], given)


ACTS: dict[str, Act] = {
    "send": send,
    "command": command,
    "action": action,
    "view_submit": view_submit,
    "view_close": view_close,
    "options": options,
    "home_opened": home_opened,
    "viewing": viewing,
    "react": react,
    "read": read,
    "stop": stop,
    "session_rename": session_rename,
    "edit": edit,
    "delete": delete,
    "pin": pin,
    "create_channel": page_rooms.create_channel,
    "join": page_rooms.join,
    "leave": page_rooms.leave,
    "invite": page_rooms.invite,
    "open_dm": page_rooms.open_dm,
    "set_topic": page_rooms.set_topic,
    "shortcut": shortcut,
}
"""What the page may POST to /_local/NAME with a JSON body."""


def _names(space: Workspace) -> dict[str, str]:
    """User ids by what may follow an @."""
    names: dict[str, str] = {}
    for user in space.store.all("user"):
        for name in (user["name"], user["real_name"], user["profile"].get("display_name")):
            if name:
                names[name.lower()] = user["id"]
    return names


def _rooms(space: Workspace) -> dict[str, str]:
    """Channel ids by what may follow a #."""
    return {room["name"]: room["id"] for room in space.store.all("channel") if room.get("is_channel")}


def _check_length(typed: str) -> None:
    if len(typed) > MOST_TYPED:
        raise SlackError("msg_too_long", f"{len(typed):,} characters; Slack takes {MOST_TYPED:,}. Send it as a file.")


def _own(space: Workspace, user: str, body: Json, error: str, *, admins: bool = False) -> Row:
    """A message that this person wrote, or any where `admins` may and this person is one. Raises `error`."""
    row = seen_message(space, user, str(body.get("channel")), str(body.get("ts")))
    if row.viewer or row.body.get("subtype") == "tombstone":
        raise SlackError("message_not_found")
    may = row.body.get("user") == user and row.body.get("subtype") in messages.SPOKEN
    if not may and not (admins and space.user(user)["is_admin"]):
        raise SlackError(error, "Somebody else wrote this message.")
    return row


def _slackbot(space: Workspace, user: str, channel: Json, text: str) -> None:
    body = {"user": SLACKBOT, "username": "Slackbot", "text": text, "team": space.who.team_id}
    messages.post(space, messages.Draft(channel=channel, author=SLACKBOT, body=body, viewer=user))
