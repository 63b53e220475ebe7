"""Knows the versions of a workspace's data sets and where their files lie; it does not judge rows (`lint` does)."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, func, insert, or_, select, update

from knowledge.rows import alone
from knowledge.tenancy import Person
from trainers.data.converting import converted_bytes
from trainers.data.counting import CountRow
from trainers.data.examples import EXAMPLES
from trainers.data.holding import Parts, hold_out
from trainers.data.jsonl import Row, read_rows, rows_in
from trainers.data.judging import UNDECIDED, also, judge
from trainers.data.limits import read_limits
from trainers.data.lint import LintReport
from trainers.data.naming import distinct
from trainers.data.provenance import Trail, origin_of, spots, write
from trainers.data.source import Chat, Source
from trainers.errors import DatasetRejected
from trainers.tables import Dataset

_rows = Dataset.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Added(NamedTuple):
    """A data set version and what the linter says of it."""

    dataset: Dataset
    report: LintReport


class Datasets:
    """The data sets of one installation; files are copied in and never changed."""

    def __init__(self, engine: Engine, folder: Path, count: Callable[[str], CountRow | None] = lambda _: None) -> None:
        """Take the database and the data folder, and what returns the counter of a target's tokens."""
        self._engine = engine
        self.folder = folder
        self._count = count

    def judge(self, train: Path, test: Path | None = None, target: str = UNDECIDED) -> LintReport:
        """Lint rows as they are kept, and trained on at `target`, by its length of a row."""
        return judge(train, test, target, self._count)

    def held_out(self, dataset: Dataset) -> Path | None:
        """Return the file of a data set's test rows; None where its rows were too few to hold any out."""
        return self.folder / dataset.test_path if dataset.test_rows else None

    def add(
        self,
        train: Path,
        test: Path | None,
        *,
        name: str,
        person: Person,
        provenance: str,
        now: datetime,
        private: bool = False,
        file_names: tuple[str, str] = ("", ""),
        target: str = UNDECIDED,
        divide: bool = True,
        group: str = "",
    ) -> Added:
        """Lint, hold rows out if no test file is given, copy and register; the same content gives the same version.

        Without `divide` nothing is held out: such rows wait for more before anything is trained on them.
        Rows with the same value of the field `group` are held out together. A name that could be read as a version or
        an id is changed a little.
        `target` is where they are to be trained, if that is known: what is too long for this machine may be fine there.
        `private` rows are seen only by this person until they are shared; `file_names` are what the files were called.
        Raises DatasetRejected with the linter's blocking finding where the rows cannot be trained on.
        """
        report = self.judge(train, test, target)
        if report.blocked:
            raise rejected(report)
        content, tested = _rows_of(train, report), _rows_of(test, None) if test else b""
        check_alike(content, tested)
        read = len(_lines(content)), len(_lines(tested)) if test else None
        _check_all_kept(read, (report.rows, report.test_rows))
        held = divide and not test
        parts = hold_out(content, _chats(train), group) if held else Parts(content, tested, (), ())
        report = also(report, parts.findings)
        lines = _lines(parts.train), _lines(parts.test)
        counts = [len(lines[0]), len(lines[1])] if test else [len(lines[0]) + len(lines[1])]
        origins = [
            origin_of(called or path.name, _hash(path.read_bytes()), count, person.user_id, now, provenance)
            for path, called, count in zip([train, *([test] if test else [])], file_names, counts, strict=False)
        ]
        trail = Trail(
            tuple(origins),
            spots(0, parts.train_lines or lines[0]),
            spots(1 if test else 0, parts.test_lines or lines[1]),
        )
        said = f"{provenance}; rows of one {group[:60]} on one side" if held and group else provenance
        told = Told(distinct(name), person, said, now, private)
        return Added(self.keep(parts.train, parts.test, trail, report, told), report)

    def keep(self, train: bytes, test: bytes, trail: Trail, report: LintReport, told: "Told") -> Dataset:
        """Copy rows that were linted and register them; the same rows under the same name are there already.

        Raises DatasetRejected where a line holds no row: nobody would see that it was lost.
        """
        rows, tested = _all_rows(train), _all_rows(test)
        id_ = f"ds_{uuid.uuid4().hex[:12]}"
        home = self.folder / "datasets" / id_
        home.mkdir(parents=True)
        for file, content in (("train.jsonl", train), ("test.jsonl", test)):
            (home / file).write_bytes(content)
        write(home, trail)
        dataset = self._register(id_, home, (rows, tested), trail, report, told)
        if dataset.id != id_:
            shutil.rmtree(home)
        return dataset

    def example(self, name: str, person: Person, now: datetime, test: Path | None = None) -> Added:
        """Register a shipped example for this workspace, once; with other test rows it is a version of its own."""
        shipped = EXAMPLES[name]
        provenance = f"shipped example, {shipped.licence}" + (f"; test rows of {person.user_id}" if test else "")
        tested = test or shipped.test
        return self.add(shipped.train, tested, name=shipped.name, person=person, provenance=provenance, now=now)

    def get(self, dataset_id: str | None) -> Dataset:
        """Return a data set by id; raises DatasetRejected where there is none, or where its rows were deleted."""
        with self._engine.execution_options(reading=True).connect() as connection:
            row = connection.execute(select(_rows).where(_rows.c.id == dataset_id)).mappings().one_or_none()
        if row is None:
            raise DatasetRejected(f"There is no data set {dataset_id}.", "Pick another one or give the file again.")
        dataset = Dataset(**row)
        if dataset.deleted_at is not None:
            raise gone(dataset)
        return dataset

    def listing(self, workspace_id: str, *, seen_by: str | None = None, most: int = 100) -> Sequence[Dataset]:
        """Return a workspace's data sets, newest first; with `seen_by`, those that this person may see."""
        query = select(_rows).where(_rows.c.workspace_id == workspace_id, _rows.c.deleted_at.is_(None))
        if seen_by is not None:
            query = query.where(or_(_rows.c.private.is_(False), _rows.c.created_by == seen_by))
        query = query.order_by(_rows.c.created_at.desc(), _rows.c.version.desc()).limit(most)
        with self._engine.execution_options(reading=True).connect() as connection:
            return [Dataset(**row) for row in connection.execute(query).mappings().all()]

    def _register(
        self, id_: str, home: Path, read: tuple[list[Row], list[Row]], trail: Trail, report: LintReport, told: "Told"
    ) -> Dataset:
        train, test, person = home / "train.jsonl", home / "test.jsonl", told.person
        sha256, rows, test_rows = _hash(train.read_bytes() + b"\0" + test.read_bytes()), read[0], len(read[1])
        mine = (_rows.c.workspace_id == person.workspace_id) & (_rows.c.name == told.name)
        seen = or_(_rows.c.private.is_(False), _rows.c.created_by == person.user_id)
        with self._engine.begin() as connection:
            alone(connection, f"data set {person.workspace_id}/{told.name}")
            here = select(_rows).where(mine, seen, _rows.c.sha256 == sha256, _rows.c.deleted_at.is_(None))
            same = connection.execute(here.order_by(_rows.c.version).limit(1)).mappings().one_or_none()
            if same is not None:
                opened = same["private"] and not told.private  # given again where everybody reads
                if opened:
                    connection.execute(update(_rows).where(_rows.c.id == same["id"]).values(private=False))
                return Dataset(**{**same, "private": same["private"] and not opened})
            last = connection.execute(select(func.coalesce(func.max(_rows.c.version), 0)).where(mine)).scalar_one()
            dataset = Dataset(
                id=id_,
                workspace_id=person.workspace_id,
                name=told.name,
                version=int(last) + 1,
                train_path=str(train.relative_to(self.folder)),
                test_path=str(test.relative_to(self.folder)),
                train_rows=len(rows),
                test_rows=test_rows,
                sha256=sha256,
                labels=json.dumps(sorted(report.labels)) if report.labels else "",
                provenance=told.provenance,
                lint=json.dumps(report.to_json()),
                created_by=person.user_id,
                created_at=told.now,
                private=told.private,
                sources=json.dumps([origin._asdict() for origin in trail.origins]),
                pairs=bool(rows and rows[0].rejected),
                calls=report.calls,
                pictures=report.pictures,
            )
            connection.execute(insert(_rows).values(**dataset.model_dump()))
            return dataset


class Told(NamedTuple):
    """What is said of rows that are kept."""

    name: str
    person: Person
    provenance: str
    now: datetime
    private: bool = False


def gone(dataset: Dataset) -> DatasetRejected:
    """Say that somebody deleted a data set's rows."""
    when = f" on {dataset.deleted_at:%d %b %Y}" if dataset.deleted_at else ""
    what = f"The rows of {dataset.name} v{dataset.version} were deleted by @{dataset.deleted_by}{when}."
    return DatasetRejected(what, "Pick another data set or give the file again.")


def rejected(report: LintReport) -> DatasetRejected:
    """Put the first blocking finding into an error that a person can act on."""
    first = next(finding for finding in report.findings if finding.severity == "BLOCK")
    more = sum(finding.severity == "BLOCK" for finding in report.findings) - 1
    also = f" ({more} more blocking finding{'s' if more > 1 else ''})" if more else ""
    return DatasetRejected(first.message + also, first.fix)


def check_alike(train: bytes, test: bytes) -> None:
    """Raise DatasetRejected where one file holds preference pairs and the other chat rows."""
    here, there = (next(iter(rows_in(content)), None) for content in (train, test))
    if here is None or there is None or bool(here.rejected) is bool(there.rejected):
        return
    one, other = ("preference pairs", "chat rows") if here.rejected else ("chat rows", "preference pairs")
    what = f"The rows to train on are {one}, the rows to test on {other}."
    raise DatasetRejected(what, f"Give {one} to test on too, or no test file: then some rows are held out.")


def _chats(path: Path) -> list[Chat]:
    return list(Source(path, read_limits(), lists=True))


def _rows_of(path: Path, report: LintReport | None) -> bytes:
    """Return a file's rows as they are kept: as they are where it is JSONL of chats, else converted."""
    if report is not None and (report.container, report.kinds) == ("jsonl", ("chat",)):
        return path.read_bytes()
    reading = read_rows(path)
    if report is None and reading.rows and not any(finding.severity == "BLOCK" for finding in reading.findings):
        return path.read_bytes()
    return converted_bytes(path)


def _lines(content: bytes) -> list[int]:
    return [row.line for row in rows_in(content)]


def _all_rows(content: bytes) -> list[Row]:
    """Read the rows of bytes that hold nothing else; raises DatasetRejected where a line is none."""
    rows = rows_in(content)
    filled = sum(1 for each in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if each.strip())
    _check_all_kept((len(rows), None), (filled, None))
    return rows


def _check_all_kept(kept: tuple[int, int | None], given: tuple[int, int | None]) -> None:
    """Raise DatasetRejected where fewer rows, to train or to test on, would be kept than were linted."""
    if kept == given:
        return
    lost = f"{sum(each or 0 for each in kept):,} of {sum(each or 0 for each in given):,} rows"
    raise DatasetRejected(
        f"Only {lost} of that file can be kept, so none were.",
        "Write the file as chat rows, one JSON object a line: `luthier convert FILE --to local` names what it can't.",
    )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
