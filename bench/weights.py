"""Asks whether weights learned from cases would decide better than the hand-set ones, cross-validated by source.

Run `python -m bench.weights [--strength 1 --strength 10]`. Cases are the published ones with facts labelled by people
and those facts as read offline. Learned are the sizes of all weights and priors: each keeps the sign that its source
gives it and is drawn to its hand-set size with the given strength; what is minimised is the surprise about acceptable
answers, and half as much that about answers which the source warns of. A case is decided by weights that were learned
without any case of its source, in ten folds of whole
sources. Gates stay as they are: cases that they answer teach no weight.
"""

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench.advice import DATA, PUBLISHED, lines
from bench.rates import rate
from bench.readers import readers, shipped
from bench.reading import plain
from knowledge.advice.facts import Facts, from_mapping
from knowledge.advice.rubric import SCORED, Option, Rubric, load_rubric
from knowledge.advice.score import judge

FOLDS, SEED = 10, 7
SHARPNESS = 0.7
"""Log odds that a point is worth."""
HARM = 0.5
"""How much a warned-of answer counts beside a missed one."""
BARRED = -1e4

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One case as the weights see it."""

    source: str
    points: Array
    """How often each weight counts for each option: shape (weights, 4)."""
    open: npt.NDArray[np.bool_]
    """Options that are not barred: shape (4,)."""
    fine: frozenset[str]
    warned: frozenset[str]
    gated: Option | None
    """What a gate answered, or None."""


def main() -> None:
    """Compare hand-set with learned weights on labelled and on read facts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strength", type=float, action="append", help="pull towards the hand-set sizes")
    strengths = parser.parse_args().strength or [0.3, 1.0, 3.0, 10.0]
    rubric = load_rubric()
    start = np.array([weight for _, _, weight in weights(rubric)])
    found = readers()
    reader = found[shipped(found)]
    labelled = {each["id"]: from_mapping(plain(each["facts"])) for each in lines(DATA / "reading_facts.jsonl")}
    cases = [case for name in PUBLISHED for case in lines(DATA / name) if case["id"] in labelled]
    facts = {
        "facts labelled by people": [labelled[case["id"]] for case in cases],
        "facts read offline": [reader(case["use_case"]).facts for case in cases],
    }
    for name, each in facts.items():
        lessons = [lesson(case, one, rubric) for case, one in zip(cases, each, strict=True)]
        print(f"\n{name} (n={len(lessons)})")
        tell("hand-set weights", [decide(one, start, rubric) for one in lessons], lessons)
        for strength in strengths:
            answers = crossed(lessons, start, strength, rubric)
            tell(f"learned, pull {strength:g}", answers, lessons)


def weights(rubric: Rubric) -> list[tuple[str, Option, float]]:
    """Return every weight of the rubric: the criterion's id or "prior", the option, the hand-set size."""
    priors = [("prior", option, effect.weight) for option, effect in rubric.prior.items()]
    return priors + [
        (each.id, option, effect.weight) for each in rubric.criteria for option, effect in each.effects.items()
    ]


def lesson(case: Mapping[str, Any], facts: Facts, rubric: Rubric) -> Lesson:
    """Return what one case can teach, given its facts."""
    verdict = judge(facts, rubric)
    place = {(criterion, option): row for row, (criterion, option, _) in enumerate(weights(rubric))}
    points = np.zeros((len(place), len(SCORED)))
    for each in verdict.contributions:
        points[place[each.criterion, each.half], SCORED.index(each.option)] += each.degree
    return Lesson(
        source=case["source"],
        points=points,
        open=np.array([option in verdict.ranking for option in SCORED]),
        fine=frozenset({case["expected"], *case.get("also_acceptable", ())}),
        warned=frozenset(case.get("not_recommended", ())),
        gated=verdict.recommendation if verdict.gate else None,
    )


def crossed(lessons: Sequence[Lesson], start: Array, strength: float, rubric: Rubric) -> list[str]:
    """Decide each case by weights that were learned from the other folds."""
    answers = [""] * len(lessons)
    for fold in folds([one.source for one in lessons]):
        held = set(fold)
        learned = learn([one for row, one in enumerate(lessons) if row not in held], start, strength)
        for row in fold:
            answers[row] = decide(lessons[row], learned, rubric)
    return answers


def folds(sources: Sequence[str]) -> Iterator[list[int]]:
    """Yield the rows of each fold; all cases of a source are in one."""
    names = sorted(set(sources))
    random.Random(SEED).shuffle(names)  # noqa: S311  # not for secrets
    for fold in range(FOLDS):
        chosen = set(names[fold::FOLDS])
        yield [row for row, source in enumerate(sources) if source in chosen]


def learn(lessons: Sequence[Lesson], start: Array, strength: float) -> Array:
    """Return the weights with the smallest loss that keep their signs."""
    free = [
        one
        for one in lessons
        if one.gated is None and one.fine & {o for o, ok in zip(SCORED, one.open, strict=True) if ok}
    ]
    points, is_open = np.stack([one.points for one in free]), np.stack([one.open for one in free])
    fine, warned = marks(free, "fine"), marks(free, "warned")

    def loss(sizes: Array) -> tuple[float, Array]:
        scores = np.where(is_open, SHARPNESS * np.einsum("npo,p->no", points, sizes), BARRED)
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        good, safe = (likely * fine).sum(axis=1), (likely * ~warned).sum(axis=1).clip(1e-6)
        pull = likely - likely * fine / good.clip(1e-6)[:, None]
        pull += HARM * (likely - likely * ~warned / safe[:, None])
        slope = SHARPNESS * np.einsum("npo,no->p", points, pull) + 2 * strength * (sizes - start)
        value = -np.log(good.clip(1e-6)).sum() - HARM * np.log(safe).sum() + strength * ((sizes - start) ** 2).sum()
        return float(value), slope

    bounds = [(0, None) if size > 0 else (None, 0) if size < 0 else (0, 0) for size in start]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def marks(lessons: Sequence[Lesson], which: str) -> npt.NDArray[np.bool_]:
    """Return which options are in that set of each case: shape (cases, 4)."""
    return np.array([[option in getattr(one, which) for option in SCORED] for one in lessons])


def decide(one: Lesson, sizes: Array, rubric: Rubric) -> str:
    """Return the answer by these weights, as `judge` does: of nearly equal options the simplest."""
    if one.gated:
        return one.gated
    scores = np.where(one.open, np.einsum("po,p->o", one.points, sizes), BARRED)
    return next(option for option, score in zip(SCORED, scores, strict=True) if scores.max() - score <= rubric.rule.tie)


def tell(name: str, answers: Sequence[str], lessons: Sequence[Lesson]) -> None:
    """Print how many answers are acceptable, and how many are warned of."""
    right = sum(answer in one.fine for answer, one in zip(answers, lessons, strict=True))
    named = [(answer, one) for answer, one in zip(answers, lessons, strict=True) if one.warned]
    harmful = sum(answer in one.warned for answer, one in named)
    print(f"  {name:20} acceptable {rate(right, len(lessons))}; warned of {harmful} of {len(named)}")


if __name__ == "__main__":
    main()
