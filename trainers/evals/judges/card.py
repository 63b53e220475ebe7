"""Knows what is to be known of a judge before it is believed, in figures and one sentence; it does not judge itself."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import ceil, floor
from statistics import fmean
from typing import Any

from trainers.evals.judges.agreement import Agreement, Label, with_people
from trainers.evals.judges.judge import trust
from trainers.evals.judges.pairwise import Judged, Judging
from trainers.evals.stats import Interval, sign_test, wilson


@dataclass(frozen=True, kw_only=True)
class WinRate:
    """How often tuned is preferred, a tie being half a win."""

    n: int
    rate: float | None
    """0 to 1; None of no rows."""
    low: float
    """Ends of Wilson's 95% interval; half a win is rounded outwards."""
    high: float


@dataclass(frozen=True, kw_only=True)
class JudgeCard:
    """What a judge said over all rows, and why it may be believed."""

    judge: str
    host: str
    digest: str
    """SHA-256 of model, host, wording and criteria."""
    n: int
    """Rows that were put before it."""
    same: int
    """Rows with two equal answers: ties without a question."""
    wins: int
    """Rows on which tuned was preferred in both orders."""
    losses: int
    ties: int
    flipped: int
    """Rows on which the order alone decided; they are among the ties."""
    compared: int
    """Rows with a verdict on two different answers."""
    win_rate: WinRate
    p_value: float
    """Sign test of wins against losses, ties left out."""
    even: WinRate
    """The same on rows whose answers are about equally long."""
    winner_length: float | None
    """Mean characters of preferred answers; None without any."""
    loser_length: float | None
    unparsable: int
    failed: int
    tokens: int
    estimated: bool
    stopped: str
    problem: str
    agreement: Agreement | None
    """With people's labels; None while there are none."""
    kinship: str = ""
    """A sentence where judge and tuned base come from one maker."""

    @property
    def judged(self) -> int:
        """Rows with a verdict."""
        return self.wins + self.losses + self.ties

    @property
    def flip_rate(self) -> float:
        """Share of compared rows on which the order alone decided, 0 to 1."""
        return self.flipped / self.compared if self.compared else 0.0

    @property
    def unusable(self) -> str:
        """Say in a sentence why its verdicts are not to be used, or ""."""
        if self.n == self.same:
            return "No judge was asked: both models give the same answer to every row."
        if self.compared == 0:
            why = self.stopped or self.problem or "None of its replies could be read."
            return f"No judge: {self.judge} gave no verdict. {why}"
        if self.flip_rate > trust()["flip_rate"]:
            return (
                f"{self.judge} changed sides with the order of the answers in {self.flip_rate:.0%} of rows, more than "
                f"{trust()['flip_rate']:.0%}: it is unusable for this task."
            )
        return ""

    @property
    def sentence(self) -> str:
        """Say what it found and why it may be believed, for a report."""
        if self.unusable:
            return self.unusable
        parts = [f"Judge {self.judge}, both orders: tuned preferred in {_span(self.win_rate)}"]
        parts += [f"flipped in {self.flip_rate:.0%} of rows", self._people()]
        missing = self.n - self.judged
        left_out = f" {missing} of {self.n} rows have no verdict. {self.stopped}".rstrip() if missing else ""
        return f"{', '.join(parts)}.{left_out}{' ' + self.kinship if self.kinship else ''}"

    def to_json(self) -> dict[str, Any]:
        """Return the card as plain data."""
        pairs = self.agreement and {
            **self.agreement._asdict(),
            "tpr": [*self.agreement.tpr],
            "tnr": [*self.agreement.tnr],
        }
        return {**asdict(self), "agreement": pairs, "sentence": self.sentence}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "JudgeCard":
        """Read what `to_json` wrote."""
        values = {field.name: data[field.name] for field in fields(cls)}
        values["win_rate"], values["even"] = WinRate(**data["win_rate"]), WinRate(**data["even"])
        if data["agreement"]:
            rates = {name: tuple(data["agreement"][name]) for name in ("tpr", "tnr")}
            values["agreement"] = Agreement(**{**data["agreement"], **rates})
        return cls(**values)

    def _people(self) -> str:
        if self.agreement is None:
            return "and nobody has labelled pairs yet, so how far it agrees with people is not known"
        level = "" if self.agreement.kappa is None else f" (κ {self.agreement.kappa:.2f})".replace("0.", ".", 1)
        few = ", which are few" if self.agreement.labels < trust()["few_labels"] else ""
        return f"agrees with people in {self.agreement.agreed} of {self.agreement.labels} labels{level}{few}"


def judge_card(
    judging: Judging, *, judge: str, host: str = "", labels: Sequence[Label] = (), kinship: str = ""
) -> JudgeCard:
    """Sum up what a judge said; `labels` are people's choices on a random sample of the same rows."""
    known = [row for row in judging.rows if row.verdict is not None]
    wins, losses = (sum(row.verdict == side for row in known) for side in ("tuned", "base"))
    won, lost = _lengths(known)
    return JudgeCard(
        judge=judge,
        host=host,
        digest=judging.digest,
        n=len(judging.rows),
        same=sum(row.same for row in judging.rows),
        wins=wins,
        losses=losses,
        ties=len(known) - wins - losses,
        flipped=sum(row.flipped for row in known),
        compared=sum(not row.same for row in known),
        win_rate=win_rate(known),
        p_value=sign_test(wins, losses),
        even=win_rate([row for row in known if _ratio(row) <= trust()["length_ratio"]]),
        winner_length=fmean(won) if won else None,
        loser_length=fmean(lost) if lost else None,
        unparsable=judging.unparsable,
        failed=judging.failed,
        tokens=judging.tokens,
        estimated=judging.estimated,
        stopped=judging.stopped,
        problem=judging.problem,
        agreement=with_people({row.row: row.verdict for row in known if row.verdict}, labels),
        kinship=kinship,
    )


def win_rate(rows: Sequence[Judged]) -> WinRate:
    """Return how often tuned is preferred among rows with a verdict."""
    n = len(rows)
    won = sum(row.scores[1] for row in rows if row.scores)
    span = Interval(wilson(floor(won), n).low, wilson(ceil(won), n).high)
    return WinRate(n=n, rate=won / n if n else None, low=span.low, high=span.high)


def _lengths(rows: Sequence[Judged]) -> tuple[list[int], list[int]]:
    won = [row.lengths[row.verdict == "tuned"] for row in rows if row.verdict != "tie"]
    lost = [row.lengths[row.verdict != "tuned"] for row in rows if row.verdict != "tie"]
    return won, lost


def _ratio(row: Judged) -> float:
    low, high = sorted(row.lengths)
    return high / low if low else float("inf") if high else 1.0


def _span(rate: WinRate) -> str:
    return f"{rate.rate or 0:.0%} ({rate.low * 100:.0f}-{rate.high * 100:.0f}%)"
