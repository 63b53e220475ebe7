"""Rows about refusing are on what the task says is refused, or say that they only name it."""

import pytest

from trainers.evals.drafts import draft
from trainers.evals.drafts.refused import refused_things, unknown_things
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.spec import row_spec

TUNING = "Refuse motor tuning questions and speed limiter removal; answer about bicycles"


@pytest.mark.parametrize(
    ("task", "things"),
    [
        (TUNING, ("motor tuning", "speed limiter removal")),
        ("Decline requests for medical advice politely", ("medical advice",)),
        ("Refuse to give legal or tax advice, but answer all else", ("legal", "tax advice")),
        ("Politely decline any questions about homework, dating and politics.", ("homework", "dating", "politics")),
        ("Refuse harmful requests", ()),
        ("Decline anything off-topic", ()),
        ("Answer questions on lamps", ()),
    ],
)
def test_what_is_refused_is_read_from_the_task(task: str, things: tuple[str, ...]):
    """In the task's own words, without what is said around it; harmful names no thing."""
    assert refused_things(task) == things


@pytest.mark.parametrize("seed", [1, 3, 7])
def test_rows_name_what_is_to_be_refused(seed: int):
    """Each thing that no recipe knows has rows, marked as templates, and a note says so."""
    made = compose_rows(row_spec(TUNING, kind="refusal"), count=6, seed=seed)
    assert len(made.drafts) == 6
    declined = [row for row in made.drafts if row.cell["case"] in ("typical", "edge")]
    assert all("motor tuning" in row.input or "speed limiter removal" in row.input for row in declined)
    assert {thing for row in declined for thing in unknown_things(TUNING) if thing in row.input} == {
        "motor tuning",
        "speed limiter removal",
    }
    assert all("template" in row.why and "template" in row.provenance for row in declined)
    (said,) = [note for note in made.notes if note.startswith("No recipe knows")]
    assert "motor tuning, speed limiter removal: such rows are templates" in said
    assert "language model" in said


def test_a_known_topic_keeps_its_rows_beside_a_thing_that_no_recipe_knows():
    """Both are there, and only the strange one is named in the note."""
    made = compose_rows(row_spec("Refuse medical advice and tarot readings"), count=10, seed=7)
    typical = [row for row in made.drafts if row.cell["case"] == "typical"]
    named = [row for row in typical if "tarot readings" in row.input]
    assert 0 < len(named) < len(typical)
    assert any(note.startswith("No recipe knows tarot readings:") for note in made.notes)


def test_two_known_topics_both_have_rows():
    """Legal and medical: no topic is dropped, and no note is needed."""
    made = compose_rows(row_spec("Decline medical and legal advice"), count=20, seed=7)
    answers = " ".join(row.target for row in made.drafts).lower()
    assert "lawyer" in answers
    assert "doctor" in answers
    assert not any(note.startswith("No recipe knows") for note in made.notes)


def test_drafts_of_test_rows_name_what_is_to_be_refused():
    """A test on motor tuning asks for it."""
    spec = row_spec(TUNING, kind="refusal")
    easy = [each for each in draft(spec.plan, count=20, seed=7).drafts if each.kind == "easy"]
    assert any("motor tuning" in each.input for each in easy)
    assert not any("password" in each.input for each in easy)
