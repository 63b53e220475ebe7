"""Knows what is offered to who asks in words for training rows, or for a model of those in the thread; not how to."""

from typing import NamedTuple

from slack_sdk import WebClient

from handlers.blocks.generating import offer_blocks, offer_text
from handlers.blocks.parts import Block
from handlers.blocks.review import train_blocks, train_text
from handlers.deps import Deps
from handlers.posting import post, whisper
from knowledge.advice.row_wish import row_wish, train_wish
from knowledge.conversations import Conversations, Thread
from knowledge.tenancy import Person


class Said(NamedTuple):
    """A message as far as a wish goes."""

    person: Person
    thread: Thread
    text: str
    addressed: bool
    """It was said to us; else people may be talking to each other."""


def offered(client: WebClient, deps: Deps, said: Said) -> bool:
    """Offer what a message wishes for; False where it wishes for neither rows nor training on those of its thread."""
    if wish := row_wish(said.text):
        offer = offer_text(wish.task, wish.count), offer_blocks(wish.task, wish.count)
    elif train_wish(said.text):
        review = deps.reviews.newest_in(said.person, said.thread.channel, said.thread.thread_ts)
        if review is None:
            return False
        offer = train_text(review), train_blocks(review)
    else:
        return False
    _say(client, deps, said, *offer)
    return True


def _say(client: WebClient, deps: Deps, said: Said, words: str, blocks: list[Block]) -> None:
    """Say it in the thread; to one person alone where people may be talking to each other."""
    channel, thread_ts = said.thread.channel, said.thread.thread_ts
    if said.addressed:
        post(client, channel, words, blocks, thread_ts=thread_ts)
        Conversations(deps.engine).join(said.thread, "rows", deps.clock())
    else:
        whisper(client, channel, said.person.user_id, words, blocks, thread_ts=thread_ts)
