"""Knows which base models can be trained today, and at which of our places; it knows no prices and asks nobody."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.backends import HOSTED
from trainers.backends.traits import traits_of
from trainers.costs.gate import line_for
from trainers.costs.lifecycle import Line, NotTrainable, check_trainable, sentence
from trainers.data.limits import takers, target_limits
from trainers.errors import DatasetRejected
from trainers.spec import Method, TrainingSpec
from trainers.tables import Dataset

LOCAL = "local"


class Where(NamedTuple):
    """A place at which a base can be trained."""

    backend: str
    title: str
    """Its name for people."""
    line: Line | None
    """What is known of the base there; None where nobody announces anything."""

    def lasts(self, today: date) -> str:
        """Say for how long, in a sentence; "" where nothing is known to end it."""
        return "" if self.line is None or self.line.source is None else sentence(self.line, today)


def bases(
    places: Sequence[str],
    today: date,
    *,
    own: Mapping[str, Sequence[str]] | None = None,
    book: Sequence[Line] | None = None,
) -> dict[str, list[Where]]:
    """Return every base that somebody may still train at one of our places today, with these places.

    `own` names bases of servers that no book knows, by backend.
    """
    found: dict[str, list[Where]] = {}
    for place in places:
        for base in _bases_of(place, (own or {}).get(place, ())):
            line = line_for(place, base, book)
            if line is None or _is_open(line, today):
                found.setdefault(base, []).append(Where(place, title_of(place), line))
    return found


def title_of(place: str) -> str:
    """Return a place's name for people."""
    return traits_of(place).title if place in HOSTED else "this machine" if place == LOCAL else place


def no_loss_at(place: str) -> str:
    """Say that a place takes no held-out rows and so tells no loss on them; "" where it does, or is no hosted one."""
    return traits_of(place).without_loss if place in HOSTED else ""


def check_choice(base: str, place: str, known: Mapping[str, Sequence[Where]]) -> None:
    """Raise UserError where a base cannot be trained at a place, naming what can."""
    if place in (each.backend for each in known.get(base, ())):
        return
    there = sorted(name for name, places in known.items() if place in (each.backend for each in places))
    what = f"{base} cannot be trained at {title_of(place)}."
    raise UserError(what, f"Choose one of {', '.join(there)}." if there else "Nothing can be trained there now.")


def able(
    places: Sequence[Where], base: str, *, pairs: bool, calls: bool = False, pictures: bool = False
) -> tuple[list[Where], list[str]]:
    """Return those of a base's places that train it on such rows, and why the others do not.

    They hold chats or preference `pairs`, perhaps with `calls` of tools or with `pictures`. Raises UserError where no
    place is left.
    """
    method = Method.DPO if pairs else Method.SUPERVISED
    why = {
        each.backend: _why_not(each.backend, base, method) or _unread(each.backend, calls=calls, pictures=pictures)
        for each in places
    }
    found, others = [each for each in places if not why[each.backend]], [said for said in why.values() if said]
    if not found:
        raise UserError(" ".join(others), "Choose another base, or rows of another kind.")
    return found, others


def check_contents(dataset: Dataset, place: str) -> None:
    """Raise DatasetRejected where a place does not read what the rows hold beside texts, or nobody can price it."""
    why = _unread(place, calls=dataset.calls, pictures=dataset.pictures)
    if not why:
        return
    name = f"{dataset.name} v{dataset.version}"
    what = f"{name} holds {dataset.holds}. {why}"
    if dataset.pictures:
        there = ", ".join(takers(tools=dataset.calls, pictures=True))
        how = "take them out (`datasets download`), write them with `convert --to`, and train there"
        raise DatasetRejected(what, f"By their limits {there} train on such rows: {how}. Or describe them in words.")
    others = [traits.title for key in HOSTED if (traits := traits_of(key)).serves and not _unread(key, calls=True)]
    raise DatasetRejected(what, f"Train it at {', '.join(others)}, or give rows that answer in words.")


def _unread(place: str, *, calls: bool, pictures: bool = False) -> str:
    """Say what of such rows a place does not read, or what nobody could price there; "" for nothing."""
    limits = target_limits(traits_of(place).target if place in HOSTED else LOCAL)
    title = "A run on this machine" if place == LOCAL else title_of(place)
    if pictures and limits.pictures:
        return f"How many tokens {title} bills for a picture is not known here, so no run on them is quoted."
    if pictures or (calls and not limits.tools):
        return f"{title[0].upper()}{title[1:]} reads texts only."
    return ""


def _why_not(place: str, base: str, method: Method) -> str:
    return traits_of(place).why_not(base, method) if place in HOSTED else ""


def _bases_of(place: str, own: Sequence[str]) -> Sequence[str]:
    if place == LOCAL:
        return (TrainingSpec().base,)
    return (*traits_of(place).models, *own)


def _is_open(line: Line, today: date) -> bool:
    try:
        check_trainable(line, today)
    except NotTrainable:
        return False
    return True
