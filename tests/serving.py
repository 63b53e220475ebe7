"""Serves an app on a port of its own for a test; it does not know what the app does."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from bot.services import free_port


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Yield the address of an ASGI app, ``http://127.0.0.1:PORT/v1``, while it is served by a thread."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = server.force_exit = True
    thread.join(10)
