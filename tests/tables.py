"""All rows of a table, as objects."""

from typing import Any, TypeVar

from sqlalchemy import Engine, select
from sqlmodel import SQLModel

T = TypeVar("T", bound=SQLModel)


def rows_in(engine: Engine, table: type[T]) -> list[T]:
    """Return every row."""
    made: Any = table
    with engine.connect() as connection:
        return [table(**row) for row in connection.execute(select(made.__table__)).mappings()]
