"""Writes the pages of docs that repeat the code: commands, settings, Slack methods. Run as: python -m docs.build"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write all pages."""
    (HERE / "cli.md").write_text(cli())
    (HERE / "settings.md").write_text(settings())
    (HERE / "slack-methods.md").write_text(slack_methods())
    (HERE / "training-data.md").write_text(training_data())


def training_data() -> str:
    """Return the page about training data with its tables of findings and targets anew."""
    page = (HERE / "training-data.md").read_text()
    data = HERE.parent / "trainers" / "data"
    severities = tomllib.loads((data / "severity.toml").read_text())
    rows = [
        f"| {severity} | `{code}` | {what} | {why} |"
        for severity, codes in severities.items()
        for code, (what, why) in codes.items()
    ]
    page = _between(page, "severities", ["| Severity | Code | What | Why |", "| --- | --- | --- | --- |", *rows])
    targets = tomllib.loads((data / "limits.toml").read_text())["target"]
    figures = [
        f"| {name} | {of['least_rows']:,} | {of['good_rows']:,} | {of['rows']:,} | {of['row_tokens']:,} | "
        f"{of['file_bytes'] / 1e6:,.0f} MB | {', '.join(of['roles'])} | {_pictures(of)} | {of['as_of']} |"
        for name, of in targets.items()
    ]
    head = "| Target | Rows at least | better | at most | Tokens a row | File | Roles | Pictures | As of |"
    return _between(page, "targets", [head, "| --- " * 9 + "|", *figures])


def _pictures(target: dict[str, Any]) -> str:
    """Say how a target takes pictures."""
    forms = {"address": "address", "inside": "base64"}
    return " or ".join(forms[form] for form in target["pictures"]) or "none"


def _between(page: str, name: str, lines: list[str]) -> str:
    """Put lines between the two marks of a name."""
    before, rest = page.split(f"<!-- {name} -->")
    return "\n".join(
        [f"{before}<!-- {name} -->", "", *lines, "", f"<!-- /{name} -->{rest.split(f'<!-- /{name} -->')[1]}"]
    )


def cli() -> str:
    """Return the page of commands, from their own help."""
    from typer.testing import CliRunner

    from bot.cli import app

    runner, parts = (
        CliRunner(),
        ["# Commands", "", "`luthier` is the same as `python -m bot`. Written by `make docs` from `--help`."],
    )
    command = get_command(app)
    for words in _commands(command):
        told = runner.invoke(
            app, [*words, "--help"], prog_name="luthier", env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"}
        ).output
        parts += [
            "",
            f"## {' '.join(words)}",
            "",
            "```text",
            re.sub(r"[ \t]+$", "", told.strip(), flags=re.MULTILINE),
            "```",
        ]
    return "\n".join(parts) + "\n"


def _commands(command: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command by its words, those of a group after it."""
    for name, inner in command.commands.items():
        yield (*before, name)
        if hasattr(inner, "commands"):
            yield from _commands(inner, (*before, name))


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


def slack_methods() -> str:
    """Return the page of Web API methods that the local Slack serves, with the errors that tests provoke."""
    from bot.console import api
    from bot.console.api.registry import METHODS

    known = tomllib.loads((Path(api.__file__).parent.parent / "methods.toml").read_text())
    names = {name for kind in known["class"] for name in kind["methods"]}
    served = sorted(METHODS)
    errors = sum(len(_own_errors(name)) for name in served)
    shown = sum(len(_shown_errors(name)) for name in served)
    return "\n".join(
        [
            "# Web API methods of the local Slack",
            "",
            "Written by `make docs` from `bot/console/api` and from the cases in `tests/bot/console/error_cases`.",
            f"Known methods: {known['source']}, as of {known['as_of']}.",
            "",
            f"**{len(served)} methods are served**, {len(names.intersection(served))} of the {len(names)} that the SDK "
            f"knows. They declare {errors} errors of their own; a test provokes {shown} of them over HTTP.",
            "Every method also gives `not_authed`, `invalid_auth`, `missing_scope`, `invalid_arguments`,"
            " `invalid_json`, `json_not_object`,",
            "`invalid_post_type`, `request_too_large`; these are tested too. A name that is not served gets"
            " `unknown_method`.",
            "",
            "| method | does | scope (one of) | calls a minute | errors shown / declared |",
            "|---|---|---|---|---|",
            *(_method_row(name) for name in served),
            "",
            "## Not served",
            "",
            "| why | methods |",
            "|---|---|",
            *(row for kind in known["class"] if (row := _class_row(kind, served))),
            "",
        ]
    )


def _own_errors(name: str) -> list[str]:
    """Return the errors that a method declares beside those of every method."""
    from bot.console.api.registry import METHODS
    from tests.bot.console.error_cases import EVERY_METHOD

    return [error for error in dict.fromkeys(METHODS[name].errors) if error not in EVERY_METHOD]


def _shown_errors(name: str) -> list[str]:
    """Return those of them that a case provokes."""
    from tests.bot.console.error_cases import families

    provoked = {case.error for cases in families().values() for case in cases if case.method == name}
    return [error for error in _own_errors(name) if error in provoked]


def _method_row(name: str) -> str:
    from bot.console.api.registry import METHODS
    from bot.console.limits import limits

    made, own, shown = METHODS[name], _own_errors(name), _shown_errors(name)
    does = (made.run.__doc__ or "").split("\n")[0].rstrip(".")
    scopes = " ".join(f"`{scope}`" for scope in made.scopes) or "any"
    errors = " ".join(f"`{error}`" if error in shown else f"`{error}` (no case)" for error in own)
    return (
        f"| `{name}` | {does} | {scopes} | {limits()['rates'][made.tier]} | {len(shown)}/{len(own)} {errors}".rstrip()
        + " |"
    )


def _class_row(kind: dict[str, Any], served: list[str]) -> str:
    """Return one line for the methods of a class that are not served; none where all are."""
    absent = [name for name in kind["methods"] if name not in served]
    return (
        f"| {kind['name']} ({len(absent)}): {kind['why']} | {' '.join(f'`{name}`' for name in absent)} |"
        if absent
        else ""
    )


if __name__ == "__main__":
    main()
