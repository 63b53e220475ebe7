"""The commands of the fine-tuning API, `api` and `keys`; the process itself is `bot.api`."""

import os
import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from trainers.api.keys import Made, Wish
    from trainers.api.tables import ApiKey

Workspace = Annotated[str, typer.Option(help="Slack workspace (T…) of the key; default: this shell's own.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(api)
    app.command()(keys)


def api(
    port: Annotated[int | None, typer.Option(help="Port; default LUTHIER_API_PORT or 8780.")] = None,
    host: Annotated[str | None, typer.Option(help="Address; default LUTHIER_API_HOST or 127.0.0.1.")] = None,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Train nothing: answer as a provider would, on this machine alone.")
    ] = False,
    like: Annotated[str, typer.Option(help="With --rehearse: openai or azure, their bases and words.")] = "",
    faults: Annotated[str, typer.Option(help='With --rehearse: JSON of what goes wrong, such as {"start": …}.')] = "{}",
) -> None:
    """Serve OpenAI's fine-tuning API: change base_url, keep your code. `luthier keys` makes keys."""
    from dataclasses import replace

    from bot.settings import Settings

    settings = Settings.from_env()
    chosen = replace(
        settings,
        api_port=settings.api_port if port is None else port,
        api_host=settings.api_host if host is None else host,
    )
    if not rehearse:
        if like or faults != "{}":
            raise fail_usage("--like and --faults need --rehearse.")
        from bot.api import serve

        serve(chosen, say)
        return
    chosen.data.mkdir(parents=True, exist_ok=True)
    ledger = str(chosen.data / "rehearsal.jsonl")
    argv = [sys.executable, "-m", "trainers.rehearsal", "--port", str(chosen.api_port), "--ledger", ledger]
    argv += ["--faults", faults, *(["--like", like] if like else [])]
    os.execv(sys.executable, argv)  # noqa: S606  # a program of its own, which shares nothing with us


def keys(
    action: Annotated[str, typer.Argument(help="list, create, grant, rotate or revoke")] = "list",
    key: Annotated[str, typer.Argument(help="Its name to create it, else its id.")] = "",
    scopes: Annotated[str, typer.Option(help="Of read, files, train, chat; default: all.")] = "",
    limit: Annotated[str, typer.Option(help="Dollars up to which one job needs no further approval.")] = "0",
    per_minute: Annotated[int, typer.Option(help="Requests that it may make in a minute.")] = 600,
    service: Annotated[bool, typer.Option("--service", help="A program uses it, not a person.")] = False,
    workspace: Workspace = "",
    person: Annotated[str, typer.Option(help="Member (U…) who answers for it; goes with --workspace.")] = "",
    channel: Annotated[str, typer.Option(help="Channel (C…) for the cards of its jobs; goes with --workspace.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Make, list, rotate or revoke keys of the fine-tuning API, or grant one a limit; a secret is shown once."""
    if action not in ("list", "create", "grant", "rotate", "revoke"):
        raise fail_usage(f"There is no `keys {action}`; use list, create, grant, rotate or revoke.")
    if action != "list" and not key:
        raise fail_usage(f"`keys {action}` needs a name or an id.")
    if bool(workspace) != bool(person) and action == "create":
        raise fail_usage("--workspace and --person go together.")
    if action == "list":
        _list(workspace, as_json)
    elif action == "revoke":
        _revoke(key, as_json)
    elif action == "grant":
        _grant(key, _dollars(limit), as_json)
    else:
        from trainers.api.keys import Wish, scopes_in

        wish = Wish(key, scopes_in(scopes), channel, False, service, _dollars(limit), per_minute)
        _made(action, key, wish, workspace, person, as_json)


def _list(workspace: str, as_json: bool) -> None:
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.api.keys import Keys

    with working(Settings.from_env(), say) as at:
        found = Keys(at.deps.engine).listing(shell_person(), workspace, everybody=True)
    if as_json:
        show_json([key_json(each) for each in found])
    elif found:
        head = ("Key", "Name", "Owner", "Scopes", "Limit", "Last used", "State")
        show(table(head, [_row(each) for each in found]))
    else:
        show('No keys yet. Make one with `luthier keys create "nightly training"`.')


def _revoke(key_id: str, as_json: bool) -> None:
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.api.keys import Keys

    with working(Settings.from_env(), say) as at:
        changed = Keys(at.deps.engine).revoke(key_id, shell_person(), at.deps.clock())
    if as_json:
        show_json({"id": key_id, "changed": changed})
    else:
        show(f"{key_id} is revoked." if changed else f"{key_id} was revoked before; nothing was changed.")
    raise typer.Exit(0 if changed else 1)


def _grant(key_id: str, limit: Decimal, as_json: bool) -> None:
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.api.keys import Keys, described

    with working(Settings.from_env(), say) as at:
        key = Keys(at.deps.engine).grant(key_id, limit, shell_person(), at.deps.clock())
    show_json(key_json(key)) if as_json else show(described(key))


def _made(action: str, key: str, wish: "Wish", workspace: str, person: str, as_json: bool) -> None:
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.tenancy import Person
    from trainers.api.keys import Keys

    owner: Person | None = Person(workspace_id=workspace, user_id=person) if workspace else None
    with working(Settings.from_env(), say) as at:
        kept, now, me = Keys(at.deps.engine), at.deps.clock(), shell_person()
        made = kept.create(wish, me, now, owner) if action == "create" else kept.rotate(key, me, now)
    if as_json:
        show_json({**key_json(made.key), "secret": made.secret})
        return
    _tell(made)


def _tell(made: "Made") -> None:
    """Show a secret: alone on stdout, so that it can go into a file or a variable without passing a screen."""
    from trainers.api.keys import described

    say(described(made.key))
    say("The secret, shown this once:")
    show(made.secret)


def key_json(key: "ApiKey") -> dict[str, Any]:
    """Return a key as plain data, without anything secret."""
    from trainers.api.keys import limit_of

    moments = {
        name: value.isoformat() if (value := getattr(key, name)) else None
        for name in ("created_at", "rotated_at", "used_at", "revoked_at")
    }
    facts = {name: getattr(key, name) for name in ("id", "name", "workspace_id", "owner", "service", "channel", "hint")}
    return {
        **facts,
        "scopes": key.scopes.split(),
        "limit": str(limit_of(key)),
        "per_minute": key.per_minute,
        **moments,
    }


def _row(key: "ApiKey") -> tuple[str, ...]:
    from trainers.api.keys import limit_of

    used = f"{key.used_at:%Y-%m-%d %H:%M} UTC" if key.used_at else "never"
    state = f"revoked by {key.revoked_by}" if key.revoked_at else "works"
    owner = f"{key.owner}, a service" if key.service else key.owner
    return (key.id, key.name, owner, key.scopes, f"${limit_of(key):,.2f}", used, state)


def _dollars(text: str) -> Decimal:
    try:
        return Decimal(text.removeprefix("$").replace(",", ""))
    except InvalidOperation:
        raise fail_usage(f"{text} is no sum of dollars, such as 25 or 4.50.") from None
