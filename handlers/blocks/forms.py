"""Knows the modals: what to train on, try a model, and short notes; it does not know what comes of them."""

from collections.abc import Mapping, Sequence

from handlers.blocks.lint import TICK
from handlers.blocks.parts import Block, context, divider, field, modal, option, plain_text, rich, run, section, select
from handlers.blocks.words import count
from handlers.escape import mrkdwn, plain
from trainers.backends.bases import Where
from trainers.data.examples import EXAMPLES
from trainers.evals.plan_store import StoredPlan
from trainers.speaking import Pair
from trainers.tables import Dataset

TRAIN, TRY = "train_form", "try_form"
"""Callback ids."""

ROWS, TRAIN_FILE, TEST_FILE, OURS, NAME, INPUT = "rows", "train_file", "test_file", "ours", "name", "input"
ANNOUNCE, PLAN, BASE = "announce", "plan", "base"
"""Block ids and action ids of the inputs; each input has one name for both."""

MOST_SETS = 90
"""Data sets in the menu; Slack takes 100 options."""


def train_form(
    datasets: Sequence[Dataset],
    metadata: str,
    note: str = "",
    *,
    private: bool = False,
    plans: Sequence[StoredPlan] = (),
    chosen: str = "",
    bases: Mapping[str, Sequence[Where]] | None = None,
) -> Block:
    """Draw the form that asks for rows, a data set `chosen` by id; `note` says what the training packages still lack.

    Where there is more than one base to choose from, it asks which.

    Where it was opened in a private conversation, it asks whether others may hear of the job; where evaluation plans
    are frozen, by which one the model is to be judged.
    """
    choices = [*map(_example_option, EXAMPLES), *map(_dataset_option, datasets[:MOST_SETS])]
    first = next((each for each in choices if each["value"] == f"dataset:{chosen}"), choices[0])
    rows = select(ROWS, "Choose rows", choices, first)
    blocks = [
        section("Pick rows or upload your own. You see findings and a quote; nothing starts before you approve."),
        *([context(mrkdwn(note, 500))] if note else []),
        field("Rows", rows, block_id=ROWS, optional=True, hint="Used unless you upload training rows below."),
        divider(),
        *_upload_fields(),
        *([base_field(bases)] if bases and len(bases) > 1 else []),
        *([_plan_field(plans)] if plans else []),
        *([_announce_field()] if private else []),
    ]
    return modal("Train a model", blocks, callback_id=TRAIN, submit="Get a quote", close="Cancel", metadata=metadata)


def try_form(model_name: str, metadata: str, asked: str = "", said: Pair | None = None, problem: str = "") -> Block:
    """Draw the form that asks base and tuned model the same; afterwards with both answers in it."""
    element: Block = {"type": "plain_text_input", "action_id": INPUT, "multiline": True, "max_length": 2000}
    if asked:
        element["initial_value"] = plain(asked, 2000)
    lines = [
        section(f"*{mrkdwn(model_name, 200)}* and its base answer the same input."),
        field("Input", element, block_id=INPUT, hint="Write it like the rows it was trained on."),
        *([section(f"⚠️ {mrkdwn(problem, 900)}")] if problem else []),
        *(
            _answers(said)
            if said
            else [context("The first question loads the model and can take up to a minute; later ones take seconds.")]
        ),
    ]
    return modal("Try it", lines, callback_id=TRY, submit="Ask both", metadata=metadata)


def asking(model_name: str, asked: str) -> Block:
    """Draw the modal while both models work."""
    return modal(
        "Try it", [rich([run(plain(asked, 2000))]), section(f"⏳ Asking *{mrkdwn(model_name, 200)}* and its base…")]
    )


def note_view(title: str, *texts: str) -> Block:
    """Draw a modal that only says something."""
    return modal(title, [section(text) for text in texts])


def base_field(bases: Mapping[str, Sequence[Where]]) -> Block:
    """Draw the menu of base models that somebody still trains, each with where; the first one is chosen."""
    options = [
        option(base, base, ", ".join(dict.fromkeys(each.title for each in places))) for base, places in bases.items()
    ]
    hint = "What can be trained today; type to search. You see every place that trains it side by side, with its price."
    return field("Base model", select(BASE, "Choose a base", options, options[0]), block_id=BASE, hint=hint)


def _upload_fields() -> list[Block]:
    train = {"type": "file_input", "action_id": TRAIN_FILE, "max_files": 1}
    test = {"type": "file_input", "action_id": TEST_FILE, "max_files": 1}
    tick = {"type": "checkboxes", "action_id": OURS, "options": [option(TICK, "yes")]}
    example = plain_text("such as tickets-v2", 150)
    name = {"type": "plain_text_input", "action_id": NAME, "max_length": 60, "placeholder": example}
    form = 'One {"messages": [...]} a line. I never take rows from Slack messages.'
    held = "Rows to judge by, also for rows chosen above. Without them: the plan's, or a third of yours, at least 20."
    return [
        field("Or upload training rows (JSONL)", train, block_id=TRAIN_FILE, optional=True, hint=form),
        field("Test rows (JSONL)", test, block_id=TEST_FILE, optional=True, hint=held),
        field("For an upload", tick, block_id=OURS, optional=True),
        field("Name", name, block_id=NAME, optional=True, hint="For an upload; its file name otherwise."),
    ]


def _plan_field(plans: Sequence[StoredPlan]) -> Block:
    menu = select(PLAN, "By its test rows, else by default", [_plan_option(plan) for plan in plans[:MOST_SETS]])
    hint = "Its metric, target and guardrails decide, on the rows it was frozen with unless you upload test rows above."
    return field("Evaluation plan", menu, block_id=PLAN, optional=True, hint=hint)


def _plan_option(stored: StoredPlan) -> Block:
    return option(plain(stored.name, 75), stored.id, f"{stored.plan.metric}, {count(stored.plan.rows_planned, 'row')}")


def _announce_field() -> Block:
    tick = {"type": "checkboxes", "action_id": ANNOUNCE, "options": [option("Announce this job", "yes")]}
    hint = "You began this in private: without the tick it is announced and listed nowhere else."
    return field("For others", tick, block_id=ANNOUNCE, optional=True, hint=hint)


def _answers(said: Pair) -> list[Block]:
    pairs = (("Base", said.base), ("Tuned", said.tuned))
    blocks = [
        [section(f"*{name}* · {answer.seconds:.1f} s"), rich([run(plain(answer.text, 2500) or "(nothing)")])]
        for name, answer in pairs
    ]
    same = [context("Both say the same.")] if said.base.text.strip() == said.tuned.text.strip() else []
    return [divider(), *blocks[0], *blocks[1], *same]


def _example_option(name: str) -> Block:
    return option(f"Shipped example: {EXAMPLES[name].name}", f"example:{name}", EXAMPLES[name].title)


def _dataset_option(dataset: Dataset) -> Block:
    noun = "pair" if dataset.pairs else "row"
    rows = f"{count(dataset.train_rows, noun)}, {count(dataset.test_rows, f'test {noun}')}"
    return option(f"{plain(dataset.name, 50)} v{dataset.version}", f"dataset:{dataset.id}", rows)
