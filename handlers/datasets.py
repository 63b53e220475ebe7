"""Knows what happens in the list of data sets: its buttons, menus and forms; it does not know how they look."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import datasets as drawn
from handlers.blocks.forms import note_view
from handlers.blocks.generating import spec_form
from handlers.blocks.parts import Block
from handlers.deps import Deps
from handlers.errors import words_for
from handlers.escape import mrkdwn
from handlers.files import too_large
from handlers.generating import collections_of
from handlers.modals import open_training
from handlers.people import person_of, place_of
from handlers.posting import send
from handlers.rows import keep_upload
from knowledge.errors import LuthierError
from knowledge.tenancy import Person
from trainers.data import keeping
from trainers.data.differences import compare
from trainers.data.links import Links
from trainers.jobs.service import Place
from trainers.tables import Dataset

Json = Mapping[str, Any]

MOST = 1000
"""Data sets in the list."""

_TICK = "Tick this for an upload: I train only on files that were made for it."


def register(app: App, deps: Deps) -> None:
    """Listen for buttons, menus and forms."""
    listeners: dict[str, Callable[..., None]] = {
        drawn.TRAIN: train,
        drawn.MORE: grow,
        drawn.UPLOAD: grow,
        drawn.ACTS: act,
        drawn.LINK: link,
        drawn.DRAFT: draft,
        drawn.OLD: compared,
        drawn.NEW: compared,
        f"{drawn.PAGE}:back": turned,
        f"{drawn.PAGE}:on": turned,
    }
    for action_id, listener in listeners.items():
        app.action(action_id)(partial(listener, deps))
    app.view(drawn.UPLOADED)(partial(uploaded, deps))
    app.view(drawn.RENAMED)(partial(renamed, deps))
    app.view(drawn.DELETED)(partial(deleted, deps))


def list_view(deps: Deps, person: Person, place: str, page: int = 0, note: str = "") -> Block:
    """Draw a page of what this person may see."""
    rows = deps.datasets.listing(person.workspace_id, seen_by=person.user_id, most=MOST)
    return drawn.list_view(rows, place, page, note, links=bool(deps.upload_address))


def turned(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Turn a page."""
    ack()
    view = list_view(deps, person_of(context), body["view"]["private_metadata"], int(action["value"]))
    client.views_update(view_id=body["view"]["id"], view=view)


def train(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the training form with a data set chosen."""
    ack()
    person = person_of(context)
    try:
        chosen = keeping.seen(deps.datasets, person, str(action["value"])).id
    except LuthierError as refused:
        _show(client, body, note_view("Train", words_for(refused)))
        return
    above = body.get("view", {}).get("type") == "modal"
    open_training(client, deps, person, _place(body, person), body["trigger_id"], chosen, above=above)


def grow(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form for a file: rows of their own (`-`), or more rows for a data set."""
    ack()
    person, id_ = person_of(context), str(action["value"])
    place = _place(body, person)
    try:
        dataset = None if id_ == "-" else keeping.seen(deps.datasets, person, id_)
        form = drawn.upload_form(json.dumps([list(place), id_]), dataset, private=place.private)
    except LuthierError as refused:
        form = note_view("More rows", words_for(refused))
    _show(client, body, form)


def draft(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form that drafts rows over the list; the review goes where the list was asked for."""
    ack()
    person = person_of(context)
    _show(client, body, spec_form(json.dumps(_place(body, person)), collections=collections_of(deps, person)))


def act(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Do what was chosen in the menu of an entry."""
    ack()
    what, id_ = json.loads(action["selected_option"]["value"])
    person = person_of(context)
    try:
        dataset = keeping.seen(deps.datasets, person, str(id_))
        view = ACTS[what](client, deps, person, dataset, body)
    except LuthierError as refused:
        view = note_view("Data sets", words_for(refused))
    _show(client, body, view)


def link(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Show a one-time link for a file, to whoever asked."""
    ack()
    person = person_of(context)
    private = _place(body, person).private
    secret = Links(deps.engine).make(person, deps.clock(), private=private)
    _show(client, body, drawn.link_view(f"{deps.upload_address}/upload/{secret}", deps.file_limit))


def compared(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Compare the two versions that were chosen, in the order in which they were."""
    ack()
    person, chosen = person_of(context), body["view"]["state"]["values"][drawn.VERSIONS]
    ids = [str((chosen[name].get("selected_option") or {}).get("value")) for name in (drawn.OLD, drawn.NEW)]
    try:
        old, new = (keeping.seen(deps.datasets, person, id_) for id_ in ids)
        view = _side_by_side(deps, person, old, new)
    except LuthierError as refused:
        view = note_view("Two versions", words_for(refused))
    client.views_update(view_id=body["view"]["id"], view=view)


def uploaded(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Check the form, then lint and keep the rows, and say so in a thread."""
    values = view["state"]["values"]
    errors = problems(values, deps.file_limit)
    if errors:
        ack(response_action="errors", errors=errors)
        return
    ack(response_action="clear")
    place, id_ = json.loads(view["private_metadata"])
    rows, test = (_file(values, name) for name in (drawn.ROWS, drawn.TEST))
    name = str((values.get(drawn.NAME, {}).get(drawn.NAME) or {}).get("value") or "").strip()
    to = "" if id_ == "-" else str(id_)
    keep_upload(client, deps, person_of(context), Place(*place), rows, test, name=name, to=to)


def renamed(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Give all versions of a data set another name."""
    person, (id_, root, place) = person_of(context), json.loads(view["private_metadata"])
    name = str(view["state"]["values"][drawn.NAME][drawn.NAME].get("value") or "")
    try:
        dataset = keeping.seen(deps.datasets, person, id_)
        keeping.rename(deps.engine, dataset, name, person, deps.clock())
    except LuthierError as refused:
        ack(response_action="errors", errors={drawn.NAME: f"{refused.what} {refused.next_step}"[:150]})
        return
    ack()
    client.views_update(view_id=root, view=list_view(deps, person, place))


def deleted(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Remove a version's bytes; the form has said what stays."""
    person, (id_, root, place) = person_of(context), json.loads(view["private_metadata"])
    try:
        dataset = keeping.seen(deps.datasets, person, id_)
        keeping.delete(deps.datasets, deps.engine, dataset, person, deps.clock())
        said = f"*{mrkdwn(dataset.name, 80)}* v{dataset.version} is deleted. Its bytes are gone."
    except LuthierError as refused:
        said = words_for(refused)
    ack(response_action="update", view=note_view("Data sets", said))
    client.views_update(view_id=root, view=list_view(deps, person, place))


def problems(values: Json, file_limit: int) -> dict[str, str]:
    """Return what is wrong with the upload form, by block id; only what can be told without reading the files."""
    found = {}
    if _file(values, drawn.ROWS) is None:
        found[drawn.ROWS] = "Choose a file here."
    for name in (drawn.ROWS, drawn.TEST):
        size = int((_file(values, name) or {"size": 1}).get("size") or 0)
        if size == 0:
            found[name] = "That file is empty. Upload one with a row on each line."
        elif size > file_limit:
            found[name] = str(too_large(size, file_limit))
    if not (values[drawn.OURS][drawn.OURS].get("selected_options")):
        found[drawn.OURS] = _TICK
    return found


def _diff(client: WebClient, deps: Deps, person: Person, dataset: Dataset, body: Json) -> Block:
    known = keeping.versions(deps.datasets, person, dataset)
    if len(known) < 2:
        return note_view("Two versions", f"v{dataset.version} is the only version that you can see.")
    other = keeping.before(deps.datasets, person, dataset) or known[-2]  # of the first version: the one after it
    old, new = sorted((other, dataset), key=lambda each: each.version)
    return _side_by_side(deps, person, old, new)


def _side_by_side(deps: Deps, person: Person, old: Dataset, new: Dataset) -> Block:
    return drawn.diff_view(compare(deps.datasets.folder, old, new), keeping.versions(deps.datasets, person, new))


def _download(client: WebClient, deps: Deps, person: Person, dataset: Dataset, body: Json) -> Block:
    """Send the files to whoever asked, in direct messages."""
    stem = keeping.file_stem(dataset)
    uploads = [
        {"content": content, "filename": f"{stem}.{part}", "title": f"{stem}.{part}"}
        for part, content in keeping.parts(deps.datasets.folder, dataset)
    ]
    keeping.note_download(deps.engine, dataset, person, deps.clock())
    words = f"*{mrkdwn(dataset.name, 80)}* v{dataset.version}: training rows, test rows, and where each row is from."
    place = send(client, person.user_id, words)
    client.files_upload_v2(channel=place.channel, thread_ts=place.thread_ts, file_uploads=uploads)
    return note_view("Download", "The files are in your direct messages with me.")


def _share(client: WebClient, deps: Deps, person: Person, dataset: Dataset, body: Json) -> Block:
    changed = keeping.share(deps.engine, dataset, person, deps.clock())
    client.views_update(view_id=body["view"]["id"], view=list_view(deps, person, body["view"]["private_metadata"]))
    said = "Everybody in this workspace can see and use it now." if changed else "Everybody could see it already."
    return note_view("Share", said)


def _rename(client: WebClient, deps: Deps, person: Person, dataset: Dataset, body: Json) -> Block:
    return drawn.rename_form(dataset, _root(dataset, body))


def _delete(client: WebClient, deps: Deps, person: Person, dataset: Dataset, body: Json) -> Block:
    stays = keeping.what_stays(deps.engine, deps.datasets.folder, dataset, person)
    return drawn.delete_form(dataset, stays, _root(dataset, body))


ACTS: dict[str, Callable[[WebClient, Deps, Person, Dataset, Json], Block]] = {
    "diff": _diff,
    "download": _download,
    "share": _share,
    "rename": _rename,
    "delete": _delete,
}


def _show(client: WebClient, body: Json, view: Block) -> None:
    call = client.views_push if body.get("view", {}).get("type") == "modal" else client.views_open
    call(trigger_id=body["trigger_id"], view=view)


def _root(dataset: Dataset, body: Json) -> str:
    return json.dumps([dataset.id, body["view"]["id"], body["view"]["private_metadata"]])


def _place(body: Json, person: Person) -> Place:
    """Return where a click's outcome is told: the place of its list or message, else direct messages."""
    kept = body.get("view", {}).get("private_metadata")
    place = Place(*json.loads(kept)) if kept else place_of(body)
    return place if place.channel else Place(person.user_id, private=True)


def _file(values: Json, name: str) -> Json | None:
    files = (values.get(name, {}).get(name) or {}).get("files") or [None]
    return files[0]  # type: ignore[no-any-return]  # Slack's file object
