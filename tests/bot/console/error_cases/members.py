"""Errors of conversations.join, leave, invite, kick, open and close."""

from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.error_cases import Case, Json, World
from tests.bot.console.error_cases.channels import KIND
from tests.bot.console.error_cases.chat import archived, left, private

JOIN, LEAVE, INVITE = "conversations.join", "conversations.leave", "conversations.invite"
KICK, OPEN, CLOSE = "conversations.kick", "conversations.open", "conversations.close"
REST: Json = {"users": "U0BEN", "user": "U0BEN"}


def at(place: Any, **more: Any) -> Any:
    """Arguments for a channel that is made for the case."""
    return lambda world: {**REST, "channel": place(world), **more}


def alone(world: World) -> str:
    """A channel in which only the app is."""
    return str(world.slack.web.conversations_create(name=world.fresh())["channel"]["id"])


def guest(world: World) -> Json:
    """A single-channel guest who has a channel already."""
    store = world.slack.space.store
    ben = world.slack.space.user("U0BEN")
    made = {**ben, "id": "U0GUEST", "name": "guest", "is_restricted": True, "is_ultra_restricted": True}
    store.put("user", "U0GUEST", made)
    store.join("C0ASK", "U0GUEST")
    return {"channel": world.channel(), "users": "U0GUEST"}


CASES = [
    *(Case(name, "channel_not_found", at(lambda world: "C0NONE")) for name in (JOIN, LEAVE, INVITE, KICK, OPEN, CLOSE)),
    *(Case(name, "channel_not_found", at(private)) for name in (JOIN, LEAVE, INVITE, KICK)),
    *(Case(name, KIND, at(lambda world: "D0ADA")) for name in (JOIN, LEAVE, INVITE, KICK)),
    *(Case(name, KIND, at(lambda world: "C0ASK")) for name in (OPEN, CLOSE)),
    *(Case(name, "is_archived", at(archived)) for name in (JOIN, LEAVE, INVITE, KICK)),
    Case(LEAVE, "cant_leave_general", {"channel": "C0GENERAL"}),
    Case(LEAVE, "last_member", at(alone)),
    Case(INVITE, "not_in_channel", at(left)),
    Case(INVITE, "no_user", at(World.channel, users="")),
    Case(INVITE, "too_many_users", at(World.channel, users=",".join(f"U{number}" for number in range(101)))),
    Case(INVITE, "user_not_found", at(World.channel, users="U0NOBODY,U0BEN")),
    Case(INVITE, "user_not_found", at(World.channel, users="U0NOBODY", force=True)),
    Case(INVITE, "cant_invite_self", at(World.channel, users="U0LUTHIER")),
    Case(INVITE, "already_in_channel", at(World.channel, users="U0ADA")),
    Case(INVITE, "ura_max_channels", guest),
    Case(KICK, "user_not_found", at(World.channel, user="U0NOBODY")),
    Case(KICK, "cant_kick_self", at(World.channel, user="U0LUTHIER")),
    Case(KICK, "cant_kick_from_general", {"channel": "C0GENERAL", "user": "U0BEN"}),
    Case(KICK, "not_in_channel", at(World.channel)),
    Case(OPEN, "users_list_not_supplied", {}),
    Case(OPEN, "user_not_found", {"users": "U0NOBODY"}),
    Case(OPEN, "too_many_users", {"users": ",".join(f"U{number}" for number in range(9))}),
    Case(OPEN, "not_enough_users", {"users": "U0LUTHIER"}),
    Case(OPEN, "missing_scope", {"users": "U0ADA,U0BEN"}, app=Manifest(scopes=frozenset({"im:write"}))),
]
