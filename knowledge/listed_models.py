"""Asks an OpenAI-compatible endpoint which models it has, before anybody pays for finding out; it asks no model."""

from collections.abc import Sequence
from typing import Any, Final

import httpx

from knowledge.errors import UserError

SECONDS: Final = 5.0
"""How long the endpoint is given; what takes longer is left to the first call."""

_NAMED = 8
_NO_LIST = "does not list its models, so whether it has {name} shows at the first call."
_SLOW = "did not say in time which models it has, so whether it has {name} shows at the first call."


def check_listed(name: str, base_url: str, api_key: str = "", *, timeout: float = SECONDS) -> str:
    """Return "" where an endpoint has a model, or a sentence on why nobody can say yet; `timeout` in seconds.

    Raises UserError where it lists other models only, refuses the key, or does not answer at all.
    """
    url = base_url.rstrip("/")
    head = {"Authorization": f"Bearer {api_key or 'none'}"}
    try:
        with httpx.Client(headers=head, timeout=timeout, trust_env=False) as web:
            answer = web.get(f"{url}/models")
            listed = _ids(answer)
            if listed is None or _is_among(name, listed) or _is_that(web.get(f"{url}/models/{name}")):
                return _doubt(answer, listed, name, url)
    except httpx.TimeoutException:
        return f"{url} {_SLOW.format(name=name)}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UserError(f"Nothing answers at {url} ({type(error).__name__}).", "Check LUTHIER_MODEL_URL.") from None
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    has = f"It has {', '.join(listed[:_NAMED])}{more}." if listed else "It lists none."
    raise UserError(f"{url} has no model {name}.", f"{has} Set LUTHIER_MODEL to one of its models.")


def _doubt(answer: httpx.Response, listed: Sequence[str] | None, name: str, url: str) -> str:
    """Say what a reply that names no other models leaves open; raises UserError where it refuses the key."""
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise UserError(f"The key for {name} was refused.", "Check LUTHIER_MODEL_KEY.")
    return "" if listed is not None else f"{url} {_NO_LIST.format(name=name)}"


def _ids(answer: httpx.Response) -> list[str] | None:
    """Return the names in a reply; None where it is no list of models."""
    try:
        told: Any = answer.json() if answer.is_success else None
    except ValueError:
        return None
    rows = told.get("data") if isinstance(told, dict) else None
    if not isinstance(rows, list):
        return None
    return [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]


def _is_that(answer: httpx.Response) -> bool:
    """Say whether a reply describes one model: some servers answer every address with the same."""
    try:
        told: Any = answer.json() if answer.is_success else None
    except ValueError:
        return False
    return isinstance(told, dict) and bool(told.get("id"))


def _is_among(name: str, listed: Sequence[str]) -> bool:
    """Say whether a name is listed, also with a tag or a folder that the server adds by itself."""
    return any(name in (each, each.removesuffix(":latest"), each.removeprefix("models/")) for each in listed)
