"""Writes the pages of docs that repeat the code: the command line and the settings. Run as: python -m docs.build"""

import ast
import re
from pathlib import Path

from typer.main import get_command

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write both pages."""
    (HERE / "cli.md").write_text(cli())
    (HERE / "settings.md").write_text(settings())


def cli() -> str:
    """Return the page of commands, from their own help."""
    from typer.testing import CliRunner

    from bot.cli import app

    runner, parts = (
        CliRunner(),
        ["# Commands", "", "`luthier` is the same as `python -m bot`. Written by `make docs` from `--help`."],
    )
    command = get_command(app)
    for name in command.commands:  # type: ignore[attr-defined]  # typer vendors its own click
        told = runner.invoke(
            app, [name, "--help"], prog_name="luthier", env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"}
        ).output
        parts += ["", f"## {name}", "", "```text", re.sub(r"[ \t]+$", "", told.strip(), flags=re.MULTILINE), "```"]
    return "\n".join(parts) + "\n"


def settings() -> str:
    """Return the page of settings, from the docstrings under the fields."""
    tree = ast.parse((HERE.parent / "bot" / "settings.py").read_text())
    fields = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body
    rows = [
        "# Settings",
        "",
        "All come from the environment. Written by `make docs`.",
        "",
        "| variable | meaning |",
        "|---|---|",
    ]
    for node in fields:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            name, colon, meaning = str(node.value.value).partition(": ")
            if colon and name.isupper():
                rows.append(f"| `{name}` | {' '.join(meaning.split())} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
