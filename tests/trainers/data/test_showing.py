"""Labels are shown in a channel only where none of them gives anything away."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.blocks.lint import lint_blocks
from trainers.data.differences import compare
from trainers.data.lint import LintReport, lint
from trainers.data.rules.personal import mask
from trainers.data.showing import may_show
from trainers.evals.row_charts import charts_of
from trainers.tables import Dataset

KEY = "AKIA" + "Q3EGRT7KLMNP2XYZ"
MAIL = "jane.doe@northwind-parts.com"


def rows(path: Path, *answers: str, asked: str = "Which one for number") -> Path:
    turns = [
        [
            {"role": "user", "content": f"{asked} {n * 7919}?"},
            {"role": "assistant", "content": answers[n % len(answers)]},
        ]
        for n in range(12)
    ]
    path.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
    return path


def shown(path: Path, report: LintReport) -> str:
    """All that others read of a report: its card, its JSON, the words of its charts."""
    alt = [chart.alt for chart in charts_of(path, report)]
    return json.dumps([lint_blocks("rows.jsonl", report), report.to_json(), alt])


@pytest.mark.parametrize(("answer", "code"), [(KEY, "secret"), (MAIL, "personal_data")])
def test_a_label_that_gives_something_away_is_shown_nowhere(tmp_path: Path, answer: str, code: str) -> None:
    """Neither the card nor JSON nor a chart repeats it; what is wrong is said by code and line."""
    path = rows(tmp_path / "rows.jsonl", answer, "other")
    report = lint(path)
    assert code in {finding.code for finding in report.findings}
    assert report.labels is None
    assert answer not in shown(path, report)
    assert "Rows by label" not in shown(path, report)


def test_what_a_question_makes_a_secret_or_a_number_is_not_shown_either(tmp_path: Path) -> None:
    """A bare password and a bare number are told by the words before them: their labels stay back too."""
    word = "Plum" + "Oak77x"
    for answer, asked in ((word, "password:"), ("943 476 5919", "Which NHS number?")):
        path = tmp_path / f"{len(answer)}.jsonl"
        turns = [[{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]] * 12
        path.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
        assert lint(path).labels is None, answer


def test_harmless_labels_are_shown(tmp_path: Path) -> None:
    """An address in a question says nothing about the labels, and codes of long numbers are labels without one."""
    path = rows(tmp_path / "rows.jsonl", "billing", "8471300000", asked="Sort")
    assert set(lint(path).labels or ()) == {"billing", "8471300000"}
    path = rows(tmp_path / "other.jsonl", "billing", "returns", asked=f"From {MAIL}:")
    assert set(lint(path).labels or ()) == {"billing", "returns"}
    assert may_show(["billing"])


def test_a_comparison_of_versions_keeps_such_labels_back(tmp_path: Path) -> None:
    """A table of two versions has no row for an address."""
    rows(tmp_path / "one.jsonl", MAIL, "other")
    (tmp_path / "test.jsonl").write_text("")
    made = Dataset(id="a", workspace_id="T", name="x", train_path="one.jsonl", test_path="test.jsonl", train_rows=12,
                   test_rows=0, sha256="", created_by="U")  # fmt: skip
    assert MAIL not in json.dumps(compare(tmp_path, made, made).to_json())
    assert not compare(tmp_path, made, made).labels


def test_charts_draw_the_labels_that_the_report_has(tmp_path: Path) -> None:
    """The picture shows what the linter lets through, and nothing where it keeps the labels back."""
    path = rows(tmp_path / "rows.jsonl", "billing", "returns")
    report = lint(path)
    assert [chart.name for chart in charts_of(path, report)] == ["lengths", "labels", "repeats"]
    assert [chart.name for chart in charts_of(path, replace(report, labels=None))] == ["lengths", "repeats"]


def test_the_card_names_the_worst_rows_also_with_one_code_each(tmp_path: Path) -> None:
    """A row that one rule alone speaks of is named."""
    path = rows(tmp_path / "rows.jsonl", "billing", "returns")
    path.write_text(path.read_text() + path.read_text().splitlines()[3] + "\n")
    assert "; line 3 (near_duplicate); " in json.dumps(lint_blocks("rows.jsonl", lint(path)))


def test_a_mask_shows_at_most_half() -> None:
    """Initials are hidden whole, of longer runs the first sign is seen."""
    for text in ("a.b@c.de", "1 90 01 75 116 001 41", "j@x.io", "jane.doe@mail.test"):
        signs = [sign for sign in text if sign.isalnum()]
        seen = [sign for sign in mask(text) if sign.isalnum()]
        assert len(seen) <= len(signs) / 2, text
