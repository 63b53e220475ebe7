"""The benches of advice and reading: what they count, and whether their data hold. The held-out file stays shut."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import advice, reading, weights
from bench.baselines import majority, publisher
from bench.rates import rate, wilson
from knowledge.advice import offline
from knowledge.advice.facts import Facts, UnknownFact
from knowledge.advice.reader import Reading, read
from knowledge.advice.rubric import OPTIONS, load_rubric
from knowledge.advice.sensing import Sensed
from knowledge.advice.spans import locate

DATA = advice.DATA
TEXT = "Answers must quote prices. 300 labelled mails exist."


def rows(name: str) -> list[dict[str, Any]]:
    return advice.lines(DATA / name)


def test_wilson_is_the_known_one() -> None:
    """Nineteen of twenty gives the interval of the textbooks, and nothing of nothing is told as none."""
    assert [round(each, 3) for each in wilson(19, 20)] == [0.95, 0.764, 0.991]
    assert rate(0, 0) == "none"


@pytest.mark.parametrize("name", advice.FILES)
def test_cases_are_whole(name: str) -> None:
    """Every case has an id of its own, words, and answers that exist."""
    cases = rows(name)
    assert len({case["id"] for case in cases}) == len(cases)
    for case in cases:
        answers = [case["expected"], *case.get("also_acceptable", ()), *case.get("not_recommended", ())]
        assert case["use_case"].strip()
        assert set(answers) <= set(OPTIONS)


def test_labels_are_facts_and_their_spans_stand_in_the_text() -> None:
    """Labelled sentences and cases use facts that exist, and quote words that are there."""
    texts = {case["id"]: case["use_case"] for name in advice.FILES for case in rows(name)}
    assert len(rows("reading_sentences.jsonl")) == 150
    assert all(reading.plain(each["facts"]) is not None for each in rows("reading_sentences.jsonl"))
    for each in rows("reading_facts.jsonl"):
        reading.plain(each["facts"])
        assert all(fact["span"].lower() in texts[each["id"]].lower() for fact in each["facts"].values())
    assert {each["id"] for each in rows(advice.REWORDINGS)} <= texts.keys()
    with pytest.raises(UnknownFact):
        reading.plain({"colour": "red"})


def test_labelled_spans_would_be_believed_of_a_model() -> None:
    """Nine of ten spans that a person quoted pass the check that a language model's spans have to pass."""
    texts = {case["id"]: case["use_case"] for name in advice.FILES for case in rows(name)}
    found = [
        locate(fact["span"], texts[each["id"]])
        for each in rows("reading_facts.jsonl")
        for fact in each["facts"].values()
    ]
    assert sum(place is not None for place in found) > 0.9 * len(found)


def test_reading_is_counted_by_fact() -> None:
    """A right value counts once; a wrong one lowers both precision and recall, and a number may be a tenth off."""
    labelled = [(TEXT, {"labelled_examples": 310, "private_facts": False}), ("Nothing here.", {})]
    counts = reading.count(labelled, scripted(Facts(labelled_examples=300, private_facts=True)))
    assert (counts.right.total(), counts.labelled.total(), counts.read.total()) == (1, 2, 4)
    assert (counts.clean, counts.silent) == (0, (0, 1))


def scripted(facts: Facts) -> Any:
    def said(text: str) -> Reading:
        plain = read(text)
        return Reading(**{**vars(plain), "facts": facts})

    return said


def test_baselines_leave_out_the_source() -> None:
    """A case is never answered by its own publisher's cases."""
    cases = [
        {"id": "1", "expected": "rag", "source": "https://www.a.com/x"},
        {"id": "2", "expected": "rag", "source": "https://a.com/y; more"},
        {"id": "3", "expected": "other", "source": "x", "source_kind": "B blog (a talk)"},
    ]
    assert [publisher(case) for case in cases] == ["a.com", "a.com", "b blog"]
    assert majority(cases) == ["other", "other", "rag"]


class Sensing:
    """A learned reader that always senses the same."""

    def sense(self, text: str) -> Sequence[Sensed]:
        return [Sensed("needs_citations", True, 0.9, 0, 0, 10)]


def test_the_learned_reader_can_be_scored_alone() -> None:
    """Without its patterns the offline reader tells only what was sensed."""
    alone = offline.read(TEXT, Sensing(), patterns=scripted(Facts()))  # type: ignore[arg-type]  # a list by contract
    assert alone.facts == Facts(private_facts=True, needs_citations=True)


def test_a_file_of_cases_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names rates, calibration, confusion and misses."""
    cases = [{"id": "m1", "use_case": TEXT, "expected": "fine_tuning", "source": f"s{n}"} for n in range(2)]
    told = [advice.Scored(case, "rag", "high", 0.01) for case in cases]
    advice.calibration(told)
    advice.confusion(told)
    assert "0/2 = 0%" in advice.rates(told)
    assert "100%   0/2" in capsys.readouterr().out
    assert json.dumps(cases)


def test_learned_weights_keep_the_signs_of_their_sources_and_move_towards_what_cases_need() -> None:
    """Cases that needed a prompt, though they read like retrieval, shrink retrieval's weight and turn no sign."""
    rubric = load_rubric()
    start = np.array([size for _, _, size in weights.weights(rubric)])
    case = {"source": "one", "expected": "prompting", "not_recommended": ["rag"]}
    lessons = [weights.lesson(case, Facts(private_facts=True, needs_citations=True), rubric)] * 20
    assert weights.decide(lessons[0], start, rubric) == "rag"
    learned = weights.learn(lessons, start, 0.01)
    assert weights.decide(lessons[0], learned, rubric) == "prompting"
    assert (learned * start >= 0).all()


def test_no_case_is_decided_by_weights_that_its_own_source_taught() -> None:
    """Each fold holds whole sources, and every case is in one fold."""
    sources = [f"s{row % 23}" for row in range(100)]
    found = list(weights.folds(sources))
    assert sorted(row for fold in found for row in fold) == list(range(100))
    for fold in found:
        kept = {source for row, source in enumerate(sources) if row not in set(fold)}
        assert not kept & {sources[row] for row in fold}
