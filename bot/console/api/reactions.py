"""reactions.*: the app's reactions to messages."""

import re

from bot.console import messages
from bot.console.api.registry import method
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace


@method("reactions.add", scopes=("reactions:write",), errors=("already_reacted", "invalid_name", "message_not_found"))
def reactions_add(space: Workspace, args: Args) -> Json:
    """Add a reaction."""
    messages.react(space, _target(space, args), reaction_name(args.need("name")), space.who.bot_user, add=True)
    return {}


@method("reactions.remove", scopes=("reactions:write",), errors=("no_reaction", "invalid_name", "message_not_found"))
def reactions_remove(space: Workspace, args: Args) -> Json:
    """Remove the app's reaction."""
    messages.react(space, _target(space, args), reaction_name(args.need("name")), space.who.bot_user, add=False)
    return {}


@method("reactions.get", scopes=("reactions:read",), errors=("message_not_found",))
def reactions_get(space: Workspace, args: Args) -> Json:
    """A message with its reactions."""
    row = _target(space, args)
    return {"type": "message", "channel": row.channel, "message": messages.show(space, [row])[0]}


def reaction_name(name: str) -> str:
    """An emoji's name without colons. Raises invalid_name."""
    bare = name.strip(":")
    if not re.fullmatch(r"[\w+'-]{1,100}(::skin-tone-[2-6])?", bare):
        raise SlackError("invalid_name")
    return bare


def _target(space: Workspace, args: Args) -> Row:
    if not args.text("channel") or not args.text("timestamp"):
        raise SlackError("no_item_specified")
    row = space.message(space.channel(args.text("channel"))["id"], args.text("timestamp"))
    if row.viewer:
        raise SlackError("message_not_found")
    return row
