"""Knows how rows from Slack become a data set and a quote in a thread; it does not know forms or buttons."""

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from slack_sdk import WebClient

from handlers.blocks.lint import TICK, lint_blocks, lint_text, preview_text
from handlers.choosing import Choice, offer_places
from handlers.deps import Deps
from handlers.files import fetched
from handlers.posting import post, whisper
from knowledge.tenancy import Person
from trainers.backends import HOSTED
from trainers.backends.traits import traits_of
from trainers.data import keeping
from trainers.data.examples import EXAMPLES
from trainers.data.judging import LOCAL
from trainers.data.lint import LintReport
from trainers.data.naming import distinct
from trainers.data.store import Added
from trainers.errors import DatasetRejected
from trainers.evals.judged_by import frozen_on, frozen_test
from trainers.evals.planned import frozen
from trainers.jobs.requoting import spec_for
from trainers.jobs.service import Place
from trainers.spec import TrainingSpec

EXAMPLE = "example:"
"""How the choice of a shipped example begins."""


class Rows(NamedTuple):
    """Rows to train on and to test on, before they are taken in."""

    train: Path
    test: Path | None
    """Rows to test on; None: some of the others are held out."""
    name: str
    """Of the data set."""
    provenance: str
    shown: str
    """What their findings are headed by."""
    files: tuple[str, str] = ("", "")
    """What the files were called that they are from."""


class Aim(NamedTuple):
    """What the rows are to become, and by what it is judged."""

    plan: str = ""
    """Id of a frozen evaluation plan; "": the one frozen with the rows, else the default."""
    base: str = ""
    """Base model; "": the one of this machine."""


HERE = Aim()


def train_on_known(
    client: WebClient, deps: Deps, person: Person, place: Place, choice: str, aim: Aim = HERE, test_id: str = ""
) -> None:
    """Quote a run on the shipped example (`example:NAME`) or on a data set of the workspace (`dataset:ID`).

    With an uploaded test file, or a frozen plan whose rows are the test, that is a version of its own.
    """
    with ExitStack() as files:
        chosen = _known(deps, person, choice)
        rows = _tested(client, deps, person, files, chosen, test_id, aim.plan)
        if rows.test != chosen.test or choice.startswith(EXAMPLE):
            _take_in(client, deps, person, place, rows, aim)
            return
        dataset = keeping.seen(
            deps.datasets, person, choice.partition(":")[2]
        )  # taken in already, and its rows are as they were
        added = Added(dataset, deps.datasets.judge(rows.train, rows.test, target_of(deps, aim)))
        if added.report.blocked:
            _show(client, place, person, rows.shown, added.report)
            return
        _quote(client, deps, person, place, added, aim)


def train_on_upload(
    client: WebClient,
    deps: Deps,
    person: Person,
    place: Place,
    train_id: str,
    test_id: str = "",
    name: str = "",
    aim: Aim = HERE,
) -> None:
    """Download, lint and keep an uploaded file, then quote a run on it; a blocked file is explained and not kept."""
    with ExitStack() as files:
        train = files.enter_context(fetched(client, train_id, deps))
        uploaded = uploaded_by(train_id, deps, person)
        rows = Rows(train.path, None, name or named_after(train.name), uploaded, train.name, (train.name, ""))
        _take_in(client, deps, person, place, _tested(client, deps, person, files, rows, test_id, aim.plan), aim)


def look_at_file(client: WebClient, deps: Deps, person: Person, place: Place, file_id: str) -> None:
    """Lint a file that came with a message and offer to train on it; nothing of it is kept."""
    with fetched(client, file_id, deps) as file:
        report = deps.datasets.judge(file.path)
        _show(client, place, person, file.name, report, file_id)


def named_after(file_name: str) -> str:
    """Return a data set's name from a file's: `tickets v2.jsonl` becomes `tickets-v2`, which is no version's name."""
    return distinct(Path(file_name.replace("\\", "/")).stem[:60].strip()) or "rows"


def _known(deps: Deps, person: Person, choice: str) -> Rows:
    name = choice.partition(":")[2]
    if choice.startswith(EXAMPLE):
        shipped = EXAMPLES[name]
        return Rows(shipped.train, shipped.test, shipped.name, f"shipped example, {shipped.licence}", shipped.name)
    dataset = keeping.seen(deps.datasets, person, name)
    train, test = deps.datasets.folder / dataset.train_path, deps.datasets.held_out(dataset)
    return Rows(train, test, dataset.name, dataset.provenance, f"{dataset.name} v{dataset.version}")


def _tested(
    client: WebClient, deps: Deps, person: Person, files: ExitStack, rows: Rows, test_id: str, plan: str
) -> Rows:
    """Take the uploaded test rows, else those that the plan was frozen with, else leave the rows as they are."""
    if test_id:
        file = files.enter_context(fetched(client, test_id, deps))
        said = f"{rows.provenance}; test rows: {uploaded_by(test_id, deps, person)}"
        files_ = (rows.files[0], file.name)
        return rows._replace(
            test=file.path, provenance=said, shown=f"{rows.shown}, tested on {file.name}", files=files_
        )
    if not plan:
        return rows
    stored = frozen(deps.engine, person.workspace_id, plan)
    test = frozen_test(deps.datasets.folder, person.workspace_id, stored, rows.test)
    said = rows.provenance if test == rows.test else f"{rows.provenance}; test rows: frozen with plan {stored.name}"
    shown = f"{rows.shown}, tested on the rows frozen with plan {stored.name} on {frozen_on(stored)}"
    return rows._replace(test=test, provenance=said, shown=shown)


def uploaded_by(file_id: str, deps: Deps, person: Person) -> str:
    """Say where an upload is from, and that it was ticked to be theirs."""
    return f"file {file_id} uploaded in Slack by {person.user_id} on {deps.clock():%Y-%m-%d}, who said: {TICK}"


def target_of(deps: Deps, aim: Aim) -> str:
    """Name by whose limits rows are linted: those of the first place that trains the base."""
    places = deps.bases().get(aim.base, ()) if aim.base else ()
    return next((traits_of(each.backend).target for each in places if each.backend in HOSTED), LOCAL)


def _take_in(client: WebClient, deps: Deps, person: Person, place: Place, rows: Rows, aim: Aim) -> None:
    """Keep the rows and quote a run on them; rows that are blocked are explained and not kept."""
    told, now, target = rows.provenance, deps.clock(), target_of(deps, aim)
    try:
        added = deps.datasets.add(
            rows.train, rows.test, name=rows.name, person=person, provenance=told, now=now, private=place.private,
            file_names=rows.files, target=target,
        )  # fmt: skip
    except DatasetRejected:
        report = deps.datasets.judge(rows.train, rows.test, target)
        if not report.blocked:
            raise
        _show(client, place, person, rows.shown, report)
        return
    _quote(client, deps, person, place, added, aim)


def _quote(client: WebClient, deps: Deps, person: Person, place: Place, added: Added, aim: Aim) -> None:
    """Show the findings, then put the quote before the person; the quote's card comes through the outbox.

    A base that hosted trainers train is shown at all of them side by side first.
    """
    _show(client, place, person, f"{added.dataset.name} v{added.dataset.version}", added.report)
    if aim.base in ("", TrainingSpec().base):
        rows, paired = added.dataset.train_rows, added.dataset.pairs  # the quote says how they are trained on
        spec = spec_for(TrainingSpec().base, LOCAL, rows, pairs=paired)
        deps.jobs.propose(added.dataset, spec, person=person, now=deps.clock(), place=place, plan=aim.plan)
    else:
        offer_places(client, deps, person, place, Choice(added.dataset.id, aim.base, aim.plan))


def _show(client: WebClient, place: Place, person: Person, name: str, report: LintReport, file_id: str = "") -> None:
    """Put the card into the thread; personal data is shown masked, and to whoever gave the file alone."""
    post(client, place.channel, lint_text(name, report), lint_blocks(name, report, file_id), thread_ts=place.thread_ts)
    if report.previews:
        whisper(client, place.channel, person.user_id, preview_text(name, report), thread_ts=place.thread_ts)
