"""Measures how well one text's style score tells a brand from others, by length; it does not ship the texts.

Run `python -m bench.style` for the voices of the tests, or give plain text files of one writer each:
`python -m bench.style --brand A.txt B.txt --held C.txt --other D.txt [--reference E.txt]`. Printed for each length:
mean percentile of unseen brand texts (0.5 is right) and of others, AUROC of the score, the two-sample test's AUROC.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.trainers.evals.voices import brand, briefs, chatty, formal, written
from trainers.evals.style.delta import Voice
from trainers.evals.style.reference import plain_english
from trainers.evals.style.two_sample import auroc, compare

LENGTHS = (20, 50, 100, 200)
TRAIN, TEST = 200, 100


def main() -> None:
    """Print a line for each length and each kind of reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("brand", "held", "other", "reference"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[])
    chosen = parser.parse_args()
    for length in LENGTHS:
        if chosen.brand:
            own, held, other = (cut(files, length) for files in (chosen.brand, chosen.held, chosen.other))
            references(length, own, held, other, cut(chosen.reference, length))
        else:
            voices(length)


def voices(length: int) -> None:
    """Measure the voices of the tests; the reference is the chatty assistant, the other is the formal writer."""
    train, test = briefs(TRAIN, 1), briefs(TEST, 2)
    own = written(brand, train, 3, length)
    held, other = written(brand, test, 4, length), written(formal, test, 5, length)
    references(length, own, held, other, written(chatty, train, 6, length))


def references(
    length: int, own: Sequence[str], held: Sequence[str], other: Sequence[str], third: Sequence[str]
) -> None:
    """Measure without a reference, with the shipped one, and with texts of third writers if there are any."""
    measure(length, own, held, other, (), "no reference")
    measure(length, own, held, other, plain_english(), "plain English")
    if third:
        measure(length, own, held, other, third, "third writers")


def cut(files: Sequence[Path], length: int) -> list[str]:
    """Cut files into texts of so many words, in a fixed random order."""
    words = [word for file in files for word in file.read_text(encoding="utf-8", errors="replace").split()]
    texts = [" ".join(words[at : at + length]) for at in range(0, len(words) - length, length)]
    return [texts[at] for at in np.random.default_rng(1).permutation(len(texts))]


def measure(
    length: int, own: Sequence[str], held: Sequence[str], other: Sequence[str], reference: Sequence[str], title: str
) -> None:
    """Print how well the score and the two-sample test tell `held` from `other`."""
    voice = Voice(own[:TRAIN], reference[:TRAIN])
    near = [place.percentile for text in held[:TEST] if (place := voice.place(text))]
    far = [place.percentile for text in other[:TEST] if (place := voice.place(text))]
    n = min(60, len(held), len(other))
    test = compare(held[:n], other[:n])
    print(
        f"{length:4} words, {title:13}: percentile {np.mean(near):.2f} (others {np.mean(far):.2f}), "
        f"AUROC of one text {auroc(near, far):.2f}; two-sample on {n} pairs {test.auroc if test else float('nan'):.2f}"
    )


if __name__ == "__main__":
    main()
