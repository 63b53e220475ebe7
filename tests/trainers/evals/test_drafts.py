"""Drafts of test rows: varied, apart from training and each other, and never surer than they can be."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.data.jsonl import Message, Row, read_rows
from trainers.data.likeness import canonical, near_pairs
from trainers.data.lint import lint
from trainers.data.review_rows import read_draft
from trainers.errors import RowRefused
from trainers.evals.drafts import DRAFT_KINDS, Draft, classification, disjoint, draft, draft_rows
from trainers.evals.drafts.another import more_rows
from trainers.evals.drafts.classification import unknown_labels
from trainers.evals.drafts.compose import quota
from trainers.evals.drafts.files import input_key, read_notes, write_drafts
from trainers.evals.plan import EvalPlan, make_plan
from trainers.tables import Review, ReviewRow

TICKETS = "Sort support tickets into billing, returns, technical, other"
TASKS = [
    TICKETS,
    "Classify reviews as positive, negative or neutral",
    "Extract invoice number, date and total from supplier e-mails as JSON",
    "Write release notes in our voice",
    "Answer questions from our docs",
    "Write product descriptions",
    "Summarise meeting notes",
]


def row(line: int, text: str, target: str, system: str = "") -> Row:
    turns = [Message("system", system)] if system else []
    return Row(line, (*turns, Message("user", text), Message("assistant", target)))


def drafts(plan: EvalPlan, count: int = 30, **more: Any) -> list[Draft]:
    return draft_rows(plan, count=count, seed=7, **more)


@pytest.mark.parametrize("task", TASKS)
def test_thirty_drafts_cover_every_kind_and_repeat_nothing(task: str) -> None:
    """Every kind is there in its share, with one system prompt, and no two are alike."""
    plan = make_plan(task)
    made = drafts(plan)
    assert Counter(each.kind for each in made) == quota(30)
    assert len({each.messages[0] for each in made}) == 1
    assert all(each.reveals.endswith(".") and each.provenance.startswith("recipe") for each in made)
    assert not any(mark in each.input + each.reveals for each in made for mark in "{}")
    assert disjoint(made, ())[1:] == (0, 0)


def test_the_same_seed_drafts_the_same_and_another_seed_does_not() -> None:
    """Drafts can be made again; a second helping with another seed is not the first one."""
    plan = make_plan(TICKETS)
    assert drafts(plan) == drafts(plan)
    assert drafts(plan) != draft_rows(plan, count=30, seed=8)


def test_targets_are_certain_or_left_to_people() -> None:
    """Plain cases have a label of the set; where two labels meet, or nothing is said, the answer is left open."""
    made = drafts(make_plan(TICKETS))
    assert {each.target for each in made if each.kind == "easy"} == {"billing", "returns", "technical", "other"}
    assert {each.target for each in made if each.kind == "boundary"} == {""}
    assert {each.target for each in made if each.kind == "out_of_scope"} == {"other"}
    assert {each.target for each in drafts(make_plan("Sort into billing, returns")) if each.kind == "out_of_scope"} == {
        ""
    }
    assert {each.target for each in drafts(make_plan("Write release notes in our voice"))} == {""}


def test_a_label_that_nobody_knows_is_named_or_takes_words_from_examples() -> None:
    """Without examples a message names the label; with some it is made of their words, and says whose."""
    labels = ["glorp_claim_b", "kryptonite"]
    told = draft(make_plan("Sort", labels=labels), count=20, seed=7)
    plain = told.drafts
    assert "I don't know what glorp_claim_b, kryptonite mean" in told.note
    assert all(each.target.split("_")[0] in each.input.lower() for each in plain if each.kind == "easy")
    examples = [
        row(1, "My cape glows green near the old mine.", "kryptonite", "Sort it."),
        row(2, "The stone on my desk hums at night!", "kryptonite", "Sort it."),
        row(3, "Please mend the pump that you sold me.", "glorp_claim_b", "Sort it."),
        row(4, "The seal broke within a week of use.", "glorp_claim_b", "Sort it."),
    ]
    lent = drafts(make_plan("Sort", labels=labels, rows=examples), 20, examples=examples)
    first = next(each for each in lent if each.target == "kryptonite")
    assert first.provenance == "words of your row 1"
    assert lent[0].messages[0].content == "Sort it."
    assert any("row" in each.provenance for each in lent if each.kind == "boundary")


NAMES = [
    "delivery",
    "shipping",
    "returns",
    "warranty",
    "workshop",
    "repair",
    "billing",
    "invoice",
    "payments",
    "refund",
    "support",
    "help",
    "gift_card",
    "account",
    "login_issue",
    "technical",
    "bug",
    "question",
    "other",
]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=7, unique=True), st.integers(0, 999))
def test_no_text_and_no_near_one_has_two_labels(labels: list[str], seed: int) -> None:
    """A topic of the recipes, and a template, feeds one label of a plan only, however alike the labels' names are."""
    found = classification.streams(make_plan("Sort", labels=labels), (), random.Random(seed))
    plain = [piece for piece in found["easy"] if piece.target]
    for pair in near_pairs([piece.text for piece in plain]):
        assert plain[pair.earlier].target == plain[pair.later].target
    topics = {(piece.source, piece.target) for piece in plain if piece.source != classification.NAMED}
    assert len({source for source, _ in topics}) == len(topics)


@pytest.mark.parametrize(
    ("label", "strange"),
    [("billing_question", False), ("gift card payment", True), ("refund", True), ("Login issue", False)],
)
def test_a_label_that_a_topic_only_resembles_is_not_known(label: str, strange: bool) -> None:
    """Filler beside a topic's name is no other topic; any other word is."""
    plan = make_plan("Sort", labels=[label, "other"])
    assert unknown_labels(plan, ()) == ([label] if strange else [])


LENT = [
    row(1, "Hello there! My cape glows green near the old mine. It did not do so before.", "kryptonite"),
    row(2, "the stone on my desk hums at night", "kryptonite"),
    row(3, "Please mend the pump that you sold me.", "glorp"),
    row(4, "The seal broke within a week of use.", "glorp"),
    row(5, "I was charged twice for one lamp in June.", "billing"),
    row(6, "Your invoice lacks our VAT number, please add it.", "billing"),
    row(7, "The letter came from Dr. Brown, who knows of it.", "billing"),
]
SENTENCES = {
    1: "My cape glows green near the old mine.",
    2: "The stone on my desk hums at night.",
    3: "Please mend the pump that you sold me.",
    4: "The seal broke within a week of use.",
    5: "I was charged twice for one lamp in June.",
    6: "Your invoice lacks our VAT number, please add it.",
}


@pytest.mark.parametrize("seed", range(5))
def test_a_draft_holds_the_words_of_one_row(seed: int) -> None:
    """A lent sentence stands whole, alone and among other words; two of them only where a draft asks two things."""
    plan = make_plan("Sort", labels=["kryptonite", "glorp", "billing"], rows=LENT)
    made = draft_rows(plan, count=60, seed=seed, examples=LENT, avoid=LENT)
    lent = [each for each in made if "your row" in each.provenance]
    assert {each.kind for each in lent} == {"easy", "boundary"}
    for each in lent:
        whose = [line for line, sentence in SENTENCES.items() if sentence in each.input]
        named = [int(word) for word in each.provenance.replace("+", " ").split() if word.isdigit()]
        assert sorted(whose) == sorted(named)
        assert len(whose) == 1 or each.kind == "boundary"
        assert max(len(SENTENCES[line]) for line in whose) + 30 < len(each.input)
        # Each lent sentence begins the text or follows the end of another, and ends before one.
        for line in whose:
            before, after = each.input.split(SENTENCES[line])
            assert before == "" or before.endswith((". ", "! ", "? "))
            assert after == "" or (after[0] == " " and after[1].isupper())
    assert not any("Dr. Brown" in each.input or each.input.endswith("Dr.") for each in made)
    assert disjoint(made, LENT).in_training == 0


def test_drafts_keep_away_from_training_rows() -> None:
    """A draft that a training row repeats, exactly or nearly, is not made or is dropped with a count."""
    plan = make_plan(TICKETS)
    first = drafts(plan)
    taught = [row(n, each.input.replace("order", "Order") + " ", "x") for n, each in enumerate(first[:10], start=1)]
    again = drafts(plan, avoid=taught)
    assert {canonical(each.input) for each in again}.isdisjoint(canonical(each.prompt) for each in taught)
    near = [row(1, f"{first[0].input} Thanks", "x"), row(2, "Something else altogether, about the weather.", "x")]
    left = disjoint([*first, first[5]], near)
    assert (left.in_training, left.repeated) == (1, 1)
    assert left.sentence == "Dropped: 1 draft too near to training rows and 1 draft too near to other drafts."


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string"},
        "customerName": {"type": ["string", "null"]},
        "quantity": {"type": "integer"},
        "paid": {"type": "boolean"},
        "currency": {"enum": ["EUR", "USD"]},
        "total": {"type": "number"},
        "due_date": {"type": "string", "format": "date"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"product": {"type": "string"}, "price": {"type": "number"}},
                "required": ["product", "price"],
            },
        },
        "ship_to": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
    "required": ["order_id", "quantity", "paid", "currency", "total", "lines"],
    "additionalProperties": False,
}


def test_answers_of_extraction_are_valid_and_stand_in_the_text() -> None:
    """Every answer that is filled in passes the schema; what it says was written into the paper."""
    made = drafts(make_plan("Extract the order", schema=SCHEMA), 40)
    filled = [each for each in made if each.target]
    assert len(filled) > 20
    for each in filled:
        answer = json.loads(each.target)
        jsonschema.Draft202012Validator(SCHEMA).validate(answer)
        assert str(answer["order_id"]) in each.input
        assert all(line["product"] in each.input for line in answer["lines"])


_NAMES = st.text("abcdefghij_- XYZ{}%\u00e9", min_size=1, max_size=12)
_NODES = st.recursive(
    st.sampled_from(
        [{"type": "string"}, {"type": ["number", "null"]}, {"type": "integer"}, {"type": "boolean"}, {},
         {"enum": ["a", 2]},         {"enum": [None, {}]}, {"const": 3}, {"type": "array"}, {"type": "object"}]
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(_NAMES, inner, max_size=3)}),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.one_of(_NAMES, st.sampled_from(["date", "total", "items", "name"])), _NODES, min_size=1, max_size=5
    )
)
def test_any_schema_gives_valid_answers_or_none(properties: dict[str, Any]) -> None:
    """Whatever the schema, drafting does not fail, and an answer that is filled in is valid by it."""
    schema = {"type": "object", "properties": properties, "required": sorted(properties)[:2]}
    for each in draft_rows(make_plan("Extract", schema=schema), count=12, seed=1):
        if each.target:
            jsonschema.Draft202012Validator(schema).validate(json.loads(each.target))


def test_a_field_that_no_recipe_knows_is_said() -> None:
    """Nothing is invented for a field of which nobody knows what it holds."""
    made = draft(make_plan("Extract date and glorp"), count=10, seed=1)
    assert "glorp" in made.note
    assert all(json.loads(each.target)["glorp"] is None for each in made.drafts if each.target)


def test_fewer_than_asked_for_says_so() -> None:
    """Where the recipes run dry the note says how many there are and what would help."""
    made = draft(make_plan("Refuse requests for legal advice"), count=100, seed=1)
    assert len(made.drafts) < 100
    assert "LUTHIER_MODEL" in made.note


@pytest.mark.parametrize("count", [0, -1, 201])
def test_counts_out_of_range_are_refused(count: int) -> None:
    """None, fewer than none and hundreds at once are refused in words."""
    with pytest.raises(UserError, match="at a time"):
        draft_rows(make_plan(TICKETS), count=count, seed=1)


@pytest.mark.parametrize("task", ["Sort tickets into 12 queues", "Turn mails into JSON"])
def test_nothing_is_drafted_before_labels_or_fields_are_known(task: str) -> None:
    """A plan that lacks them says what to name."""
    with pytest.raises(UserError, match="before I know"):
        drafts(make_plan(task))


def test_one_draft_is_an_easy_one_and_five_are_one_of_each() -> None:
    """Small numbers are shared out sensibly."""
    assert [each.kind for each in drafts(make_plan(TICKETS), 1)] == ["easy"]
    assert quota(5) == dict.fromkeys(DRAFT_KINDS, 1)
    assert all(sum(quota(count).values()) == count for count in range(1, 60))


def test_files_keep_rows_clean_and_notes_beside_them(tmp_path: Path) -> None:
    """Rows without an answer block the linter, filled rows pass it, notes are found by what a row asks."""
    plan = make_plan(TICKETS)
    made = drafts(plan, 20)
    path = tmp_path / "test.jsonl"
    write_drafts(path, made, plan_digest=plan.digest)
    rows = read_rows(path).rows
    assert [each.prompt for each in rows] == [each.input for each in made]
    assert lint(path, target="local").blocked
    assert read_notes(path)[input_key(made[3].input)]["reveals"] == made[3].reveals
    with pytest.raises(UserError, match="already"):
        write_drafts(path, made)
    certain = tmp_path / "certain.jsonl"
    write_drafts(certain, [each for each in made if each.target])
    assert not lint(certain, target="local").blocked


def test_a_draft_survives_json() -> None:
    """What is kept for review reads back equal."""
    for each in drafts(make_plan(TASKS[2])):
        assert Draft.from_json(json.loads(json.dumps(each.to_json()))) == each


def test_drafts_that_are_missing_repeat_no_row_of_a_review() -> None:
    """As many as are asked for, for the same plan, none of them a row of the review, whether kept or dropped."""
    plan = make_plan(TICKETS)
    there = drafts(plan, 20)
    review = Review(id="rev_1", workspace_id="T1", purpose="test", title="t", spec=json.dumps({"plan": plan.to_json()}))
    rows = [
        ReviewRow(review_id="rev_1", place=place, **read_draft(each.to_review()).columns())
        for place, each in enumerate(there, start=1)
    ]
    made = more_rows(review, rows, 7, model=None, meter=None)
    asked = {canonical(each["messages"][1]["content"]) for each in made}
    assert len(asked) == len(made) == 7
    assert asked.isdisjoint(canonical(each.input) for each in there)
    with pytest.raises(RowRefused, match="Nothing is known"):
        more_rows(Review(id="r", workspace_id="T1", purpose="test", title="t"), rows, 7, model=None, meter=None)
