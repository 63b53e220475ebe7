"""Training rows of a schema of one's own: they vary, lack what may lack, and fit the schema."""

import json
from collections import Counter
from typing import Any

import pytest

from trainers.evals.generating.another import review_spec
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.copied import not_copied
from trainers.evals.generating.coverage import plan_grid
from trainers.evals.generating.form import edit_refused
from trainers.evals.generating.spec import RowSpec, row_spec
from trainers.evals.metrics.schemas import accepts
from trainers.tables import Review

ORDER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["order_id", "order_date", "email", "total", "priority", "remark", "items"],
    "properties": {
        "order_id": {"type": "string", "pattern": "^ORD-[0-9]{4}$"},
        "order_date": {"type": "string", "format": "date"},
        "email": {"type": "string", "format": "email"},
        "total": {"type": "number", "exclusiveMinimum": 0},
        "priority": {"enum": ["low", "high"]},
        "remark": {"type": ["string", "null"]},
        "shelf": {"type": "string"},
        "items": {"type": "array", "minItems": 1, "maxItems": 4, "items": {"$ref": "#/$defs/item"}},
    },
    "$defs": {
        "item": {
            "type": "object",
            "additionalProperties": False,
            "required": ["sku", "quantity", "weight_x"],
            "properties": {
                "sku": {"type": "string"},
                "quantity": {"type": "integer", "minimum": 1, "maximum": 10},
                "weight_x": {"type": "number"},
            },
        }
    },
}


def answers(seed: int = 7, count: int = 60) -> list[dict[str, Any]]:
    spec = row_spec("Extract orders from e-mails", schema=ORDER)
    told = [json.loads(row.messages[-1].content) for row in compose_rows(spec, count=count, seed=seed).drafts]
    assert all(accepts(ORDER)(each) for each in told)
    return told


@pytest.fixture(scope="module")
def sixty() -> list[dict[str, Any]]:
    return answers()


@pytest.mark.parametrize(("key", "least"), [("total", 30), ("order_date", 30), ("email", 15), ("order_id", 15)])
def test_values_vary_from_row_to_row(sixty, key, least):
    """Numbers, days, addresses and references are hardly twice the same."""
    assert len({each[key] for each in sixty}) >= least


def test_lists_and_what_is_in_them_vary(sixty):
    """As many items as the schema allows, and numbers all over their range."""
    items = [item for each in sixty for item in each["items"]]
    assert {len(each["items"]) for each in sixty} == {1, 2, 3, 4}
    assert {item["quantity"] for item in items} == set(range(1, 11))
    assert len({item["weight_x"] for item in items}) >= 30


def test_the_same_seed_makes_the_same_rows(sixty):
    """And another one other rows."""
    assert answers() == sixty != answers(seed=8)


def test_what_may_lack_lacks_now_and_then(sixty):
    """About one time in four: null where a key may be null, no key where it may be missing."""
    told = Counter("remark" for each in sixty if each["remark"] is None)
    told.update("shelf" for each in sixty if "shelf" not in each)
    assert 6 <= told["remark"] <= 30
    assert 6 <= told["shelf"] <= 30


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"priority": "urgent" * 99}, "priority must be one of low, high."),
        ({"order_id": "12" * 99}, "order_id must match the pattern ^ORD-[0-9]{4}$."),
        ({"total": 0}, "total breaks the rule exclusiveMinimum 0."),
        ({"email": None}, "email must be of the type string."),
        ({"more": 1}, "the object has a key that the schema does not name: take it out."),
        ({"items": [{"sku": "A", "quantity": 1}]}, "items[1] lacks weight_x."),
    ],
)
def test_an_edit_that_breaks_a_schema_is_told_the_field_and_the_rule(sixty, change, said):
    """And nothing of what was typed, which may be long."""
    spec = row_spec("Extract orders from e-mails", schema=ORDER)
    about = json.dumps(review_spec(spec, plan_grid(spec)))
    review = Review(id="r", workspace_id="T1", purpose="train", title="t", spec=about, created_by="U")
    told = edit_refused(review, json.dumps({**sixty[0], **change}))
    assert told == f"That is an answer that does not fit the schema: {said}"


@pytest.mark.parametrize(
    "task",
    [
        "Extract order number, phone, total, remark from mails",
        "Extract iban, product, id",
        "Extract deadline, due, issued",
    ],
)
def test_drafted_answers_are_copied_from_their_papers(task):
    """What is asked of people's edits holds for recipes' rows, in every case."""
    spec = row_spec(task, kind="extraction")
    made = compose_rows(spec, count=40, seed=3)
    assert [not_copied(spec.schema, draft.input, draft.target) for draft in made.drafts] == [""] * len(made.drafts)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"order_number": "RE-20418"}, "\u201cRE-20418\u201d does not stand in the text"),
        ({"order_number": "re - 20417", "remark": "late"}, ""),
        ({"order_number": None, "order_date": "2026-03-03"}, ""),
        ({"lines": [{"code": "X9"}]}, "\u201cX9\u201d"),
    ],
)
def test_an_edit_names_what_does_not_stand_in_the_paper(answer, said):
    """Numbers are copied; words may be told in others, days and choices have spellings of their own."""
    spec = row_spec("Extract order number, order date, remark from mails", kind="extraction")
    assert said in not_copied(spec.schema, "Your order RE-20417 of 3 March is late.", json.dumps(answer))
    assert bool(said) == bool(not_copied(spec.schema, "Your order RE-20417 of 3 March is late.", json.dumps(answer)))


def test_the_paper_of_a_row_under_review_is_what_an_edit_is_held_to():
    """Rows with a system prompt of the team's own may ask for something else."""
    for system, refused in (
        ("", True),
        ("You read orders. Keys: order_number. Write each number with our prefix.", False),
    ):
        spec = row_spec("Extract order number from mails", kind="extraction", system=system)
        about = json.dumps(review_spec(spec, plan_grid(spec)))
        review = Review(id="r", workspace_id="T1", purpose="train", title="t", spec=about, created_by="U")
        assert bool(edit_refused(review, '{"order_number": "A-2"}', "It is A-1.")) is refused


@pytest.mark.parametrize(("keys", "said"), [(2, False), (24, True)])
def test_rows_that_are_too_long_for_this_machine_are_told_when_they_are_drafted(keys, said):
    """With what to do about it; rows of a small schema say nothing."""
    schema = {"type": "object", "properties": {f"measured_value_{n}": {"type": "number"} for n in range(keys)}}
    made = compose_rows(row_spec("Extract values from reports", schema=schema), count=6, seed=7)
    assert any("longer than 512 tokens" in note and "maxItems" in note for note in made.notes) is said


@pytest.mark.parametrize(("target", "told"), [("", True), ("local", True), ("openai", False)])
def test_rows_are_too_long_for_where_they_are_trained(target, told):
    """What this machine cannot read a provider may."""
    schema = {"type": "object", "properties": {f"measured_value_{n}": {"type": "number"} for n in range(24)}}
    spec = row_spec("Extract values from reports", schema=schema, target=target)
    assert any("may be longer than" in note for note in compose_rows(spec, count=6, seed=7).notes) is told
    assert RowSpec.from_json(spec.to_json()) == spec
