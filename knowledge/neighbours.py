"""Joins found passages that stand side by side in one section into one, for answers; it ranks nothing."""

from collections.abc import Sequence
from dataclasses import replace

from knowledge.chunks import OVERLAP
from knowledge.citations import Citation
from knowledge.index import Hit
from knowledge.sentences import sentences
from knowledge.tables import Passage

_LEAST_SHARED = 12
"""Characters at the end of one passage and the start of the next that are no chance."""
_ENDS = (".", "!", "?", ":", "|", "```")


def joined(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return `hits` with neighbours made one, at the place and with the score of the better one."""
    runs: dict[int, list[int]] = {}
    for row, hit in enumerate(hits):
        others = [first for first, run in runs.items() if any(_side_by_side(hit, hits[other]) for other in run)]
        target = min([*others, row])
        runs[target] = sorted({row, *(other for first in others for other in runs.pop(first))})
    return tuple(_one([hits[row] for row in runs[first]]) for first in sorted(runs))


def placed(citation: Citation, hits: Sequence[Hit]) -> Citation:
    """Return a citation of a joined passage with the id of the one of `hits` that says the quote, as it is kept."""
    of = next((hit.passage for hit in hits if hit.passage.id == citation.passage_id), None)
    if of is None:
        return citation
    near = [of, *(hit.passage for hit in hits if _section(hit.passage) == _section(of))]
    saying = (passage.id for passage in near if citation.quote in sentences(passage.text))
    return replace(citation, passage_id=next(saying, of.id))


def _side_by_side(one: Hit, other: Hit) -> bool:
    return _section(one.passage) == _section(other.passage) and abs(one.passage.position - other.passage.position) == 1


def _section(passage: Passage) -> tuple[str, str, str, str]:
    return f"{passage.workspace_id}/{passage.collection}", passage.document_id, passage.slug, passage.heading


def _one(run: Sequence[Hit]) -> Hit:
    """Return the best hit of a run with the text of all of it; the original passages stay as they are."""
    best = run[0]
    if len(run) == 1:
        return best
    passages = sorted((hit.passage for hit in run), key=lambda passage: passage.position)
    text = passages[0].text
    for passage in passages[1:]:
        text = _join(text, passage.text)
    path = best.passage.search_text.split("\n", 1)[0]
    questions = "\n".join(passage.questions for passage in passages if passage.questions)
    fields = best.passage.model_dump() | {"text": text, "search_text": f"{path}\n{text}", "questions": questions}
    return replace(best, passage=Passage(**fields))


def _join(before: str, after: str) -> str:
    """Return two pieces as one text; what the cut left in both is there once."""
    for length in range(min(len(before), len(after), 2 * OVERLAP), _LEAST_SHARED - 1, -1):
        if before.endswith(after[:length]):
            return before + after[length:]
    between = "\n\n" if before.endswith(_ENDS) else " "
    return f"{before}{between}{after}"
