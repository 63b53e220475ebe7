"""Knows how advice comes about and changes in a thread: its card, follow-ups, further cases; not how a card looks."""

from dataclasses import replace

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks.advice import advice_blocks, advice_text, cases_blocks
from handlers.blocks.facts import changes_words, noted_words, who_set_what
from handlers.blocks.parts import Block
from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.posting import edit, post, react, status
from knowledge.advice.advise import Advice, advise
from knowledge.advice.cases import split_cases
from knowledge.advice.corrections import Corrected, unknowns
from knowledge.advice.facts import Facts, known
from knowledge.advice.reader import Reader
from knowledge.conversations import Conversations, Known, Thread, Told
from knowledge.tenancy import Person

SEVERAL = (
    "I see {count} use cases in your message. The advice above is for the first. Shall I weigh the {rest} too, in a "
    "thread of its own, so that their facts do not mix?"
)


def begin_advice(client: WebClient, deps: Deps, person: Person, thread: Thread, text: str) -> None:
    """Post an advice card; where the text tells too little, ask, and leave the card for the reply."""
    cases, conversations, now = split_cases(text), Conversations(deps.engine), deps.clock()
    read = deps.reader_of(person.workspace_id)
    reading = read(cases[0])
    told = Told(known(reading.facts), person.user_id, True, reading.beaten, reading.read_by)
    latest = conversations.tell(thread, told, now)
    for fact in unknowns(cases[0]) - set(known(latest.facts)):
        latest = conversations.skip(thread, fact, now)
    advice = advise(cases[0], reader=lambda _: reading, facts=latest.facts, skipped=latest.skipped)
    ts = post(client, thread.channel, advice_text(advice), card_blocks(advice, latest), thread_ts=thread.thread_ts)
    if not advice.needs_more:
        conversations.show_card(thread, ts, now)
    if len(cases) > 1:
        _offer(client, thread, cases, read)


def _offer(client: WebClient, thread: Thread, cases: tuple[str, ...], read: Reader) -> None:
    """Say that there were more cases, and offer each of the others a thread of its own."""
    words = SEVERAL.format(count=len(cases), rest="second" if len(cases) == 2 else "others")
    others = [(case, read(case).facts) for case in cases[1:]]
    post(client, thread.channel, words, cases_blocks(words, others), thread_ts=thread.thread_ts)


def begin_case(client: WebClient, deps: Deps, person: Person, channel: str, facts: Facts) -> Thread:
    """Post the card of a further case as the first message of a thread of its own."""
    advice, conversations, now = advise("", facts=facts), Conversations(deps.engine), deps.clock()
    ts = post(client, channel, advice_text(advice), advice_blocks(advice))
    thread = Thread(person.workspace_id, channel, ts)
    conversations.tell(thread, Told(known(facts), person.user_id, read=True), now)
    conversations.show_card(thread, ts, now)
    return thread


def reweigh(
    client: WebClient, deps: Deps, person: Person, thread: Thread, ts: str, said: Corrected, remembered: Known
) -> None:
    """Take what a follow-up changes into the card that is there, and say in the thread what was corrected.

    New facts that leave the recommendation as it is get a check mark under the message `ts` and no words.
    """
    before = advise("", facts=remembered.facts)
    told = Told(said.changes, person.user_id, True, said.beaten, said.read_by)
    latest = Conversations(deps.engine).tell(thread, told, deps.clock())
    after = draw_card(client, deps, thread, latest)
    turned = after.recommendation != before.recommendation
    corrected = changes_words(remembered.facts, latest.facts)
    words = [f"Changed: {' · '.join(corrected)}."] if corrected else []
    if turned:
        words += [f"That changes my mind: *{mrkdwn(after.headline, 300)}*"]
    elif not corrected and not any(value is not None for value in said.changes.values()):
        words += [f"Noted, {noted_words(said.changes)}; I won't ask."]
    if not words:
        status(client, thread.channel, thread.thread_ts, "")
        react(client, thread.channel, ts, "white_check_mark")
        return
    ending = " I updated the card above." if turned or corrected else ""
    post(client, thread.channel, " ".join(words) + ending, thread_ts=thread.thread_ts)


def change_card(client: WebClient, deps: Deps, thread: Thread, told: Told, card_ts: str) -> Advice:
    """Change what is known in a thread, and weigh it again in the card, which is the one that was clicked."""
    conversations, now = Conversations(deps.engine), deps.clock()
    conversations.tell(thread, told, now)
    conversations.show_card(thread, card_ts, now)
    return draw_card(client, deps, thread, conversations.find(thread))


def skip_question(client: WebClient, deps: Deps, thread: Thread, fact: str, card_ts: str) -> Advice:
    """Leave a fact unknown for good, and let the next best question take its place in the card."""
    conversations, now = Conversations(deps.engine), deps.clock()
    conversations.show_card(thread, card_ts, now)
    return draw_card(client, deps, thread, conversations.skip(thread, fact, now))


def draw_card(client: WebClient, deps: Deps, thread: Thread, latest: Known | None) -> Advice:
    """Weigh what is known in a thread, and edit the card in place."""
    shown: Known | None = None
    latest = latest or Known("advice", Facts(), "")
    # Somebody else may answer a question meanwhile; the edit that comes last must show everything.
    while shown is None or latest != shown:
        shown = latest
        advice = advise("", facts=shown.facts, skipped=shown.skipped, beaten=shown.beaten)
        advice = replace(advice, read_by=shown.read_by)
        _show(client, deps, thread, shown, advice)
        latest = Conversations(deps.engine).find(thread) or shown
    return advice


def _show(client: WebClient, deps: Deps, thread: Thread, shown: Known, advice: Advice) -> None:
    """Edit the card; where somebody deleted it, post it anew."""
    blocks = card_blocks(advice, shown)
    try:
        edit(client, thread.channel, shown.card_ts, advice_text(advice), blocks)
    except SlackApiError as error:
        if error.response["error"] != "message_not_found":
            raise
        ts = post(client, thread.channel, advice_text(advice), blocks, thread_ts=thread.thread_ts)
        Conversations(deps.engine).show_card(thread, ts, deps.clock())


def card_blocks(advice: Advice, shown: Known) -> list[Block]:
    """Draw a thread's card."""
    return advice_blocks(advice, set_by=who_set_what(shown.facts, shown.origins))
