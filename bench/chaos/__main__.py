"""Kills everything at random moments while jobs run at a provider that pretends, and judges by what others wrote down.

python -m bench.chaos --jobs 500 --kills 50 --redis-wipes 3 --seed 7 --json
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rq

from bench.chaos.driver import Plan, Result, Run
from bench.chaos.world import world


def main() -> int:
    """Run once; 0 where nothing was lost, paid twice or left behind."""
    options = _parser().parse_args()
    plan = Plan(
        jobs=options.jobs,
        kills=options.kills,
        redis_wipes=options.redis_wipes,
        seed=options.seed,
        naive=options.naive,
        stall=options.stall or (6.0 if options.naive else 60.0),
    )
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what it started ends with it
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        data = Path(options.data or folder)
        ledger = options.ledger or data / "provider.jsonl"
        ledger.unlink(missing_ok=True)
        with world(data, ledger, seed=plan.seed, postgres=options.database == "postgres") as around:
            result = Run(plan=plan, world=around).go()
    said = _said(plan, result, time.monotonic() - begun, options.database)
    if not options.json:
        print("\n".join(f"{name}: {value}" for name, value in said.items()))
    print(json.dumps(said))
    return 1 if said["lost"] or said["paid_twice"] or said["orphans"] else 0


def _said(plan: Plan, result: Result, seconds: float, database: str) -> dict[str, Any]:
    figures = asdict(result.verdict)
    orphans = figures.pop("orphans") + len(result.left)
    return {
        "jobs": plan.jobs,
        "kills": result.done["kills"],
        "redis_wipes": result.done["wipes"],
        "stops": result.done["stops"],
        **figures,
        "orphans": orphans,
        "processes_left": result.left,
        "failures": result.failures,
        "ended": result.ended,
        "asked": result.asked,
        "recovered": result.recovered._asdict(),
        "clicks": result.clicks[0],
        "clicks_unanswered": result.clicks[1],
        "seconds": round(seconds, 1),
        "seed": plan.seed,
        "database": database,
        "rq": rq.VERSION,
        "naive": plan.naive,
        "ways": {way: count for way, count in sorted(result.done.items()) if " " in way},
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=500, help="jobs to run (default: 500)")
    parser.add_argument("--kills", type=int, default=50, help="SIGKILLs, at most ten a second (default: 50)")
    parser.add_argument("--redis-wipes", type=int, default=3, help="deaths of Valkey with its data (default: 3)")
    parser.add_argument("--seed", type=int, default=7, help="of faults and of kills (default: 7)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--ledger", type=Path, help="where the provider's ledger stays; default: nowhere")
    parser.add_argument("--data", type=Path, help="data folder to keep, with logs; default: a temporary one")
    parser.add_argument("--stall", type=float, default=0.0, help="seconds without progress that end the run")
    parser.add_argument("--naive", action="store_true", help="use a worker without our protocol: it has to fail")
    parser.add_argument("--json", action="store_true", help="print nothing but the line of JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
