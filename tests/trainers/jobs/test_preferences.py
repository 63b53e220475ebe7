"""A job on preference pairs: what is refused before anything is spent, what a quote says, and how it is judged."""

import json
import re
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from bot.shell.reading import read_report
from bot.shell.rows import read_quote
from handlers.blocks.details import details_view
from handlers.blocks.job import quote_blocks
from handlers.blocks.report import report_blocks
from knowledge.errors import ServiceError, UserError
from tests.trainers.data.test_pairs import as_chat, as_openai, file
from tests.trainers.jobs.conftest import ADA, Watch
from trainers.costs.local import PastRun
from trainers.costs.own_prices import OwnPrices, read_own_prices
from trainers.data.jsonl import Message, Row, read_rows
from trainers.errors import DatasetRejected
from trainers.evals import charts, page
from trainers.evals.markdown import markdown
from trainers.evals.preferring import Ranked, ranked, report, table
from trainers.evals.report import Report
from trainers.evals.rule import SuccessRule
from trainers.jobs.cards import quote_card
from trainers.jobs.messages import ReportCard
from trainers.jobs.requoting import spec_for
from trainers.jobs.service import Jobs
from trainers.quotes import Quote, quote
from trainers.spec import BETA, Hyperparameters, Method, TrainingSpec
from trainers.tables import Dataset, Job

BASE = TrainingSpec().base
TODAY = date(2026, 11, 30)
RULE = SuccessRule().of_pairs()


def kept(jobs: Jobs, folder: Path, shape: object = as_openai) -> Dataset:
    rows = file(folder, shape, 60)
    return jobs.datasets.add(rows, None, name="parcels", person=ADA, provenance="made up", now=Watch()()).dataset


def quoted(jobs: Jobs, dataset: Dataset, spec: TrainingSpec, own: OwnPrices | None = None) -> Quote:
    return quote(dataset, spec, SuccessRule(), folder=jobs.datasets.folder, tokenizer=None, today=TODAY, own=own)


@pytest.mark.parametrize("backend", ["local", "openai", "rehearsal"])
def test_rows_of_the_other_kind_are_refused_before_anything_is_spent(jobs: Jobs, tmp_path: Path, backend: str) -> None:
    """Pairs for supervised training and chats for preferences say what to do; no job comes of it."""
    base = "gpt-4.1-mini" if backend == "openai" else BASE
    pairs = kept(jobs, tmp_path)
    with pytest.raises(DatasetRejected, match="holds preference pairs") as refused:
        jobs.propose(pairs, TrainingSpec(base=base, backend=backend), person=ADA, now=Watch()())
    assert "--method dpo" in refused.value.next_step
    chats = kept(jobs, tmp_path, as_chat)
    spec = TrainingSpec(base=base, backend=backend, method=Method.DPO)
    with pytest.raises(DatasetRejected, match="needs a better and a worse one") as refused:
        jobs.propose(chats, spec, person=ADA, now=Watch()())
    assert "prompt, chosen and rejected" in refused.value.next_step
    assert jobs.ledger.listing("T1") == []


def test_a_beta_belongs_to_preferences(jobs: Jobs) -> None:
    """It is refused elsewhere, and out of OpenAI's range; the usual one is the paper's."""
    with pytest.raises(UserError, match="beta is a knob of preferences"):
        TrainingSpec(hyperparameters=Hyperparameters(beta=0.1))
    with pytest.raises(UserError, match="up to 2"):
        Hyperparameters(beta=2.5)
    spec = spec_for(BASE, "local", 40, pairs=True)
    assert (spec.method, spec.hyperparameters.beta) == (Method.DPO, BETA)
    assert TrainingSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert "beta" not in TrainingSpec().to_json()["hyperparameters"]


def test_a_local_quote_counts_both_answers_and_names_its_measure(jobs: Jobs, tmp_path: Path) -> None:
    """Each question goes through twice; success is fixed as which answer is likelier, and nothing else is guarded."""
    dataset = kept(jobs, tmp_path)
    spec = spec_for(BASE, "local", dataset.train_rows, pairs=True, epochs=1)
    found = quoted(jobs, dataset, spec)
    rows = read_rows(tmp_path / dataset.train_path).rows
    sides = [side for row in rows for side in (row.messages, row.rejected)]
    assert found.train_tokens == sum(-(-len(turn.content) // 4) + 5 for side in sides for turn in side)
    assert (found.rule.metric, found.rule.guardrails, found.total) == ("preference", (), Decimal(0))
    assert "likelier" in found.rule.sentence
    said = read_quote(found.to_json())
    assert "by preferences (DPO), beta 0.1" in said
    assert "best-prompted" not in said
    job = jobs.propose(dataset, spec, person=ADA, now=Watch()())
    drawn = json.dumps(quote_blocks(quote_card(job)))
    assert "by preferences (DPO), LoRA rank 16, beta 0.1" in drawn
    assert "points above the base" in drawn
    past = quote(
        dataset, spec, SuccessRule(), folder=tmp_path, tokenizer=None, today=TODAY, past=[PastRun(1000, 60.0, 20, 5.0)]
    )
    assert past.training_minutes[0] == pytest.approx(found.train_tokens * 0.06 / 60 * 0.7)


def test_what_a_provider_bills_for_pairs_is_only_known_where_it_says_so(jobs: Jobs, tmp_path: Path) -> None:
    """Azure names the tokens of the file; OpenAI does not, so nobody can approve it; an operator's price counts all."""
    dataset = kept(jobs, tmp_path)
    azure = quoted(jobs, dataset, spec_for("gpt-4.1-mini", "azure", 40, pairs=True))
    assert azure.training_cost is not None
    openai = quoted(jobs, dataset, spec_for("gpt-4.1-mini", "openai", 40, pairs=True))
    assert (openai.training_cost, openai.total) == (None, None)
    assert "published nowhere" in openai.cost_basis
    own = read_own_prices("3 0.10 0.40", "LUTHIER_X_PRICES")
    mine = quoted(jobs, dataset, spec_for("mine", "compatible", 40, pairs=True), own)
    assert mine.training_cost is not None
    assert mine.training_cost >= Decimal(3) * mine.train_tokens / 1_000_000
    assert azure.rule.metric != "preference"  # there answers are compared


@pytest.mark.parametrize(
    ("backend", "base", "knobs", "why"),
    [
        ("nebius", "llama-3.1-8b-instruct", {}, "Nebius Token Factory does not train on preference pairs"),
        ("azure", "gpt-4o-mini", {}, "Azure OpenAI does not train gpt-4o-mini on preference pairs"),
        ("openai", "gpt-4o", {}, "OpenAI does not train gpt-4o on preference pairs"),
        ("azure", "gpt-4.1", {"learning_rate_multiplier": 5.0}, "takes a learning rate multiplier from 0.02 to 0.2"),
    ],
)
def test_what_a_place_does_not_take_is_refused_at_the_quote(
    jobs: Jobs, tmp_path: Path, backend: str, base: str, knobs: dict[str, float], why: str
) -> None:
    """Method and knobs are held against the place before anybody can approve them; no job comes of it."""
    dataset = kept(jobs, tmp_path)
    spec = spec_for(base, backend, dataset.train_rows, pairs=True, **knobs)
    with pytest.raises(UserError, match=why):
        jobs.propose(dataset, spec, person=ADA, now=Watch()())
    assert jobs.ledger.listing("T1") == []


def question(number: int) -> str:
    """A question that is like no other one."""
    return sha256(str(number).encode()).hexdigest().translate(str.maketrans("0123456789", "ghijklmnop"))


def row(line: int, better: str = "Sorry!", worse: str = "Go away.", asked: str = "") -> Row:
    turns = (Message("system", "Help."), Message("user", asked or question(line)))
    return Row(line, (*turns, Message("assistant", better)), (*turns, Message("assistant", worse)))


GOOD, BAD = (-3.0, -9.0), (-9.0, -3.0)
ROWS = [row(line) for line in range(1, 41)]
MEASURED = {line: Ranked(GOOD if line <= 12 else BAD, BAD if line == 1 else GOOD, (7, 9)) for line in range(1, 41)}


def test_the_report_compares_which_answer_each_model_finds_likelier() -> None:
    """The shares with their intervals, the paired verdict, and no word about answers that nobody wrote."""
    made = report(ROWS, MEASURED, RULE, [])
    arms = {arm.arm: arm for arm in made.arms}
    assert (arms["base_plain"].shown, arms["tuned"].shown) == ("12/40", "39/40")
    assert made.verdict.outcome == "PASS"
    assert (made.verdict.gained, made.verdict.lost) == (28, 1)
    assert 0.80 < arms["tuned"].low < 0.975 < arms["tuned"].high
    assert made.headline == ("The tuned model prefers the better answer in 39 of 40 unseen pairs, the base in 12.")
    assert "No answers were written" in made.notices[0]
    assert "shorter" in made.notices[1]
    assert (made.wins, made.misses, made.guardrails) == ((), (), ())
    assert made.tables[0].rows[0][4:] in {
        ("the better one", "the worse one"), ("the worse one", "the better one")
    }  # fmt: skip
    assert Report.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_every_form_of_the_report_names_the_base_without_a_prompt() -> None:
    """Slack, terminal, Markdown: the rival is the base as it is, not a best-prompted one, and it said nothing."""
    made = report(ROWS, MEASURED, RULE, [])
    data = made.to_json()
    told = {"job_id": "job_1", "number": 7, "title": "parcels v1", "requested_by": "U0ADA", "model_id": "model_1"}
    card = ReportCard(**told, report=data, seconds=60, quoted_minutes=(1, 2))  # type: ignore[arg-type]  # of strings
    offer = {"dataset": "parcels v1", "data_sha256": "ab" * 32, "training_cost": "0", "evaluation_cost": "0"}
    job = Job(id="job_1", number=7, title="parcels v1", kind="train", state="succeeded")
    job.result = json.dumps({"report": data, "seconds": 60.0})
    forms = (
        json.dumps(report_blocks(card, {})),
        json.dumps(details_view(card, offer)),
        markdown(made),
        read_report(job),
    )
    for form in forms:
        assert "39" in form
        assert "best-prompted" not in form
        assert "said" not in form.replace("said nothing", "")


def test_pairs_that_were_trained_on_or_did_not_fit_are_left_out() -> None:
    """A question of the training counts on neither side, and a pair without figures is told."""
    measured = {line: one for line, one in MEASURED.items() if line != 40}
    made = report(ROWS, measured, RULE, ROWS[:2])
    assert made.verdict.n == 37
    assert "2 test rows in training too" in made.contamination
    assert any("1 pair did not fit" in notice for notice in made.notices)
    whole = report(ROWS, measured, RULE, ROWS)
    assert (whole.verdict.n, "says nothing of unseen ones" in whole.contamination) == (39, True)
    assert (whole.verdict.outcome, len(whole.verdict.because)) == ("INCONCLUSIVE", 1)


def test_a_pass_that_rests_on_near_repeats_of_training_is_none() -> None:
    """Pairs whose question nearly repeats one of the training count, but no PASS comes of them; the lines are named."""
    train = [row(line, asked=f"{question(line)} please") for line in range(13, 41)]
    few = report(ROWS, MEASURED, RULE, train[:3])
    assert few.verdict.outcome == "PASS"  # it stands without them
    made = report([*ROWS, *(row(line) for line in range(41, 61))], _more_measured(), RULE, train)
    assert (made.verdict.outcome, made.verdict.n) == ("INCONCLUSIVE", 60)
    assert "28 test rows nearly repeating a training input (lines 13, 14" in made.contamination
    assert "28 rows only alike and counted among the 60" in made.contamination
    assert "Without the 28 pairs that nearly repeat training it is not proven" in made.verdict.because[0]


def _more_measured() -> dict[int, Ranked]:
    """Twenty pairs more that both prefer rightly."""
    return MEASURED | {line: Ranked(GOOD, GOOD, (7, 9)) for line in (1, *range(41, 61))}


def test_a_question_with_several_answers_is_one_source() -> None:
    """Forty pairs over four questions are four sources, which prove nothing, whatever the forty say."""
    rows = [row(line, better=f"Sorry, {line}!", asked=question(line % 4)) for line in range(1, 41)]
    made = report(rows, MEASURED, RULE, [])
    assert (made.verdict.outcome, made.verdict.n, made.verdict.clusters) == ("INCONCLUSIVE", 40, 4)
    assert "40 unseen pairs from 4 sources" in made.verdict.sentence


def test_every_form_of_the_report_speaks_of_preference(tmp_path: Path) -> None:
    """Nobody answered, so nobody was right: every form says in how many pairs the better answer is preferred."""
    made = report(ROWS, MEASURED, RULE, [])
    told = {"job_id": "job_1", "number": 7, "title": "parcels v1", "requested_by": "U0ADA", "model_id": "model_1"}
    card = ReportCard(**told, report=made.to_json(), seconds=60, quoted_minutes=(1, 2))  # type: ignore[arg-type]  # of strings
    offer = {"dataset": "parcels v1", "data_sha256": "ab" * 32, "training_cost": "0", "evaluation_cost": "0"}
    drawn = page.write(made, title="parcels v1", number=7, pictures=[])
    details = json.dumps(details_view(card, offer))
    forms = (json.dumps(report_blocks(card, {})), details, markdown(made), drawn, charts.arms_alt(made))
    for form in forms:
        words = re.sub(r"<style>.*?</style>|style=\"[^\"]*\"", "", form, flags=re.DOTALL)
        assert not re.search(r"\bright\b|\bcorrect", words)
        assert not re.search(r"unseen rows?|held-out rows?|\b\d+ rows?\b", words)
    for form in (*forms[:4], made.to_json()["headline"]):
        assert "prefers the better answer in 39 of 40 unseen pairs" in form
    assert "of 40 pairs only the tuned model prefers the better answer in 28, only the base in 1." in details
    assert "preference accuracy, at least 5 points above the base, 20 unseen pairs or more" in details
    assert "Preference accuracy on 40 held-out pairs" in drawn
    assert forms[4].startswith("Dot chart: preference accuracy on 40 unseen pairs.")


def test_measurements_are_read_back_by_line_and_damage_is_told(tmp_path: Path) -> None:
    """Lines belong to rows in order; a missing line is an error and not a shorter test."""
    path = tmp_path / "pairs.jsonl"
    lines = [{"row": 1, "tokens": [2, 3], "base": [-1.0, -2.0], "tuned": [-1.5, -2.0]},
             {"row": 2, "tokens": [2, 3], "base": None, "tuned": None}]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert ranked(path, ROWS[:2]) == {1: Ranked((-1.0, -2.0), (-1.5, -2.0), (2, 3))}
    with pytest.raises(ServiceError, match="damaged"):
        ranked(path, ROWS[:3])
    sheet = table([row(1, worse="=HYPERLINK()"), row(2)], ranked(path, ROWS[:2])).decode("utf-8-sig").splitlines()
    assert sheet[1].endswith("-1.0,-2.0,-1.5,-2.0,yes,yes")
    assert "'=HYPERLINK()" in sheet[1]
    assert sheet[2].endswith(",,,,,")
