"""The facts about a use case that advice rests on; it knows their types, not how they are read or weighed.

Every fact may be unknown (`None`): unknown is a value of its own and never means "no".
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from knowledge.errors import UserError

Frequency = Literal["never", "yearly", "monthly", "weekly", "daily"]
FailureKind = Literal["context", "inconsistency", "format", "ability"]
ToldLike = Literal["prompting", "rag", "fine_tuning", "rag+fine_tuning", "other"]
Value = bool | int | str
Changes = Mapping[str, Value | None]
"""New values by fact; `None` makes one unknown."""

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "facts_change": get_args(Frequency),
    "failure_kind": get_args(FailureKind),
    "told_like": get_args(ToldLike),
}
"""The words that each fact which is a choice may take, mildest first."""

NUMBERS = ("corpus_tokens", "label_count", "labelled_examples", "volume_per_day")
"""The facts that are whole numbers, zero or more."""


class UnknownFact(UserError):
    """There is no such fact, or it cannot take that value."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about one use case."""

    private_facts: bool | None = None
    """Answers need facts that a model cannot have learned: own documents, niche sources, recent events."""
    facts_change: Frequency | None = None
    """How often those facts change."""
    needs_citations: bool | None = None
    """Users must see where an answer comes from."""
    per_user_permissions: bool | None = None
    """Who may see what differs between users, or content must be deletable on request."""
    corpus_tokens: int | None = None
    """Size of the reference material, in tokens (a page is counted as 400)."""
    whole_document_summary: bool | None = None
    """The task reads one whole document at a time, such as a summary."""
    retrieval_hurts: bool | None = None
    """Retrieval was tried and made results worse or did not help."""
    misuses_retrieved_text: bool | None = None
    """The right passage is found, yet the model reads or uses it wrongly."""

    fixed_voice: bool | None = None
    """The output must have a set voice, tone or persona."""
    fixed_format: bool | None = None
    """The output has a set structure that instructions can state."""
    odd_format: bool | None = None
    """The output is an own notation, query or call language that a base model gets wrong."""
    writes_queries: bool | None = None
    """The output is a query or code in a known language, such as SQL."""
    hard_to_describe: bool | None = None
    """The behaviour is easy to show and hard to put into words."""
    closed_labels: bool | None = None
    """The answer is one of a closed list of labels."""
    label_count: int | None = None
    """How many labels that list has."""
    wants_explanations: bool | None = None
    """Each decision must come with its reasons in words."""
    failure_kind: FailureKind | None = None
    """What is wrong when a prompted model fails."""

    prompting_tried: bool | None = None
    """A serious prompt has been tried."""
    few_shot_tried: bool | None = None
    """Examples in the prompt have been tried."""
    prompted_accuracy_near_target: bool | None = None
    """A prompted model already reaches about 90% of what is needed."""
    has_eval_items: bool | None = None
    """There are questions with known right answers to test on."""
    all_else_tried: bool | None = None
    """Prompting, retrieval and ordinary fine-tuning have all been tried and fell short."""

    labelled_examples: int | None = None
    """Good input/output pairs at hand."""
    labels_exist: bool | None = None
    """Such pairs exist, number unknown."""
    volume_per_day: int | None = None
    """Requests a day."""
    long_prompt: bool | None = None
    """The prompt is long, or its tokens are a burden."""
    cost_pressure: bool | None = None
    """Running cost is a stated problem."""
    shrink_model: bool | None = None
    """A small model should do what a large one already does."""
    tight_latency: bool | None = None
    """Answers must come within about a second."""
    requirements_changing: bool | None = None
    """What the output should be is still being worked out."""
    must_stay_local: bool | None = None
    """Data or model may not leave own machines."""
    training_open: bool | None = None
    """Some trainer is open to this team and its data policy."""
    can_retrain: bool | None = None
    """The team can train, and train again when the base model changes."""
    safety_refusals: bool | None = None
    """Refusals of harmful requests must survive."""

    generic_task: bool | None = None
    """An everyday language task that any current model does well."""
    numeric_prediction: bool | None = None
    """Forecasting, scheduling, ranking or anomaly detection on numbers and tables."""
    simple_model_enough: bool | None = None
    """Rules or a small classical model already do it well."""
    exact_figures_from_db: bool | None = None
    """Answers are exact figures or live state from a database or system."""
    json_schema_only: bool | None = None
    """The only trouble is that output must be valid JSON or one of a few values."""
    ruinous_error: bool | None = None
    """A single wrong answer is extremely costly."""
    human_review: bool | None = None
    """A person checks each result before it counts."""

    told_like: ToldLike | None = None
    """What cases that are told like this one needed; the learned reader's impression of the whole text."""

    def __post_init__(self) -> None:
        """Refuse values of the wrong type or range."""
        for name, value in known(self).items():
            _check(name, value)


NAMES: tuple[str, ...] = tuple(field.name for field in fields(Facts))

IMPRESSIONS = ("told_like",)
"""What no words of a text state: only the learned reader has it, and no language model is asked for it or believed."""


def known(facts: Facts) -> dict[str, Value]:
    """Give the facts that are not unknown, in their declared order."""
    return {name: value for name in NAMES if (value := getattr(facts, name)) is not None}


def with_fact(facts: Facts, name: str, value: Value | None) -> Facts:
    """Give a copy in which one fact is set (`None` makes it unknown again).

    Raises UnknownFact for a name or value that does not exist.
    """
    if name not in NAMES:
        raise UnknownFact(f"There is no fact called {name!r}.", "Choose one of the facts on the card.")
    return _replace(facts, {name: value})


def merge(older: Facts, newer: Facts) -> Facts:
    """Combine two readings of one use case: what the newer one knows replaces what the older one knew."""
    return _replace(older, known(newer))


def changed(facts: Facts, changes: Changes) -> Facts:
    """Give a copy with the changes in it; what older facts said of the same thing and no longer fits becomes unknown.

    Raises UnknownFact for a name or value that does not exist.
    """
    for name, value in changes.items():
        facts = with_fact(facts, name, value)
    for newer, older in _SAME_THING:
        if newer in changes and older not in changes and _contradict(facts, newer, older):
            facts = with_fact(facts, older, None)
    return facts


def _contradict(facts: Facts, one: str, other: str) -> bool:
    """Tell whether two facts about one thing exclude each other: examples and their number, a prompt and its result."""
    pair = {one: getattr(facts, one), other: getattr(facts, other)}
    if None in pair.values():
        return False
    if "labels_exist" in pair:
        return bool(pair["labels_exist"]) != bool(pair["labelled_examples"])
    return pair["prompting_tried"] is False


_SAME_THING = (
    ("labels_exist", "labelled_examples"),
    ("labelled_examples", "labels_exist"),
    ("prompting_tried", "prompted_accuracy_near_target"),
    ("prompted_accuracy_near_target", "prompting_tried"),
)


def from_mapping(values: Changes) -> Facts:
    """Build facts from stored names and values; raises UnknownFact for a name or value that does not exist."""
    facts = Facts()
    for name, value in values.items():
        facts = with_fact(facts, name, value)
    return facts


def _replace(facts: Facts, values: Mapping[str, Value | None]) -> Facts:
    # dataclasses.replace is typed per field; the values were checked by name in __post_init__.
    return dataclasses.replace(facts, **values)  # type: ignore[arg-type]


def _check(name: str, value: Value) -> None:
    if name in ALLOWED:
        fits = isinstance(value, str) and value in ALLOWED[name]
    elif name in NUMBERS:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    else:
        fits = isinstance(value, bool)
    if not fits:
        raise UnknownFact(f"The fact {name!r} cannot be {value!r}.", "Choose one of the offered answers.")
