"""Knows what OpenAI's fine-tuning API speaks of, as plain data: files, jobs, models; not JSON, not who made it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Generic, Literal, NamedTuple, Protocol, TypeVar

Verb = Literal["cancel", "pause", "resume"]
"""What can be asked of a job that was started."""

ENDED: Final = ("succeeded", "failed", "cancelled")
"""States of a job that does not change any more."""

EVENT_TYPES: Final = tuple(f"fine_tuning.job.{state}" for state in ENDED)
"""What a webhook can be told."""


class Listed(Protocol):
    """What a list holds."""

    @property
    def id(self) -> str:
        """Where the next page may begin."""


T = TypeVar("T", bound=Listed)


class Page(NamedTuple):
    """Which part of a list is asked for; it begins behind `after`."""

    after: str
    limit: int
    newest_first: bool = True


class Slice(NamedTuple, Generic[T]):
    """A part of a list, and whether there is more."""

    items: Sequence[T]
    has_more: bool


def cut(items: Sequence[T], page: Page) -> Slice[T]:
    """Return a page of a whole list that is in the order asked for; an unknown `after` begins at the start."""
    start = next((number + 1 for number, item in enumerate(items) if item.id == page.after), 0)
    return Slice(items[start : start + page.limit], start + page.limit < len(items))


class Sent(NamedTuple):
    """A file that arrived whole."""

    name: str
    purpose: str
    file: BinaryIO
    """Its bytes from the start; closed by whoever received it."""
    size: int
    lives: int | None
    """Seconds after which it may be deleted; None: it stays."""


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file that is kept."""

    id: str
    name: str
    size: int
    purpose: str
    at: float
    """Seconds since 1970, here and below."""
    expires_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a job trains; a knob that is None is "auto"."""

    kind: Literal["supervised", "dpo"] = "supervised"
    n_epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    beta: float | None = None
    """Of dpo alone."""


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """What a new job is to do, as it was asked for and found well formed."""

    model: str
    training_file: str
    validation_file: str | None = None
    method: Method = Method()
    suffix: str = ""
    seed: int | None = None
    metadata: Mapping[str, str] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What is Azure's alone: trainingType."""


@dataclass(frozen=True, kw_only=True)
class TuningJob:
    """A job as it stands."""

    id: str
    status: str
    request: JobRequest
    """With every knob that is known by now filled in."""
    at: float
    organisation: str
    finished_at: float | None = None
    estimated_finish: float | None = None
    tuned_model: str | None = None
    trained_tokens: int | None = None
    result_files: Sequence[str] = ()
    error: "JobError | None" = None
    seed: int = 0


class JobError(NamedTuple):
    """Why a job failed."""

    code: str
    message: str
    param: str | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a job."""

    id: str
    at: float
    level: Literal["info", "warn", "error"]
    message: str
    metrics: Mapping[str, Any] | None = None
    """Of a training step; None for a plain message."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model as it was at a step."""

    id: str
    at: float
    model: str
    job_id: str
    step: int
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A model that can be named."""

    id: str
    at: float = 0
    owner: str
    shutdown: str = ""
    """ISO day on which it is shut down; empty: none is announced."""


@dataclass(frozen=True, kw_only=True)
class Hook:
    """An address that is told how jobs end."""

    id: str
    name: str
    url: str
    event_types: tuple[str, ...]
    at: float
    changed_at: float
    secret_hint: str


@dataclass(frozen=True, kw_only=True)
class ChatAsk:
    """A conversation that wants its next turn."""

    model: str
    messages: Sequence[Mapping[str, str]]
    """Turns with role and content; the last one is not the assistant's."""
    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    stream: bool = False
    with_usage: bool = False
    """Whether a stream ends with its usage."""


class Usage(NamedTuple):
    """Tokens of an answer."""

    prompt: int
    completion: int


class Piece(NamedTuple):
    """A part of an answer; the last one has a finish reason and the usage."""

    text: str
    finish: Literal["", "stop", "length"] = ""
    usage: Usage | None = None


Clock = Callable[[], float]
"""Seconds since 1970."""
