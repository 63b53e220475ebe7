"""Knows how a judge compares two answers to one row, blind and in both orders; it does not know what follows.

A judge that prefers a place rather than an answer contradicts itself when the answers change places: then the row is a
tie (Zheng et al. 2023, MT-Bench), and the row counts as flipped.
"""

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

from knowledge.models import Message, Meter
from trainers.evals.judges.asking import Asked, Hear, Limits, Question, Stop, ask_all
from trainers.evals.judges.brief import Brief, bare, digest, material, talk
from trainers.evals.judges.judge import Judge
from trainers.evals.judges.kept import Ruling

Side = Literal["base", "tuned", "tie"]
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)
_PLACES = {"1": 0, "2": 1}


class Pair(NamedTuple):
    """One row with both answers; who gave which never reaches the judge."""

    row: int
    """The row's line in its test file."""
    asked: str
    base: str
    tuned: str
    system: str = ""
    reference: str = ""


class Judged(NamedTuple):
    """What a judge made of one row."""

    row: int
    base_first: Side | None
    """Its choice where base's answer was shown first; None: no verdict."""
    tuned_first: Side | None
    """Its choice where tuned's answer was shown first."""
    lengths: tuple[int, int]
    """Characters of base's and of tuned's answer."""
    same: bool = False
    """Both answers are equal, so that nobody was asked."""

    @property
    def verdict(self) -> Side | None:
        """What holds in both orders; a tie where the orders disagree, None where one of them is missing."""
        if self.base_first is None or self.tuned_first is None:
            return None
        return self.base_first if self.base_first == self.tuned_first else "tie"

    @property
    def flipped(self) -> bool:
        """Whether the order alone decided: base in one, tuned in the other."""
        return {self.base_first, self.tuned_first} == {"base", "tuned"}

    @property
    def scores(self) -> tuple[float, float] | None:
        """Base's and tuned's score for a paired comparison: 0, 0.5 or 1, together 1; None without a verdict."""
        return None if self.verdict is None else _SCORES[self.verdict]


_SCORES: dict[Side, tuple[float, float]] = {"base": (1.0, 0.0), "tuned": (0.0, 1.0), "tie": (0.5, 0.5)}


class Judging(NamedTuple):
    """All rows that were put before a judge, and how that went."""

    rows: tuple[Judged, ...]
    """In the order of the pairs; a row without a verdict is among them."""
    unparsable: int
    """Questions whose reply could not be read, twice."""
    failed: int
    """Questions that the judge did not answer at all."""
    tokens: int
    """Of all questions, also of those that an earlier run paid."""
    estimated: bool
    """Whether some of them were estimated from characters."""
    stopped: str
    """Why rows are missing, in a sentence, or ""."""
    problem: str
    """The newest failure in a sentence, or ""."""
    digest: str


def judge_pairs(
    pairs: Sequence[Pair],
    judge: Judge,
    brief: Brief,
    *,
    meter: Meter | None = None,
    hear: Hear = lambda done, of: None,
    stop: Stop = lambda: None,
    limits: Limits | None = None,
    kept: Path | None = None,
    **times: Any,
) -> Judging:
    """Compare the answers of every row in both orders; see `asking.ask_all` for the limits and for `times`.

    Raises what `stop` raises; otherwise a judge that is gone, too slow or over its budget gives fewer verdicts.
    """
    mark = digest(judge, brief, "pairwise")
    differ = [pair for pair in pairs if pair.base.strip() != pair.tuned.strip()]
    questions = [_question(pair, brief, mark, place) for pair in differ for place in (0, 1)]
    asked = ask_all(
        questions, read_verdict, judge, meter=meter, hear=hear, stop=stop, limits=limits, kept=kept, **times
    )
    return Judging(
        rows=tuple(_judged(pair, asked.rulings, mark) for pair in pairs),
        digest=mark,
        **sums(asked),
    )


def sums(asked: Asked) -> dict[str, Any]:
    """Sum up how the asking went."""
    rulings = asked.rulings.values()
    return {
        "unparsable": sum(ruling.said is None for ruling in rulings),
        "failed": asked.failed,
        "tokens": sum(ruling.tokens for ruling in rulings),
        "estimated": any(ruling.estimated for ruling in rulings),
        "stopped": asked.stopped,
        "problem": asked.problem,
    }


def messages_for(pair: Pair, brief: Brief, *, tuned_first: bool) -> list[Message]:
    """Return what the judge is told about one pair in one order."""
    answers = [bare(brief, pair.base), bare(brief, pair.tuned)]
    if tuned_first:
        answers.reverse()
    named = [(f"ANSWER {place}", text) for place, text in enumerate(answers, start=1)]
    return talk(brief, "pairwise", [*material(brief, pair.system, pair.asked, pair.reference), *named])


def read_verdict(reply: str) -> str | None:
    """Read `{"better": 1 | 2 | "tie"}`, or that value alone; None for anything else.

    A leading <think> block and one code fence around the whole are taken off, as models add them unasked.
    """
    text = bare_reply(reply)
    if text in ("1", "2", "tie"):
        return text
    value = read_object(text)
    if value is None or set(value) != {"better"} or isinstance(value["better"], bool):
        return None
    said = value["better"]
    return str(said) if said in (1, 2, "1", "2", "tie") and not isinstance(said, float) else None


def bare_reply(reply: str) -> str:
    """Return a reply without leading thoughts and without a code fence around all of it."""
    text = _THOUGHT.sub("", reply, count=1).strip()
    fenced = _FENCE.match(text)
    return fenced[1].strip() if fenced else text


def read_object(text: str) -> dict[str, Any] | None:
    """Read one small JSON object without repeated keys; None for anything else."""
    if len(text) > 1000:
        return None
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(items: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(items)
    if len(value) != len(items):
        raise ValueError("a key stands twice")
    return value


def _question(pair: Pair, brief: Brief, mark: str, place: int) -> Question:
    return Question(_key(pair, mark, place), "pairwise", messages_for(pair, brief, tuned_first=place == 1))


def _key(pair: Pair, mark: str, place: int) -> str:
    """Name a question by judge, row, everything that is shown of it, and the order."""
    return sha256(json.dumps([mark, place, *pair]).encode()).hexdigest()


def _judged(pair: Pair, rulings: Mapping[str, Ruling], mark: str) -> Judged:
    lengths = (len(pair.base), len(pair.tuned))
    if pair.base.strip() == pair.tuned.strip():
        return Judged(pair.row, "tie", "tie", lengths, same=True)
    chosen = []
    for place, order in enumerate((("base", "tuned"), ("tuned", "base"))):
        ruling = rulings.get(_key(pair, mark, place))
        said = ruling.said if ruling else None
        chosen.append(None if said is None else "tie" if said == "tie" else order[_PLACES[said]])
    return Judged(pair.row, chosen[0], chosen[1], lengths)  # type: ignore[arg-type]  # one of Side's words
