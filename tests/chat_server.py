"""Runs the shipped rehearsal chat server in a thread, over a real socket, and ends it with the test."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import uvicorn

from knowledge.rehearsal import Rehearsal, build_app
from tests.chroma import free_port


class ChatServer(NamedTuple):
    """A running server: its base URL, and the handle that changes its behaviour and shows what it was asked."""

    url: str
    rehearsal: Rehearsal


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A rehearsal server of the test's own."""
    port = free_port()
    rehearsal = Rehearsal()
    config = uvicorn.Config(
        build_app(rehearsal), host="127.0.0.1", port=port, log_level="error", ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield ChatServer(f"http://127.0.0.1:{port}/v1", rehearsal)
    server.should_exit = True
    server.force_exit = True
    thread.join(10)
