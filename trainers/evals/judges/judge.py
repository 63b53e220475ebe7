"""Knows which language model judges and whether it is of the judged models' kind; it does not know what it is asked."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from knowledge.errors import UserError
from knowledge.models import DEFAULT_BASE_URL, ChatModel, open_chat_model

_FILE = Path(__file__).with_name("trust.toml")


@dataclass(frozen=True)
class Judge:
    """A language model that judges, and where it is asked."""

    model: ChatModel
    host: str = ""
    """Host of its endpoint: the same name elsewhere may be another model."""

    @property
    def name(self) -> str:
        """Name as shown to people."""
        return self.model.name


def open_judge(model: str, base_url: str = "", api_key: str = "") -> Judge | None:
    """Return the judge named `model`, or None without a name; raises UserError for a wrong address or no key."""
    try:
        opened = open_chat_model(model or None, base_url or None, api_key or None)
    except UserError as error:
        next_step = error.next_step.replace("LUTHIER_MODEL", "LUTHIER_JUDGE")
        raise UserError(error.what.replace("The model", "The judge", 1), next_step) from error
    return None if opened is None else Judge(opened, urlsplit(base_url or DEFAULT_BASE_URL).hostname or "")


def family(name: str) -> str:
    """Return who makes the model of this name, or ""."""
    bare = name.casefold().rstrip("/").rpartition("/")[2]
    return next((maker for maker, starts in _families() if bare.startswith(starts)), "")


def kinship(judge: str, base: str) -> str:
    """Say in a sentence that judge and tuned base are of one kind, or ""."""
    shared = family(judge)
    if not shared or shared != family(base):
        return ""
    return (
        f"The judge {judge} and the base {base} both come from {shared}; judges prefer their own kind, "
        "so a judge of another maker would prove more."
    )


@cache
def trust() -> dict[str, Any]:
    """Return when a judge is believed: flip_rate, length_ratio, few_labels."""
    figures: dict[str, Any] = tomllib.loads(_FILE.read_text("utf-8"))["trust"]
    return figures


@cache
def _families() -> tuple[tuple[str, tuple[str, ...]], ...]:
    names = tomllib.loads(_FILE.read_text("utf-8"))["families"]["names"]
    return tuple((maker, tuple(starts)) for maker, starts in names.items())
