"""Starts the rehearsal provider: OpenAI's fine-tuning API without training, for practice and for tests of money.

python -m trainers.rehearsal --port 8099 --ledger provider.jsonl --faults '{"start": {"drop_after": 0.02}}' --seed 7
"""

import argparse
import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn

from trainers.openai_api.objects import EVENT_TYPES
from trainers.rehearsal.app import Rehearsal, build_app
from trainers.rehearsal.book import Book
from trainers.rehearsal.chat_models import Pretender
from trainers.rehearsal.faults import CALLS, FAULTS, Faults
from trainers.rehearsal.life import NOTHING, Pace
from trainers.rehearsal.talking import Talker

SECRET_VARIABLE = "REHEARSAL_WEBHOOK_SECRET"  # noqa: S105  # its name


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    rehearsal = _rehearsal(options)
    if options.webhook:
        if SECRET_VARIABLE not in os.environ:
            sys.exit(f"Set {SECRET_VARIABLE} to the secret (whsec_…) that webhooks are to be signed with.")
        hook, _ = rehearsal.hooks_kept.add("start", options.webhook, EVENT_TYPES, os.environ[SECRET_VARIABLE])
        print(f"Webhooks go to {hook.url}, signed with {hook.secret_hint}", flush=True)
    print(f"A {NOTHING}. http://127.0.0.1:{options.port}/v1, ledger {options.ledger}", flush=True)
    uvicorn.run(build_app(rehearsal), host="127.0.0.1", port=options.port, log_level="warning", ws="none")


def _rehearsal(options: argparse.Namespace) -> Rehearsal:
    validating, queued, running = options.pace
    like: dict[str, Any] = _likes()[options.like] if options.like else {}
    return Rehearsal(
        book=Book(path=options.ledger),
        faults=Faults.from_json(options.faults, options.seed),
        pace=Pace(validating=validating, queued=queued, running=running),
        shutdowns={**like.get("models", {}), **dict(name.partition("=")[::2] for name in options.model)},
        paused_status=like.get("paused", "queued"),
        talker=Talker(rows=Pretender.from_files(options.rows) if options.rows else None),
    )


def _likes() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("likes.toml").read_text(encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    said = "\n".join(f"  {name:13} {meaning}" for name, meaning in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m trainers.rehearsal",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__,
        epilog="Bases: any name; fine-tuned ones are listed at /v1/models when a job ends. It is no chat server for "
        "drafting rows: that is python -m knowledge.rehearsal_rows, which takes any name.\n\n"
        f"Faults, by call ({', '.join(CALLS)}):\n{said}\n"
        'Also: "script": {"start": ["drop_after", ""]}, slow_seconds, late_seconds, retry_after, list_lag, metadata.',
    )
    parser.add_argument("--port", type=int, default=8099, help="port on 127.0.0.1 (default: 8099)")
    parser.add_argument("--ledger", type=Path, default=Path("rehearsal.jsonl"), help="JSON lines of what was accepted")
    parser.add_argument("--faults", default="{}", help="JSON: call -> fault -> rate, and durations")
    parser.add_argument("--seed", type=int, default=7, help="which calls go wrong (default: 7)")
    parser.add_argument("--like", choices=sorted(_likes()), help="offer this provider's bases and words for states")
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME[=DAY]", help="a further base, and the day of its shutdown"
    )
    parser.add_argument("--rows", type=Path, action="append", default=[], help="JSONL with right answers for chats")
    parser.add_argument("--webhook", default="", help=f"address told how jobs end; its secret: {SECRET_VARIABLE}")
    parser.add_argument(
        "--pace",
        type=float,
        nargs=3,
        default=(0.5, 0.5, 2.0),
        metavar=("VALIDATING", "QUEUED", "RUNNING"),
        help="seconds of each state of a job (default: 0.5 0.5 2)",
    )
    return parser


if __name__ == "__main__":
    main()
