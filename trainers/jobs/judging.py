"""Knows how a language model compares what base and tuned model answered in a job; it decides no verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
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


SEED = 7
"""Of the order in which rows are put before a judge."""


class Judgement(NamedTuple):
    """What a judge said, row by row and in sum."""

    judging: Judging
    card: JudgeCard


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
    """Let the judge compare the answers in an evaluation's folder; None without a judge or where marks decide.

    Rows are asked in a seeded order: where a budget ends it, the file's order does not choose which are judged.

    What was asked before stays answered in judge.jsonl, so that a killed worker pays for no row twice.
    """
    if court is None or rule.metric != "judged":
        return None
    said = read_outputs(folder / "predictions.jsonl", rows)
    pairs = [
        Pair(row.line, row.prompt, said[RIVAL][row.line], said[TUNED][row.line], row.system, row.target)
        for row in rows
        if row.line in said[RIVAL] and row.line in said[TUNED]
    ]
    Random(SEED).shuffle(pairs)  # noqa: S311  # an order, no secret
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
