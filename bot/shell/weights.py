"""The command about model files: which there are, and fetching them; `knowledge.weights` verifies them."""

from typing import Annotated

import typer

from bot.shell.terminal import JsonFlag, bar, fail_usage, show, show_json, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(weights)


def weights(
    action: Annotated[str, typer.Argument(help="list, or pull to fetch all that is missing")] = "list",
    as_json: JsonFlag = False,
) -> None:
    """List the model files that Luthier uses, or fetch those that are missing."""
    from bot.settings import Settings
    from knowledge import weights as store

    if action not in ("list", "pull"):
        raise fail_usage(f"There is no `weights {action}`; use `weights list` or `weights pull`.")
    cache = Settings.from_env().cache
    if action == "pull":
        for kept in store.listing(cache):
            with bar(f"Fetching {kept.artefact.name}") as update:
                store.ensure(kept.artefact.name, cache, progress=lambda step, done: update(done or 0, 1, step))
    rows = [(k.artefact.name, "here" if k.present else "not fetched", str(k.path)) for k in store.listing(cache)]
    if as_json:
        show_json([dict(zip(("name", "state", "path"), row, strict=True)) for row in rows])
    else:
        show(table(("File", "State", "Path"), rows))
