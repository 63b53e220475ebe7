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
    except (ManifestError, OSError) as error:
        print(f"The local Slack cannot start. {_advice(error, flags.port)}", file=sys.stderr)
        return 2
    print(f"Local Slack: {settings.address}", flush=True)
    config = uvicorn.Config(
        create_app(settings), log_level="warning", access_log=False, ws="none", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.console",
        description="A Slack that fits in a folder, on 127.0.0.1 only.",
        epilog="Secrets: SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN in the environment, or the flags.",
    )
    parser.add_argument("--port", type=int, default=8765, help="port of the page and the API (default 8765)")
    parser.add_argument("--app-url", default="http://127.0.0.1:9000/slack/events", help="where the app takes requests")
    parser.add_argument("--data", type=Path, default=Path("console-data"), help="folder of database and files")
    parser.add_argument("--manifest", type=Path, help="manifest of the app (YAML or JSON)")
    parser.add_argument("--bar", default="nothing leaves this machine", help="what the page's bar says")
    parser.add_argument("--remote-endpoint", action="append", default=[], help="a remote address in use; repeatable")
    parser.add_argument("--signing-secret", default="", help="signs requests to the app")
    parser.add_argument("--bot-token", default="", help="the app's token")
    return parser


def _settings(flags: argparse.Namespace, environ: Mapping[str, str]) -> ConsoleSettings:
    """Secrets that nobody gave are made up and printed, so that an app can be pointed here by hand."""
    secret = flags.signing_secret or environ.get("SLACK_SIGNING_SECRET", "")
    token = flags.bot_token or environ.get("SLACK_BOT_TOKEN", "")
    if not secret:
        secret = secrets.token_hex(16)
        print(f"SLACK_SIGNING_SECRET={secret}", file=sys.stderr)
    if not token:
        token = f"xoxb-local-{secrets.token_hex(12)}"
        print(f"SLACK_BOT_TOKEN={token}", file=sys.stderr)
    return ConsoleSettings(
        port=flags.port,
        app_url=flags.app_url,
        data=flags.data,
        signing_secret=secret,
        bot_token=token,
        manifest=load_manifest(flags.manifest),
        bar=flags.bar,
        remote_endpoints=tuple(flags.remote_endpoint),
    )


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
