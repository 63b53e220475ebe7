"""Knows how long a connection may be silent before it is closed, and how many there may be; not what is asked on it."""

import asyncio
import resource
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

SILENT = 30.0
"""Seconds in which a connection has to send the whole head of its first request, or of its next one."""


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which would let a connection that never asks anything stay open for ever."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next one: uvicorn's own timer for that ends with its first byte."""
        super().on_response_complete()
        self._silent.cancel()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._silent.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._silent = asyncio.get_running_loop().call_later(SILENT, self._give_up)

    def _give_up(self) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.transport is not None and not self.transport.is_closing():
            self.transport.close()


def allow_connections() -> int:
    """Raise the number of open files as far as the system lets us; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if wanted > soft:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
