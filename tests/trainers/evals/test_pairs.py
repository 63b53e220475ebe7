"""Anybody's scores get an honest verdict, and what cannot be read is named by its line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.evals.pairs import judge_file
from trainers.evals.rule import SuccessRule

RULE = SuccessRule(guardrails=())


def written(folder: Path, lines: list[Any]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return path


def scored(base: list[Any], tuned: list[Any], **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": place, "base": one, "tuned": other, **{name: values[place] for name, values in more.items()}}
        for place, (one, other) in enumerate(zip(base, tuned, strict=True))
    ]


def test_the_keys_that_scripts_read(tmp_path: Path) -> None:
    """A clear gain on 40 rows passes, with every documented key."""
    judged = judge_file(written(tmp_path, scored([0] * 28 + [1] * 12, [1] * 39 + [0])), RULE).to_json()
    assert (judged["verdict"], judged["n"], judged["rows_needed"]) == ("PASS", 40, None)
    assert judged["difference"] == pytest.approx(27 / 40)
    assert judged["interval"] == pytest.approx([0.4647, 0.8210], abs=0.02)
    assert judged["p_value"] < 0.001
    assert json.loads(json.dumps(judged)) == judged


def test_three_rows_never_pass(tmp_path: Path) -> None:
    """However good three rows look, nothing is proven, and it says how many rows would do."""
    judged = judge_file(written(tmp_path, scored([0, 0, 0], [1, 1, 1])), RULE).to_json()
    assert judged["verdict"] == "INCONCLUSIVE"
    assert judged["rows_needed"] >= 20
    assert judged["rows_more"] == judged["rows_needed"] - 3


def test_equal_scores_are_no_proof(tmp_path: Path) -> None:
    """Where every row has the same scores the verdict stays open or fails, and the reader hears why."""
    for value in (0, 1, 0.5):
        judged = judge_file(written(tmp_path, scored([value] * 30, [value] * 30)), RULE)
        assert judged.verdict.outcome != "PASS"
        assert any("same two scores" in notice for notice in judged.notices)


def test_a_missing_answer_never_helps_the_tuned_model(tmp_path: Path) -> None:
    """null of the tuned model counts as 0, null of the base leaves the row out; both are told with their lines."""
    judged = judge_file(written(tmp_path, scored([0, None, 1, 0], [None, 1, 1, 1])), RULE)
    assert (judged.verdict.n, judged.verdict.difference) == (3, pytest.approx(1 / 3))
    assert "1 row without a base score left out (line 2)." in judged.notices
    assert "1 row without a tuned score counted as 0 (line 1)." in judged.notices


def test_rows_of_one_source_count_as_one(tmp_path: Path) -> None:
    """Forty rows from two sources prove nothing, whatever they say; forty of their own do."""
    base, tuned = [0] * 40, [1] * 36 + [0] * 4
    alone = judge_file(written(tmp_path, scored(base, tuned)), RULE)
    shared = judge_file(written(tmp_path, scored(base, tuned, cluster=[f"doc {n % 2}" for n in range(40)])), RULE)
    assert (alone.verdict.outcome, alone.verdict.clusters) == ("PASS", 40)
    assert (shared.verdict.outcome, shared.verdict.clusters) == ("INCONCLUSIVE", 2)
    assert shared.verdict.because


def test_a_row_without_a_source_is_its_own(tmp_path: Path) -> None:
    """Rows without a cluster, or with null, stand alone beside those that share one."""
    lines = scored([0] * 30, [1] * 30)
    for line in lines[:4]:
        line["cluster"] = "a"
    lines[4]["cluster"] = None
    assert judge_file(written(tmp_path, lines), RULE).verdict.clusters == 27


def test_a_target_is_checked_beside_the_gain(tmp_path: Path) -> None:
    """Better than the base but far below the target is no success."""
    path = written(tmp_path, scored([0] * 100, [1] * 40 + [0] * 60))
    assert judge_file(path, RULE).verdict.outcome == "PASS"
    from decimal import Decimal

    judged = judge_file(path, SuccessRule(guardrails=(), target=Decimal("0.9")))
    assert judged.verdict.outcome == "FAIL"
    assert "misses the target of 90%" in judged.verdict.because[0]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no rows"),
        (["", "  "], "no rows"),
        (["{"], "Line 1 is not JSON"),
        (['{"id": 1, "base": 0, "tuned": 1}', "[1, 2]"], "Line 2 is no JSON object"),
        ([{"id": 1, "base": 0}], 'Line 1 has no "tuned"'),
        ([{"base": 0, "tuned": 1}], '"id" in line 1'),
        ([{"id": "", "base": 0, "tuned": 1}], '"id" in line 1'),
        ([{"id": 1, "base": 2, "tuned": 1}], '"base" in line 1'),
        ([{"id": 1, "base": 0, "tuned": -0.1}], '"tuned" in line 1'),
        ([{"id": 1, "base": "0", "tuned": 1}], '"base" in line 1'),
        (['{"id": 1, "base": NaN, "tuned": 1}'], '"base" in line 1'),
        (['{"id": 1, "base": 1e999, "tuned": 1}'], '"base" in line 1'),
        ([{"id": 1, "base": 0, "tuned": 1}, {"id": "1", "base": 0, "tuned": 1}], "Lines 1 and 2 have the same id"),
        ([{"id": 1, "base": 0, "tuned": 1, "cluster": ["a"]}], '"cluster" in line 1'),
        (["[" * 100_000], "Line 1 is not JSON"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(tmp_path: Path, lines: list[Any], said: str) -> None:
    """A broken file gets no verdict, but a sentence with the line and the shape that is wanted."""
    with pytest.raises(UserError) as refused:
        judge_file(written(tmp_path, lines), RULE)
    assert said in refused.value.what
    assert refused.value.next_step


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A binary file, a missing one and a folder are user errors, never a traceback."""
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b"\xff\xfe\x00\x01")
    for wrong in (path, tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(UserError):
            judge_file(wrong, RULE)


def test_a_folder_without_a_name_is_named_as_it_was_given() -> None:
    """`--pairs .` is a folder whose path has no last part."""
    with pytest.raises(UserError) as refused:
        judge_file(Path(), RULE)
    assert refused.value.what == "I can't read .: Is a directory."


@settings(deadline=None)  # the first graded comparison loads scipy
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60))
def test_any_scores_get_a_verdict(pairs: list[tuple[float, float]]) -> None:
    """Whatever the scores, there is a verdict whose interval holds the difference, and fewer than 20 never pass."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        base, tuned = (list(side) for side in zip(*pairs, strict=True))
        verdict = judge_file(written(Path(folder), scored(base, tuned)), RULE).verdict
    assert verdict.low <= verdict.difference + 1e-9
    assert verdict.high >= verdict.difference - 1e-9
    assert (verdict.outcome == "INCONCLUSIVE") == (verdict.rows_needed is not None)
    assert len(pairs) >= 20 or verdict.outcome != "PASS"
