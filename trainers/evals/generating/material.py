"""How many rows a team's own texts and documents can give; it writes none."""

from collections.abc import Collection

from trainers.data.findings import plural
from trainers.evals.generating.document_rows import SHOWN_PASSAGES
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.voice_rows import answers_of


def most_of(spec: RowSpec, count: int, had: Collection[str] = ()) -> int:
    """Return how many of `count` rows a language model can write: one for each text, one for each two passages.

    A second row of a text would teach it by heart; two passages again are near copies, whatever is asked of them. No
    row that `had` a text as its answer is made again.
    """
    if spec.kind == "voice" and spec.texts:
        return min(count, len(answers_of(spec, had)))
    passages = len(spec.sifted.passages)
    if spec.kind == "documents" and passages >= SHOWN_PASSAGES:
        return min(count, passages * (passages - 1) // 2)
    return count


def bound_note(spec: RowSpec, count: int) -> str:
    """Say that documents give fewer rows than are wanted; "" where they do not."""
    most = most_of(spec, count) if spec.kind == "documents" else count
    if most == count:
        return ""
    passages = plural(len(spec.sifted.passages), "passage")
    return f"{passages} make {plural(most, 'row')}: two of them shown again are near copies, whatever is asked."
