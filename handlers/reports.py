"""Knows how a report leaves Slack as files: to whoever asks, in their direct messages; it does not write reports."""

from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks.details import FILES
from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.people import person_of
from handlers.posting import send
from trainers.jobs.evaluating import report_files
from trainers.jobs.labelled import labelled

Json = dict[str, Any]


def register(app: App, deps: Deps) -> None:
    """Listen for the button."""
    app.action(FILES)(partial(send_files, deps))


def send_files(deps: Deps, ack: Ack, action: Json, context: BoltContext, client: WebClient) -> None:
    """Send a job's whole report, as a page and a table of all answers, to whoever asked."""
    ack()
    person, (job_id, _, channel) = person_of(context), str(action["value"]).partition(":")
    found = deps.jobs.ledger.find(person.workspace_id, job_id, seen_by=person.user_id, channel=channel)
    files = report_files(deps.datasets.folder, labelled(deps.engine, deps.datasets.folder, found))
    deps.jobs.note_download(found, person, deps.clock())
    words = f"The whole report of job #{found.number}, {mrkdwn(found.title, 200)}: a page and a table of all answers."
    place = send(client, person.user_id, words)
    uploads = [{"file": str(path), "filename": f"job-{found.number}-{path.name}", "title": path.name} for path in files]
    client.files_upload_v2(channel=place.channel, thread_ts=place.thread_ts, file_uploads=uploads)
