"""Scores reading apart from deciding: facts read from labelled texts, and answers from labelled facts.

Run `python -m bench.reading [--texts FILE | --facts FILE --cases FILE...] [--reader NAME]`; without files it takes the
shipped ones. `--texts` has JSON lines with text and facts: name to value, or to an object with value and span.
`--facts` has lines with id and such facts, `--cases` the cases of those ids with use_case and expected: the decision is
scored on the labelled facts alone, and the reader on the texts of the cases. A number counts as read where it is within
10% of the label. The shipped sentences and labels were written apart from rubric and code.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.advice import DATA, PUBLISHED, Scored, confusion, fine, lines, rates
from bench.rates import rate
from bench.readers import NAMES, readers
from knowledge.advice.advise import advise
from knowledge.advice.facts import IMPRESSIONS, NUMBERS, Value, from_mapping, known
from knowledge.advice.facts import NAMES as FACTS
from knowledge.advice.reader import Reader

WITHIN = 0.1
"""Share by which a number may be off."""

Values = Mapping[str, Value]


class Counts(NamedTuple):
    """What a reader did with the facts of many texts, by fact."""

    labelled: Counter[str]
    read: Counter[str]
    right: Counter[str]
    clean: int
    """Texts in which every fact was right and none was too many."""
    silent: tuple[int, int]
    """Texts without any fact from which nothing was read, and how many such texts there are."""


def main() -> None:
    """Score what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="JSON lines with text and facts")
    parser.add_argument("--facts", type=Path, help="JSON lines with id and facts")
    parser.add_argument("--cases", type=Path, nargs="+", help="JSON lines with id, use_case, expected")
    parser.add_argument("--reader", choices=NAMES, help="score this one alone; default: all that are here")
    parser.add_argument("--errors", action="store_true", help="print what was read wrongly, text by text")
    chosen = parser.parse_args()
    if bool(chosen.facts) != bool(chosen.cases):
        parser.error("--facts and --cases go together")
    found = readers()
    if chosen.reader and chosen.reader not in found:
        parser.error(f"the weights of the reader {chosen.reader} are not here")
    found = {chosen.reader: found[chosen.reader]} if chosen.reader else found
    everything = not chosen.texts and not chosen.facts
    if chosen.texts or everything:
        read_texts(chosen.texts or DATA / "reading_sentences.jsonl", found, errors=chosen.errors)
    if chosen.facts or everything:
        cases = chosen.cases or [DATA / name for name in PUBLISHED]
        decide(chosen.facts or DATA / "reading_facts.jsonl", cases, found, errors=chosen.errors)


def read_texts(path: Path, found: Mapping[str, Reader], *, errors: bool) -> None:
    """Score each reader on labelled texts."""
    labelled = [(str(each["text"]), plain(each["facts"])) for each in lines(path)]
    for name, reader in found.items():
        print(f"\n{path.name}, read by {name} (n={len(labelled)})")
        report(labelled, reader, errors=errors)


def decide(path: Path, cases: Sequence[Path], found: Mapping[str, Reader], *, errors: bool) -> None:
    """Score the decision on facts that people labelled, then each reader on the texts of those cases."""
    by_id = {case["id"]: case for file in cases for case in lines(file)}
    facts = {each["id"]: plain(each["facts"]) for each in lines(path) if each["id"] in by_id}
    print(f"\n{path.name}: the decision on labelled facts (n={len(facts)})")
    rows = []
    for case_id, values in facts.items():
        advice = advise("", facts=from_mapping(values))
        rows.append(Scored(by_id[case_id], advice.recommendation, advice.confidence, 0.0))
    print(f"  labelled facts:{rates(rows)}")
    confusion(rows)
    for row in rows:
        if not fine(row):
            print(f"  miss {row.case['id']}: expected {row.case['expected']}, got {row.answer} ({row.confidence})")
    for name, reader in found.items():
        print(f"\n{path.name}: the texts of those cases, read by {name} (n={len(facts)})")
        report([(by_id[case_id]["use_case"], values) for case_id, values in facts.items()], reader, errors=errors)


def plain(facts: Mapping[str, Any]) -> dict[str, Value]:
    """Return values without their spans; raises UnknownFact for a name or value that does not exist."""
    values = {name: each["value"] if isinstance(each, dict) else each for name, each in facts.items()}
    return known(from_mapping(values))


def report(labelled: Sequence[tuple[str, Values]], reader: Reader, *, errors: bool) -> None:
    """Print precision and recall by fact, and over all facts with intervals."""
    counts = count(labelled, reader, errors=errors)
    print(f"  {'fact':30} labelled  read  right  precision  recall")
    for name in FACTS:
        gold, read, right = counts.labelled[name], counts.read[name], counts.right[name]
        if gold or read:
            print(f"  {name:30} {gold:8} {read:5} {right:6}  {share(right, read):>9}  {share(right, gold):>6}")
    right, gold, read = counts.right.total(), counts.labelled.total(), counts.read.total()
    print(f"  precision              {rate(right, read)}")
    print(f"  recall                 {rate(right, gold)}")
    print(f"  F1                     {2 * right / max(1, gold + read):.2f}")
    print(f"  texts without an error {rate(counts.clean, len(labelled))}")
    print(f"  nothing read where nothing is said {rate(*counts.silent)}")


def count(labelled: Sequence[tuple[str, Values]], reader: Reader, *, errors: bool = False) -> Counts:
    """Read every text and count."""
    gold: Counter[str] = Counter()
    told: Counter[str] = Counter()
    right: Counter[str] = Counter()
    clean = silent = 0
    for text, values in labelled:
        read = {name: value for name, value in known(reader(text).facts).items() if name not in IMPRESSIONS}
        met = {name for name, value in read.items() if name in values and same(name, value, values[name])}
        gold.update(values.keys())
        told.update(read.keys())
        right.update(met)
        clean += met == read.keys() == values.keys()
        silent += not values and not read
        if errors and not met == read.keys() == values.keys():
            print(f"  {text}")
            for name in sorted((read.keys() | values.keys()) - met):
                print(f"    {name}: labelled {values.get(name)}, read {read.get(name)}")
    return Counts(gold, told, right, clean, (silent, sum(not values for _, values in labelled)))


def same(name: str, read: Value, labelled: Value) -> bool:
    """Tell whether a value was read right."""
    if name in NUMBERS:
        return abs(int(read) - int(labelled)) <= WITHIN * int(labelled)
    return read == labelled


def share(part: int, whole: int) -> str:
    """Write a share in percent, or a dash for a share of nothing."""
    return f"{part / whole:.0%}" if whole else "-"


if __name__ == "__main__":
    main()
