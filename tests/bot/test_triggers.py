"""The tables refuse in SQL what the code would never do: the same on SQLite and on Postgres."""

from collections import deque
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from bot.store.triggers import refuse_changes
from trainers.states import ENDED, STATES, TRANSITIONS

Allowed = Mapping[str, frozenset[str]]

JOB: dict[str, Any] = {
    "id": "job_1", "workspace_id": "T1", "number": 1, "kind": "train", "state": "quoted", "phase": "", "title": "t",
    "dataset_id": "data_1", "model_id": "", "spec": "{}", "quote": "{}", "quote_hash": "h", "requested_by": "U1",
    "channel": "", "thread_ts": "", "approved_by": "U1", "approved_at": 1, "fence": 1, "owner": "",
    "stop_requested_by": "", "progress": "{}", "result": "{}", "error_what": "", "error_next": "", "created_at": 1,
}  # fmt: skip
DATASET: dict[str, Any] = {
    "id": "data_1", "workspace_id": "T1", "name": "n", "version": 1, "train_path": "", "test_path": "",
    "train_rows": 1, "test_rows": 1, "sha256": "", "labels": "", "provenance": "", "lint": "", "created_by": "",
    "created_at": 1,
}  # fmt: skip


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """Insert a row; columns that are younger than this test get their simplest value."""
    columns = {column["name"]: column for column in inspect(connection).get_columns(table)}
    needed = [name for name, column in columns.items() if not column["nullable"] and name not in (*row, "id")]
    simplest = {"INTEGER": 0, "BIGINT": 0, "BOOLEAN": False}
    values = {name: simplest.get(str(columns[name]["type"]).upper(), "") for name in needed} | row
    places = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"insert into {table}({', '.join(values)}) values ({places})"), values)


def at(connection: Connection, state: str) -> None:
    """Begin with one job, led to `state` by changes that are allowed."""
    insert(connection, "dataset", DATASET)
    first, *rest = way(state)
    insert(connection, "job", {**JOB, "state": first})
    for each in rest:
        change(connection, state=each)


def way(state: str) -> list[str]:
    """The shortest way of a job to a state."""
    ways = deque([["draft"], ["quoted"]])
    while ways:
        found = ways.popleft()
        if found[-1] == state:
            return found
        ways.extend([*found, new] for new in sorted(TRANSITIONS[found[-1]]) if new not in found)
    raise AssertionError(state)


def change(connection: Connection, **columns: Any) -> None:
    connection.execute(text(f"update job set {', '.join(f'{name} = :{name}' for name in columns)}"), columns)


def taken(engine: Engine, prepare: Callable[[Connection], None], then: Callable[[Connection], None]) -> bool:
    """Whether the database takes `then` after `prepare`; nothing of it stays."""
    with engine.connect() as connection:
        prepare(connection)
        try:
            then(connection)
        except IntegrityError:
            return False
        else:
            return True
        finally:
            connection.rollback()


def disagreements(engine: Engine, allowed: Allowed) -> list[tuple[str, str]]:
    """Steps from one state to another about which the database and `allowed` are of two minds."""

    def steps(old: str, new: str) -> bool:
        return taken(engine, lambda c: at(c, old), lambda c: change(c, state=new))

    pairs = product(STATES, STATES)
    return [(old, new) for old, new in pairs if old != new and steps(old, new) != (new in allowed[old])]


def test_code_and_sql_agree_about_every_step(engine: Engine) -> None:
    """For all pairs of states the database allows exactly what `trainers/states.py` allows."""
    assert disagreements(engine, TRANSITIONS) == []


def test_a_change_of_the_table_in_code_alone_is_noticed(engine: Engine) -> None:
    """A step that is added or taken away in code without a migration shows in the comparison above."""
    more = {**TRANSITIONS, "succeeded": frozenset({"queued"})}
    less = {**TRANSITIONS, "failed": frozenset()}
    assert disagreements(engine, more) == [("succeeded", "queued")]
    assert disagreements(engine, less) == [("failed", "queued")]


def test_a_state_that_is_added_in_code_alone_is_refused(engine: Engine) -> None:
    """A job cannot enter a state that no migration has made known."""
    assert not taken(engine, lambda c: at(c, "running"), lambda c: change(c, state="paused"))


@pytest.mark.parametrize("state", STATES)
def test_an_event_tells_of_an_allowed_step(engine: Engine, state: str) -> None:
    """The history takes the same steps as the job, and remarks that change no state."""
    for new in STATES:
        event = {"job_id": "job_1", "at": 1, "old_state": state, "new_state": new, "fence": 0, "who": "", "note": ""}
        legal = taken(engine, lambda c: at(c, "quoted"), lambda c, event=event: insert(c, "job_event", event))
        assert legal == (state == new or new in TRANSITIONS[state])


@pytest.mark.parametrize(
    ("state", "columns"),
    [
        ("running", {"fence": 0}),
        ("running", {"state": "queued", "fence": 0}),
        ("quoted", {"state": "queued", "approved_at": None}),
        ("quoted", {"state": "queued", "approved_by": ""}),
        ("running", {"approved_at": None}),
        ("running", {"workspace_id": "T2"}),
        ("quoted", {"requested_by": "U2"}),
        ("running", {"quote_hash": "another"}),
        ("quoted", {"state": "queued", "spec": "another"}),
        ("succeeded", {"result": "another"}),
        ("failed", {"error_what": "another"}),
        ("cancelled", {"finished_at": 7}),
        ("succeeded", {"approved_by": "U2"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_a_job_keeps_what_was_approved_and_what_happened(engine: Engine, state: str, columns: dict[str, Any]) -> None:
    """Fences fall never, nothing runs unapproved, and neither approval nor outcome can be rewritten."""
    assert not taken(engine, lambda c: at(c, state), lambda c: change(c, **columns))


@pytest.mark.parametrize(
    ("state", "columns"),
    [
        ("running", {"fence": 9}),
        ("running", {"progress": "another", "lease_until": 9}),
        ("awaiting_approval", {"state": "quoted", "quote": "another", "quote_hash": "another"}),
        ("failed", {"state": "queued", "error_what": "", "finished_at": None}),
        ("running", {"state": "succeeded", "result": "first", "finished_at": 9}),
        ("succeeded", {"phase": "", "rung_at": 1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_what_the_code_does_is_taken(engine: Engine, state: str, columns: dict[str, Any]) -> None:
    """The rules leave room for everything that a job's life needs."""
    assert taken(engine, lambda c: at(c, state), lambda c: change(c, **columns))


@pytest.mark.parametrize("state", STATES)
def test_a_job_begins_as_a_quote_and_a_live_one_stays(engine: Engine, state: str) -> None:
    """No job is inserted past its approval, and none that waits or runs is removed."""
    begun = taken(engine, lambda c: insert(c, "dataset", DATASET), lambda c: insert(c, "job", {**JOB, "state": state}))
    assert begun == (state in ("draft", "quoted"))
    removed = taken(engine, lambda c: at(c, state), lambda c: c.execute(text("delete from job")) and None)
    assert removed == (state in ENDED or state in ("draft", "quoted", "awaiting_approval"))


def test_what_happened_cannot_be_changed(engine: Engine) -> None:
    """A row of a job's history stays as it was written."""

    def happened(connection: Connection) -> None:
        at(connection, "quoted")
        event = {"job_id": "job_1", "at": 1, "old_state": "draft", "new_state": "quoted", "fence": 0, "who": "U1"}
        insert(connection, "job_event", {**event, "note": ""})

    assert not taken(engine, happened, lambda c: c.execute(text("update job_event set who = 'U2'")) and None)


def test_an_append_only_table_takes_rows_and_keeps_them(engine: Engine) -> None:
    """After `refuse_changes` a table grows, and neither UPDATE nor DELETE comes through."""

    def locked(connection: Connection) -> None:
        refuse_changes(connection, "leader")
        connection.execute(text("insert into leader(role, owner, lease_until) values ('r', 'o', 1)"))

    assert taken(engine, locked, lambda c: insert(c, "leader", {"role": "s", "owner": "o", "lease_until": 1}))
    assert not taken(engine, locked, lambda c: c.execute(text("update leader set owner = 'p'")) and None)
    assert not taken(engine, locked, lambda c: c.execute(text("delete from leader")) and None)
