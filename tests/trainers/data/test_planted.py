"""What a stranger planted, who had not seen the linter, is found: every blocking defect, and nothing in clean files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.shell.linting import findings
from trainers.data.counting import CountRow, counter
from trainers.data.limits import shell_limits, target_limits
from trainers.data.lint import LintReport, lint

HERE = Path(__file__).parent / "planted"
LEAST_WARNED = 0.95

# What our codes are called in the table. A defect may be blocked under a neighbour's name: an empty file is
# a file with too few rows, and a bare list is neither an object nor the provider's format.
NAMES: dict[str, set[str]] = {
    "not UTF-8": {"not_utf8", "utf16"},
    "not JSON": {"invalid_json", "not_an_object", "not_jsonl", "format_mismatch"},
    "NaN/Infinity": {"not_a_number"},
    "duplicate keys": {"duplicate_key"},
    "NUL or lone surrogates": {"nul_character", "lone_surrogate"},
    "too deep": {"too_deep"},
    "wrong or unknown roles and order": {"unknown_role", "role_order", "tool_order", "template_refuses"},
    "last turn not assistant": {"last_not_assistant"},
    "empty target": {"empty_target", "no_value"},
    "fewer rows than the target accepts": {"too_few_rows", "empty_file"},
    "row or file over the target's limit": {"row_too_long", "line_too_long", "file_over_limit", "file_too_large"},
    "zero trainable tokens after the real chat template and mask": {"no_trainable_tokens"},
    "secrets and private keys": {"secret"},
    "exact train/test overlap": {"test_overlap"},
    "provider format mismatch": {
        "format_mismatch",
        "mixed_formats",
        "no_messages",
        "bad_message",
        "not_text",
        "not_an_object",
        "no_columns",
        "invalid_table",
    },
    "empty, binary or undecodable files": {
        "empty_file",
        "binary",
        "archive",
        "utf16",
        "not_jsonl",
        "locked",
        "unreadable_workbook",
        "not_utf8",
        "invalid_json",
        "too_few_rows",
        "no_columns",
    },
    "near duplicates": {"near_duplicate", "duplicate"},
    "contradictions": {"contradiction"},
    "near leakage train/test by group": {"near_leak", "group_leak"},
    "PII": {"personal_data"},
    "label balance and coverage": {
        "label_balance",
        "label_spelling",
        "label_untaught",
        "label_missing",
        "label_undeclared",
    },
    "system-prompt variants": {"system_prompt_variants", "untaught_system_prompt"},
    "schema-invalid targets": {"schema_invalid_target"},
    "generator phrases and placeholders": {"generator_phrase", "placeholder"},
    "refusals": {"refusal"},
    "length outliers": {"length_outlier", "row_maybe_too_long"},
    "language mix": {"language_mix"},
    "few rows": {"few_rows", "few_test_rows"},
    "style far from the target's genre": {"style_far"},
    "spreadsheets with formulas / CSV injection": {"formula_cell", "no_value"},
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the stranger's files: they hold invented keys, which no repository should."""
    home = tmp_path_factory.mktemp("planted")
    for script in HERE.glob("*.py"):
        shutil.copy(script, home)
    subprocess.run([sys.executable, "make.py"], cwd=home, check=True, stdout=subprocess.DEVNULL)
    return home


def cases(suite: Path) -> list[dict[str, Any]]:
    """Everything in the manifest that fits into a quick test."""
    entries = [json.loads(line) for line in (suite / "manifest.jsonl").read_text("utf-8").splitlines()]
    return [entry for entry in entries if not entry.get("heavy") and not entry.get("generate")]


def counted(target: str) -> CountRow:
    vocabulary = target_limits(target).vocabulary
    return counter("o200k_base" if vocabulary == "o200k_base" else "estimate")


def judge(suite: Path, case: dict[str, Any]) -> LintReport:
    test = suite / case["test"] if case["test"] else None
    target = case["target"]
    long = case["defect"].startswith(("row or file", "zero trainable", "length"))
    count = counted(target) if long else None
    return lint(suite / case["file"], target=target, test=test, count=count, limits=shell_limits())


def seen(case: dict[str, Any], report: LintReport) -> bool:
    """Say whether the planted defect is among the findings, with a severity that fits."""
    named = set().union(*(NAMES[name] for name in {case["defect"], *case.get("accept_defect", ())} if name in NAMES))
    fitting = {case["severity"], *case.get("accept", ())}
    found = [f for f in report.findings if {f.code, f.code.removeprefix("test_")} & named and f.severity in fitting]
    return bool(found)


def test_planted_defects_that_block_are_found_and_nothing_clean_is_blocked(suite: Path) -> None:
    """All of BLOCK is found, no clean file is blocked, no secret repeated; of WARN every third file is judged."""
    entries = [case for case in cases(suite) if not case["file"].endswith(".xlsx")]
    quick = [case for place, case in enumerate(entries) if case["severity"] != "WARN" or place % 3 == 0]
    assert len(quick) > 150
    check(suite, quick)


@pytest.mark.slow  # Excel files take a child process each, and all of WARN a minute
def test_every_planted_defect_is_found(suite: Path) -> None:
    """All of BLOCK and at least 95% of WARN are found, no clean file is blocked, and no secret is ever repeated."""
    check(suite, cases(suite))


def check(suite: Path, entries: list[dict[str, Any]]) -> None:
    missed: dict[str, list[str]] = {"BLOCK": [], "WARN": [], "CLEAN": []}
    leaked: list[str] = []
    for case in entries:
        report = judge(suite, case)
        good = not report.blocked if case["severity"] == "CLEAN" else seen(case, report)
        if not good:
            missed[case["severity"]].append(case["file"])
        printed = json.dumps(report.to_json(), ensure_ascii=False) + findings(report)
        leaked += [case["file"] for secret in case.get("must_not_print") or () if secret in printed]
    warned = sum(case["severity"] == "WARN" for case in entries)
    assert (missed["BLOCK"], missed["CLEAN"], leaked) == ([], [], [])
    assert len(missed["WARN"]) <= (1 - LEAST_WARNED) * warned, missed["WARN"]
