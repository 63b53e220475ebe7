"""Knows how a cited answer, an honest no and a first hello look; it does not know where answers come from."""

from handlers.blocks.feedback import feedback
from handlers.blocks.parts import Block, actions, button, confirm, context, section
from handlers.blocks.source import source_buttons
from handlers.blocks.words import person
from handlers.escape import inert, mrkdwn
from knowledge.answer import OFFLINE, Answer
from knowledge.citations import Citation
from knowledge.feedback import Receipt

PROMPT, SHARE = "prompt", "share"
"""Action ids: a suggested first message, followed by `:` and its number; the button that shares a private answer."""

WHO_READS = (
    "It rests on documents of your team. Everybody in this channel will read it, people of other companies too where "
    "the channel is shared with them."
)

DISCLAIMER = "AI can be wrong; check before you spend."

PROMPTS = (
    "Our support answers must quote a price list that changes weekly",
    "Sort tickets into 12 queues; we have 800 labelled",
    "Write release notes in our voice",
    "What is QLoRA?",
)
"""Suggested first messages; Slack shows at most four."""

HELLO = "Hi, I'm Luthier."
_OFFER = (
    "Tell me what you want an AI to do for you, and I'll tell you whether to prompt, use RAG, fine-tune, or none of "
    "these, with the reasons. If training is worth it, I'll price it, run it and test it."
)
PRIVACY = (
    "I ignore and never store messages unless you mention me or reply in a thread I'm in, and I never train on Slack "
    "messages."
)


def answer_text(answer: Answer) -> str:
    """Return an answer for notifications and screen readers."""
    return inert(answer.text, 300)


def answer_blocks(answer: Answer, receipt: Receipt | None = None, *, share: str = "") -> list[Block]:
    """Draw an answer with its numbered sources, or the honest no with the nearest pages."""
    return [section(inert(answer.text), verbatim=True), *closing_blocks(answer, receipt, share=share)]


def closing_blocks(answer: Answer, receipt: Receipt | None = None, *, share: str = "") -> list[Block]:
    """Draw what stands under an answer's text: its sources, with `share` the button that shares it, and thumbs.

    `receipt` is what the thumbs carry; without one there are none.
    """
    listed = "Sources: " + " · ".join(map(_source, answer.citations))
    lines = [context(listed, verbatim=True)] if answer.citations else []
    buttons = source_buttons(answer.citations)
    buttons += [button("Share in channel", SHARE, share, confirm=_sure(answer))] if share else []
    small = [inert(answer.note, 400)] if answer.note else []
    small += [f"{_author(answer)} {DISCLAIMER}"] if answer.citations else []
    lines += actions(buttons, block_id="sources")
    return [*lines, *([context(*small, verbatim=True)] if small else []), *([feedback(receipt)] if receipt else [])]


def shared_blocks(answer: Answer, question: str, user_id: str, receipt: Receipt) -> list[Block]:
    """Draw an answer that was private, with who shares it and what they had asked."""
    asked = f" They had asked: {inert(question, 600)}" if question else ""
    told = f"{person(user_id)} shares an answer that I gave them.{asked}"
    return [context(told, verbatim=True), *answer_blocks(answer, receipt)]


def welcome_blocks(*, buttons: bool) -> list[Block]:
    """Draw the first hello; with `buttons` where Slack does not show the suggestions itself."""
    prompts = [button(prompt, f"{PROMPT}:{place}", prompt) for place, prompt in enumerate(PROMPTS)]
    return [
        section(f"*{HELLO}* {_OFFER}"),
        *actions(prompts if buttons else [], block_id="prompts"),
        context(PRIVACY),
    ]


def prompts() -> list[dict[str, str]]:
    """Return the suggested first messages as Slack's assistant takes them."""
    return [{"title": prompt, "message": prompt} for prompt in PROMPTS]


def _sure(answer: Answer) -> Block | None:
    """Ask once more before a team's own documents are shown: nothing that we are told with a click says to whom."""
    return confirm("Share it?", WHO_READS, "Share", "Keep it to me") if answer.from_documents else None


def _author(answer: Answer) -> str:
    if answer.written_by == OFFLINE:
        return "Put together from the sources' own sentences, without a language model."
    return f"Written by {mrkdwn(answer.written_by, 100)} from the sources."


def _source(citation: Citation) -> str:
    under = citation.heading.rsplit(" > ", 1)[-1]
    path = f"{citation.title} › {under}" if under else citation.title
    return f"{citation.n} *{inert(path, 160)}* (updated {citation.updated.day} {citation.updated:%b %Y})"
