"""What an evaluation plan says, as data that can be kept, hashed and read back; it does not know how one is made."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from trainers.evals.guardrails import Guardrail, guardrails
from trainers.evals.plans.choices import Kind, kind_named
from trainers.evals.plans.costs import Costs
from trainers.evals.plans.goals import read_goals
from trainers.evals.plans.power import Spread, detectable


class Assumption(NamedTuple):
    """Something that was read or guessed, and how to correct it."""

    says: str
    correct: str
    """What to do where it is wrong: `--labels a,b,c`."""


@dataclass(frozen=True, kw_only=True)
class EvalPlan:
    """How a tuned model will be judged, fixed before anything is trained."""

    task: str
    """What the model is to do, in the words of whoever asked."""
    kind: Kind
    labels: tuple[str, ...] = ()
    """The closed set of labels; empty for other kinds, or where nobody has named them yet."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema of the answers, given or drawn up from the fields that the task names."""
    schema_guessed: bool = False
    """Whether it was drawn up, with types guessed from names."""
    metric: str
    """The one primary metric, a name in `trainers.evals.metrics.METRICS`."""
    why: str
    """Why this metric."""
    binary: bool
    """Whether each answer is right or wrong, rather than graded."""
    secondary: tuple[str, ...]
    """Metrics that are shown and decide nothing."""
    guardrails: tuple[Guardrail, ...]
    comparison: str
    """Who is compared with whom."""
    useful_effect: Decimal
    """Smallest difference worth having, as a share."""
    level: float
    """Confidence level of intervals."""
    power: float
    """How often a true difference is to be noticed."""
    minimum_rows: int
    """Fewer test rows never prove success."""
    target: Decimal | None
    """Absolute share that must be reached besides, or None."""
    target_from: str
    """Where the target comes from, or why there is none."""
    costs: Costs | None = None
    """What right and wrong answers are worth, where that was said."""
    spreads: tuple[Spread, ...]
    """Low, expected and high spread, with the rows that the smallest useful effect needs at each."""
    rows_planned: int
    """Test rows to be written or kept."""
    rows_had: int | None = None
    """Test rows that are there already, where that was said."""
    assumptions: tuple[Assumption, ...]
    test_sha256: str = ""
    """SHA-256 of the test file's bytes in hex, once frozen."""

    @property
    def digest(self) -> str:
        """SHA-256 of everything above in hex."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @property
    def instruction(self) -> str:
        """What a model is told to do: the task without its words on how good the model must be."""
        return read_goals(self.task).task

    @property
    def expected(self) -> Spread:
        """The middle spread."""
        return self.spreads[1]

    def sees(self, rows: int) -> float:
        """Return the smallest true difference (share) that so many rows would show, at the expected spread."""
        return detectable(rows, self.expected.value, binary=self.binary, level=self.level, power=self.power)

    def with_test(self, sha256: str) -> "EvalPlan":
        """Return the same plan, bound to test rows by the hash of their file."""
        return replace(self, test_sha256=sha256)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal plan."""
        return {
            "task": self.task,
            "kind": self.kind,
            "labels": list(self.labels),
            "schema": self.schema,
            "schema_guessed": self.schema_guessed,
            "metric": self.metric,
            "why": self.why,
            "binary": self.binary,
            "secondary": list(self.secondary),
            "guardrails": [rail.to_json() for rail in self.guardrails],
            "comparison": self.comparison,
            "useful_effect": str(self.useful_effect),
            "level": self.level,
            "power": self.power,
            "minimum_rows": self.minimum_rows,
            "target": None if self.target is None else str(self.target),
            "target_from": self.target_from,
            "costs": None if self.costs is None else self.costs.to_json(),
            "spreads": [spread._asdict() for spread in self.spreads],
            "rows_planned": self.rows_planned,
            "rows_had": self.rows_had,
            "assumptions": [assumption._asdict() for assumption in self.assumptions],
            "test_sha256": self.test_sha256,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "EvalPlan":
        """Read what `to_json` wrote."""
        return cls(
            **{
                **data,
                "kind": kind_named(data["kind"]),
                "labels": tuple(data["labels"]),
                "secondary": tuple(data["secondary"]),
                "guardrails": tuple(map(_guardrail, data["guardrails"])),
                "useful_effect": Decimal(data["useful_effect"]),
                "target": None if data["target"] is None else Decimal(data["target"]),
                "costs": None if data["costs"] is None else Costs.from_json(data["costs"]),
                "spreads": tuple(Spread(**spread) for spread in data["spreads"]),
                "assumptions": tuple(Assumption(**assumption) for assumption in data["assumptions"]),
            }
        )


def _guardrail(data: Mapping[str, Any]) -> Guardrail:
    """Read a guardrail as it was planned; where a plan says less, such as an older one, guardrails.toml says the rest.

    Older plans kept the reason too.
    """
    known = {rail.name: rail.to_json() for rail in guardrails()}.get(data["name"], {"gate": True})
    return Guardrail.from_json({**known, **{key: value for key, value in data.items() if key != "why"}})
