"""Proof that the tuned model answered, and not its base by mistake; it does not judge the answers.

A gateway that falls back to the base, or an adapter that was never loaded, gives a clean "no difference". On this
machine the proof is that the adapter moves the next token's logits; on an endpoint it is the name that the answers
carry. Equal answers alone prove nothing either way: a model may well have learned little.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from knowledge.errors import ServiceError

Proof = Literal["proven", "unproven", "refuted"]
_DATE = re.compile(r"-(\d{4}|\d{6}|\d{8}|\d{4}-\d{2}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True, kw_only=True)
class ProofResult:
    """Whether the tuned model answered."""

    outcome: Proof
    """`refuted` if there is evidence that it did not: such a comparison carries no verdict."""
    sentences: tuple[str, ...]
    """What shows it, one sentence each; never empty."""

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal result."""
        return {**asdict(self), "sentences": list(self.sentences)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ProofResult":
        """Read what `to_json` wrote."""
        return cls(outcome=data["outcome"], sentences=tuple(data["sentences"]))


def prove(
    *,
    arms: Path | None = None,
    adapter_sha256: str = "",
    wanted_model: str = "",
    answered_by: Sequence[str] | None = None,
    plain: Sequence[str] = (),
    tuned: Sequence[str] = (),
) -> ProofResult:
    """Gather what shows that the tuned model answered.

    `arms` is arms.json, where the tuned arm notes `max_logit_change`; `adapter_sha256` the hash of the adapter that was
    loaded. For an endpoint, `answered_by` holds the `model` field of each answer (empty where there was none) and
    `wanted_model` the tuned model's name. `plain` and `tuned` are the answers of the plainly prompted base and of the
    tuned model to the same rows. Raises `ServiceError` if arms.json is damaged.
    """
    found = [_logits(_change(arms), adapter_sha256), _names(wanted_model, answered_by)]
    known = [each for each in found if each is not None]
    outcomes = {outcome for outcome, _ in known}
    sentences = [sentence for _, sentence in known]
    if not known:
        sentences.append("Not proven that the tuned model answered: nothing that shows it was noted.")
    said = _equal_answers(plain, tuned)
    if said:
        sentences.append(said)
    outcome: Proof = "refuted" if "refuted" in outcomes else "proven" if "proven" in outcomes else "unproven"
    return ProofResult(outcome=outcome, sentences=tuple(sentences))


def same_model(wanted: str, answered: str) -> bool:
    """Say whether the model that an answer names is the one that was asked for.

    A date behind the name (`m-2024-07-18` for `m`) and an owner before either name are no other model; nobody is none.
    """
    one, other = wanted.casefold().strip("/"), answered.casefold().strip("/")
    return any(
        one == name or name.endswith(f"/{one}") or (name and one.endswith(f"/{name}"))
        for name in (other, _DATE.sub("", other))
    )


def named(names: Mapping[str, int]) -> str:
    """List models with how many answers each gave, the most first; at most three."""
    first = Counter(names).most_common(3)
    rest = f" and {len(names) - len(first):,} more" if len(names) > len(first) else ""
    return ", ".join(f"{name or 'no name'} ({count:,})" for name, count in first) + rest


def _change(arms: Path | None) -> float | None:
    """Read the tuned arm's largest change of a logit; None if it was not noted."""
    if arms is None or not arms.exists():
        return None
    try:
        change = json.loads(arms.read_bytes())["arms"].get("tuned", {}).get("max_logit_change")
        return None if change is None else float(change)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ServiceError("The evaluation's notes on its arms are damaged.", "Evaluate again.") from None


def _logits(change: float | None, adapter_sha256: str) -> tuple[Proof, str] | None:
    if change is None:
        return None
    which = f"adapter {adapter_sha256[:12]}" if adapter_sha256 else "adapter"
    if not change > 0:
        return "refuted", f"The {which} changes no logit: what answered as the tuned model is the base."
    return "proven", f"The tuned model answered: the {which} moves a next token's logit by up to {change:.2g}."


def _names(wanted: str, answered_by: Sequence[str] | None) -> tuple[Proof, str] | None:
    """Compare the model that each answer names with the tuned one."""
    if answered_by is None or not wanted:
        return None
    total = len(answered_by)
    others = Counter(name for name in answered_by if name and not same_model(wanted, name))
    silent = sum(not name for name in answered_by)
    if others:
        wrong = f"{others.total():,} of {total:,} answers"
        return "refuted", f"Asked for {wanted}, {wrong} came from another model: {named(others)}."
    if silent == total:
        return "unproven", "Not proven that the tuned model answered: the endpoint's answers name no model."
    rest = f" ({silent:,} name none)" if silent else ""
    return "proven", f"The tuned model answered: {total - silent:,} of {total:,} answers name {wanted!r}{rest}."


def _equal_answers(plain: Sequence[str], tuned: Sequence[str]) -> str:
    """Say how many answers are the base's word for word, where that is worth a look."""
    pairs = list(zip(plain, tuned, strict=True))
    same = sum(one.strip() == other.strip() for one, other in pairs)
    if not pairs or same < len(pairs):
        return ""
    return f"All {same:,} answers are the plainly prompted base's, word for word: the training changed no answer."
