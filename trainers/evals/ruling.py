"""On which rows and scores a verdict rests, and what forbids one; it neither marks answers nor applies the rule."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.evals.clusters import clusters
from trainers.evals.contamination import Contamination
from trainers.evals.evidence import Evidence
from trainers.evals.guardrails import GuardrailResult
from trainers.evals.predictions import RIVAL, TUNED, Answers, pairs
from trainers.evals.proof import ProofResult
from trainers.evals.rule import SuccessRule
from trainers.evals.verdict import Pair, Verdict, decide

COVERED = 0.9
"""Share of the rows that have to be compared: which ones are missing is rarely chance."""
_SEEN = {
    "exact": "its input stands in the training rows",
    "prompted": "its input stands in a system prompt or in a prompt's examples",
}
"""Way of being seen that leaves a row out -> why, in words."""


class Basis(NamedTuple):
    """The rows that a verdict compares, and those that it does not."""

    compared: Sequence[tuple[int, Pair]]
    """Line of a row and its two scores."""
    fresh: Sequence[Row]
    """Rows that were not in training and of which no answer was lost."""
    left_out: Mapping[int, str]
    """Line of every other row than the compared ones -> why it is left out, in words."""

    @property
    def counted(self) -> list[Row]:
        """Rows that every score counts: those compared; where nothing can be compared, all fresh ones."""
        return [row for row in self.fresh if row.line not in self.left_out] or list(self.fresh)


def basis(evidence: Evidence, answers: Answers, seen: Contamination) -> Basis:
    """Choose the rows that were not in training and have answers, or, where the rule asks for it, a judge's verdict."""
    gone = {line: words for way, words in _SEEN.items() for line in getattr(seen, way)}
    gone = {**evidence.lost, **gone}
    fresh = [row for row in evidence.rows if row.line not in gone]
    judged = evidence.rule.metric == "judged"
    compared = _preferred(evidence, answers, fresh) if judged else _marked(answers, fresh)
    lines = {line for line, _ in compared}
    silent = "the judge gave no verdict on it" if evidence.judging else "no judge compared its answers"
    for row in fresh:
        if row.line not in lines:
            gone[row.line] = silent if row.line in answers[RIVAL] else "the best-prompted base gave no answer"
    return Basis(compared, fresh, gone)


def ruling(
    evidence: Evidence,
    found: Basis,
    seen: Contamination,
    guardrails: Sequence[GuardrailResult],
    proof: ProofResult,
) -> Verdict:
    """Apply the rule to the rows that were not in training: by the metric's marks or by what the judge prefers."""
    doubts = [*_doubts(evidence, proof), *_missing(found)]
    return strictly(found.compared, seen, evidence.rule, guardrails, doubts)


def strictly(
    compared: Sequence[tuple[int, Pair]],
    seen: Contamination,
    rule: SuccessRule,
    guardrails: Sequence[GuardrailResult] = (),
    doubts: Sequence[str] = (),
) -> Verdict:
    """Apply the rule to scored rows by line; a PASS that stands only with rows that nearly repeat training is none."""
    verdict = decide([pair for _, pair in compared], rule, guardrails, doubts=doubts)
    doubtful = set(seen.lines) - set(seen.known)
    strict = [pair for line, pair in compared if line not in doubtful]
    if verdict.outcome != "PASS" or not doubtful or len(strict) < rule.minimum_rows:
        return verdict
    without = decide(strict, rule, guardrails)
    if without.outcome == "PASS":
        return verdict
    left = f"Without the {plural(len(compared) - len(strict), rule.unit)} that nearly repeat training it is not proven"
    said = f"{left}: {without.sentence.removeprefix('Not proven. ')}"
    return decide([pair for _, pair in compared], rule, guardrails, doubts=[said])


def told(seen: Contamination, verdict: Verdict) -> str:
    """Say which rows were in training, and what the verdict makes of them."""
    if not seen.lines:
        return seen.sentence
    known, near = len(seen.known), len(seen.lines) - len(seen.known)
    parts = [f"{plural(known, 'row')} left out of the verdict"] if known else []
    parts += [f"{plural(near, 'row')} only alike and counted among the {verdict.n}"] if near else []
    return f"{seen.sentence} {' and '.join(parts).capitalize()}."


def _marked(answers: Answers, fresh: Sequence[Row]) -> list[tuple[int, Pair]]:
    both = [row.line for row in fresh if row.line in answers[RIVAL]]
    return list(zip(both, pairs(answers, fresh, clusters=clusters(fresh)), strict=True))


def _preferred(evidence: Evidence, answers: Answers, fresh: Sequence[Row]) -> list[tuple[int, Pair]]:
    """Take what the judge prefers; a row that only the tuned model left unanswered is lost, nobody was asked.

    Where the judge prefers nothing anywhere, lost rows alone are no comparison.
    """
    sources = dict(zip([row.line for row in fresh], clusters(fresh) or [""] * len(fresh), strict=True))
    judged = evidence.judging.rows if evidence.judging else ()
    preferred = [
        (one.row, Pair(*one.scores, cluster=sources[one.row]))
        for one in judged
        if one.scores is not None and one.row in sources
    ]
    lost = [
        (row.line, Pair(1.0, 0.0, sources[row.line]))
        for row in fresh
        if row.line in answers[RIVAL] and row.line not in answers[TUNED]
    ]
    return [*preferred, *lost] if preferred else []


def _doubts(evidence: Evidence, proof: ProofResult) -> Iterator[str]:
    if proof.outcome == "refuted":
        yield from proof.sentences
    if evidence.rule.metric != "judged":
        return
    if evidence.card is None:
        yield "The rule asks for a judge, and none is set."
    elif evidence.card.unusable:
        yield evidence.card.unusable


def _missing(found: Basis) -> Iterator[str]:
    compared, fresh = found.compared, found.fresh
    if compared and len(compared) < COVERED * len(fresh):
        yield (
            f"Only {len(compared):,} of {plural(len(fresh), 'unseen row')} could be compared; which ones are missing "
            "is rarely chance."
        )
