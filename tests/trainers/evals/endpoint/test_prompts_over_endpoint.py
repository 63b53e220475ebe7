"""Which examples the base is shown, how its prompt is chosen, and what all of it will cost."""

import random
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.data.examples import EXAMPLES
from trainers.data.jsonl import Message, Row, read_rows
from trainers.evals.endpoint.contest import Contest, bill
from trainers.evals.endpoint.prompts import WAYS, Prompts, Turns, Way
from trainers.evals.endpoint.similar import Similar
from trainers.evals.endpoint.spending import most_prompt_tokens
from trainers.evals.endpoint.wire import Question
from trainers.evals.metrics.operations import TokenPrices

TRAIN = read_rows(EXAMPLES["tickets"].train).rows
TEST = read_rows(EXAMPLES["tickets"].test).rows
LABELS = ("account", "billing", "delivery", "returns", "workshop")


def test_similarity_is_that_of_scikit_learn() -> None:
    """The order of the nearest rows is the one of the local few-shot arm's vectorisers."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    texts = [row.prompt for row in TRAIN]
    runs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    union = make_union(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), runs).fit(texts)
    matrix, index = union.transform(texts), Similar(texts)
    for row in TEST[:20]:
        likeness = (matrix @ union.transform([row.prompt]).T).toarray()[:, 0]
        assert index.nearest(row.prompt, 8) == list(np.argsort(-np.round(likeness, 9), kind="stable")[:8])


def test_many_texts_are_searched_as_one_by_one() -> None:
    """A search for more texts than fit into one step finds for each what a search for it alone finds, in its order."""
    draw, asked = random.Random(3), [row.prompt for row in TEST]
    texts = [" ".join(draw.sample(row.prompt.split(), len(row.prompt.split()))) for row in TRAIN * 3]
    index, many = Similar(texts), [*asked, "", "§", "Ünbekannt", *asked * 9, texts[0]]
    assert len(many) > 512
    found = list(index.nearest_of(many, 9))
    assert found == [index.nearest(text, 9) for text in many]
    assert found[-1][0] == 0
    assert found[len(asked)] == list(range(9))  # nothing is like anything: the earlier ones
    assert list(index.nearest_of([], 9)) == []


def test_no_row_is_its_own_example() -> None:
    """A training row is answered without itself, and the most similar one comes last."""
    prompts = Prompts(TRAIN, LABELS, 7)
    turns = prompts.turns(Way(4, False), TRAIN[0], leave_out=0)
    assert len(turns) == 1 + 4 * 2 + 1
    assert [content for role, content in turns if role == "user"].count(TRAIN[0].prompt) == 1
    assert turns[0][0] == "system"
    assert "exactly one of these labels" in prompts.turns(Way(4, True), TRAIN[0])[0][1]


def test_the_better_way_is_chosen_on_training_rows_alone() -> None:
    """The half that does best goes on to further rows; the winner has been tried on all of them."""
    prompts, seen = Prompts(TRAIN, LABELS, 7), []

    def score(asked: Sequence[tuple[Turns, Row]]) -> list[float]:
        seen.extend(row for _, row in asked)
        return [float(len(turns) == 1 + 8 + 1 and "exactly" in turns[0][1]) for turns, _ in asked]

    trials = prompts.choose(score)
    assert (trials[0].way, trials[0].score, trials[0].rows) == (Way(4, True), 1.0, 36)
    assert len(seen) == 7 * 12 + 4 * 24
    assert {trial.way for trial in trials} == set(WAYS)


def test_of_very_many_rows_a_part_are_examples() -> None:
    """Examples come from 2,000 rows, drawn by the seed, and it is said; among equals the first is near."""
    rows = [Row(n, (Message("user", f"question {n}"), Message("assistant", "a"))) for n in range(2100)]
    one, same, other = (Prompts(rows, (), seed) for seed in (7, 7, 8))
    assert len(one.rows) == 2000
    assert one.rows == same.rows != other.rows
    assert one.drawn == "; examples come from 2,000 of 2,100 rows"
    assert Prompts(TRAIN, LABELS, 7).drawn == ""
    assert Similar(["a bc", "de fg", "a bc", "a bc"]).nearest("a bc", 2) == [0, 2]
    assert Similar(["a bc", "de fg"]).nearest("a bc", 0) == []


def test_no_answers_still_choose() -> None:
    """Where nothing was answered, some way is chosen and nothing breaks; two rows allow one example."""
    assert len(Prompts(TRAIN, LABELS, 7).choose(lambda asked: [None] * len(asked))) == 7
    few = Prompts(TRAIN[:2], (), 7)
    assert few.ways() == (Way(0, True), Way(1, False), Way(1, True))
    assert Prompts(TRAIN[:1], (), 7).ways() == (Way(0, True),)


def test_a_bill_says_what_the_choice_costs() -> None:
    """Calls by part are exact, tokens and money are ordered, and no price means no money rather than none."""
    contest = Contest(base="b", tuned="t", train=TRAIN, test=TEST, labels=LABELS)
    prices = {"b": TokenPrices(Decimal(1), Decimal(2)), "t": TokenPrices(Decimal(3), Decimal(6))}
    found = bill(contest, prices)
    assert dict(found.parts) == {"tuned": 60, "base_plain": 60, "base_few_shot": 60, "choosing": 180}
    assert (found.calls, found.choosing) == (360, 180)
    assert found.dollars is not None
    assert list(found.dollars) == sorted(found.dollars)
    assert list(found.prompt_tokens) == sorted(found.prompt_tokens)
    # As worked out row by row, before all rows were searched at once.
    assert found.to_json()["prompt_tokens"] == [43609, 67665, 329618]
    assert found.to_json()["dollars"] == ["0.053649", "0.080687", "0.384410"]
    unknown = bill(contest, None)
    assert unknown.dollars is None
    assert unknown.to_json()["dollars"] is None


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=60)), max_size=4))
def test_the_bound_on_prompt_tokens_holds_for_a_byte_level_tokenizer(turns: list[tuple[str, str]]) -> None:
    """A byte is at least a token's share: a tokenizer that makes one of each byte stays below."""
    bound = most_prompt_tokens(Question("m", tuple(turns), 5))
    assert bound >= sum(len(content.encode()) + 5 for _, content in turns)


@pytest.mark.parametrize(
    ("target", "said"), [('{"a": 1}', "one JSON object"), ("[1]", "JSON alone"), ("b c", "2 words")]
)
def test_the_form_of_an_answer_is_said(target: str, said: str) -> None:
    """JSON keys or a number of words, from the training replies."""
    rows = [Row(n, (Message("user", f"q{n}"), Message("assistant", target))) for n in range(3)]
    assert said in Prompts(rows, (), 7).turns(Way(0, True), rows[0])[0][1]
