"""Knows how a judge checks single answers against yes-or-no criteria, for gates; not what passes a gate."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.models import Meter
from trainers.evals.judges.asking import Hear, Limits, Question, Stop, ask_all
from trainers.evals.judges.brief import Brief, bare, digest, material, talk
from trainers.evals.judges.judge import Judge
from trainers.evals.judges.pairwise import bare_reply, read_object, sums

_WORDS = {"yes": "y", "no": "n", "true": "y", "false": "n"}


class Single(NamedTuple):
    """One row with one answer; which model gave it is not shown."""

    row: int
    asked: str
    answer: str
    system: str = ""
    reference: str = ""


class Checked(NamedTuple):
    """Which criteria one answer meets."""

    row: int
    met: tuple[bool, ...] | None
    """In the order of the criteria; None: no verdict."""


class Checking(NamedTuple):
    """All answers that were checked, and how that went; see `pairwise.Judging` for the figures."""

    rows: tuple[Checked, ...]
    unparsable: int
    failed: int
    tokens: int
    estimated: bool
    stopped: str
    problem: str
    digest: str

    def passes(self, criterion: int) -> tuple[int, int]:
        """Return how many answers meet a criterion (from 0), of how many with a verdict: for Wilson's interval."""
        known = [row.met for row in self.rows if row.met is not None]
        return sum(met[criterion] for met in known), len(known)


def check_answers(
    singles: Sequence[Single],
    judge: Judge,
    brief: Brief,
    *,
    meter: Meter | None = None,
    hear: Hear = lambda done, of: None,
    stop: Stop = lambda: None,
    limits: Limits | None = None,
    kept: Path | None = None,
    **times: Any,
) -> Checking:
    """Check every answer against every criterion of the brief, one question an answer; see `pairwise.judge_pairs`."""
    mark = digest(judge, brief, "pointwise")
    questions = [Question(_key(single, mark), "pointwise", _messages(single, brief)) for single in singles]
    asked = ask_all(
        questions, reader(brief), judge, meter=meter, hear=hear, stop=stop, limits=limits, kept=kept, **times
    )
    rows = []
    for single in singles:
        ruling = asked.rulings.get(_key(single, mark))
        said = ruling.said if ruling else None
        rows.append(Checked(single.row, None if said is None else tuple(letter == "y" for letter in said)))
    return Checking(rows=tuple(rows), digest=mark, **sums(asked))


def reader(brief: Brief) -> Callable[[str], str | None]:
    """Return what reads `{"1": "yes", "2": "no"}` as "yn": every criterion exactly once, else None."""
    numbers = [str(n) for n in range(1, len(brief.criteria) + 1)]

    def read(reply: str) -> str | None:
        value = read_object(bare_reply(reply))
        if value is None or set(value) != set(numbers):
            return None
        letters = [_WORDS.get(str(value[n]).strip().casefold()) for n in numbers]
        return None if None in letters else "".join(letter or "" for letter in letters)

    return read


def _messages(single: Single, brief: Brief) -> list[Any]:
    before = material(brief, single.system, single.asked, single.reference)
    return list(talk(brief, "pointwise", [*before, ("ANSWER", bare(brief, single.answer))]))


def _key(single: Single, mark: str) -> str:
    return sha256(json.dumps([mark, *single]).encode()).hexdigest()
