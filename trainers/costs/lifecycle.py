"""Knows which model can be trained, by whom and until when, and when it goes dark; it knows no prices."""

import tomllib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal

from knowledge.errors import UserError
from trainers.costs.facts import HERE, Source, read_sources
from trainers.costs.names import PROVIDERS, Model

State = Literal["open", "closing", "closed", "retired", "unknown"]


class NotTrainable(UserError):
    """This model cannot be trained there any more."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is known of one model at one provider; every day is the first one on which the thing is gone."""

    provider: str
    model: str
    source: Source | None = None
    new_customers_until: date | None = None
    training_until: date | None = None
    training_floor: bool = False
    """Whether `training_until` is only promised: not before that day."""
    base_retires: date | None = None
    base_source: Source | None = None
    tunes_retire: date | None = None
    floor: bool = False
    """Whether retirement is only promised: not before that day."""
    never: bool = False
    """Whether it could not be tuned there at any time."""
    for_whom: str = ""
    replacement: str = ""
    replacement_note: str = ""

    def state(self, today: date) -> State:
        """Return how it stands on a day."""
        if self.source is None:
            return "unknown"
        if self.dark_on is not None and not self.floor and today >= self.dark_on:
            return "retired"
        if self.never or (self.training_until is not None and today >= self.training_until):
            return "closed"
        announced = self.dark_on is not None and not self.floor
        return "closing" if announced or self.training_until or self.for_whom else "open"

    @property
    def dark_on(self) -> date | None:
        """The day on which tunes of it go dark; the base's own where nothing else is said."""
        return self.tunes_retire or self.base_retires

    @property
    def dark_source(self) -> Source | None:
        """Where that day stands: it may be known from elsewhere than the rest."""
        of_base = self.base_source is not None and self.dark_on == self.base_retires
        return self.base_source if of_base else self.source

    def days_left(self, today: date) -> int | None:
        """Return for how many days a tune of it still answers; None where no end was announced."""
        return None if self.dark_on is None or self.floor else max(0, (self.dark_on - today).days)

    def asked(self, shutdown: date | None, source: Source) -> "Line":
        """Return the line with the day that the provider itself names for the base; None changes nothing."""
        if shutdown is None:
            return self
        together = self.base_retires is not None and self.tunes_retire == self.base_retires
        tunes = shutdown if together else self.tunes_retire
        return replace(self, base_retires=shutdown, tunes_retire=tunes, floor=False, base_source=source)

    def to_json(self, today: date) -> dict[str, Any]:
        """Return plain data: the state on that day, every date, and one sentence for people."""
        days = {
            name: None if (day := getattr(self, name)) is None else day.isoformat()
            for name in ("new_customers_until", "training_until", "base_retires", "tunes_retire")
        }
        sources = [source.to_json() for source in (self.source, self.base_source) if source is not None]
        return {
            "state": self.state(today),
            "provider": self.provider,
            "model": self.model,
            "on": today.isoformat(),
            **days,
            "not_before": self.floor or self.training_floor,
            "for_whom": self.for_whom,
            "replacement": self.replacement,
            "sentence": sentence(self, today),
            "sources": sources,
        }


@cache
def lines() -> tuple[Line, ...]:
    """Return the lifecycle book as shipped."""
    data = tomllib.loads((HERE / "lifecycle.toml").read_text("utf-8"))
    sources = read_sources(data["source"])
    found = []
    for entry in data["line"]:
        fields = {name: value for name, value in entry.items() if name != "models"}
        fields |= {name: sources[fields[name]] for name in ("source", "base_source") if name in fields}
        found += [Line(model=model, **fields) for model in entry["models"]]
    return tuple(found)


def line_of(provider: str, model: Model, book: tuple[Line, ...] | None = None) -> Line:
    """Return what is known of a model at a provider; a line in state `unknown` where that is nothing."""
    for line in lines() if book is None else book:
        if line.provider == provider and (line.model == model.name or (line.model == "*" and model.is_open)):
            return replace(line, model=model.name)
    return Line(provider=provider, model=model.name)


def check_trainable(line: Line, today: date) -> None:
    """Raise NotTrainable where a training of this model would be refused, or its result would be dark at once."""
    state = line.state(today)
    if state in ("closed", "retired"):
        others = f"{line.replacement} replaces it. " if line.replacement and not line.replacement_note else ""
        raise NotTrainable(sentence(line, today), f"{others}`cost` compares who still trains.")


def due_warnings(dark_on: date, today: date, steps: tuple[int, ...] = (90, 30, 7)) -> tuple[int, ...]:
    """Return the steps of days ahead that have come, the nearest last; none once it is dark."""
    left = dark_on - today
    return () if left <= timedelta(0) else tuple(step for step in steps if left <= timedelta(days=step))


def sentence(line: Line, today: date) -> str:
    """Say how a model stands, with every day that is known, and which of them nobody confirmed."""
    sources = (None if line.never else line.source, line.base_source)
    unsure = "".join(f" Not confirmed: {source.name}." for source in sources if source and source.unverified)
    return _stands(line, today) + unsure


def _stands(line: Line, today: date) -> str:
    name, state = f"{line.model} on {PROVIDERS[line.provider]}", line.state(today)
    if state == "unknown":
        return f"{name}: I do not know whether it can be trained there."
    if state == "retired":
        return f"{name} is retired: it and its tunes went dark on {line.dark_on}.{_instead(line)}"
    if line.never:
        gone = f" It retires on {line.base_retires}." if line.base_retires else ""
        return f"{name} is closed to training: it cannot be fine-tuned there.{gone}"
    if state == "closed":
        promised = " was promised only until" if line.training_floor else " ended on"
        return f"{name} is closed: training{promised} {line.training_until}.{_dark(line, today)}{_instead(line)}"
    if state == "closing":
        until = "not before " if line.training_floor else ""
        ends = f" Training ends {until}{line.training_until}." if line.training_until else ""
        who = f" Open to {line.for_whom}." if line.for_whom else ""
        return f"{name} is closing.{ends}{who}{_dark(line, today)}{_instead(line)}"
    return f"{name} is open.{_dark(line, today)}"


def _dark(line: Line, today: date) -> str:
    if line.dark_on is None:
        return ""
    floor = "not before " if line.floor else ""
    retires = "retires" if line.base_retires is None or line.base_retires > today else "retired"
    base = f" Its base {retires} {floor}{line.base_retires}." if line.base_retires not in (None, line.dark_on) else ""
    return f" Tunes of it go dark {floor}{line.dark_on}.{base}"


def _instead(line: Line) -> str:
    note = f", which {line.replacement_note}" if line.replacement_note else ""
    return f" The provider points to {line.replacement}{note}." if line.replacement else ""
