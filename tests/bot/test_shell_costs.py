"""`luthier cost` and `luthier prices` as people type them, in this process."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from tests.trainers.costs.test_refresh import EXCERPT, changed, provider, web
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers.data.examples import EXAMPLES

__all__ = ["provider", "web"]

GUIDE = ["--examples", "500", "--prompt-tokens", "500", "--completion-tokens", "100", "--epochs", "3"]
MINI = ["--model", "gpt-4.1-mini", "--on", "2026-11-30"]


def run(folder: Path, *words: str, **env: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"DATA_DIR": str(folder / "data"), "COLUMNS": "200", **env})


def told(folder: Path, *words: str, **env: str) -> Any:
    done = run(folder, *words, "--json", **env)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def test_the_promised_call_gives_the_promised_keys(tmp_path: Path) -> None:
    """Four parts with three figures and a currency each, break-even, assumptions and lifecycle."""
    found = told(tmp_path, "cost", *GUIDE, *MINI, "--requests-per-day", "1000")
    for part, expected in (("per_epoch", 1.5), ("training", 4.5), ("evaluation", 0.168), ("serving_30_days", 21.6)):
        assert set(found[part]) == {"low", "expected", "high", "currency"}
        assert found[part]["low"] <= found[part]["expected"] <= found[part]["high"]
        assert (found[part]["expected"], found[part]["currency"]) == (expected, "USD")
    assert {"break_even", "assumptions", "lifecycle"} <= set(found)
    assert found["break_even"]["uncached"]["date"] == "2026-12-20"
    assert found["break_even"]["cached"]["date"] is None


@pytest.mark.parametrize(
    ("model", "on", "state", "days"),
    [
        ("gpt-4.1-mini", "2026-11-30", "closing", ("2027-01-06", "2027-01-14")),
        ("gpt-4.1-mini", "2027-01-08", "closed", ("2027-01-06", "2027-01-14")),
        ("gpt-4.1-nano", "2026-11-30", "retired", ("2026-10-23", "2026-10-23")),
    ],
)
def test_a_closing_or_retired_model_is_priced(tmp_path: Path, model: str, on: str, state: str, days: Any) -> None:
    """It exits 0 with its known prices; the lifecycle says the word and the days."""
    found = told(tmp_path, "cost", *GUIDE, "--model", model, "--on", on)
    assert found["training"]["expected"] > 0
    lifecycle = json.dumps(found["lifecycle"])
    assert state in lifecycle
    assert all(day in lifecycle for day in days)


def test_a_file_is_counted_with_the_models_own_tokenizer(tmp_path: Path) -> None:
    """OpenAI's models count with o200k_base, offline; what has no tokenizer here is estimated, and both say so."""
    rows = EXAMPLES["tickets"].train
    openai = told(tmp_path, "cost", str(rows), *MINI)
    assert openai["examples"] == 120
    assert "o200k_base" in openai["tokens_basis"]
    spread = {entry["name"]: entry["value"] for entry in openai["assumptions"]}
    assert spread["tokens_spread_percent"] == "2"
    other = told(tmp_path, "cost", str(rows), "--model", "qwen3-8b", "--test", str(EXAMPLES["tickets"].test))
    assert "four characters" in other["tokens_basis"]
    values = {entry["name"]: entry["value"] for entry in other["assumptions"]}
    assert (values["tokens_spread_percent"], values["evaluation_rows"]) == ("30", "60")


def test_the_terminal_shows_all_of_it(tmp_path: Path) -> None:
    """Totals, doubts, break-even, comparison, assumptions, prices with their days."""
    done = run(tmp_path, "cost", *GUIDE, *MINI)
    for part in (
        "Training    $4.50",
        "In all      $26.27",
        "closing",
        "2027-01-14",
        "Does it pay?",
        "Side by side",
        "no fee",
        "Your own GPU: electricity and the machine itself",
        "unknown",
        "Assumed",
        "2026-05-07",
    ):
        assert part in done.stdout, part


def test_the_charts_are_written_where_asked(tmp_path: Path) -> None:
    """Two pictures, and on standard error what each shows in words; standard output holds the JSON alone."""
    done = run(tmp_path, "cost", *GUIDE, *MINI, "--charts", str(tmp_path / "pictures"), "--json")
    assert json.loads(done.stdout)["training"]["expected"] == 4.5
    pictures = {path.name: path.read_bytes()[:4] for path in (tmp_path / "pictures").iterdir()}
    assert pictures == {"cost-by-day.png": b"\x89PNG", "cost-by-provider.png": b"\x89PNG"}
    assert "Line chart" in done.stderr
    assert "Your own GPU (electricity and the machine itself not counted)" in done.stderr


def test_an_assumption_is_changed_and_said(tmp_path: Path) -> None:
    """--assume takes effect and is marked as somebody's word."""
    found = told(tmp_path, "cost", *GUIDE, *MINI, "--assume", "evaluation_rows=200")
    assert found["evaluation"]["expected"] == pytest.approx(0.336)
    (rows,) = [entry for entry in found["assumptions"] if entry["name"] == "evaluation_rows"]
    assert (rows["value"], rows["changed"]) == ("200", True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*GUIDE, "--model", "gpt4.1-mimi"], "gpt-4.1-mini"),
        ([*GUIDE, *MINI, "--provider", "azur"], "Choose one of openai, azure, vertex, together, fireworks"),
        ([*GUIDE, *MINI, "--provider", "nobody"], "nebius, tinker, bedrock, rented_gpu, own_gpu"),
        ([*GUIDE, "--model", "azure/gpt-4o", "--provider", "openai"], "Name one"),
        ([*GUIDE, *MINI, "--provider", "together"], "openai, azure"),
        (["--examples", "0", *GUIDE[2:], *MINI], "examples"),
        (["--examples", "-5", *GUIDE[2:], *MINI], "examples"),
        (["--examples", "1e30", *GUIDE[2:], *MINI], "believe"),
        (["--examples", "many", *GUIDE[2:], *MINI], "many"),
        ([*GUIDE[:6], "--epochs", "0", *MINI], "epochs"),
        ([*GUIDE[:6], "--epochs", "2.5", *MINI], "whole"),
        ([*GUIDE, *MINI, "--requests-per-day", "-1"], "requests per day"),
        ([*GUIDE, *MINI, "--assume", "nonsense=1"], "nonsense"),
        ([*GUIDE, *MINI, "--assume", "nonsense"], "NAME=VALUE"),
        (
            [*GUIDE, *MINI, "--requests-per-day", "5", "--assume", "requests_per_day=7"],
            "said twice: by --requests-per-day and by --assume requests_per_day=7",
        ),
        ([*GUIDE, *MINI, "--assume", "replicas=1", "--assume", "replicas=2"], "said twice"),
        (
            [*GUIDE, *MINI, "--test", str(EXAMPLES["tickets"].test), "--assume", "evaluation_rows=7"],
            "said twice: by --test",
        ),
        ([*GUIDE, "--model", "gpt-4.1", "--on", "2019-01-01"], "too far off"),
        ([*GUIDE, "--model", "gpt-4.1", "--on", "9999-12-31"], "too far off"),
        ([*GUIDE, *MINI, "--account-key-env", "NOT_SET"], "NOT_SET is not set in this shell"),
        ([*GUIDE, *MINI, "--account-key-env", "sk-of-a-test"], "never the key"),
        ([*GUIDE, *MINI, "--account-key-env", "K", "--provider", "azure"], "OpenAI alone"),
        (["--account-key-env", "K"], "goes with --model"),
        (["--charts", "/tmp"], "goes with --model"),
        ([*GUIDE, "--model", "gpt-4.1", "--on", "tomorrow"], "2027-01-06"),
        (["--examples", "5", *MINI], "--prompt-tokens"),
        ([str(EXAMPLES["tickets"].train), *GUIDE, *MINI], "not both"),
        (GUIDE, "--model"),
        (["/does/not/exist.jsonl", *MINI], "no file"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, list) else "",
)
def test_wrong_use_exits_2_and_says_how(tmp_path: Path, words: list[str], said: str) -> None:
    """Unknown names offer the nearest; figures that make no sense are named; nothing is printed as a result."""
    done = run(tmp_path, "cost", *words, "--json")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "sk-of-a-test" not in done.stderr
    assert "resume" not in done.stderr
    assert done.stdout == ""


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    """A file without rows has no price, and no figure is invented."""
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    done = run(tmp_path, "cost", str(empty), *MINI)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.exception is not None


def test_the_account_is_asked_only_when_told(tmp_path: Path, provider: ThreadProvider) -> None:
    """With a key's variable the provider's own day stands in the lifecycle, with its source."""
    provider.rehearsal.shutdowns = {"gpt-4.1-mini": "2027-03-01"}
    asking = ["--account-key-env", "MY_KEY", "--account-url", provider.url]
    found = told(tmp_path, "cost", *GUIDE, *MINI, *asking, MY_KEY="sk-of-a-test")
    assert found["lifecycle"]["tunes_retire"] == "2027-03-01"
    assert any("own answer" in source["name"] for source in found["lifecycle"]["sources"])
    assert told(tmp_path, "cost", *GUIDE, *MINI)["lifecycle"]["tunes_retire"] == "2027-01-14"


def test_prices_are_shown_filtered_and_aged(tmp_path: Path) -> None:
    """By provider, by model and by age; what is unknown is listed as such, what is old is counted."""
    every = told(tmp_path, "prices")["prices"]
    assert {row["provider"] for row in every} >= {"openai", "azure", "vertex", "bedrock", "rented_gpu", "own_gpu"}
    azure = told(tmp_path, "prices", "--provider", "azure", "--model", "gpt-4.1-mini")["prices"]
    assert {(row["provider"], row["model"]) for row in azure} == {("azure", "gpt-4.1-mini")}
    assert all(row["age_days"] > 100 for row in told(tmp_path, "prices", "--older-than", "100")["prices"])
    assert [row["price"] for row in told(tmp_path, "prices", "--model", "gemini-3.5-flash")["prices"]][-1] is None
    done = run(tmp_path, "prices")
    assert "older than 60 days" in done.stderr
    assert "unknown" in done.stdout
    assert run(tmp_path, "prices", "--provider", "nobody").exit_code == 2


def test_a_refresh_shows_and_only_then_writes(tmp_path: Path, web: str) -> None:
    """Nothing is written without --yes; a tenfold price is left out; afterwards estimates use the overlay."""
    (tmp_path / "list.json").write_bytes(changed(input_cost_per_token=5e-07, output_cost_per_token=1.6e-03))
    asked = ["prices", "refresh", "--url", f"{web}/list.json"]
    shown = run(tmp_path, *asked)
    assert "- 0.40 USD per 1M tokens\n  + 0.5 USD per 1M tokens" in shown.stdout
    assert "Nothing was changed" in shown.stderr
    assert not (tmp_path / "data" / "prices.json").exists()
    written = told(tmp_path, *asked, "--yes")
    assert [row["odd"] for row in written["differences"]] == [False, True]
    listed = told(tmp_path, "prices", "--model", "gpt-4.1-mini", "--provider", "openai")["prices"]
    prices = {row["name"]: row["price"] for row in listed}
    assert (prices["base_input"], prices["base_output"]) == ("0.5 USD per 1M tokens", "1.60 USD per 1M tokens")


def test_a_refresh_without_differences_says_so(tmp_path: Path, web: str) -> None:
    """The recorded list agrees with the book."""
    (tmp_path / "list.json").write_bytes(EXCERPT)
    assert told(tmp_path, "prices", "refresh", "--url", f"{web}/list.json", "--yes") == {
        "differences": [],
        "written": None,
    }
