"""Knows what is done with one message that is meant for us; it does not know how it reached us."""

import re
from contextlib import suppress
from dataclasses import dataclass, replace

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.advising import begin_advice, reweigh
from handlers.blocks.answer import HELLO, answer_blocks, answer_text, welcome_blocks
from handlers.blocks.parts import section
from handlers.deps import Deps
from handlers.escape import inert
from handlers.growing import GrowingAnswer
from handlers.learning import offer
from handlers.people import spoken
from handlers.posting import post, react, status, whisper
from handlers.sharing import ticket_for
from handlers.training import look_at_file
from handlers.wishes import Said, offered
from knowledge.advice.corrections import Corrected, corrections
from knowledge.advice.reader import read
from knowledge.advice.route import Route, classify
from knowledge.answer import Answer, answer
from knowledge.conversations import Conversations, Known, Thread
from knowledge.feedback import Receipt, hash_of
from knowledge.tenancy import Person
from trainers.jobs.service import Place

WEIGHING, LOOKING_UP, READING_FILE = "is weighing it up…", "is looking it up…", "is reading the file…"

HISTORY = 6
"""Earlier questions of a thread that an answer may lean on."""

FILES = 3
"""Files of one message that are looked at."""

OFF_TOPIC = (
    "I only know about prompting, RAG and fine-tuning. Tell me what an AI should do for you, or ask something like "
    "\u201cWhat is QLoRA?\u201d."
)
ENGLISH = "I can only read English so far, sorry."
NOTHING_NEW = (
    "I found nothing in that which changes the advice above. Tell me a fact, such as how often the content changes."
)

NOT_ENOUGH = (
    "I could not read what I need from that. What should the AI do, which facts must it know and how often do they "
    "change, and how many good examples do you have?"
)

NO_ROWS = (
    "I take no rows from Slack messages: Slack forbids training on them, and a test needs a file that nobody can edit. "
    "In the review above, use *Edit* on a row that is nearly it, or *Add my own*. *Draft test rows* under a plan "
    "drafts more; a file of rows goes into the form of `/tune train`."
)

GUIDE_ONLY = (
    "I answer people of other companies from my guide alone, without the documents of the team that I work for."
)
NO_FILES = (
    "I take files only from the workspace that installed me. You can ask me about prompting, RAG and fine-tuning: I "
    "answer from my guide."
)
ONLY_YOU = (
    "People of another company may read this channel, and this rests on documents of your team: so only you see it, "
    "until you share it."
)

_ROW = re.compile(r"\w\W{0,6}(?:=>|->|→|⇒|⟶)[^\S\n]*\S|^\s*\{\s*\"(?:messages|prompt|input|text)\"", re.MULTILINE)
_WANTS_ADVICE = re.compile(r"\b(?:advice|advise|recommend\w*|what should (?:we|i))\b", re.IGNORECASE)
_WHAT_IF = re.compile(r"^\s*(?:and\s+)?(?:what if|suppose|if)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One message that is meant for us."""

    person: Person
    channel: str
    ts: str
    """The message itself, where the emoji goes."""
    thread_ts: str
    """The thread in which we answer."""
    text: str
    """What was said, without our own mention and without Slack's markup."""
    file_ids: tuple[str, ...] = ()
    addressed: bool = True
    """We were mentioned, or are alone with the person; False for a reply in a thread that we are in."""
    bot_user: str = ""
    """Our own user id."""
    to_learn: tuple[tuple[str, str], ...] = ()
    """Files, by id and name, that are meant as documents."""
    unshared: bool = False
    """One of these files is in no public channel. An event does not tell a private channel from a public one, its
    files do; to ask `conversations.info` would take the scopes channels:read and groups:read."""
    stranger: bool = False
    """Whoever says it is of another company."""
    shared: bool = False
    """Another company reads the channel too, or may."""

    @property
    def aside(self) -> str:
        """The thread in which to tell only this person, "" before it has a reply: Slack shows nothing private there."""
        return "" if self.ts == self.thread_ts else self.thread_ts

    @property
    def thread(self) -> Thread:
        """The thread as a key."""
        return Thread(self.person.workspace_id, self.channel, self.thread_ts)


def reply(client: WebClient, deps: Deps, heard: Heard) -> None:
    """Answer one message in its thread."""
    deps = deps.offline() if heard.stranger else deps
    remembered = Conversations(deps.engine).find(heard.thread)
    if heard.file_ids or heard.to_learn:
        _files(client, deps, heard)
        return
    if remembered is not None and remembered.kind == "plan" and _about_rows(client, heard):
        return
    if not heard.stranger and offered(client, deps, Said(heard.person, heard.thread, heard.text, heard.addressed)):
        return
    route, has_card = route_of(heard.text), remembered is not None and remembered.card_ts != ""
    said = _new_facts(deps, heard, route) if has_card else None
    if remembered is not None and said is not None:
        _begin(client, heard, WEIGHING)
        reweigh(client, deps, heard.person, heard.thread, heard.ts, said, remembered)
    elif route == "advice" and not has_card:
        _begin(client, heard, WEIGHING)
        begin_advice(client, deps, heard.person, heard.thread, heard.text)
    elif route == "question":
        _answer(client, deps, heard)
    else:
        _small_talk(client, deps, heard, route, remembered)


def _about_rows(client: WebClient, heard: Heard) -> bool:
    """Say in the thread of drafted rows why none are taken from messages; other talk about the rows is people's own."""
    if _ROW.search(heard.text):
        post(client, heard.channel, NO_ROWS, thread_ts=heard.thread_ts)
        return True
    return not heard.addressed


def route_of(text: str) -> Route:
    """Say what a message wants; nothing at all is a greeting, and a bare wish for advice gets asked for the case."""
    if not text or text.lower().strip("!?. ") == "help":
        return "greeting"
    route = classify(text)
    return "advice" if route == "off_topic" and _WANTS_ADVICE.search(text) else route


def _new_facts(deps: Deps, heard: Heard, route: Route) -> Corrected | None:
    """Read what a follow-up changes of the case; None where it changes nothing."""
    if route == "greeting" or (route == "question" and not _WHAT_IF.match(heard.text)):
        return None
    if not heard.addressed and not corrections(heard.text).changes:
        return None  # people talk among themselves: no language model is to hear that
    said = corrections(heard.text, deps.reader_of(heard.person.workspace_id))
    return said if said.changes else None


def _answer(client: WebClient, deps: Deps, heard: Heard) -> None:
    """Answer from the guide, or say honestly that it is not in there."""
    _begin(client, heard, LOOKING_UP)
    workspace = heard.person.workspace_id
    growing = GrowingAnswer(client, deps, heard.person, heard.thread, heard.ts)
    before, meter = earlier(client, heard), deps.meter(workspace)
    said = answer(
        heard.text,
        deps.index,
        deps.model,
        before,
        workspace=None if heard.stranger else workspace,
        meter=meter,
        grow=None if heard.shared else growing.grow,  # what it rests on is known at its end, and read by all before
        rerank=deps.rerank,
    )
    said = _with_note(said, GUIDE_ONLY) if heard.stranger else said
    if (said.abstained or said.doubtful) and not heard.addressed:
        # People may be talking to each other: what we cannot answer surely is no news for the whole thread.
        status(client, heard.channel, heard.thread_ts, "")
        whisper(client, heard.channel, heard.person.user_id, inert(said.text), thread_ts=heard.thread_ts)
        return
    Conversations(deps.engine).join(heard.thread, "answer", deps.clock())
    if heard.shared and said.from_documents:
        _answer_alone(client, heard, said)
        return
    foreign = said.abstained and not read(heard.text).language_supported
    growing.end(said, receipt_of(heard.person, heard.text, said), [section(ENGLISH)] if foreign else [])


def _answer_alone(client: WebClient, heard: Heard, said: Answer) -> None:
    """Show an answer to whoever asked, with the button that shares it."""
    status(client, heard.channel, heard.thread_ts, "")
    ticket = ticket_for(heard.person, heard.channel, heard.text, said, heard.thread_ts)
    blocks = answer_blocks(_with_note(said, ONLY_YOU), share=ticket)
    whisper(client, heard.channel, heard.person.user_id, answer_text(said), blocks, thread_ts=heard.aside)


def _with_note(said: Answer, note: str) -> Answer:
    return replace(said, note=f"{said.note} {note}".strip())


def receipt_of(person: Person, question: str, said: Answer) -> Receipt:
    """Return what the thumbs under an answer carry."""
    passages = tuple(citation.passage_id for citation in said.citations)
    return Receipt(hash_of(person.workspace_id, question), passages)


def earlier(client: WebClient, heard: Heard) -> list[str]:
    """Return what this person asked before in the thread, oldest first, read from Slack now and kept nowhere."""
    if heard.ts == heard.thread_ts:
        return []
    with suppress(SlackApiError):  # some workspaces allow one such call a minute; an answer does without
        found = client.conversations_replies(channel=heard.channel, ts=heard.thread_ts, limit=50)
        asked = [message for message in found.get("messages") or [] if message.get("user") == heard.person.user_id]
        texts = [
            spoken(str(message.get("text") or ""), heard.bot_user)
            for message in asked
            if message.get("ts", "") < heard.ts
        ]
        return [text for text in texts if text][-HISTORY:]
    return []


def _files(client: WebClient, deps: Deps, heard: Heard) -> None:
    """Say what is in files that came with a message; rows are used only after a click that says they are ours."""
    if heard.stranger:
        whisper(client, heard.channel, heard.person.user_id, NO_FILES, thread_ts=heard.aside)
        return
    _begin(client, heard, READING_FILE)
    Conversations(deps.engine).join(heard.thread, "training", deps.clock())
    if heard.to_learn:
        offer(client, heard.channel, heard.thread_ts, heard.to_learn, private=heard.unshared)
        return
    for file_id in heard.file_ids[:FILES]:
        look_at_file(client, deps, heard.person, Place(heard.channel, heard.thread_ts), file_id)
    if len(heard.file_ids) > FILES:
        told = f"I looked at the first {FILES} of {len(heard.file_ids)} files. Send the others in another message."
        post(client, heard.channel, told, thread_ts=heard.thread_ts)


def _small_talk(client: WebClient, deps: Deps, heard: Heard, route: Route, remembered: Known | None) -> None:
    """Greet once, or say kindly what we are for; people who talk among themselves in our thread are left alone."""
    if route == "greeting" and remembered is not None and heard.text:
        react(client, heard.channel, heard.ts, "wave")
    elif route == "greeting":
        post(client, heard.channel, HELLO, welcome_blocks(buttons=True), thread_ts=heard.thread_ts)
        Conversations(deps.engine).join(heard.thread, "welcome", deps.clock())
    elif heard.addressed:
        post(client, heard.channel, _kindly(heard.text, remembered), thread_ts=heard.thread_ts)
        Conversations(deps.engine).join(heard.thread, "welcome", deps.clock())
    elif len(heard.text.split()) > 2:
        whisper(client, heard.channel, heard.person.user_id, _kindly(heard.text, remembered), thread_ts=heard.thread_ts)


def _kindly(text: str, remembered: Known | None) -> str:
    """Say what would help, in a thread where nothing could be read from a message."""
    if not read(text).language_supported:
        return f"{ENGLISH} {OFF_TOPIC}"
    if remembered is None or remembered.kind != "advice":
        return OFF_TOPIC
    return NOTHING_NEW if remembered.card_ts else NOT_ENOUGH


def _begin(client: WebClient, heard: Heard, words: str) -> None:
    react(client, heard.channel, heard.ts, "eyes")
    status(client, heard.channel, heard.thread_ts, words)
