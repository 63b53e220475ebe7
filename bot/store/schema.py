"""Knows which schema this version works with, by the migrations beside it; it does not know how to get there."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from knowledge.errors import UserError

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def check_schema(engine: Engine) -> None:
    """Raise UserError unless the schema is the one that this version writes: what every process asks at its start."""
    with engine.execution_options(reading=True).connect() as connection:
        refuse_newer(connection)
        if _revision(connection) != max(_known()):
            raise UserError("The database has an older schema than this version.", "Run `luthier migrate` once.")


def is_newest(engine: Engine) -> bool:
    """Say whether the schema is the one that this version writes."""
    with engine.execution_options(reading=True).connect() as connection:
        return _revision(connection) == max(_known())


def refuse_newer(connection: Connection) -> None:
    """Raise UserError where a newer version has been here."""
    revision = _revision(connection)
    if revision and revision not in _known():
        raise UserError(
            f"This database was written by a newer Luthier (schema {revision}).",
            "Start that version, or restore a backup made before it.",
        )


def _known() -> set[str]:
    """Numbers of the migrations; they form one line, so the highest is the newest."""
    return {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or "")
