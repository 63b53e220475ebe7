"""Knows prices and days that somebody took over into the data folder; the shipped books stay as they are."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from knowledge.errors import UserError
from trainers.costs.book import Listed, Provider, Sheet, books, checked
from trainers.costs.facts import Source
from trainers.costs.lifecycle import Line, lines
from trainers.costs.offers import Shelf
from trainers.costs.units import read_price

NAME = "prices.json"
"""The overlay's file in the data folder."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One figure that differs from the book."""

    provider: str
    model: str
    field: str
    """A price's name, or `base_retires`."""
    old: str
    """As it stands in the book; "" where nothing does."""
    new: str

    def to_json(self) -> dict[str, str]:
        """Return plain data."""
        return dict(self.__dict__)


def shelf_in(folder: Path) -> Shelf:
    """Return the books with the overlay of a data folder; raises UserError for a damaged one."""
    path = folder / NAME
    shipped = Shelf(books=books(), lines=lines())
    if not path.is_file():
        return shipped
    try:
        data = json.loads(path.read_text("utf-8"))
        source = Source(**{**data["source"], "as_of": date.fromisoformat(data["source"]["as_of"])})
        return laid_over(shipped, [Change(**entry) for entry in data["changes"]], source)
    except (ValueError, KeyError, TypeError) as broken:
        raise UserError(
            f"The file {NAME} in the data folder cannot be read ({type(broken).__name__}).",
            "Remove it, then `luthier prices refresh`.",
        ) from None


def write(folder: Path, changes: Iterable[Change], source: Source) -> Path:
    """Write an overlay in place of the earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    data = {"source": source.to_json(), "changes": [change.to_json() for change in changes]}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    fresh.replace(path)
    return path


def laid_over(shelf: Shelf, changes: Iterable[Change], source: Source) -> Shelf:
    """Return a shelf with some figures changed; raises ValueError for a price in a unit that does not fit."""
    by_sheet: dict[tuple[str, str], dict[str, str]] = {}
    for change in changes:
        by_sheet.setdefault((change.provider, change.model), {})[change.field] = change.new
    shown = {key: _provider(provider, by_sheet, source) for key, provider in shelf.books.items()}
    return Shelf(books=shown, lines=tuple(_line(line, by_sheet, source) for line in shelf.lines))


def _provider(provider: Provider, by_sheet: Mapping[Any, Mapping[str, str]], source: Source) -> Provider:
    sheets = tuple(_sheet(sheet, by_sheet.get((sheet.provider, sheet.model), {}), source) for sheet in provider.sheets)
    return replace(provider, sheets=sheets)


def _sheet(sheet: Sheet, fields: Mapping[str, str], source: Source) -> Sheet:
    fresh = {
        name: Listed(price=checked(name, read_price(text)), source=source)
        for name, text in fields.items()
        if name != "base_retires"
    }
    return replace(sheet, prices={**sheet.prices, **fresh}) if fresh else sheet


def _line(line: Line, by_sheet: Mapping[Any, Mapping[str, str]], source: Source) -> Line:
    said = by_sheet.get((line.provider, line.model), {}).get("base_retires")
    return line.asked(date.fromisoformat(said), source) if said else line
