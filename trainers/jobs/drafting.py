"""Knows how drafting rows with a language model is quoted and asked for, and what exactly was asked; it writes no rows.

What is wanted lies in a file of the job's folder, as it may hold a brand's texts: the job's row stays for good and has
only the file's hash, which the approved quote covers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from knowledge.tenancy import Person
from trainers import budgets, policy
from trainers.costs.money import rounded_up
from trainers.data.findings import plural
from trainers.data.titles import at_word
from trainers.errors import OverBudget, StaleApproval
from trainers.evals.generating.bill import Bill, bill
from trainers.evals.generating.compose import check_count
from trainers.evals.generating.coverage import Grid
from trainers.evals.generating.form import doubts
from trainers.evals.generating.price import HOW, ChatPrice
from trainers.evals.generating.spec import RowSpec
from trainers.jobs.kinds import DRAFTING
from trainers.jobs.many_calls import SECONDS_A_CALL
from trainers.jobs.requests import job_of, led_to
from trainers.jobs.service import NOWHERE, Jobs, Place
from trainers.quotes import VALID_FOR, hash_of
from trainers.states import ENDED, RESUMABLE
from trainers.tables import Job

KEPT_FOR_RESUME = timedelta(days=7)
"""How long after its end a job's wish and rows are kept for `resume`; what it was given may be a brand's texts."""

_TITLE = 80


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Which rows are wanted."""

    spec: RowSpec
    grid: Grid
    count: int
    seed: int
    out: str = ""
    """Where a shell wants the rows, as an absolute path; "": they stay in the job's folder or come under review."""

    @property
    def text(self) -> str:
        """The wish as its file holds it."""
        grid = {name: list(values) for name, values in self.grid.dimensions.items()}
        told = {"spec": self.spec.to_json(), "grid": grid, "count": self.count, "seed": self.seed, "out": self.out}
        return json.dumps(told, ensure_ascii=False)

    @property
    def sha256(self) -> str:
        """Hash of the text, which a quote holds."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def title(self) -> str:
        """What the rows are for, in a few words."""
        return at_word(self.spec.plan.instruction, _TITLE)

    @classmethod
    def read(cls, text: str) -> "Wish":
        """Read `text`."""
        told = json.loads(text)
        grid = Grid({name: tuple(values) for name, values in told["grid"].items()})
        numbers = {name: int(told[name]) for name in ("count", "seed")}
        return cls(spec=RowSpec.from_json(told["spec"]), grid=grid, out=told.get("out", ""), **numbers)


@dataclass(frozen=True, kw_only=True)
class Drafting:
    """The verbs of drafting with a language model."""

    jobs: Jobs
    writer: str
    """Name of the language model."""
    price: ChatPrice

    def begun(self, request: str) -> Job | None:
        """Return the job that a request has led to: it may come a second time."""
        with self.jobs.ledger.reading() as connection:
            return led_to(connection, request)

    def unfinished(self, wish: Wish, person: Person) -> Job | None:
        """Return this person's newest job of the very same wish, model and price that can still bring its rows.

        It waits for a yes, is under way, or was approved and has stopped or failed; None where there is none.
        """
        offer = quote_of(wish, self.writer, self.price)
        for job in self.jobs.ledger.listing(person.workspace_id, requested_by=person.user_id):
            if job.kind != DRAFTING or json.loads(job.spec) != offer["spec"]:
                continue
            same = json.loads(job.quote)["drafting"]["prices"] == offer["drafting"]["prices"]
            goes_on = job.state not in ENDED or (job.state in RESUMABLE and job.approved_at is not None)
            return job if same and goes_on and wish_path(self.jobs.datasets.folder, job.id).is_file() else None
        return None

    def propose(self, wish: Wish, *, request: str, person: Person, now: datetime, place: Place = NOWHERE) -> Job:
        """Quote a run; the same request again gives the same job. Nothing is asked and nothing is spent.

        Where nobody is billed, whoever asks has said yes with that, and it is queued at once. Raises UserError for a
        count out of range, NotAllowed where that person may not, OverBudget where the month's tokens would not do.
        """
        check_count(wish.count)
        known = self.begun(request)
        if known is not None:
            return known
        offer = quote_of(wish, self.writer, self.price)
        self._check(wish, person, now)
        job = job_of(
            request,
            kind=DRAFTING,
            title=f"{plural(wish.count, 'draft row')}: {wish.title}",
            spec=offer["spec"],
            quote=offer,
            quote_hash=hash_of(offer),
            person=person,
            place=place,
            expires_at=now + VALID_FOR,
        )
        _keep(self.jobs.datasets.folder, job.id, wish)
        asked = self.jobs.put_forward(job, now)
        return self.jobs.approve(job.id, job.quote_hash, person, now).job if self.price.free else asked

    def _check(self, wish: Wish, person: Person, now: datetime) -> None:
        """Raise where the workspace is paused, or its tokens of this month would not do."""
        needed = bill(wish.spec, wish.count).tokens
        with self.jobs.ledger.reading() as connection:
            rules = policy.rules_of(connection, person.workspace_id)
            left = budgets.tokens_left(connection, person.workspace_id, rules, now)
        policy.check_not_paused(rules)
        if left is not None and left < needed:
            what = f"These rows take about {needed:,} tokens, and {left:,} are left of this month's."
            raise OverBudget(what, "Ask for fewer rows, or let an operator raise chat_tokens_cap.")


def quote_of(wish: Wish, writer: str, price: ChatPrice) -> dict[str, Any]:
    """Return the quote of a run as plain data, money as decimal strings; an unknown price is None, never 0."""
    made = bill(wish.spec, wish.count)
    dollars = made.dollars(price.prices)
    low, high = (
        calls * seconds / 60 for calls, seconds in zip((made.calls[0], made.calls[2]), SECONDS_A_CALL, strict=True)
    )
    spec = {"backend": DRAFTING, "model": writer, "wish": wish.sha256}
    return {
        "spec": spec,
        "training_cost": "0",
        "evaluation_cost": None if dollars is None else str(rounded_up(dollars[2])),
        "serving_cost_30_days": None,
        "training_minutes": [0.0, 0.0],
        "evaluation_minutes": [low, high],
        "time_basis": "are a guess: 0.5 to 5 s a call, one after the other",
        "cost_basis": price.basis if price.prices is not None else f"{price.basis}. {HOW}",
        "train_tokens": 0,
        "drafting": {
            "writer": writer,
            "rows": wish.count,
            "bill": made.to_json(),
            "dollars": None if dollars is None else [str(amount) for amount in dollars],
            "prices": price.to_json(),
            "doubts": doubts(wish.spec, by_model=True),
        },
    }


def wish_of(job: Job, folder: Path, writer: str, price: ChatPrice) -> Wish:
    """Return what a job was approved for; raises StaleApproval where that, the model or its price is another by now."""
    offer: Mapping[str, Any] = json.loads(job.quote)
    try:
        text = wish_path(folder, job.id).read_text("utf-8")
    except OSError:
        text = ""
    if hash_of(offer) != job.quote_hash or json.loads(job.spec) != offer["spec"]:
        raise _stale("the quote is another one")
    if not text:
        raise _stale(f"what was to be written is kept for {KEPT_FOR_RESUME.days} days after a job ends, and is gone")
    if sha256(text.encode()).hexdigest() != offer["spec"]["wish"]:
        raise _stale("what is to be written is not what it was")
    if writer != offer["spec"]["model"]:
        raise _stale(f"it was quoted for {offer['spec']['model']}, and the language model is {writer or 'none'} now")
    if price.to_json() != offer["drafting"]["prices"]:
        raise _stale(f"its price is another by now: {price.basis}")
    return Wish.read(text)


def wish_path(folder: Path, job_id: str) -> Path:
    """Return where a job's wish lies; `folder` is the data folder."""
    return home_of(folder, job_id) / "wish.json"


def home_of(folder: Path, job_id: str) -> Path:
    """Return the folder of a job's rows, calls and wish."""
    return folder / "jobs" / job_id / "drafting"


def likely_cost(offer: Mapping[str, Any]) -> Decimal | None:
    """Return what a quoted run will probably cost, in dollars; None where a price is unknown."""
    told = offer["drafting"]["dollars"]
    return None if told is None else Decimal(told[1])


def read_bill(offer: Mapping[str, Any]) -> Bill:
    """Return the calls and tokens of a quote."""
    told = offer["drafting"]["bill"]
    spans = {name: (told[name][0], told[name][1], told[name][2]) for name in told if name != "rows"}
    return Bill(rows=told["rows"], **spans)


def _keep(folder: Path, job_id: str, wish: Wish) -> None:
    """Write the wish, whole, before the job that names it: a job whose wish is gone could not run."""
    path = wish_path(folder, job_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.write_text(wish.text, "utf-8")
    fresh.replace(path)


def _stale(why: str) -> StaleApproval:
    next_step = "It does not run; ask for the rows again with `data generate`."
    return StaleApproval(f"This is not what was approved: {why}.", next_step)
