"""Knows the versions of a workspace's data sets and where their files lie; it does not judge rows (`lint` does)."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, func, insert, select

from knowledge.rows import alone
from knowledge.tenancy import Person
from trainers.data.converting import converted_bytes
from trainers.data.examples import EXAMPLES
from trainers.data.jsonl import Row, read_rows, rows_in
from trainers.data.lint import LintReport, lint
from trainers.data.split import split
from trainers.errors import DatasetRejected
from trainers.tables import Dataset

_rows = Dataset.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

TEST_FRACTION = 0.33
"""Share of rows held out when no test file is given."""

SPLIT_SEED = 7
"""One fixed seed, so that the same file is always split alike."""


class Added(NamedTuple):
    """A data set version and what the linter says of it."""

    dataset: Dataset
    report: LintReport


class Datasets:
    """The data sets of one installation; files are copied in and never changed."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Take the database and the data folder."""
        self._engine = engine
        self.folder = folder

    def add(
        self, train: Path, test: Path | None, *, name: str, person: Person, provenance: str, now: datetime
    ) -> Added:
        """Lint, hold rows out if no test file is given, copy and register; the same content gives the same version.

        Raises DatasetRejected with the linter's blocking finding where the rows cannot be trained on.
        """
        report = lint(train, target="local", test=test)
        if report.blocked:
            raise rejected(report)
        parts = (_rows_of(train, report), _rows_of(test, None)) if test else _hold_out(_rows_of(train, report))
        id_ = f"ds_{uuid.uuid4().hex[:12]}"
        home = self.folder / "datasets" / id_
        home.mkdir(parents=True)
        for file, content in zip(("train.jsonl", "test.jsonl"), parts, strict=True):
            (home / file).write_bytes(content)
        dataset = self._register(id_, home, report, name, person, provenance, now)
        if dataset.id != id_:
            shutil.rmtree(home)
        return Added(dataset, report)

    def example(self, name: str, person: Person, now: datetime, test: Path | None = None) -> Added:
        """Register a shipped example for this workspace, once; with other test rows it is a version of its own."""
        shipped = EXAMPLES[name]
        provenance = f"shipped example, {shipped.licence}" + (f"; test rows of {person.user_id}" if test else "")
        tested = test or shipped.test
        return self.add(shipped.train, tested, name=shipped.name, person=person, provenance=provenance, now=now)

    def get(self, dataset_id: str | None) -> Dataset:
        """Return a data set by id; raises DatasetRejected where there is none."""
        with self._engine.execution_options(reading=True).connect() as connection:
            row = connection.execute(select(_rows).where(_rows.c.id == dataset_id)).mappings().one_or_none()
        if row is None:
            raise DatasetRejected(f"There is no data set {dataset_id}.", "Pick another one or upload the file again.")
        return Dataset(**row)

    def listing(self, workspace_id: str) -> Sequence[Dataset]:
        """Return a workspace's data sets, newest first."""
        query = select(_rows).where(_rows.c.workspace_id == workspace_id).order_by(_rows.c.created_at.desc()).limit(100)
        with self._engine.execution_options(reading=True).connect() as connection:
            return [Dataset(**row) for row in connection.execute(query).mappings().all()]

    def _register(
        self, id_: str, home: Path, report: LintReport, name: str, person: Person, provenance: str, now: datetime
    ) -> Dataset:
        train, test = home / "train.jsonl", home / "test.jsonl"
        sha256 = hashlib.sha256(train.read_bytes() + b"\0" + test.read_bytes()).hexdigest()
        mine = (_rows.c.workspace_id == person.workspace_id) & (_rows.c.name == name)
        counts = {"train_rows": len(read_rows(train).rows), "test_rows": len(read_rows(test).rows)}
        with self._engine.begin() as connection:
            alone(connection, f"data set {person.workspace_id}/{name}")
            same = connection.execute(select(_rows).where(mine, _rows.c.sha256 == sha256)).mappings().one_or_none()
            if same is not None:
                return Dataset(**same)
            last = connection.execute(select(func.coalesce(func.max(_rows.c.version), 0)).where(mine)).scalar_one()
            dataset = Dataset(
                id=id_,
                workspace_id=person.workspace_id,
                name=name,
                version=int(last) + 1,
                train_path=str(train.relative_to(self.folder)),
                test_path=str(test.relative_to(self.folder)),
                **counts,
                sha256=sha256,
                labels=json.dumps(sorted(report.labels)) if report.labels else "",
                provenance=provenance,
                lint=json.dumps(report.to_json()),
                created_by=person.user_id,
                created_at=now,
            )
            connection.execute(insert(_rows).values(**dataset.model_dump()))
            return dataset


def rejected(report: LintReport) -> DatasetRejected:
    """Put the first blocking finding into an error that a person can act on."""
    first = next(finding for finding in report.findings if finding.severity == "BLOCK")
    more = sum(finding.severity == "BLOCK" for finding in report.findings) - 1
    also = f" ({more} more blocking finding{'s' if more > 1 else ''})" if more else ""
    return DatasetRejected(first.message + also, first.fix)


def _rows_of(path: Path, report: LintReport | None) -> bytes:
    """Return a file's chat rows: as they are where it is JSONL of such, else converted from what was linted."""
    if report is not None and (report.container, report.kinds) == ("jsonl", ("chat",)):
        return path.read_bytes()
    reading = read_rows(path)
    if report is None and reading.rows and not any(finding.severity == "BLOCK" for finding in reading.findings):
        return path.read_bytes()
    return converted_bytes(path)


def _hold_out(train: bytes) -> tuple[bytes, bytes]:
    """Divide rows into training and held-out ones; raises UserError where there are too few."""
    lines = dict(enumerate(train.split(b"\n"), start=1))
    parts = split(rows_in(train), test_fraction=TEST_FRACTION, seed=SPLIT_SEED)

    def joined(rows: Sequence[Row]) -> bytes:
        chosen = [lines[row.line].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r") for row in rows]
        return b"\n".join(chosen) + b"\n"

    return joined(parts.train), joined(parts.test)
