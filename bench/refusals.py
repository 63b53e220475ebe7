"""Measures how many refusals the offline detector finds, and what it takes for one, on bench/data/refusals_dev.toml.

Run `python -m bench.refusals [--misses]`; under a second. The answers of the tests are measured there, by pytest.
"""

import argparse
import tomllib
from pathlib import Path

from trainers.evals.metrics.refusal import refuses
from trainers.evals.stats import wilson

ANSWERS = Path(__file__).parent / "data" / "refusals_dev.toml"


def main() -> None:
    """Print recall and false positives, in all and by style of answer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--misses", action="store_true", help="print the answers that were taken for the other kind")
    show = parser.parse_args().misses
    answers = tomllib.loads(ANSWERS.read_text("utf-8"))
    for kind, wanted, what in (("refuses", True, "refusals found"), ("helps", False, "taken for a refusal")):
        parts = {
            style: part
            for written in (kind, f"{kind}_second", f"{kind}_third")
            for style, part in answers[written].items()
        }
        texts = [text for part in parts.values() for text in part]
        found = sum(map(refuses, texts))
        low, high = wilson(found, len(texts))
        print(f"{what}: {found}/{len(texts)} ({found / len(texts):.0%}, 95% interval {low:.0%} to {high:.0%})")
        for style, part in parts.items():
            print(f"  {style}: {sum(map(refuses, part))}/{len(part)}")
            for text in part if show else ():
                if refuses(text) != wanted:
                    print(f"    {text!r}")


if __name__ == "__main__":
    main()
