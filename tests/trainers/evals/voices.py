"""Writers for tests of style: the same briefs answered in a brand's voice, a formal one and a chatty assistant's."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from trainers.data.jsonl import Message, Row

_NAMES = ("Anna", "Bela", "Carlos", "Dunja", "Emeka", "Freya", "Goran", "Hana", "Idris", "Jun", "Kaja", "Leo")
_ITEMS = ("blue capo", "cello bow", "tenor banjo", "guitar strap", "violin case", "drum key", "ukulele", "tuning fork")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

_BRAND = (
    "Your {item} left our bench this morning.", "It's on its way, and it should reach you by {day}.",
    "Sorry for the wait - that's on us.", "We've packed it twice, so don't worry about bumps.",
    "If a string looks tired, tell us and we'll swap it.", "No rush to pay; the bill of {amount} euros can wait.",
    "Got a question? Just hit reply.", "We tuned it here, but it'll drift a bit on the road.",
    "Keep the box, folks - it's handy.", "We checked order {number} by hand.", "You'll hear from us if anything slips.",
)  # fmt: skip
_FORMAL = (
    "We hereby confirm that the {item} has been dispatched in accordance with the terms of your order.",
    "Delivery is anticipated on {day}, subject to the availability of the carrier.",
    "The outstanding amount of {amount} euros is payable upon receipt of the invoice.",
    "Should any further assistance be required, the undersigned remains at your disposal.",
    "Please be advised that order {number} has been reviewed by the responsible department.",
    "It is recommended that the packaging be retained for the duration of the warranty.",
    "Any inconvenience which may have been caused by the delay is sincerely regretted.",
    "The instrument was inspected prior to shipment and was found to be in proper condition.",
)
_CHATTY = (
    "I'd be happy to help you with your {item}!", "I completely understand how important this is to you!",
    "Great news: your order {number} is being processed and should arrive by {day}!",
    "Please don't hesitate to reach out if you have any other questions!", "I hope this information helps!",
    "Additionally, the total for your purchase comes to {amount} euros.",
    "Rest assured that our team is working hard to ensure a seamless experience for you.",
    "Here's a quick summary of the key details of your request:", "Is there anything else I can assist you with today?",
)  # fmt: skip


class Brief(NamedTuple):
    """What a customer is to be told."""

    name: str
    item: str
    day: str
    number: int
    amount: str

    @property
    def prompt(self) -> str:
        return (
            f"Write to {self.name}: order {self.number}, a {self.item}, comes on {self.day}, costs {self.amount} euros."
        )


Writer = Callable[[Brief, random.Random, int], str]


def briefs(count: int, seed: int) -> list[Brief]:
    draw = random.Random(seed)
    return [
        Brief(
            draw.choice(_NAMES), draw.choice(_ITEMS), draw.choice(_DAYS), draw.randint(1000, 9999),
            f"{draw.randint(5, 300)}.{draw.randint(10, 99)}",
        )
        for _ in range(count)
    ]  # fmt: skip


def brand(brief: Brief, draw: random.Random, words: int = 60) -> str:
    return f"Hi {brief.name},\n{_body(_BRAND, brief, draw, words)}\nPlay on,\nThe Northwind crew"


def formal(brief: Brief, draw: random.Random, words: int = 60) -> str:
    return f"Dear {brief.name},\n{_body(_FORMAL, brief, draw, words)}\nYours faithfully,\nCustomer Services"


def chatty(brief: Brief, draw: random.Random, words: int = 60) -> str:
    return f"Hello {brief.name}!\n{_body(_CHATTY, brief, draw, words)}\nBest regards,\nYour Assistant"


def written(writer: Writer, given: Sequence[Brief], seed: int, words: int = 60) -> list[str]:
    draw = random.Random(seed)
    return [writer(brief, draw, words) for brief in given]


def rows(given: Sequence[Brief], targets: Sequence[str]) -> list[Row]:
    return [
        Row(line, (Message("user", brief.prompt), Message("assistant", target)))
        for line, (brief, target) in enumerate(zip(given, targets, strict=True), start=1)
    ]


def _body(sentences: Sequence[str], brief: Brief, draw: random.Random, words: int) -> str:
    said: list[str] = []
    while sum(len(sentence.split()) for sentence in said) < words:
        said += draw.sample(sentences, len(sentences))
    while len(said) > 1 and sum(len(sentence.split()) for sentence in said[:-1]) >= words:
        said.pop()
    return " ".join(said).format(**brief._asdict())
