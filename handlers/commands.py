"""Knows the sub-commands of /tune; it does not know what they lead to. Only who typed a command sees its answer."""

import json
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient

from handlers.blocks.advice import advice_blocks, advice_text
from handlers.blocks.answer import answer_blocks, answer_text
from handlers.blocks.compare import compare_view
from handlers.blocks.cost import cost_blocks, cost_text
from handlers.blocks.job import resume_offer
from handlers.blocks.lint import lint_blocks, lint_text
from handlers.blocks.listing import COMMANDS, SHOWN, help_blocks, jobs_blocks, models_blocks
from handlers.blocks.parts import Block, section
from handlers.blocks.parts import context as small_print
from handlers.blocks.plan import plan_blocks, plan_text
from handlers.blocks.prompting import check_form, prompt_blocks, prompt_text
from handlers.blocks.settings import PAUSED, READ_ONLY, UNPAUSED, settings_blocks, settings_text
from handlers.blocks.words import clock_time, in_slack
from handlers.blocks.words import person as named
from handlers.costs import asked_in, cost_form, reckon
from handlers.datasets import list_view as data_view
from handlers.deps import Deps
from handlers.documents import forget_named, list_view
from handlers.errors import words_for
from handlers.escape import mrkdwn
from handlers.generating import open_form as open_drafting
from handlers.keys import keys
from handlers.learning import learn_page, open_form
from handlers.modals import open_training
from handlers.people import is_private, person_of, spoken
from handlers.posting import answer_privately
from handlers.prompting import asked_to_check, prompt_ticket
from handlers.rows import buttons_of
from handlers.sharing import ticket_for
from handlers.voice import open_form as open_voice
from knowledge.advice.advise import advise
from knowledge.advice.cases import split_cases
from knowledge.advice.compare import compare
from knowledge.answer import answer
from knowledge.errors import LuthierError
from knowledge.tenancy import Person
from trainers.data.examples import EXAMPLES
from trainers.evals.plan import make_plan
from trainers.evals.prompting.written import write_prompt
from trainers.jobs.accounts import cost_of
from trainers.jobs.service import Outcome, Place
from trainers.policy import check_stop
from trainers.states import ENDED, LIVE, RESUMABLE
from trainers.tables import Dataset, Job

Say = Callable[[str, list[Block]], None]

NOT_TO_RESUME = {"queued": "waits in the queue", "running": "is running", "succeeded": "has finished"}
"""How a job stands that cannot be resumed because it needs no resuming."""


class Typed(NamedTuple):
    """One command as typed."""

    person: Person
    place: Place
    rest: str
    """Everything after the sub-command."""
    trigger_id: str


EXAMPLE_SEED = 7
"""One fixed seed, so that the same task always gets the same examples."""

ALSO = {"datasets": "data", "dataset": "data"}
"""Other names of sub-commands."""


def register(app: App, deps: Deps) -> None:
    """Listen for /tune."""
    app.command("/tune")(partial(tune, deps))


def tune(
    deps: Deps, ack: Ack, command: dict[str, Any], context: BoltContext, client: WebClient, respond: Respond
) -> None:
    """Run the sub-command that was typed."""
    ack()
    name, _, rest = str(command.get("text") or "").strip().partition(" ")
    channel = str(command["channel_id"])
    place = Place(channel, private=is_private(channel, str(command.get("channel_name") or "")))
    typed = Typed(person_of(context), place, spoken(rest, ""), str(command["trigger_id"]))
    asked = name.lower() or "help"
    run = SKILLS.get(ALSO.get(asked, asked))
    try:
        text, blocks = run(deps, typed, client) if run else unknown(name)
    except LuthierError as error:
        text, blocks = words_for(error), []
    if text:
        answer_privately(respond, text, blocks)


def unknown(name: str) -> tuple[str, list[Block]]:
    """Offer the nearest sub-command, and the list."""
    near = get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.5)
    guess = f" Did you mean `/tune {near[0]}`?" if near else ""
    text = f"I don't know `/tune {mrkdwn(name, 40)}`.{guess}"
    return text, [section(text), *help_blocks()]


def show_help(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """List what can be done."""
    return "What I can do: " + ", ".join(f"/tune {name}" for name in COMMANDS), help_blocks(deps.install_note())


def ask(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Answer a question from the guide."""
    workspace = typed.person.workspace_id
    meter = deps.meter(workspace)
    said = answer(typed.rest, deps.index, deps.model, workspace=workspace, meter=meter, rerank=deps.rerank)
    return answer_text(said), answer_blocks(said, share=ticket_for(typed.person, typed.place.channel, typed.rest, said))


def learn(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Open the form for documents, or add the page whose address was typed."""
    if typed.rest:
        return learn_page(client, deps, typed.person, typed.place, typed.rest.split()[0], typed.trigger_id), []
    open_form(client, deps, typed.person, typed.place, typed.trigger_id)
    return "", []


def sources(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Open the list of what answers rest on."""
    client.views_open(trigger_id=typed.trigger_id, view=list_view(deps, typed.person))
    return "", []


def forget(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Ask whether the named document is to go."""
    return forget_named(deps, typed.person, typed.rest)


def weigh(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Advise on a use case."""
    cases = split_cases(typed.rest)
    advice = advise(cases[0], reader=deps.reader_of(typed.person.workspace_id))
    several = f"You told {len(cases)} use cases; this is for the first. " if len(cases) > 1 else ""
    hint = small_print(
        f"{several}Only you see this. Mention me in a channel to weigh it together: there you can answer my questions."
    )
    return advice_text(advice), [*advice_blocks(advice, editable=False), hint]


def show_options(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Open the options for a use case, side by side."""
    advice = advise(typed.rest, reader=deps.reader_of(typed.person.workspace_id))
    if advice.needs_more:
        return f"{advice.headline} For example: `/tune compare sort tickets into 12 queues, 800 labelled`.", []
    client.views_open(trigger_id=typed.trigger_id, view=compare_view(advice, compare(advice)))
    return "", []


def plan(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Plan how a model for a task would be judged."""
    made = make_plan(typed.rest).to_json()
    return plan_text(made), plan_blocks(made)


def system_prompt(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Write a system prompt for a task, or open the form in which one is checked."""
    if not typed.rest:
        how = "For one that you have: `/tune system-prompt --check`"
        return f"For which task? `/tune system-prompt sort tickets into billing, returns, other`. {how}", []
    if (given := asked_to_check(typed.rest)) is not None:
        client.views_open(trigger_id=typed.trigger_id, view=check_form(given))
        return "", []
    meter = deps.meter(typed.person.workspace_id)
    made = write_prompt(make_plan(typed.rest), seed=EXAMPLE_SEED, model=deps.model, meter=meter).to_json()
    return prompt_text(made), prompt_blocks(made, share=prompt_ticket(typed.person, typed.place.channel, made))


def voice(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Open the form for texts in a voice."""
    open_voice(client, typed.place, typed.trigger_id)
    return "", []


def cost(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Price a fine-tune; alone it opens the form."""
    if not typed.rest:
        client.views_open(trigger_id=typed.trigger_id, view=cost_form(typed.place.channel))
        return "", []
    asked = asked_in(typed.rest)
    made = reckon(deps, typed.person, asked)
    return cost_text(made), cost_blocks(made, json.dumps(asked))


def train(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Open the training form."""
    open_training(client, deps, typed.person, typed.place, typed.trigger_id)
    return "", []


def jobs(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """List one's own jobs; `all` adds those of others, behind one's own."""
    me, ledger = typed.person.user_id, deps.jobs.ledger
    own = ledger.listing(typed.person.workspace_id, requested_by=me)
    others = [job for job in ledger.listing(typed.person.workspace_id, seen_by=me) if job.requested_by != me]
    everybody = typed.rest.lower() == "all"
    shown = [*own[: SHOWN // 2 if others else SHOWN], *others] if everybody else own
    places = ledger.places(shown[:SHOWN], deps.clock())
    return "Jobs", jobs_blocks(shown, places, others=0 if everybody else len(others))


def cancel(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Stop a job by its number."""
    if not typed.rest:
        return "Which job? `/tune cancel 3` stops job #3; `/tune jobs` lists them.", []
    outcome = deps.jobs.stop(_job_named(deps, typed).id, typed.person, deps.clock())
    return stop_words(outcome), []


def resume(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Continue a job by its number."""
    if not typed.rest:
        return "Which job? `/tune resume 3` continues job #3 from its last checkpoint; `/tune jobs` lists them.", []
    found = _job_named(deps, typed)
    if found.approved_at and found.state in RESUMABLE and (cost := cost_of(found)):
        check_stop(found, typed.person, deps.workspaces.rules(typed.person.workspace_id))
        return resume_offer(found.id, found.number, str(cost))
    return resume_words(deps.jobs.resume(found.id, typed.person, deps.clock())), []


def resume_words(outcome: Outcome) -> str:
    """Say what a wish to continue led to."""
    number, state = outcome.job.number, outcome.job.state
    if outcome.changed:
        return f"Job #{number} continues from its last checkpoint."
    if state in LIVE and outcome.job.stop_requested_by:
        return f"Job #{number} is being stopped; resume it when its thread says that it has stopped."
    if state not in NOT_TO_RESUME:
        return already(outcome)
    return f"Job #{number} {NOT_TO_RESUME[state]}; there is nothing to resume, and nothing was changed."


def already(outcome: Outcome) -> str:
    """Tell a late click what happened before it."""
    found = outcome.job
    if found.state == "awaiting_approval":
        return f"Quote #{found.number} waits for approval already; nothing was changed."
    if found.approved_at is None and found.error_what:
        return in_slack(f"Quote #{found.number}: {found.error_what} {found.error_next}")
    if found.approved_at is None:
        return f"Job #{found.number} is {found.state.replace('_', ' ')}; nothing was changed."
    state = {"queued": "waiting in the queue", "succeeded": "finished"}.get(found.state, found.state)
    return f"{named(found.approved_by)} approved this at {clock_time(found.approved_at.isoformat())}; it is {state}."


def stop_words(outcome: Outcome) -> str:
    """Say what a wish to stop led to."""
    number, state = outcome.job.number, outcome.job.state
    if not outcome.changed:
        ended = f"has ended already ({state}); nothing was changed."
        return f"Job #{number} {ended if state in ENDED else 'was asked to stop already.'}"
    if state == "running":
        return f"Job #{number} stops after its current step. It can be resumed."
    if state == "queued":
        return f"Job #{number} is being stopped: what a provider may have of it is ended first; its thread says when."
    return f"Job #{number} is cancelled." + ("" if outcome.job.fence else " Nothing ran.")


def check_rows(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Lint a data set of the workspace, or the shipped example."""
    sets = {dataset.name: dataset for dataset in reversed(_sets(deps, typed.person))}
    name = typed.rest.strip()
    buttons: list[Block] = []
    if name in sets:
        chosen = sets[name]
        train, test = deps.datasets.folder / chosen.train_path, deps.datasets.held_out(chosen)
        buttons = buttons_of(chosen)
    elif name in EXAMPLES:
        train, test = EXAMPLES[name].train, EXAMPLES[name].test
    else:
        return _no_rows(name, sorted({*sets, *EXAMPLES})), []
    report = deps.datasets.judge(train, test)
    return lint_text(name, report), lint_blocks(name, report, buttons=buttons)


def data(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Open the list of data sets, or the form that drafts rows."""
    name, _, task = typed.rest.partition(" ")
    if name.lower() == "generate":
        open_drafting(client, deps, typed.person, typed.place, typed.trigger_id, task.strip())
        return "", []
    client.views_open(trigger_id=typed.trigger_id, view=data_view(deps, typed.person, json.dumps(typed.place)))
    return "", []


def models(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """List tuned models."""
    return "Models", models_blocks(deps.registry.listing(typed.person.workspace_id, seen_by=typed.person.user_id))


def _job_named(deps: Deps, typed: Typed) -> Job:
    me = typed.person
    return deps.jobs.ledger.find(me.workspace_id, typed.rest, seen_by=me.user_id, channel=typed.place.channel)


def settings(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Show what the workspace allows and how its budgets stand."""
    if typed.rest:
        return READ_ONLY, []
    workspace = typed.person.workspace_id
    rules, standing = deps.workspaces.rules(workspace), deps.workspaces.standing(workspace, deps.clock())
    return settings_text(rules, standing), settings_blocks(rules, standing)


def api_keys(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Make, list and end keys of the fine-tuning API."""
    return keys(deps, typed.person, typed.place, typed.rest)


def pause(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Turn the kill switch on."""
    changed = deps.workspaces.pause(typed.person.workspace_id, typed.person, deps.clock())
    return (PAUSED if changed else "Luthier is paused here already; nothing was changed."), []


def unpause(deps: Deps, typed: Typed, client: WebClient) -> tuple[str, list[Block]]:
    """Turn the kill switch off."""
    changed = deps.workspaces.pause(typed.person.workspace_id, typed.person, deps.clock(), paused=False)
    return (UNPAUSED if changed else "Luthier is not paused here; nothing was changed."), []


def _sets(deps: Deps, person: Person) -> Sequence[Dataset]:
    return deps.datasets.listing(person.workspace_id, seen_by=person.user_id)


def _no_rows(name: str, names: list[str]) -> str:
    listed = ", ".join(f"`{mrkdwn(each, 60)}`" for each in names)
    said = f"There is no data set called {mrkdwn(name, 60)}." if name else "Which rows?"
    return (
        f"{said} I know {listed}: `/tune lint tickets`. For a file of yours, upload it in a message that mentions me."
    )


SKILLS: dict[str, Callable[[Deps, Typed, WebClient], tuple[str, list[Block]]]] = {
    "help": show_help,
    "ask": ask,
    "learn": learn,
    "sources": sources,
    "forget": forget,
    "advise": weigh,
    "compare": show_options,
    "eval-plan": plan,
    "system-prompt": system_prompt,
    "voice": voice,
    "cost": cost,
    "train": train,
    "jobs": jobs,
    "cancel": cancel,
    "resume": resume,
    "lint": check_rows,
    "data": data,
    "models": models,
    "settings": settings,
    "keys": api_keys,
    "pause": pause,
    "unpause": unpause,
}
"""What each sub-command runs; it returns the answer as text and as blocks, or "" where it opened a form."""
