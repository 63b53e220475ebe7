"""JSON answers are found, compared by value and counted by field, and nothing a model writes can break that."""

import doctest
import json
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.data.jsonl import Message, Row
from trainers.evals.metrics import Mark, Setup, extraction, fields, json_answers, load
from trainers.evals.metrics.extraction import FieldF1, JsonExact
from trainers.evals.metrics.fields import same
from trainers.evals.metrics.json_answers import read_json
from trainers.evals.stats import wilson

TARGET = '{"name": "Ada Lovelace", "total": 12, "paid": true, "items": [{"sku": "A"}, {"sku": "B"}]}'
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def row(target: str, line: int = 1) -> Row:
    return Row(line, (Message("user", "?"), Message("assistant", target)))


def exact(output: str, target: str = TARGET, **options: Any) -> float:
    return JsonExact(Setup(options=options)).mark(row(target), output).score


def f1(output: str, target: str = TARGET, **options: Any) -> float:
    return FieldF1(Setup(options=options)).mark(row(target), output).score


@pytest.mark.parametrize("module", [extraction, fields, json_answers])
def test_the_worked_examples_hold(module: object) -> None:
    """The numbers in the docstrings are what the code gives."""
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value", "strict"),
    [
        ('{"a": 1}', {"a": 1}, True),
        (' \n[1, 2]\n', [1, 2], True),
        ("12", 12, True),
        ("null", None, True),
        ('```json\n{"a": 1}\n```', {"a": 1}, False),
        ('```\n{"a": 1}\n```\nI hope this helps.', {"a": 1}, False),
        ('```{"a": 1}```', {"a": 1}, False),
        ('```json {"a": 1} ```', {"a": 1}, False),
        ('Here:\n```json\n{"a": 1}', {"a": 1}, False),  # the block is never closed, its JSON is
        ('```python\nprint(1)\n```\nso {"a": 1}', {"a": 1}, False),
        ('Sure! {"a": "}{"} Done.', {"a": "}{"}, False),
        ('The set {a, b} gives [see below] {"a": 1}', {"a": 1}, False),
        ('{"a": 1}\n{"a": 2}', {"a": 1}, False),
        ('My 5" pipe: {"a": 1}', {"a": 1}, False),
        ('{"a": "```"} .', {"a": "```"}, False),
        ("\ufeff{\"a\": 1}", {"a": 1}, False),
    ],
)  # fmt: skip
def test_json_is_found_however_it_is_wrapped(text: str, value: object, strict: bool) -> None:
    """Bare, fenced or amid a sentence; only the first counts as strict."""
    assert read_json(text) == (value, True, strict)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "no", '{"a": 1', '{"a": [{"b": 1}', "{'a': 1}", '{"a": NaN}', '{"a": Infinity}', "NaN",
        '{"a": 1, "a": 2}', '{"a": 1e999}', "[" * 33 + "]" * 33, "[" * 100_000, '{"a":' * 50_000,
        '{"a": 1,}', '{"a": True}', '{"a": ' + "9" * 5000 + "}", '{"a": "\\ud800"}', '{"a": "\ud800"}', '{"a": "\0"}',
        '"' + "x" * 2**20 + '"', "{" + " " * 1000 + "x}", "```", "``````", '```json\n{"a": \n```',
    ],
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_what_is_no_json_is_unreadable_for_both(text: str) -> None:
    """Cut off, ambiguous, too deep, too large or not JSON at all: a score of 0 and no error."""
    assert read_json(text).parsed is False
    assert exact(text) == f1(text) == 0
    assert FieldF1(Setup()).mark(row(TARGET), text) == Mark(0.0, {"parsed": 0.0, "strict": 0.0}, "no JSON")


def test_of_several_values_the_one_of_the_targets_kind_counts() -> None:
    """A reference mark before the answer is a list; the target is an object."""
    assert exact('As [1] says: {"a": 1} [2]', '{"a": 1}') == 1
    assert exact('{"a": 1} [1]', "[1]") == 1
    assert read_json("As [1] says", dict).value == [1]


@pytest.mark.parametrize(
    "text",
    ['{"' * 400_000, "[1]" * 300_000, '{"a"' * 250_000, "{" * 900_000 + "}", "```" * 300_000, '"\\' * 450_000,
     '[" ' * 300_000, ("{" + " " * 50) * 20_000, '[[1,"]' * 100_000],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_hostile_answers_are_read_in_linear_time(text: str) -> None:
    """A megabyte of brackets, quotes or fences takes at most seconds, on a busy machine too."""
    start = time.process_time()
    read_json(text)
    assert time.process_time() - start < 5


def test_values_compare_by_value() -> None:
    """Key order, 1 against 1.0, composed letters and white space do not count; case, kind and list order do."""
    assert same({"a": 1, "b": [1.0, "x"]}, {"b": [1, " x\n"], "a": 1.0})
    assert same("Caf\u00e9", "Cafe\u0301")
    different = [
        (True, 1),
        (False, 0),
        ("1", 1),
        (None, 0),
        (None, ""),
        ([], {}),
        ([1, 2], [2, 1]),
        ("a", "A"),
        (0.1, 0.2),
    ]
    assert [pair for pair in different if same(*pair)] == []
    assert same("a", "A", fold_case=True)
    assert same(10**400, 10**400)
    assert not same(2**53, 2**53 + 1)


@pytest.mark.parametrize(
    ("output", "target", "expected"),
    [
        ('{"a": 1}', '{"a": 1, "b": 2}', 2 / 3),
        ('{"a": 1, "b": 3, "c": 4}', '{"a": 1, "b": 2}', 2 / 5),
        ("[3, 2, 1]", "[1, 2, 3]", 1.0),
        ("[1, 1]", "[1]", 2 / 3),
        ("{}", "{}", 1.0),
        ("{}", "[]", 0.0),
        ('{"a": null}', "{}", 0.0),
        ('{"a": {"b": 1}}', '{"a.b": 1}', 0.0),
        ('{"[]": 1}', "[1]", 0.0),
        ('[{"a": 1, "b": 2}, {"a": 3, "b": 4}]', '[{"a": 1, "b": 4}, {"a": 3, "b": 2}]', 1.0),  # documented
        ("5", "5.0", 1.0),
        ('{"a": "USD"}', '{"a": "usd"}', 0.0),
    ],
)
def test_fields_by_hand(output: str, target: str, expected: float) -> None:
    """F1 of (path, value) pairs with arrays as multisets, against counts made by hand."""
    assert f1(output, target) == pytest.approx(expected)


def test_extra_fields_are_those_that_the_target_does_not_fill() -> None:
    """A new field, a value where the target has null and a third item of two are extra; a wrong value is not."""
    mark = FieldF1(Setup()).mark(row('{"a": 1, "b": null, "c": [1, 2]}'), '{"a": 9, "b": 5, "c": [1, 2, 3], "d": 4}')
    assert mark.checks["extra_fields"] == 3 / 6
    assert mark.note == "differs in a, b; 3 fields too many"
    none = FieldF1(Setup()).mark(row('{"a": 1}'), '{"a": 1, "x": null, "y": [], "z": {}}')
    assert none.checks["extra_fields"] == 0


def test_a_target_that_is_no_json_must_be_repeated() -> None:
    """Broken targets are said and scored by text, alike for both metrics."""
    assert (exact("n/a ", "n/a"), f1("n/a", "n/a"), exact("{}", "n/a"), f1("", "n/a")) == (1, 1, 0, 0)
    assert JsonExact(Setup()).mark(row("n/a"), "{}").note == "the target is not JSON"


def brute(value: Any, path: str = "") -> list[str]:
    """Flatten by another way than the product: strings of path and JSON, elements under one star."""
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in brute(item, f"{path}/{json.dumps(key)}")]
    if isinstance(value, list) and value:
        return [leaf for item in value for leaf in brute(item, f"{path}/*")]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = int(value) if value == int(value) else value
    return [f"{path}={json.dumps(value)}"]


@given(VALUES, VALUES)
def test_field_f1_is_symmetric_bounded_and_brute_force_agrees(one: Any, other: Any) -> None:
    """Swapping answer and target changes nothing, and an independent flattening gives the same F1."""
    first, second = json.dumps(one), json.dumps(other)
    score = f1(first, second)
    assert score == f1(second, first)
    assert 0 <= score <= 1
    assert f1(first, first) == exact(first, first) == 1
    if all(text == " ".join(text.split()) and text.isascii() for text in _texts([one, other])):
        said, wanted = Counter(brute(one)), Counter(brute(other))
        assert score == 2 * (said & wanted).total() / (said.total() + wanted.total())


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(item) for key, item in reversed(value.items())}
    return [_turned(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_the_order_of_keys_never_counts(value: Any) -> None:
    """The same value written with its keys in reverse order, indented and in a code block is exactly right."""
    wrapped = f"Here it is:\n```json\n{json.dumps(_turned(value), indent=2, ensure_ascii=False)}\n```"
    target = json.dumps(value)
    if "```" not in target:
        assert (exact(wrapped, target), f1(wrapped, target)) == (1, 1)


JUNK = st.text(max_size=80) | st.lists(
    st.sampled_from([*'{}[]":,`\\ 1', '"a":', "null", "```json\n"]), max_size=40
).map("".join)


@settings(deadline=None)  # the first call loads jsonschema
@given(JUNK, st.sampled_from([TARGET, "[1]", "1", "n/a", ""]))
def test_marking_never_raises(output: str, target: str) -> None:
    """Whatever a model writes, both metrics give a score between 0 and 1 and checks between 0 and 1."""
    for name in ("json_exact", "field_f1"):
        metric = load(name, Setup(schema={"type": "object", "properties": {"total": {"multipleOf": 0.1}}}))
        mark = metric.mark(row(target), output)
        assert all(0 <= value <= 1 for value in (mark.score, *mark.checks.values()))


@given(VALUES, VALUES)
@settings(max_examples=50)
def test_exact_is_pythons_equality_where_they_agree_on_kinds(one: Any, other: Any) -> None:
    """Without texts and booleans in play, equality is Python's."""

    def bare(value: Any) -> bool:
        if isinstance(value, dict):
            return all(map(bare, value.values()))
        return all(map(bare, value)) if isinstance(value, list) else not isinstance(value, bool | str)

    if bare(one) and bare(other):
        assert same(one, other) == (one == other)


def test_figures_are_counted_over_all_rows() -> None:
    """Rates have Wilson's ends over all rows, micro-averages count fields, missing answers miss theirs."""
    targets = ['{"a": 1, "b": 2}', '{"a": 1, "b": [1, 2]}', '{"a": 1}', '{"a": 1}']
    outputs = ['{"a": 1, "b": 2}', '```json\n{"a": 1, "b": [1], "c": 1}\n```', "I can't", None]
    rows = [row(target, line) for line, target in enumerate(targets, 1)]
    metric = load("field_f1", Setup(schema={"required": ["b"]}))
    marks = [metric.mark(one, text) if text is not None else Mark(0.0) for one, text in zip(rows, outputs, strict=True)]
    figures = {figure.name: figure for figure in metric.figures(rows, outputs, marks)}
    assert {name: figure.value for name, figure in figures.items()} == {
        "exactly right": 0.25, "parsed": 0.5, "JSON alone": 0.25, "schema-valid": 0.5,
        "field F1": 2 * 4 / (7 + 5), "field precision": 4 / 5, "field recall": 4 / 7, "extra fields": 1 / 5,
        "right: a": 2 / 4, "right: b": 1.0, "right: b[]": 1 / 2,
    }  # fmt: skip
    assert figures["parsed"][2:4] == wilson(2, 4)
    assert figures["right: b[]"].low is None  # two of one row: not independent
    empty = metric.figures([], [], [])
    assert all(figure.value is None for figure in empty)


def test_micro_f1_agrees_with_scikit_learn() -> None:
    """On flat objects with fixed keys the micro-averaged F1 is scikit-learn's over (field, value) indicators."""
    from sklearn.metrics import f1_score
    from sklearn.preprocessing import MultiLabelBinarizer

    truth = [{"a": one % 3, "b": one % 2} for one in range(30)]
    said = [{"a": one % 3, "b": one % 4} if one % 5 else {"c": 1} for one in range(30)]
    rows = [row(json.dumps(value), line) for line, value in enumerate(truth, 1)]
    outputs = list(map(json.dumps, said))
    metric = FieldF1(Setup())
    marks = [metric.mark(one, output) for one, output in zip(rows, outputs, strict=True)]
    figures = {figure.name: figure.value for figure in metric.figures(rows, outputs, marks)}
    table = MultiLabelBinarizer().fit([list(map(str, value.items())) for value in truth + said])
    one, other = (table.transform([list(map(str, value.items())) for value in values]) for values in (truth, said))
    assert figures["field F1"] == pytest.approx(f1_score(one, other, average="micro"))
    assert sum(mark.score for mark in marks) / 30 == pytest.approx(f1_score(one, other, average="samples"))
