"""Tells whether a message holds several use cases and cuts it into them; it does not weigh any of them.

A numbered list is more often a list of wishes for one case than a list of cases. So each part must name a task of its
own, unless the message itself says that it holds several.
"""

import re

from knowledge.advice.reader import MAX_CHARACTERS
from knowledge.advice.route import is_use_case

MOST_CASES = 4
LEAST_WORDS = 4
"""A part with fewer words tells no case."""

_NUMBER = re.compile(
    r"(?:^|(?<=[\s:;,.]))(?:\(?([1-9a-d])[).:]|([1-9])(?:st|nd|rd|th)?[:)]|[-*•])\s+(?=\S)", re.MULTILINE
)
_ORDINAL = re.compile(
    r"\b(?:first(?:ly)?|one|second(?:ly)?|third(?:ly)?|the (?:first|second|third|other)(?: one)?|another(?: one)?)"
    r"(?: (?:use case|case|project|task|thing|idea|bot))?(?: (?:is(?: to| that)?|would be)|,|:)\s+",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:two|three|four|2|3|4|several|a couple of|different|separate|both of these) "
    r"(?:\w+ )?(?:use cases|cases|things|projects|tasks|ideas|bots|questions|topics|assistants|problems)\b",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"(?:[.;!?]|\n)\s+|,? (?:and|plus|also|then) (?:also |secondly,? |second,? |separately,? )?(?=\w)", re.IGNORECASE
)
_VERBS = (
    r"(?:sort|rout|classif|categori[sz]|triag|label|tag|answer|writ|draft|extract|summari[sz]|translat|generat|detect"
    r"|turn|convert|flag|moderat|predict|forecast|build|help|suggest|recommend|transcrib|match|search|find|score|rank"
    r"|rewrit|tutor|review|check|explain|creat)(?:e|es|ing|y|ies|ying|s)?"
)
_FILLING = (
    r"(?:and|also|then|please|to|for|by|in|we|i|our \w+|the \w+|they|it|he|she|you|should|would|will|could|must|can"
    r"|wants?|needs?|like|have|has|us|an?|ai|llm|model|bot|chatbot|assistant|tool|system|agent|copilot|something|one"
    r"|that|which|who|is|plans?|trying|looking|going|use case|project|automatically|fine-?tune|use|train|rag|prompt)"
)
_TASK = re.compile(
    rf"^(?:{_FILLING}\s+){{0,12}}?(?:{_VERBS}\b|(?:chatbot|assistant|copilot|bot)\b)",
    re.IGNORECASE,
)


def split_cases(text: str) -> tuple[str, ...]:
    """Return the use cases of a message in its own words; one string, the whole text, where it holds one or none.

    What stands before the first of them ("We are a bank.") is told with each.
    """
    looked_at = text[:MAX_CHARACTERS]
    announced = bool(_SEVERAL.search(looked_at))
    for marks in (_NUMBER, _ORDINAL):
        parts = _parts(looked_at, marks)
        if len(parts) > 2 and all(_is_case(part, announced) for part in parts[1:]):
            return _told(parts[0], parts[1:])
    joined = _joined(looked_at) if announced else ()
    return joined or (text,)


def _parts(text: str, marks: re.Pattern[str]) -> list[str]:
    """Cut a text at its marks; the first part is what stands before them."""
    found = list(marks.finditer(text))
    ends = [*(mark.start() for mark in found[1:]), len(text)]
    head = text[: found[0].start()] if found else text
    return [head.strip(), *(text[mark.end() : end].strip(" ,;\n") for mark, end in zip(found, ends, strict=False))]


def _is_case(part: str, announced: bool) -> bool:
    enough = len(part.split()) >= LEAST_WORDS and bool(_TASK.match(part))
    return enough and (announced or is_use_case(part))


def _joined(text: str) -> tuple[str, ...]:
    """Cut a message that says it holds several cases, and does not number them; nothing if it cannot."""
    head, colon, rest = text.partition(":")
    if not colon or not _SEVERAL.search(head):
        found = _SEVERAL.search(text)
        stop = re.search(r"[.!?:]\s+", text[found.end() :]) if found else None
        if found is None or stop is None:
            return ()
        head, rest = text[: found.start()], text[found.end() + stop.end() :]
    pieces, start = [], 0
    for joint in _JOINT.finditer(rest):
        if _TASK.match(rest[joint.end() :]):
            pieces.append(rest[start : joint.start()])
            start = joint.end()
    cases = [piece.strip(" ,;.\n") for piece in [*pieces, rest[start:]]]
    cases = [case for case in cases if _is_case(case, announced=True)]
    return _told("", cases) if len(cases) > 1 else ()


def _told(head: str, cases: list[str]) -> tuple[str, ...]:
    sentences = re.split(r"(?<=[.!?])\s+", head)
    shared = " ".join(each for each in sentences if each[-1:] in ".!?" and not _SEVERAL.search(each))
    return tuple(f"{shared} {case}".strip() for case in cases[:MOST_CASES])
