"""Knows the backends by name; a new one is a file here and a line in the table."""

from importlib import import_module
from typing import Any

from knowledge.errors import UserError
from trainers.backends.base import Backend

HOSTED = ("openai", "azure", "nebius", "compatible", "hosted_rehearsal")
"""Those that speak OpenAI's fine-tuning API; `hosted.toml` says in what they differ."""

BACKENDS = {
    "endpoint": "trainers.backends.endpoint:EndpointBackend",
    "local": "trainers.backends.local:LocalBackend",
    **dict.fromkeys(HOSTED, "trainers.backends.hosted:HostedBackend"),
    "rehearsal": "trainers.backends.rehearsal:RehearsalBackend",
}
"""Name -> where its class lies; loaded on first use, so that no backend's packages slow the others down."""

QUEUES = {"endpoint": "io", "local": "cpu", "rehearsal": "io", **dict.fromkeys(HOSTED, "io")}
"""Name -> the queue of the workers that advance it; known without loading the backend."""


def check_name(name: str) -> None:
    """Raise UserError for a backend that nobody knows."""
    if name not in BACKENDS:
        raise UserError(f"There is no backend called {name}.", f"Choose one of {', '.join(sorted(BACKENDS))}.")


def load(name: str, **parts: Any) -> Backend:
    """Return the backend `name`, built from `parts`; raises UserError for a name that nobody knows."""
    check_name(name)
    module, _, attribute = BACKENDS[name].partition(":")
    backend: Backend = getattr(import_module(module), attribute)(**parts)
    return backend
