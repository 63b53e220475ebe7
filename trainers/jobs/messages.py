"""Knows what a job has to say and to whom, as plain data; it does not know what Slack draws from it."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class _OfJob:
    """What every message about a job says."""

    job_id: str
    number: int
    title: str


@dataclass(frozen=True, kw_only=True)
class QuoteCard(_OfJob):
    """The quote, its approval, and afterwards who approved it; edited in place, never posted twice."""

    KIND: ClassVar[str] = "quote"

    state: str
    """The job's state: `quoted` shows buttons, every other state shows what happened instead."""
    quote: dict[str, Any]
    """`trainers.quotes.Quote.to_json()`."""
    quote_hash: str
    requested_by: str
    decided_by: str = ""
    decided_at: str = ""
    """ISO moment of approval or cancellation."""
    note: str = ""
    """One sentence under a decided quote, such as why it was refused."""
    approvers: tuple[str, ...] = ()
    """Who may approve, in the order of asking; empty where the requester's own click is enough."""
    given: tuple[str, ...] = ()
    """Who has approved this quote, the first one first."""
    needed: int = 0
    """How many approvals it takes; 0 where the requester's own click is enough."""
    expired: bool = False
    """Whether it was closed because nobody approved it in time."""


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest(_OfJob):
    """A new line that asks approvers for their yes, and later the next one, once; it rings where an edit would not."""

    KIND: ClassVar[str] = "request"

    requested_by: str
    approvers: tuple[str, ...]
    """Whom it mentions."""
    dollars: str
    """What the quote asks for, as a decimal string."""
    asked_at: str
    """ISO moment."""
    expires_at: str = ""
    """ISO moment."""
    again: bool = False
    """Whether others were asked before and did not answer."""
    private: bool = False
    """Whether it goes to an approver alone, as the job's thread is in somebody's direct messages."""


@dataclass(frozen=True, kw_only=True)
class ProgressCard(_OfJob):
    """The one progress message of a job; latest wins."""

    KIND: ClassVar[str] = "progress"

    state: str
    phase: str
    """preparing, training, evaluating, writing or reporting; empty while it waits in the queue."""
    step: int = 0
    steps: int = 0
    loss: float | None = None
    loss_before: float | None = None
    """Loss some steps ago, for the arrow."""
    tokens_per_second: float | None = None
    rows_per_second: float | None = None
    seconds_left: float | None = None
    note: str = ""
    """What is being waited for, or what happened (restarted from a checkpoint, stopped by …)."""
    kind: str = "train"
    """The job's kind: what stopping it means depends on it."""
    hold: str = ""
    """What its provider can be asked now: `pause` the run, or `go_on` where it is paused; "" where neither."""


@dataclass(frozen=True, kw_only=True)
class ReportCard(_OfJob):
    """What came of a job, as a new reply that mentions who asked."""

    KIND: ClassVar[str] = "report"

    requested_by: str
    model_id: str
    report: dict[str, Any] | None
    """`trainers.evals.report.Report.to_json()`; None where a rehearsal trained nothing."""
    seconds: float
    """Wall time from start to report."""
    quoted_minutes: tuple[float, float]
    images: tuple[dict[str, str], ...] = ()
    """Pictures to show: `path` under the data folder, `title`, `alt`."""
    billed: str = ""
    """What a hosted run cost beside what was approved, as a sentence."""


@dataclass(frozen=True, kw_only=True)
class EndedCard(_OfJob):
    """A job that failed or was stopped, as a reply that mentions who asked."""

    KIND: ClassVar[str] = "ended"

    requested_by: str
    state: str
    what: str
    next_step: str
    ended_by: str = ""
    dollars: str = "0"
    """What resuming it may cost at most, as a decimal string."""
    resumable: bool = True
    """Whether it can be resumed at all."""


@dataclass(frozen=True, kw_only=True)
class LearnedCard(_OfJob):
    """What became of the documents of an index job, as a new reply that mentions who asked.

    It names documents, so its payload is emptied once it is sent: what is removed later is not to be found there.
    """

    KIND: ClassVar[str] = "learned"

    requested_by: str
    collection: str
    state: str
    """succeeded, failed where none of them could be added, or cancelled."""
    documents: tuple[dict[str, Any], ...]
    """For each `name`, `outcome` (added, changed, already there, removed or failed), `passages`, `notes`, `what` and
    `next_step`."""
    seconds: float
    degraded: str = ""
    """Why they are found by words only, as a sentence."""
    ended_by: str = ""
    """Who stopped it."""


@dataclass(frozen=True, kw_only=True)
class DraftedCard(_OfJob):
    """What a language model wrote, as a new reply that mentions who asked; the rows come under review below it."""

    KIND: ClassVar[str] = "drafted"

    requested_by: str
    rows: int
    written_by: str
    """The language model's name."""
    from_recipes: int
    notes: tuple[str, ...]
    """What a person should know, each one sentence."""
    rejected: dict[str, int]
    """Why rows were thrown away, and how many for each reason."""
    seconds: float
    dollars: str | None = None
    """What the calls cost as we counted them, as a decimal string; None where nobody knows."""
    approved: str = "0"
    """What they might have cost at most."""


@dataclass(frozen=True, kw_only=True)
class ReviewCard(_OfJob):
    """Drafted rows under review: posted once; from then on the clicks on it draw it anew."""

    KIND: ClassVar[str] = "review"

    requested_by: str
    review_id: str


@dataclass(frozen=True, kw_only=True)
class LeftoverCard(_OfJob):
    """Something of a job that was found at a provider, that nobody waited for, and that is being ended."""

    KIND: ClassVar[str] = "leftover"

    requested_by: str
    provider: str
    run: str
    """The provider's id of it, to look it up in a bill."""
    thing: str
    """run or deployment."""
    second: bool
    """Whether the job has another one, which goes on."""
    dollars: str | None = None
    """The most that it may have cost, as a decimal string; None where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class RetirementCard(_OfJob):
    """A tuned model that goes dark before long, as a reply that mentions who asked for it."""

    KIND: ClassVar[str] = "retirement"

    requested_by: str
    base: str
    provider: str
    """Its name for people."""
    retires_on: str
    """ISO day, the first one on which nobody answers."""
    days_left: int
    replacement: str = ""
    """What the provider points to."""
    replacement_note: str = ""
    unconfirmed: str = ""
    """Who names that day, where nobody confirmed it; "" for a day that is certain."""


@dataclass(frozen=True, kw_only=True)
class Announcement(_OfJob):
    """One line for the notification channel."""

    KIND: ClassVar[str] = "announcement"

    requested_by: str
    state: str
    outcome: str = ""
    """PASS, FAIL or INCONCLUSIVE where there is a verdict."""
    points: float | None = None
    """Tuned minus best-prompted base, in percentage points."""
    channel: str = ""
    thread_ts: str = ""
    """Where the thread is, for the link."""


@dataclass(frozen=True, kw_only=True)
class HomeRefresh:
    """A person's Home tab shows something old."""

    KIND: ClassVar[str] = "home"

    user_id: str


Message = (
    QuoteCard
    | ApprovalRequest
    | ProgressCard
    | ReportCard
    | EndedCard
    | LearnedCard
    | DraftedCard
    | ReviewCard
    | LeftoverCard
    | RetirementCard
    | Announcement
    | HomeRefresh
)

KINDS: dict[str, type[Message]] = {
    kind.KIND: kind
    for kind in (
        QuoteCard,
        ApprovalRequest,
        ProgressCard,
        ReportCard,
        EndedCard,
        LearnedCard,
        DraftedCard,
        ReviewCard,
        LeftoverCard,
        RetirementCard,
        Announcement,
        HomeRefresh,
    )
}


def to_json(message: Message) -> dict[str, Any]:
    """Return plain data; `from_json(message.KIND, …)` reads it back."""
    return asdict(message)


def from_json(kind: str, data: dict[str, Any]) -> Message:
    """Read a payload of the outbox back into its type."""
    if kind == ReportCard.KIND:
        data = {**data, "quoted_minutes": tuple(data["quoted_minutes"]), "images": tuple(data["images"])}
    if kind == LearnedCard.KIND:
        data = {**data, "documents": tuple(data["documents"])}
    if kind == DraftedCard.KIND:
        data = {**data, "notes": tuple(data["notes"])}
    if kind == QuoteCard.KIND:
        data = {**data, "approvers": tuple(data.get("approvers", ())), "given": tuple(data.get("given", ()))}
    if kind == ApprovalRequest.KIND:
        data = {**data, "approvers": tuple(data["approvers"])}
    return KINDS[kind](**data)
