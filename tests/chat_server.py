"""Runs the shipped rehearsal chat server in a thread, over a real socket, and ends it with the test."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from knowledge.rehearsal import Rehearsal, build_app
from tests.serving import served


class ChatServer(NamedTuple):
    """A running server: its base URL, and the handle that changes its behaviour and shows what it was asked."""

    url: str
    rehearsal: Rehearsal


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A rehearsal server of the test's own."""
    rehearsal = Rehearsal()
    with served(build_app(rehearsal)) as address:
        yield ChatServer(address, rehearsal)
