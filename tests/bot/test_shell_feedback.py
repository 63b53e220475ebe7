"""`luthier feedback` as somebody in a shell meets it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import Settings
from bot.store.engine import open_engine
from knowledge.conversations import Thread
from knowledge.feedback import Feedback, Receipt


def test_ratings_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has rated at first; then each rating comes with its verdict, words and passages, newest first."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    run = CliRunner().invoke
    assert "Nobody has rated" in run(app, ["feedback"]).stdout
    kept = Feedback(open_engine(Settings.from_env().database))
    for day, workspace in enumerate(("T1", "T2"), start=1):
        thread = Thread(workspace, "C1", "1.1")
        kept.rate(thread, "1.2", "U1", False, datetime(2026, 11, day, tzinfo=UTC), Receipt("ab", ("/guide/a#b-0",)))
        kept.explain(thread, "1.2", "U1", "wrong", f"said in {workspace}")
    listed = json.loads(run(app, ["feedback", "--json"]).stdout)
    assert [(each["workspace"], each["verdict"], each["words"]) for each in listed] == [
        ("T2", "wrong", "said in T2"),
        ("T1", "wrong", "said in T1"),
    ]
    assert listed[0]["passages"] == ["/guide/a#b-0"]
    one = run(app, ["feedback", "--workspace", "T1"], env={"COLUMNS": "160"}).stdout
    assert "It is wrong" in one
    assert "said in T2" not in one
