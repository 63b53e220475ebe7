"""Training rows by recipe are spread over the labels, and each text is given to the label that it belongs to."""

from collections import Counter, defaultdict

import pytest

from trainers.evals.drafts.recipe import recipe
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.spec import row_spec

BICYCLES = (
    "Sort customer mail of an online bicycle shop into delivery, warranty, payment, other, fitting advice, recall"
)
THREE = "Sort mail into delivery, warranty, other"


def shapes(task: str, count: int, seed: int) -> dict[str, Counter[str]]:
    """Count the labels of each shape of hard case."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for draft in compose_rows(row_spec(task), count=count, seed=seed).drafts:
        if draft.cell["case"] == "edge":
            found[draft.provenance][draft.target] += 1
    return found


@pytest.mark.parametrize("seed", [3, 7, 11])
@pytest.mark.parametrize(("task", "count"), [(BICYCLES, 200), (BICYCLES, 60), (THREE, 60)])
def test_no_shape_of_hard_case_belongs_to_one_label(task: str, count: int, seed: int):
    """A model learns neither that misspelt is payment nor that an order in a message is warranty."""
    found = shapes(task, count, seed)
    assert sum(map(len, found.values())) >= 6
    for shape, labels in found.items():
        assert len(labels) >= min(2, labels.total()), (shape, labels)
        if labels.total() >= 6:
            assert len(labels) >= 3, (shape, labels)
            assert max(labels.values()) <= labels.total() / 2, (shape, labels)


def test_hard_cases_of_a_small_run_are_of_several_labels():
    """Six hard rows are of at least three labels, none of them of more than two."""
    labels = sum(shapes(BICYCLES, 60, 7).values(), Counter[str]())
    assert len(labels) >= 3
    assert max(labels.values()) <= 2


def test_an_order_in_a_message_names_now_this_label_and_now_that():
    """Else a model learns which label such an order never means."""
    rows = compose_rows(row_spec(BICYCLES), count=200, seed=7).drafts
    orders = [row.input for row in rows if row.provenance == "recipe edge/injection"]
    named = {label for label in row_spec(BICYCLES).labels for text in orders if f"answer {label}." in text}
    named |= {label for label in row_spec(BICYCLES).labels for text in orders if f"below is {label}." in text}
    assert len(named) >= 3


@pytest.mark.parametrize("seed", [1, 3, 7, 11])
@pytest.mark.parametrize("count", [10, 12, 20])
def test_each_label_has_its_share_of_few_rows(count: int, seed: int):
    """Ten rows of three labels: none has fewer than three."""
    made = compose_rows(row_spec(THREE), count=count, seed=seed)
    told = Counter(draft.target for draft in made.drafts)
    assert len(made.drafts) == count
    assert min(told[label] for label in ("delivery", "warranty", "other")) >= count // 3 - 1
    assert count != 10 or min(told.values()) >= 3


def test_templates_of_labels_without_a_recipe_do_not_drown_the_others():
    """They are no more than the texts of a topic."""
    made = compose_rows(row_spec(BICYCLES), count=200, seed=7)
    told = Counter(draft.target for draft in made.drafts if "template" in draft.provenance)
    assert set(told) == {"fitting advice", "recall"}
    assert max(told.values()) <= 10


@pytest.mark.parametrize(
    ("label", "strange"),
    [
        ("warranty", ("service of my", "tuning peg", "how long does a repair take")),
        ("returns", ("courier refuses",)),
        ("account", ("close my account",)),
        ("delivery", ("tracking page",)),
        ("order status", ("to the islands", "left my parcel", "14th")),
        ("churn", ("before it is sent",)),
        ("phishing", ("search engine", "pills")),
        ("onboarding", ("laptop",)),
    ],
)
def test_no_text_of_another_topic_is_given_to_a_label(label: str, strange: tuple[str, ...]):
    """A paid repair is no warranty, and a dubious offer no phishing."""
    texts = [
        each.lower()
        for topic in recipe("classification")["concept"]
        if label in topic["words"]
        for each in topic["texts"]
    ]
    assert texts
    assert not [text for text in texts for each in strange if each in text]


@pytest.mark.parametrize("label", ["policy", "pay", "compensation", "inquiry"])
def test_a_word_of_two_meanings_is_no_topic(label: str):
    """Pay may be a salary or a bill: such a label gets templates, marked to be rewritten."""
    assert not [topic for topic in recipe("classification")["concept"] if label in topic["words"]]


def test_no_topic_is_named_twice():
    """One word names one topic, and one text stands in one."""
    topics = recipe("classification")["concept"]
    for name in ("words", "texts"):
        assert max(Counter(each for topic in topics for each in topic[name]).values()) == 1


def test_labels_without_a_recipe_have_hard_cases_too():
    """Marked as templates; none is misspelt, as its name is all that tells the label."""
    made = compose_rows(row_spec("Sort mail of a vet into appointment, grooming, other"), count=24, seed=7)
    hard = [draft for draft in made.drafts if draft.cell["case"] == "edge" and draft.target != "other"]
    assert {draft.target for draft in hard} == {"appointment", "grooming"}
    assert all("template" in draft.why and draft.target in draft.input.lower() for draft in hard)
