"""Migrations on SQLite and on Postgres: from every released schema with data, there and back, and killed in between."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlmodel import SQLModel

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.store.schema import MIGRATIONS, check_schema
from knowledge.errors import UserError
from tests.bot.test_triggers import DATASET, JOB, insert
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
REVISIONS = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))
Schema = dict[str, tuple[str, ...]]


@pytest.fixture
def empty(empty_address: str) -> Iterator[Engine]:
    made = open_engine(empty_address)
    yield made
    made.dispose()


def schema(engine: Engine) -> Schema:
    """Columns, constraints, indexes and triggers of each table, in words that can be compared."""
    with engine.connect() as connection:
        look = inspect(connection)
        found = {
            table: (
                *(f"{column['name']} {column['type']} {column['nullable']}" for column in look.get_columns(table)),
                *sorted(str(index["column_names"]) for index in look.get_indexes(table)),
                *sorted(str(unique["column_names"]) for unique in look.get_unique_constraints(table)),
                *sorted(str(key["constrained_columns"]) for key in look.get_foreign_keys(table)),
                *sorted(str(check["name"]) for check in look.get_check_constraints(table)),
                *triggers(connection, table),
            )
            for table in look.get_table_names()
        }
    return {table: tuple(sorted(parts)) for table, parts in found.items() if table != "alembic_version"}


def triggers(connection: Connection, table: str) -> list[str]:
    query = (
        "select tgname from pg_trigger where not tgisinternal and tgrelid = cast(:table as regclass)"
        if connection.dialect.name == "postgresql"
        else "select name from sqlite_master where type = 'trigger' and tbl_name = :table"
    )
    return sorted(connection.execute(text(query), {"table": table}).scalars())


def fill(engine: Engine) -> None:
    """Write what a team may have had at the first release: a job with its history, its messages and its model."""
    with engine.begin() as connection:
        insert(connection, "dataset", DATASET)
        insert(connection, "job", JOB)
        step = {"job_id": "job_1", "at": 1, "old_state": "draft", "new_state": "quoted", "fence": 0, "who": "U1"}
        insert(connection, "job_event", {**step, "note": ""})
        owed = {"workspace_id": "T1", "job_id": "job_1", "key": "quote", "kind": "quote", "channel": "C1", "ts": "1.1"}
        insert(connection, "outbox_message", {**owed, "payload": "{}", "version": 1, "sent_version": 1})
        insert(connection, "model_version", {"id": "model_1", "workspace_id": "T1", "job_id": "job_1", "created_at": 1})
        for state in ("queued", "running", "succeeded"):
            connection.execute(text("update job set state = :state"), {"state": state})


def kept(engine: Engine) -> tuple[object, ...]:
    with engine.connect() as connection:
        job = connection.execute(text("select id, state, quote_hash, approved_by, fence from job")).one()
        event = connection.execute(text("select id, old_state, new_state from job_event")).one()
        message = connection.execute(text("select ts from outbox_message")).scalar_one()
        return (*job, *event, message, connection.execute(text("select job_id from model_version")).scalar_one())


def test_migrations_build_exactly_the_tables(engine: Engine) -> None:
    """At head Alembic finds no difference between the database and the code."""
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


class Ladder:
    """A database of each released schema, as it was left when that schema was the newest one; they are copied."""

    def __init__(self, request: pytest.FixtureRequest, kind: str, folder: Path) -> None:
        self._server: Postgres | None = request.getfixturevalue("postgres") if kind == "postgres" else None
        self._folder = folder
        self.kept: dict[str, str] = {}
        self.schemas: dict[str, Schema] = {}
        climbing = self._server.create() if self._server else "climbing"
        for revision in ("base", *REVISIONS):
            with opened(self._url(climbing)) as engine:
                if revision != "base":
                    migrate(engine, folder, revision)
                self.schemas[revision] = schema(engine)
            self.kept[revision] = self._copy(climbing, f"at_{revision}")

    @contextmanager
    def at(self, revision: str) -> Iterator[Engine]:
        """A database of its own at this revision."""
        name = self._copy(self.kept[revision], "one")
        with opened(self._url(name)) as engine:
            yield engine
        if self._server:
            self._server.drop(name)

    def _copy(self, name: str, to: str) -> str:
        if self._server:
            return self._server.create(name)
        shutil.copy(self._folder / f"{name}.db", self._folder / f"{to}.db")
        return to

    def _url(self, name: str) -> str:
        return self._server.url(name) if self._server else f"sqlite:///{self._folder / name}.db"


@contextmanager
def opened(address: str) -> Iterator[Engine]:
    made = open_engine(address)
    with made.connect():  # SQLite makes its file now
        pass
    yield made
    made.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def ladder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """Climbed once for each kind of database: to build an old schema for each test anew takes its square in steps."""
    return Ladder(request, request.param, tmp_path_factory.mktemp("ladder"))


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_released_schema_comes_to_head_with_its_rows(ladder: Ladder, tmp_path: Path, revision: str) -> None:
    """A database of any earlier version, with rows in it, is brought to head and says the same as before."""
    with ladder.at(revision) as engine:
        fill(engine)
        before = kept(engine)
        migrate(engine, tmp_path)
        assert kept(engine) == before
        check_schema(engine)


OLD_JOBS = {
    # (backend, channel): (queue, private)
    ("local", "C0ASK"): ("cpu", False),
    ("rehearsal", "C0ASK"): ("io", False),
    ("hosted_rehearsal", ""): ("io", False),
    ("local", "D0ADA"): ("cpu", True),
    ("rehearsal", "G0SECRET"): ("io", True),
    ("a backend of another version", ""): ("cpu", False),
    (None, "C0ASK"): ("cpu", False),
}


def test_jobs_from_before_queues_get_their_queue_and_stay_private(empty: Engine, tmp_path: Path) -> None:
    """0005 fills in what it can know: the queue from the backend, privacy from the conversation, and nobody waits."""
    migrate(empty, tmp_path, "0004")
    with empty.begin() as connection:
        insert(connection, "dataset", DATASET)
        for number, (backend, channel) in enumerate(OLD_JOBS):
            spec = json.dumps({"backend": backend} if backend else {})
            insert(connection, "job", JOB | {"id": f"j{number}", "number": number, "spec": spec, "channel": channel})
        connection.execute(text("update job set state = 'queued' where id = 'j3'"))
    migrate(empty, tmp_path)
    with empty.connect() as connection:
        query = "select queue, private, priority, state from job order by number"
        rows = connection.execute(text(query)).all()
    assert [(row.queue, bool(row.private)) for row in rows] == list(OLD_JOBS.values())
    assert {row.priority for row in rows} == {"interactive"}
    assert [row.state for row in rows].count("queued") == 1


def test_there_and_back_again_is_the_same_schema(ladder: Ladder, tmp_path: Path) -> None:
    """Each step down undoes its step up, triggers included, and each step up again gives what was there."""
    with ladder.at(REVISIONS[-1]) as engine:
        for revision in ["base", *REVISIONS][-2::-1]:
            migrate(engine, tmp_path, revision)
            assert schema(engine) == ladder.schemas[revision], f"down to {revision}"
        for revision in REVISIONS:
            migrate(engine, tmp_path, revision)
            assert schema(engine) == ladder.schemas[revision], f"up to {revision} again"


@pytest.mark.parametrize("revision", ["base", REVISIONS[0], REVISIONS[len(REVISIONS) // 2]])
def test_all_steps_at_once_are_the_same_as_one_by_one(ladder: Ladder, tmp_path: Path, revision: str) -> None:
    """From head down to an old schema, and up to head, in one transaction each."""
    with ladder.at(REVISIONS[-1]) as engine:
        migrate(engine, tmp_path, revision)
        assert schema(engine) == ladder.schemas[revision]
        migrate(engine, tmp_path)
        assert schema(engine) == ladder.schemas[REVISIONS[-1]]


def test_migrating_twice_changes_nothing(empty: Engine, tmp_path: Path) -> None:
    """Of processes that start at once, on one data folder or on several machines, one migrates and the others wait."""
    folders = [tmp_path / "here", tmp_path / "here", tmp_path / "there"]
    at_once = [threading.Thread(target=migrate, args=(empty, folder)) for folder in folders]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    with empty.connect() as connection:
        assert connection.execute(text("select count(*) from alembic_version")).scalar_one() == 1
    check_schema(empty)


def test_a_newer_database_is_refused_in_words(engine: Engine, tmp_path: Path) -> None:
    """A version that does not know the schema starts nothing and says which version would."""
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    for begin in (lambda: migrate(engine, tmp_path), lambda: check_schema(engine)):
        with pytest.raises(UserError, match="newer Luthier \\(schema 9999\\)"):
            begin()


@pytest.mark.parametrize("revision", ["base", *REVISIONS[:-1]])
def test_an_older_database_is_not_worked_on(ladder: Ladder, revision: str) -> None:
    """A process that finds tables of yesterday, or none, says which command mends that."""
    with ladder.at(revision) as engine:
        with pytest.raises(UserError) as refused:
            check_schema(engine)
        assert "luthier migrate" in refused.value.next_step


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from bot.store.engine import open_engine
from bot.store.migrate import migrate
engine, left = open_engine(sys.argv[1]), int(sys.argv[3])
@event.listens_for(engine, "after_cursor_execute")
def die(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
migrate(engine, Path(sys.argv[2]))
"""


@pytest.mark.parametrize("after", [1, 8, 15])
def test_killed_in_between_it_leaves_the_schema_as_it_was(
    empty: Engine, empty_address: str, tmp_path: Path, after: int
) -> None:
    """SIGKILL after some statements of a migration rolls all of it back; the next start migrates and finds the rows."""
    migrate(empty, tmp_path, REVISIONS[0])
    fill(empty)
    before, rows = schema(empty), kept(empty)
    argv = [sys.executable, "-c", KILLED, empty_address, str(tmp_path), str(after)]
    child = subprocess.run(argv, cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    assert (schema(empty), kept(empty)) == (before, rows)
    migrate(empty, tmp_path)
    check_schema(empty)
    assert kept(empty) == rows


def test_migrations_form_one_line() -> None:
    """Each revision follows the one before it by number, so that two people's migrations cannot fork."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    line = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()]
    assert sorted(line) == REVISIONS
