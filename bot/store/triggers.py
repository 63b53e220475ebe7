"""Knows how a table refuses a change in SQL itself, on both databases; it does not know which changes are wrong.

Migrations call this with values of their own, so that an old migration does the same for ever.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sqlalchemy import Connection

_FUNCTION = """
CREATE OR REPLACE FUNCTION luthier_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation'; END $$
"""


def refuse(
    connection: Connection, table: str, name: str, what: Literal["INSERT", "UPDATE", "DELETE"], when: str, why: str
) -> None:
    """Raise IntegrityError with the text `why` on a change of a row where the condition `when` over OLD and NEW holds.

    SQLite forgets a table's triggers when a migration rebuilds it (a batch operation): make them again after it.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_FUNCTION.replace("%", "%%"))
        then = f"EXECUTE FUNCTION luthier_refuse('{why}')"
    else:
        then = f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
    connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW WHEN ({when}) {then}")


def allow(connection: Connection, table: str, name: str) -> None:
    """Remove what `refuse` made."""
    on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")


def refuse_changes(connection: Connection, table: str) -> None:
    """Let rows be added to a table and nothing else: no row may be changed or removed."""
    refuse(connection, table, f"{table}_update", "UPDATE", "true", f"{table} is append-only")
    refuse(connection, table, f"{table}_delete", "DELETE", "true", f"{table} is append-only")


def allow_changes(connection: Connection, table: str) -> None:
    """Remove what `refuse_changes` made."""
    for what in ("update", "delete"):
        allow(connection, table, f"{table}_{what}")


def moved(column: str, allowed: Mapping[str, Iterable[str]]) -> str:
    """Return the condition that a column goes from one value to another in a way that `allowed` does not list."""
    steps = [f"(OLD.{column} = '{old}' AND NEW.{column} IN ({_listed(new)}))" for old, new in allowed.items() if new]
    return f"OLD.{column} <> NEW.{column} AND NOT ({' OR '.join(steps)})"


def changed(connection: Connection, columns: Sequence[str]) -> str:
    """Return the condition that one of these columns gets another value; NULL counts as one."""
    differs = "IS DISTINCT FROM" if connection.dialect.name == "postgresql" else "IS NOT"
    return f"({' OR '.join(f'OLD.{column} {differs} NEW.{column}' for column in columns)})"


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the condition that a column, such as `NEW.state`, has one of these values."""
    return f"{column} IN ({_listed(values)})"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))
