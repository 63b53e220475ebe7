"""On which rows and scores a verdict rests, and what forbids one; it neither marks answers nor applies the rule."""

from collections.abc import Iterator, Sequence

from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.evals.clusters import clusters
from trainers.evals.contamination import Contamination
from trainers.evals.evidence import Evidence
from trainers.evals.guardrails import GuardrailResult
from trainers.evals.predictions import RIVAL, TUNED, Answers, pairs
from trainers.evals.proof import ProofResult
from trainers.evals.verdict import Pair, Verdict, decide

COVERED = 0.9
"""Share of the rows that have to be compared: which ones are missing is rarely chance."""


def ruling(
    evidence: Evidence,
    answers: Answers,
    seen: Contamination,
    guardrails: Sequence[GuardrailResult],
    proof: ProofResult,
) -> Verdict:
    """Apply the rule to the rows that were not in training: by the metric's marks or by what the judge prefers.

    A PASS that stands only with rows that nearly repeat training is no PASS.
    """
    known = set(seen.known)
    fresh = [row for row in evidence.rows if row.line not in known]
    compared = _preferred(evidence, answers, fresh) if evidence.rule.metric == "judged" else _marked(answers, fresh)
    doubts = [*_doubts(evidence, proof), *_missing(compared, fresh)]
    verdict = decide([pair for _, pair in compared], evidence.rule, guardrails, doubts=doubts)
    doubtful = set(seen.lines) - known
    strict = [pair for line, pair in compared if line not in doubtful]
    if verdict.outcome != "PASS" or not doubtful or len(strict) < evidence.rule.minimum_rows:
        return verdict
    without = decide(strict, evidence.rule, guardrails)
    if without.outcome == "PASS":
        return verdict
    left = f"Without the {plural(len(compared) - len(strict), 'row')} that nearly repeat training it is not proven"
    said = f"{left}: {without.sentence.removeprefix('Not proven. ')}"
    return decide([pair for _, pair in compared], evidence.rule, guardrails, doubts=[said])


def told(seen: Contamination, verdict: Verdict) -> str:
    """Say which rows were in training, and what the verdict makes of them."""
    if not seen.lines:
        return seen.sentence
    known, near = len(seen.known), len(seen.lines) - len(seen.known)
    parts = [f"{plural(known, 'row')} left out of the verdict"] if known else []
    parts += [f"{plural(near, 'row')} only alike and counted among the {verdict.n}"] if near else []
    return f"{seen.sentence} {' and '.join(parts).capitalize()}."


Compared = list[tuple[int, Pair]]
"""Line of a row and its two scores."""


def _marked(answers: Answers, fresh: Sequence[Row]) -> Compared:
    both = [row.line for row in fresh if row.line in answers[RIVAL]]
    return list(zip(both, pairs(answers, fresh, clusters=clusters(fresh)), strict=True))


def _preferred(evidence: Evidence, answers: Answers, fresh: Sequence[Row]) -> Compared:
    """Take what the judge prefers; a row that only the tuned model left unanswered is lost, nobody was asked."""
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
    return [*preferred, *lost]


def _doubts(evidence: Evidence, proof: ProofResult) -> Iterator[str]:
    if proof.outcome == "refuted":
        yield from proof.sentences
    if evidence.rule.metric != "judged":
        return
    if evidence.card is None:
        yield "The rule asks for a judge, and none is set."
    elif evidence.card.unusable:
        yield evidence.card.unusable


def _missing(compared: Compared, fresh: Sequence[Row]) -> Iterator[str]:
    if compared and len(compared) < COVERED * len(fresh):
        yield (
            f"Only {len(compared):,} of {plural(len(fresh), 'unseen row')} could be compared; which ones are missing "
            "is rarely chance."
        )
