"""What advice has to beat: the commonest answer, and that of the most similar case, both without the case's source."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.settings import Settings
from knowledge.embeddings import open_minilm

Case = Mapping[str, Any]


def publisher(case: Case) -> str:
    """Name whoever told the case: its kind of source, else the host of the first address, else the first words."""
    if "source_kind" in case:
        return re.sub(r"\s*\(.*\)$", "", str(case["source_kind"])).lower()
    source = str(case.get("source", case["id"]))
    address = re.search(r"https?://\S+", source)
    if address:
        return urlsplit(address.group()).netloc.removeprefix("www.")
    return re.split(r"[:;('@]", source)[0].strip().lower()


def majority(cases: Sequence[Case]) -> list[str]:
    """Answer each case with the commonest answer among cases of other sources."""
    return [_commonest([other["expected"] for other in _others(case, cases)]) for case in cases]


def nearest(cases: Sequence[Case]) -> list[str]:
    """Answer each case as the most similar case of another source, by MiniLM's cosine."""
    vectors = open_minilm(Settings.from_env().cache).embed([case["use_case"] for case in cases])
    alike = vectors @ vectors.T
    answers = []
    for row, case in enumerate(cases):
        others = [place for place, other in enumerate(cases) if publisher(other) != publisher(case)]
        best = max(others, key=lambda place: float(alike[row, place]), default=None)
        answers.append("" if best is None else str(cases[best]["expected"]))
    return answers


def _others(case: Case, cases: Sequence[Case]) -> list[Case]:
    return [other for other in cases if publisher(other) != publisher(case)]


def _commonest(answers: Sequence[str]) -> str:
    return Counter(answers).most_common(1)[0][0] if answers else ""
