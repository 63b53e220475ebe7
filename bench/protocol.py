"""Searches the protocol of paid calls to its end and spoils it on purpose; prints states, seconds and what was caught.

Run `python -m bench.protocol [--full] [--json]`; the last line is JSON with --json. The quick form takes some 20 s.
"""

import argparse
import json
import time
from typing import Any

from tests.trainers.jobs.protocol_model import MUTANTS, Budget, Rules, flaw, search

QUICK = {
    "two workers, one death": Budget(crashes=1, jumps=0),
    "two workers, one clock jump": Budget(crashes=0, jumps=1),
}
FULL = {
    "two workers, two deaths": Budget(crashes=2, jumps=0),
    "two workers, one death, one clock jump": Budget(),
    "two workers, one death, spending forbidden, a person decides": Budget(jumps=0, bans=1, answers=1),
    "three workers": Budget(workers=3, crashes=0, jumps=0),
}

SPOILS = (
    Budget(crashes=0, jumps=1, stop=False),
    Budget(crashes=1, jumps=0, stop=False),
    Budget(crashes=0, jumps=1),
)


def main() -> None:
    """Print a line for each search and each spoilt protocol; exit 1 if one is not as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="more deaths, jumps and workers (some minutes)")
    parser.add_argument("--json", action="store_true", help="print the figures once more, as JSON on the last line")
    options = parser.parse_args()
    searches = [searched(name, budget) for name, budget in (QUICK | (FULL if options.full else {})).items()]
    mutants = [spoilt(name) for name in MUTANTS]
    if options.json:
        print(json.dumps({"searches": searches, "mutants": mutants}))
    if any(each["problems"] for each in searches) or not all(each["caught"] for each in mutants):
        raise SystemExit(1)


def searched(name: str, budget: Budget) -> dict[str, Any]:
    """Visit every state of the protocol as it is."""
    start = time.process_time()
    found = search(Rules(), budget)
    spent = time.process_time() - start
    said = ", ".join(found.problems) or "nothing broken"
    print(f"{name}: {found.states:,} states, {found.edges:,} steps, {spent:.1f} s of CPU, {said}", flush=True)
    return {"name": name, "states": found.states, "seconds": round(spent, 1), "problems": list(found.problems)}


def spoilt(name: str) -> dict[str, Any]:
    """Look for the first broken promise of a protocol that lacks a line."""
    start = time.process_time()
    caught = next(filter(None, (flaw(MUTANTS[name], budget) for budget in SPOILS)), "")
    spent = time.process_time() - start
    print(f"mutant, {name}: {caught or 'NOT CAUGHT'} ({spent:.1f} s)", flush=True)
    return {"name": name, "caught": caught, "seconds": round(spent, 1)}


if __name__ == "__main__":
    main()
