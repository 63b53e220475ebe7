"""Knows a workspace's evaluation plans and what was frozen of them; it does not make plans or judge by them."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, or_, select, update

from knowledge.errors import UserError
from knowledge.rows import alone
from knowledge.tenancy import Person
from trainers.data.findings import lines_are, name_lines, plural
from trainers.data.jsonl import Reading, Row, read_rows
from trainers.data.likeness import canonical
from trainers.evals import frozen_rows
from trainers.evals.plan import EvalPlan
from trainers.evals.plans.fitting import fitted
from trainers.tables import EvalPlanRow

_rows = EvalPlanRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

_NAME_CHARACTERS = 80

CARD = "card/"
"""How names begin under which plans are kept that somebody changed on a card in Slack."""

CARD_LIFE = timedelta(days=30)
"""After so long nobody has such a card before them: Slack shows it to one person, until they close the page."""


@dataclass(frozen=True, kw_only=True)
class StoredPlan:
    """A plan as it is kept."""

    id: str
    name: str
    plan: EvalPlan
    digest: str
    frozen_at: datetime | None
    created_by: str
    created_at: datetime

    @property
    def frozen(self) -> bool:
        """Whether plan and test rows are fixed."""
        return self.frozen_at is not None


@dataclass(frozen=True, kw_only=True)
class Plans:
    """The evaluation plans of workspaces."""

    engine: Engine
    folder: Path | None = None
    """The data folder, where rows are kept as they are frozen; None for those who freeze nothing."""

    def save(self, plan: EvalPlan, *, name: str, person: Person, now: datetime) -> StoredPlan:
        """Keep a plan under a name, in place of an unfrozen one; raises UserError where a frozen one has the name."""
        named = _tidy(name)
        if named.startswith(CARD):
            raise UserError(f"Names that begin with {CARD} are Luthier's own.", "Use another name.")
        stored = self._save(plan, named, person, now)
        if stored.frozen:
            raise _is_frozen(stored)
        return stored

    def ensure(self, plan: EvalPlan, *, name: str, person: Person, now: datetime) -> StoredPlan:
        """Keep a plan under a name as `save` does, but leave a frozen one of that name as it is, and return it."""
        return self._save(plan, _tidy(name), person, now)

    def keep_for_card(self, plan: EvalPlan, *, person: Person, now: datetime) -> StoredPlan:
        """Keep a plan behind its card for a month, so that a button can name it; the same one again is kept once."""
        cards = (_rows.c.workspace_id == person.workspace_id) & _rows.c.name.startswith(CARD, autoescape=True)
        past = cards & _rows.c.frozen_at.is_(None) & (_rows.c.created_at < now - CARD_LIFE)
        with self.engine.begin() as connection:
            connection.execute(delete(_rows).where(past))
        return self._save(plan, f"{CARD}{plan.digest[:16]}", person, now)

    def _save(self, plan: EvalPlan, named: str, person: Person, now: datetime) -> StoredPlan:
        """Keep a plan in place of an unfrozen one; a frozen one stays and is returned."""
        with self.engine.begin() as connection:
            alone(connection, f"eval plan {person.workspace_id}/{named}")
            old = _find(connection, person.workspace_id, named)
            if old is not None and old.frozen:
                return old
            values: dict[str, Any] = {
                "body": json.dumps(plan.to_json()),
                "digest": plan.digest,
                "test_sha256": plan.test_sha256,
            }
            if old is not None:
                connection.execute(update(_rows).where(_rows.c.id == old.id).values(**values))
            else:
                made = EvalPlanRow(
                    id=f"plan_{uuid.uuid4().hex[:12]}",
                    workspace_id=person.workspace_id,
                    name=named,
                    created_by=person.user_id,
                    created_at=now,
                    **values,
                )
                connection.execute(insert(_rows).values(**made.model_dump()))
            return _found(connection, person.workspace_id, named)

    def get(self, workspace_id: str, name: str) -> StoredPlan:
        """Return a plan by its name or id; raises UserError where there is none."""
        with self.engine.execution_options(reading=True).connect() as connection:
            return _found(connection, workspace_id, _tidy(name))

    def find(self, workspace_id: str, name: str) -> StoredPlan | None:
        """Return a plan by its name or id; None where there is none."""
        with self.engine.execution_options(reading=True).connect() as connection:
            return _find(connection, workspace_id, _tidy(name))

    def listing(self, workspace_id: str) -> Sequence[StoredPlan]:
        """Return a workspace's named plans, newest first, 100 at most; what stands on cards is not among them."""
        named = (_rows.c.workspace_id == workspace_id) & ~_rows.c.name.startswith(CARD, autoescape=True)
        query = select(_rows).where(named).order_by(_rows.c.created_at.desc()).limit(100)
        with self.engine.execution_options(reading=True).connect() as connection:
            return [_stored(row) for row in connection.execute(query).mappings().all()]

    def frozen_as(self, workspace_id: str, *, digest: str = "", test_sha256: str = "") -> StoredPlan | None:
        """Return the plan that was frozen first with this digest, or test rows of this hash; None where none was."""
        same = _rows.c.digest == digest if digest else _rows.c.test_sha256 == test_sha256
        with self.engine.execution_options(reading=True).connect() as connection:
            return _frozen_first(connection, workspace_id, same)

    def freeze(self, workspace_id: str, name: str, test_path: Path, now: datetime) -> StoredPlan:
        """Fix a plan and its test rows by their hash; the same rows again change nothing.

        The rows are kept in the data folder. A guessed schema that their targets break is left out and noted as an
        assumption. Raises UserError where it is frozen with other rows, where another plan is frozen with these, where
        rows can't be read or wait for their target, and where targets do not fit the plan's labels or schema.
        """
        reading = _read_test(test_path)
        sha256 = reading.sha256
        with self.engine.begin() as connection:
            alone(connection, f"eval plan {workspace_id}/{_tidy(name)}")
            found = _found(connection, workspace_id, _tidy(name))
            if found.frozen:
                if found.plan.test_sha256 == sha256:
                    self._keep(workspace_id, test_path, sha256)
                    return found
                raise _is_frozen(found)
            alone(connection, f"eval rows {workspace_id}/{sha256}")
            first = _frozen_first(connection, workspace_id, _rows.c.test_sha256 == sha256)
            if first is not None:
                raise _has_plan(first)
            plan = fitted(found.plan, reading.rows).with_test(sha256)
            self._keep(workspace_id, test_path, sha256)
            values = {
                "body": json.dumps(plan.to_json()),
                "digest": plan.digest,
                "test_sha256": sha256,
                "frozen_at": now,
            }
            connection.execute(update(_rows).where(_rows.c.id == found.id).values(**values))
            return _found(connection, workspace_id, found.name)

    def _keep(self, workspace_id: str, test_path: Path, sha256: str) -> None:
        """Keep the rows before the plan says that they are frozen; a file left by a plan that was not is harmless."""
        if self.folder is not None and frozen_rows.keep(self.folder, workspace_id, test_path.read_bytes()) != sha256:
            raise UserError(f"{test_path.name} changed while it was read.", "Freeze it again.")


def check_test(path: Path, known: Sequence[Row] = ()) -> str:
    """Return the hash of a test file; raises UserError where it can't be read, is empty, or has rows without target.

    It is refused as well where one of its inputs is that of a `known` row, found as the linter does before training.
    """
    reading = _read_test(path)
    asked = {canonical(row.prompt) for row in known} - {""}
    both = [row.line for row in reading.rows if canonical(row.prompt) in asked]
    if both:
        raise UserError(
            f"{lines_are(both)} among the rows that the plan was made from too, so the test would measure memory: "
            "nothing was frozen.",
            f"Remove these rows from {path.name}, or give rows as --test that nobody trains on.",
        )
    return reading.sha256


def _read_test(path: Path) -> Reading:
    reading = read_rows(path)
    refused = [finding for finding in reading.findings if finding.severity == "BLOCK"]
    if refused:
        raise UserError(refused[0].message, refused[0].fix)
    if not reading.rows:
        raise UserError(f"There are no rows in {path.name}.", "Draft some, or add your own.")
    empty = [row.line for row in reading.rows if not row.target.strip() or row.messages[-1].role != "assistant"]
    if empty:
        waits = "waits for its" if len(empty) == 1 else "wait for their"
        raise UserError(
            f"{plural(len(empty), 'row')} {waits} target ({name_lines(empty)}), so nothing was frozen.",
            "Write the right answers as the last turn of each row, or drop these rows.",
        )
    return reading


def _tidy(name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > _NAME_CHARACTERS or not tidy.isprintable():
        raise UserError(f"A plan needs a name of 1 to {_NAME_CHARACTERS} characters.", "For example: tickets.")
    return tidy


def _is_frozen(stored: StoredPlan) -> UserError:
    when = f"{stored.frozen_at:%d %b %Y}" if stored.frozen_at else ""
    return UserError(f"The plan {stored.name!r} was frozen on {when} and stays as it is.", "Use another name.")


def _has_plan(first: StoredPlan) -> UserError:
    """Refuse a second rule for the same rows: it could be chosen after the first one's result is known."""
    when = f"{first.frozen_at:%d %b %Y}" if first.frozen_at else ""
    return UserError(
        f"These test rows were frozen on {when} with the plan {first.name!r}.", "Use that plan, or other test rows."
    )


def _found(connection: Connection, workspace_id: str, name: str) -> StoredPlan:
    found = _find(connection, workspace_id, name)
    if found is None:
        raise UserError(f"There is no evaluation plan called {name!r}.", "Make one: `luthier eval-plan`.")
    return found


def _find(connection: Connection, workspace_id: str, name: str) -> StoredPlan | None:
    query = select(_rows).where(_rows.c.workspace_id == workspace_id, or_(_rows.c.name == name, _rows.c.id == name))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _stored(row)


def _frozen_first(connection: Connection, workspace_id: str, same: ColumnElement[bool]) -> StoredPlan | None:
    query = select(_rows).where(_rows.c.workspace_id == workspace_id, _rows.c.frozen_at.is_not(None), same)
    row = connection.execute(query.order_by(_rows.c.frozen_at).limit(1)).mappings().one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Mapping[Any, Any]) -> StoredPlan:
    return StoredPlan(
        id=row["id"],
        name=row["name"],
        plan=EvalPlan.from_json(json.loads(row["body"])),
        digest=row["digest"],
        frozen_at=row["frozen_at"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
