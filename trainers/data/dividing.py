"""Divides one file of rows into a training file and a test file that share no group; it keeps neither."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.data.findings import Finding
from trainers.data.formats.writers import line, to_openai
from trainers.data.grouping import together
from trainers.data.jsonl import Row
from trainers.data.likeness import near_pairs
from trainers.data.limits import read_limits
from trainers.data.source import Chat, Source
from trainers.data.split import split


class Divided(NamedTuple):
    """Two files' bytes."""

    train: bytes
    """Rows to learn from."""
    test: bytes
    """Rows held out."""
    train_rows: int
    test_rows: int
    groups: int
    """Groups of more than one row that were kept together."""

    @property
    def test_sha256(self) -> str:
        """Hash by which the test part is frozen."""
        return sha256(self.test).hexdigest()


def divide(
    path: Path, *, test_fraction: float, seed: int, group: str | None = None, kind: str | None = None
) -> Divided:
    """Divide a file, the same way for the same seed: near duplicates and rows of one `group` stay on one side.

    Raises UserError where a line can't be read, where no row has the group's key, and for too few rows.
    """
    source = Source(path, read_limits(), kind=kind, lists=True)
    chats = list(source)
    _refuse_broken(source.counted(source.findings()))
    rows = [chat.row for chat in chats]
    grouped = together(((chat.row.line, chat) for chat in chats), group) if group else []
    bundles = [*_alike(rows), *grouped]
    parts = split(rows, test_fraction=test_fraction, seed=seed, together=bundles)
    tested = {row.line for row in parts.test}
    train, test = (
        b"".join(_written(chat) for chat in chats if (chat.row.line in tested) is held) for held in (False, True)
    )
    return Divided(train, test, len(parts.train), len(parts.test), len(bundles))


def _refuse_broken(findings: Sequence[Finding]) -> None:
    broken = next((finding for finding in findings if finding.severity == "BLOCK"), None)
    if broken is not None:
        raise UserError(broken.message, broken.fix)


def _alike(rows: Sequence[Row]) -> list[list[int]]:
    """Pair the lines of near duplicates."""
    return [[rows[pair.earlier].line, rows[pair.later].line] for pair in near_pairs([row.prompt for row in rows])]


def _written(chat: Chat) -> bytes:
    """Write a row of chats, of OpenAI's pairs or of Vertex as it was; all others as chat rows, pairs as OpenAI's."""
    if chat.kind in ("chat", "openai_preference", "vertex"):
        return line(chat.raw)
    return line(to_openai(chat.value))
