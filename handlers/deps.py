"""Knows what handlers need from below; it does not know how those things are built (`bot.wiring` does)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine

from knowledge.advice.reader import Reader, read
from knowledge.clock import Clock
from knowledge.collections import Library
from knowledge.errors import UserError
from knowledge.index import Index
from knowledge.models import ChatModel, Meter
from trainers.api.keys import Keys
from trainers.backends.base import Backend
from trainers.backends.bases import Where, bases
from trainers.costs.overlay import shelf_in
from trainers.data.review import Maker, Reviews
from trainers.data.store import Datasets
from trainers.evals.generating.price import ChatPrice, unknown_price
from trainers.evals.plan_store import Plans
from trainers.jobs.drafting import Drafting
from trainers.jobs.learning import Learning
from trainers.jobs.service import Jobs
from trainers.registry import Registry
from trainers.serving import LocalModels
from trainers.speaking import Account, Speakers, no_account
from trainers.workspaces import ChatMeter, Workspaces


def no_backend(name: str) -> Backend:
    """Give no backend: none is set up here."""
    raise UserError(f"There is no account for {name} here.", "`doctor` names what is set up.")


@dataclass(frozen=True, kw_only=True)
class Deps:
    """What handlers call."""

    engine: Engine
    """The database, for `knowledge.conversations`."""
    index: Index
    """The guide and the documents of workspaces, searchable."""
    model: ChatModel | None
    """A language model, if `LUTHIER_MODEL` names one."""
    jobs: Jobs
    """Propose, approve, stop, resume."""
    datasets: Datasets
    """A workspace's data sets and the shipped example."""
    registry: Registry
    """Tuned models."""
    models: LocalModels
    """Answers of base and tuned models on this machine."""
    file_hosts: frozenset[str]
    """Hosts (with port, where not 443) from which a file may be fetched with our token."""
    file_limit: int
    """Largest file in bytes that is taken in."""
    clock: Clock
    """What time it is."""
    install_note: Callable[[], str]
    """What the training packages still lack, with its progress, or ""."""

    reader_of: Callable[[str], Reader] = lambda _: read
    """Gives the reader of use cases for a workspace's id, against whose budget a language model's tokens count."""
    rerank: bool = False
    """Whether the language model also puts found passages into order."""
    upload_address: str = ""
    """Where people reach our web process, for one-time links; "": nowhere, so there are none."""
    places: Sequence[str] = ("local",)
    """Backends at which something can be trained, this machine first."""
    own_bases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Bases of servers that no book knows, by backend."""
    served: Callable[[str], Account] = no_account
    """Gives the account of a hosted backend at which its models answer; raises UserError where none is set."""
    backend: Callable[[str], Backend] = no_backend
    """Gives a hosted backend, to ask its provider; raises UserError where none is set."""
    more_rows: Maker | None = None
    """Drafts one more row like a given one; without it, people write it themselves."""
    model_price: Callable[[], ChatPrice] = unknown_price
    """Says what the language model costs; raises UserError where the setting of it means nothing."""

    model_doubt: Callable[[], str] = lambda: ""
    """Asks whether the language model is there: "", or why nobody can say; raises UserError where it is not."""

    def bases(self) -> dict[str, list[Where]]:
        """Return the base models that can be trained today, with the places that do."""
        lines = shelf_in(self.datasets.folder).lines
        return bases(self.places, self.clock().date(), own=self.own_bases, book=lines)

    @property
    def speakers(self) -> Speakers:
        """Answers of base and tuned models, wherever they are."""
        return Speakers(local=self.models, registry=self.registry, account=self.served, meter=self.meter)

    @property
    def reviews(self) -> Reviews:
        """Reviews of drafted rows."""
        return Reviews(engine=self.engine, datasets=self.datasets)

    @property
    def library(self) -> Library:
        """The documents that workspaces added."""
        return Library(self.engine, self.index)

    @property
    def learning(self) -> Learning:
        """Adding and removing documents."""
        return Learning(jobs=self.jobs, library=self.library)

    @property
    def drafting(self) -> Drafting | None:
        """Drafting rows with the language model; None without one."""
        if self.model is None:
            return None
        return Drafting(jobs=self.jobs, writer=self.model.name, price=self.model_price())

    @property
    def plans(self) -> Plans:
        """Evaluation plans."""
        return Plans(engine=self.engine, folder=self.datasets.folder)

    @property
    def keys(self) -> Keys:
        """Keys of the fine-tuning API."""
        return Keys(self.engine)

    @property
    def workspaces(self) -> Workspaces:
        """Rules and budgets."""
        return Workspaces(engine=self.engine)

    def offline(self) -> "Deps":
        """Return the same without any language model: nobody's words leave this machine, and nothing is spent."""
        return replace(self, model=None, rerank=False, reader_of=lambda _: read)

    def meter(self, workspace_id: str) -> Meter:
        """Return what counts the tokens of a workspace's answers."""
        return ChatMeter(engine=self.engine, workspace_id=workspace_id, clock=self.clock)
