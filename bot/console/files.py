"""Uploaded files: their objects, their bytes on disk, their addresses. Knows nothing of messages or methods."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from bot.console import events
from bot.console.file_kinds import HEAD, INLINE, content_facts, type_of
from bot.console.limits import limit
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

__all__ = ["INLINE"]


def new_file(space: Workspace, name: str, user: str, *, alt_txt: str = "", snippet_type: str = "") -> Json:
    """Make a file record that has no bytes yet; gives the stored object. A snippet has its type in `snippet_type`."""
    file_id = space.clock.id("F")
    safe = _safe_name(name)
    kind, pretty, mimetype = type_of(safe)
    created, who = int(space.clock.now()), space.who
    bot = {"bot_id": who.bot_id, "app_id": who.app_id} if user == who.bot_user else {}
    file: Json = {
        "id": file_id,
        "created": created,
        "timestamp": created,
        "name": safe,
        "title": safe,
        "mimetype": mimetype,
        "filetype": kind,
        "pretty_type": pretty,
        "user": user,
        "user_team": space.who.team_id,
        "editable": bool(snippet_type),
        "size": 0,
        "mode": "snippet" if snippet_type else "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        **({"alt_txt": alt_txt} if alt_txt else {}),
        **bot,
        **{where: [] for where in ("channels", "groups", "ims")},
        "shares": {},
        "has_more_shares": False,
        "has_rich_preview": False,
        "comments_count": 0,
        "file_access": "visible",
    }
    if snippet_type:
        file.update(filetype=snippet_type, pretty_type=snippet_type.capitalize(), mimetype="text/plain")
    space.store.put("file", file_id, {**file, "state": "waiting"})
    return file


def path_of(space: Workspace, file_id: str) -> Path:
    """Where the bytes are."""
    return space.folder / "files" / file_id


async def receive(space: Workspace, file_id: str, chunks: AsyncIterator[bytes], length: int | None = None) -> Json:
    """Stream bytes to disk, counting. Raises file_upload_size_restricted or length_mismatch; nothing is kept then."""
    path = path_of(space, file_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, size, lines = path.with_suffix(".part"), 0, 1
    try:
        with partial.open("wb") as out:
            async for chunk in chunks:
                size, lines = size + len(chunk), lines + chunk.count(b"\n")
                if size > limit("file.bytes"):
                    raise SlackError("file_upload_size_restricted", f"at most {limit('file.bytes'):,} bytes")
                out.write(chunk)
        if length not in (None, size):
            raise SlackError("length_mismatch", f"{length:,} bytes were announced, {size:,} came")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    record = space.store.get("file", file_id) or {}
    with path.open("rb") as handle:
        head = handle.read(HEAD)
    record.update(content_facts(record, head, lines), size=size, state="received")
    space.store.put("file", file_id, record)
    return record


def finish(space: Workspace, file_id: str, title: str, filetype: str) -> None:
    """Complete the app's upload. Raises file_not_found where no bytes came, or it was completed before."""
    record = space.store.get("file", file_id)
    if record is None or record["state"] != "received" or record["user"] != space.who.bot_user:
        raise SlackError("file_not_found", f"file {file_id} has no bytes yet, or was completed before")
    changed = {"title": title or record["title"], **({"filetype": filetype} if filetype else {})}
    space.store.put("file", file_id, {**record, **changed, "state": "finished"})
    announce(space, "file_created", file_id, record["user"])
    if changed["title"] != record["title"]:
        announce(space, "file_change", file_id, record["user"])


def announce(space: Workspace, kind: str, file_id: str, user: str) -> None:
    """Send an event about one file, such as file_created, if the app may see it."""
    if not _seen_by_app(space, space.store.get("file", file_id) or {}):
        return
    event = {"type": kind, "file_id": file_id, "user_id": user, "file": {"id": file_id}}
    events.emit(space, {**event, "event_ts": space.clock.ts()})


def find(space: Workspace, file_id: str) -> Json:
    """The object of a file that has bytes, with its addresses. Raises file_not_found or file_deleted."""
    record = space.store.get("file", file_id)
    if record is None or record["state"] == "waiting":
        raise SlackError("file_not_found")
    if record["state"] == "deleted":
        raise SlackError("file_deleted")
    return _public(space, record)


def find_for_app(space: Workspace, file_id: str) -> Json:
    """A file that the app may see: its own, one in its channels, one given in a form. Raises as find does."""
    file = find(space, file_id)
    record = space.store.get("file", file_id) or {}
    if not _seen_by_app(space, record):
        raise SlackError("file_not_found")
    return file


def all_for_app(space: Workspace) -> list[Json]:
    """Every file that the app may see, the newest first."""
    records = [record for record in space.store.all("file") if record["state"] not in ("waiting", "deleted")]
    seen = [_public(space, record) for record in records if _seen_by_app(space, record)]
    return sorted(seen, key=lambda file: (file["created"], file["id"]), reverse=True)


def grant(space: Workspace, file_id: str) -> None:
    """Let the app see a file that a person put into its form."""
    record = space.store.get("file", file_id)
    if record:
        space.store.put("file", file_id, {**record, "_granted": True})


def remove(space: Workspace, file_id: str) -> None:
    """Delete a file's bytes; a tombstone stays where it was shown, and the app hears of it."""
    record = space.store.get("file", file_id) or {}
    kept = ("id", "created", "timestamp", "user", "shares", "channels", "groups", "ims")
    grave = {**{key: record[key] for key in kept}, "mode": "tombstone", "state": "deleted"}
    space.store.put("file", file_id, grave)
    path_of(space, file_id).unlink(missing_ok=True)
    where = [*record["channels"], *record["groups"], *record["ims"]]
    event = {"type": "file_deleted", "file_id": file_id, "channel_ids": where}
    events.emit(space, {**event, "event_ts": space.clock.ts()})


def share(space: Workspace, file_id: str, channel: Json, ts: str, thread_ts: str | None) -> None:
    """Record that a file was shown in a channel."""
    record = space.store.get("file", file_id) or {}
    was_seen = _seen_by_app(space, record)
    scope = "private" if space.channel_type(channel) in ("im", "mpim", "group") else "public"
    where = "ims" if channel.get("is_im") else "channels" if scope == "public" else "groups"
    if channel["id"] not in record[where]:
        record[where] = [*record[where], channel["id"]]
    counts = {"reply_users": [], "reply_users_count": 0, "reply_count": 0}
    place = {"ts": ts, "channel_name": channel.get("name", ""), "team_id": space.who.team_id}
    entry = {**counts, **place, "share_user_id": record["user"], **({"thread_ts": thread_ts} if thread_ts else {})}
    record["shares"].setdefault(scope, {}).setdefault(channel["id"], []).append(entry)
    published = scope == "public" and not record["is_public"]
    record["is_public"] = scope == "public" or record["is_public"]
    space.store.put("file", file_id, record)
    if not was_seen:
        announce(space, "file_created", file_id, record["user"])
    if published:
        announce(space, "file_public", file_id, record["user"])


def shown_in(space: Workspace, file_id: str) -> list[tuple[str, str]]:
    """(channel, ts) of every message that shows a file."""
    shares = (space.store.get("file", file_id) or {}).get("shares", {})
    places = [(channel, entry) for scope in shares.values() for channel, entries in scope.items() for entry in entries]
    return [(channel, entry["ts"]) for channel, entry in places]


def hydrate(space: Workspace, body: Json) -> Json:
    """A message with whole file objects in place of file ids, without what only this Slack needs."""
    message = {key: value for key, value in body.items() if key != "file_ids" and not key.startswith("_")}
    if "file_ids" not in body:
        return message
    records = [(file_id, space.store.get("file", file_id)) for file_id in body["file_ids"]]
    message["files"] = [
        _public(space, record) if record else {"id": file_id, "mode": "tombstone"} for file_id, record in records
    ]
    return message


def _seen_by_app(space: Workspace, record: Json) -> bool:
    if record["user"] == space.who.bot_user or record.get("_granted"):
        return True
    where = (*record["channels"], *record["groups"], *record["ims"])
    return any(space.store.is_member(channel, space.who.bot_user) for channel in where)


def _public(space: Workspace, record: Json) -> Json:
    if record["state"] == "deleted":
        return {"id": record["id"], "mode": "tombstone"}
    base = f"{space.settings.address}/files-pri/{space.who.team_id}-{record['id']}"
    name = quote(record["name"], safe="")
    link = f"{space.settings.address}/files/{record['user']}/{record['id']}/{name}"
    urls = {"url_private": f"{base}/{name}", "url_private_download": f"{base}/download/{name}", "permalink": link}
    if record["mode"] == "snippet":
        urls["edit_link"] = f"{link}/edit"
    return {**{key: value for key, value in record.items() if key != "state" and not key.startswith("_")}, **urls}


def _safe_name(name: str) -> str:
    """A name without line breaks and slashes; one of dots would be a step in the path of the file's address."""
    safe = re.sub(r"[\x00-\x1f/\\]", "_", name).strip()
    return safe if safe.strip(".") else "file"
