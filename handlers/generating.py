"""Knows how training rows are drafted from Slack and come under review; it does not know how rows are written.

A click that is delivered again, because this process died, goes on from the run's journal: a row is paid for once.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import generating as drawn
from handlers.blocks.parts import section
from handlers.deps import Deps
from handlers.errors import told
from handlers.escape import mrkdwn
from handlers.files import fetched
from handlers.people import person_of, place_of
from handlers.posting import begin_thread, edit, post
from handlers.review import begin_review
from knowledge.conversations import Conversations, Thread
from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import Person
from trainers.data.titles import at_word
from trainers.evals.generating.another import ROWS
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.coverage import Grid, plan_grid, read_grid
from trainers.evals.generating.journal import open_journal
from trainers.evals.generating.rows import Generated
from trainers.evals.generating.spec import RowSpec, row_spec
from trainers.evals.generating.written import write_rows
from trainers.evals.style.voice_texts import read_texts
from trainers.jobs.service import Place

Json = Mapping[str, Any]

FOLDER = "generating"
"""Folder under the data folder with the journals of runs that have not ended."""

_MOST_ERROR = 300
_TEXTS_KEPT = 60
"""Texts of a voice that a review remembers, for `Another like this`."""


def register(app: App, deps: Deps) -> None:
    """Listen for the button and the two forms."""
    app.action(drawn.OPEN)(partial(opened, deps))
    app.view(drawn.SPEC_FORM)(partial(specified, deps))
    app.view(drawn.COVERAGE_FORM)(partial(covered, deps))


def open_form(client: WebClient, place: Place, trigger_id: str, task: str = "") -> None:
    """Open the form; the review goes to `place`."""
    client.views_open(trigger_id=trigger_id, view=drawn.spec_form(json.dumps(place), task))


def opened(deps: Deps, ack: Ack, body: Json, client: WebClient) -> None:
    """Open the form where the button is."""
    ack()
    open_form(client, place_of(body), str(body["trigger_id"]))


def specified(deps: Deps, ack: Ack, view: Json, context: BoltContext) -> None:
    """Show the coverage that fits what is wanted; what cannot be is told at its field."""
    wanted = drawn.entered(view["state"]["values"])
    try:
        grid = plan_grid(_spec(wanted))
    except UserError as error:
        name = drawn.LABELS if "label" in error.what or "field" in error.what else drawn.TASK
        ack(response_action="errors", errors={name: f"{error.what} {error.next_step}"[:_MOST_ERROR]})
        return
    metadata = drawn.packed(json.loads(view["private_metadata"]), wanted)
    writer = deps.model.name if deps.model else ""
    shown = drawn.coverage_form(metadata, grid.text, count=wanted["count"], writer=writer)
    ack(response_action="update", view=shown)


def covered(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Draft the rows and begin their review in a thread."""
    where, wanted = drawn.unpacked(view["private_metadata"])
    try:
        grid = read_grid(drawn.coverage_in(view), _spec(wanted))
    except UserError as error:
        ack(response_action="errors", errors={drawn.COVERAGE: f"{error.what} {error.next_step}"[:_MOST_ERROR]})
        return
    ack()
    person, run = person_of(context), f"{context.team_id}-{view['id']}"
    begun = _begun(client, deps, person, Place(*where), wanted)
    try:
        _draft(client, deps, person, begun, wanted, grid, run)
    except LuthierError as error:
        post(client, begun.channel, told(error.what, error.next_step), thread_ts=begun.thread_ts)


def _begun(client: WebClient, deps: Deps, person: Person, place: Place, wanted: Json) -> Place:
    """Begin the thread that will hold the review."""
    text = _opening(person, wanted)
    channel, ts = begin_thread(client, place.channel, place.thread_ts, person.user_id, text)
    Conversations(deps.engine).join(Thread(person.workspace_id, channel, ts), "rows", deps.clock())
    return Place(channel, ts, place.private)


def _draft(client: WebClient, deps: Deps, person: Person, place: Place, wanted: Json, grid: Grid, run: str) -> None:
    """Draft, then put the rows before people."""
    spec = replace(_spec(wanted), texts=tuple(_texts(client, deps, wanted["files"])))
    made = _made(client, deps, person, place, wanted, spec, grid, run)
    name = at_word(spec.plan.instruction, 60)
    post(client, place.channel, f"{made.marked} {mrkdwn(' '.join(made.notes), 900)}", thread_ts=place.thread_ts)
    kept = replace(spec, texts=spec.texts[:_TEXTS_KEPT])
    about = {"task": spec.task, "labels": list(spec.labels), "name": name, ROWS: kept.to_json()}
    drafts = [draft.to_review() for draft in made.drafts]
    begin_review(client, deps, person, place, drafts, purpose="train", title=name, spec=about)
    (deps.datasets.folder / FOLDER / f"{run}.jsonl").unlink(missing_ok=True)


def _made(
    client: WebClient, deps: Deps, person: Person, place: Place, wanted: Json, spec: RowSpec, grid: Grid, run: str
) -> Generated:
    """Write rows with the language model, or compose them; the thread's first message says how far it is."""
    count, seed = int(wanted["count"]), int(wanted.get("seed") or 7)
    if deps.model is None:
        return compose_rows(spec, count=count, seed=seed, grid=grid)
    journal = open_journal(deps.datasets.folder / FOLDER / f"{run}.jsonl", spec, grid, count, seed)

    def tell(done: int, of: int, remark: str) -> None:
        if done and done % 3 == 0:
            text = f"{_opening(person, wanted)} {done} of {of} are written."
            edit(client, place.channel, place.thread_ts, text, [section(text)])

    meter = deps.meter(person.workspace_id)
    return write_rows(
        spec, count=count, seed=seed, model=deps.model, meter=meter, grid=grid, journal=journal, tell=tell
    )


def _opening(person: Person, wanted: Json) -> str:
    return f"<@{person.user_id}> drafts {wanted['count']} training rows for: {mrkdwn(wanted['task'], 300)}"


def _texts(client: WebClient, deps: Deps, file_ids: list[str]) -> list[str]:
    with ExitStack() as stack:
        got = [stack.enter_context(fetched(client, file_id, deps)) for file_id in file_ids]
        return read_texts([file.path for file in got], [file.name for file in got], today=deps.clock().date())


def _spec(wanted: Json) -> RowSpec:
    """Read what the form held; labels are headings where the format is fixed."""
    listed = [each.strip() for each in str(wanted["labels"]).split(",") if each.strip()]
    fixed = wanted["kind"] == "format"
    return row_spec(
        str(wanted["task"]),
        kind=str(wanted["kind"]),
        labels=() if fixed else listed,
        headings=listed if fixed else (),
        writers=str(wanted["writers"]),
        good=str(wanted["good"]),
    )
