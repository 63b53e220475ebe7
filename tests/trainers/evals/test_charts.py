"""Charts are drawn for a phone without global state, and their texts say the same as the pictures."""

import json
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knowledge.errors import ServiceError
from trainers.evals.charts import arms_alt, arms_chart, loss_alt, loss_curve
from trainers.evals.predictions import TITLES
from trainers.evals.report import ArmScore, Report
from trainers.evals.rule import SuccessRule
from trainers.evals.stats import wilson
from trainers.evals.verdict import decide


def write(path: Path, losses: list[float]) -> Path:
    path.write_text("".join(json.dumps({"step": step, "loss": loss}) + "\n" for step, loss in enumerate(losses, 1)))
    return path


def report(n: int = 40) -> Report:
    counts = {"base_plain": 0, "base_few_shot": n // 4, "tfidf": n // 2, "tuned": n}
    arms = tuple(
        ArmScore(arm=arm, title=TITLES[arm], score=right / n, binary=True, right=right, n=n,
                 low=wilson(right, n).low, high=wilson(right, n).high, median_ms=None, asked="", named=None)
        for arm, right in counts.items()
    )  # fmt: skip
    rule = SuccessRule()
    return Report(arms=arms, rival="base_few_shot", verdict=decide([], rule), rule=rule, labels=(), wins=(), misses=(),
                  notices=(), contamination="")  # fmt: skip


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize(
    "losses", [[], [2.5], [3.0, 2.0], [3 / (1 + step) for step in range(60)], [0.0] * 20, [2.0, float("nan"), 1.0]]
)
def test_any_loss_curve_can_be_drawn(tmp_path: Path, losses: list[float]) -> None:
    """No step, one step, many, a loss of zero and one that diverged give a picture of one size and a text."""
    path = write(tmp_path / "losses.jsonl", losses)
    assert size(loss_curve(path)) == (1200, 675)
    assert loss_alt(path)


def test_the_text_of_a_loss_curve_has_its_numbers(tmp_path: Path) -> None:
    """The text says where the loss starts and ends, and whether it fell."""
    assert (
        loss_alt(write(tmp_path / "a", [3.0, 1.5])) == "Line chart: training loss falls from 3.00 to 1.50 in 2 steps."
    )
    assert "does not fall" in loss_alt(write(tmp_path / "b", [1.0, 1.0]))
    assert "averaged" in loss_alt(write(tmp_path / "c", [3.0 - step / 20 for step in range(40)]))


def test_the_arms_are_drawn_and_described(tmp_path: Path) -> None:
    """Scores of 0 and of all fit the picture; the text names every arm with share and interval, tuned first."""
    assert size(arms_chart(report())) == (1200, 675)
    text = arms_alt(report())
    assert text.startswith("Dot chart: share right of 40 unseen rows. Tuned model 100%, interval 91% to 100%;")
    assert all(title in text for title in TITLES.values())


def test_threads_draw_at_once() -> None:
    """Four threads that draw at the same time get the same picture as one alone."""
    alone = arms_chart(report())
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: arms_chart(report()), range(8))) == {alone}


@pytest.mark.parametrize("content", ["{", '{"step": 1}', "[]", '{"step": 1, "loss": null}'])
def test_a_damaged_record_is_an_error(tmp_path: Path, content: str) -> None:
    """A broken or missing record of losses is told as such."""
    path = tmp_path / "losses.jsonl"
    path.write_text(content)
    for unreadable in (path, tmp_path / "none"):
        with pytest.raises(ServiceError, match="training loss"):
            loss_curve(unreadable)


def test_importing_charts_does_not_load_matplotlib() -> None:
    """The process that only shows reports starts without matplotlib and numpy."""
    code = "import sys, trainers.evals.charts, trainers.data.lint; print({'matplotlib', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
