"""Turns what a person does with blocks, views and commands into payloads, and sends them. Knows no HTTP routes."""

import json

from bot.console import files, modals
from bot.console.blocks import walk
from bot.console.deliver import Reply
from bot.console.elements import GROUP, OPTIONS
from bot.console.form_state import refusals, state_of
from bot.console.payloads import TOKEN, Spot, base, channel_name, container, element_at, place, response_url, spot_of
from bot.console.schema import items
from bot.console.used_elements import entry_of
from bot.console.view_answers import TROUBLE, obey
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

__all__ = ["Spot", "spot_of"]
LEAST_QUERY = 3
"""Characters of a query before Slack asks the app, where the element does not say."""
GROUPS = items(GROUP, 100)


async def click(space: Workspace, user: str, body: Json) -> Reply:
    """Send block_actions for one use of an element. Raises not_allowed, invalid_arguments and those of its place."""
    spot = spot_of(space, user, body)
    used, block_id = body["action"], str(body.get("block_id"))
    part = element_at(spot, block_id, str(used.get("action_id")))
    if user not in part.get("visible_to_user_ids", [user]):
        raise SlackError("not_allowed", "this button is for other people")
    action = entry_of(space, part, block_id, used)
    state = _state(space, spot, body.get("state"), block_id, action)
    view_id = spot.view["id"] if spot.view and spot.view["type"] == "modal" else None
    payload = {
        "type": "block_actions",
        **base(space, user),
        "container": container(spot, block_id),
        "trigger_id": space.triggers.mint(user, view_id),
        **place(space, spot, state),
        **({"response_url": response_url(space, user, spot.row)} if spot.row else {}),
        "actions": [action],
    }
    return await _send(space, payload)


async def suggest(space: Workspace, user: str, body: Json) -> Reply:
    """Ask the app for the options of an external select; too short a query has none, and the app is not asked."""
    spot = spot_of(space, user, body)
    block_id, action_id, value = str(body.get("block_id")), str(body.get("action_id")), str(body.get("value", ""))
    part = element_at(spot, block_id, action_id)
    if part["type"] not in ("external_select", "multi_external_select"):
        raise SlackError("invalid_arguments", "this element has its own options")
    if len(value) < part.get("min_query_length", LEAST_QUERY):
        return Reply(ok=True, body={"options": []})
    state = state_of(space, spot.blocks, body.get("state")) if spot.view else None
    question = {"action_id": action_id, "block_id": block_id, "value": value}
    where = {"container": container(spot, block_id), **place(space, spot, state)}
    reply = await _send(space, {"type": "block_suggestion", **base(space, user), **where, **question})
    return _with_options(reply) if reply.ok else reply


async def submit(space: Workspace, user: str, view_id: str, entered: Json | None) -> Json:
    """Send view_submission and carry out the app's answer; gives what the page needs to know."""
    view = modals.owned(space, user, view_id)
    state = state_of(space, view["blocks"], entered)
    wrong = refusals(view["blocks"], state)
    if wrong:
        return {"ok": True, "response_action": "errors", "errors": wrong}
    _grant_files(space, state)
    payload = {
        "type": "view_submission",
        **base(space, user),
        "trigger_id": space.triggers.mint(user, view_id),
        "view": {**modals.public(view), "state": state},
        "response_urls": _chosen_urls(space, user, view, state),
    }
    reply = await _send(space, payload)
    return obey(space, user, view, reply.body) if reply.ok else failed(reply, TROUBLE)


async def close(space: Workspace, user: str, view_id: str) -> None:
    """Close a modal as its X does, and tell the app where it asked to hear of it."""
    view = modals.owned(space, user, view_id)
    cleared = bool(view["clear_on_close"])
    closed = modals.clear(space, user) if cleared else modals.close_top(space, user, view_id)
    for gone in closed:
        if gone["notify_on_close"]:
            payload = {"type": "view_closed", **base(space, user), "view": gone, "is_cleared": cleared}
            await _send(space, payload)


async def command(space: Workspace, user: str, channel: Json, name: str, text: str) -> Reply:
    """Send a slash command."""
    who = space.who
    address = space.response_urls.mint(user, channel["id"])
    form = {
        "token": TOKEN,
        "team_id": space.user(user)["team_id"],
        "team_domain": who.domain,
        "channel_id": channel["id"],
        "channel_name": channel_name(channel),
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
    # Slack names the app in every payload but these two.
    shared = {key: value for key, value in base(space, user).items() if key != "api_app_id"}
    shared |= {"callback_id": callback_id, "trigger_id": space.triggers.mint(user), "action_ts": space.clock.ts()}
    if spot is None or spot.row is None:
        return await _send(space, {"type": "shortcut", **shared})
    facts = {"message_ts": spot.row.ts, "response_url": response_url(space, user, spot.row)}
    return await _send(space, {"type": "message_action", **shared, **place(space, spot), **facts})


def failed(reply: Reply, detail: str) -> Json:
    """What the page is told when the app did not acknowledge."""
    return {"ok": False, "error": reply.error, "detail": detail}


async def _send(space: Workspace, payload: Json) -> Reply:
    return await space.courier.interact({"payload": json.dumps(payload, separators=(",", ":"))})


def _state(space: Workspace, spot: Spot, entered: object, block_id: str, action: Json) -> Json:
    """The values of all inputs of the place, what was just chosen among them."""
    given = entered.get("values") if isinstance(entered, dict) else None
    values = {name: dict(block) for name, block in (given or {}).items() if isinstance(block, dict)}
    values.setdefault(block_id, {})[action["action_id"]] = action
    return state_of(space, spot.blocks, {"values": values})


def _with_options(reply: Reply) -> Reply:
    """The reply, if it holds options as Slack takes them. Raises invalid_options."""
    body = reply.body if isinstance(reply.body, dict) else {}
    if "option_groups" in body:
        problems = list(GROUPS(body["option_groups"], "/option_groups"))
    elif body.get("options") == []:
        problems = []
    else:
        problems = list(OPTIONS(body.get("options"), "/options"))
    if problems:
        raise SlackError("invalid_options", *problems)
    return reply


def _grant_files(space: Workspace, state: Json) -> None:
    for block in state["values"].values():
        for value in block.values():
            for file in value.get("files", []):
                files.grant(space, file["id"])


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
