"""Knows how to look an installation over without changing it; it repairs nothing."""

from typing import NamedTuple

from bot import install
from bot.services import heartbeat, running
from bot.settings import Settings
from knowledge import weights
from trainers.jobs.queue import QUEUES, answers, workers_on


class Findings(NamedTuple):
    """How an installation stands, each in words."""

    data: str
    running: str
    queue: str
    vectors: str
    workers: str
    training_tools: str
    weights: str
    language_model: str
    embedding_model: str
    leaves_this_machine: str


def examine(settings: Settings) -> Findings:
    """Look at everything once; what does not answer is said, not raised."""
    beside = running(settings)
    used = beside or settings
    files = weights.listing(settings.cache)
    return Findings(
        data=str(settings.data),
        running="yes" if beside else "no; start it with `luthier up`",
        queue=_answers(used.redis_url, bool(used.redis_url) and answers(used.redis_url)),
        vectors=_answers(used.chroma_url, bool(used.chroma_url) and heartbeat(used.chroma_url)),
        workers=", ".join(f"{queue} {workers_on(used.redis_url, queue) if used.redis_url else 0}" for queue in QUEUES),
        training_tools=install.note(settings) or "installed",
        weights=", ".join(f"{kept.artefact.name} {'here' if kept.present else 'not fetched'}" for kept in files),
        language_model=settings.model or "none",
        embedding_model=settings.embeddings or "all-MiniLM-L6-v2, on this machine",
        leaves_this_machine=", ".join(settings.remote_endpoints) or "nothing",
    )


def _answers(url: str, does: bool) -> str:
    url = url.rpartition("@")[2] if "@" in url else url  # an address may hold a password
    return f"{url} answers" if does else f"{url or 'not started'}: no answer" if url else "started when it is needed"
