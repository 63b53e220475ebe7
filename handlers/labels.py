"""Knows what happens when a person compares answers pair by pair; it does not know how a pair looks.

A click carries the row and the place of the answer, never whose it is. What is shown next follows from what is kept,
so that a second click, a restart or a second window changes nothing.
"""

import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import labels as blocks
from handlers.blocks.forms import note_view
from handlers.blocks.parts import Block
from handlers.deps import Deps
from handlers.errors import words_for
from handlers.people import person_of, place_of
from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import Person
from trainers.evals import labels
from trainers.evals.judges.agreement import among_people, with_people
from trainers.tables import Job

Json = dict[str, Any]

SESSION = 20
"""Pairs that one person is asked for; the rest of the sample takes the place of pairs that are skipped."""


class Session(NamedTuple):
    """What a view carries from click to click."""

    job_id: str
    channel: str
    """Where it was begun: a private job may be seen there."""
    skipped: tuple[int, ...] = ()


def register(app: App, deps: Deps) -> None:
    """Listen for the button under a report and for the buttons under a pair."""
    app.action(blocks.START)(partial(start, deps))
    app.action(re.compile(f"^{blocks.PICK}:"))(partial(pick, deps))


def start(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the first pair that this person has not labelled."""
    ack()
    session = Session(str(action["value"]), place_of(body).channel)
    client.views_open(trigger_id=body["trigger_id"], view=next_view(deps, session, person_of(context)))


def pick(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Keep a choice and show the next pair in the same view."""
    ack()
    person, view = person_of(context), body["view"]
    job_id, channel, skipped = json.loads(view["private_metadata"])
    session = Session(job_id, channel, tuple(skipped))
    try:
        drawn = next_view(deps, choose(deps, session, person, action), person)
    except LuthierError as error:
        drawn = note_view(blocks.TITLE, words_for(error))
    client.views_update(view_id=view["id"], view=drawn)


def choose(deps: Deps, session: Session, person: Person, action: Json) -> Session:
    """Keep what a click says; a skipped row is remembered by the view alone. Raises UserError, NotAllowed."""
    place, row = str(action["action_id"]).partition(":")[2], int(action["value"])
    job = _job(deps, session, person)
    if row not in {choice.row for choice in _sample(deps, job)}:
        raise UserError("That pair is not among these any more.", "Close this and begin again.")
    if place == "skip":
        return session._replace(skipped=tuple(dict.fromkeys((*session.skipped, row))))
    choice = labels.resolved(job.id, row, person.user_id, place)
    labels.add(deps.engine, job, row, person, choice, deps.clock())
    return session


def next_view(deps: Deps, session: Session, person: Person) -> Block:
    """Draw the next pair, or the end where this person has done enough or none is left."""
    job = _job(deps, session, person)
    chosen, kept = _sample(deps, job), labels.labels_of(deps.engine, job.workspace_id, job.id)
    mine = {label.row for label in kept if label.person == person.user_id}
    left = [choice for choice in chosen if choice.row not in mine and choice.row not in session.skipped]
    wanted = min(SESSION, len(mine) + len(left))
    if len(mine) >= SESSION or not left:
        judged = labels.read_judged(_folder(deps, job) / "judged.json")
        return blocks.thanks_view(len(mine), len(session.skipped), among_people(kept), with_people(judged, kept))
    return blocks.pair_view(_shown(job, left[0], person), len(mine) + 1, wanted, json.dumps(session))


def _job(deps: Deps, session: Session, person: Person) -> Job:
    return deps.jobs.ledger.find(person.workspace_id, session.job_id, seen_by=person.user_id, channel=session.channel)


def _sample(deps: Deps, job: Job) -> Sequence[labels.Choice]:
    test = deps.datasets.folder / deps.datasets.get(job.dataset_id).test_path
    return labels.sample(job.id, _folder(deps, job) / "predictions.jsonl", test)


def _folder(deps: Deps, job: Job) -> Path:
    return deps.datasets.folder / "jobs" / job.id / "evaluation"


def _shown(job: Job, choice: labels.Choice, person: Person) -> blocks.Shown:
    answers = (choice.base, choice.tuned)
    left, right = reversed(answers) if labels.tuned_is_left(job.id, choice.row, person.user_id) else answers
    return blocks.Shown(choice.row, choice.system, choice.asked, left, right)
