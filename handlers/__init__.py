"""Speaks Slack: parse, call one function below, draw blocks. `handlers.listeners` is the table of contents."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slack_bolt import App

    from handlers.deps import Deps


def register(app: "App", deps: "Deps") -> None:
    """Attach every listener to `app`.

    They are imported only now: workers and the shell need `handlers.deps` alone, and start in half the time.
    """
    from handlers import listeners

    listeners.register(app, deps)
