"""Knows how a run looks at several places side by side, and the form that changes its knobs; it prices nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from handlers.blocks.parts import Block, actions, button, context, field, modal, plain_text, section, table
from handlers.blocks.words import count, money
from handlers.escape import mrkdwn, plain

TAKE, CHANGE, CHANGE_QUOTE, FORM = "place_take", "place_change", "quote_change", "knobs_form"
"""Action ids of the buttons (the first one's with a number behind it), and the form's callback id."""

LABELS = {
    "epochs": ("Epochs", "Passes over the rows: 1 to 50."),
    "rank": ("Rank", "Of the LoRA adapter: 1 to 256."),
    "learning_rate": ("Learning rate", "Its peak, such as 0.0002."),
    "learning_rate_multiplier": ("Learning rate multiplier", "Of the provider's own rate; empty: it chooses."),
}
"""Knob -> label and hint of its input."""


class Offered(NamedTuple):
    """A run at one place."""

    title: str
    training: str | None
    """Dollars as a decimal string; None: unknown."""
    test: str | None
    serving: str | None
    stands: str
    """How long the base lasts there, in a sentence, or why there is no quote."""
    token: str = ""
    """What comes back with a click; "": it cannot be had."""

    @property
    def known(self) -> bool:
        """Whether somebody could approve it."""
        return bool(self.token) and None not in (self.training, self.test)


def places_text(name: str, base: str) -> str:
    """Say what is compared, in one line."""
    return f"Where to train {mrkdwn(base, 60)} on {mrkdwn(name, 120)}"


def places_blocks(
    name: str,
    base: str,
    epochs: int,
    places: Sequence[Offered],
    token: str,
    *,
    pretended: bool = False,
    others: Sequence[str] = (),
) -> list[Block]:
    """Draw the places side by side; `token` comes back with Change. Nothing is asked for yet.

    `others` say of places that train the base on other rows why they are not among them.
    """
    head = f"*{places_text(name, base)}*, {count(epochs, 'epoch')}. Prices are at most; nothing starts by this."
    said = [f"• *{mrkdwn(each.title, 60)}*: {mrkdwn(each.stands, 600)}" for each in places if each.stands]
    drawn = [
        button(f"Quote: {each.title}", f"{TAKE}-{place}", each.token, spoken=f"Get the quote for {each.title}")
        for place, each in enumerate(places)  # Slack takes an action id once in a row of buttons
        if each.known
    ]
    notes = [mrkdwn(each, 300) for each in others]
    notes += ["A rehearsal: nothing is trained and nothing is charged."] if pretended else []
    return [
        section(head),
        table([["Where", "Training", "Test", "Serving, 30 days"], *map(_row, places)]),
        *([section("\n".join(said))] if said else []),
        *([context(*notes)] if notes else []),
        *actions([*drawn[:4], button("Change", CHANGE, token)]),
    ]


def knobs_form(knobs: Mapping[str, Any], metadata: str) -> Block:
    """Draw the form with the knobs that this run has, by name."""
    blocks = [_input(name, value) for name, value in knobs.items()]
    return modal("Change the run", blocks, callback_id=FORM, submit="Quote again", close="Cancel", metadata=metadata)


def _row(place: Offered) -> list[str]:
    return [plain(place.title, 60), money(place.training), money(place.test), money(place.serving)]


def _input(name: str, value: Any) -> Block:
    label, hint = LABELS[name]
    element: Block = {"type": "plain_text_input", "action_id": name, "max_length": 20}
    if value is None:
        element["placeholder"] = plain_text("The provider's own", 150)
    else:
        element["initial_value"] = f"{value:g}" if isinstance(value, float) else str(value)
    return field(label, element, block_id=name, hint=hint, optional=name == "learning_rate_multiplier")
