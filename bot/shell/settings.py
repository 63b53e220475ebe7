"""The commands `settings` and `audit`: they know how rules and the log read in a terminal, not what rules mean."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from trainers.audit import Verdict
    from trainers.budgets import Standing
    from trainers.tables import AuditEntry

Workspace = Annotated[str, typer.Option(help="Slack's team id (T…); default: this shell's own workspace.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(settings)
    app.command()(audit)


def settings(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[show | set NAME=VALUE...]", help="Without words: show.")
    ] = None,
    workspace: Workspace = "",
    as_json: JsonFlag = False,
) -> None:
    """Show or set who may approve, stop and spend how much; amounts in dollars, caps per month (UTC)."""
    verb, *rest = words or ["show"]
    if verb not in ("show", "set") or (verb == "show") == bool(rest):
        raise fail_usage("Say: luthier settings show, or: luthier settings set workspace_cap=100 approvers=U0BEN,U0CHI")
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now
    from knowledge.tenancy import LOCAL_WORKSPACE

    texts = dict(_pair(word) for word in rest)
    if workspace and workspace != LOCAL_WORKSPACE and not re.fullmatch(r"[TE][A-Z0-9]+", workspace):
        raise fail_usage(f"{workspace} is no workspace: give Slack's team id (T…), or none for this shell's own.")
    with working(Settings.from_env(), say) as at:
        chosen, now, known = workspace or shell_person().workspace_id, utc_now(), at.deps.workspaces
        changes = _change(known, chosen, texts, shell_person(), now) if texts else ()
        rules, standing = known.rules(chosen).to_json(), known.standing(chosen, now)
    if as_json:
        changed = {name: {"old": old, "new": new} for name, old, new in changes}
        show_json(
            {"workspace": chosen, "changed": changed, "rules": rules, "budgets": [_budget(each) for each in standing]}
        )
    elif texts:
        show("\n".join(f"{name}: {_word(old)} -> {_word(new)}" for name, old, new in changes) or "Nothing was changed.")
    else:
        show(table(("Rule", "Value"), [(name, _word(value)) for name, value in rules.items()]))
        show("\n" + table(("Budget this month", "Cap", "Set aside", "Spent"), [_row(each) for each in standing]))


def _change(known: Any, workspace: str, texts: dict[str, str], person: Any, now: Any) -> Any:
    """Change rules; raise typer.Exit for a rule or value that there is not, UserError for what a person may not."""
    from knowledge.errors import UserError
    from trainers.errors import NotAllowed

    try:
        return known.change(workspace, texts, person, now)
    except NotAllowed:
        raise
    except UserError as wrong:
        raise fail_usage(str(wrong)) from wrong


def audit(
    verb: Annotated[str, typer.Argument(metavar="[list | verify]", help="What to do.")] = "list",
    workspace: Workspace = "",
    head: Annotated[str, typer.Option(help="verify: a head noted earlier, which has to be in the log.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="list: newest entries to show.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List who asked, approved, spent and changed what, or verify that nobody changed that log (exit 1: somebody did).

    Note the head that verify prints somewhere else: with it, a log that was cut short is found too.
    """
    if verb not in ("list", "verify"):
        raise fail_usage("Say: luthier audit list, or: luthier audit verify")
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers import audit as log

    with working(Settings.from_env(), say) as at:
        engine = at.deps.engine
        if verb == "verify":
            chosen = [workspace] if workspace else log.workspaces(engine) or [shell_person().workspace_id]
            if head and len(chosen) > 1:
                raise fail_usage(f"Say whose head that is, with --workspace: {', '.join(chosen)}.")
            _verdicts({each: log.verify(engine, each, head) for each in chosen}, as_json, head)
        found = log.listing(engine, workspace or shell_person().workspace_id, limit=limit)
    if as_json:
        show_json([entry.model_dump() for entry in found])
    else:
        show(table(("Place", "When", "Who", "What", "About", "Detail"), [_entry(entry) for entry in found]))


def _verdicts(found: "dict[str, Verdict]", as_json: bool, head: str) -> None:
    """Say what came of verifying and leave: exit 1 where a log is broken."""
    whole = all(verdict.broken_at is None for verdict in found.values())
    if as_json:
        show_json({"whole": whole, "logs": {name: verdict._asdict() for name, verdict in found.items()}})
    else:
        show("\n".join(f"{name}: {_verdict(verdict, head)}" for name, verdict in found.items()))
    raise typer.Exit(0 if whole else 1)


def _verdict(verdict: "Verdict", head: str) -> str:
    if verdict.broken_at is None:
        return f"whole, {verdict.entries} entries, head {verdict.head}" if verdict.entries else "nothing was logged yet"
    other = "; or the head that you gave is another log's" if head else ""
    return f"BROKEN at entry {verdict.broken_at}: it was changed, removed, moved or added from outside{other}"


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise fail_usage(f"{word} is no NAME=VALUE, such as workspace_cap=100.")
    return name, value


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _budget(each: "Standing") -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in each._asdict().items()}


def _row(each: "Standing") -> tuple[str, ...]:
    unit = "" if each.scope == "chat" else "$"
    return (each.scope, *("none" if sum is None else f"{unit}{sum:,}" for sum in each[1:]))


def _entry(entry: "AuditEntry") -> tuple[str, ...]:
    at = entry.at.strftime("%Y-%m-%d %H:%M:%S UTC") if entry.at else ""
    return (str(entry.place), at, entry.who, entry.what, entry.subject, entry.detail)
