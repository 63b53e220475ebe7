"""Starts the local Slack as its own process: `python -m bot.console`. Reads flags and the two secrets, nothing else."""

import argparse
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import uvicorn

from bot.console.manifest import ManifestError, load_manifest
from bot.console.server import create_app
from bot.console.workspace import ConsoleSettings

HOST = "127.0.0.1"


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run until stopped. Exit 0 when stopped, 2 when it cannot start."""
    flags = _parser().parse_args(argv)
    try:
        settings = _settings(flags, environ)
        listener = _listen(flags.port)
    except (ManifestError, OSError, ValueError) as error:
        print(f"The local Slack cannot start. {_advice(error, flags.port)}", file=sys.stderr)
        return 2
    print(f"Local Slack: {settings.address}", flush=True)
    config = uvicorn.Config(
        create_app(settings), log_level="warning", access_log=False, ws="websockets-sansio", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.console",
        description="A Slack that fits in a folder, on 127.0.0.1 only.",
        epilog="Secrets come from the environment: SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN (one for each workspace, with "
        "commas between), SLACK_APP_TOKEN for Socket Mode, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET for installing.",
    )
    parser.add_argument("--port", type=int, default=8765, help="port of the page and the API (default 8765)")
    parser.add_argument("--app-url", default="http://127.0.0.1:9000/slack/events", help="where the app takes requests")
    parser.add_argument("--data", type=Path, default=Path("console-data"), help="folder of database and files")
    parser.add_argument("--manifest", type=Path, help="manifest of the app (YAML or JSON)")
    parser.add_argument("--bar", default="nothing leaves this machine", help="what the page's bar says")
    parser.add_argument("--remote-endpoint", action="append", default=[], help="a remote address in use; repeatable")
    parser.add_argument("--people", type=int, default=3, help="people in each workspace (default 3)")
    parser.add_argument("--workspaces", type=int, default=1, help="workspaces that the app is installed in (default 1)")
    parser.add_argument("--faults", action="store_true", help="duplicate, late and failing deliveries and answers")
    parser.add_argument("--rate-limits", action="store_true", help="answer 429 over each method's rate")
    parser.add_argument("--seed", type=int, default=0, help="what faults are drawn from (default 0)")
    return parser


def _settings(flags: argparse.Namespace, environ: Mapping[str, str]) -> ConsoleSettings:
    """Secrets that nobody gave are made up and printed, so that an app can be pointed here by hand."""
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
        manifest=load_manifest(flags.manifest),
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
    except OSError:
        listener.close()
        raise
    return listener


def _advice(error: Exception, port: int) -> str:
    if isinstance(error, OSError):
        return f"Port {port} on {HOST} cannot be used ({error.strerror}). Choose another with --port."
    return str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
