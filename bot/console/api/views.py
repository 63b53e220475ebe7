"""views.*: modals and Home views as the app opens and changes them. modals.py keeps them."""

from bot.console import modals
from bot.console.api.registry import method
from bot.console.wire import Args, Json, SlackError, missing
from bot.console.workspace import Workspace

TRIGGER = ("invalid_trigger_id", "expired_trigger_id", "exchanged_trigger_id")
VIEW = ("invalid_arguments", "view_too_large", "duplicate_external_id")


@method("views.open", errors=(*TRIGGER, *VIEW), tier="tier_4")
def views_open(space: Workspace, args: Args) -> Json:
    """Open a modal for whoever just clicked."""
    return {"view": modals.open_view(space, _trigger(args), _view(args))}


@method("views.push", errors=(*TRIGGER, *VIEW, "push_limit_reached", "not_found"), tier="tier_4")
def views_push(space: Workspace, args: Args) -> Json:
    """Put a modal on top of the one in which somebody just clicked."""
    return {"view": modals.push_view(space, _trigger(args), _view(args))}


@method("views.update", errors=(*VIEW, "not_found", "hash_conflict"), tier="tier_4")
def views_update(space: Workspace, args: Args) -> Json:
    """Replace an open view."""
    view = _view(args)
    if not args.text("view_id") and not args.text("external_id"):
        raise missing("view_id")
    return {"view": modals.update_view(space, args.text("view_id"), args.text("external_id"), view, args.text("hash"))}


@method("views.publish", errors=(*VIEW, "user_not_found", "hash_conflict", "not_enabled"), tier="tier_4")
def views_publish(space: Workspace, args: Args) -> Json:
    """Show a person's Home tab."""
    user = space.person(args.need("user_id"))
    if not space.settings.manifest.home_tab:
        raise SlackError("not_enabled")
    return {"view": modals.publish_home(space, user["id"], _view(args), args.text("hash"))}


def _trigger(args: Args) -> str:
    return args.text("trigger_id") or args.text("interactivity_pointer") or args.need("trigger_id")


def _view(args: Args) -> Json:
    view = args.record("view")
    if view is None:
        raise missing("view")
    return view
