"""Attaches every listener to Slack: the table of contents of what we hear; it hears nothing itself."""

from slack_bolt import App

from handlers import (
    actions,
    assistant,
    choosing,
    commands,
    costs,
    datasets,
    documents,
    errors,
    facts,
    feedback,
    finishing,
    generating,
    home,
    labels,
    learning,
    mentions,
    messages,
    modals,
    more_rows,
    plans,
    prompting,
    reports,
    review,
    rows,
    sharing,
    sources,
    strangers,
    voice,
)
from handlers.deps import Deps


def register(app: App, deps: Deps) -> None:
    """Attach every listener to `app`."""
    errors.register(app)
    strangers.register(app)
    listening = (
        mentions,
        messages,
        assistant,
        commands,
        actions,
        choosing,
        costs,
        facts,
        modals,
        labels,
        plans,
        reports,
        review,
        feedback,
        sharing,
        prompting,
        sources,
        documents,
        learning,
        finishing,
        more_rows,
        datasets,
        rows,
        voice,
        generating,
    )
    for part in (*listening, home):
        part.register(app, deps)
