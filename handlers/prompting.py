"""Knows how a private system prompt gets into its channel: it travels in its own button; it writes none."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient

from handlers.blocks.prompting import LEFT_BEHIND, SHARE, prompt_text, shared_prompt_blocks
from handlers.deps import Deps
from handlers.people import person_of, place_of
from handlers.sharing import VALUE, packed, put, unpacked_json
from knowledge.errors import UserError
from knowledge.tenancy import Person


class PromptTicket(NamedTuple):
    """A private system prompt, as its Share button carries it."""

    user_id: str
    """Who was given it, and alone may share it."""
    prompt: str
    written_by: str
    notes: list[str]
    examples: list[dict[str, Any]]

    @property
    def told(self) -> dict[str, Any]:
        """The same as `SystemPrompt.to_json` gives it to the blocks."""
        told = self._asdict()
        return {name: told[name] for name in ("prompt", "written_by", "notes", "examples")}


def register(app: App, deps: Deps) -> None:
    """Listen for the button."""
    app.action(SHARE)(partial(share, deps))


def share(
    deps: Deps,
    ack: Ack,
    body: dict[str, Any],
    action: dict[str, Any],
    context: BoltContext,
    client: WebClient,
    respond: Respond,
) -> None:
    """Post a private system prompt to its channel, and take the private one away."""
    ack()
    person = person_of(context)
    ticket = ticket_of(person, str(action["value"]))
    blocks = shared_prompt_blocks(ticket.told, person.user_id)
    place = place_of(body)._replace(thread_ts="")
    put(deps, client, respond, person, place, prompt_text(ticket.told), blocks, kind="prompt")


def ticket_of(person: Person, value: str) -> PromptTicket:
    """Read what a Share button carries; raises UserError for somebody else than who was given the prompt."""
    ticket = PromptTicket(*unpacked_json(value))
    if person.user_id != ticket.user_id:
        raise UserError("That prompt was written for somebody else.", "Ask for your own with `/tune system-prompt`.")
    return ticket


def prompt_ticket(person: Person, channel: str, told: Mapping[str, Any]) -> str:
    """Return what a Share button carries; "" where there is nobody to share with, or no room for the prompt.

    Examples that do not fit stay behind, and the notes say so.
    """
    if channel.startswith("D"):
        return ""
    notes, examples = list(told["notes"]), list(told["examples"])
    whole = PromptTicket(person.user_id, told["prompt"], told["written_by"], notes, examples)
    bare = whole._replace(examples=[], notes=[*notes, LEFT_BEHIND])
    return next((value for ticket in (whole, bare) if len(value := packed(ticket)) <= VALUE), "")
