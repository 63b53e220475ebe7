"""Confusions of any size are drawn for a phone, and their texts say the same."""

import random
import struct

import pytest

from trainers.evals.confusion_chart import confusion_alt, confusion_chart
from trainers.evals.metrics.confusion import Confusion, confusion_of


def drawn(labels: list[str], rows: int = 100) -> Confusion:
    draw = random.Random(len(labels))
    pairs = [(draw.choice(labels), draw.choice([*labels, "x y z", None])) for _ in range(rows)]
    return confusion_of(pairs, labels)


@pytest.mark.parametrize(
    "labels",
    [
        ["a"], ["spam", "ham"], ["one", "two", "three", "four", "five"], [f"label number {one}" for one in range(12)],
        [f"label number {one}" for one in range(13)], [f"a very long label, number {one}, " * 3 for one in range(50)],
        ["$x$", "$5", "a_b^c", "\\frac"], ["日本語", "🙂", "العربية", "\x07", "ok"],
    ],
    ids=lambda labels: f"{len(labels)}-{labels[0][:6]!a}",
)  # fmt: skip
def test_any_confusion_can_be_drawn(labels: list[str]) -> None:
    """One label to fifty, long ones, formulas and letters without a glyph give a picture of one size and a text."""
    found = drawn(labels)
    png = confusion_chart(found)
    assert struct.unpack(">II", png[16:24]) == (1200, 675)
    assert f"{found.right} of {found.n} right" in confusion_alt(found)


def test_nothing_to_draw_is_drawn_too() -> None:
    """No rows, and no mistake among many labels, are pictures as well."""
    for found in (
        confusion_of([], ()),
        confusion_of([], ("a", "b")),
        confusion_of([(f"l{one}",) * 2 for one in range(20)], ()),
    ):
        assert confusion_chart(found).startswith(b"\x89PNG")
        assert confusion_alt(found).endswith("right, no mistake.")


def test_the_text_names_the_mistakes() -> None:
    """Commonest first, silence as none of these, and what is not named is counted."""
    found = confusion_of([("ham", "spam"), ("ham", "spam"), ("spam", None), ("spam", "spam")], ("spam", "ham"))
    assert confusion_alt(found) == (
        "Table of right and answered labels: 1 of 4 right. Mistakes: ham → spam 2; spam → none of these 1."
    )
    many = confusion_alt(drawn([f"l{one}" for one in range(30)], rows=40))
    assert many.startswith("Bar chart")
    assert many.endswith(" other mistakes.")
