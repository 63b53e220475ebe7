"""How drafts are composed without a language model: which recipes serve a plan and how many rows of each kind."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from trainers.data.jsonl import Message, Row
from trainers.data.likeness import canonical
from trainers.evals.drafts import briefs, classification, extraction, questions, refusals
from trainers.evals.drafts.base import DRAFT_KINDS, QUESTION, SHARES, Draft, DraftKind
from trainers.evals.drafts.recipe import Piece, one_system
from trainers.evals.plans.body import EvalPlan
from trainers.evals.plans.choices import Kind

Streams = Callable[[EvalPlan, Sequence[Row], random.Random], Mapping[DraftKind, Iterator[Piece]]]

_FIRST: tuple[DraftKind, ...] = ("edge", "refusal", "boundary", "out_of_scope", "easy")
"""Easy rows are drawn last: they would use up the texts that the others reshape."""


class _Recipes(NamedTuple):
    system: Callable[[EvalPlan], str]
    streams: Streams


_BY_KIND: Mapping[Kind, _Recipes] = {
    "classification": _Recipes(classification.system_prompt, classification.streams),
    "extraction": _Recipes(extraction.system_prompt, extraction.streams),
    "qa": _Recipes(questions.system_prompt, questions.streams),
    "style": _Recipes(briefs.system_prompt, briefs.streams),
    "generation": _Recipes(briefs.system_prompt, briefs.streams),
    "refusal": _Recipes(refusals.system_prompt, refusals.streams),
}


def system_prompt(plan: EvalPlan, examples: Sequence[Row] = ()) -> str:
    """Return the system prompt of every draft: that of the examples if they share one, else one made of the task."""
    return one_system(examples) or _BY_KIND[plan.kind].system(plan)


def compose(
    plan: EvalPlan, *, count: int, seed: int, examples: Sequence[Row], taken: Callable[[str], bool]
) -> list[Draft]:
    """Compose up to `count` drafts; `taken` says whether an input is used already. Fewer where recipes run dry."""
    draw = random.Random(seed)  # noqa: S311  # a fair draw, no secret
    streams = dict(_BY_KIND[plan.kind].streams(plan, examples, draw))
    system = system_prompt(plan, examples)
    seen: set[str] = set()
    found: dict[DraftKind, list[Draft]] = {kind: [] for kind in DRAFT_KINDS}

    def take(kind: DraftKind, number: int) -> None:
        while number > 0:
            piece = next(streams.get(kind, iter(())), None)
            if piece is None:
                return
            key = canonical(piece.text.rpartition(QUESTION)[2])
            if key not in seen and not taken(piece.text):
                seen.add(key)
                found[kind].append(_draft(piece, system))
                number -= 1

    for kind in _FIRST:
        take(kind, quota(count)[kind])
    for kind in ("easy", "boundary", "edge", "out_of_scope", "refusal"):  # what ran dry leaves room
        take(kind, count - sum(map(len, found.values())))
    return [draft for kind in DRAFT_KINDS for draft in found[kind]]


def quota(count: int) -> dict[DraftKind, int]:
    """Divide a number of drafts among the kinds; five have one of each, fewer begin with an easy one."""
    if count < len(DRAFT_KINDS):
        first = ("easy", "boundary", "edge", "out_of_scope")[:count]
        return {kind: int(kind in first) for kind in DRAFT_KINDS}
    parts: dict[DraftKind, int] = {kind: max(1, int(count * SHARES[kind])) for kind in DRAFT_KINDS if kind != "easy"}
    return {kind: parts.get(kind, count - sum(parts.values())) for kind in DRAFT_KINDS}


def _draft(piece: Piece, system: str) -> Draft:
    messages = (Message("system", system), Message("user", piece.text))
    return Draft(messages, piece.kind, piece.reveals, piece.target, piece.source, piece.suggestion)
