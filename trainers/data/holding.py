"""Holds rows of a file out to test on, where no test file was given: what belongs together stays on one side.

It reads and judges no file; what could not be kept apart is told as the linter tells it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.data.findings import Finding, plural, warn
from trainers.data.grouping import together
from trainers.data.jsonl import Row, rows_in
from trainers.data.likeness import without_digits
from trainers.data.limits import read_limits
from trainers.data.near import Ends, near_texts
from trainers.data.parsing import parse_object
from trainers.data.rules.groups import Groups, groups_of
from trainers.data.rules.repeats import Repeats
from trainers.data.rules.view import View
from trainers.data.source import Chat
from trainers.data.split import GOOD_TEST, LEAST_TRAIN, Split, split
from trainers.data.spool import Spool

TEST_FRACTION = 0.33
"""Share of rows held out when no test file is given."""

SPLIT_SEED = 7
"""One fixed seed, so that the same file is always split alike."""

_ROUNDS = 8
_LEAKS = frozenset({"test_overlap", "near_leak", "group_leak"})
_FIX = "Add rows that differ more, or give a test file of your own: the score would be too good to be true."


class Parts(NamedTuple):
    """Training and test rows as bytes, with the lines that they had; no lines: all, in their order."""

    train: bytes
    test: bytes
    train_lines: Sequence[int]
    test_lines: Sequence[int]
    findings: tuple[Finding, ...] = ()
    """What is half known on both sides, because it could not be kept apart; by the lines of the file that was read."""


def hold_out(train: bytes, chats: Sequence[Chat] = (), group: str = "") -> Parts:
    """Divide rows into training and held-out ones; raises UserError where there are too few.

    `chats` are the same rows as they stood in the file that they are from, with keys and lines that it had there. Rows
    with the same value of the field `group`, if one is named, stay on one side, or nothing is divided.
    """
    rows = rows_in(train)
    lines = dict(enumerate(train.split(b"\n"), start=1))
    known = chats or [_chat(row, lines[row.line]) for row in rows]
    chosen = together(zip((row.line for row in rows), known, strict=True), group) if group else []
    parts = _divided(rows, known, chosen)
    held_out = {row.line for row in parts.test}

    def joined(part: Sequence[Row]) -> bytes:
        chosen = [lines[row.line].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r") for row in part]
        return b"\n".join(chosen) + b"\n"

    numbers = [[row.line for row in part] for part in parts]
    found = tuple(_leaks(known, [row.line in held_out for row in rows]))
    return Parts(joined(parts.train), joined(parts.test), numbers[0], numbers[1], (*found, *_few(parts)))


def _few(parts: Split) -> Iterator[Finding]:
    """Say where rows that belong together left too few to hold out."""
    rows, tested = len(parts.train) + len(parts.test), len(parts.test)
    if tested < GOOD_TEST <= rows - LEAST_TRAIN:
        message = f"Only {plural(tested, 'row')} of {rows:,} could be held out to test on: the others belong together. "
        message += f"Below {GOOD_TEST} no result can count as proof."
        yield warn("few_test_rows", (), message, "Add rows that differ more, or give a test file of your own.")


def _chat(row: Row, line: bytes) -> Chat:
    """Return a row that was read once more with all keys that its line has."""
    return Chat(row, {"messages": []}, parse_object(line.removeprefix(b"\xef\xbb\xbf"), read_limits()), "chat")


def _divided(rows: Sequence[Row], known: Sequence[Chat], chosen: Sequence[Sequence[int]]) -> Split:
    """Keep together all that belongs so; where that leaves nothing to divide, one kind of it, else what is equal.

    What somebody has `chosen` to keep together is never given up.
    """
    near, groups = list(_near(rows, len(rows))), _grouped(zip((row.line for row in rows), known, strict=True))
    for bundles in ([*near, *groups, *chosen], [*near, *chosen]):
        with suppress(UserError):
            return _apart(rows, bundles)
    with suppress(UserError):
        return split(rows, test_fraction=TEST_FRACTION, seed=SPLIT_SEED, together=[*groups, *chosen])
    return split(rows, test_fraction=TEST_FRACTION, seed=SPLIT_SEED, together=chosen)


def _apart(rows: Sequence[Row], bundles: Sequence[Sequence[int]]) -> Split:
    """Divide rows, again and again until the linter would find no near repeat on both sides, or no row is left to move.

    Near repeats come as chains of pairs: two rows of a chain may have been drawn apart.
    """
    parts = split(rows, test_fraction=TEST_FRACTION, seed=SPLIT_SEED, together=bundles)
    for _ in range(_ROUNDS):
        crossing = list(_near([*parts.train, *parts.test], len(parts.train)))
        if not crossing:
            break
        bundles = [*bundles, *crossing]
        try:
            parts = split(rows, test_fraction=TEST_FRACTION, seed=SPLIT_SEED, together=bundles)
        except UserError:
            break
    return parts


def _near(rows: Sequence[Row], known: int) -> Iterator[list[int]]:
    """Pair the lines of near repeats, each with one among the first `known` rows."""
    texts, ends = Spool(), Ends()
    for place, row in enumerate(rows):
        text = without_digits(row.prompt)
        texts.add(text)
        if place < known:
            ends.see(text)
    for pair in near_texts(texts, ends, known):
        if known == len(rows) or pair.later >= known:
            yield [rows[pair.earlier].line, rows[pair.later].line]
    texts.close()


def _grouped(rows: Iterable[tuple[int, Chat]]) -> list[list[int]]:
    """Gather the lines of each customer, thread or document; a value that all rows share is no group."""
    found: dict[str, dict[str, list[int]]] = {}
    for line, chat in rows:
        for name, value in groups_of(chat.raw):
            found.setdefault(name, {}).setdefault(value, []).append(line)
    several = chain.from_iterable(values.values() for values in found.values() if len(values) > 1)
    return [lines for lines in several if len(lines) > 1]


def _leaks(chats: Sequence[Chat], tested: Sequence[bool]) -> Iterator[Finding]:
    """Judge one side beside the other, as the linter judges two files."""
    repeats, groups = Repeats(), Groups()
    try:
        for held in (True, False):
            for chat, is_tested in zip(chats, tested, strict=True):
                for rule in (repeats, groups) if is_tested is held else ():
                    (rule.see_test if held else rule.see)(View(chat))
        for finding in chain(repeats.findings(), groups.findings()):
            if finding.code in _LEAKS:
                yield _about_one_file(finding)
    finally:
        repeats.close()


def _about_one_file(finding: Finding) -> Finding:
    return replace(finding, message=finding.message.replace("in the test file", "among the rows held out"), fix=_FIX)
