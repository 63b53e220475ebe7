"""A report adds up, shows the cases that matter in full, and doubts what should be doubted."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.errors import ServiceError
from trainers.data.jsonl import Message, Row
from trainers.evals.assemble import assemble
from trainers.evals.evidence import Evidence
from trainers.evals.markdown import markdown
from trainers.evals.report import Report
from trainers.evals.rule import SuccessRule

LABELS = ("billing", "delivery")
TOPICS = ("cello", "invoice", "parcel", "metronome", "harp strings", "choir book", "tuning fork", "piano stool")
ROWS = [
    Row(
        line,
        (
            Message("system", "Sort."),
            Message("user", f"{TOPICS[line % 8]} {hashlib.sha256(b'%d' % line).hexdigest()}"),
            Message("assistant", LABELS[line % 2]),
        ),
    )
    for line in range(1, 41)
]
Outputs = dict[str, list[str | None]]
Make = Callable[..., Report]


def answers(right: int, wrong: str = "account") -> list[str | None]:
    """Answers of which the first ones are right."""
    return [row.target if place < right else wrong for place, row in enumerate(ROWS)]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write what the arms said as the script does, and build the report."""

    def made(outputs: Outputs, **given: object) -> Report:
        path = tmp_path / "predictions.jsonl"
        lines = [
            {
                "arm": arm,
                "row": place,
                "output": output,
                "expected": ROWS[place].target,
                "correct": output == ROWS[place].target,
                "milliseconds": 100 + place,
            }
            for arm, said in outputs.items()
            for place, output in enumerate(said)
            if output is not None
        ]
        path.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
        evidence = Evidence(predictions=path, rows=ROWS, **{"rule": SuccessRule(guardrails=()), **given})  # type: ignore[arg-type]  # its fields
        return assemble(evidence).report

    return made


USUAL: Outputs = {
    "base_plain": answers(2, "I think this ticket is about something"),
    "base_few_shot": answers(9),
    "tfidf": answers(20),
    "tuned": [None if row is None else row for row in ["account", *answers(36)[1:]]],
}


def test_scores_verdict_and_headline_add_up(make: Make) -> None:
    """Each arm's count, interval and median time are those of its answers; the rival is the few-shot base."""
    report = make(USUAL)
    assert [(a.arm, a.right, a.n) for a in report.arms] == [
        ("base_plain", 2, 40), ("base_few_shot", 9, 40), ("tfidf", 20, 40), ("tuned", 35, 40),
    ]  # fmt: skip
    tuned = report.arm("tuned")
    assert (tuned.score, tuned.median_ms) == (35 / 40, 119.5)
    assert tuned.low == pytest.approx(0.739, abs=0.001)
    assert (report.rival, report.verdict.outcome, report.verdict.gained, report.verdict.lost) == (
        "base_few_shot",
        "PASS",
        27,
        1,
    )
    assert report.headline == "Tuned gets 35/40 right, the best-prompted base 9/40."
    assert report.labels == LABELS


def test_wins_and_misses_are_shown_in_full(make: Make) -> None:
    """Three wins are rows only the tuned model has; misses start with what the base had right."""
    report = make(USUAL)
    assert len(report.wins) == len(report.misses) == 3
    assert all((case.tuned, case.base) == (case.expected, "account") for case in report.wins)
    assert {case.expected for case in report.wins} == set(LABELS)
    assert [case.regression for case in report.misses] == [True, False, False]
    assert report.misses[0].row == 1
    assert report.misses[0].input == ROWS[0].messages[1].content


def test_json_loses_nothing(make: Make) -> None:
    """A report survives JSON and carries its headline for readers."""
    report = make(USUAL, train=ROWS[:2])
    data = json.loads(json.dumps(report.to_json()))
    assert Report.from_json(data) == report
    assert data["headline"] == report.headline


def test_markdown_tells_everything(make: Make, tmp_path: Path) -> None:
    """The text has verdict, every arm, every case and the rule's digest."""
    arms = tmp_path / "arms.json"
    arms.write_text(json.dumps({"arms": {"base_few_shot": {"asked": "the 8 most similar training rows"}}}))
    report = make(USUAL, arms=arms)
    text = markdown(report)
    assert text.startswith("# PASS: Tuned gets 35/40 right")
    for part in (
        "TF-IDF + logistic regression | 20/40",
        "the 8 most similar",
        report.rule.digest[:12],
        "the base did better",
    ):
        assert part in text
    assert all(case.input in text for case in (*report.wins, *report.misses))


def said(report: Report, part: str) -> bool:
    return any(part in notice for notice in report.notices)


def test_a_cheaper_rival_is_named(make: Make) -> None:
    """TF-IDF as good as the tuned model is recommended; one between base and tuned is mentioned."""
    assert said(make(USUAL), "a cheaper rival that beats the prompted base")
    assert said(make({**USUAL, "tfidf": answers(36)}), "Consider it instead")
    assert not said(make({**USUAL, "tfidf": answers(5)}), "TF-IDF")


def test_a_better_plain_prompt_is_told_with_its_verdict(make: Make) -> None:
    """If the plain prompt beats the few-shot one on the test rows, the reader hears what that would change."""
    report = make({**USUAL, "base_plain": answers(34)})
    assert report.verdict.outcome == "PASS"
    assert said(report, "against the plain prompt the verdict would be INCONCLUSIVE")
    assert not said(make(USUAL), "plain prompt did better")


def test_form_alone_is_told_from_knowledge(make: Make) -> None:
    """If the base names the right label in a sentence, the reader hears how much of the gain is form."""
    wordy = [f"That would be {row.target}, I think." for row in ROWS]
    report = make({**USUAL, "base_few_shot": wordy})
    assert report.verdict.outcome == "PASS"
    assert report.arm("base_few_shot").named == 40
    assert said(report, "40/40; the verdict would be FAIL") or said(report, "40/40; the verdict would be INCONCLUSIVE")


def test_suspicious_answers_are_doubted(make: Make) -> None:
    """Answers exactly as the base's, and one answer for every row, are called out."""
    assert said(make({**USUAL, "tuned": USUAL["base_plain"]}), "Perhaps the adapter was not loaded")
    assert said(make({**USUAL, "tuned": ["billing"] * 40}), "the same answer to every row")
    assert not said(make(USUAL), "adapter")


def test_missing_answers_never_help_the_tuned_model(make: Make) -> None:
    """A row without the tuned model's answer counts as wrong; without the rival's it is left out; both are told."""
    half = [*USUAL["tuned"][:20], *[None] * 20]
    report = make({**USUAL, "tuned": half})
    assert (report.arm("tuned").right, report.verdict.n) == (19, 40)
    assert said(report, "20 rows without an answer; they count as wrong")
    report = make({**USUAL, "base_few_shot": [None] * 30 + ["account"] * 10})
    assert report.verdict.n == 10
    assert report.verdict.outcome == "INCONCLUSIVE"
    assert said(report, "30 rows without an answer; they are left out")
    nothing = make({})
    assert (nothing.verdict.outcome, nothing.verdict.n, nothing.wins) == ("INCONCLUSIVE", 0, ())


def test_contamination_is_checked_against_the_training_rows(make: Make) -> None:
    """Test rows in training are counted with their lines; clean and unchecked are told apart."""
    assert make(USUAL).contamination.startswith("Not checked")
    taught = [Row(1, (Message("user", "Something else entirely"), Message("assistant", "billing")))]
    assert make(USUAL, train=taught).contamination.startswith("No test row was in training")
    assert "2 test rows in training too (lines 3 and 5)" in make(USUAL, train=[ROWS[2], ROWS[4]]).contamination


def test_free_text_comes_with_a_warning(make: Make) -> None:
    """Without closed labels the report says that exact match says little, and counts no labels."""
    report = make(USUAL, labels=(), rule=SuccessRule(guardrails=(), metric="exact_match"))
    assert said(report, "free text")
    assert report.arm("tuned").named is None


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"arm": "tuned"}', '{"arm":"tuned","row":99,"output":"x","expected":"billing"}',
             '{"arm":"tuned","row":0,"output":"x","expected":"wrong"}']
)  # fmt: skip
def test_damaged_or_foreign_answers_are_an_error(tmp_path: Path, line: str) -> None:
    """Broken lines and answers to other rows end in an error that says what to do, not in a verdict."""
    path = tmp_path / "predictions.jsonl"
    path.write_text(line)
    with pytest.raises(ServiceError, match="Evaluate again"):
        assemble(Evidence(predictions=path, rows=ROWS, rule=SuccessRule(guardrails=())))
    with pytest.raises(ServiceError, match="no answers"):
        assemble(Evidence(predictions=tmp_path / "none.jsonl", rows=ROWS, rule=SuccessRule(guardrails=())))
