"""The documentation against the code."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from docs import build

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_generated_pages_are_current() -> None:
    """Pages that repeat the code are what the code says now; `make docs` writes them."""
    assert (ROOT / "docs" / "cli.md").read_text() == build.cli()
    assert (ROOT / "docs" / "settings.md").read_text() == build.settings()
    assert (ROOT / "docs" / "slack-methods.md").read_text() == build.slack_methods()
    assert (ROOT / "docs" / "training-data.md").read_text() == build.training_data()


def test_the_table_of_methods_is_whole() -> None:
    """bot/console/methods.toml has exactly the methods that the installed Slack SDK calls, each once."""
    import slack_sdk.web.client

    calls = [
        node
        for node in ast.walk(ast.parse(Path(slack_sdk.web.client.__file__).read_text()))
        if isinstance(node, ast.Call)
    ]
    named = [
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "api_call" and call.args
    ]
    known = {argument.value for argument in named if isinstance(argument, ast.Constant)}
    table = tomllib.loads((ROOT / "bot" / "console" / "methods.toml").read_text())
    listed = [name for kind in table["class"] for name in kind["methods"]]
    assert len(known) > 300
    assert sorted(listed) == sorted(known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page exists."""
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_names_both_commands() -> None:
    """A newcomer finds `make run` and `make test`, and both exist."""
    text, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for command in ("run", "test"):
        assert f"make {command}" in text
        assert re.search(rf"^{command}:", makefile, re.MULTILINE)


def test_every_process_of_the_procfile_is_a_command() -> None:
    """Each line of the Procfile starts a sub-command that exists."""
    from typer.main import get_command

    from bot.cli import app

    known = get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    for line in (ROOT / "Procfile").read_text().splitlines():
        assert line.split("python -m bot ")[1].split()[0] in known
