"""Knows how files and pages from Slack come to be added as documents; it does not know how they are read or listed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from shutil import move
from typing import Any, NamedTuple

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import learn
from handlers.deps import Deps
from handlers.errors import told
from handlers.escape import clean, mrkdwn
from handlers.files import fetched
from handlers.once import alone
from handlers.people import is_private, person_of, place_of
from handlers.posting import begin_thread, post
from knowledge.conversations import Conversations, Thread
from knowledge.errors import LuthierError
from knowledge.fetching import checked, name_of
from knowledge.tenancy import Person
from trainers.jobs.learning import COLLECTION, MOST, Given
from trainers.jobs.service import Place

Json = Mapping[str, Any]

_NAME = 200
"""Characters of a document's name."""


class Wanted(NamedTuple):
    """What somebody wants to add."""

    file_ids: Sequence[str]
    url: str = ""
    collection: str = COLLECTION

    @property
    def shown(self) -> str:
        """Say in a few words what it is."""
        files = f"{len(self.file_ids)} {'file' if len(self.file_ids) == 1 else 'files'}" if self.file_ids else ""
        return " and ".join(filter(None, (files, "a page" if self.url else "")))


def register(app: App, deps: Deps) -> None:
    """Listen for the form and its buttons."""
    app.view(learn.LEARN)(partial(submitted, deps))
    app.action(learn.OPEN)(partial(opened, deps))
    app.action(learn.USE)(partial(used, deps))


def open_form(client: WebClient, deps: Deps, person: Person, place: Place, trigger_id: str, url: str = "") -> None:
    """Open the form; what it leads to goes to `place`. Raises NotAllowed where this person may not add."""
    deps.learning.check_may_add(person, COLLECTION)
    hosts = deps.workspaces.rules(person.workspace_id).document_hosts
    view = learn.learn_form(
        json.dumps(place), most=MOST, collection=COLLECTION, hosts=hosts, private=place.private, url=url
    )
    client.views_open(trigger_id=trigger_id, view=view)


def opened(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form for where the button is; from Home its thread begins in direct messages."""
    ack()
    person, place = person_of(context), place_of(body)
    at_home = Place(person.user_id, private=True)
    open_form(client, deps, person, place if place.channel else at_home, str(body["trigger_id"]))


def submitted(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Check the form, then take in what it names."""
    person, values = person_of(context), view["state"]["values"]
    errors = problems(deps, person, values)
    if errors:
        ack(response_action="errors", errors=errors)
        return
    ack()
    place = Place(*json.loads(view["private_metadata"]))
    take_in(client, deps, person, place, wanted_in(values), f"view:{person.workspace_id}:{view['id']}")


def used(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Take the files of a message: the confirmation said who will see them."""
    ack()
    chosen, place = json.loads(action["value"]), place_of(body)
    request = f"offer:{person_of(context).workspace_id}:{place.channel}:{body['container']['message_ts']}"
    take_in(client, deps, person_of(context), place, Wanted(chosen["files"]), request)


def learn_page(client: WebClient, deps: Deps, person: Person, place: Place, url: str, trigger_id: str) -> str:
    """Add a page from a command; returns what only the person hears, "" where a form was opened instead."""
    deps.learning.check_may_add(person, COLLECTION)
    url = url if "://" in url else f"https://{url}"
    checked(url, deps.workspaces.rules(person.workspace_id).document_hosts)
    if place.private:
        open_form(client, deps, person, place, trigger_id, url)
        return ""
    take_in(client, deps, person, place, Wanted((), url), f"command:{person.workspace_id}:{trigger_id}")
    return ""


def take_in(client: WebClient, deps: Deps, person: Person, place: Place, wanted: Wanted, request: str) -> None:
    """Fetch the files from Slack and queue the job that reads them; the same request again changes nothing."""
    with alone(request) as first:
        if not first or deps.learning.begun(request):
            return
        deps.learning.check_may_add(person, wanted.collection)
        place = _announced(client, deps, person, place, wanted)
        try:
            with deps.learning.room(request) as folder:
                given = [*_downloaded(client, deps, wanted.file_ids, folder), *_page(wanted.url)]
                deps.learning.take_in(
                    given,
                    folder,
                    request=request,
                    collection=wanted.collection,
                    person=person,
                    place=place,
                    now=deps.clock(),
                )
        except LuthierError as error:
            words = f"{told(error.what, error.next_step)} Nothing was added."
            post(client, place.channel, words, thread_ts=place.thread_ts)


def wanted_in(values: Json) -> Wanted:
    """Read the form's inputs."""
    files = values[learn.FILES][learn.FILES].get("files") or ()
    url = str((values.get(learn.ADDRESS, {}).get(learn.ADDRESS) or {}).get("value") or "").strip()
    name = str(values[learn.COLLECTION][learn.COLLECTION].get("value") or "").strip()
    return Wanted(tuple(str(file["id"]) for file in files), url, name or COLLECTION)


def problems(deps: Deps, person: Person, values: Json) -> dict[str, str]:
    """Return what is wrong with the form, by block id; only what can be told without reading the files."""
    wanted, found = wanted_in(values), dict[str, str]()
    if not wanted.file_ids and not wanted.url:
        found[learn.FILES] = "Choose files here, or name a page below."
    for file in values[learn.FILES][learn.FILES].get("files") or ():
        size = int(file.get("size") or 0)
        if size == 0:
            found[learn.FILES] = "One of the files is empty. Choose files that hold text."
        elif size > deps.file_limit:
            found[learn.FILES] = _too_large(size, deps.file_limit)
    for block_id, check in (
        (learn.COLLECTION, lambda: deps.learning.check_may_add(person, wanted.collection)),
        (
            learn.ADDRESS,
            lambda: wanted.url and checked(wanted.url, deps.workspaces.rules(person.workspace_id).document_hosts),
        ),
    ):
        try:
            check()
        except LuthierError as error:
            found[block_id] = f"{error.what} {error.next_step}"
    ticked = values.get(learn.EVERYBODY, {}).get(learn.EVERYBODY)
    if ticked is not None and not ticked.get("selected_options"):
        found[learn.EVERYBODY] = "Tick this, or add nothing: what I learn here is not kept to this conversation."
    return found


def offer(
    client: WebClient,
    channel: str,
    thread_ts: str,
    files: Sequence[tuple[str, str]],
    *,
    private: bool = False,
) -> None:
    """Offer to take files (id and name) as documents; `private`: they are in no public channel."""
    names = [name for _, name in files][:MOST]
    value = {"files": [file_id for file_id, _ in files][:MOST]}
    blocks = learn.offer_blocks(names, value, private=private or is_private(channel, ""))
    post(client, channel, learn.offer_text(names), blocks, thread_ts=thread_ts)


def _announced(client: WebClient, deps: Deps, person: Person, place: Place, wanted: Wanted) -> Place:
    """Begin a thread, or go on in one, with who adds what and where to; where we may not write, in direct messages."""
    text = f"<@{person.user_id}> adds {wanted.shown} to *{mrkdwn(wanted.collection, 40)}*."
    channel, thread_ts = begin_thread(client, place.channel, place.thread_ts, person.user_id, text)
    Conversations(deps.engine).join(Thread(person.workspace_id, channel, thread_ts), "answer", deps.clock())
    return Place(channel, thread_ts, place.private or is_private(channel, ""))


def _downloaded(client: WebClient, deps: Deps, file_ids: Sequence[str], folder: Path) -> Iterator[Given]:
    """Fetch each file; one that cannot be had is explained at the end and does not stop the others."""
    names: set[str] = set()
    for number, file_id in enumerate(file_ids, start=1):
        try:
            with fetched(client, file_id, deps) as file:
                path, name = folder / f"{number}", _named(" ".join(clean(file.name).split())) or "file"
                move(file.path, path)
        except LuthierError as error:
            yield Given(f"File {number}", what=error.what, next_step=error.next_step)
            continue
        if name in names:
            yield Given(name, what="Another of these files has the same name.", next_step="Rename one, then add it.")
            continue
        names.add(name)
        yield Given(name, path)


def _page(url: str) -> list[Given]:
    return [Given(_named(name_of(url)), url=url)] if url else []


def _named(name: str) -> str:
    """Cut a long name in its middle, so that it stays another than its neighbours' and keeps its ending."""
    if len(name) <= _NAME:
        return name
    end = name[-20:]
    return f"{name[: _NAME - len(end) - 12]}…{sha256(name.encode()).hexdigest()[:8]}…{end}"


def _too_large(size: int, limit: int) -> str:
    return f"A file has {size / 1_000_000:,.1f} MB; I take up to {limit / 1_000_000:,.0f} MB. Split it."
