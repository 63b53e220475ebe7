"""`luthier evaluate --url` as people type it: real processes, a fake endpoint over a real socket."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import Settings
from knowledge.errors import UserError
from tests.trainers.evals.endpoint.fake import running
from tests.whole import ROOT
from trainers.data.examples import EXAMPLES
from trainers.rehearsal.chat_models import BASE, TUNED, Pretender

KEY = "sk-of-a-test"


def luthier(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DATA_DIR": str(folder / "data"), "COLUMNS": "200", "ENDPOINT_KEY": KEY}
    argv = [sys.executable, "-m", "bot", "evaluate", *words]
    return subprocess.run(argv, cwd=ROOT, env=env, input="", capture_output=True, text=True, timeout=110)


@pytest.mark.slow  # 10 s and more: servers and a worker of its own; the job itself is tested in tests/trainers/jobs
def test_two_models_at_an_endpoint_are_judged(tmp_path: Path) -> None:
    """From the files to the verdict in one command; the key is in no output and no file."""
    shipped = EXAMPLES["tickets"]
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    for path, whole, rows in ((train, shipped.train, 15), (test, shipped.test, 24)):
        path.write_text("\n".join(whole.read_text("utf-8").splitlines()[:rows]) + "\n", "utf-8")
    with running(tmp_path, Pretender.from_files([train, test]).right) as fake:
        fake.rehearsal.key = KEY
        given = ["--train", str(train), "--test", str(test), "--url", fake.url, "--base", BASE, "--tuned", TUNED]
        asked = [*given, "--price", "0", "--key-env", "ENDPOINT_KEY", "--no-probes", "--yes", "--json"]
        done = luthier(tmp_path, *asked)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["state"] == "succeeded"
    assert "$0 at most" in done.stderr
    kept = "".join(path.read_text(errors="ignore") for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in done.stdout + done.stderr + kept


@pytest.mark.parametrize(
    "words",
    [
        ["--url", "http://127.0.0.1:9/v1"],
        ["--url", "http://127.0.0.1:9/v1", "--base", "a", "--tuned", "b", "--yes"],
        ["--url", "http://127.0.0.1:9/v1", "--base", "a", "--tuned", "b", "--train", "x", "--price-in", "1"],
        ["3", "--url", "http://127.0.0.1:9/v1"],
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, words: list[str]) -> None:
    """Names, training rows, both prices, one of three things to judge: exit 2 and nothing is made."""
    done = CliRunner().invoke(app, ["evaluate", *words], env={"DATA_DIR": str(tmp_path / "data")})
    assert done.exit_code == 2, done.output
    assert not (tmp_path / "data").exists()


def test_a_variable_is_read_by_name_and_not_every_one() -> None:
    """A key comes from the variable that was named; Luthier's own secrets do not leave that way."""
    env = {"MY_KEY": " sk-1 ", "SLACK_BOT_TOKEN": "xoxb-1", "LUTHIER_MODEL_KEY": "sk-2"}
    settings = Settings.from_env(env)
    assert (settings.secret("MY_KEY"), settings.secret("LUTHIER_MODEL_KEY")) == ("sk-1", "sk-2")
    for name in ("SLACK_BOT_TOKEN", "NOT_SET", "", "A B", "sk-1", "sk_1xoxb"):
        with pytest.raises(UserError) as caught:
            settings.secret(name)
        assert "xoxb" not in str(caught.value)
