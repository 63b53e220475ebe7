"""Starts the rehearsal chat endpoint: a base and a tuned model that only pretend, with faults and a list of charges.

python -m trainers.rehearsal.chat --port 8098 --rows test.jsonl --rows train.jsonl --charges charges.jsonl \\
    --faults '{"busy": 0.1, "drop_after": 0.02}'
"""

import argparse
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import uvicorn

from trainers.rehearsal.chat_app import ChatRehearsal, build_app
from trainers.rehearsal.chat_faults import CHAT_FAULTS, ChatFaults
from trainers.rehearsal.chat_models import BASE, TUNED, Pretender


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    rehearsal = ChatRehearsal(
        models=Pretender.from_files(options.rows, base_right=options.base_right),
        charges=options.charges,
        faults=ChatFaults(seed=options.seed, **json.loads(options.faults)),
        price_in=options.price_in,
        price_out=options.price_out,
    )
    print(f"No language model, only a rehearsal of one. http://127.0.0.1:{options.port}/v1, models {BASE} and {TUNED}")
    uvicorn.run(build_app(rehearsal), host="127.0.0.1", port=options.port, log_level="warning", ws="none")


def _parser() -> argparse.ArgumentParser:
    said = "\n".join(f"  {name:13} {meaning}" for name, meaning in CHAT_FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m trainers.rehearsal.chat",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__,
        epilog=f"Faults, as shares of calls:\n{said}\nAlso: script, latency, slow_seconds, retry_after, busy_for, "
        "per_second.",
    )
    parser.add_argument("--port", type=int, default=8098, help="port on 127.0.0.1 (default: 8098)")
    parser.add_argument("--rows", type=Path, action="append", default=[], help="JSONL with the right answers")
    parser.add_argument("--charges", type=Path, default=Path("charges.jsonl"), help="JSON lines of what was charged")
    parser.add_argument("--base-right", type=float, default=0.3, help="share that the base gets right (default: 0.3)")
    parser.add_argument("--price-in", type=Decimal, default=Decimal(1), help="dollars per million prompt tokens")
    parser.add_argument("--price-out", type=Decimal, default=Decimal(2), help="dollars per million output tokens")
    parser.add_argument("--faults", default="{}", help="JSON: fault -> rate, and durations")
    parser.add_argument("--seed", type=int, default=7, help="which calls go wrong (default: 7)")
    return parser


if __name__ == "__main__":
    main()
