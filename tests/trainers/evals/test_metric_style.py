"""Style marks an answer by its place among the brand's texts and sums an arm up beside the brand."""

import math
import time
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import UserError
from tests.trainers.evals.voices import brand, briefs, chatty, formal, rows, written
from trainers.data.jsonl import Row
from trainers.evals.metrics import Figure, Mark, Metric, Setup, load
from trainers.evals.metrics.style import Style
from trainers.evals.style.text import words

TRAIN_BRIEFS, TEST_BRIEFS = briefs(100, 20), briefs(40, 21)
TRAIN = rows(TRAIN_BRIEFS, written(brand, TRAIN_BRIEFS, 22))
TEST = rows(TEST_BRIEFS, written(brand, TEST_BRIEFS, 23))
BASE = written(chatty, TRAIN_BRIEFS, 24)
RULES = {"banned": ["hereby"], "opens_with": ["Hi"], "never": ["exclamations"]}
SETUP = Setup(train=TRAIN, options={"rules": RULES, "reference": BASE})
SECONDS = 2.0


def judged(metric: Metric, outputs: list[str | None]) -> tuple[list[Mark], dict[str, Figure]]:
    marks = [
        metric.mark(row, output) if output is not None else Mark(0.0) for row, output in zip(TEST, outputs, strict=True)
    ]
    return marks, {figure.name: figure for figure in metric.figures(TEST, outputs, marks)}


def test_the_brand_is_typical_and_others_are_told_apart() -> None:
    """New brand answers score about a half and are not told apart; formal ones score near 0 and are."""
    metric = load("style", SETUP)
    own, others = written(brand, TEST_BRIEFS, 25), written(formal, TEST_BRIEFS, 26)
    _, near = judged(metric, list(own))
    marks, far = judged(metric, list(others))
    assert near["style percentile"].value == pytest.approx(0.5, abs=0.15)
    assert far["style percentile"].value == pytest.approx(0.0, abs=0.05)
    apart, same = far["told from the brand (AUROC)"], near["told from the brand (AUROC)"]
    assert same.low is not None
    assert same.high is not None
    assert same.low < 0.5 < same.high
    assert apart.low is not None
    assert apart.low > 0.8
    assert apart.better == "lower"
    assert marks[0].checks['opens with "Hi"'] == 0.0
    assert far["all rules kept"].value == 0.0
    assert near["all rules kept"].value == 1.0
    assert metric.binary is False


def test_worked_by_hand() -> None:
    """One answer: two of four facts kept, one of two rules kept, nine of ten words copied from training."""
    text = "we pack the red drum key twice before monday then"
    train = [Row(at, (TRAIN[at].messages[0], TRAIN[at].messages[1]._replace(content=text))) for at in range(6)]
    asked = 'Tell Anna that order 4711, the "red drum key", comes on Monday.'
    row = Row(1, (TRAIN[0].messages[0]._replace(content=asked), TRAIN[0].messages[1]._replace(content=text)))
    metric = Style(Setup(train=train, options={"rules": {"banned": ["pack"], "max_words": 10}}))
    mark = metric.mark(row, "We pack the red drum key twice before Monday, Bo!")
    assert mark.checks == {
        'never says "pack"': 0.0,
        "at most 10 words": 1.0,
        "content_kept": 0.5,  # of anna, 4711, red drum key and monday
        "copied_8grams": pytest.approx(2 / 3),  # the runs from words 1 and 2 of three
    }
    assert mark.note.startswith("missing: 4711, anna")
    marks = [mark, Mark(0.0)]
    figures = {figure.name: figure for figure in metric.figures([row, row], ["We pack ...", None], marks)}
    assert figures["content kept"].value == pytest.approx(0.25)
    assert figures["all rules kept"].value == 0.0
    assert figures["rule: at most 10 words"].value == 0.5
    assert figures["longest copy in words"].value == 2.0
    assert figures["8-grams copied by the brand itself"].value == 1.0
    assert figures["told from the brand (AUROC)"].value is None


def test_missing_answers_count_against_an_arm() -> None:
    """An answer of None has a score of 0, keeps no rule and no content, and is no text to tell apart."""
    metric = load("style", SETUP)
    _, none = judged(metric, [None] * len(TEST))
    assert none["style percentile"].value == 0.0
    assert none["all rules kept"].value == 0.0
    assert none["content kept"].value == 0.0
    assert none["told from the brand (AUROC)"].value is None
    assert none["length ratio"].value is None


def test_memorised_answers_are_shown() -> None:
    """Answers that are training texts are all copied; the brand's own new texts are not."""
    metric = load("style", SETUP)
    _, figures = judged(metric, [TRAIN[at].target for at in range(len(TEST))])
    own = figures["8-grams copied by the brand itself"].value
    assert figures["8-grams copied"].value == 1.0
    assert own is not None
    assert own < 0.9
    assert figures["longest copy in words"].value == max(len(words(row.target)) for row in TRAIN[: len(TEST)])


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_training_texts_are_no_voice(count: int) -> None:
    """With one training text nothing is placed, every score is 0, and the metric says so."""
    metric = Style(Setup(train=TRAIN[:count]))
    assert metric.doubt.startswith("No voice was learned")
    mark = metric.mark(TEST[0], TEST[0].target)
    assert mark.score == 0.0
    assert "too few" in mark.note
    assert metric.figures(TEST[:1], [TEST[0].target], [mark])[0].value is None


def test_equal_training_texts() -> None:
    """When all training texts are one, that text is at the top and every other at the bottom."""
    metric = Style(Setup(train=[TRAIN[0]] * 30, options={"reference": BASE}))
    assert metric.mark(TEST[0], TRAIN[0].target).score == 1.0
    assert metric.mark(TEST[0], BASE[0]).score == 0.0


def test_doubts_are_told() -> None:
    """Few texts, and no texts of the base to compare with, are said; with both there is no doubt."""
    assert Style(SETUP).doubt == ""
    assert "weakly" in Style(Setup(train=TRAIN)).doubt
    assert "10 texts only" in Style(Setup(train=TRAIN[:10], options={"reference": BASE})).doubt
    german = [
        Row(at, (TRAIN[0].messages[0], TRAIN[0].messages[1]._replace(content="wir packen das ein"))) for at in range(40)
    ]
    assert "does not write English" in Style(Setup(train=german)).doubt
    assert Style.caution


@pytest.mark.parametrize(
    "options",
    [
        {"rules": ["x"]},
        {"rules": {"regex": "a"}},
        {"reference": "text"},
        {"reference": [1]},
        {"seed": -1},
        {"seed": "x"},
    ],
)
def test_unusable_options_are_refused(options: dict[str, object]) -> None:
    """Options that cannot be used are user errors, before any answer is marked."""
    with pytest.raises(UserError):
        Style(Setup(train=TRAIN, options=options))


ODD = [
    "",
    " \n",
    "😀" * 50,
    "这是一个测试。" * 20,
    "\ud800",
    "a " * 50_000,
    "." * 100_000,
    TRAIN[0].target,
    "ok",
    "\x00",
]


def test_odd_answers_get_numbers() -> None:
    """Empty, emoji alone, other scripts, half characters and 100,000 characters: finite numbers, in time."""
    metric = load("style", SETUP)
    start = time.process_time()
    marks, figures = judged(metric, (ODD * 4)[: len(TEST)])
    assert time.process_time() - start < 4.0
    for mark in marks:
        assert 0 <= mark.score <= 1
        assert all(0 <= value <= 1 for value in mark.checks.values())
    numbers = chain.from_iterable((figure.value, figure.low, figure.high) for figure in figures.values())
    assert all(math.isfinite(number) for number in numbers if number is not None)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_prompt_and_answer_are_marked(prompt: str, output: str) -> None:
    """Whatever a prompt and an answer hold, a mark is made and stays in range."""
    row = Row(1, (TRAIN[0].messages[0]._replace(content=prompt), TRAIN[0].messages[1]))
    mark = METRIC.mark(row, output)
    assert 0 <= mark.score <= 1
    assert len(mark.note) <= 300


METRIC = Style(SETUP)


def test_sixty_rows_are_judged_in_time() -> None:
    """60 answers beside 400 training texts take under two seconds of one core, learning included."""
    train, test = briefs(400, 30), briefs(60, 31)
    setup = Setup(train=rows(train, written(brand, train, 32)), options={"reference": written(chatty, train, 33)[:100]})
    asked, outputs = rows(test, written(brand, test, 34)), written(formal, test, 35)
    start = time.process_time()
    metric = Style(setup)
    marks = [metric.mark(row, output) for row, output in zip(asked, outputs, strict=True)]
    metric.figures(asked, outputs, marks)
    assert time.process_time() - start < SECONDS  # 0.7 s measured with one thread
