"""The workspace as it is on its first day: team, people, channels, the installed app. Knows no messages."""

from dataclasses import dataclass

from bot.console.manifest import Manifest
from bot.console.store import Store
from bot.console.wire import Json

SLACKBOT = "USLACKBOT"
FOUNDED = 1_767_225_600
"""2026-01-01 UTC, when this workspace says it was made."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Ids and names of the team and of the one app in it."""

    team_id: str = "T0NORTHWIND"
    """The workspace."""
    team_name: str = "Northwind"
    """What people call it."""
    domain: str = "northwind"
    """Its part of the address."""
    app_name: str
    """Display name of the app."""
    app_id: str
    """`A0…`"""
    bot_id: str
    """`B0…`, the app's bot profile."""
    bot_user: str
    """`U0…`, the user that the app posts as."""


def identity(manifest: Manifest) -> Identity:
    """Ids derive from the app's name, so they are the same on every start."""
    stem = manifest.handle.replace("-", "").upper()
    return Identity(app_name=manifest.name, app_id=f"A0{stem}", bot_id=f"B0{stem}", bot_user=f"U0{stem}")


PEOPLE = (
    ("U0ADA", "ada", "Ada Obi", "#2f7de1", True),
    ("U0BEN", "ben", "Ben Sato", "#2a9d6f", False),
    ("U0CHI", "chi", "Chi Park", "#c2571a", False),
)


def seed(store: Store, manifest: Manifest) -> Identity:
    """Write people, app and channels; what exists already is kept, only the app's own data is renewed."""
    who = identity(manifest)
    for user_id, name, real_name, color, is_admin in PEOPLE:
        store.put_new("user", user_id, person(who, user_id, name, real_name, color, is_admin))
    store.put("user", who.bot_user, bot_user(who, manifest.handle))
    store.put_new("user", SLACKBOT, {**person(who, SLACKBOT, "slackbot", "Slackbot", "#757575"), "is_bot": False})
    people = [row[0] for row in PEOPLE]
    for channel in channels(who, manifest):
        if store.put_new("channel", channel["id"], channel):
            for member in [*people, who.bot_user]:
                store.join(channel["id"], member)
    for user_id in people:
        direct_message(store, who, user_id)
    return who


def person(who: Identity, user_id: str, name: str, real_name: str, color: str, is_admin: bool = False) -> Json:
    """A Slack user object of a person."""
    first, _, last = real_name.partition(" ")
    profile = {
        "real_name": real_name,
        "real_name_normalized": real_name,
        "display_name": first,
        "display_name_normalized": first,
        "first_name": first,
        "last_name": last,
        "email": f"{name}@{who.domain}.example",
        "team": who.team_id,
        "avatar_hash": "",
        "status_text": "",
        "status_emoji": "",
    }
    user = {
        "id": user_id,
        "team_id": who.team_id,
        "name": name,
        "deleted": False,
        "color": color.lstrip("#"),
        "real_name": real_name,
        "tz": "Europe/London",
        "tz_label": "Greenwich Mean Time",
        "tz_offset": 0,
        "profile": profile,
    }
    roles = {"is_admin": is_admin, "is_owner": is_admin, "is_primary_owner": is_admin}
    flags = {"is_restricted": False, "is_ultra_restricted": False, "is_bot": False, "is_app_user": False}
    return {**user, **roles, **flags, "is_email_confirmed": True, "updated": FOUNDED}


def bot_user(who: Identity, handle: str) -> Json:
    """The Slack user object of the app's bot."""
    user = person(who, who.bot_user, handle, who.app_name, "#7c3aed")
    profile = {**user["profile"], "display_name": "", "api_app_id": who.app_id, "bot_id": who.bot_id}
    del profile["email"]
    return {**user, "is_bot": True, "profile": profile}


def channels(who: Identity, manifest: Manifest) -> list[Json]:
    """The public channels of the first day."""
    rows = (
        ("C0ASK", f"ask-{manifest.handle}", f"Fine-tune, RAG or prompt? Ask @{who.app_name} here.", False),
        ("C0TUNING", "fine-tuning", "Notes on running jobs and what came of them.", False),
        ("C0GENERAL", "general", "Company-wide announcements and work-based matters.", True),
    )
    return [channel(who, *row) for row in rows]


def channel(who: Identity, channel_id: str, name: str, topic: str, is_general: bool = False, by: str = "U0ADA") -> Json:
    """A Slack conversation object of a public channel."""
    kind = {"is_channel": True, "is_group": False, "is_im": False, "is_mpim": False, "is_private": False}
    note = {"value": topic, "creator": by, "last_set": FOUNDED}
    return {
        "id": channel_id,
        "name": name,
        "name_normalized": name,
        **kind,
        "created": FOUNDED,
        "creator": by,
        "is_archived": False,
        "is_general": is_general,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "context_team_id": who.team_id,
        "topic": note,
        "purpose": {**note, "value": ""},
        "previous_names": [],
        "updated": FOUNDED * 1000,
    }


def direct_message(store: Store, who: Identity, user_id: str) -> Json:
    """The conversation of one person with the app, made at first need."""
    channel_id = f"D0{user_id[2:]}"
    found = store.get("channel", channel_id)
    if found:
        return found
    made = {
        "id": channel_id,
        "created": FOUNDED,
        "is_archived": False,
        "is_im": True,
        "is_org_shared": False,
        "context_team_id": who.team_id,
        "user": user_id,
        "is_user_deleted": False,
        "priority": 0,
    }
    store.put("channel", channel_id, made)
    store.join(channel_id, user_id)
    store.join(channel_id, who.bot_user)
    return made
