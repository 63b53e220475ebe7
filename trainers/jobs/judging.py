"""Knows how a language model compares what base and tuned model answered in a job; it decides no verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from knowledge.models import Meter
from trainers.backends.base import Keeper
from trainers.data.jsonl import Row
from trainers.evals.judges.brief import Brief
from trainers.evals.judges.card import JudgeCard, judge_card
from trainers.evals.judges.judge import Judge, kinship
from trainers.evals.judges.pairwise import Judging, Pair, judge_pairs
from trainers.evals.labels import write_judged
from trainers.evals.predictions import RIVAL, TUNED, read_outputs
from trainers.evals.rule import SuccessRule


@dataclass(frozen=True, kw_only=True)
class Court:
    """Who judges on this machine, and who counts what that takes."""

    judge: Judge
    meter: Callable[[str], Meter]
    """Workspace -> what counts and caps its tokens."""


class Judgement(NamedTuple):
    """What a judge said, row by row and in sum."""

    judging: Judging
    card: JudgeCard


WORDED = frozenset(("judged", "chrf", "exact_match", "style", "correct"))
"""Metrics of free text: only there does another opinion say something that the marks do not."""


def judgement(
    court: Court | None,
    rule: SuccessRule,
    rows: Sequence[Row],
    folder: Path,
    *,
    base: str,
    workspace: str,
    keeper: Keeper,
) -> Judgement | None:
    """Let the judge compare the answers in an evaluation's folder; None without a judge or where answers are marked.

    What was asked before stays answered in judge.jsonl, so that a killed worker pays for no row twice.
    """
    if court is None or rule.metric not in WORDED:
        return None
    said = read_outputs(folder / "predictions.jsonl", rows)
    pairs = [
        Pair(row.line, row.prompt, said[RIVAL][row.line], said[TUNED][row.line], row.system, row.target)
        for row in rows
        if row.line in said[RIVAL] and row.line in said[TUNED]
    ]
    task = str(rule.options.get("task", "")) or "Answer the user as the reference does."
    criteria = tuple(str(criterion) for criterion in rule.options.get("criteria", ()))
    judging = judge_pairs(
        pairs,
        court.judge,
        Brief(task=task, criteria=criteria),
        meter=court.meter(workspace),
        hear=lambda done, of: keeper.progress("judging", {"step": done, "steps": of}),
        stop=keeper.keep,
        kept=folder / "judge.jsonl",
    )
    write_judged(folder / "judged.json", judging.rows)
    kin = kinship(court.judge.name, base)
    return Judgement(judging, judge_card(judging, judge=court.judge.name, host=court.judge.host, kinship=kin))
