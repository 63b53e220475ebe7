"""The page about moving off OpenAI, run as it stands: its shell lines and its code, through real processes.

One small training: 12 rows, one epoch, 2 steps; what it learns is not looked at. Once with a tiny model where the
weights of SmolLM2 belong, once with SmolLM2 itself.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.services import free_port
from tests.trainers import tiny_model
from tests.trainers.script_runs import write_rows
from tests.trainers.test_scripts import rows
from tests.whole import PROBES

BASE = "smollm2-135m-instruct"
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "moving-off-openai.md"
BLOCK = re.compile(r"^```(sh server|sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
START_LIMIT = 120.0
"""Seconds until the API answers, on a slow, busy machine."""


class Place:
    """A folder with rows, a port, and an API that was started as the page says."""

    def __init__(self, folder: Path, *, tiny: bool) -> None:
        self.folder, self.port = folder, free_port()
        write_rows(folder / "train.jsonl", rows(12))
        write_rows(folder / "validation.jsonl", rows(10, shift=100))
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "SLACK_"))}
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "luthier").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bot "$@"\n')
        (bin_folder / "luthier").chmod(0o755)
        self.env |= {
            "PATH": f"{bin_folder}{os.pathsep}{self.env['PATH']}",
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(folder / "data"),
            "LUTHIER_API_PORT": str(self.port),
            "LUTHIER_PROBES": str(PROBES),
            "NO_PROXY": "*",
        }
        if tiny:
            tiny_model.build(folder / "cache" / "models" / BASE)
            self.env["LUTHIER_CACHE"] = str(folder / "cache")
        self.log = folder / "api.log"

    def start(self, line: str) -> None:
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(line.split(), cwd=self.folder, env=self.env, stdout=log, stderr=log)
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/health", trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
        raise AssertionError(self.log.read_text())

    def stop(self) -> int:
        self.server.send_signal(signal.SIGINT)
        return self.server.wait(60)

    def run(self, kind: str, text: str) -> str:
        """Run a block; what a shell block exports holds for those that follow, as in one terminal."""
        text = text.replace(":8780/", f":{self.port}/")
        kept = self.folder / "env.json"
        keep = f"\"{sys.executable}\" -c \"import json, os; json.dump(dict(os.environ), open('{kept}', 'w'))\""
        argv = ["bash", "-ec", f"{text}\n{keep}"] if kind == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(argv, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=2000)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}\n{self.log.read_text()[-3000:]}"
        if kind == "sh":
            self.env = json.loads(kept.read_text())
        return done.stdout


@pytest.fixture(params=["tiny", "smollm2"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, tiny=request.param == "tiny")
    yield made
    if made.server.poll() is None:
        made.stop()


@pytest.mark.slow  # a dozen processes, each of which loads what it needs: more than two minutes of CPU time
@pytest.mark.timeout(2400)
def test_every_line_of_the_page_works(place: Place) -> None:
    """Key, upload, job, events, chat, cancel and deletion, with the unpatched client; nothing is left running."""
    blocks = BLOCK.findall(PAGE.read_text())
    (server,) = (text for kind, text in blocks if kind == "sh server")
    place.start(server.strip())
    said = [place.run(kind, text) for kind, text in blocks if kind != "sh server"]
    whole = "\n".join(said)
    assert "Step 2/2: training loss=" in whole
    assert "The job has successfully completed" in whole
    assert re.search(r"ft:smollm2-135m-instruct:local:support:[0-9a-f]{12} step,train_loss", whole)
    assert '"object":"list"' in whole
    assert "cancelled" in whole
    assert place.stop() == 0
