"""Knows when a Home tab is drawn anew and from what; it does not know how it looks."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers import assistant
from handlers.blocks.documents import GuideNote
from handlers.blocks.home import HomeJobs, home_view
from handlers.deps import Deps
from handlers.people import person_of
from handlers.posting import permalink
from knowledge.feedback import Feedback
from knowledge.sources import load_guide
from knowledge.tenancy import Person
from trainers.jobs.approval import OPEN, needs_others
from trainers.states import ENDED, LIVE
from trainers.tables import Job

RECENT = timedelta(days=7)
RATED = timedelta(days=30)
"""How far back the ratings of answers are counted."""
LINKS = 5
"""Finished jobs whose thread is looked up; each costs a call."""


def register(app: App, deps: Deps) -> None:
    """Listen for people who open our Home or our direct messages."""
    app.event("app_home_opened")(partial(opened, deps))


def opened(deps: Deps, event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
    """Show the Home tab, or greet in direct messages."""
    person = person_of(context)
    if event.get("tab") == "messages":
        assistant.welcome_once(client, deps, person, str(event["channel"]))
    else:
        publish_home(client, deps, person.workspace_id, person.user_id)


def publish_home(client: WebClient, deps: Deps, workspace_id: str, user_id: str) -> None:
    """Draw a person's Home tab anew."""
    jobs = sort_jobs(deps.jobs.ledger.listing(workspace_id, requested_by=user_id), deps)
    mine = deps.jobs.waiting_for(Person(workspace_id=workspace_id, user_id=user_id), deps.clock())
    rules = deps.workspaces.rules(workspace_id)
    to_ask = frozenset(job.id for job in jobs.waiting if needs_others(job, rules))
    jobs = jobs._replace(to_approve=mine, to_ask=to_ask)
    models = deps.registry.listing(workspace_id, seen_by=user_id)
    approves = user_id in rules.approvers
    rated = Feedback(deps.engine).tally(workspace_id, deps.clock() - RATED) if approves else None
    links, documents = _links(client, jobs.finished), len(deps.library.documents(workspace_id))
    view = home_view(jobs, models, links, guide_note(), deps.install_note(), rated, documents)
    client.views_publish(user_id=user_id, view=view)


def sort_jobs(jobs: Sequence[Job], deps: Deps) -> HomeJobs:
    """Sort a person's jobs by what they ask of that person."""
    now = deps.clock()
    fresh = [job for job in jobs if job.state in OPEN and (job.expires_at is None or job.expires_at > now)]
    recent = [job for job in jobs if job.state in ENDED and job.approved_at and (job.finished_at or now) > now - RECENT]
    live = [job for job in jobs if job.state in LIVE]
    return HomeJobs(waiting=fresh, running=live, finished=recent, places=deps.jobs.ledger.places(live, now))


@cache
def guide_note() -> GuideNote:
    """Count the guide's pages; the guide is part of this version and does not change while it runs."""
    pages = load_guide()
    return GuideNote(pages=len(pages), newest=max(page.updated for page in pages))


def _links(client: WebClient, jobs: Sequence[Job]) -> dict[str, str]:
    links = {}
    for job in [job for job in jobs if job.channel and job.thread_ts][:LINKS]:
        with suppress(SlackApiError):  # the thread was deleted, or we left the channel
            links[job.id] = permalink(client, job.channel, job.thread_ts)
    return links
