"""What Slack accepts as tables and charts, their rules across fields included. Knows no other block."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.console.block_shape import block_of
from bot.console.limits import limit
from bot.console.rich_text import RICH_TEXT
from bot.console.schema import (
    Check,
    boolean,
    both,
    choice,
    integer,
    items,
    number,
    problem,
    record,
    string,
    typed,
)

B = "block."
CELLS: Mapping[str, Check] = {
    "rich_text": RICH_TEXT,
    "raw_text": record({"text": string()}, {}),
    "raw_number": record({"value": number, "text": string()}, {}),
}
CELL = typed(lambda: CELLS)
HEADING = typed(lambda: {"raw_text": CELLS["raw_text"]})
COLUMN = record({}, {"align": choice("left", "center", "right"), "is_wrapped": boolean})


def _column(value: object, pointer: str) -> Iterator[str]:
    """Settings of one column; null leaves it as it is."""
    if value is not None:
        yield from COLUMN(value, pointer)


TABLE = block_of(
    {"rows": items(items(CELL, limit(B + "table_columns")), limit(B + "table_rows"))},
    {"column_settings": items(_column, limit(B + "table_columns"), least=0)},
)


def _data_rows(value: object, pointer: str) -> Iterator[str]:
    """A header of plain texts, then rows of as many cells."""
    width = limit(B + "data_table_columns")
    yield from items(items(lambda cell, at: iter(()), width), limit(B + "data_table_rows"), 2)(value, pointer)
    if not isinstance(value, list) or len(value) > limit(B + "data_table_rows"):
        return
    for place, row in enumerate(value):
        cell = HEADING if place == 0 else CELL
        if isinstance(row, list) and len(row) <= width:
            yield from items(cell, least=0)(row, f"{pointer}/{place}")


def _same_widths(value: object, pointer: str) -> Iterator[str]:
    """Rules of a data table between its fields."""
    rows = value.get("rows") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return
    width = len(rows[0])
    for place, row in enumerate(rows):
        if len(row) != width:
            yield problem(f"must provide exactly {width} items", f"{pointer}/rows/{place}")
    header = value.get("row_header_column_index", 0) if isinstance(value, dict) else 0
    if isinstance(header, int) and header >= width > 0:
        yield problem(f"must be less than {width}", f"{pointer}/row_header_column_index")


DATA_TABLE = both(
    block_of(
        {"caption": string(), "rows": _data_rows},
        {
            "page_size": integer(1, limit(B + "data_table_page")),
            "row_header_column_index": integer(0, limit(B + "data_table_columns") - 1),
        },
    ),
    _same_widths,
)


def cell_characters(block: Mapping[str, Any]) -> int:
    """Characters in all cells of a checked table."""
    return sum(_characters(cell) for row in block["rows"] for cell in row)


def _characters(value: Any) -> int:
    if isinstance(value, list):
        return sum(_characters(part) for part in value)
    own = len(value.get("text", ""))
    return own + sum(_characters(part) for part in value.get("elements", []))


LABEL = string(limit(B + "chart_label"))


def _positive(value: object, pointer: str) -> Iterator[str]:
    problems = list(number(value, pointer))
    yield from problems
    if not problems and isinstance(value, int | float) and value <= 0:
        yield problem("must be greater than 0", pointer)


def _matching(value: object, pointer: str) -> Iterator[str]:
    """Each series has its own name and exactly one point for each category."""
    if not isinstance(value, dict):
        return
    categories, names = value["axis_config"]["categories"], set()
    for place, series in enumerate(value["series"]):
        at = f"{pointer}/series/{place}"
        if series["name"] in names:
            yield problem(f'`name` "{series["name"]}" already exists', f"{at}/name")
        names.add(series["name"])
        labels = [point["label"] for point in series["data"]]
        for nth, label in enumerate(labels):
            if label not in categories:
                yield problem("must be one of the provided categories", f"{at}/data/{nth}/label")
        if sorted(set(labels) & set(categories)) != sorted(set(categories)) or len(labels) != len(set(labels)):
            yield problem("must provide exactly one data point for each category", f"{at}/data")


def _then(first: Check, second: Check) -> Check:
    """The second check only where the first finds nothing."""

    def check(value: object, pointer: str) -> Iterator[str]:
        problems = list(first(value, pointer))
        yield from problems or second(value, pointer)

    return check


AXIS_LABEL = string(limit(B + "chart_axis_label"), least=0)
AXES = record(
    {"categories": items(LABEL, limit(B + "chart_categories"))}, {"x_label": AXIS_LABEL, "y_label": AXIS_LABEL}
)
POINT = record({"label": LABEL, "value": number}, {})
SERIES = record({"name": LABEL, "data": items(POINT, limit(B + "chart_points"))}, {})
PLOT = _then(record({"series": items(SERIES, limit(B + "chart_parts")), "axis_config": AXES}, {}), _matching)
SEGMENT = record({"label": LABEL, "value": _positive}, {})
PIE = record({"segments": items(SEGMENT, limit(B + "chart_parts"))}, {})
CHART = typed(lambda: {"pie": PIE, "bar": PLOT, "line": PLOT, "area": PLOT})
DATA_VISUALIZATION = block_of({"title": string(limit(B + "chart_title")), "chart": CHART})
