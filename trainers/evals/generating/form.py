"""Knows whether a row's answer is in the form that its task wants: a label, JSON, headings; nothing of its truth.

The same holds for what a language model writes and for what somebody types into a row under review.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, NoReturn

from trainers.data.labels import label_of
from trainers.data.review_rows import GRID, Draft
from trainers.data.titles import at_word
from trainers.evals.drafts.recipe import recipe
from trainers.evals.drafts.schemas import plain_schema
from trainers.evals.generating.copied import not_copied, not_in
from trainers.evals.generating.document_rows import lone_passage, orders_note
from trainers.evals.generating.labels import alike_note, within_note
from trainers.evals.generating.spec import ROWS, RowSpec
from trainers.evals.generating.streams import headings_of
from trainers.evals.generating.voice_rows import unsafe_note
from trainers.evals.metrics.schemas import accepts, broken_rule
from trainers.evals.prompting.checks import unnamed
from trainers.evals.prompting.contradictions import contradictions
from trainers.evals.style.two_writers import groups
from trainers.tables import Review

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")
_NO_DATE: Final = "a date that is not written YYYY-MM-DD"
_NAMED: Final = 8
_SHOWN: Final = 40
_FIXED: Final = ("pattern", "format", "enum", "const")
"""Keywords by which a schema says itself how a date is written."""


def out_of_form(spec: RowSpec, reply: str) -> str:
    """Say what is wrong with the form of an answer, or ""."""
    if spec.labels and reply not in spec.labels:
        return "a label outside the set"
    if spec.kind == "extraction" and not _fits(reply, spec.schema or {}):
        return "an answer that does not fit the schema"
    if spec.kind == "extraction" and _odd_date(spec.schema or {}, reply):
        return _NO_DATE
    if spec.kind == "format" and not _has_headings(reply, headings_of(spec)):
        return "an answer without the headings in order"
    return ""


def edit_refused(review: Review, reply: str, paper: str = "") -> str:
    """Say why an answer that somebody typed would break the form of a review's training rows; "" where it does not.

    It holds for rows of every kind: the system prompt of all asks for this form and nothing else. Ours also asks that
    texts are copied from the `paper`.
    """
    told: Mapping[str, Any] = json.loads(review.spec)
    if review.purpose != "train" or ROWS not in told or GRID not in told:
        return ""
    spec = RowSpec.from_json(told[ROWS])
    if spec.labels and label_of(reply, spec.labels):
        return ""
    wrong = out_of_form(spec, reply)
    if not wrong:
        copied = bool(paper and spec.kind == "extraction" and not spec.system)
        return not_copied(spec.schema or {}, paper, reply) if copied else ""
    rule = _broken(spec, reply) if spec.kind == "extraction" else ""
    return f"That is {wrong}: {rule or _wanted(spec)}"


def edit_doubt(review: Review, reply: str, paper: str) -> str:
    """Name the numbers and days of an edited answer that its paper does not bear out; "" where it does."""
    told: Mapping[str, Any] = json.loads(review.spec)
    if review.purpose != "train" or ROWS not in told or RowSpec.from_json(told[ROWS]).kind != "extraction":
        return ""
    found = not_in(paper, reply)
    listed = ", ".join(at_word(each, _SHOWN) for each in found[:_NAMED])
    return f"I don't find {listed} in the text of this row: is that right?" if found else ""


def as_declared(review: Review, draft: Draft) -> Draft:
    """Return a row whose answer is spelled as its label was declared: `Other` is `other`, white space is cut off."""
    labels = [str(label) for label in json.loads(review.spec).get("labels") or ()]
    answer = draft.messages[-1]
    meant = label_of(answer.content, labels)
    if answer.content in labels or not meant:
        return draft
    return draft._replace(messages=(*draft.messages[:-1], answer._replace(content=meant)))


def doubts(spec: RowSpec, *, by_model: bool = False) -> list[str]:
    """Say what is odd about the material before anything is made of it; `by_model`: a language model writes."""
    labels = alike_note(spec.labels), within_note(spec.labels)
    own = _own_prompt(spec)
    told = *labels, own, unsafe_note(spec), _both_asked(spec), orders_note(spec), lone_passage(spec) if by_model else ""
    return [*_two_writers(spec), *filter(None, told)]


def unused_wishes(spec: RowSpec) -> str:
    """Name the wishes that recipes cannot follow; "" where there are none."""
    wishes = ((spec.good, "what makes a good example"), (spec.style, "the style"), (spec.writers, "who writes"))
    named = ", ".join(name for said, name in wishes if said.strip())
    return f"Not used without a language model: {named}." if named else ""


def _both_asked(spec: RowSpec) -> str:
    """Say what task and wishes seem to contradict together: the one may be about inputs, the other about outputs."""
    found = contradictions("\n".join((spec.task, spec.style, spec.good)))
    return f"{found[0].sentence} If one is about what comes in, say so." if found else ""


def _own_prompt(spec: RowSpec) -> str:
    """Say what a team's own system prompt does not name, though every answer has it."""
    wanted = [*spec.labels, *(spec.schema or {}).get("properties", {})]
    wanted += headings_of(spec) if spec.kind == "format" else ()
    if not spec.system.strip():
        return ""
    missing, unsaid = unnamed(spec.system, wanted), [each for each in _fixed_words(spec) if each not in spec.system]
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    said = [f"Your system prompt does not name {', '.join(missing[:_NAMED])}{more}."] if missing else []
    if unsaid:
        listed = " and ".join(f"\u201c{each}\u201d" for each in unsaid)
        said.append(
            f"Rows answer with {listed}, which your system prompt does not say: add it there, or edit the rows."
        )
    return " ".join(said)


def _fixed_words(spec: RowSpec) -> tuple[str, ...]:
    """Return the words that answers of a kind hold to the letter, whatever a system prompt says."""
    if spec.kind == "documents":
        return str(recipe("questions")["prompt"]["abstain"]), "[1]"
    return ("- none",) if spec.kind == "format" else ()


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


def _broken(spec: RowSpec, reply: str) -> str:
    """Name the field and the rule of the schema that an answer breaks; "" where it is no JSON object or fits."""
    try:
        answer = json.loads(reply, object_pairs_hook=_each_key_once)
    except json.JSONDecodeError:
        return ""
    except RecursionError:
        return ""
    except ValueError:
        return "a key stands twice in it: take one out."
    return broken_rule(spec.schema or {}, answer) if isinstance(answer, dict) else ""


def _fits(reply: str, schema: Mapping[str, Any]) -> bool:
    try:
        return _judge_of(json.dumps(schema))(
            json.loads(reply, object_pairs_hook=_each_key_once, parse_constant=_no_json)
        )
    except (ValueError, RecursionError):
        return False


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Read an object; a key that stands twice has two values, of which readers take one or the other."""
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a key stands twice")
    return read


def _no_json(said: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(said)


@lru_cache(maxsize=8)
def _judge_of(schema: str) -> Callable[[Any], bool]:
    """Return what says whether a value is valid; a schema that no answer can be checked by is refused before."""
    return accepts(json.loads(schema))


def _odd_date(schema: Mapping[str, Any], reply: str) -> bool:
    """Say whether a field that is called a date holds another spelling than the system prompt asks for."""
    said = _dates(plain_schema(schema), json.loads(reply))
    return any(isinstance(value, str) and not _iso(value) for value in said)


def _dates(node: object, said: object) -> Iterator[object]:
    """Return what stands in the fields that are called a date, also in objects and lists inside."""
    if isinstance(node, Mapping) and isinstance(said, Mapping):
        for key, value in said.items():
            inner = node.get("properties", {}).get(key)
            yield from [value] if _is_date(key, inner) else _dates(inner, value)
    elif isinstance(node, Mapping) and isinstance(said, list):
        for each in said:
            yield from _dates(node.get("items"), each)


def _is_date(key: str, node: object) -> bool:
    """Say whether a field is to hold a day, by its schema or, where that says nothing, by its name."""
    if not isinstance(node, Mapping) or set(_FIXED) & set(node):
        return isinstance(node, Mapping) and node.get("format") == "date"
    return "date" in map(str.lower, re.findall(r"[A-Z]?[a-z]+", key))


def _iso(value: str) -> bool:
    try:
        return _DAY.match(value) is not None and bool(date.fromisoformat(value[:10]))
    except ValueError:
        return False


def _has_headings(reply: str, headings: Sequence[str]) -> bool:
    lines = [line.strip() for line in reply.splitlines()]
    return [line for line in lines if line in {f"{heading}:" for heading in headings}] == [f"{h}:" for h in headings]
