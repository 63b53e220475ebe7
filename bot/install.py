"""Knows how the training packages are installed behind the answers, and how far that is; not what they do."""

import fcntl
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

from bot.settings import Settings
from bot.store.files import write_atomically
from knowledge import weights

NEEDED = ("torch", "transformers", "peft", "safetensors", "gguf", "accelerate", "sklearn")
"""Modules that training children import."""

LOCK = "install.lock"

ROOT = Path(__file__).resolve().parent.parent


def missing() -> list[str]:
    """Return the training modules that are not installed."""
    invalidate_caches()
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def note(settings: Settings) -> str:
    """Say in one sentence what the training packages still lack, or ""."""
    lacking = missing()
    state = _state(settings)
    if state.get("running"):
        return f"Installing the training tools: {state['step']}"
    if not lacking:
        return ""
    if state.get("failed"):
        return f"The training tools could not be installed: {state['failed']} Run `luthier install` to try again."
    return "The training tools are not installed yet. Run `luthier install`."


def install(settings: Settings) -> int:
    """Install the training packages and fetch the base model, writing down each step; returns an exit status."""
    settings.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.run / LOCK).open("ab") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        return _install(settings)


def _install(settings: Settings) -> int:
    try:
        if missing():
            _tell(settings, "torch (200 MB as a CPU build, about 3 GB where your index serves the CUDA build)")
            index = ["--index-url", settings.torch_index] if settings.torch_index else []
            torch, *others = _wanted()
            _pip(settings, [*index, torch])
            _pip(settings, others)
        _tell(settings, "the base model (93 MB)")
        weights.ensure("smollm2-135m-instruct-q4", settings.cache)
    except subprocess.CalledProcessError as failed:
        _write(settings, {"running": False, "failed": f"pip ended with status {failed.returncode}."})
        return 1
    _write(settings, {"running": False, "step": "done"})
    return 0


def _wanted() -> list[str]:
    """Return the requirements of the extra `train`, torch first; we ourselves run and must stay installed."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return list(extras["train"])


def _pip(settings: Settings, what: list[str]) -> None:
    argv = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-compile",
        "--no-input",
        "-c",
        str(ROOT / "constraints.txt"),
        *what,
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None  # noqa: S101  # we asked for a pipe
        for line in child.stdout:
            sys.stdout.write(line)
            step = re.match(r"\s*(?:Collecting|Downloading|Installing collected packages|Processing) ?(.*)", line)
            if step:
                _tell(settings, line.strip()[:100])
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, "pip")


def _tell(settings: Settings, step: str) -> None:
    _write(settings, {"running": True, "step": step})


def _write(settings: Settings, state: dict[str, object]) -> None:
    write_atomically(settings.run / "install.json", json.dumps(state))


def _state(settings: Settings) -> dict[str, Any]:
    path = settings.run / "install.json"
    state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if state.get("running") and not _somebody_installs(settings):
        return {"failed": "the installation was interrupted."}
    return state


def _somebody_installs(settings: Settings) -> bool:
    """Say whether an installer lives: it holds a lock that the kernel takes back however it ends."""
    with (settings.run / LOCK).open("ab") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
