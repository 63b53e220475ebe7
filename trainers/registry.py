"""Knows the tuned models of a workspace; it does not know how they were made or how they answer."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select

from trainers.errors import JobNotFound
from trainers.tables import Job, ModelVersion

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_models = ModelVersion.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def add(connection: Connection, model: ModelVersion) -> None:
    """Register a model inside the transaction that ends its job; a second time changes nothing."""
    if connection.execute(select(_models.c.id).where(_models.c.job_id == model.job_id)).one_or_none() is None:
        connection.execute(insert(_models).values(**model.model_dump()))


class Registry:
    """The tuned models of one installation."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Take the database and the data folder."""
        self._engine = engine
        self._folder = folder

    def listing(self, workspace_id: str, *, seen_by: str | None = None) -> Sequence[ModelVersion]:
        """Return a workspace's models, newest first; with `seen_by` those of jobs that this person may see."""
        query = select(_models).where(_models.c.workspace_id == workspace_id).order_by(_models.c.created_at.desc())
        if seen_by is not None:
            seen = (_jobs.c.private.is_(False)) | (_jobs.c.requested_by == seen_by)
            query = query.where(_models.c.job_id.in_(select(_jobs.c.id).where(seen)))
        with self._engine.execution_options(reading=True).connect() as connection:
            return [ModelVersion(**row) for row in connection.execute(query).mappings().all()]

    def get(self, workspace_id: str, model_id: str) -> ModelVersion:
        """Return a model by id or by its job's id; raises JobNotFound where this workspace has none."""
        named = (_models.c.id == model_id) | (_models.c.job_id == model_id)
        query = select(_models).where(_models.c.workspace_id == workspace_id, named)
        with self._engine.execution_options(reading=True).connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise JobNotFound(f"There is no tuned model {model_id} here.", "Train one with `train`.")
        return ModelVersion(**row)

    def adapter(self, model: ModelVersion) -> Path:
        """Return the folder of a model's adapter; raises JobNotFound for a model that stays at its provider."""
        if model.remote_id:
            raise JobNotFound(f"{model.remote_id} stays at {model.backend}; it has no adapter here.", "Ask it there.")
        return self._folder / model.adapter_path
