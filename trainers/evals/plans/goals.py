"""How good a task's own words say that a model must be: a target, a smallest useful gain; the task without them.

Only what demands is read. What tells how things are (`we get 70% right today`), asks (`whether 90% are right`) or
denies (`need not be 95% accurate`) is left alone, and so is a share of anything else (`80% of the tickets in English`).
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

_PERCENT = r"(?P<percent>\d{1,3}(?:[.,]\d{1,2})?)\s*(?:%|percent\b|per\s?cent\b|pct\b)\+?"
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
_WORDS |= {"ten": 10, "nineteen": 19, "twenty": 20, "hundred": 100, "a hundred": 100}
_COUNT = rf"(?:\d{{1,4}}|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_RATIO = rf"(?P<part>{_COUNT})\s+(?:times\s+)?(?:out\s+of|of|in)\s+(?:every\s+)?(?P<whole>{_COUNT})\b"
_DECIMAL = r"(?P<decimal>0?\.\d{1,3})(?![\d%])"
_SHARE = rf"(?<![\w.,$€£])(?:{_RATIO}|{_PERCENT})"

_LEAST = (
    r"(?:at least|no less than|not less than|no fewer than|a minimum of|minimum(?: of)?|(?<!no )(?<!not )more than"
    r"|better than|above|over|≥|>=|>)\s*"
)
_MOST = (
    r"(?:at most|no more than|not more than|not over|a maximum of|max(?:imum)?(?: of)?|less than|fewer than|below|under"
    r"|up to|≤|<=|<)\s*"
)
_OF = r"(?:\s+of\s+(?:(?:the|our|all|its|these|those|your)\s+)*[\w'’-]+(?:\s[\w'’-]+)?)?"
_BE = (
    r"(?:\s+(?:must|should|shall|have to|has to|need to|needs to|to|may|can|are to))?"
    r"(?:\s+(?:be|are|is|get|come out|end up|go|land))?(?:\s+(?!wrong)[a-z]+ed)?"
)
_PLACE = r"(?:queue|label|categor(?:y|ies)|class(?:es)?|answer|place|team|department|folder|bucket|one)s?"
_RIGHT = (
    rf"(?:(?:in|into|to|with)\s+(?:the|their|its)\s+(?:right|correct)\s+{_PLACE}\b"
    r"|(?:right|correct|accurate)\s+(?:answers?|labels?|results?)\b"
    r"|(?:right(?:ly)?|correct(?:ly)?|accurate(?:ly)?|accuracy)\b(?!-)(?!\s+(?:to|away|hand|side|angle)))"
)
_WRONG = r"(?:wrong(?:ly)?|incorrect(?:ly)?|errors?(?:\s+rate)?|mistakes?|misclassified|mislabell?ed|misrouted)\b"
_SAYS = r"\s*(?:rate\s*)?(?:of|:|=|at|is|(?:must|should|has to|have to|needs to|to) (?:be|reach))?\s*"
_CASES = r"(?:\s+(?:of\s+(?:the\s+|all\s+)?)?(?:time|cases|tickets|rows|answers|messages)\b)?"

_TARGETS = (
    (True, rf"(?:{_LEAST})?{_SHARE}(?:\s+or\s+(?:more|better|higher))?{_OF}{_BE}\s+{_RIGHT}"),
    (True, rf"\baccuracy{_SAYS}(?:{_LEAST})?(?:{_SHARE}|{_DECIMAL})"),
    (True, rf"\b(?:right|correct(?:ly)?|accurate)\s+(?:in\s+|for\s+)?(?:{_LEAST})?{_SHARE}{_CASES}"),
    (True, rf"\b(?:target|threshold|goal)\s*(?:of|is|:|=)\s*(?:{_LEAST})?{_SHARE}(?=\s*(?:[.,;!)]|$))"),
    (False, rf"{_MOST}{_SHARE}{_OF}{_BE}\s+{_WRONG}"),
    (False, rf"{_SHARE}{_OF}\s+(?:may|can)\s+be\s+{_WRONG}"),
    (False, rf"{_SHARE}\s+{_WRONG}\s+(?:at most|or (?:less|fewer))\b"),
    (False, rf"\b(?:error rate|errors|mistakes)(?:\s+in)?{_SAYS}{_MOST}{_SHARE}"),
)
"""What states a target, and whether it is the share of right answers or of wrong ones."""

_POINTS = r"(?<![\w.,])(?P<points>\d{1,2}(?:[.,]\d{1,2})?)\s*-?\s*"
_UNIT = r"(?:percentage[ -]points?|(?:%|percent)[ -]?points?|points?|pts?\b|pp\b)"
_RIVAL = (
    r"(?:(?:the|our|its|a|plain|best|good|few-shot|zero-shot|best-prompted|untuned|untrained)\s+)*"
    r"(?:prompt(?:ing|s|ed(?:\s+(?:base|model))?)?|base(?:line)?(?:\s+model)?|few-shot|zero-shot)\b"
)
_EFFECTS = (
    rf"(?:{_LEAST})?{_POINTS}{_UNIT}\s+(?:better|higher|more accurate|above|over|ahead of)\b"
    rf"(?:\s+than)?(?:\s+{_RIVAL}|(?!\s+\w))",
    rf"(?:{_LEAST})?{_POINTS}{_UNIT}\s+better\b(?!\s+than)",
    rf"(?:{_LEAST})?{_POINTS}(?:%|percent)\s+(?:better|more accurate)\s+than\s+{_RIVAL}",
    rf"(?:better\s+than|beats?|above|over)\s+{_RIVAL}\s+by\s+(?:{_LEAST})?{_POINTS}(?:{_UNIT}|%|percent\b)",
    rf"(?:gain|improvement|lead|advantage)\s+of\s+(?:{_LEAST})?{_POINTS}{_UNIT}(?:\s+(?:over|on)\s+{_RIVAL})?",
)
_SHARES = [(good, re.compile(text, re.IGNORECASE)) for good, text in _TARGETS]
_GAINS = [re.compile(text, re.IGNORECASE) for text in _EFFECTS]

_LEAD_WORDS = (
    r"(?:and|but|so that|such that|with|while|which|that|it|they|this|we|i|the (?:model|answers?|results?|labels?|goal"
    r"|target|aim|threshold)|must|should|shall|has to|have to|needs? to|needs?|wants?|expects?|requires?|is|are|be|get"
    r"|reach|achieve|have|for|at|by|an?|to|the|aim|aiming|target|goal|threshold|only|an overall|success|means)"
)
_LEAD = re.compile(rf"(?:^|[\s,;:(–—-]+)(?:{_LEAD_WORDS}\b[\s:]+){{0,8}}$", re.IGNORECASE)
_WINDOW = 160  # characters before a match in which the words that lead to it stand
_TAIL = re.compile(
    r"(?:\s+(?:of the time|of (?:all |the )?cases|or (?:better|more|higher|less|fewer)|overall|minimum|in total"
    r"|at least|at most|on (?:our |the |a )?(?:unseen |held-out )?(?:test )?(?:set|rows|data)))*\)?",
    re.IGNORECASE,
)

_BREAK = re.compile(r"[;:!?\n()]|[.,](?=\s|$)|\bbut\b|\band\b", re.IGNORECASE)
_NEVER = re.compile(
    r"\b(?:today|current(?:ly)?|now|already|so far|at present|at the moment|until now|last|previous(?:ly)?|used to|ago"
    r"|was|were|did|had|got|reached|achieved|scored|whether|if|unless|never|without|nobody|no need)\b"
    r"|\bnot\b(?! (?:more|less|over|fewer))|n['’]t\b",
    re.IGNORECASE,
)
_HOW_IT_IS = re.compile(
    r"\b(?:is|are|gets|reaches|achieves|scores|has|have|manages?|makes?|does|hits"
    r"|(?:we|they|you|i)\s+(?:get|reach|achieve|score|hit))\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:must|should|shall|may|needs?|wants?|wish|expects?|requires?d?|has to|have to|aim|target|goal|threshold"
    r"|success|or more|or better|at least|at most|no (?:more|less|fewer) than|not (?:more|less|over)"
    r"|minimum|maximum|max|acceptable|hope"
    r"|to (?:be|get|reach|achieve|have)|that (?:is|are)|so that)\b|[≥≤<>]",
    re.IGNORECASE,
)
_SAID_BEFORE = re.compile(r"\b(?:today|currently|now|so far|at present|until now)[,:]?\s*$", re.IGNORECASE)
_OPENS = re.compile(r"\b(?:with|at|for|by|to|target|goal|threshold|aim)\b", re.IGNORECASE)


class Goals(NamedTuple):
    """What a task demands in its own words."""

    target: Decimal | None
    """Share of right answers that must be reached."""
    target_words: str
    effect: Decimal | None
    """Smallest difference worth having, as a share."""
    effect_words: str
    unread: tuple[str, ...]
    """Further words of this sort: a plan has one target and one smallest useful effect."""
    task: str
    """The task without all of them; the whole task where nothing else would be left."""


class _Found(NamedTuple):
    start: int
    end: int
    share: Decimal
    words: str
    is_target: bool


def read_goals(task: str) -> Goals:
    """Read target and smallest useful effect from a task in words; the first of each counts."""
    found = list(_found(task))
    targets, effects = ([each for each in found if each.is_target == wanted] for wanted in (True, False))
    kept = {id(each) for each in (*targets[:1], *effects[:1])}
    taken = {each.share for each in targets[:1]}, {each.share for each in effects[:1]}
    unread = [each for each in found if id(each) not in kept and each.share not in taken[0 if each.is_target else 1]]
    return Goals(
        targets[0].share if targets else None,
        targets[0].words if targets else "",
        effects[0].share if effects else None,
        effects[0].words if effects else "",
        tuple(each.words for each in unread),
        _without(task, found),
    )


def _found(task: str) -> Iterator[_Found]:
    """Yield what is demanded, in the order of the text; of two readings of one place the earlier and longer one."""
    read = [
        each for good, pattern in _SHARES for match in pattern.finditer(task) if (each := _target(task, match, good))
    ]
    read += [each for pattern in _GAINS for match in pattern.finditer(task) if (each := _effect(task, match))]
    end = 0
    for each in sorted(read, key=lambda one: (one.start, -one.end)):
        if each.start >= end:
            end = each.end
            yield each


def _target(task: str, match: re.Match[str], good: bool) -> _Found | None:
    share = _share(match)
    if share is None or not _demanded(task, match) or (good and re.search(rf"{_MOST}$", task[: match.start()], re.I)):
        return None
    share = share if good else 1 - share
    return _Found(match.start(), match.end(), share, _said(match), True) if 0 < share <= 1 else None


def _effect(task: str, match: re.Match[str]) -> _Found | None:
    share = Decimal(match["points"].replace(",", ".")) / 100
    if not 0 < share < 1 or not _demanded(task, match):
        return None
    return _Found(match.start(), match.end(), share, _said(match), False)


def _share(match: re.Match[str]) -> Decimal | None:
    """Return the share that was written as a percentage, a ratio or a decimal; None for what is none."""
    groups = match.groupdict()
    if groups.get("decimal"):
        return Decimal(groups["decimal"])
    if groups.get("percent"):
        return Decimal(groups["percent"].replace(",", ".")) / 100
    part, whole = (_number(groups[name]) for name in ("part", "whole"))
    return round(Decimal(part) / whole, 4).normalize() if 0 <= part <= whole and whole else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _WORDS[text.casefold()]


def _demanded(task: str, match: re.Match[str]) -> bool:
    """Say whether the clause of a match wants this, rather than telling, asking or denying it."""
    before, after = task[: match.start()], task[match.end() :]
    begin = max((each.end() for each in _BREAK.finditer(before)), default=0)
    stop = _BREAK.search(after)
    clause = task[begin : match.end() + (stop.start() if stop else len(after))]
    if _NEVER.search(clause) or _SAID_BEFORE.search(before.rstrip(" ,:")):
        return False
    if _WISH.search(clause):
        return True
    lead = _lead(before)
    opened = lead <= begin or bool(_OPENS.search(before[lead:]))
    return opened and not _HOW_IT_IS.search(clause)


def _lead(before: str) -> int:
    """Return where the words begin that lead to what follows; its end where there are none."""
    window = before[-_WINDOW:]
    lead = _LEAD.search(window)
    return len(before) - len(window) + (lead.start() if lead else len(window))


def _said(match: re.Match[str]) -> str:
    return " ".join(match[0].split())


def _without(task: str, found: list[_Found]) -> str:
    """Cut out what was found with the words that lead to it, and mend the seams."""
    left, place = "", 0
    for each in found:
        before = task[place : each.start]
        left += before[: _lead(before)] + " "
        tail = _TAIL.match(task, each.end)
        place = tail.end() if tail else each.end
    text = left + task[place:] if found else task
    for pattern, mended in _SEAMS if found else ():
        text = pattern.sub(mended, text)
    return text.strip() if any(map(str.isalnum, text)) else task


_SEAMS = (
    (re.compile(r"[ \t]+([,;:.!?)])"), r"\1"),
    (re.compile(r"\(\s*\)"), ""),
    (re.compile(r"[ \t]{2,}"), " "),
    (re.compile(r"(?:[,;:]\s*)+(?=[.!?]|$)"), ""),
    (re.compile(r"([.!?])(?:\s*[,;:.])+"), r"\1"),
    (re.compile(r",(?:\s*,)+"), ","),
    (re.compile(r"(?:\s+(?:and|with|but|or))+(?=\s*[.!?]?\s*$)", re.IGNORECASE), ""),
    (re.compile(r"^[\s,;:.–—-]+(?:and\b\s*)?"), ""),
)
