"""Rows that answer from a team's own passages: a statement of one is the answer, another passage stands beside it.

Questions are plain, as only a language model can ask well: they name the section, where its heading is its own, and
what the statement is about. What no shown passage speaks of is asked as well, and answered with the sentence for that.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from trainers.data.findings import plural
from trainers.data.titles import at_word
from trainers.evals.drafts.recipe import recipe, shuffled
from trainers.evals.generating.orders import PARAGRAPH, Passage
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table
from trainers.evals.style.limits import function_words, word_set
from trainers.evals.style.text import sentences, words

Statement = tuple[str, str]
"""A sentence and what it is about."""

WHY = "The answer stands in a passage of yours: without such rows the model answers from memory, or names no passage."
WHY_SECOND = "The answer stands in the second passage: without such rows the model looks at the first alone."
WHY_ABSENT = "No passage shown says it: without such rows the model makes something up."

SHOWN_PASSAGES = 2
"""Passages in each row: the one that answers, and a distractor."""

_LEAST, _MOST = 6, 40  # words of a statement
_PHRASE = 4
_SHOWN = 3  # orders that are quoted
_NAMED = 4
"""Letters from which a word can name what a sentence is about; a number or a unit alone cannot."""


def document_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return answered questions as typical rows, and unanswerable ones as out of scope; two passages in each."""
    told = _told(spec)
    if len(told) < 2:
        return {}
    return {"typical": _answered(told, draw), "out_of_scope": _absent(told, draw)}


def few_passages(spec: RowSpec) -> str:
    """Say what documents lack for rows by recipe: two passages that each state something."""
    number = len(_told(spec))
    have = f"{number} of {len(spec.passages)} passages states" if number == 1 else f"{number} passages state"
    return (
        f"A row shows two passages, and {have} something in a sentence of {_LEAST} to {_MOST} words. "
        f"Add {2 - number} more to the collection, such as another document, or set LUTHIER_MODEL."
    )


def orders_note(spec: RowSpec) -> str:
    """Count the passages that give a model orders and name these; no row shows them. "" without any."""
    found = spec.sifted
    if not found.orders:
        return ""
    shown = found.orders[:_SHOWN]
    listed = "; ".join(f"in {at_word(title, 40)}: \u201c{at_word(each, 80)}\u201d" for title, each in shown)
    more = f"; and {len(found.orders) - _SHOWN} more" if len(found.orders) > _SHOWN else ""
    whole = f", {found.unused} of them not used at all" if found.unused else ""
    what = f"Cut out of {plural(found.cut, 'passage')}{whole}, as it gives a model orders: {listed}{more}."
    return f"{what} Look at who can write to these documents."


def lone_passage(spec: RowSpec) -> str:
    """Say that a language model is shown no passage, where documents have fewer than the two of a row; else ""."""
    usable = len(spec.sifted.passages)
    if not spec.passages or usable >= SHOWN_PASSAGES:
        return ""
    have = "only 1 of your passages can be" if usable else "none of your passages can be"
    return f"A row shows two passages, and {have} used: a language model asks without any. Add documents."


def phrase_of(sentence: str) -> str:
    """Return what a sentence is about: its longest run of words that carry meaning; "" where there is none."""
    plain = set(function_words()) | word_set("hedges") | word_set("boosters") | word_set("common") | word_set("be")
    runs = [
        [word for word in run if not word.isdigit() and word != "cannot"]
        for carries, run in groupby(words(sentence), key=lambda word: word not in plain)
        if carries
    ]
    named = [run for run in runs if any(word.isalpha() and len(word) >= _NAMED for word in run)]
    return " ".join(max(named, key=len, default=[])[:_PHRASE])


def _told(spec: RowSpec) -> list[tuple[Passage, list[Statement]]]:
    return [(passage, found) for passage in spec.sifted.passages if (found := _statements(passage[1]))]


def _statements(text: str) -> list[Statement]:
    """Return a passage's statements; those about more than one word first, and among these those with a figure."""
    plain = (
        " ".join(each.split()).lstrip("-*+ ")
        for paragraph in PARAGRAPH.split(text)
        for each in sentences(paragraph)
        if not each.lstrip().startswith(("|", "#"))
    )
    found = [(each, phrase_of(each)) for each in plain if _LEAST <= len(words(each)) <= _MOST]
    ranked = sorted(found, key=lambda each: (" " not in each[1], not any(sign.isdigit() for sign in each[0])))
    return [(each, phrase) for each, phrase in ranked if phrase]


def _answered(told: Sequence[tuple[Passage, list[Statement]]], draw: random.Random) -> Iterator[Piece]:
    titles = Counter(title.casefold() for (title, _), _ in told)
    for at, (passage, statements) in enumerate(shuffled(told, draw)):
        statement, phrase = statements[0]
        beside = draw.choice([other for other, _ in told if other != passage])
        second = at % 3 == 2
        shown = [beside, passage] if second else [passage, beside]
        answer = f"{statement} [{2 if second else 1}]"
        own = titles[passage[0].casefold()] == 1
        asked = table()["documents"]["headed" if own else "plain"].format(title=passage[0], phrase=phrase)
        yield _piece("typical", shown, asked, answer, WHY_SECOND if second else WHY)


def _absent(told: Sequence[tuple[Passage, list[Statement]]], draw: random.Random) -> Iterator[Piece]:
    """Ask what a third passage says, of which the two that are shown do not speak in any word."""
    abstain = recipe("questions")["prompt"]["abstain"]
    stems = {passage: _stems(" ".join(passage)) for passage, _ in told}
    for at, (passage, statements) in enumerate(shuffled(told, draw)):
        for _, phrase in reversed(statements):  # the first is what an answerable row asks about
            others = [other for other, _ in told if other != passage and not stems[other] & _stems(phrase)]
            if len(others) >= 2:
                shown = draw.sample(others, 2) if at % 2 else list(reversed(draw.sample(others, 2)))
                asked = table()["documents"]["plain"].format(phrase=phrase)
                yield _piece("out_of_scope", shown, asked, abstain, WHY_ABSENT)


def _stems(text: str) -> frozenset[str]:
    """Return the words of a text that carry meaning, near forms as one: `returned parcels`, `return parcel`."""
    plain = set(function_words())
    return frozenset(_stem(word) for word in words(text) if word not in plain)


def _stem(word: str) -> str:
    for end in ("ings", "ing", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(end) and len(word) - len(end) >= _NAMED - 1:
            return word.removesuffix(end)
    return word


def _piece(case: str, shown: Sequence[Passage], question: str, answer: str, why: str) -> Piece:
    prompt = recipe("questions")["prompt"]
    listed = "\n\n".join(
        prompt["passage"].format(n=n, title=title, text=text) for n, (title, text) in enumerate(shown, 1)
    )
    text = prompt["user"].format(passages=listed, question=question)
    return Piece(case, text, answer, why, f"your documents: {', '.join(title for title, _ in shown)}"[:200])
