"""A local Slack and an app beside it, as fixtures: for one test, for a whole file, or begun with settings."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bot.console.third_party import Answer, Ear, Heard, Listener, recorder
from tests.console import LocalSlack

Pair = tuple[LocalSlack, Listener]
Start = Callable[..., Pair]


@pytest.fixture
def ear(slack: LocalSlack) -> Iterator[Ear]:
    """An app beside the test's own `slack` that records."""
    app = recorder()
    slack.point_at(app.url)
    yield app
    app.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One local Slack and one app for the whole file: starting them costs more than most tests."""
    listening = recorder()
    slack = LocalSlack(tmp_path_factory.mktemp("slack"), app_url=listening.url)
    yield slack, listening
    slack.stop()
    listening.stop()


@pytest.fixture
def app(running: Pair, slack: LocalSlack) -> Listener:
    """The file's app; it takes everything and answers nothing until a test says what."""
    app = running[1]
    app.answer, app.heard = lambda heard: Answer(), []
    return app


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a local Slack with settings, and an app that answers as told."""
    begun: list[Any] = []

    def begin(answer: Callable[[Heard], Answer] | None = None, **settings: Any) -> Pair:
        app = recorder(answer)
        slack = LocalSlack(tmp_path / "console", app_url=app.url, **settings)
        begun.extend([slack, app])
        return slack, app

    yield begin
    for each in begun:
        each.stop()
