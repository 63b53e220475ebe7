"""Runs the shipped rehearsal of rows in a thread, over a real socket, and opens it as any endpoint is opened."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import uvicorn

from knowledge.models import ChatModel, open_chat_model
from knowledge.rehearsal_rows import RowRehearsal, build_app
from tests.chroma import free_port


class Wire(NamedTuple):
    """A running server: the handle that changes how it behaves and shows what it was asked, the model, the address."""

    rehearsal: RowRehearsal
    model: ChatModel
    url: str

    def asked(self, mark: str) -> list[str]:
        """What was asked with a mark, by the last message."""
        texts = [str(request["messages"][-1]["content"]) for request in self.rehearsal.requests]
        return [text for text in texts if mark in text]


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A rehearsal server of the test's own."""
    port, rehearsal = free_port(), RowRehearsal()
    config = uvicorn.Config(
        build_app(rehearsal), host="127.0.0.1", port=port, log_level="error", ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    model = open_chat_model("writer-1", f"http://127.0.0.1:{port}/v1", "key")
    assert model is not None
    yield Wire(rehearsal, model, f"http://127.0.0.1:{port}/v1")
    model.close()
    server.should_exit = server.force_exit = True
    thread.join(10)
