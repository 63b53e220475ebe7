"""Rows in a voice: a text of the brand as the answer, word for word, and notes of what it says as the question.

That is instruction back-translation (Li et al. 2023): the answer is real, and only the question is made. Without texts
of the brand a few pairs of ours stand in, and say so.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from trainers.data.titles import at_word
from trainers.evals.drafts.recipe import shuffled
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table
from trainers.evals.style.content import facts
from trainers.evals.style.limits import function_words, word_set
from trainers.evals.style.text import sentences, words

_NAMED: Final = 8
"""Texts that a note names."""


def voice_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return a piece for each usable text, in a drawn order, or our own pairs."""
    return {"typical": _translated(spec, draw) if spec.texts else _pairs(draw)}


def usable(text: str) -> bool:
    """Say whether a text is neither too short nor too long for an answer."""
    return bool(table()["least_words"] <= len(words(text)) <= table()["most_words"])


def notes_of(text: str) -> str:
    """Write down what a text says without its wording: of each sentence the words that carry meaning, facts whole.

    Negations stay with their words: `It won't wobble.` is not about wobbling.
    """
    kept = set(facts(text).all)
    return "; ".join(filter(None, (_note(sentence, kept) for sentence in sentences(text))))


def _note(sentence: str, kept: set[str]) -> str:
    plain = set(function_words()) | word_set("hedges") | word_set("boosters") | word_set("common")
    told = []
    for part in sentence.split():
        bare = part.strip(".,;:!?\"'()[]*_“”‘’…—–-")
        known = {word for word in words(bare) if (word not in plain and "'" not in word) or _negates(word)}
        if bare and (known or bare.casefold() in kept or any(sign.isdigit() for sign in bare)):
            told.append(bare)
    return " ".join(told[: table()["note_words"]])


def _negates(word: str) -> bool:
    return word.endswith("n't") or word in table()["negations"]


def left_out(spec: RowSpec, answers: Sequence[str], *, short: bool) -> str:
    """Name the texts that can become no row, and why; with `short` also those that are no row of `answers`.

    "" where there are none.
    """
    made, said = Counter(answers), []
    for number, text in enumerate(spec.texts, start=1):
        if made[text.strip()]:
            made[text.strip()] -= 1
        elif why := _unusable(text) or ("nearly another row" if short else ""):
            said.append(f"{number} ({why})")
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    return f"Not used of your texts: {', '.join(said[:_NAMED])}{more}." if said else ""


def _unusable(text: str) -> str:
    """Say why a text can be no answer of a row; "" where it can."""
    if not usable(text):
        return f"{len(words(text)):,} words, an answer has {table()['least_words']} to {table()['most_words']}"
    notes = notes_of(text)
    if _says_enough(notes):
        return ""
    return f"all that its notes could say is \u201c{at_word(notes, 40)}\u201d" if notes else "its notes would be empty"


def _says_enough(notes: str) -> bool:
    """Say whether notes hold a sentence's worth: a negation without what it negates says nothing."""
    return sum(not _negates(word) for word in words(notes)) >= int(table()["least_note_words"])


def _translated(spec: RowSpec, draw: random.Random) -> Iterator[Piece]:
    part = table()["voice"]
    for number, text in shuffled(list(enumerate(spec.texts, start=1)), draw):
        if not _unusable(text):
            asked = part["user"].format(notes=notes_of(text), words=_rounded(len(words(text))))
            yield Piece("typical", asked, text.strip(), part["why"], f"your text {number}; notes by recipe")


def _pairs(draw: random.Random) -> Iterator[Piece]:
    part = table()["voice"]
    for plain, written in shuffled(part["pairs"], draw):
        asked = part["user"].format(notes=plain, words=_rounded(len(words(written))))
        yield Piece("typical", asked, written, part["why_pair"], "recipe voice/pair, ours and not your voice")


def _rounded(number: int) -> int:
    return max(10, round(number, -1))
