"""Knows how a private system prompt gets into its channel (in its own button), and how one is checked; writes none."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient

from handlers.blocks.prompting import (
    CHECK_FORM,
    LEFT_BEHIND,
    SHARE,
    TASK,
    check_entered,
    checked_view,
    prompt_text,
    shared_prompt_blocks,
)
from handlers.deps import Deps
from handlers.people import person_of, place_of
from handlers.sharing import VALUE, packed, put, unpacked_json
from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.evals.plan import make_plan
from trainers.evals.prompting.checks import check_prompt, unread, with_reading
from trainers.evals.prompting.read_by_model import read_by_model

_MOST_ERROR = 300


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
    """Listen for the button and the form."""
    app.action(SHARE)(partial(share, deps))
    app.view(CHECK_FORM)(partial(checked, deps))


def asked_to_check(typed: str) -> str | None:
    """Return what stands after `--check`, with one long dash on phones; None where nothing is to be checked."""
    first, _, rest = typed.strip().partition(" ")
    return rest.strip() if first.lower() in ("--check", "—check", "–check") else None


def checked(deps: Deps, ack: Ack, view: Mapping[str, Any], context: BoltContext, client: WebClient) -> None:
    """Show in the form what a prompt lacks, and then what a language model reads in it."""
    prompt, task = check_entered(view["state"]["values"])
    try:
        found = check_prompt(prompt, make_plan(task) if task else None)
    except UserError as error:
        ack(response_action="errors", errors={TASK: f"{error.what} {error.next_step}"[:_MOST_ERROR]})
        return
    free = deps.model is not None and deps.model_price().free
    if deps.model and not free:
        found = unread(found, deps.model.name)
    reader = deps.model.name if deps.model and free else ""
    ack(response_action="update", view=checked_view([each._asdict() for each in found], reader))
    if deps.model and free:
        meter = deps.meter(person_of(context).workspace_id)
        found = with_reading(found, read_by_model(prompt, deps.model, meter))
        client.views_update(view_id=view["id"], view=checked_view([each._asdict() for each in found]))


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
