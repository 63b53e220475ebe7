"""Reads the golden set: questions, graded pages and headings, and the half that each belongs to; it scores nothing.

Where `bench/data/golden.jsonl` comes from: one stranger saw only the titles of the guide's then 38 pages and wrote 140
questions in users' words: 100 on the pages, 25 near misses, 15 on other fields (29 November 2026). Another read the
pages and matched them: grade 2 for a page that answers, 1 for one that helps, with the headings that hold it ("(lead)"
is the text above the first). When the guide had grown to 40 pages, a third matched all of them anew, three former gaps
included (30 November). All were language models, as we are. No question may be copied beside a page.

Halves go by the hash of the id, so nobody chose them. Search and abstention are tuned on "dev" alone. Whoever tuned
first (29 November 2026) had read the questions of both halves, though no result on the held-out one, before tuning.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from knowledge.chunks import Chunk

GOLDEN = Path(__file__).parent / "data" / "golden.jsonl"
HALVES = ("dev", "held-out")
RIGHT = 2
"""Grade of a page that answers the question."""
LEAD = "(lead)"


class Asked(NamedTuple):
    """One question of the set."""

    id: str
    question: str
    kind: str
    """"answerable", "near_miss" (this field, but not in the guide) or "off_topic"."""
    grades: Mapping[str, int]
    """Grade by page; empty unless answerable."""
    headings: Mapping[str, Sequence[str]]
    """Headings that hold the answer, by page."""

    @property
    def half(self) -> str:
        """Return "dev" or "held-out"."""
        return HALVES[int(hashlib.sha256(self.id.encode()).hexdigest(), 16) % 2]

    @property
    def page(self) -> str:
        """Return the first page that answers: questions of one page are no independent evidence."""
        return next(page for page, grade in self.grades.items() if grade == RIGHT)


def load(path: Path = GOLDEN) -> list[Asked]:
    """Return all questions but the gaps."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [
        Asked(row["id"], row["question"], row["kind"], row["grade"], row["headings_by_page"])
        for row in rows
        if row["kind"] != "gap"
    ]


def passage_grades(asked: Asked, chunks: Sequence[Chunk]) -> dict[str, int]:
    """Return the grade of every passage under a heading that answers or helps, by the passage's id."""
    return {
        chunk.id: asked.grades[chunk.slug]
        for chunk in chunks
        if (chunk.heading or LEAD) in asked.headings.get(chunk.slug, ())
    }
