"""The house style that no linter knows: short functions and files, modules that open with a sentence, told tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = sorted(path for folder in ("bot", "handlers", "trainers", "knowledge") for path in (ROOT / folder).rglob("*.py"))
WRITTEN_BY_US = [path for path in OURS if "migrations/versions" not in path.as_posix()]
PLAIN = [path for path in WRITTEN_BY_US if "trainers/scripts" not in path.as_posix()]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
FORBIDDEN_NAMES = {"utils", "common", "helpers", "manager", "misc"}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return lines with the signature and without the docstring."""
    doc = ast.get_docstring(node, clean=False)
    return (node.end_lineno or node.lineno) - node.lineno + 1 - (doc.count("\n") + 1 if doc else 0)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_functions_and_files_stay_short(path: Path) -> None:
    """No function has more than 40 lines and no file more than 400; training scripts are exempt."""
    assert [f"{node.name}: {length(node)}" for node in functions(path) if length(node) > 40] == []
    assert path.read_text().count("\n") <= 400


def test_most_functions_are_under_25_lines() -> None:
    """Nine functions of ten have at most 25 lines."""
    lengths = sorted(length(node) for path in PLAIN for node in functions(path))
    assert lengths[int(len(lengths) * 0.9)] <= 25


@pytest.mark.parametrize("path", WRITTEN_BY_US, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_opens_with_a_sentence(path: Path) -> None:
    """Every module that holds code says first what it knows."""
    text = path.read_text()
    assert not text.strip() or (ast.get_docstring(ast.parse(text)) or "").strip()


def test_no_module_is_named_after_nothing() -> None:
    """There is no utils, common, helpers or manager."""
    assert [path for path in OURS if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_test_states_its_behaviour(path: Path) -> None:
    """A test's docstring is a sentence about behaviour."""
    silent = [node.name for node in functions(path) if node.name.startswith("test_") and not ast.get_docstring(node)]
    assert silent == []


def test_every_folder_of_tests_is_a_package() -> None:
    """Two tests may share a file name: pytest tells them apart by their package."""
    assert sorted({path.parent for path in TESTS if not (path.parent / "__init__.py").exists()}) == []
