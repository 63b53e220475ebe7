"""Knows whether a row's answer is in the form that its task wants: a label, JSON, headings; nothing of its truth.

The same holds for what a language model writes and for what somebody types into a row under review.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import jsonschema

from trainers.data.likeness import canonical
from trainers.data.review_rows import GRID, Draft
from trainers.evals.generating.spec import ROWS, RowSpec
from trainers.evals.generating.streams import headings_of
from trainers.evals.style.two_writers import groups
from trainers.tables import Review

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")
_NO_DATE: Final = "a date that is not written YYYY-MM-DD"
_FIXED: Final = ("pattern", "format", "enum", "const")
"""Keywords by which a schema says itself how a date is written."""


def out_of_form(spec: RowSpec, reply: str) -> str:
    """Say what is wrong with the form of an answer, or ""."""
    if spec.labels and reply not in spec.labels:
        return "a label outside the set"
    if spec.kind == "extraction" and not _fits(reply, spec.schema or {}):
        return "an answer that does not fit the schema"
    if spec.kind == "format" and not _has_headings(reply, headings_of(spec)):
        return "an answer without the headings in order"
    return ""


def edit_refused(review: Review, reply: str) -> str:
    """Say why an answer that somebody typed would break the form of a review's training rows; "" where it does not.

    It holds for rows of every kind: the system prompt of all asks for this form and nothing else.
    """
    told: Mapping[str, Any] = json.loads(review.spec)
    if review.purpose != "train" or ROWS not in told or GRID not in told:
        return ""
    spec = RowSpec.from_json(told[ROWS])
    if spec.labels and canonical(reply) in map(canonical, spec.labels):
        return ""
    wrong = out_of_form(spec, reply) or (_NO_DATE if _odd_date(spec, reply) else "")
    return f"That is {wrong}: {_wanted(spec)}" if wrong else ""


def as_declared(review: Review, draft: Draft) -> Draft:
    """Return a row whose answer is spelled as its label was declared: `Other` is `other`, white space is cut off."""
    labels = [str(label) for label in json.loads(review.spec).get("labels") or ()]
    answer = draft.messages[-1]
    meant = [label for label in labels if canonical(label) == canonical(answer.content)]
    if answer.content in labels or len(meant) != 1:
        return draft
    return draft._replace(messages=(*draft.messages[:-1], answer._replace(content=meant[0])))


def doubts(spec: RowSpec) -> list[str]:
    """Say what is odd about the material before anything is made of it."""
    return _two_writers(spec)


def unused_wishes(spec: RowSpec) -> str:
    """Name the wishes that recipes cannot follow; "" where there are none."""
    wishes = ((spec.good, "what makes a good example"), (spec.style, "the style"), (spec.writers, "who writes"))
    named = ", ".join(name for said, name in wishes if said.strip())
    return f"Not used without a language model: {named}." if named else ""


def _two_writers(spec: RowSpec) -> list[str]:
    found = groups(spec.texts) if spec.kind == "voice" else None
    if found is None:
        return []
    first = ", ".join(str(place + 1) for place in found.smaller[:8])
    more = f" and {len(found.smaller) - 8} more" if len(found.smaller) > 8 else ""
    what = f"These texts look like those of two people: {first}{more} differ from the rest."
    return [f"{what} Rows from both teach a mixture: keep one writer's. The skill `voice` shows in what they differ."]


def _wanted(spec: RowSpec) -> str:
    if spec.labels:
        return f"write one of {', '.join(spec.labels)}."
    if spec.kind == "extraction":
        return f"write one JSON object with {', '.join((spec.schema or {}).get('properties', {}))}."
    return f"keep the lines {' '.join(f'{heading}:' for heading in headings_of(spec))}"


def _fits(reply: str, schema: Mapping[str, Any]) -> bool:
    try:
        jsonschema.validate(json.loads(reply), schema)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return False
    return True


def _odd_date(spec: RowSpec, reply: str) -> bool:
    """Say whether a field that is called a date holds another spelling than the system prompt asks for."""
    if spec.kind != "extraction":
        return False
    nodes = (spec.schema or {}).get("properties", {})
    said = [value for key, value in json.loads(reply).items() if _is_date(key, nodes.get(key))]
    return any(isinstance(value, str) and not _iso(value) for value in said)


def _is_date(key: str, node: object) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+", key)
    return "date" in map(str.lower, words) and isinstance(node, Mapping) and not set(_FIXED) & set(node)


def _iso(value: str) -> bool:
    try:
        return _DAY.match(value) is not None and bool(date.fromisoformat(value[:10]))
    except ValueError:
        return False


def _has_headings(reply: str, headings: Sequence[str]) -> bool:
    lines = [line.strip() for line in reply.splitlines()]
    return [line for line in lines if line in {f"{heading}:" for heading in headings}] == [f"{h}:" for h in headings]
