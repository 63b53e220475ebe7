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
    """Ids and names of one team and of the one app in it."""

    mark: str = "0"
    """Second character of this team's ids: they differ between teams, as Slack's do."""
    team_id: str = "T0NORTHWIND"
    """The workspace."""
    team_name: str = "Northwind"
    """What people call it."""
    domain: str = "northwind"
    """Its part of the address."""
    app_name: str
    """Display name of the app."""
    app_id: str
    """`A0…`, the same in every team."""
    bot_id: str
    """`B0…`, the app's bot profile in this team."""
    bot_user: str
    """`U0…`, the user that the app posts as in this team."""


TEAMS = ("Northwind", "Harbour", "Kestrel", "Lumen", "Meridian")
PEOPLE = (
    "Ada Obi", "Ben Sato", "Chi Park", "Dana Reyes",
    "Eli Novak", "Fay Lund", "Gus Moreau", "Hana Ito",
    "Ivo Marin", "Joy Adeyemi", "Kai Weber", "Lea Costa",
    "Max Quist", "Nia Farah", "Ola Berg", "Pia Rossi",
    "Quin Hale", "Ravi Nair", "Sol Vega", "Tam Nguyen",
    "Uma Shah", "Vik Olsen", "Wen Zhao", "Yara Haddad",
)  # fmt: skip
ROLES = {0: "owner", 3: "admin", 4: "guest", 5: "single_channel_guest"}
"""Roles by place in a team; everyone else is a member."""
COLORS = ("#2f7de1", "#2a9d6f", "#c2571a", "#8e4ec6", "#0b7285", "#a4262c", "#5c7c0a", "#b35900")


def identity(manifest: Manifest, index: int = 0, stem: str = "") -> Identity:
    """Ids derive from the app's first name and the team's place; `stem` is what an earlier start made of that name."""
    stem, mark, name = stem or manifest.handle.replace("-", "").upper(), str(index), TEAMS[index]
    team = {"team_id": f"T{mark}{name.upper()}", "team_name": name, "domain": name.lower()}
    app = {"app_name": manifest.name, "app_id": f"A0{stem}"}
    return Identity(mark=mark, **team, **app, bot_id=f"B{mark}{stem}", bot_user=f"U{mark}{stem}")


def seed(store: Store, manifest: Manifest, index: int = 0, people: int = 3) -> Identity:
    """Write people, app and channels; what exists already is kept, only the app's own data is renewed."""
    # An app that is renamed stays the same app.
    known = [user["id"][2:] for user in store.all("user") if user["is_bot"] and "api_app_id" in user["profile"]]
    who = identity(manifest, index, known[0] if known else "")
    new = [user for user in roster(who, index, people) if store.put_new("user", user["id"], user)]
    store.put("user", who.bot_user, bot_user(who, manifest.handle))
    store.put_new("user", SLACKBOT, {**person(who, SLACKBOT, "slackbot", "Slackbot", "#757575"), "is_bot": False})
    for channel in channels(who, manifest, by=roster(who, index, 1)[0]["id"]):
        if store.put_new("channel", channel["id"], channel):
            store.join(channel["id"], who.bot_user)
        # Whoever came before may have left since; a new person joins once.
        for user in new:
            if _is_invited(user, channel):
                store.join(channel["id"], user["id"])
    for user in new:
        direct_message(store, who, user["id"])
    return who


def roster(who: Identity, index: int, people: int) -> list[Json]:
    """The people of a team; teams begin at different places of one list of names."""
    names = [PEOPLE[(place + 8 * index) % len(PEOPLE)] for place in range(people)]
    return [
        person(
            who,
            f"U{who.mark}{name.split()[0].upper()}",
            name.split()[0].lower(),
            name,
            COLORS[place % len(COLORS)],
            ROLES.get(place, "member"),
        )
        for place, name in enumerate(names)
    ]


def _is_invited(user: Json, channel: Json) -> bool:
    """A single-channel guest was invited to the app's channel only, another guest not to the general one."""
    if user["is_ultra_restricted"]:
        return bool(channel["name"].startswith("ask-"))
    return not (user["is_restricted"] and channel["is_general"])


def person(who: Identity, user_id: str, name: str, real_name: str, color: str, role: str = "member") -> Json:
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
    owner, guest = role == "owner", role.endswith("guest")
    roles = {"is_admin": role in ("admin", "owner"), "is_owner": owner, "is_primary_owner": owner}
    limits = {"is_restricted": guest, "is_ultra_restricted": role == "single_channel_guest"}
    flags = {**limits, "is_bot": False, "is_app_user": False}
    return {**user, **roles, **flags, "is_email_confirmed": True, "updated": FOUNDED}


def bot_user(who: Identity, handle: str) -> Json:
    """The Slack user object of the app's bot."""
    user = person(who, who.bot_user, handle, who.app_name, "#7c3aed")
    profile = {**user["profile"], "display_name": "", "api_app_id": who.app_id, "bot_id": who.bot_id}
    del profile["email"]
    return {**user, "is_bot": True, "profile": profile}


def channels(who: Identity, manifest: Manifest, by: str) -> list[Json]:
    """The public channels of the first day."""
    rows = (
        ("ASK", f"ask-{manifest.handle}", f"Fine-tune, RAG or prompt? Ask @{who.app_name} here.", False),
        ("TUNING", "fine-tuning", "Notes on running jobs and what came of them.", False),
        ("GENERAL", "general", "Company-wide announcements and work-based matters.", True),
    )
    return [channel(who, f"C{who.mark}{stem}", name, topic, general, by) for stem, name, topic, general in rows]


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
    channel_id = f"D{user_id[1:]}"
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
