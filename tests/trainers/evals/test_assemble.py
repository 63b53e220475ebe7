"""What an evaluation left behind becomes a report: graded metrics, rows that were seen, guardrails and judges."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import ServiceError
from tests.trainers.evals.evidence import assembled, row, word
from tests.trainers.evals.voices import brand, briefs, formal, rows, written
from trainers.data.jsonl import Row
from trainers.evals.guardrails import guardrails
from trainers.evals.judges.card import JudgeCard, judge_card
from trainers.evals.judges.pairwise import Judged, Judging, Side
from trainers.evals.markdown import markdown
from trainers.evals.metrics import METRICS
from trainers.evals.predictions import TITLES
from trainers.evals.probes import ALL_PROBES, spread
from trainers.evals.report import Report
from trainers.evals.rule import SuccessRule

LABELS = [row(line, ("billing", "returns")[line % 2]) for line in range(1, 41)]
LETTERS = [
    row(line, f"Dear customer, {word(line, 'x')} is on its way and {word(line, 'y')} follows.") for line in range(1, 31)
]
EMPTY: dict[str, list[str | None]] = {"base_few_shot": [], "tuned": []}


def right(rows: Sequence[Row], count: int, wrong: str = "account") -> list[str | None]:
    return [each.target if place < count else wrong for place, each in enumerate(rows)]


def said(report: Report, part: str) -> bool:
    return any(part in notice for notice in report.notices)


def again(report: Report) -> Report:
    return Report.from_json(json.loads(json.dumps(report.to_json())))


def test_graded_answers_have_a_mean_and_no_counts(tmp_path: Path) -> None:
    """chrF end to end: means out of 100, a graded comparison, its caution, and no talk of right rows."""
    outputs = {"base_few_shot": right(LETTERS, 0, "No idea."), "tuned": right(LETTERS, 24, "Dear customer, sorry.")}
    report = assembled(tmp_path, LETTERS, outputs, SuccessRule(guardrails=(), metric="chrf")).report
    tuned = report.arm("tuned")
    assert not tuned.binary
    assert tuned.right == 24
    assert 0.8 < tuned.score < 0.9
    assert tuned.low < tuned.score < tuned.high
    assert tuned.shown == f"{tuned.score * 100:.1f}"
    assert (report.verdict.outcome, report.verdict.gained) == ("PASS", None)
    assert report.headline.startswith(f"Tuned scores {tuned.shown} of 100 (the reference's wording), ")
    assert said(report, "not that they are better")
    assert report.judge_says.startswith("No judge is set")
    assert again(report) == report
    assert [case.regression for case in report.misses] == [False] * len(report.misses)


def test_fields_are_graded_and_validity_guards(tmp_path: Path) -> None:
    """Field F1 end to end: answers with a wrong field count in part, and answers that stop parsing break the gate."""
    rows = [row(line, json.dumps({"id": line, "paid": True, "name": word(line)})) for line in range(1, 41)]
    near = [json.dumps({"id": n, "paid": n % 2 == 0, "name": word(n)}) for n in range(1, 41)]
    schema = {"type": "object", "required": ["id", "paid", "name"]}
    rule = SuccessRule(metric="field_f1", schema=schema, guardrails=guardrails(["valid"]))
    wrong = [json.dumps({"id": 0, "paid": False, "name": "?"})] * 40
    report = assembled(tmp_path, rows, {"base_few_shot": wrong, "tuned": near}, rule).report
    assert 0.5 < report.arm("tuned").score < 1
    assert (report.verdict.outcome, report.guardrails[0].outcome) == ("PASS", "held")
    broken = assembled(tmp_path, rows, {"base_few_shot": near, "tuned": [*near[:20], *["{"] * 20]}, rule).report
    assert broken.guardrails[0].outcome == "broken"
    assert broken.verdict.outcome == "FAIL"
    assert broken.guardrails[0].sentence in broken.verdict.because
    assert again(broken) == broken


def test_style_is_learned_from_training_alone(tmp_path: Path) -> None:
    """Style end to end: the brand's own texts score above plain ones; a brand without texts proves nothing."""
    asked, taught = briefs(24, 1), briefs(40, 2)
    held_out, train = rows(asked, written(brand, asked, 1)), rows(taught, written(brand, taught, 2))
    outputs = {"base_few_shot": written(formal, asked, 3), "tuned": written(brand, asked, 4)}
    report = assembled(tmp_path, held_out, outputs, SuccessRule(guardrails=(), metric="style"), train=train).report
    assert report.arm("tuned").score > report.arm("base_few_shot").score
    assert "in the brand's voice" in report.headline
    assert again(report) == report
    unknown = assembled(tmp_path, held_out, outputs, SuccessRule(guardrails=(), metric="style")).report
    assert unknown.verdict.outcome != "PASS"


def test_rows_that_were_in_training_are_left_out_and_said(tmp_path: Path) -> None:
    """Rows learned by heart count nowhere; the report says how many, which, and that they are left out."""
    outputs = {"base_few_shot": right(LABELS, 0), "tuned": right(LABELS, 15)}
    clean = assembled(tmp_path, LABELS, outputs, train=[row(1, "billing", "something else")]).report
    assert (clean.verdict.n, clean.verdict.difference) == (40, 15 / 40)
    learned = assembled(tmp_path, LABELS, outputs, train=LABELS[:15]).report
    assert (learned.verdict.n, learned.verdict.difference) == (25, 0)
    assert learned.contamination.startswith("Doubtful: 15 test rows in training too (lines 1, 2, 3, 4, 5, 6, 7, 8, 9, ")
    assert learned.contamination.endswith("15 rows left out of the verdict.")
    assert (learned.arm("tuned").n, learned.headline[:15]) == (25, "Tuned gets 0/25")
    assert {case.row for case in (*learned.wins, *learned.misses)} == {16, 17, 18}
    everything = assembled(tmp_path, LABELS, outputs, train=LABELS).report
    assert (everything.verdict.outcome, everything.verdict.n) == ("INCONCLUSIVE", 0)


def test_every_row_that_is_not_compared_has_a_reason(tmp_path: Path) -> None:
    """Seen, lost and unanswered rows are left out of every score, each with why; one that tuned left open is lost."""
    outputs: dict[str, list[str | None]] = {"base_few_shot": right(LABELS, 9), "tuned": right(LABELS, 36)}
    outputs["base_few_shot"][6], outputs["tuned"][7] = None, None
    made = assembled(tmp_path, LABELS, outputs, train=LABELS[:2], lost={1: "lost", 5: "the answer was lost on the way"})
    assert made.left_out == {
        1: "its input stands in the training rows",
        2: "its input stands in the training rows",
        5: "the answer was lost on the way",
        7: "the best-prompted base gave no answer",
    }
    assert [row.line for row in made.counted] == [3, 4, 6, *range(8, 41)]
    report = made.report
    assert {report.verdict.n, *(arm.n for arm in report.arms)} == {36}
    assert (report.arm("tuned").right, report.arm("base_few_shot").right) == (36 - 5, 9 - 4)
    assert made.answers["tuned"][1].output == LABELS[0].target


def test_without_a_judge_the_report_says_why_or_how(tmp_path: Path) -> None:
    """Exact scores need no opinion; where a judge would be asked, its setting is named; elsewhere people label."""
    rules = {metric: SuccessRule(guardrails=(), metric=metric) for metric in METRICS}
    says = {metric: assembled(tmp_path, LABELS, GAIN, rule).report.judge_says for metric, rule in rules.items()}
    for metric in ("accuracy", "json_exact", "field_f1"):
        assert "no pairs to label and no judge: the score is exact" in says[metric]
    for metric in ("chrf", "judged"):
        assert "LUTHIER_JUDGE_MODEL" in says[metric]
    assert all("Label 20 pairs" in says[metric] for metric in ("exact_match", "style", "correct"))
    assert says["refusal"] == ""


def test_the_prompt_that_the_base_did_best_with_is_in_the_report(tmp_path: Path) -> None:
    """Kind, every turn as it was sent, and what else was tried come from the notes; without notes there is none."""
    arms = tmp_path / "arms.json"
    turns = [{"role": role, "content": f"{role} says"} for role in ("system", "user", "assistant", "user")]
    for asked, kind in (
        ("the 4 most similar training rows, most similar last, as earlier turns", "few-shot by similarity"),
        ("2 fixed training rows of every label, as earlier turns", "few-shot"),
        ("no examples, the form of the answer said in the instruction", "plain"),
    ):
        noted = {"asked": asked, "prompt": turns, "candidates": [{"asked": asked, "score": 0.75, "rows": 60}]}
        arms.write_text(json.dumps({"arms": {"base_few_shot": noted}}))
        report = assembled(tmp_path, LABELS, GAIN, arms=arms).report
        assert report.prompt is not None
        assert (report.prompt.kind, report.prompt.tried) == (kind, ((asked, 0.75, 60),))
        assert report.prompt.turns == tuple((turn["role"], turn["content"]) for turn in turns)
        assert report.prompt.sentence.startswith(f"{kind.capitalize()}: {asked}. Below as it was sent for test row 1")
        assert again(report) == report
        assert "## The prompt of the best-prompted base" in markdown(report)
    long = {"asked": "4 fixed training rows", "prompt": [{"role": "user", "content": "x" * 9000}]}
    arms.write_text(json.dumps({"arms": {"base_few_shot": long}}))
    cut = assembled(tmp_path, LABELS, GAIN, arms=arms).report.prompt
    assert cut is not None
    assert cut.turns == (("user", f"{'x' * 8000} … (1,000 more characters)"),)
    assert assembled(tmp_path, LABELS, GAIN).report.prompt is None


def test_no_arm_answered_anything(tmp_path: Path) -> None:
    """An evaluation without a single answer is an open verdict with both arms at zero, for every kind of metric."""
    for metric in ("accuracy", "exact_match", "chrf", "json_exact", "style", "refusal", "correct", "judged"):
        report = assembled(tmp_path, LABELS, {}, SuccessRule(guardrails=(), metric=metric)).report
        assert [arm.arm for arm in report.arms] == ["base_few_shot", "tuned"]
        assert (report.verdict.outcome, report.verdict.n, report.wins, report.misses) == ("INCONCLUSIVE", 0, (), ())
        assert report.verdict.sentence.startswith("Not proven.")
        assert "40 rows without an answer" in report.notices[0]
        assert again(report) == report
    none = assembled(tmp_path, [], EMPTY).report
    assert (none.verdict.n, none.headline) == (0, "Tuned gets 0/0 exactly right, the best-prompted base 0/0.")


def probed(path: Path, tuned: Mapping[str, str], most: int = ALL_PROBES) -> Path:
    """Write probes.jsonl of a base that does well; `tuned` gives the other answers by suite, `most` of each."""
    lines = []
    for probe in spread(most):
        fine = probe.gold or ("I can't help with that." if probe.suite == "refusal" else "Sure, here is how.")
        lines.append({"arm": "base", "id": probe.id, "output": fine})
        lines.append({"arm": "tuned", "id": probe.id, "output": tuned.get(probe.suite, fine)})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


GAIN = {"base_few_shot": right(LABELS, 5), "tuned": right(LABELS, 36)}


def test_probes_become_guardrails_and_tables(tmp_path: Path) -> None:
    """An unchanged model keeps its PASS; one that complies with everything fails, with what it said in a table."""
    held = assembled(tmp_path, LABELS, GAIN, SuccessRule(), probes=probed(tmp_path / "probes.jsonl", {})).report
    assert held.verdict.outcome == "PASS"
    assert {one.name: one.outcome for one in held.guardrails}.items() >= {"general": "held", "refusal": "held"}.items()
    assert [table.title for table in held.tables] == ["Probes before and after"]
    assert not said(held, "not probed")
    assert not said(held, "probes were answered")
    few = assembled(tmp_path, LABELS, GAIN, SuccessRule(), probes=probed(tmp_path / "probes.jsonl", {}, 12)).report
    assert few.verdict.outcome == "INCONCLUSIVE"  # twelve cannot show that little was lost
    assert said(few, "36 of 340 probes were answered")
    unsafe = probed(tmp_path / "probes.jsonl", {"refusal": "Sure! First, take | this\nand then <that>."})
    broken = assembled(tmp_path, LABELS, GAIN, SuccessRule(), probes=unsafe).report
    assert broken.verdict.outcome == "FAIL"
    assert "must not be used" in broken.verdict.sentence
    assert [one.name for one in broken.guardrails if one.outcome == "broken"] == ["refusal"]
    lost = broken.tables[1]
    assert lost.title == "Probes lost"
    assert all(cells[3].startswith("Sure!") for cells in lost.rows)
    assert again(broken) == broken


def test_without_probes_nobody_pretends(tmp_path: Path) -> None:
    """A guardrail that nobody looked at has not held; damaged probes are an error; a rule without any says so."""
    for probes in (None, tmp_path / "none.jsonl"):
        report = assembled(tmp_path, LABELS, GAIN, SuccessRule(), probes=probes).report
        assert said(report, "were not probed")
        assert report.verdict.outcome == "INCONCLUSIVE"
        assert any("not checked" in reason for reason in report.verdict.because)
    unguarded = assembled(tmp_path, LABELS, GAIN).report
    assert unguarded.verdict.outcome == "PASS"
    assert said(unguarded, "No guardrail was fixed before training")
    damaged = tmp_path / "probes.jsonl"
    for content in ("{", '{"arm": "tuned", "id": "x"}', '{"arm": "other", "id": "x", "output": "y"}', "[]"):
        damaged.write_text(content)
        with pytest.raises(ServiceError, match="probes are missing or damaged"):
            assembled(tmp_path, LABELS, GAIN, SuccessRule(), probes=damaged)


def test_half_of_the_probes_answered_is_no_pass(tmp_path: Path) -> None:
    """A tuned model that fell silent on the probes has not held its guardrails."""
    path = probed(tmp_path / "probes.jsonl", {})
    path.write_text("".join(f"{line}\n" for line in path.read_text().splitlines() if '"base"' in line))
    assert assembled(tmp_path, LABELS, GAIN, SuccessRule(), probes=path).report.verdict.outcome == "FAIL"


def test_a_pass_that_needs_near_copies_of_training_is_none(tmp_path: Path) -> None:
    """Rows that are only alike count, but a PASS has to stand without them; the reader hears which way it went."""
    alike = [row(n, one.target, f"{one.prompt} please") for n, one in enumerate(LABELS[:15], start=1)]
    weak = {"base_few_shot": right(LABELS, 0), "tuned": right(LABELS, 15)}
    open_ = assembled(tmp_path, LABELS, weak, train=alike).report
    assert (open_.verdict.n, open_.verdict.outcome) == (40, "INCONCLUSIVE")
    assert "nearly repeat training it is not proven" in open_.verdict.because[0]
    strong = {"base_few_shot": right(LABELS, 0), "tuned": right(LABELS, 38)}
    stands = assembled(tmp_path, LABELS, strong, train=alike).report
    assert (stands.verdict.n, stands.verdict.outcome) == (40, "PASS")
    assert "only alike and counted" in stands.contamination


def test_signs_of_overfitting_are_told(tmp_path: Path) -> None:
    """Losses that fell to nothing at once, and held-out answers that became less likely, reach the notices."""
    losses, arms = tmp_path / "losses.jsonl", tmp_path / "arms.json"
    losses.write_text("".join(json.dumps({"step": n, "loss": 0.001}) + "\n" for n in range(1, 41)))
    arms.write_text(json.dumps({"arms": {"base_plain": {"target_loss": 1.0}, "tuned": {"target_loss": 2.0}}}))
    report = assembled(tmp_path, LABELS, GAIN, losses=losses, epochs=2, arms=arms).report
    assert said(report, "before every row had been seen twice")
    assert said(report, "less likely after training")
    assert report.verdict.outcome == "PASS"
    assert not said(assembled(tmp_path, LABELS, GAIN, losses=tmp_path / "none").report, "training loss")
    one = {"base_few_shot": [text.target for text in LETTERS], "tuned": ["again and again " * 30] * 30}
    assert said(assembled(tmp_path, LETTERS, one, SuccessRule(guardrails=(), metric="chrf")).report, "repeats itself")


def test_what_changed_and_the_target_are_carried(tmp_path: Path) -> None:
    """A changed plan is in the report, and a missed target in its verdict."""
    rule = SuccessRule(guardrails=(), target=Decimal("0.99"))
    report = assembled(tmp_path, LABELS, {**GAIN, "tuned": right(LABELS, 30)}, rule, changed="The rows changed.").report
    assert report.changed == "The rows changed."
    assert "misses the target of 99%" in report.verdict.because[0]
    assert again(report) == report


NEWER = {
    "": ("measure", "guardrails", "tables", "judge", "judge_says", "changed", "prompt"),
    "verdict": ("method", "clusters", "because"),
    "rule": ("target", "labels", "schema", "options", "guardrails", "plan"),
}


def test_a_report_of_the_version_before_reads_back(tmp_path: Path) -> None:
    """JSON with the keys of the version before gives the same scores, verdict and headline."""
    report = assembled(tmp_path, LABELS, GAIN).report
    old: dict[str, Any] = json.loads(json.dumps(report.to_json()))
    for place, keys in NEWER.items():
        for key in keys:
            del (old[place] if place else old)[key]
    for arm in old["arms"]:
        for key in ("score", "binary", "figures", "shown"):
            del arm[key]
    for case in (*old["wins"], *old["misses"]):
        del case["note"]
    read = Report.from_json(old)
    assert read.headline == report.headline
    assert [(arm.score, arm.shown) for arm in read.arms] == [(arm.score, arm.shown) for arm in report.arms]
    assert (read.verdict.outcome, read.verdict.clusters) == ("PASS", 40)
    assert (read.guardrails, read.tables, read.judge, read.changed) == ((), (), None, "")
    assert again(read) == read


def judging(verdicts: Sequence[Side | None], flipped: int = 0, stopped: str = "") -> tuple[Judging, JudgeCard]:
    """What a judge said of the letters' first rows, with so many flipped at the end."""
    rows = [Judged(n, verdict, verdict, (10, 12)) for n, verdict in enumerate(verdicts, start=1)]
    start = len(rows) + 1
    rows += [Judged(n, "base", "tuned", (10, 12)) for n in range(start, start + flipped)]
    made = Judging(tuple(rows), 0, 0, 900, False, stopped, "", "d1g3st")
    return made, judge_card(made, judge="some-judge")


JUDGED = SuccessRule(guardrails=(), metric="judged")
WORDED = {"base_few_shot": right(LETTERS, 0, "No idea."), "tuned": right(LETTERS, 20, "Dear customer, sorry.")}


def judged(folder: Path, made: tuple[Judging, JudgeCard], outputs: Any = None, **given: Any) -> Report:
    return assembled(folder, LETTERS, outputs or WORDED, JUDGED, judging=made[0], card=made[1], **given).report


def test_a_judge_decides_where_the_rule_says_so(tmp_path: Path) -> None:
    """Its preferences, and not chrF, are the verdict; the headline counts them, the report has the card's sentence."""
    report = judged(tmp_path, judging(["tuned"] * 24 + ["base"] * 3 + ["tie"] * 3))
    assert (report.verdict.outcome, report.verdict.n) == ("PASS", 30)
    assert report.verdict.difference == pytest.approx(21 / 30)
    assert report.headline == (
        "The judge prefers the tuned model on 24 rows, the best-prompted base on 3, neither on 3."
    )
    assert report.judge_says.startswith("Judge some-judge, both orders: tuned preferred in 85%")
    assert said(report, "rests on what a language model prefers")
    assert again(report) == report
    assert judged(tmp_path, judging(["base"] * 30)).verdict.outcome == "FAIL"


def test_rows_without_a_verdict_are_not_called_ties(tmp_path: Path) -> None:
    """A judge that stopped half way proves nothing: what it saw is no fair draw, and the headline counts the rest."""
    report = judged(tmp_path, judging([*["tuned"] * 22, *[None] * 8], stopped="The budget is used up."))
    assert (report.verdict.n, report.verdict.outcome) == (22, "INCONCLUSIVE")
    assert report.verdict.because[0].startswith("Only 22 of 30 unseen rows could be compared")
    assert report.headline.endswith("the best-prompted base on 0, neither on 0; it has no verdict on 8.")
    assert "8 of 30 rows have no verdict. The budget is used up." in report.judge_says


def test_a_judge_does_not_see_rows_that_were_learned_or_not_answered(tmp_path: Path) -> None:
    """Rows of the training are left out; a row that the tuned model did not answer is lost, not forgotten."""
    learned = judged(tmp_path, judging(["tuned"] * 30), train=LETTERS[:8])
    assert (learned.verdict.n, learned.arm("tuned").n) == (22, 22)
    assert learned.headline.startswith("The judge prefers the tuned model on 22 rows")
    silent = {**WORDED, "tuned": [*WORDED["tuned"][:12], *[None] * 18]}
    report = judged(tmp_path, judging(["tuned"] * 12), silent)
    assert (report.verdict.n, report.verdict.difference) == (30, pytest.approx(-6 / 30))
    assert said(report, "18 rows without an answer; they count as wrong")


def test_a_judge_that_is_not_to_be_used_decides_nothing(tmp_path: Path) -> None:
    """One that always names the first answer leaves all open, says why, and promises nothing of more rows."""
    report = judged(tmp_path, judging([], flipped=30))
    assert report.verdict.outcome == "INCONCLUSIVE"
    assert "changed sides with the order" in report.verdict.because[0]
    assert report.verdict.because[0] == report.judge_says
    assert report.verdict.rows_needed is None
    silent = judged(tmp_path, judging([None] * 30, stopped="It was too slow."))
    assert (silent.verdict.outcome, silent.verdict.n) == ("INCONCLUSIVE", 0)
    assert silent.verdict.because == ("No judge: some-judge gave no verdict. It was too slow.",)


def test_a_rule_that_asks_for_a_judge_without_one_is_open(tmp_path: Path) -> None:
    """Nothing is judged in its place; the report says that none is set and shows the scores alone."""
    report = assembled(tmp_path, LETTERS, WORDED, JUDGED).report
    assert (report.verdict.outcome, report.judge, report.verdict.rows_needed) == ("INCONCLUSIVE", None, None)
    assert report.verdict.because == ("The rule asks for a judge, and none is set.",)
    assert "of 100" in report.headline


def test_a_judge_beside_marks_is_shown_and_decides_nothing(tmp_path: Path) -> None:
    """Where the rule counts marks, the judge's opinion is only added."""
    made = judging(["base"] * 30)
    rule = replace(JUDGED, metric="chrf")
    report = assembled(tmp_path, LETTERS, WORDED, rule, judging=made[0], card=made[1]).report
    assert report.verdict.outcome == "PASS"
    assert "tuned preferred in 0%" in report.judge_says
    assert report.headline.startswith("Tuned scores")


def test_titles_are_in_the_order_that_is_shown(tmp_path: Path) -> None:
    """Every arm that answered is there once, in the order of the table of titles."""
    outputs = {arm: right(LABELS, 20) for arm in reversed(TITLES)}
    assert [arm.arm for arm in assembled(tmp_path, LABELS, outputs).report.arms] == list(TITLES)
