"""Knows what clicks on an advice card do: answers, Skip, the form with all facts, the options, a further use case."""

import json
import re
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.advising import begin_case, change_card, skip_question
from handlers.blocks import advice as card
from handlers.blocks.compare import compare_view
from handlers.blocks.facts import FACTS, Opened, entered, facts_form, opened
from handlers.blocks.parts import Block
from handlers.blocks.parts import context as small_print
from handlers.deps import Deps
from handlers.people import person_of, place_of, thread_of
from handlers.posting import edit, permalink
from knowledge.advice.advise import advise
from knowledge.advice.compare import compare
from knowledge.advice.facts import Facts, from_mapping
from knowledge.conversations import Conversations, Thread, Told

Json = dict[str, Any]


def register(app: App, deps: Deps) -> None:
    """Listen for clicks on advice cards, and for the form with all facts."""
    app.action(re.compile(f"^{card.FACT}:"))(partial(answer_question, deps))
    app.action(re.compile(f"^{card.SKIP}:"))(partial(skip, deps))
    app.action(re.compile(f"^{card.CASE}:"))(partial(weigh_case, deps))
    for action_id in (card.FACTS, card.FACTS_BEFORE):
        app.action(action_id)(partial(open_facts, deps))
    app.action(card.COMPARE)(partial(open_comparison, deps))
    app.view(FACTS)(partial(submit_facts, deps))


def answer_question(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Take an answer to a question into the card."""
    ack()
    fact = str(action["action_id"]).split(":")[1]
    value = json.loads((action.get("selected_option") or action)["value"])
    told = Told({fact: value}, person_of(context).user_id, read=False)
    change_card(client, deps, thread_of(body, context), told, str(body["container"]["message_ts"]))


def skip(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Ask something else, or nothing more."""
    ack()
    fact = str(action["action_id"]).split(":")[1]
    skip_question(client, deps, thread_of(body, context), fact, str(body["container"]["message_ts"]))


def open_facts(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form with all facts."""
    ack()
    thread = thread_of(body, context)
    known = Conversations(deps.engine).find(thread)
    facts, origins = (known.facts, known.origins) if known else (Facts(), {})
    at = Opened(thread.channel, thread.thread_ts, str(body["container"]["message_ts"]), facts)
    client.views_open(trigger_id=body["trigger_id"], view=facts_form(at, origins))


def submit_facts(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Weigh again with what this person changed in the form; what others changed meanwhile stays as they left it."""
    at = opened(view["private_metadata"])
    changes, wrong = entered(view["state"]["values"], at.facts)
    if wrong:
        ack(response_action="errors", errors=wrong)
        return
    ack()
    person = person_of(context)
    if changes:
        thread = Thread(person.workspace_id, at.channel, at.thread_ts)
        change_card(client, deps, thread, Told(changes, person.user_id, read=False), at.card_ts)


def open_comparison(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Show the options side by side; the button carries the facts, and the thread knows them too."""
    ack()
    facts = from_mapping(json.loads(action["value"])) if action.get("value") else None
    known = None if facts else Conversations(deps.engine).find(thread_of(body, context))
    advice = advise("", facts=facts or (known.facts if known else None))
    client.views_open(trigger_id=body["trigger_id"], view=compare_view(advice, compare(advice)))


def weigh_case(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Advise on a further use case of a message, in a thread of its own, and take its button away."""
    ack()
    channel, ts = place_of(body).channel, str(body["container"]["message_ts"])
    case = begin_case(client, deps, person_of(context), channel, from_mapping(json.loads(action["value"])))
    link = permalink(client, channel, case.thread_ts)
    message = body["message"]
    edit(client, channel, ts, str(message["text"]), _settled(message["blocks"], str(action["action_id"]), link))


def _settled(blocks: list[Block], action_id: str, link: str) -> list[Block]:
    """Put a link in the place of a button."""
    drawn: list[Block] = []
    for block in blocks:
        if block.get("accessory", {}).get("action_id") != action_id:
            drawn.append(block)
            continue
        drawn.append({name: part for name, part in block.items() if name != "accessory"})
        drawn.append(small_print(f"<{link}|Weighed in its own thread>"))
    return drawn
