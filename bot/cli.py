"""The `luthier` command: it knows every sub-command by name, not what they do (`bot.shell` and the processes do)."""

import logging
import signal
import sys
import threading
from dataclasses import replace
from types import FrameType
from typing import Annotated

import typer

from bot.shell import (
    advice,
    answers,
    api,
    converting,
    costs,
    datasets,
    ending,
    feedback,
    generating,
    jobs,
    knowledge,
    linting,
    plans,
    price_list,
    prompting,
    provider,
    settings,
    verdicts,
    voice,
    weights,
)
from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Should we fine-tune, use RAG, or just prompt? Luthier answers, prices it, trains it and tests it.",
)
answers.register(app)
feedback.register(app)
knowledge.register(app)
advice.register(app)
linting.register(app)
converting.register(app)
costs.register(app)
price_list.register(app)
datasets.register(app)
plans.register(app)
prompting.register(app)
generating.register(app)
voice.register(app)
jobs.register(app)
provider.register(app)
verdicts.register(app)
settings.register(app)
api.register(app)
weights.register(app)


def main() -> None:
    """Run a command; exit 0 when it is done, 1 when it was blocked or failed, 2 when it was used wrongly."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    sys.exit(ending.run(app, sys.argv[1:]))


@app.command(rich_help_panel="Running")
def up(
    port: Annotated[int | None, typer.Option(help="Port of the local Slack; default PORT or 8765.")] = None,
    people: Annotated[int, typer.Option(help="People in each workspace of the local Slack, 1 to 24.")] = 3,
    workspaces: Annotated[int, typer.Option(help="Workspaces of the local Slack, 1 to 5.")] = 1,
    faults: Annotated[bool, typer.Option("--faults", help="Let the local Slack be late, double and failing.")] = False,
    rehearse: Annotated[
        str, typer.Option(help="openai or azure: rehearse its jobs with a provider here that trains nothing.")
    ] = "",
) -> None:
    """Start everything on this machine: local Slack, web, workers, messenger, sweeper, queue and vector server."""
    from bot.settings import Settings
    from bot.up import LocalSlack
    from bot.up import up as start

    settings = Settings.from_env(rehearse=rehearse) if rehearse else Settings.from_env()
    local = LocalSlack(people=people, workspaces=workspaces, faults=faults, rehearse=rehearse)
    chosen = None if local == LocalSlack() else local
    start(settings if port is None else replace(settings, port=port), say, chosen)


@app.command()
def web(port: Annotated[int | None, typer.Option(help="Port to listen on; default PORT.")] = None) -> None:
    """Take Slack's requests (the web process)."""
    import uvicorn

    from bot.app import create_app
    from bot.settings import Settings
    from bot.store.engine import open_engine
    from bot.store.schema import check_schema

    settings = Settings.from_env()
    check_schema(open_engine(settings.database))
    host = "127.0.0.1" if settings.slack_api_url else "0.0.0.0"  # noqa: S104  # a hosted web process faces Slack
    uvicorn.run(create_app(settings), host=host, port=port or settings.port, log_level="warning")


@app.command()
def worker(queue: Annotated[str, typer.Argument(help="io, cpu or gpu")]) -> None:
    """Work on one queue (a worker process)."""
    from bot.settings import Settings
    from bot.worker import run
    from trainers.jobs.queue import QUEUES

    if queue not in QUEUES:
        raise fail_usage(f"There is no queue {queue!r}: it is one of {', '.join(QUEUES)}.")
    run(Settings.from_env(), queue)


@app.command()
def messenger() -> None:
    """Post what jobs have to say (the messenger process)."""
    from bot.messenger import run
    from bot.settings import Settings

    run(Settings.from_env(), until_told())


@app.command()
def sweeper() -> None:
    """Wake workers for jobs that are due or abandoned (the sweeper process)."""
    from bot.settings import Settings
    from bot.sweeper import run

    run(Settings.from_env(), until_told())


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from bot.settings import Settings
    from bot.store.engine import open_engine
    from bot.store.migrate import migrate as bring_to_head

    settings = Settings.from_env()
    bring_to_head(open_engine(settings.database), settings.run)
    say("The database is up to date.")


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Say what is running, what is installed and what leaves this machine."""
    from bot.doctor import examine
    from bot.settings import Settings

    found = examine(Settings.from_env())._asdict()
    show_json(found) if as_json else show("\n".join(f"{name}: {value}" for name, value in found.items()))


@app.command()
def install() -> None:
    """Install the training tools (torch, transformers, peft) and fetch the base model."""
    from bot import install as tools
    from bot.settings import Settings

    raise typer.Exit(tools.install(Settings.from_env()))


def until_told() -> threading.Event:
    """Return an event that SIGTERM and Ctrl-C set."""
    over = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return over
