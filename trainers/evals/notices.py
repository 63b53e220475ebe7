"""What a reader should know before believing a verdict; it never changes the verdict itself."""

from collections import Counter
from collections.abc import Iterator, Sequence

from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.evals.predictions import CHEAP, PLAIN, RIVAL, TITLES, TUNED, Answers, pairs
from trainers.evals.rule import SuccessRule
from trainers.evals.scorers import names_label, normalise
from trainers.evals.stats import bonett_price
from trainers.evals.verdict import Pair, decide


def notices(
    answers: Answers, rows: Sequence[Row], rule: SuccessRule, labels: Sequence[str], caution: str = ""
) -> tuple[str, ...]:
    """Gather every doubt and every cheaper way that the answers show, the weightiest first.

    `caution` is what the metric itself says of how far it can be trusted.
    """
    return tuple(
        notice
        for part in (
            _suspicious(answers),
            _cheaper(answers, rows),
            _plain_better(answers, rows, rule),
            _milder(answers, rows, rule, labels),
            (caution,) if caution else (),
        )
        for notice in part
    )


def missing(answers: Answers, rows: Sequence[Row]) -> Iterator[str]:
    """Say how many rows base and tuned model left unanswered, and what that does."""
    for arm in (RIVAL, TUNED):
        gone = sum(row.line not in answers[arm] for row in rows)
        if gone:
            effect = "they count as wrong" if arm == TUNED else "they are left out of the comparison"
            yield f"{TITLES[arm]}: {plural(gone, 'row')} without an answer; {effect}."


def _suspicious(answers: Answers) -> Iterator[str]:
    """Doubt a tuned model that answers as if the adapter were not loaded, or always the same."""
    tuned, rival = answers[TUNED], answers[PLAIN] or answers[RIVAL]
    both = tuned.keys() & rival.keys()
    if both and all(tuned[row].output == rival[row].output for row in both):
        yield "The tuned model answered every row exactly as the base did. Perhaps the adapter was not loaded."
    said = Counter(normalise(answer.output) for answer in tuned.values())
    if len(said) == 1 and len(tuned) > 1:
        yield "The tuned model gave the same answer to every row: it has learned one answer, not the task."


def _cheaper(answers: Answers, rows: Sequence[Row]) -> Iterator[str]:
    cheap, tuned, n = _right(answers, CHEAP), _right(answers, TUNED), len(rows)
    if not answers[CHEAP]:
        return
    reach = f"{TITLES[CHEAP]} gets {cheap}/{n}"
    if cheap >= tuned:
        yield f"{reach}, no fewer than the tuned model ({tuned}/{n}), without any language model. Consider it instead."
    elif cheap > _right(answers, RIVAL):
        proof = "" if _surely_better(answers, rows) else ", which is not proven to be more than chance"
        ahead = f"the tuned model gets {tuned - cheap} more right{proof}"
        yield f"{reach}: a cheaper rival that beats the prompted base; {ahead}."


def _surely_better(answers: Answers, rows: Sequence[Row], level: float = 0.95) -> bool:
    """Say whether the interval of tuned minus the cheap rival lies above zero."""
    tuned, cheap = answers[TUNED], answers[CHEAP]
    both = tuned.keys() & cheap.keys()
    gained = sum(tuned[row].right and not cheap[row].right for row in both)
    lost = sum(cheap[row].right and not tuned[row].right for row in both)
    return bonett_price(gained, lost, len(rows), level).low > 0


def _plain_better(answers: Answers, rows: Sequence[Row], rule: SuccessRule) -> Iterator[str]:
    plain, rival, n = _total(answers, PLAIN), _total(answers, RIVAL), len(rows)
    if plain <= rival:
        return
    against = decide(pairs(answers, rows, PLAIN), rule).outcome
    yield (
        f"On these rows the plain prompt did better than the few-shot prompt ({plain:g}/{n} and {rival:g}/{n}). "
        f"The rival was fixed before the test; against the plain prompt the verdict would be {against}."
    )


def _milder(answers: Answers, rows: Sequence[Row], rule: SuccessRule, labels: Sequence[str]) -> Iterator[str]:
    """Say what remains if the base is forgiven its wording: part of a gain may be format alone."""
    if not labels:
        return
    mild = [
        Pair(
            rival=names_label(answers[RIVAL][row.line].output, row.target, labels), tuned=answers[TUNED][row.line].right
        )
        for row in rows
        if row.line in answers[RIVAL] and row.line in answers[TUNED]
    ]
    named = sum(pair.rival for pair in mild)
    if named > _right(answers, RIVAL):
        outcome = decide(mild, rule).outcome
        yield (
            f"Counting any answer that names the right label alone, in whatever words, the best-prompted base gets "
            f"{named}/{len(rows)}; the verdict would be {outcome}. The rest of the gain is answering in the right form."
        )


def _right(answers: Answers, arm: str) -> int:
    return sum(answer.right for answer in answers[arm].values())


def _total(answers: Answers, arm: str) -> float:
    return round(sum(answer.mark.score for answer in answers[arm].values()), 1)
