"""A report lies beside its job in every form, complete, and can be handed out."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from bot.shell.reading import read_report
from handlers.blocks.details import details_view
from handlers.blocks.report import report_blocks
from knowledge.errors import UserError
from tests.trainers.evals.evidence import evidence, row
from trainers.evals.assemble import assemble
from trainers.evals.evidence import Evidence
from trainers.evals.markdown import markdown
from trainers.evals.report import Report
from trainers.evals.rule import SuccessRule
from trainers.jobs.evaluating import report_files, write_files
from trainers.jobs.messages import ReportCard
from trainers.tables import Job

LABELS = [row(line, ("billing", "returns")[line % 2]) for line in range(1, 31)]
SAID = [each.target if each.line < 25 else "account" for each in LABELS]
OUTPUTS: dict[str, list[str | None]] = {"base_few_shot": ["account"] * 30, "tuned": list(SAID)}


@pytest.fixture
def job() -> Job:
    """A job in no ledger: only its id, number and title are looked at."""
    return Job(id="job_1", number=7, title="tickets <v2>")


def written(data: Path, job: Job, given: Evidence) -> set[str]:
    pictures = write_files(assemble(given), given, job, data)
    home = data / "jobs" / job.id / "report"
    for picture in pictures:
        assert (data / picture["path"]).read_bytes().startswith(b"\x89PNG")
        assert picture["title"]
        assert picture["alt"]
    found = {path.name for path in home.iterdir()}
    assert {Path(picture["path"]).name for picture in pictures} == {name for name in found if name.endswith(".png")}
    return found


def test_a_report_of_labels_has_every_form(tmp_path: Path, job: Job) -> None:
    """JSON, page, CSV and three pictures are written, agree with the report, and replace what was there before."""
    losses = tmp_path / "losses.jsonl"
    losses.write_text("".join(json.dumps({"step": n, "loss": 3 / n}) + "\n" for n in range(1, 9)))
    given = evidence(tmp_path, LABELS, OUTPUTS, losses=losses)
    names = {"report.json", "report.html", "predictions.csv", "pictures.json", "loss.png"}
    names |= {"arms.png", "confusion.png"}
    assert written(tmp_path, job, given) == names
    assert written(tmp_path, job, given) == names
    home = tmp_path / "jobs" / "job_1" / "report"
    assert Report.from_json(json.loads((home / "report.json").read_text("utf-8"))) == assemble(given).report
    text = (home / "report.html").read_text("utf-8")
    assert "tickets &lt;v2&gt;" in text
    assert text.count("data:image/png;base64,") == 3
    assert (home / "predictions.csv").read_bytes().count(b"\r\n") == 31
    assert report_files(tmp_path, job) == [home / "report.html", home / "predictions.csv"]


def test_free_text_and_missing_answers_have_no_confusion(tmp_path: Path, job: Job) -> None:
    """Without labels, losses or a tuned answer the pictures are fewer and nothing breaks."""
    names = {"report.json", "report.html", "predictions.csv", "arms.png", "pictures.json"}
    worded = evidence(tmp_path, LABELS, OUTPUTS, SuccessRule(guardrails=(), metric="chrf", level=0.9), labels=())
    assert written(tmp_path, job, worded) == names
    assert "with 90% intervals" in write_files(assemble(worded), worded, job, tmp_path)[0]["title"]
    silent = Job(id="job_2", number=8, title="silent")
    assert written(tmp_path, silent, evidence(tmp_path, LABELS, {})) == names


QUOTE = {"dataset": "tickets v2", "data_sha256": "ab" * 32, "training_cost": "0", "evaluation_cost": "0"}
LEARNED = (3, 9, 17, 28, 40)


def test_every_form_counts_the_same_rows_and_names_the_others(tmp_path: Path, job: Job) -> None:
    """Of 40 rows 5 were in training: headline, verdict, tables, charts, page, card and CSV say 35 and name the 5."""
    rows = [row(line, ("billing", "returns")[line % 2]) for line in range(1, 41)]
    train = [each for each in rows if each.line in LEARNED]
    right = {arm: {*range(1, last), *LEARNED} for arm, last in (("base_few_shot", 9), ("tfidf", 15), ("tuned", 32))}
    said = {arm: [each.target if each.line in lines else "account" for each in rows] for arm, lines in right.items()}
    given = evidence(tmp_path, rows, {**said, "base_plain": ["account"] * 40}, train=train, batched=True)
    made = assemble(given).report
    pictures = write_files(assemble(given), given, job, tmp_path)
    home = tmp_path / "jobs" / job.id / "report"
    data = json.loads((home / "report.json").read_text("utf-8"))
    assert made.headline == "Tuned gets 27/35 right, the best-prompted base 7/35."
    assert {data["verdict"]["n"], *(arm["n"] for arm in data["arms"])} == {35}
    assert ["35 unseen rows" in pictures[0]["alt"], "27 of 35 right" in pictures[1]["alt"]] == [True, True]
    card = ReportCard(
        job_id=job.id, number=7, title="tickets", requested_by="U0ADA", model_id="", report=data, seconds=1,
        quoted_minutes=(1, 2),
    )  # fmt: skip
    forms = {
        "json": json.dumps(data, ensure_ascii=False),
        "page": re.sub(r"base64,[^\"]*", "", (home / "report.html").read_text("utf-8")),
        "markdown": markdown(made),
        "card": json.dumps(report_blocks(card, {}), ensure_ascii=False),
        "details": json.dumps(details_view(card, QUOTE), ensure_ascii=False),
        "shell": read_report(Job(number=7, result=json.dumps({"report": data, "seconds": 1.0}))),
    }
    for name, text in forms.items():
        assert "27/35" in text, name
        assert "lines 3, 9, 17, 28 and 40" in text, name
        assert "/40" not in text, name
    assert "Scores on 35 held-out rows" in forms["page"]
    head, *lines = csv.reader(io.StringIO((home / "predictions.csv").read_text("utf-8-sig"), newline=""))
    unused = {int(line[0]): line[head.index("why_not")] for line in lines if line[head.index("used")] == "no"}
    assert (len(lines), len(lines) - len(unused)) == (40, 35)
    assert unused == dict.fromkeys(LEARNED, "its input stands in the training rows")
    place = head.index("tuned score")
    assert sum(float(line[place]) for line in lines if line[head.index("used")] == "yes") == 27
    assert "tuned ms_batch_mean" in head


def test_half_a_surrogate_pair_breaks_no_file(tmp_path: Path, job: Job) -> None:
    """What JSON can hold and a file cannot is written all the same."""
    outputs = {**OUTPUTS, "tuned": ["\ud800 \x00 \u202e", *SAID[1:]]}
    given = evidence(tmp_path, LABELS, outputs)
    assert "report.html" in written(tmp_path, job, given)


def test_a_job_without_files_says_what_to_do(tmp_path: Path, job: Job) -> None:
    """A report of an older version has no files to hand out; one of two is better than none."""
    with pytest.raises(UserError, match="Job #7 left no report as files"):
        report_files(tmp_path, job)
    home = tmp_path / "jobs" / job.id / "report"
    home.mkdir(parents=True)
    (home / "predictions.csv").write_text("row")
    assert report_files(tmp_path, job) == [home / "predictions.csv"]
