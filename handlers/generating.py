"""Knows how training rows are asked for from Slack and come under review; it does not know how rows are written.

Recipes compose at once. A language model writes as a job: quoted, approved, stopped and resumed like every other, and
the job's end brings the review.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import generating as drawn
from handlers.blocks.parts import Block
from handlers.deps import Deps
from handlers.errors import told
from handlers.escape import mrkdwn
from handlers.files import fetched
from handlers.once import Once, alone
from handlers.people import is_private, person_of, place_of
from handlers.posting import begin_thread, post
from handlers.review import begin_review
from knowledge.conversations import Conversations, Thread
from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import Person
from trainers.data.titles import REVIEW_TITLE, at_word
from trainers.evals.generating.another import review_spec
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.coverage import Grid, plan_grid, read_grid
from trainers.evals.generating.form import unused_wishes
from trainers.evals.generating.passages import passages_of
from trainers.evals.generating.spec import (
    DEFAULT_SEED,
    MOST_MATERIAL,
    OppositeWishes,
    RowSpec,
    other_kind,
    read_fields,
    row_spec,
    without_secrets,
)
from trainers.evals.generating.streams import system_of
from trainers.evals.style.voice_texts import read_texts
from trainers.jobs.drafting import Wish
from trainers.jobs.service import Place

Json = Mapping[str, Any]

_MOST_ERROR = 300
_clicks = Once()


def register(app: App, deps: Deps) -> None:
    """Listen for the button and the two forms."""
    app.action(drawn.OPEN)(partial(opened, deps))
    app.view(drawn.SPEC_FORM)(partial(specified, deps))
    app.view(drawn.COVERAGE_FORM)(partial(covered, deps))


def open_form(
    client: WebClient, deps: Deps, person: Person, place: Place, trigger_id: str, task: str = "", count: int = 0
) -> None:
    """Open the form; the review goes to `place`."""
    view = drawn.spec_form(json.dumps(place), task, count, collections_of(deps, person))
    client.views_open(trigger_id=trigger_id, view=view)


def collections_of(deps: Deps, person: Person) -> list[str]:
    """Return the names of the collections that this person's workspace has."""
    return sorted({row.collection for row in deps.library.documents(person.workspace_id)})


def opened(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form where the button is, with what it says."""
    ack()
    said = drawn.offered(str(action.get("value") or ""))
    open_form(client, deps, person_of(context), place_of(body), str(body["trigger_id"]), *said)


def specified(deps: Deps, ack: Ack, view: Json, context: BoltContext) -> None:
    """Show the coverage that fits what is wanted; what cannot be is told at its field."""
    wanted = _as_fields(drawn.entered(view["state"]["values"]))
    try:
        second = _second_form(deps, json.loads(view["private_metadata"]), wanted)
    except UserError as error:
        name = _field_of(error, wanted)
        ack(response_action="errors", errors={name: f"{error.what} {error.next_step}"[:_MOST_ERROR]})
        return
    ack(response_action="update", view=second)


def _second_form(deps: Deps, where: list[Any], wanted: Json) -> Block:
    """Draw the coverage with the schema and the system prompt, if any; raises UserError for what cannot be."""
    spec = _spec(wanted)
    grid, system = plan_grid(spec, own_documents=bool(wanted["collection"])), system_of(spec)
    metadata = drawn.packed(where, {**wanted, "schema": "", "shown": _digest(system)})
    if len(metadata) > drawn.METADATA_LENGTH:
        raise UserError("All of it together is more than a form holds.", "Shorten the task, or what is good.")
    writer, free = (deps.model.name, deps.model_price().free) if deps.model else ("", True)
    doubt = deps.model_doubt() or ("" if deps.model else unused_wishes(spec))
    told: Json = {"count": wanted["count"], "writer": writer, "free": free, "doubt": doubt, "schema": _written(spec)}
    return drawn.coverage_form(metadata, grid.text, system=system, **told)


def _field_of(error: UserError, wanted: Json) -> str:
    """Name the field at which an error is told."""
    if isinstance(error, OppositeWishes):
        return drawn.GOOD if wanted["good"] else drawn.STYLE if wanted["style"] else drawn.TASK
    if wanted["schema"] and "schema" in error.what:
        return drawn.SCHEMA
    if wanted["collection"] and "collection" in error.what:
        return drawn.COLLECTION
    if "field" in error.what:
        return drawn.SCHEMA
    return drawn.LABELS if "label" in error.what.lower() or "heading" in error.what.lower() else drawn.TASK


def covered(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Draft the rows, or have them quoted; the same form again changes nothing."""
    where, told = drawn.unpacked(view["private_metadata"])
    wanted, at = {**told, "schema": drawn.schema_in(view), "system": _own_prompt(view, told)}, drawn.READ
    try:
        spec = _spec(wanted)
        at = drawn.COVERAGE
        grid = read_grid(drawn.coverage_in(view), spec)
    except UserError as error:
        at = drawn.SYSTEM if "system prompt" in error.what else at
        ack(response_action="errors", errors={at: f"{error.what} {error.next_step}"[:_MOST_ERROR]})
        return
    ack(response_action="clear")  # the form may lie over the list of data sets
    request = f"rows:{context.team_id}:{view['id']}"
    with alone(request) as first:
        if first and not _known(deps, request):
            _begin(client, deps, person_of(context), Place(*where), wanted, grid, request)


def _own_prompt(view: Json, told: Json) -> str:
    """Return the system prompt that somebody wrote; "" for the one shown, which follows a schema that was changed."""
    typed = drawn.system_in(view)
    return "" if _digest(typed) == told.get("shown") else typed


def _digest(text: str) -> str:
    return sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def _known(deps: Deps, request: str) -> bool:
    """Say whether a request was followed already: as a job for good, by recipes within the last seconds."""
    drafting = deps.drafting
    return bool(drafting.begun(request)) if drafting else not _clicks.first(request, deps.clock())


def _begin(client: WebClient, deps: Deps, person: Person, place: Place, wanted: Json, grid: Grid, request: str) -> None:
    begun = _begun(client, deps, person, place, wanted)
    try:
        named, texts = str(wanted.get("collection") or ""), _texts(client, deps, wanted["files"])
        passages = passages_of(deps.library, person.workspace_id, named) if named else ()
        spec = replace(_spec(wanted), texts=without_secrets(texts), passages=tuple(passages[:MOST_MATERIAL]))
        wish = Wish(spec=spec, grid=grid, count=int(wanted["count"]), seed=int(wanted.get("seed") or DEFAULT_SEED))
        if deps.drafting is None:
            _compose(client, deps, person, begun, wish)
        else:
            deps.drafting.propose(wish, request=request, person=person, place=begun, now=deps.clock())
    except LuthierError as error:
        post(client, begun.channel, told(error.what, error.next_step), thread_ts=begun.thread_ts)


def _begun(client: WebClient, deps: Deps, person: Person, place: Place, wanted: Json) -> Place:
    """Begin the thread that will hold the review."""
    text = f"<@{person.user_id}> drafts {wanted['count']} training rows for: {mrkdwn(wanted['task'], 300)}"
    channel, ts = begin_thread(client, place.channel, place.thread_ts, person.user_id, text)
    Conversations(deps.engine).join(Thread(person.workspace_id, channel, ts), "rows", deps.clock())
    return Place(channel, ts, place.private or is_private(channel, ""))


def _compose(client: WebClient, deps: Deps, person: Person, place: Place, wish: Wish) -> None:
    """Compose rows by recipe, then put them before people."""
    made = compose_rows(wish.spec, count=wish.count, seed=wish.seed, grid=wish.grid)
    post(client, place.channel, f"{made.marked} {mrkdwn(' '.join(made.notes), 900)}", thread_ts=place.thread_ts)
    drafts = [draft.to_review() for draft in made.drafts]
    about, name = review_spec(wish.spec, wish.grid), at_word(wish.spec.plan.instruction, REVIEW_TITLE)
    begin_review(client, deps, person, place, drafts, purpose="train", title=name, spec=about)


def _texts(client: WebClient, deps: Deps, file_ids: list[str]) -> list[str]:
    with ExitStack() as stack:
        got = [stack.enter_context(fetched(client, file_id, deps)) for file_id in file_ids]
        return read_texts([file.path for file in got], [file.name for file in got], today=deps.clock().date())


def _as_fields(wanted: Json) -> Json:
    """Take labels for the names of fields where answers are JSON and nothing else names them."""
    if wanted["kind"] == "extraction" and wanted["labels"] and not wanted["schema"]:
        return {**wanted, "labels": "", "schema": wanted["labels"]}
    return wanted


def _spec(wanted: Json) -> RowSpec:
    """Read what the form held; labels are headings where the format is fixed."""
    listed = [each.strip() for each in str(wanted["labels"]).split(",") if each.strip()]
    kind, fields = str(wanted["kind"]), str(wanted.get("schema") or "")
    spec = row_spec(
        str(wanted["task"]),
        kind=kind,
        labels=() if kind == "format" else listed,
        headings=listed if kind == "format" else (),
        schema=read_fields(fields) if fields else None,
        writers=str(wanted["writers"]),
        style=str(wanted.get("style") or ""),
        target=str(wanted.get("target") or ""),
        system=str(wanted.get("system") or ""),
        good=str(wanted["good"]),
    )
    if wanted.get("collection") and spec.kind != "documents":
        raise other_kind(spec.kind)
    return spec


def _written(spec: RowSpec) -> str:
    """Write the schema for the second form; "" for other kinds of rows. Raises UserError for one that is too long."""
    if spec.schema is None:
        return ""
    text = json.dumps(spec.schema, ensure_ascii=False, separators=(",", ":"))
    if len(text) > drawn.SCHEMA_LENGTH:
        what = f"This schema has {len(text):,} characters, and a form holds {drawn.SCHEMA_LENGTH:,}."
        raise UserError(what, "Leave fields out, or use the shell: luthier data generate --schema FILE.")
    return text
