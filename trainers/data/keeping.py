"""Knows who may see, rename, share and delete data sets, and what keeps their rows; it reads and judges no row."""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select, update

from knowledge.errors import UserError
from knowledge.rows import alone, scrub
from knowledge.tenancy import Person
from trainers import audit
from trainers.data.naming import NAME, VERSION, checked
from trainers.data.provenance import trail_of
from trainers.data.store import Datasets, gone
from trainers.errors import DatasetRejected, NotAllowed
from trainers.policy import is_approver, rules_of
from trainers.states import ENDED, RESUMABLE
from trainers.tables import Dataset, EvalPlanRow, Job, ModelVersion, Review

_rows = Dataset.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_jobs = Job.__table__  # type: ignore[attr-defined]  # the same
_models = ModelVersion.__table__  # type: ignore[attr-defined]  # the same
_plans = EvalPlanRow.__table__  # type: ignore[attr-defined]  # the same
_reviews = Review.__table__  # type: ignore[attr-defined]  # the same


def seen(datasets: Datasets, person: Person, dataset_id: str) -> Dataset:
    """Return a data set that this person may see; raises DatasetRejected where there is none."""
    dataset = datasets.get(dataset_id)
    if dataset.workspace_id != person.workspace_id:
        raise DatasetRejected("That data set belongs to another workspace.", "Pick another one.")
    if dataset.private and dataset.created_by != person.user_id:
        raise DatasetRejected(f"There is no data set {dataset_id}.", "Ask whoever added it to share it.")
    return dataset


def named(datasets: Datasets, person: Person, name: str) -> Dataset:
    """Return a data set by id, by name and version (`tickets v2`) or by name alone: then its newest version."""
    name = name.strip()
    found = datasets.listing(person.workspace_id, seen_by=person.user_id, most=10_000)
    called = [dataset for dataset in found if dataset.name == name]
    for fits in (_exact(found, name, by_version=False), called, _exact(found, name)):
        if fits:
            return fits[0]
    raise DatasetRejected(f"There is no data set {name[:NAME]!r} here.", "`datasets` lists those that you can see.")


def one_version(datasets: Datasets, person: Person, name: str) -> Dataset:
    """Return the version that an id or `tickets v2` names, and no other; raises DatasetRejected where two are meant."""
    name = name.strip()
    found = datasets.listing(person.workspace_id, seen_by=person.user_id, most=10_000)
    fits = _exact(found, name)
    called = next((dataset for dataset in found if dataset.name == name), None)  # a name from before it was refused
    if len(fits) == 1 and called is None:
        return fits[0]
    if called is not None:
        what = f"{name[:NAME]!r} is the name of a data set, so it does not say which version is meant."
        raise DatasetRejected(what, f"Name it by its id: `datasets` lists them (the newest of that name: {called.id}).")
    raise DatasetRejected(f"There is no version {name[:NAME]!r} here.", "`datasets` lists those that you can see.")


def _exact(found: Sequence[Dataset], name: str, *, by_version: bool = True) -> list[Dataset]:
    """Return the data sets with this id, or with this name and version."""
    asked = VERSION.match(name) if by_version else None
    wanted = (asked["name"], int(asked["version"])) if asked else None
    return [dataset for dataset in found if dataset.id == name or (dataset.name, dataset.version) == wanted]


def versions(datasets: Datasets, person: Person, dataset: Dataset) -> list[Dataset]:
    """Return all versions of a data set that this person may see, the newest first."""
    found = datasets.listing(person.workspace_id, seen_by=person.user_id, most=10_000)
    return sorted((each for each in found if each.name == dataset.name), key=lambda each: -each.version)


def before(datasets: Datasets, person: Person, dataset: Dataset) -> Dataset | None:
    """Return the version before this one that this person may see."""
    return next((each for each in versions(datasets, person, dataset) if each.version < dataset.version), None)


def share(engine: Engine, dataset: Dataset, person: Person, now: datetime) -> bool:
    """Let everybody in the workspace see and use a data set; False where they can already."""
    with engine.begin() as connection:
        held = _held(connection, dataset.id, person)
        if not held.private:
            return False
        connection.execute(update(_rows).where(_rows.c.id == held.id).values(private=False))
        audit.write(connection, held.workspace_id, person.user_id, "shared", f"data set {held.id}", now)
        return True


def rename(engine: Engine, dataset: Dataset, name: str, person: Person, now: datetime) -> str:
    """Rename all versions of a data set; returns the name. Jobs and models keep the titles that they have."""
    name = checked(name)
    if name == dataset.name:
        return name
    mine = (_rows.c.workspace_id == dataset.workspace_id) & (_rows.c.name == dataset.name)
    with engine.begin() as connection:
        for each in sorted((dataset.name, name)):
            alone(connection, f"data set {dataset.workspace_id}/{each}")
        versions = [Dataset(**row) for row in connection.execute(select(_rows).where(mine)).mappings()]
        for version in versions:
            if version.deleted_at is None:
                _check_may_change(connection, version, person)
        taken = (_rows.c.workspace_id == dataset.workspace_id) & (_rows.c.name == name)
        if connection.execute(select(func.count()).where(taken)).scalar_one():
            raise UserError("That name is or was taken by another data set.", "Choose another one.")
        connection.execute(update(_rows).where(mine).values(name=name))
        audit.write(connection, dataset.workspace_id, person.user_id, "renamed", f"data set {dataset.id}", now)
    return name


def delete(datasets: Datasets, engine: Engine, dataset: Dataset, person: Person, now: datetime) -> bool:
    """Remove a data set's bytes; False where that was done before. Raises NotAllowed, and UserError if a job needs it.

    That it is deleted is in SQL before the first byte goes, so that no job is begun on rows that are half there.
    """
    with engine.begin() as connection:
        held = _read(connection, dataset.id)
        if held.deleted_at is not None:
            return False
        held = _held(connection, dataset.id, person)
        _refuse_needed(connection, held)
        emptied = {"labels": "", "lint": "{}", "sources": "[]"}  # labels are rows' words, sources name files
        values = {"deleted_at": now, "deleted_by": person.user_id, **emptied}
        connection.execute(update(_rows).where(_rows.c.id == held.id).values(**values))
        audit.write(connection, held.workspace_id, person.user_id, "deleted", f"data set {held.id}", now)
    remove_files(datasets.folder, held)
    scrub(engine)
    return True


def sweep_deleted(engine: Engine, folder: Path) -> int:
    """Remove files of deleted data sets that a crash left; returns of how many."""
    with engine.execution_options(reading=True).connect() as connection:
        found = connection.execute(select(_rows).where(_rows.c.deleted_at.is_not(None))).mappings().all()
    return sum(remove_files(folder, Dataset(**row)) for row in found)


def remove_files(folder: Path, dataset: Dataset) -> bool:
    """Remove the folder of a data set; False where there is none."""
    home = (folder / dataset.train_path).parent
    if home.parent != folder / "datasets" or not home.is_dir():
        return False
    shutil.rmtree(home)
    return True


def what_stays(engine: Engine, folder: Path, dataset: Dataset, person: Person) -> list[str]:
    """Say what goes on existing when a data set's bytes are gone, one sentence each."""
    said = []
    with engine.execution_options(reading=True).connect() as connection:
        for job in _jobs_on(connection, dataset.id):
            if job.private and job.requested_by != person.user_id:
                said.append("A job of somebody else used these rows; what it made stays.")
                continue
            said += _job_keeps(connection, job)
        said += _plans_keep(connection, folder, dataset)
        if connection.execute(select(func.count()).where(_reviews.c.dataset_id == dataset.id)).scalar_one():
            said.append("The review that these rows are from keeps its own file of them.")
        others = connection.execute(
            select(func.count()).where(
                _rows.c.workspace_id == dataset.workspace_id,
                _rows.c.name == dataset.name,
                _rows.c.id != dataset.id,
                _rows.c.deleted_at.is_(None),
            )
        ).scalar_one()
    return said + (["Other versions of it keep their own rows."] if others else [])


def parts(folder: Path, dataset: Dataset) -> list[tuple[str, bytes]]:
    """Return a data set's files as name endings and bytes: training rows, test rows, where each row is from."""
    train, test = (folder / path for path in (dataset.train_path, dataset.test_path))
    trail = json.dumps(trail_of(folder, dataset).to_json(), ensure_ascii=False, indent=1).encode()
    return [("train.jsonl", train.read_bytes()), ("test.jsonl", test.read_bytes()), ("provenance.json", trail)]


def file_stem(dataset: Dataset) -> str:
    """Return how files of a data set are called: its name in letters that every file system takes, and its version."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', dataset.name).strip('.-') or 'rows'}-v{dataset.version}"


def hold_rows(connection: Connection, dataset_id: str | None) -> None:
    """Keep a data set from being deleted until this transaction ends; raises DatasetRejected where it was already."""
    if dataset_id is None:
        return
    query = select(_rows).where(_rows.c.id == dataset_id).with_for_update(read=True)
    row = connection.execute(query).mappings().one_or_none()
    if row is not None and row["deleted_at"] is not None:
        raise gone(Dataset(**row))


def note_download(engine: Engine, dataset: Dataset, person: Person, now: datetime) -> None:
    """Tell the audit that somebody took rows out as files."""
    with engine.begin() as connection:
        audit.write(connection, dataset.workspace_id, person.user_id, "downloaded", f"data set {dataset.id}", now)


def _read(connection: Connection, dataset_id: str) -> Dataset:
    query = select(_rows).where(_rows.c.id == dataset_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise DatasetRejected(f"There is no data set {dataset_id}.", "`datasets` lists those that you can see.")
    return Dataset(**row)


def _held(connection: Connection, dataset_id: str, person: Person) -> Dataset:
    """Lock a data set that this person may change."""
    held = _read(connection, dataset_id)
    if held.deleted_at is not None:
        raise gone(held)
    _check_may_change(connection, held, person)
    return held


def _check_may_change(connection: Connection, dataset: Dataset, person: Person) -> None:
    mine = dataset.created_by == person.user_id
    approver = not dataset.private and is_approver(person, rules_of(connection, dataset.workspace_id))
    if dataset.workspace_id != person.workspace_id or not (mine or approver):
        raise NotAllowed("Only whoever added a data set, or an approver, may do that.", f"Ask @{dataset.created_by}.")


def _refuse_needed(connection: Connection, dataset: Dataset) -> None:
    needing = [job for job in _jobs_on(connection, dataset.id) if job.state not in ENDED]
    if needing:
        numbers = ", ".join(f"#{job.number}" for job in needing[:5])
        which = f"Job {numbers} needs" if len(needing) == 1 else f"Jobs {numbers} need"
        raise UserError(f"{which} these rows, so nothing was deleted.", "Wait for the end, or `cancel` it first.")


def _jobs_on(connection: Connection, dataset_id: str) -> Sequence[Job]:
    query = select(_jobs).where(_jobs.c.dataset_id == dataset_id).order_by(_jobs.c.number)
    return [Job(**row) for row in connection.execute(query).mappings()]


def _job_keeps(connection: Connection, job: Job) -> list[str]:
    said = []
    if job.state == "succeeded":
        said.append(f"The report of job #{job.number} keeps the test rows with the answers that were given to them.")
    elif job.state in RESUMABLE and job.approved_at is not None:
        said.append(f"Job #{job.number} can't be resumed any more.")
    names = connection.execute(select(_models.c.name).where(_models.c.job_id == job.id)).scalars().all()
    said += [f"The model of job #{job.number} ({name}) stays: a model can repeat what it learned." for name in names]
    return said


def _plans_keep(connection: Connection, folder: Path, dataset: Dataset) -> list[str]:
    test = folder / dataset.test_path
    if not test.is_file():
        return []
    sha256 = hashlib.sha256(test.read_bytes()).hexdigest()
    mine = (_plans.c.workspace_id == dataset.workspace_id) & (_plans.c.test_sha256 == sha256)
    names = connection.execute(select(_plans.c.name).where(mine)).scalars().all()
    return [f"The frozen plan {name} keeps its copy of the test rows." for name in names]
