"""Reads facts with a language model; it knows how one is asked, not what of its answer may be believed.

The text is data between marks, what comes back is checked fact by fact (`knowledge.advice.spans`), and where no model
may be asked or none answers the offline reader reads instead.
"""

import dataclasses
import functools
import logging
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

from knowledge.advice import reader
from knowledge.advice.fact_schema import listed, schema
from knowledge.advice.facts import IMPRESSIONS, from_mapping
from knowledge.advice.reader import MAX_CHARACTERS, Found, Reader, Reading
from knowledge.advice.spans import checked
from knowledge.errors import ServiceError
from knowledge.models import ChatModel, Message, Meter

log = logging.getLogger(__name__)

INSTEAD = "I read the text without it."
"""What is added to the reason why a language model was not asked or did not answer."""


def model_reader(model: ChatModel, *, otherwise: Reader, meter: Meter | None = None) -> Reader:
    """Return a reader that asks a language model, and reads with `otherwise` where it cannot."""
    return functools.partial(read, model=model, otherwise=otherwise, meter=meter)


def read(text: str, *, model: ChatModel, otherwise: Reader, meter: Meter | None = None) -> Reading:
    """Read the facts that a text states; never raises for any text."""
    plain = otherwise(text)
    if not any(char.isalpha() for char in reader.told(text)):
        return plain
    closed = meter.closed() if meter else ""
    if closed:
        return dataclasses.replace(plain, notes=(*plain.notes, f"{closed} {INSTEAD}"))
    try:
        said = _ask(text, model, meter)
    except ServiceError as error:
        log.warning("A use case is read offline: %s", error.what)
        return dataclasses.replace(plain, notes=(*plain.notes, f"{error.what} {INSTEAD}"))
    return _reading(said, text, plain, model.name)


def talk(text: str) -> list[Message]:
    """Return what the model is told; the mark is made from the text, so that no text can hold it."""
    said = _said()["prompt"]
    heard = reader.told(text)
    mark = sha256(heard.encode("utf-8", "replace")).hexdigest()[:10]
    heard = heard.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be sent
    return [
        Message("system", said["system"].format(facts=listed()).strip()),
        Message("user", said["user"].format(mark=mark, text=heard).strip()),
    ]


def _ask(text: str, model: ChatModel, meter: Meter | None) -> dict[str, Any]:
    limits = _said()["limits"]
    return model.fill(
        talk(text),
        schema(),
        max_tokens=limits["max_tokens"],
        timeout=limits["timeout_seconds"],
        count=meter.count if meter else None,
    )


def _reading(said: dict[str, Any], text: str, plain: Reading, model: str) -> Reading:
    chosen = checked(said, text)
    if len(chosen) < len(said):
        log.info("%d of %d facts that %s gave have no words in the text", len(said) - len(chosen), len(said), model)
    reader.settle(chosen)
    for name in IMPRESSIONS:
        if getattr(plain.facts, name) is not None:  # the offline reader's own, which no text can order
            chosen[name] = Found(name, getattr(plain.facts, name), *plain.spans[name])
    facts = from_mapping({fact: each.value for fact, each in chosen.items()})
    agreed = (fact for fact in plain.conflicts if getattr(facts, fact) == getattr(plain.facts, fact))
    return Reading(
        facts=facts,
        evidence={fact: text[each.start : each.end].strip() for fact, each in chosen.items()},
        spans={fact: (each.start, each.end) for fact, each in chosen.items()},
        conflicts=tuple(agreed),
        truncated=len(text) > MAX_CHARACTERS,
        language_supported=plain.language_supported or bool(chosen),
        read_by=model,
    )


@functools.cache
def _said() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "model_reader.toml").read_text("utf-8"))
