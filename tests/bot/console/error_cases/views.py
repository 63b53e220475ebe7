"""Errors of views.*."""

from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.error_cases import Case, Json, World

TEXT = {"type": "plain_text", "text": "T"}
MODAL: Json = {"type": "modal", "title": TEXT, "blocks": [{"type": "divider"}]}
HOME: Json = {"type": "home", "blocks": [{"type": "divider"}]}
LARGE = [
    {"type": "section", "block_id": str(n), "fields": [{"type": "mrkdwn", "text": "x" * 2000}] * 10} for n in range(13)
]
OPENERS = ("views.open", "views.push")


def opened(world: World, view: Json | None = None, user: str = "U0ADA") -> Json:
    """A modal that is open now, the only one of its user."""
    answer = world.slack.web.views_open(trigger_id=world.trigger(user), view=view or MODAL)
    made: Json = answer["view"]
    return made


def with_view(view: Json | None, **more: Any) -> Any:
    """Arguments with a good trigger and this view."""

    def stage(world: World) -> Json:
        made = {"trigger_id": world.trigger(view_id=opened(world)["id"]), **more}
        return {**made, "view": view} if view else made

    return stage


def expired(world: World) -> Json:
    """A trigger id that is three seconds and a bit old."""
    trigger = world.trigger(view_id=opened(world)["id"])
    world.clock.seconds += 3.01
    return {"trigger_id": trigger, "view": MODAL}


def exchanged(world: World) -> Json:
    """A trigger id with which a modal was opened already."""
    trigger = world.trigger(view_id=opened(world)["id"])
    world.slack.web.views_push(trigger_id=trigger, view=MODAL)
    return {"trigger_id": trigger, "view": MODAL}


def external_twice(world: World) -> Json:
    """A view whose external_id somebody else's open view has."""
    taken = {**MODAL, "external_id": world.fresh()}
    opened(world, taken, "U0BEN")
    return {"trigger_id": world.trigger(view_id=opened(world)["id"]), "view": taken}


def external_twice_on_update(world: World) -> Json:
    """An update that takes the external_id of somebody else's open view."""
    opened(world, {**MODAL, "external_id": "bens"}, "U0BEN")
    return {"view_id": opened(world)["id"], "view": {**MODAL, "external_id": "bens"}}


def external_twice_at_home(world: World) -> Json:
    """A Home view that takes the external_id of an open modal."""
    opened(world, {**MODAL, "external_id": "home-too"})
    return {"user_id": "U0CHI", "view": {**HOME, "external_id": "home-too"}}


def three_open(world: World) -> Json:
    """A fourth modal on a stack of three."""
    shown = opened(world)
    for _ in range(2):
        shown = world.slack.web.views_push(trigger_id=world.trigger(view_id=shown["id"]), view=MODAL)["view"]
    return {"trigger_id": world.trigger(view_id=shown["id"]), "view": MODAL}


def stale(world: World) -> Json:
    """An update with the hash of a view that has changed since."""
    shown = opened(world)
    world.slack.web.views_update(view_id=shown["id"], view=MODAL)
    return {"view_id": shown["id"], "view": MODAL, "hash": shown["hash"]}


def updated_with(view: Json | None) -> Any:
    """Arguments of views.update for an open view."""
    return lambda world: {"view_id": opened(world)["id"], **({"view": view} if view else {})}


CASES = [
    *(Case(name, "invalid_trigger_id", {"trigger_id": "1.2.abc", "view": MODAL}) for name in OPENERS),
    *(Case(name, "expired_trigger_id", expired) for name in OPENERS),
    *(Case(name, "exchanged_trigger_id", exchanged) for name in OPENERS),
    *(Case(name, "invalid_arguments", with_view(None), "missing required field: view") for name in OPENERS),
    *(Case(name, "invalid_arguments", with_view(HOME), "[json-pointer:/view/type]") for name in OPENERS),
    *(Case(name, "view_too_large", with_view({**MODAL, "blocks": LARGE})) for name in OPENERS),
    *(Case(name, "duplicate_external_id", external_twice) for name in OPENERS),
    Case("views.push", "push_limit_reached", three_open),
    Case("views.push", "not_found", lambda world: {"trigger_id": world.trigger(), "view": MODAL}),
    Case("views.update", "invalid_arguments", updated_with(None), "missing required field: view"),
    Case("views.update", "view_too_large", updated_with({**MODAL, "blocks": LARGE})),
    Case("views.update", "duplicate_external_id", external_twice_on_update),
    Case("views.update", "not_found", {"view_id": "V0NONE", "view": MODAL}),
    Case("views.update", "hash_conflict", stale),
    Case("views.publish", "invalid_arguments", {"user_id": "U0ADA"}, "missing required field: view"),
    Case("views.publish", "view_too_large", {"user_id": "U0ADA", "view": {**HOME, "blocks": LARGE}}),
    Case("views.publish", "duplicate_external_id", external_twice_at_home),
    Case("views.publish", "user_not_found", {"user_id": "U0NONE", "view": HOME}),
    Case("views.publish", "hash_conflict", {"user_id": "U0ADA", "view": HOME, "hash": "1.old"}),
    Case("views.publish", "not_enabled", {"user_id": "U0ADA", "view": HOME}, app=Manifest(home_tab=False)),
]
