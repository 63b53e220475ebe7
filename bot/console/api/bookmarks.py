"""bookmarks.*: links at the top of a channel. Knows nothing of what is behind a link."""

import re
from urllib.parse import urlsplit

from bot.console.api.access import joined, known
from bot.console.api.registry import method
from bot.console.limits import limit
from bot.console.rooms import tell_lists
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

WRITE = ("bookmarks:write",)
PLACE = ("channel_not_found", "not_in_channel")
FORM = ("invalid_link", "invalid_emoji")


@method(
    "bookmarks.add",
    scopes=WRITE,
    errors=(*PLACE, *FORM, "invalid_bookmark_type", "too_many_bookmarks"),
    tier="tier_2",
)
def bookmarks_add(space: Workspace, args: Args) -> Json:
    """Put a link at the top of a channel."""
    channel = joined(space, args, name="channel_id")
    title, kind = args.need("title"), args.need("type")
    if kind != "link":
        raise SlackError("invalid_bookmark_type")
    present = _of(space, channel["id"])
    if len(present) >= limit("bookmark.in_channel"):
        raise SlackError("too_many_bookmarks")
    made: Json = {
        "id": space.clock.id("Bk"),
        "channel_id": channel["id"],
        "title": title,
        "link": _link(args.need("link")),
        "emoji": _emoji(args.text("emoji")),
        "icon_url": None,
        "entity_id": None,
        "type": kind,
        "date_created": int(space.clock.now()),
        "date_updated": 0,
        "rank": _rank(present),
        "shortcut_id": None,
        "app_id": None,
    }
    return {"bookmark": _save(space, channel, made)}


@method("bookmarks.edit", scopes=WRITE, errors=(*PLACE, *FORM, "not_found"), tier="tier_2")
def bookmarks_edit(space: Workspace, args: Args) -> Json:
    """Change a bookmark's title, link or emoji."""
    channel = joined(space, args, name="channel_id")
    made = _find(space, channel, args.need("bookmark_id"))
    change: Json = {"title": args.text("title")} if args.text("title") else {}
    if args.has("link"):
        change["link"] = _link(args.text("link"))
    if args.has("emoji"):
        change["emoji"] = _emoji(args.text("emoji"))
    return {"bookmark": _save(space, channel, {**made, **change, "date_updated": int(space.clock.now())})}


@method("bookmarks.list", scopes=("bookmarks:read",), errors=("channel_not_found",))
def bookmarks_list(space: Workspace, args: Args) -> Json:
    """The bookmarks of a channel, in their order."""
    return {"bookmarks": _of(space, known(space, args, name="channel_id")["id"])}


@method("bookmarks.remove", scopes=WRITE, errors=(*PLACE, "not_found"), tier="tier_2")
def bookmarks_remove(space: Workspace, args: Args) -> Json:
    """Take a bookmark away."""
    channel = joined(space, args, name="channel_id")
    made = _find(space, channel, args.need("bookmark_id"))
    space.store.drop("bookmark", f"{channel['id']}/{made['id']}")
    tell_lists(space, channel)
    return {}


def _of(space: Workspace, channel_id: str) -> list[Json]:
    return sorted(space.store.under("bookmark", f"{channel_id}/"), key=lambda entry: str(entry["rank"]))


def _find(space: Workspace, channel: Json, bookmark_id: str) -> Json:
    found = space.store.get("bookmark", f"{channel['id']}/{bookmark_id}")
    if found is None:
        raise SlackError("not_found")
    return found


def _save(space: Workspace, channel: Json, made: Json) -> Json:
    by = {"last_updated_by_user_id": space.who.bot_user, "last_updated_by_team_id": space.who.team_id}
    saved = {**made, **by}
    space.store.put("bookmark", f"{channel['id']}/{made['id']}", saved)
    tell_lists(space, channel)
    return saved


def _rank(present: list[Json]) -> str:
    """A word that sorts after those of the bookmarks that are there."""
    return f"g{int(present[-1]['rank'][1:]) + 1:05d}" if present else "g00000"


def _link(link: str) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:
        raise SlackError("invalid_link") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SlackError("invalid_link")
    return link


def _emoji(name: str) -> str:
    if name and not re.fullmatch(r":?[\w+'-]{1,100}:?", name):
        raise SlackError("invalid_emoji")
    return f":{name.strip(':')}:" if name else ""
