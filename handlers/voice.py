"""Knows how texts from Slack become a described voice in a thread; it does not know what is counted, and keeps none."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import voice as card
from handlers.deps import Deps
from handlers.errors import told
from handlers.files import fetched
from handlers.people import person_of
from handlers.posting import begin_thread, post
from knowledge.conversations import Conversations, Thread
from knowledge.errors import LuthierError
from trainers.evals.style.voice import describe
from trainers.evals.style.voice_rules import rules_for
from trainers.evals.style.voice_texts import read_texts, split_texts
from trainers.evals.style.voice_words import headline, voice_markdown, voice_parts
from trainers.jobs.service import Place

Json = Mapping[str, Any]


def register(app: App, deps: Deps) -> None:
    """Listen for the form."""
    app.view(card.FORM)(partial(submitted, deps))


def open_form(client: WebClient, place: Place, trigger_id: str) -> None:
    """Open the form; the profile goes to `place`."""
    client.views_open(trigger_id=trigger_id, view=card.voice_form(json.dumps(place)))


def submitted(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Check the form, then describe the voice in a thread."""
    values = view["state"]["values"]
    pasted, files, reference = _given(values)
    if not pasted and not files:
        ack(response_action="errors", errors={card.PASTED: "Paste texts here, or choose files below."})
        return
    ack()
    person, place = person_of(context), Place(*json.loads(view["private_metadata"]))
    begun = begin_thread(
        client, place.channel, place.thread_ts, person.user_id, f"<@{person.user_id}> describes a voice."
    )
    Conversations(deps.engine).join(Thread(person.workspace_id, *begun), "voice", deps.clock())
    try:
        _describe(client, deps, Place(*begun), pasted, files, reference)
    except LuthierError as error:
        post(client, begun[0], told(error.what, error.next_step), thread_ts=begun[1])


def _describe(
    client: WebClient, deps: Deps, place: Place, pasted: str, files: Sequence[str], reference: Sequence[str]
) -> None:
    """Read the texts, and put the profile and its files into the thread."""
    texts = [*split_texts(pasted), *_read(client, deps, files)]
    made = describe(texts, _read(client, deps, reference))
    shown = {"headline": headline(made), "parts": [(part.title, part.sentences) for part in voice_parts(made)]}
    post(client, place.channel, card.voice_text(shown), card.voice_blocks(shown), thread_ts=place.thread_ts)
    rules = json.dumps(rules_for(made, texts), ensure_ascii=False, indent=1)
    uploads = [
        {"content": voice_markdown(made), "filename": "voice.md", "title": "Voice"},
        {"content": rules, "filename": "house-rules.json", "title": "House rules that the texts support"},
    ]
    client.files_upload_v2(channel=place.channel, thread_ts=place.thread_ts, file_uploads=uploads)


def _read(client: WebClient, deps: Deps, file_ids: Sequence[str]) -> list[str]:
    with ExitStack() as stack:
        got = [stack.enter_context(fetched(client, file_id, deps)) for file_id in file_ids]
        paths, names = [file.path for file in got], [file.name for file in got]
        return read_texts(paths, names, today=deps.clock().date())


def _given(values: Json) -> tuple[str, list[str], list[str]]:
    """Return what the form holds: pasted text, ids of files, ids of files to compare with."""
    pasted = str((values.get(card.PASTED, {}).get(card.PASTED) or {}).get("value") or "").strip()
    files, reference = (
        [str(file["id"]) for file in (values.get(name, {}).get(name) or {}).get("files") or ()]
        for name in (card.FILES, card.REFERENCE)
    )
    return pasted, files, reference
