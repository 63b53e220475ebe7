"""What starting costs: proved in fresh interpreters, because contracts cannot see through other people's packages."""

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "transformers", "peft", "sklearn", "scipy.stats", "chromadb", "onnxruntime", "langchain_openai",
         "matplotlib")  # fmt: skip


@pytest.mark.parametrize("module", ["bot.app", "bot.worker", "bot.messenger", "bot.sweeper"])
def test_no_process_of_ours_loads_heavy_packages_at_start(module: str) -> None:
    """The web process and its siblings start without torch, scipy.stats, Chroma, ONNX, LangChain or matplotlib."""
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_answers_within_a_second() -> None:
    """`luthier --help` is quick, because commands import what they need only when they run."""
    spent = []
    for _ in range(3):
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "bot", "--help"], capture_output=True, check=True)
        spent.append(time.monotonic() - start)
    assert min(spent) < 1.0
