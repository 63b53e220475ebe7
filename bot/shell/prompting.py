"""The command `system-prompt`: how a prompt, or what is found in one, reads in a terminal; it writes none."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.shell.plans import read_schema
from bot.shell.terminal import JsonFlag, fail_usage, read_text, say, show, show_json

if TYPE_CHECKING:
    from trainers.evals.plan import EvalPlan
    from trainers.evals.prompting.body import SystemPrompt
    from trainers.evals.prompting.checks import Check

SEED = 7
"""One fixed seed, so that the same task always gets the same examples."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("system-prompt")(system_prompt)


def system_prompt(
    task: Annotated[list[str] | None, typer.Argument(help="What the model is to do.")] = None,
    labels: Annotated[str, typer.Option(help="The labels, with commas between them.")] = "",
    schema: Annotated[Path | None, typer.Option(help="JSON Schema of the answers.")] = None,
    kind: Annotated[str, typer.Option(help="classification, extraction, voice, documents, format or refusal.")] = "",
    check: Annotated[Path | None, typer.Option(help="Check the prompt in this file instead of writing one.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the prompt alone goes, for data generate.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a system prompt for a task, or check one: role, exact output format, edge cases, consistency, examples.

    Exit 1 where a checked prompt lacks something.
    """
    text = " ".join(task or []).strip()
    if not text and check is None:
        raise fail_usage('Say the task: luthier system-prompt "Sort tickets into billing, returns, other"')
    if out is not None and (check is not None or out.exists() or not out.parent.is_dir()):
        raise fail_usage(_no_place(out, check))
    plan = _plan(text, labels, schema, kind) if text else None
    if check is not None:
        _check(check, plan, as_json)
    elif plan is not None:
        _show(_write(plan), out, as_json)


def _show(made: "SystemPrompt", out: Path | None, as_json: bool) -> None:
    """Show a prompt, and put its text alone where it was wanted."""
    if out:
        out.write_text(f"{made.text}\n", "utf-8")
    show_json(made.to_json()) if as_json else show(read_prompt(made))
    if out:
        say(f"Written: {out}. luthier data generate --system-prompt {out} puts it in every row.")


def read_prompt(made: "SystemPrompt") -> str:
    """Lay out a prompt with its examples and what a person should know."""
    lines = [made.text, ""]
    for number, each in enumerate(made.examples, start=1):
        lines += [f"Example {number} ({each.why})", f"  user: {each.user}", f"  reply: {each.reply}"]
    return "\n".join([*lines, "", *made.notes])


def _no_place(out: Path, check: Path | None) -> str:
    """Say why a prompt can't go to a file."""
    if check is not None:
        return "--out is for a prompt that is written, and --check writes none."
    return f"There is a file at {out} already." if out.exists() else f"There is no folder {out.parent}."


def _plan(text: str, labels: str, schema: Path | None, kind: str) -> "EvalPlan":
    from trainers.evals.metrics.schemas import check_schema
    from trainers.evals.plan import make_plan

    plan = make_plan(text, labels=labels.split(","), schema=read_schema(schema), kind=kind or None)
    if schema is not None and plan.schema is not None:
        check_schema(plan.schema)
    return plan


def _check(file: Path, plan: "EvalPlan | None", as_json: bool) -> None:
    """Show what is found, and leave with 1 where something is missing."""
    from trainers.evals.prompting.checks import check_prompt

    text = read_text(file)
    if not text.strip():
        raise fail_usage(f"{file} is empty.")
    found = _read_too(text, check_prompt(text, plan))
    show_json({"checks": [each._asdict() for each in found]}) if as_json else show(_read_checks(found))
    raise typer.Exit(0 if all(each.ok for each in found) else 1)


def _read_too(text: str, found: "list[Check]") -> "list[Check]":
    """Let the language model that settings name read the prompt as well, where nobody is billed for that."""
    from bot.settings import Settings

    settings = Settings.from_env()
    if not settings.model:
        return found
    from bot.shell.drafting import is_free
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.evals.prompting.checks import unread, with_reading
    from trainers.evals.prompting.read_by_model import read_by_model

    if not is_free(settings):
        return unread(found, settings.model)
    with working(settings, say) as at:
        model, meter = at.deps.model, at.deps.meter(shell_person().workspace_id)
        return with_reading(found, read_by_model(text, model, meter)) if model else found


def _read_checks(found: "list[Check]") -> str:
    return "\n".join(f"{'ok     ' if each.ok else 'missing'} {each.aspect}: {each.says} {each.fix}" for each in found)


def _write(plan: "EvalPlan") -> "SystemPrompt":
    """Write by the language model that settings name, else from the template."""
    from bot.settings import Settings
    from trainers.evals.prompting.written import write_prompt

    settings = Settings.from_env()
    if not settings.model:
        return write_prompt(plan, seed=SEED)
    from bot.wiring import shell_person
    from bot.working import working

    with working(settings, say) as at:
        meter = at.deps.meter(shell_person().workspace_id)
        return write_prompt(plan, seed=SEED, model=at.deps.model, meter=meter)
