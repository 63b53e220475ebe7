"""Open modals and Home views: the stack of three, hashes, external ids. Knows views, not who clicks in them."""

from bot.console.blocks import normalised
from bot.console.limits import limit
from bot.console.view_rules import check_view
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace


def open_view(space: Workspace, trigger_id: str, view: Json) -> Json:
    """Open a modal as the only one of its user. Raises trigger and view errors."""
    trigger = space.triggers.check(trigger_id)
    check_view(view, "modal")
    _check_external(space, view, None)
    trigger.used = True
    clear(space, trigger.user)
    return _add(space, trigger.user, view)


def push_view(space: Workspace, trigger_id: str, view: Json) -> Json:
    """Put a modal on top of the open ones. Raises push_limit_reached, not_found and trigger and view errors."""
    trigger = space.triggers.check(trigger_id)
    check_view(view, "modal")
    if trigger.view_id is None or trigger.view_id not in stack(space, trigger.user):
        raise SlackError("not_found")
    pushed = push_for(space, trigger.user, view)
    trigger.used = True
    return pushed


def push_for(space: Workspace, user: str, view: Json) -> Json:
    """Put a checked modal on top of a user's open ones. Raises push_limit_reached."""
    if len(stack(space, user)) >= limit("view.stack"):
        raise SlackError("push_limit_reached")
    _check_external(space, view, None)
    return _add(space, user, view)


def update_view(space: Workspace, view_id: str, external_id: str, view: Json, hash_: str) -> Json:
    """Replace an open modal. Raises not_found, hash_conflict and view errors."""
    current = _find(space, view_id, external_id)
    check_view(view, current["type"])
    if hash_ and hash_ != current["hash"]:
        raise SlackError("hash_conflict")
    _check_external(space, view, current["id"])
    return _replace(space, current, view)


def publish_home(space: Workspace, user: str, view: Json, hash_: str) -> Json:
    """Show a user's Home tab. Raises hash_conflict and view errors."""
    check_view(view, "home")
    current = home(space, user)
    _check_external(space, view, current["id"] if current else None)
    if hash_ and (current is None or current["hash"] != hash_):
        raise SlackError("hash_conflict")
    if current is not None:
        return _replace(space, current, view)
    made = _complete(space, user, view, space.clock.id("V"))
    made = {**made, "root_view_id": made["id"], "previous_view_id": None}
    return _save(space, made, "home", {"view": public(made)})


def home(space: Workspace, user: str) -> Json | None:
    """The Home view that was last published for a user, as stored."""
    pointer = space.store.get("home", user)
    return space.store.get("view", pointer["id"]) if pointer else None


def stack(space: Workspace, user: str) -> list[str]:
    """Ids of a user's open modals, the first opened first."""
    found = space.store.get("stack", user)
    return list(found["ids"]) if found else []


def open_views(space: Workspace, user: str) -> list[Json]:
    """A user's open modals, the first opened first."""
    return [public(view) for view_id in stack(space, user) if (view := space.store.get("view", view_id))]


def owned(space: Workspace, user: str, view_id: str) -> Json:
    """An open modal or Home view of this user, as stored. Raises view_not_found."""
    found = space.store.get("view", view_id)
    if found is None or found["user"] != user:
        raise SlackError("view_not_found")
    return found


def close_top(space: Workspace, user: str, view_id: str) -> list[Json]:
    """Close a modal and those above it; gives what was closed, the top one first."""
    ids = stack(space, user)
    if view_id not in ids:
        return []
    keep = ids[: ids.index(view_id)]
    return _shrink(space, user, keep)


def clear(space: Workspace, user: str) -> list[Json]:
    """Close all modals of a user; gives what was closed, the top one first."""
    return _shrink(space, user, [])


def public(view: Json) -> Json:
    """A view object as the app sees it."""
    return {key: value for key, value in view.items() if key != "user"}


def _shrink(space: Workspace, user: str, keep: list[str]) -> list[Json]:
    closed = []
    for view_id in reversed(stack(space, user)[len(keep) :]):
        view = space.store.get("view", view_id)
        if view:
            closed.append(public(view))
        space.store.drop("view", view_id)
        space.hub.tell([user], {"type": "view_close", "view_id": view_id})
    space.store.put("stack", user, {"ids": keep})
    return closed


def _add(space: Workspace, user: str, view: Json) -> Json:
    ids = stack(space, user)
    made = _complete(space, user, view, space.clock.id("V"))
    root, previous = (ids[0], ids[-1]) if ids else (made["id"], None)
    made = {**made, "root_view_id": root, "previous_view_id": previous}
    space.store.put("stack", user, {"ids": [*ids, made["id"]]})
    return _save(space, made, "view_open", {"view": public(made)})


def _replace(space: Workspace, current: Json, view: Json) -> Json:
    place = {"root_view_id": current["root_view_id"], "previous_view_id": current["previous_view_id"]}
    made = {**_complete(space, current["user"], view, current["id"]), **place}
    return _save(space, made, "home" if made["type"] == "home" else "view_update", {"view": public(made)})


def _save(space: Workspace, made: Json, event: str, facts: Json) -> Json:
    space.store.put("view", made["id"], made)
    if made["type"] == "home":
        space.store.put("home", made["user"], {"id": made["id"]})
    space.hub.tell([made["user"]], {"type": event, "view_id": made["id"], **facts})
    return public(made)


def _complete(space: Workspace, user: str, view: Json, view_id: str) -> Json:
    who = space.who
    return {
        "id": view_id,
        "user": user,
        "team_id": who.team_id,
        "type": view["type"],
        "blocks": normalised(view["blocks"]),
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "state": {"values": {}},
        "hash": space.clock.hash(),
        **{key: view.get(key) for key in ("title", "close", "submit")},
        "clear_on_close": view.get("clear_on_close", False),
        "notify_on_close": view.get("notify_on_close", False),
        "submit_disabled": view.get("submit_disabled", False),
        "app_id": who.app_id,
        "external_id": view.get("external_id", ""),
        "app_installed_team_id": who.team_id,
        "bot_id": who.bot_id,
    }


def _find(space: Workspace, view_id: str, external_id: str) -> Json:
    if view_id:
        found = space.store.get("view", view_id)
    else:
        matches = [view for view in space.store.all("view") if external_id and view["external_id"] == external_id]
        found = matches[0] if matches else None
    if found is None:
        raise SlackError("not_found")
    return found


def _check_external(space: Workspace, view: Json, own: str | None) -> None:
    external_id = view.get("external_id")
    if external_id and any(v["external_id"] == external_id and v["id"] != own for v in space.store.all("view")):
        raise SlackError("duplicate_external_id")
