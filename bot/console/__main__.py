"""Starts the local Slack as its own process: `python -m bot.console`. Reads flags and the two secrets, nothing else."""

import argparse
import fcntl
import os
import secrets
import socket
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

import uvicorn
from starlette.applications import Starlette

from bot.console.manifest import ManifestError, load_manifest
from bot.console.seed import PEOPLE, TEAMS
from bot.console.server import create_app
from bot.console.workspace import ConsoleSettings

HOST = "127.0.0.1"


class StartError(Exception):
    """The local Slack cannot start; the text says why and what to do."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong with a flag in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Exit 2."""
        self.exit(2, f"The local Slack cannot start: {message}. --help lists all flags.\n")


class Server(uvicorn.Server):
    """Ends live event streams before it waits for requests to end."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        super().__init__(
            uvicorn.Config(
                app, log_level="warning", access_log=False, ws="websockets-sansio", timeout_graceful_shutdown=1
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._app.state.site.closing.set()
        await super().shutdown(sockets)


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run until stopped. Exit 0 when stopped, 2 when it cannot start."""
    flags = _parser().parse_args(argv)
    try:
        settings = _settings(flags, environ)
        with _listen(flags.port) as listener, _claim(flags.data):
            server = Server(create_app(settings))
            print(f"Local Slack: {settings.address}", flush=True)
            server.run(sockets=[listener])
    except (StartError, ManifestError, ValueError) as error:
        print(f"The local Slack cannot start. {error}", file=sys.stderr)
        return 2
    except sqlite3.DatabaseError as error:
        print(f"The local Slack cannot use its database in {flags.data} ({error}): move that away.", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m bot.console",
        description="A Slack that fits in a folder, on 127.0.0.1 only.",
        epilog="Secrets come from the environment: SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN (one for each workspace, with "
        "commas between), SLACK_APP_TOKEN for Socket Mode, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET for installing.",
    )
    parser.add_argument(
        "--port", type=_between(1, 65535), default=8765, help="port of the page and the API (default 8765)"
    )
    parser.add_argument("--app-url", default="http://127.0.0.1:9000/slack/events", help="where the app takes requests")
    parser.add_argument("--data", type=Path, default=Path("console-data"), help="folder of database and files")
    parser.add_argument("--manifest", type=Path, help="manifest of the app (YAML or JSON)")
    parser.add_argument("--bar", default="nothing leaves this machine", help="what the page's bar says")
    parser.add_argument("--remote-endpoint", action="append", default=[], help="a remote address in use; repeatable")
    parser.add_argument(
        "--people", type=_between(1, len(PEOPLE)), default=3, help=f"in each workspace, 1 to {len(PEOPLE)} (default 3)"
    )
    parser.add_argument(
        "--workspaces",
        type=_between(1, len(TEAMS)),
        default=1,
        help=f"teams with the app, 1 to {len(TEAMS)} (default 1)",
    )
    parser.add_argument("--faults", action="store_true", help="duplicate, late and failing deliveries and answers")
    parser.add_argument("--rate-limits", action="store_true", help="answer 429 over each method's rate")
    parser.add_argument("--seed", type=int, default=0, help="what faults are drawn from (default 0)")
    return parser


def _between(least: int, most: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {least} to {most}")
        return number

    return whole_number


def _settings(flags: argparse.Namespace, environ: Mapping[str, str]) -> ConsoleSettings:
    """Secrets that nobody gave are made up and printed, so that an app can be pointed here by hand."""
    manifest = load_manifest(flags.manifest)
    tokens = [each for each in environ.get("SLACK_BOT_TOKEN", "").replace(",", " ").split() if each]
    missing = range(len(tokens), flags.workspaces)
    tokens += [_made_up("SLACK_BOT_TOKEN", f"xoxb-local-{secrets.token_hex(12)}") for _ in missing]
    return ConsoleSettings(
        port=flags.port,
        app_url=flags.app_url,
        data=flags.data,
        signing_secret=_secret(environ, "SLACK_SIGNING_SECRET", ""),
        bot_tokens=tuple(tokens[: flags.workspaces]),
        app_token=_secret(environ, "SLACK_APP_TOKEN", "xapp-1-local-"),
        client_id=_secret(environ, "SLACK_CLIENT_ID", ""),
        client_secret=_secret(environ, "SLACK_CLIENT_SECRET", ""),
        people=flags.people,
        manifest=manifest,
        bar=flags.bar,
        remote_endpoints=tuple(flags.remote_endpoint),
        rate_limits=flags.rate_limits,
        faults=flags.faults,
        seed=flags.seed,
    )


def _secret(environ: Mapping[str, str], name: str, prefix: str) -> str:
    return environ.get(name) or _made_up(name, f"{prefix}{secrets.token_hex(16)}")


def _made_up(name: str, value: str) -> str:
    print(f"{name}={value}", file=sys.stderr)
    return value


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        why = f"Port {port} on {HOST} cannot be used ({error.strerror}). Choose another with --port."
        raise StartError(why) from error
    return listener


def _claim(data: Path) -> IO[str]:
    """Make the folder ours until the handle is closed: two processes on one folder would overwrite each other."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        why = f"The folder {data} cannot be used ({error.strerror}). Choose another with --data."
        raise StartError(why) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        why = f"Another local Slack uses the folder {data}. Stop it, or choose another with --data."
        raise StartError(why) from error
    return lock


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
