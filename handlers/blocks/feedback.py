"""Knows how thumbs under a message look, and the form that asks what was wrong; it does not know who keeps that."""

import json
from collections.abc import Sequence

from handlers.blocks.parts import Block, field, modal, option, plain_text, section
from knowledge.feedback import NO_RECEIPT, VERDICTS, WORDS, Receipt

FEEDBACK, FORM = "feedback", "feedback_form"
"""Action id of the thumbs; callback id of the form."""

VERDICT, SAID = "verdict", "said"
"""Block ids and action ids of the form's inputs."""

_VALUE = 2000
"""Characters that Slack keeps with a button."""


def feedback(receipt: Receipt = NO_RECEIPT) -> Block:
    """Return the thumbs under a message."""
    good = {"text": plain_text("Good", 75), "value": _value("good", receipt)}
    bad = {"text": plain_text("Bad", 75), "value": _value("bad", receipt)}
    thumbs = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": good | {"accessibility_label": "This was a good answer"},
        "negative_button": bad | {"accessibility_label": "This was a bad answer"},
    }
    return {"type": "context_actions", "elements": [thumbs]}


def read_thumb(value: str) -> tuple[bool, Receipt]:
    """Return whether a thumb was up and what its message rested on; older messages carry the thumb alone."""
    if not value.startswith("["):
        return value == "good", NO_RECEIPT
    thumb, question_hash, passages = json.loads(value)
    return thumb == "good", Receipt(question_hash, tuple(passages))


def feedback_form(metadata: str) -> Block:
    """Draw the small form under a thumb that was down."""
    wrong = {
        "type": "radio_buttons",
        "action_id": VERDICT,
        "options": [option(words, verdict) for verdict, words in VERDICTS.items()],
    }
    words = {"type": "plain_text_input", "action_id": SAID, "multiline": True, "max_length": WORDS}
    hint = (
        "What you type here is kept with your rating, for whoever looks after the sources. Of your question only a "
        "fingerprint is kept, and nothing of the answer but which passages it cites."
    )
    blocks = [
        section("I noted it. This helps whoever looks after the sources to mend them."),
        field("What was wrong?", wrong, block_id=VERDICT),
        field("In your words", words, block_id=SAID, hint=hint, optional=True),
    ]
    return modal("Not a good answer", blocks, callback_id=FORM, submit="Send", close="Skip", metadata=metadata)


def _value(thumb: str, receipt: Receipt) -> str:
    if receipt == NO_RECEIPT:
        return thumb
    passages: Sequence[str] = receipt.passages
    while len(made := json.dumps([thumb, receipt.question_hash, list(passages)])) > _VALUE:
        passages = passages[:-1]
    return made
