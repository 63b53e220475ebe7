"""Knows how a page of a cursor list is read from SQL, by moment and id; it does not know what is listed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select
from sqlalchemy.engine import RowMapping

from trainers.openai_api.objects import Page


def rows_of(connection: Connection, query: Select[Any], table: Any, page: Page) -> tuple[Sequence[RowMapping], bool]:
    """Return the rows behind `page.after`, and whether there are more; an unknown `after` begins at the start."""
    at, id_ = table.c.created_at, table.c.id
    edge = connection.execute(select(at, id_).where(id_ == page.after)).one_or_none() if page.after else None
    if edge is not None:
        beyond = at < edge[0] if page.newest_first else at > edge[0]
        beside = id_ < edge[1] if page.newest_first else id_ > edge[1]
        query = query.where(or_(beyond, and_(at == edge[0], beside)))
    order = [column.desc() if page.newest_first else column.asc() for column in (at, id_)]
    found = connection.execute(query.order_by(*order).limit(page.limit + 1)).mappings().all()
    return found[: page.limit], len(found) > page.limit
