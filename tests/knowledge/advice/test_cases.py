"""Several use cases in one message, and lists that are none."""

import json
import time
from pathlib import Path

import pytest

from knowledge.advice.cases import split_cases

DATA = Path(__file__).resolve().parents[3] / "bench" / "data"


@pytest.mark.parametrize(
    ("text", "cases"),
    [
        (
            "1) sort our tickets into queues, we have 800 labelled 2) answer questions from our handbook",
            ("sort our tickets into queues, we have 800 labelled", "answer questions from our handbook"),
        ),
        (
            "two things: we want to sort tickets into queues and we need a bot that answers from our handbook",
            ("we want to sort tickets into queues", "we need a bot that answers from our handbook"),
        ),
        (
            "We're a bank. Two use cases: first, sort complaints into 12 categories with 900 labelled; "
            "second, answer staff questions from our policies, which change monthly.",
            (
                "We're a bank. sort complaints into 12 categories with 900 labelled",
                "We're a bank. answer staff questions from our policies, which change monthly.",
            ),
        ),
        (
            "- sort tickets into 12 queues, 800 labelled\n- answer questions from our wiki, which changes weekly",
            ("sort tickets into 12 queues, 800 labelled", "answer questions from our wiki, which changes weekly"),
        ),
        (
            "The first one is to sort tickets into 5 queues with 500 examples, the other one is to answer questions "
            "from our handbook",
            ("sort tickets into 5 queues with 500 examples", "answer questions from our handbook"),
        ),
    ],
)
def test_several_cases_are_told_apart(text: str, cases: tuple[str, ...]) -> None:
    """Numbers, bullets, "first … second" and "two things" lead to the cases, each with what was said of all."""
    assert split_cases(text) == cases


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We want a bot that answers from our price list. 1) answers must show a source 2) prices change weekly",
        "Our requirements: 1. must cite sources 2. must run locally 3. answer within a second",
        "We need two things from it: speed and accuracy. It sorts tickets into 4 queues.",
        "we tried two different models: gpt-4 and llama, on sorting tickets into 4 queues, 120 labelled",
        "1. We collected 500 labelled tickets. 2. We tried a prompt and it gets 70%. Sorting tickets into 9 queues.",
    ],
)
def test_a_list_of_wishes_is_one_case(text: str) -> None:
    """Requirements, things tried and qualities wanted belong to the case that they are told of."""
    assert split_cases(text) == (text,)


def test_published_cases_are_each_one_case() -> None:
    """None of the cases that we score is cut in two."""
    for name in ("advice_cases.jsonl", "advice_own_cases.jsonl"):
        for line in (DATA / name).read_text("utf-8").splitlines():
            assert len(split_cases(json.loads(line)["use_case"])) == 1


@pytest.mark.parametrize("piece", ["1) sort our tickets and ", "two things: and we want ", "- we ", "first, we want "])
def test_20_000_characters_are_cut_within_a_second(piece: str) -> None:
    """Endless lists cost no more than others, and give at most four cases."""
    start = time.perf_counter()
    assert len(split_cases(piece * (20_000 // len(piece)))) <= 4
    assert time.perf_counter() - start < 1
