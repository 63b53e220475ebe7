"""Knows what every place that trains has in common; it does not know any of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from trainers.backends.deadline import Deadline
from trainers.spec import TrainingSpec

Progress = Callable[[str, Mapping[str, Any]], None]
"""Takes the phase and its numbers (step, steps, loss, tokens_per_second, seconds_left, note …)."""


class Interrupted(Exception):  # a wish, not an error
    """The work in hand has to end at its next checkpoint; raised by `Keeper.keep` and by nothing else."""


class WorkerLeaving(Interrupted):
    """This worker has to go; another one continues."""


class StopRequested(Interrupted):
    """Somebody asked this job to stop."""

    def __init__(self, who: str) -> None:
        """Take the user who asked."""
        super().__init__(who)
        self.who = who


class Timing(NamedTuple):
    """How long a paid call may take and hide, in seconds."""

    timeout: float
    """From the intent to the end of the call; whatever is left of it is the client's timeout."""
    lag: float
    """How long after that the provider may still be creating the thing, or its list not yet show it."""
    grace: float
    """How long after an intent nobody looks what became of it; has to exceed timeout + lag."""


@dataclass(frozen=True, kw_only=True)
class PaidCall:
    """A call that costs money, or leaves something behind at a provider, and must be made once."""

    kind: str
    """upload (rows to train on), validation (held-out rows), job or deployment."""
    provider: str
    """Whose; provider ids are unique within it."""
    create: Callable[[str, Deadline], str]
    """(submission id, deadline) -> provider id; one attempt, no retries, and nothing is sent after the deadline.

    Raises Refused where the provider says that nothing was created; any other exception means that nobody knows.
    """
    find: Callable[[str], str | None]
    """Submission id -> provider id, None where the provider shows no such thing; raises ServiceError."""
    timing: Timing
    lives: timedelta | None = None
    """How long a deployment may exist after `once` last asked for it; None: until its job has ended."""


class Listener(Protocol):
    """Whoever hears how far some work is."""

    def keep(self) -> None:
        """Show a sign of life. Raises Interrupted or LeaseLost; call it at least every few seconds."""

    def progress(self, phase: str, numbers: Mapping[str, Any]) -> None:
        """Say how far the work is; calls `keep`."""


class Keeper(Listener, Protocol):
    """What a backend may ask of the job that it works for."""

    def once(self, call: PaidCall) -> "str | Waiting":
        """Return the provider id of what `call` creates, creating it at most once for this job.

        Waiting where its outcome is not known yet. Raises Refused, now or again, where nothing was created.
        """

    def made(self, call: PaidCall) -> "str | Waiting | None":
        """Return the provider id of what `call` created; never creates. None where there is nothing.

        While the job is being stopped None also means that there will be nothing.
        """

    def taken(self, provider: str, provider_id: str) -> bool:
        """Say whether this is known to be what another call created, for whichever job."""

    def over(self, call: PaidCall, why: str) -> bool:
        """Record that what `call` created is dead or deleted.

        True where a person has resumed the job since it was created, so that `once` creates a new one.
        """


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be trained, and where its files lie."""

    job_id: str
    """Unique."""
    spec: TrainingSpec
    """Base, method and hyper-parameters."""
    train: Path
    """JSONL of training rows."""
    test: Path | None = None
    """JSONL of held-out rows, for a validation loss where a trainer measures one; None where there are none."""
    folder: Path
    """The job's own folder; it survives a restart, so checkpoints in it are found again."""
    still_covered: Callable[[], None] = lambda: None
    """Raises UserError where what was approved does not cover the run any more; asked before anything is sent."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A tuned model that answers at its provider, beside its base."""

    url: str
    """Base address with /v1."""
    key: str = field(repr=False)
    base: str
    """Name under which the base answers there."""
    tuned: str
    """Name under which the tuned model answers there: its id, or a deployment's name."""
    model_id: str
    """The provider's id of the tuned model, which outlives a deployment."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The training is done."""

    adapter: Path | None
    """Folder of the adapter; None where nothing was trained (the rehearsal), or where it stays at the provider."""
    base: Path | None
    """Folder of the base model's weights."""
    served: Served | None = None
    """Where the tuned model answers that a provider keeps."""
    pretended: bool = False
    """Whether the provider says that it trained nothing: then what answers there is no tuned model."""
    trained_tokens: int = 0
    """Tokens that went through the model, all epochs."""
    seconds: float = 0.0
    """Wall time of the training alone."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Nothing can be done now; ask again later, holding no worker meanwhile."""

    again_in: timedelta
    """When to ask again."""
    note: str
    """What is being waited for, one short sentence for people."""


class Backend(Protocol):
    """A place that trains."""

    name: str
    """Its name in commands and settings."""
    queue: str
    """Which worker advances its jobs: io, cpu or gpu."""

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        """Bring the training forward and return how it stands.

        Idempotent: called again after a crash it continues where the files say it was.
        Raises ChildFailed or ServiceError where it cannot go on, Interrupted and LeaseLost as `keeper` raised them.
        """

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        """Make an adapter that exists already ready to be evaluated; raises as `advance` does."""

    def release(self, order: Order, keeper: Keeper) -> Waiting | None:
        """End whatever runs elsewhere for a job that somebody stopped; idempotent. None: nothing is left.

        `keeper` no longer raises StopRequested; it raises WorkerLeaving and LeaseLost as ever.
        """


class Made(NamedTuple):
    """Something of ours that a provider shows."""

    provider_id: str
    submission_id: str
    """"" where the provider keeps none of it."""
    file: str = ""
    """Of a run without a submission id: the provider's id of the file that it trains on, which no other run does."""


@runtime_checkable
class Housekeeper(Protocol):
    """Finds and removes what jobs left at a provider; a backend that is one too is swept without further ado."""

    provider: str
    """Whose, as in `PaidCall`."""
    timing: Timing
    """As in `PaidCall`."""

    def listing(self, kind: str) -> Iterable[Made]:
        """Return everything of `kind` that still costs (a job that has not ended, a file, a deployment).

        Raises ServiceError.
        """

    def forgets(self, run: str) -> bool:
        """Say whether this run of ours is shown without the submission id that it was given.

        Raises Refused, ServiceError.
        """

    def remove(self, kind: str, provider_id: str) -> None:
        """Cancel or delete; what is gone already is fine. Raises ServiceError."""
