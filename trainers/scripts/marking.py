"""Knows how close an answer is to the expected one, well enough to choose a prompt; verdicts use the metrics instead.

Three forms of task: a closed set of labels, JSON (every training reply is an object or a list), free text.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

Form = Literal["labels", "json", "text"]
CHRF_ORDER = 6
"""Longest character run that chrF compares."""
CHRF_BETA = 2.0
"""chrF weighs recall this many times as much as precision (chrF2, Popović 2015)."""
_FENCE = re.compile(r"```(?:json)?\s*(.*?)(?:```|\Z)", re.DOTALL)


def form_of(answers: Sequence[str], labels: Sequence[str] | None) -> Form:
    """Say what form of answer the training rows expect."""
    if labels:
        return "labels"
    values = [parsed(answer) for answer in answers]
    return "json" if values and all(isinstance(value, (dict, list)) for value in values) else "text"


def normalise(text: str) -> str:
    """Return an answer as it is compared: no outer space, quotes or final punctuation, no case.

    >>> normalise(' "Billing". ')
    'billing'
    """
    return text.strip().strip("\"'`*_ \n").rstrip(".,;:! \"'`*_").casefold()


def is_right(output: str, expected: str, labels: Sequence[str] | None) -> bool:
    """Return whether an answer counts; where labels are closed, only its first line does."""
    lines = output.strip().splitlines() if labels else [output]
    return bool(lines) and normalise(lines[0]) == normalise(expected)


def only_label(output: str, labels: Sequence[str]) -> str | None:
    """Return the label that the output names, if it names just one (a lenient reading, for information)."""
    named = [normalise(label) for label in labels if normalise(label) in output.casefold()]
    return named[0] if len(named) == 1 else None


def closeness(output: str, expected: str, form: Form) -> float:
    """Return 0 to 1: labels right or wrong, JSON by the fields that agree, free text by chrF."""
    if form == "labels":
        return float(is_right(output, expected, ["closed"]))
    if form == "json":
        return field_f1(output, expected)
    return 1.0 if is_right(output, expected, None) else chrf(output, expected)


def field_f1(output: str, expected: str) -> float:
    """Return the F1 of (path, value) pairs; text that holds no JSON gets 0, places in a list do not matter.

    >>> field_f1('Sure: {"a": 1, "b": "x"}', '{"b": "X", "a": 2}')
    0.5
    """
    said, wanted = parsed(output), parsed(expected)
    if not isinstance(said, (dict, list)):
        return 0.0
    ours, theirs = Counter(_fields(said)), Counter(_fields(wanted))
    return 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total()) if ours != theirs else 1.0


def chrf(output: str, expected: str) -> float:
    """Return chrF2 of two texts, 0 to 1: runs of 1 to 6 characters, spaces left out (Popović 2015)."""
    ours, theirs = "".join(output.split()), "".join(expected.split())
    precision = recall = 0.0
    orders = 0
    for n in range(1, CHRF_ORDER + 1):
        said = Counter(ours[i : i + n] for i in range(len(ours) - n + 1))
        wanted = Counter(theirs[i : i + n] for i in range(len(theirs) - n + 1))
        if said and wanted:
            shared = (said & wanted).total()
            precision, recall, orders = precision + shared / said.total(), recall + shared / wanted.total(), orders + 1
    if not precision or not recall:
        return 0.0
    precision, recall, square = precision / orders, recall / orders, CHRF_BETA**2
    return (1 + square) * precision * recall / (square * precision + recall)


def parsed(text: str) -> Any:
    """Return the first JSON object or list in a text, fenced or not, or None."""
    fenced = _FENCE.search(text)
    text = fenced[1] if fenced else text
    begins = [i for i in (text.find("{"), text.find("[")) if i >= 0]
    if not begins:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, min(begins))[0]
    except (ValueError, RecursionError):
        return None


def _fields(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return every leaf with its path; iterative, as an answer may be nested without end."""
    found, waiting = [], [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [(f"{path}.{key}", inner) for key, inner in value.items()]
        elif isinstance(value, list) and value:
            waiting += [(f"{path}[]", inner) for inner in value]
        else:
            leaf = normalise(value) if isinstance(value, str) else json.dumps(value)
            found.append((path, leaf))
    return found
