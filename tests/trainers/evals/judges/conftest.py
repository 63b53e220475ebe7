"""A judge behind the rehearsal chat server, for tests of judges."""

from collections.abc import Iterator

import pytest

from tests.chat_server import ChatServer, chat_server
from trainers.evals.judges.judge import Judge, open_judge

__all__ = ["chat_server"]


@pytest.fixture
def judge(chat_server: ChatServer) -> Iterator[Judge]:
    """A judge that prefers the longer answer."""
    chat_server.rehearsal.judge = "longer"
    made = open_judge("some-judge", chat_server.url, "key-1")
    assert made is not None
    yield made
    made.model.close()
