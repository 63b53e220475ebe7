"""Knows how the Home tab looks; it does not know when it is shown."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from handlers.blocks.answer import PRIVACY
from handlers.blocks.approval import APPROVE, ASK, CANCEL, total
from handlers.blocks.documents import ALL, GuideNote
from handlers.blocks.job import stop_button
from handlers.blocks.learn import OPEN
from handlers.blocks.lint import FORM
from handlers.blocks.listing import NO_PLACES, job_state, model_line
from handlers.blocks.parts import Block, actions, button, context, divider, header, section
from handlers.blocks.report import DETAILS, TRY
from handlers.blocks.words import bar, count, minutes, money, person, time_left
from handlers.escape import mrkdwn
from knowledge.feedback import VERDICTS, Tally
from trainers.jobs.line import Ahead
from trainers.tables import Job, ModelVersion

_HELLO = (
    "Prompt, RAG or fine-tune? Mention me in a channel or write to me. When training is worth it I price it, run it "
    "and test it."
)

SHOWN = 8
"""Entries in each part."""


class HomeJobs(NamedTuple):
    """A person's jobs, by what they ask of that person; newest first."""

    waiting: Sequence[Job]
    """Quotes of theirs that nobody has approved."""
    running: Sequence[Job]
    finished: Sequence[Job]
    to_approve: Sequence[Job] = ()
    """Quotes, mostly of others, that they may approve."""
    to_ask: frozenset[str] = frozenset()
    """Ids of those of theirs that others have to approve."""
    places: Mapping[str, Ahead] = NO_PLACES
    """Where in their queues the waiting ones are, by id."""


def home_view(
    jobs: HomeJobs,
    models: Sequence[ModelVersion],
    links: Mapping[str, str],
    guide: GuideNote,
    note: str = "",
    rated: Tally | None = None,
    documents: int = 0,
) -> Block:
    """Draw a person's Home tab; `links` gives the address of a job's thread by job id, `rated` is for approvers.

    `documents` counts those of the workspace.
    """
    blocks = [
        header("Luthier"),
        section(_HELLO),
        *actions([button("Train a model", FORM, style="primary")]),
        *([context(mrkdwn(note, 500))] if note else []),
        *_part("Waiting for you", _all_waiting(jobs), "Nothing to approve."),
        *_part("Running", [_running(job, jobs.places.get(job.id)) for job in jobs.running[:SHOWN]], "Nothing runs."),
        *_part(
            "Finished this week",
            [[_finished(job, links.get(job.id, ""))] for job in jobs.finished[:SHOWN]],
            "Nothing yet.",
        ),
        *_part("Models", [[_model(model)] for model in models[:SHOWN]], "No tuned models yet."),
        *_part("Sources", [_sources(guide, documents)], ""),
        *([] if rated is None else _part("Answers in the last 30 days", [[section(_ratings(rated))]], "")),
        context(PRIVACY),
    ]
    return {"type": "home", "blocks": blocks}


def _sources(guide: GuideNote, documents: int) -> list[Block]:
    own = f" and {count(documents, 'document')} of your own" if documents else ""
    said = f"The guide{own}. The guide has {count(guide.pages, 'page')}, last changed {guide.newest:%d %b %Y}."
    return [section(said), *actions([button("All sources", ALL), button("Add documents", OPEN)])]


def _part(title: str, entries: Sequence[Sequence[Block]], empty: str) -> list[Block]:
    return [divider(), header(title), *([block for entry in entries for block in entry] or [context(empty)])]


def _ratings(rated: Tally) -> str:
    if not rated.good + rated.bad:
        return "Nobody rated one."
    wrong = [f"{number} × {VERDICTS[verdict].lower()}" for verdict, number in rated.verdicts.items()]
    why = f" ({', '.join(wrong)})" if wrong else ""
    return f"👍 {rated.good} · 👎 {rated.bad}{why}. `luthier feedback` lists them."


def _all_waiting(jobs: HomeJobs) -> list[list[Block]]:
    theirs = {job.id for job in jobs.to_approve}
    others = [_waiting(job, f" · asked for by {person(job.requested_by)}") for job in jobs.to_approve]
    own = [_waiting(job, "", ask=job.id in jobs.to_ask) for job in jobs.waiting if job.id not in theirs]
    return [*others, *own][:SHOWN]


def _waiting(job: Job, note: str, *, ask: bool = False) -> list[Block]:
    offer, token = json.loads(job.quote), f"{job.id}:{job.quote_hash}"
    price = f"{minutes(tuple(offer['training_minutes']))} training, {money(total(offer))} in all{note}"
    if job.state == "quoted" or note:
        first = button(
            "Ask for approval" if ask else "Approve and start", ASK if ask else APPROVE, token, style="primary"
        )
        buttons = [first, button("Cancel", CANCEL, token)]
    else:
        price += " · waits for an approver"
        buttons = [button("Cancel", CANCEL, token)]
    return [
        section(f"*Quote #{job.number} · {mrkdwn(job.title, 150)}*\n{price}"),
        *actions(buttons, block_id=f"home-{job.id}"),
    ]


def _running(job: Job, place: Ahead | None) -> list[Block]:
    figures = json.loads(job.progress) if job.state == "running" else {}
    drawn = bar(figures.get("step", 0), figures["steps"]) if figures.get("steps") else ""
    left = time_left(figures["seconds_left"]) if figures.get("seconds_left") is not None else ""
    head = f"*#{job.number} {mrkdwn(job.title, 150)}* · {job_state(job, place)}"
    text = "\n".join(filter(None, (head, " ".join(filter(None, (drawn, left))))))
    return [section(text, accessory=stop_button(job.id, job.number, job.kind))]


def _finished(job: Job, link: str) -> Block:
    thread = f" · <{link}|thread>" if link else ""
    details = (
        button("Details", DETAILS, job.id)
        if job.state == "succeeded" and json.loads(job.result).get("report")
        else None
    )
    return section(f"*#{job.number} {mrkdwn(job.title, 150)}* · {job_state(job)}{thread}", accessory=details)


def _model(model: ModelVersion) -> Block:
    return section(model_line(model), accessory=button("Try it", TRY, model.id))
