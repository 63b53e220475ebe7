"""Knows how rows from Slack become a data set and a quote in a thread; it does not know forms or buttons."""

from contextlib import ExitStack
from pathlib import Path

from slack_sdk import WebClient

from handlers.blocks.lint import TICK, lint_blocks, lint_text
from handlers.deps import Deps
from handlers.files import fetched
from handlers.posting import post
from knowledge.tenancy import Person
from trainers.data.lint import LintReport, lint
from trainers.data.store import Added
from trainers.errors import DatasetRejected
from trainers.jobs.service import Place
from trainers.spec import TrainingSpec

TARGET = "local"
"""Where rows are to be trained, for the linter's limits."""


def train_on_known(client: WebClient, deps: Deps, person: Person, place: Place, choice: str, plan: str = "") -> None:
    """Quote a run on the shipped example (`example:NAME`) or on a data set of the workspace (`dataset:ID`)."""
    kind, _, name = choice.partition(":")
    if kind == "example":
        added = deps.datasets.example(name, person, deps.clock())
    else:
        dataset = deps.datasets.get(name)
        if dataset.workspace_id != person.workspace_id:
            raise DatasetRejected("That data set belongs to another workspace.", "Pick another one.")
        folder = deps.datasets.folder
        added = Added(dataset, lint(folder / dataset.train_path, target=TARGET, test=folder / dataset.test_path))
    _quote(client, deps, person, place, added, plan)


def train_on_upload(
    client: WebClient,
    deps: Deps,
    person: Person,
    place: Place,
    train_id: str,
    test_id: str = "",
    name: str = "",
    plan: str = "",
) -> None:
    """Download, lint and keep an uploaded file, then quote a run on it; a blocked file is explained and not kept."""
    with ExitStack() as files:
        train = files.enter_context(fetched(client, train_id, deps))
        test = files.enter_context(fetched(client, test_id, deps)).path if test_id else None
        now = deps.clock()
        provenance = f"file {train_id} uploaded in Slack by {person.user_id} on {now:%Y-%m-%d}, who said: {TICK}"
        label = name or named_after(train.name)
        try:
            added = deps.datasets.add(train.path, test, name=label, person=person, provenance=provenance, now=now)
        except DatasetRejected:
            report = lint(train.path, target=TARGET, test=test)
            if not report.blocked:
                raise
            _show(client, place, train.name, report)
            return
    _quote(client, deps, person, place, added, plan)


def look_at_file(client: WebClient, deps: Deps, place: Place, file_id: str) -> None:
    """Lint a file that came with a message and offer to train on it; nothing of it is kept."""
    with fetched(client, file_id, deps) as file:
        report = lint(file.path, target=TARGET)
        _show(client, place, file.name, report, file_id)


def named_after(file_name: str) -> str:
    """Return a data set's name from a file's: `tickets v2.jsonl` becomes `tickets v2`."""
    return Path(file_name.replace("\\", "/")).stem[:60].strip() or "rows"


def _quote(client: WebClient, deps: Deps, person: Person, place: Place, added: Added, plan: str) -> None:
    """Show the findings, then put the quote before the person; the quote's card comes through the outbox."""
    _show(client, place, f"{added.dataset.name} v{added.dataset.version}", added.report)
    deps.jobs.propose(added.dataset, TrainingSpec(), person=person, now=deps.clock(), place=place, plan=plan)


def _show(client: WebClient, place: Place, name: str, report: LintReport, file_id: str = "") -> None:
    post(client, place.channel, lint_text(name, report), lint_blocks(name, report, file_id), thread_ts=place.thread_ts)
