"""Runs many queries of a file and prints a JSON line for each; it knows their form, not how passages are found."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bot.shell.terminal import bar, fail_usage, say, show_json
from knowledge.errors import UserError
from knowledge.index import Index

_STEP = 64
"""Queries between two moves of the bar."""

_LIKE_THIS = 'Write lines such as {"id": "1", "query": "how long do refunds take"}.'


class Query(NamedTuple):
    """One line of a file of queries."""

    id: str | int
    """As given, to be given back."""
    text: str


def read_queries(path: Path) -> list[Query]:
    """Return the queries of a file, one at least; raise UserError naming the first line that holds none.

    Raises typer.Exit where there is no such file.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise fail_usage(f"{path} cannot be read: {error.strerror}.") from error
    found = [_query(line, number, path) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise UserError(f"{path} holds no query.", _LIKE_THIS)
    return found


def search_all(index: Index, queries: Sequence[Query], k: int, workspace: str, collection: str | None) -> None:
    """Print for each query its id with the ids and scores of the passages found, best first."""
    degraded = ""
    with bar("Searching") as update:
        found = index.search_each([query.text for query in queries], k, workspace, collection)
        for number, (query, each) in enumerate(zip(queries, found, strict=True), start=1):
            passages = [{"id": hit.passage.ref, "score": round(hit.score, 6)} for hit in each.hits]
            show_json({"id": query.id, "passages": passages})
            degraded = each.degraded or degraded
            if number % _STEP == 0 or number == len(queries):
                update(number, len(queries), f"{number}/{len(queries)}")
    if degraded:
        say(degraded)


def _query(line: bytes, number: int, path: Path) -> Query:
    try:
        row: Any = json.loads(line.decode())
        key, text = row["id"], row["query"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _wrong(number, path) from error
    if isinstance(key, bool) or not isinstance(key, str | int) or not isinstance(text, str):
        raise _wrong(number, path)
    return Query(key, text)


def _wrong(number: int, path: Path) -> UserError:
    return UserError(f"Line {number} of {path} is no query.", _LIKE_THIS)
