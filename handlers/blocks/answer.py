"""Knows how a cited answer, an honest no and a first hello look; it does not know where answers come from."""

from handlers.blocks.parts import Block, actions, button, context, plain_text, section
from handlers.escape import from_markdown, mrkdwn
from knowledge.answer import OFFLINE, Answer
from knowledge.citations import Citation

FEEDBACK, PROMPT = "feedback", "prompt"
"""Action ids: thumbs under an answer; a suggested first message, followed by `:` and its number."""

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


def answer_blocks(answer: Answer) -> list[Block]:
    """Draw an answer with its numbered sources, or the honest no with the nearest pages."""
    lines = [section(from_markdown(answer.text))]
    cited = answer.citations or answer.nearest
    if answer.citations:
        lines.append(context("Sources: " + " · ".join(_source(citation) for citation in cited)))
    small = [mrkdwn(answer.note, 400)] if answer.note else []
    small += [f"{_author(answer)} {DISCLAIMER}"] if answer.citations else []
    return [*lines, *([context(*small)] if small else []), feedback()]


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


def feedback() -> Block:
    """Return the thumbs under an answer."""
    good = {"text": plain_text("Good", 75), "value": "good", "accessibility_label": "This was a good answer"}
    bad = {"text": plain_text("Bad", 75), "value": "bad", "accessibility_label": "This was a bad answer"}
    thumbs = {"type": "feedback_buttons", "action_id": FEEDBACK, "positive_button": good, "negative_button": bad}
    return {"type": "context_actions", "elements": [thumbs]}


def _author(answer: Answer) -> str:
    if answer.written_by == OFFLINE:
        return "Put together from the sources' own sentences, without a language model."
    return f"Written by {mrkdwn(answer.written_by, 100)} from the sources."


def _source(citation: Citation) -> str:
    return f"{citation.n} *{mrkdwn(citation.title, 120)}* (updated {citation.updated.day} {citation.updated:%b %Y})"
