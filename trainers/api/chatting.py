"""Knows which model of ours a name means and how it answers; it does not know HTTP."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

from knowledge.errors import ServiceError
from trainers.api.names import job_in, tuned_name
from trainers.api.tables import ApiKey
from trainers.costs.lifecycle import line_of, sentence
from trainers.costs.names import UnknownName, find_model
from trainers.errors import JobNotFound
from trainers.openai_api.objects import ChatAsk, ModelCard, Piece, Usage
from trainers.openai_api.refusals import ApiError, broken, no_model
from trainers.registry import Registry
from trainers.serving import LocalModels, Refused
from trainers.tables import ModelVersion

OWNER = "luthier"


@dataclass(frozen=True, kw_only=True)
class Talk:
    """The models of workspaces, and the machine that answers for them."""

    registry: Registry
    models: LocalModels
    bases: Mapping[str, str]
    """Base that may be named -> its backend."""

    def cards(self, key: ApiKey) -> Sequence[ModelCard]:
        """Return the bases, and the tuned models of this machine that a key's owner may see, newest first."""
        found = [one for one in self.registry.listing(key.workspace_id, seen_by=key.owner) if not one.remote_id]
        here = (_card(model) for model in found if not model.remote_id)
        return [*(self._base_card(name) for name in self.bases), *here]

    def card(self, key: ApiKey, name: str) -> ModelCard:
        """Return a model; raises ApiError 404."""
        return self._base_card(name) if name in self.bases else _card(self._tuned(key, name))

    async def answer(self, key: ApiKey, ask: ChatAsk) -> AsyncIterator[Piece]:
        """Answer in pieces; raises ApiError."""
        adapter = self._adapter(key, ask.model)
        wish: dict[str, Any] = {
            "max_tokens": ask.max_tokens or "room",
            "temperature": ask.temperature,
            "top_p": ask.top_p,
            "seed": ask.seed,
            "stop": list(ask.stop),
        }
        try:
            async for part in self.models.stream(adapter, ask.messages, **wish):
                usage = Usage(part.prompt_tokens, part.completion_tokens) if part.finish else None
                yield Piece(part.text, cast(Literal["", "stop", "length"], part.finish), usage)
        except Refused as refusal:
            raise _as_ours(refusal) from refusal
        except ServiceError as silent:
            raise broken(f"{silent.what} {silent.next_step}".strip(), 503) from silent

    def _adapter(self, key: ApiKey, name: str) -> Path | None:
        """Return the adapter behind a name, None for a base that answers here."""
        if name in self.bases:
            if name != self.models.base.name:
                raise ApiError(400, f"The model '{name}' does not answer here.", "model_not_served", param="model")
            return None
        tuned = self._tuned(key, name)
        if tuned.remote_id:
            where = f"{tuned.remote_id} stays at {tuned.backend}: ask it there."
            raise ApiError(400, where, "model_not_served", param="model")
        return self.registry.adapter(tuned)

    def _tuned(self, key: ApiKey, name: str) -> ModelVersion:
        """Return a tuned model of a key's workspace that its owner may see."""
        job_id = job_in(name)
        try:
            found = self.registry.get(key.workspace_id, job_id) if job_id else None
        except JobNotFound:
            found = None
        mine = self.registry.listing(key.workspace_id, seen_by=key.owner) if found else ()
        if (
            found is None
            or found.remote_id
            or found.id not in {model.id for model in mine}
            or not name.startswith(f"ft:{found.base}:")
        ):
            raise no_model(name)
        return found

    def _base_card(self, name: str) -> ModelCard:
        return ModelCard(id=name, owner=OWNER)


def retired(name: str, today: date) -> str:
    """Say what is known of a base of some provider that is asked for here, or ""."""
    try:
        line = line_of("openai", find_model(name))
    except UnknownName:
        return ""
    return sentence(line, today) if line.source is not None else ""


def _card(model: ModelVersion) -> ModelCard:
    at = model.created_at.timestamp() if model.created_at else 0
    return ModelCard(id=tuned_name(model.base, model.workspace_id, model.name, model.job_id), at=at, owner=OWNER)


def _as_ours(refusal: Refused) -> ApiError:
    error = refusal.error
    if refusal.status >= 500:
        return broken(str(error["message"]), 503)
    return ApiError(refusal.status, str(error["message"]), error.get("code"), param=error.get("param"))
