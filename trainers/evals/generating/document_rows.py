"""Rows that answer from a team's own passages: a statement of one is the answer, another passage stands beside it.

Questions are plain, as only a language model can ask well: they name what the statement is about. What no shown passage
says is asked as well, and answered with the sentence for that.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import groupby

from trainers.evals.drafts.recipe import recipe, shuffled
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.style.limits import function_words, word_set
from trainers.evals.style.text import sentences, words

Passage = tuple[str, str]

WHY = "The answer stands in a passage of yours: without such rows the model answers from memory, or names no passage."
WHY_SECOND = "The answer stands in the second passage: without such rows the model looks at the first alone."
WHY_ABSENT = "No passage shown says it: without such rows the model makes something up."

_LEAST, _MOST = 6, 40  # words of a statement
_PHRASE = 4


def document_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return answered questions as typical rows, and unanswerable ones as out of scope; two passages in each."""
    told = [(passage, found) for passage in spec.passages if (found := _statement(passage[1]))]
    if len(told) < 2:
        return {}
    return {"typical": _answered(told, draw), "out_of_scope": _absent(told, draw)}


def phrase_of(sentence: str) -> str:
    """Return what a sentence is about: its longest run of words that carry meaning; "" where there is none."""
    plain = set(function_words()) | word_set("hedges") | word_set("boosters") | word_set("common") | word_set("be")
    runs = [list(run) for carries, run in groupby(words(sentence), key=lambda word: word not in plain) if carries]
    longest = max(runs, key=len, default=[])
    return " ".join(longest[:_PHRASE])


def _statement(text: str) -> tuple[str, str] | None:
    """Return a statement of a passage and what it is about; one with a figure first."""
    plain = (
        " ".join(each.split()).lstrip("-*+ ") for each in sentences(text) if not each.lstrip().startswith(("|", "#"))
    )
    fitting = [each for each in plain if _LEAST <= len(words(each)) <= _MOST]
    ranked = sorted(fitting, key=lambda each: not any(sign.isdigit() for sign in each))
    return next(((each, phrase) for each in ranked if (phrase := phrase_of(each))), None)


def _answered(told: Sequence[tuple[Passage, tuple[str, str]]], draw: random.Random) -> Iterator[Piece]:
    for at, (passage, (statement, phrase)) in enumerate(shuffled(told, draw)):
        beside = draw.choice([other for other, _ in told if other != passage])
        second = at % 3 == 2
        shown = [beside, passage] if second else [passage, beside]
        answer = f"{statement} [{2 if second else 1}]"
        yield _piece("typical", shown, phrase, answer, WHY_SECOND if second else WHY)


def _absent(told: Sequence[tuple[Passage, tuple[str, str]]], draw: random.Random) -> Iterator[Piece]:
    """Ask what a third passage says, which is not shown."""
    abstain = recipe("questions")["prompt"]["abstain"]
    for at, (passage, (_, phrase)) in enumerate(shuffled(told, draw)):
        others = [other for other, _ in told if other != passage and phrase not in other[1].casefold()]
        if len(others) >= 2:
            shown = draw.sample(others, 2) if at % 2 else list(reversed(draw.sample(others, 2)))
            yield _piece("out_of_scope", shown, phrase, abstain, WHY_ABSENT)


def _piece(case: str, shown: Sequence[Passage], phrase: str, answer: str, why: str) -> Piece:
    prompt = recipe("questions")["prompt"]
    listed = "\n\n".join(
        prompt["passage"].format(n=n, title=title, text=text) for n, (title, text) in enumerate(shown, 1)
    )
    text = prompt["user"].format(passages=listed, question=f"What is said about {phrase}?")
    return Piece(case, text, answer, why, f"your documents: {', '.join(title for title, _ in shown)}"[:200])
