"""Jobs at OpenAI and Azure whose server is the rehearsal, with the one field hidden that says that it only pretends."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urljoin

from tests.trainers.jobs.conftest import ADA, THREAD
from tests.trainers.jobs.paid import FREE_HAND, TIMING, Bench, DyingApi
from trainers.backends.azure_shape import ACCOUNT, DeploymentApi
from trainers.backends.hosted import HostedBackend
from trainers.backends.traits import traits_of
from trainers.data.examples import EXAMPLES
from trainers.evals.rule import SuccessRule
from trainers.jobs import accounts
from trainers.jobs.ledger import move
from trainers.jobs.run import Runner
from trainers.policy import set_rules
from trainers.rehearsal.chat_models import Pretender
from trainers.rehearsal.talking import Talker
from trainers.spec import Hyperparameters, TrainingSpec
from trainers.tables import Dataset, Job

BASE = "gpt-4.1-mini"
NAME = "gpt-4.1-mini-2025-04-14"
"""What the API calls it."""
PATH = ACCOUNT.format(subscription="s", group="g", account="a")
TODAY = date(2026, 11, 30)
TICKETS = EXAMPLES["tickets"]


class RealApi(DyingApi):
    """An account whose jobs do not say that nothing is trained."""

    def job(self, job_id: str) -> dict[str, Any]:
        return {**super().job(job_id), "organization_id": "org-northwind"}


class Serving(DeploymentApi):
    """An account in which the base is deployed already, under its own name."""

    def serving(self, model: str) -> str | None:
        return NAME


@dataclass(kw_only=True)
class Shop(Bench):
    """One job at one provider; workers that can die, as in `Bench`."""

    pretends: bool = False
    spec: TrainingSpec = field(init=False)

    def __post_init__(self) -> None:
        """Let the server know OpenAI's models and answer the shipped example's rows."""
        title = traits_of(self.backend_name).title
        kind = DyingApi if self.pretends else RealApi
        self.api = kind(name=title, url=self.provider.url, key="k", key_setting="LUTHIER_OPENAI_KEY")
        rehearsal = self.provider.rehearsal
        rehearsal.shutdowns = {NAME: "2027-01-14"}
        rehearsal.talker = Talker(rows=Pretender.from_files([TICKETS.train, TICKETS.test], base_right=0.2))
        knobs = Hyperparameters(epochs=2)
        self.spec = TrainingSpec(base=BASE, backend=self.backend_name, hyperparameters=knobs)

    def backend(self, _: str = "") -> HostedBackend:
        traits = replace(traits_of(self.backend_name), pretends=self.pretends)
        made = HostedBackend(
            traits=traits, api=self.api, timing=TIMING, again_in=timedelta(seconds=1), today=lambda: TODAY
        )
        if traits.deploys:
            made.deployments = Serving(name=traits.title, url=urljoin(self.provider.url, PATH), key="k")
        return made

    def runner(self) -> Runner:
        pretending = (self.backend_name,) if self.pretends else ()
        return replace(super().runner(), pretending=pretending)

    def few_rows(self) -> Dataset:
        """Keep some of the shipped example's rows, so that a test asks a hundred questions and not a thousand."""
        parts = []
        for path, count in ((TICKETS.train, 16), (TICKETS.test, 12)):
            parts.append(self.jobs.datasets.folder / f"few-{path.name}")
            parts[-1].write_text("".join(path.read_text().splitlines(keepends=True)[:: 60 // count][:count]))
        told = {"name": "few", "person": ADA, "provenance": "a test", "now": self.clock()}
        return self.jobs.datasets.add(*parts, **told).dataset

    def approved(self) -> Job:
        """Quote a run on few rows and queue it as if somebody with the right to had approved it."""
        pretending = (self.backend_name,) if self.pretends else ()
        jobs = replace(self.jobs, pretending=pretending, rule=SuccessRule(guardrails=()))
        dataset = self.few_rows()
        job = jobs.propose(dataset, self.spec, person=ADA, now=self.clock(), place=THREAD)
        now = self.clock()
        with jobs.ledger.transaction() as connection:
            set_rules(connection, "T1", FREE_HAND, now)
            assert move(connection, job, "queued", "U0BEN", now, approved_by="U0BEN", approved_at=now)
            accounts.begin(connection, job, FREE_HAND, now)
        return self.get(job)
