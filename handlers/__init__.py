"""Speaks Slack: parse, call one function below, draw blocks. This is the table of contents."""

from slack_bolt import App

from handlers import (
    actions,
    assistant,
    commands,
    errors,
    facts,
    home,
    labels,
    mentions,
    messages,
    modals,
    plans,
    reports,
    review,
)
from handlers.deps import Deps


def register(app: App, deps: Deps) -> None:
    """Attach every listener to `app`."""
    errors.register(app)
    for part in (mentions, messages, assistant, commands, actions, facts, modals, labels, plans, reports, review, home):
        part.register(app, deps)
