"""Starts the rehearsal provider: OpenAI's fine-tuning API without training, for practice and for tests of money.

python -m trainers.rehearsal --port 8099 --ledger provider.jsonl --faults '{"start": {"drop_after": 0.02}}' --seed 7
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from trainers.rehearsal.app import Rehearsal, build_app
from trainers.rehearsal.book import Book
from trainers.rehearsal.faults import CALLS, FAULTS, Faults
from trainers.rehearsal.shapes import NOTHING, Pace


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    validating, queued, running = options.pace
    rehearsal = Rehearsal(
        book=Book(path=options.ledger),
        faults=Faults.from_json(options.faults, options.seed),
        pace=Pace(validating=validating, queued=queued, running=running),
    )
    print(f"A {NOTHING}. http://127.0.0.1:{options.port}/v1, ledger {options.ledger}", flush=True)
    uvicorn.run(build_app(rehearsal), host="127.0.0.1", port=options.port, log_level="warning", ws="none")


def _parser() -> argparse.ArgumentParser:
    said = "\n".join(f"  {name:13} {meaning}" for name, meaning in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m trainers.rehearsal",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__,
        epilog=f"Faults, by call ({', '.join(CALLS)}):\n{said}\n"
        'Also: "script": {"start": ["drop_after", ""]}, slow_seconds, late_seconds, retry_after, list_lag.',
    )
    parser.add_argument("--port", type=int, default=8099, help="port on 127.0.0.1 (default: 8099)")
    parser.add_argument("--ledger", type=Path, default=Path("rehearsal.jsonl"), help="JSON lines of what was accepted")
    parser.add_argument("--faults", default="{}", help="JSON: call -> fault -> rate, and durations")
    parser.add_argument("--seed", type=int, default=7, help="which calls go wrong (default: 7)")
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
