"""Runs the shipped rehearsal of rows in a thread, over a real socket, and opens it as any endpoint is opened."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from knowledge.models import ChatModel, open_chat_model
from knowledge.rehearsal_rows import RowRehearsal, build_app
from tests.serving import served


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
    rehearsal = RowRehearsal()
    with served(build_app(rehearsal)) as address:
        model = open_chat_model("writer-1", address, "key")
        assert model is not None
        yield Wire(rehearsal, model, address)
        model.close()
