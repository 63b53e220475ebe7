"""Files as people really have them, nasty or merely unusual: each is judged as its target's documents say."""

from pathlib import Path
from typing import Any

import pytest

from tests.trainers.data.nasty import BLOCKED, TAKEN, answered, lines, shown, turn
from trainers.data.counting import counter
from trainers.data.limits import shell_limits, target_limits
from trainers.data.lint import lint


def judged(folder: Path, name: str, content: bytes, target: str) -> Any:
    path = folder / name
    path.write_bytes(content)
    exact = target_limits(target).vocabulary == "o200k_base"
    return lint(path, target=target, count=counter("o200k_base" if exact else "estimate"), limits=shell_limits())


@pytest.mark.parametrize(
    ("name", "target", "file", "content", "code", "where"), BLOCKED, ids=[each[0] for each in BLOCKED]
)
def test_what_a_target_refuses_is_blocked_by_code_and_line(
    tmp_path: Path, name: str, target: str, file: str, content: bytes, code: str, where: tuple[int, ...]
) -> None:
    """The defect is named at its line, and nothing else is blocked at another one."""
    report = judged(tmp_path, file, content, target)
    blocking = [finding for finding in report.findings if finding.severity == "BLOCK"]
    assert (code, where) in [(finding.code, finding.lines) for finding in blocking], blocking
    others = {finding.code for finding in blocking if finding.lines and finding.lines != where}
    assert others == set(), blocking


@pytest.mark.parametrize(("name", "target", "file", "content"), TAKEN, ids=[each[0] for each in TAKEN])
def test_what_a_target_takes_is_not_blocked(tmp_path: Path, name: str, target: str, file: str, content: bytes) -> None:
    """Unusual is not wrong: what a provider documents passes."""
    report = judged(tmp_path, file, content, target)
    assert [finding for finding in report.findings if finding.severity == "BLOCK"] == []
    assert report.rows >= 12


def test_the_same_question_about_two_pictures_is_no_contradiction(tmp_path: Path) -> None:
    """Rows about different pictures are different rows; the same picture with two answers contradicts itself."""
    shots = [{"type": "image_url", "image_url": {"url": f"https://shop.example/{n}.png"}} for n in range(12)]
    rows = [[*shown(shot)["messages"][:1], turn("assistant", answered(n))] for n, shot in enumerate(shots)]
    good = lines(lambda n: {"messages": rows[n]})
    codes = {finding.code for finding in judged(tmp_path, "a.jsonl", good, "openai").findings}
    assert not codes & {"contradiction", "duplicate", "near_duplicate"}
    twice = good + lines(
        lambda n: {"messages": [rows[0][0], turn("assistant", "It is something else altogether.")]}, count=1
    )
    (found,) = [f for f in judged(tmp_path, "b.jsonl", twice, "openai").findings if f.code == "contradiction"]
    assert found.lines == (1, 13)
