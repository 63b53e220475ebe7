"""Keeps the workspace in one SQLite file so that it survives a restart. Knows rows, not what they mean to Slack."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from bot.console.wire import Json

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (channel TEXT, user TEXT, PRIMARY KEY (channel, user)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    channel TEXT, ts TEXT, root TEXT, broadcast INTEGER NOT NULL, author TEXT, viewer TEXT,
    body TEXT NOT NULL, raw TEXT,
    PRIMARY KEY (channel, ts)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replies ON messages (channel, root, ts) WHERE root IS NOT NULL;
CREATE TABLE IF NOT EXISTS reactions (
    place INTEGER PRIMARY KEY, channel TEXT, ts TEXT, name TEXT, user TEXT, UNIQUE (channel, ts, name, user));
CREATE TABLE IF NOT EXISTS reads (user TEXT, channel TEXT, ts TEXT, PRIMARY KEY (user, channel)) WITHOUT ROWID;
"""


class Row(NamedTuple):
    """One stored message."""

    channel: str
    ts: str
    root: str | None
    """Parent's ts where this is a reply."""
    viewer: str | None
    """The only person who may see it (an ephemeral message), or None."""
    body: Json


class Thread(NamedTuple):
    """What a parent shows of its replies."""

    replies: int
    latest: str
    authors: list[str]


class Store:
    """All reads and writes; one connection, used from one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # Documents: users, channels, files, views, sessions and other things that are found by id.

    def put(self, kind: str, key: str, body: Json) -> None:
        """Write or replace one document."""
        self._db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, json.dumps(body)))

    def put_new(self, kind: str, key: str, body: Json) -> bool:
        """Write a document unless it exists; says whether it was written."""
        sql = "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)"
        return self._db.execute(sql, (kind, key, json.dumps(body))).rowcount > 0

    def get(self, kind: str, key: str) -> Json | None:
        """One document, or None."""
        row = self._db.execute("SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key)).fetchone()
        return None if row is None else _load(row[0])

    def all(self, kind: str) -> list[Json]:
        """All documents of a kind, by id."""
        rows = self._db.execute("SELECT body FROM documents WHERE kind = ? ORDER BY id", (kind,))
        return [_load(row[0]) for row in rows]

    def under(self, kind: str, prefix: str) -> list[Json]:
        """All documents of a kind whose id begins so, by id."""
        sql = "SELECT body FROM documents WHERE kind = ? AND id >= ? AND id < ? ORDER BY id"
        return [_load(row[0]) for row in self._db.execute(sql, (kind, prefix, prefix + "\U0010ffff"))]

    def present(self, kind: str, keys: Iterable[str]) -> set[str]:
        """Those of the keys that there are documents for."""
        sql = "SELECT id FROM documents WHERE kind = ? AND id IN (SELECT value FROM json_each(?))"
        return {row[0] for row in self._db.execute(sql, (kind, json.dumps(list(keys))))}

    def drop(self, kind: str, key: str) -> None:
        """Remove a document if it is there."""
        self._db.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))

    def drop_where(self, kind: str, field: str, compare: Literal["<", "="], value: float | str) -> None:
        """Remove all documents of a kind whose field compares so."""
        sql = f"DELETE FROM documents WHERE kind = ? AND json_extract(body, '$.' || ?) {compare} ?"  # noqa: S608 - two fixed words
        self._db.execute(sql, (kind, field, value))

    # Membership

    def join(self, channel: str, user: str) -> bool:
        """Make a user a member; says whether that is new."""
        return self._db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (channel, user)).rowcount > 0

    def leave(self, channel: str, user: str) -> bool:
        """End a membership; says whether there was one."""
        return self._db.execute("DELETE FROM members WHERE channel = ? AND user = ?", (channel, user)).rowcount > 0

    def members(self, channel: str) -> list[str]:
        """Ids of the members, sorted."""
        sql = "SELECT user FROM members WHERE channel = ? ORDER BY user"
        return [row[0] for row in self._db.execute(sql, (channel,))]

    def is_member(self, channel: str, user: str) -> bool:
        """Whether the user is in the channel."""
        sql = "SELECT 1 FROM members WHERE channel = ? AND user = ?"
        return self._db.execute(sql, (channel, user)).fetchone() is not None

    def channels_of(self, user: str) -> set[str]:
        """Ids of the channels in which the user is."""
        return {row[0] for row in self._db.execute("SELECT channel FROM members WHERE user = ?", (user,))}

    # Messages

    def add_message(self, row: Row, author: str, *, broadcast: bool = False, raw: Json | None = None) -> None:
        """Store a message; `raw` is what its author sent."""
        values = (row.channel, row.ts, row.root, broadcast, author, row.viewer, json.dumps(row.body), _dump(raw))
        self._db.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def set_body(self, channel: str, ts: str, body: Json, raw: Json | None = None) -> None:
        """Replace what a message says; `raw` is kept where it is None."""
        sql = "UPDATE messages SET body = ?, raw = coalesce(?, raw) WHERE channel = ? AND ts = ?"
        self._db.execute(sql, (json.dumps(body), _dump(raw), channel, ts))

    def set_broadcast(self, channel: str, ts: str) -> None:
        """Show a reply in the channel too."""
        self._db.execute("UPDATE messages SET broadcast = 1 WHERE channel = ? AND ts = ?", (channel, ts))

    def remove_message(self, channel: str, ts: str) -> None:
        """Remove a message and its reactions."""
        self._db.execute("DELETE FROM messages WHERE channel = ? AND ts = ?", (channel, ts))
        self._db.execute("DELETE FROM reactions WHERE channel = ? AND ts = ?", (channel, ts))

    def message(self, channel: str, ts: str) -> Row | None:
        """One message, ephemeral or not, or None."""
        sql = "SELECT channel, ts, root, viewer, body FROM messages WHERE channel = ? AND ts = ?"
        row = self._db.execute(sql, (channel, ts)).fetchone()
        return None if row is None else _row(row)

    def raw(self, channel: str, ts: str) -> Json | None:
        """What the author of a message sent, or None."""
        row = self._db.execute("SELECT raw FROM messages WHERE channel = ? AND ts = ?", (channel, ts)).fetchone()
        return None if row is None or row[0] is None else _load(row[0])

    def history(
        self, channel: str, *, viewer: str | None = None, after: str = "", before: str = "~", most: int = -1
    ) -> list[Row]:
        """Messages of the channel itself, newest first, between the two ts; with those that only `viewer` sees."""
        sql = """SELECT channel, ts, root, viewer, body FROM messages WHERE channel = ? AND ts > ? AND ts < ?
                 AND (root IS NULL OR broadcast) AND (viewer IS NULL OR viewer = ?) ORDER BY ts DESC LIMIT ?"""
        return [_row(row) for row in self._db.execute(sql, (channel, after, before, viewer or "", most))]

    def history_after(self, channel: str, *, viewer: str | None = None, after: str, most: int = -1) -> list[Row]:
        """Messages of the channel itself after a ts, oldest first; with those that only `viewer` sees."""
        sql = """SELECT channel, ts, root, viewer, body FROM messages WHERE channel = ? AND ts > ?
                 AND (root IS NULL OR broadcast) AND (viewer IS NULL OR viewer = ?) ORDER BY ts LIMIT ?"""
        return [_row(row) for row in self._db.execute(sql, (channel, after, viewer or "", most))]

    def threads_of(self, user: str, most: int) -> list[tuple[str, str]]:
        """(channel, root) of the threads in which this person wrote, the latest reply first."""
        sql = """SELECT channel, root FROM messages WHERE root IS NOT NULL AND viewer IS NULL AND (channel, root) IN (
                   SELECT channel, coalesce(root, ts) FROM messages WHERE author = ? AND viewer IS NULL)
                 GROUP BY channel, root ORDER BY max(ts) DESC LIMIT ?"""
        return [(row[0], row[1]) for row in self._db.execute(sql, (user, most))]

    def replies(
        self, channel: str, root: str, *, viewer: str | None = None, after: str = "", before: str = "~", most: int = -1
    ) -> list[Row]:
        """The replies of a thread between the two ts, oldest first, without the parent."""
        # Left to itself SQLite takes the range of ts, and reads the whole channel.
        sql = """SELECT channel, ts, root, viewer, body FROM messages INDEXED BY replies WHERE channel = ? AND root = ?
                 AND ts > ? AND ts < ? AND (viewer IS NULL OR viewer = ?) ORDER BY ts LIMIT ?"""
        return [_row(row) for row in self._db.execute(sql, (channel, root, after, before, viewer or "", most))]

    def threads(self, channel: str, roots: Iterable[str]) -> dict[str, Thread]:
        """For each parent that has replies: how many, the latest, by whom."""
        sql = """SELECT root, count(*), max(ts), group_concat(DISTINCT author) FROM messages
                 WHERE channel = ? AND root IN (SELECT value FROM json_each(?)) AND viewer IS NULL GROUP BY root"""
        rows = self._db.execute(sql, (channel, json.dumps(list(roots))))
        return {root: Thread(count, latest, authors.split(",")) for root, count, latest, authors in rows}

    def latest_ts(self) -> str:
        """The newest ts of all, so that time never runs backwards after a restart."""
        row = self._db.execute("SELECT max(ts) FROM messages").fetchone()
        return row[0] or ""

    def unread(self, user: str, channel: str, *, naming: str = "") -> int:
        """Messages of others in the channel since the user read it; with `naming` only those that hold that text."""
        sql = """SELECT count(*) FROM messages WHERE channel = ? AND (root IS NULL OR broadcast) AND author != ?
                 AND (viewer IS NULL OR viewer = ?) AND instr(body, ?)
                 AND ts > coalesce((SELECT ts FROM reads WHERE user = ? AND channel = ?), '')"""
        count: int = self._db.execute(sql, (channel, user, user, naming or "{", user, channel)).fetchone()[0]
        return count

    def mark_read(self, user: str, channel: str, ts: str) -> None:
        """The user has seen the channel up to this ts."""
        self._db.execute("INSERT OR REPLACE INTO reads VALUES (?, ?, ?)", (user, channel, ts))

    def last_read(self, user: str, key: str) -> str:
        """Up to which ts the user has seen a channel, or a thread (`C…/ts`); "" if not at all."""
        row = self._db.execute("SELECT ts FROM reads WHERE user = ? AND channel = ?", (user, key)).fetchone()
        return row[0] if row else ""

    # Reactions

    def react(self, channel: str, ts: str, name: str, user: str) -> bool:
        """Add a reaction; says whether it is new."""
        sql = "INSERT OR IGNORE INTO reactions (channel, ts, name, user) VALUES (?, ?, ?, ?)"
        return self._db.execute(sql, (channel, ts, name, user)).rowcount > 0

    def unreact(self, channel: str, ts: str, name: str, user: str) -> bool:
        """Remove a reaction; says whether there was one."""
        sql = "DELETE FROM reactions WHERE channel = ? AND ts = ? AND name = ? AND user = ?"
        return self._db.execute(sql, (channel, ts, name, user)).rowcount > 0

    def reacted_by(self, user: str) -> list[tuple[str, str]]:
        """(channel, ts) of the messages to which the user reacted, the latest reaction first."""
        sql = "SELECT channel, ts FROM reactions WHERE user = ? GROUP BY channel, ts ORDER BY max(place) DESC"
        return [(row[0], row[1]) for row in self._db.execute(sql, (user,))]

    def reactions(self, channel: str, messages: Iterable[str]) -> dict[str, list[Json]]:
        """Slack's reaction lists by ts, in the order in which they came."""
        sql = """SELECT ts, name, user FROM reactions WHERE channel = ?
                 AND ts IN (SELECT value FROM json_each(?)) ORDER BY place"""
        found: dict[str, dict[str, Json]] = {}
        for ts, name, user in self._db.execute(sql, (channel, json.dumps(list(messages)))):
            entry = found.setdefault(ts, {}).setdefault(name, {"name": name, "users": [], "count": 0})
            entry["users"].append(user)
            entry["count"] += 1
        return {ts: list(entries.values()) for ts, entries in found.items()}


def _row(row: tuple[str, str, str | None, str | None, str]) -> Row:
    return Row(row[0], row[1], row[2], row[3], _load(row[4]))


def _load(text: str) -> Json:
    value: Json = json.loads(text)
    return value


def _dump(raw: Json | None) -> str | None:
    return None if raw is None else json.dumps(raw)
