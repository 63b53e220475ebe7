"""Knows what becomes of rows that arrive beside Slack, under a one-time link; it does not know the web."""

from pathlib import Path
from typing import NamedTuple

from slack_sdk import WebClient

from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.people import is_private
from handlers.posting import send
from handlers.rows import keep_file, show_kept
from knowledge.conversations import Conversations, Thread
from knowledge.tenancy import Person
from trainers.data.links import UploadLink
from trainers.data.store import Added
from trainers.jobs.service import Place


class Arrived(NamedTuple):
    """What came of a file."""

    kept: Added
    told: bool
    """Whether its card is in the person's direct messages."""


def take_in(client: WebClient | None, deps: Deps, link: UploadLink, path: Path, name: str) -> Arrived:
    """Lint and keep a file for the person of a link, and send them its card. Raises UserError where it is blocked."""
    person = Person(workspace_id=link.workspace_id, user_id=link.user_id)
    said = f"file handed in under a link of {link.user_id} on {deps.clock():%Y-%m-%d}, who ticked that it is theirs"
    nowhere = Place("", "", link.private)
    kept = keep_file(None, deps, person, nowhere, (path, name), provenance=said, to=link.dataset_id)
    if client is None:
        return Arrived(kept, told=False)
    begun = send(client, person.user_id, f"Your file *{mrkdwn(name, 100)}* arrived under its link.")
    Conversations(deps.engine).join(Thread(person.workspace_id, *begun[:2]), "training", deps.clock())
    show_kept(client, begun._replace(private=is_private(begun.channel, "")), person, kept)
    return Arrived(kept, told=True)
