"""Turns what a person does with blocks, views and commands into signed requests. Knows payloads, not HTTP routes."""

import json
from typing import NamedTuple

from bot.console import modals
from bot.console.blocks import walk
from bot.console.deliver import Reply
from bot.console.form_state import refusals, state_of
from bot.console.messages import show
from bot.console.store import Row
from bot.console.view_rules import check_view
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

TOKEN = "local-slack-verification-token"  # noqa: S105 - Slack's legacy field, which secures nothing and is no secret


class Spot(NamedTuple):
    """Where a person clicked: in a message or in a view."""

    row: Row | None
    view: Json | None

    @property
    def blocks(self) -> list[Json]:
        """The blocks that stand there."""
        body = self.view if self.view is not None else self.row.body if self.row else {}
        blocks: list[Json] = body.get("blocks", [])
        return blocks


def spot_of(space: Workspace, user: str, body: Json) -> Spot:
    """Find what the page says was used. Raises message_not_found or view_not_found."""
    if body.get("view_id"):
        return Spot(None, modals.owned(space, user, str(body["view_id"])))
    row = space.message(str(body.get("channel")), str(body.get("message_ts")))
    if not space.store.is_member(row.channel, user) or row.viewer not in (None, user):
        raise SlackError("message_not_found")
    return Spot(row, None)


def element_at(spot: Spot, block_id: str, action_id: str) -> Json:
    """The element that was used. Raises block_not_found where the message has changed since."""
    for block, part in walk(spot.blocks):
        if block["block_id"] == block_id and part["action_id"] == action_id:
            return part
    raise SlackError("block_not_found")


async def click(space: Workspace, user: str, body: Json) -> Reply:
    """Send block_actions for one use of an element."""
    spot = spot_of(space, user, body)
    used = body["action"]
    block_id, action_id = str(body.get("block_id")), str(used.get("action_id"))
    part = element_at(spot, block_id, action_id)
    if user not in part.get("visible_to_user_ids", [user]):
        raise SlackError("not_allowed", "this button is for other people")
    stored = {key: part[key] for key in ("text", "value", "style") if key in part and part["type"] == "button"}
    identity = {"type": part["type"], "block_id": block_id, "action_id": action_id}
    action = {**used, **stored, **identity, "action_ts": space.clock.ts()}
    state = state_of(space, spot.blocks, body.get("state"))
    view_id = spot.view["id"] if spot.view and spot.view["type"] == "modal" else None
    payload = {
        "type": "block_actions",
        **_base(space, user),
        "trigger_id": space.triggers.mint(user, view_id),
        "container": _container(spot),
        **_place(space, user, spot, state),
        "actions": [action],
    }
    return await _send(space, payload)


async def suggest(space: Workspace, user: str, body: Json) -> Reply:
    """Ask the app for the options of an external select."""
    spot = spot_of(space, user, body)
    block_id, action_id = str(body.get("block_id")), str(body.get("action_id"))
    element_at(spot, block_id, action_id)
    state = state_of(space, spot.blocks, body.get("state"))
    question = {"block_id": block_id, "action_id": action_id, "value": str(body.get("value", ""))}
    place = _place(space, user, spot, state)
    place.pop("response_url", None)
    payload = {
        "type": "block_suggestion",
        **_base(space, user),
        "container": _container(spot),
        **place,
        **question,
    }
    return await _send(space, payload)


async def submit(space: Workspace, user: str, view_id: str, entered: Json | None) -> Json:
    """Send view_submission and carry out the app's answer; gives what the page needs to know."""
    view = modals.owned(space, user, view_id)
    state = state_of(space, view["blocks"], entered)
    wrong = refusals(view["blocks"], state)
    if wrong:
        return {"ok": True, "response_action": "errors", "errors": wrong}
    shown = {**modals.public(view), "state": state}
    base = {**_base(space, user), "trigger_id": space.triggers.mint(user, view_id)}
    payload = {
        "type": "view_submission",
        **base,
        "view": shown,
        "response_urls": _chosen_urls(space, user, view, state),
    }
    reply = await _send(space, payload)
    if not reply.ok:
        return failed(reply, "We had some trouble connecting. Try again?")
    return _obey(space, user, view, reply.body)


async def close(space: Workspace, user: str, view_id: str) -> None:
    """Close a modal as its X does, and tell the app where it asked to hear of it."""
    view = modals.owned(space, user, view_id)
    closed = modals.clear(space, user) if view["clear_on_close"] else modals.close_top(space, user, view_id)
    for gone in closed:
        if gone["notify_on_close"]:
            payload = {"type": "view_closed", **_base(space, user), "view": gone}
            await _send(space, {**payload, "is_cleared": bool(view["clear_on_close"])})


async def command(space: Workspace, user: str, channel: Json, name: str, text: str) -> Reply:
    """Send a slash command."""
    who = space.who
    address = space.response_urls.mint(user, channel["id"])
    form = {
        "token": TOKEN,
        "team_id": who.team_id,
        "team_domain": who.domain,
        "channel_id": channel["id"],
        "channel_name": channel.get("name") or "directmessage",
        "user_id": user,
        "user_name": space.user(user)["name"],
        "command": name,
        "text": text,
        "api_app_id": who.app_id,
        "is_enterprise_install": "false",
        "response_url": f"{space.settings.address}/commands/{who.team_id}/{address}",
        "trigger_id": space.triggers.mint(user),
    }
    return await space.courier.interact(form)


async def shortcut(space: Workspace, user: str, callback_id: str, spot: Spot | None) -> Reply:
    """Send a global shortcut, or a message shortcut where there is a message."""
    base = {**_base(space, user), "callback_id": callback_id, "trigger_id": space.triggers.mint(user)}
    base["action_ts"] = space.clock.ts()
    if spot is None or spot.row is None:
        return await _send(space, {"type": "shortcut", **base})
    place = _place(space, user, spot, {"values": {}})
    return await _send(space, {"type": "message_action", **base, **place, "message_ts": spot.row.ts})


def failed(reply: Reply, detail: str) -> Json:
    """What the page is told when the app did not acknowledge."""
    return {"ok": False, "error": reply.error, "detail": detail}


async def _send(space: Workspace, payload: Json) -> Reply:
    return await space.courier.interact({"payload": json.dumps(payload, separators=(",", ":"))})


def _base(space: Workspace, user: str) -> Json:
    who = space.who
    name = space.user(user)["name"]
    return {
        "user": {"id": user, "username": name, "name": name, "team_id": who.team_id},
        "api_app_id": who.app_id,
        "token": TOKEN,
        "team": {"id": who.team_id, "domain": who.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _container(spot: Spot) -> Json:
    if spot.view is not None:
        return {"type": "view", "view_id": spot.view["id"]}
    row = spot.row
    if row is None:
        return {}
    thread = {"thread_ts": row.root} if row.root else {}
    ephemeral = row.viewer is not None
    return {"type": "message", "message_ts": row.ts, "channel_id": row.channel, "is_ephemeral": ephemeral, **thread}


def _place(space: Workspace, user: str, spot: Spot, state: Json) -> Json:
    """The parts of a payload that differ between messages and views."""
    if spot.view is not None:
        return {"view": {**modals.public(spot.view), "state": state}}
    row = spot.row
    if row is None:
        return {}
    channel = space.channel(row.channel)
    address = space.response_urls.mint(user, row.channel, row.ts, row.root)
    place = {
        "channel": {"id": row.channel, "name": channel.get("name") or "directmessage"},
        "state": state,
        "response_url": f"{space.settings.address}/actions/{space.who.team_id}/{address}",
    }
    # Slack leaves the message out where it is ephemeral: it keeps no such messages.
    return place if row.viewer else {**place, "message": show(space, [row])[0]}


def _chosen_urls(space: Workspace, user: str, view: Json, state: Json) -> list[Json]:
    """Response addresses for conversations that were picked in a select that asks for them."""
    urls = []
    for block, part in walk(view["blocks"]):
        if part.get("response_url_enabled"):
            value = state["values"][block["block_id"]][part["action_id"]]
            channel = value.get("selected_conversation") or value.get("selected_channel")
            if channel:
                address = space.response_urls.mint(user, channel)
                where = {"block_id": block["block_id"], "action_id": part["action_id"], "channel_id": channel}
                urls.append({**where, "response_url": f"{space.settings.address}/app/{space.who.team_id}/{address}"})
    return urls


def _obey(space: Workspace, user: str, view: Json, answer: object) -> Json:
    """Carry out a response_action."""
    if not isinstance(answer, dict) or not answer.get("response_action"):
        modals.close_top(space, user, view["id"])
        return {"ok": True}
    action = answer["response_action"]
    if action == "errors":
        errors = answer.get("errors")
        return {"ok": True, "response_action": "errors", "errors": errors if isinstance(errors, dict) else {}}
    if action == "clear":
        modals.clear(space, user)
        return {"ok": True, "response_action": "clear"}
    if action in ("update", "push"):
        return _replace_or_push(space, user, view, action, answer.get("view"))
    return _refused(SlackError("invalid_response_action", f"unknown response_action: {action}"))


def _replace_or_push(space: Workspace, user: str, view: Json, action: str, new: object) -> Json:
    try:
        if not isinstance(new, dict):
            raise SlackError("invalid_arguments", "missing required field: view")
        check_view(new, "modal")
        if action == "push":
            shown = modals.push_for(space, user, new)
        else:
            shown = modals.update_view(space, view["id"], "", new, "")
    except SlackError as error:
        return _refused(error)
    return {"ok": True, "response_action": action, "view": shown}


def _refused(error: SlackError) -> Json:
    detail = "; ".join(error.messages) or "The app's answer was not one that Slack takes."
    return {"ok": False, "error": error.code, "detail": detail}
