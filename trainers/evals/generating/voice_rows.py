"""Rows in a voice: a text of the brand as the answer, word for word, and notes of what it says as the question.

That is instruction back-translation (Li et al. 2023): the answer is real, and only the question is made. Without texts
of the brand a few pairs of ours stand in, and say so.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from typing import Final

from trainers.data.rules.credentials import secrets_in
from trainers.data.rules.personal import is_personal
from trainers.data.titles import at_word
from trainers.evals.drafts.recipe import shuffled
from trainers.evals.generating.orders import split_orders
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import WITHHELD, RowSpec
from trainers.evals.generating.table import table
from trainers.evals.style.content import facts
from trainers.evals.style.limits import function_words, number_words, word_set
from trainers.evals.style.text import sentences, words

_NAMED: Final = 8
"""Texts that a note names."""


def voice_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return a piece for each usable text, in a drawn order, or our own pairs."""
    return {"typical": _translated(spec, draw) if spec.texts else _pairs(draw)}


def usable(text: str) -> bool:
    """Say whether a text is neither too short nor too long for an answer."""
    return bool(table()["least_words"] <= len(words(text)) <= table()["most_words"])


def answers_of(spec: RowSpec, had: Collection[str] = ()) -> tuple[str, ...]:
    """Return the texts that can be answers and that no row `had`, each once.

    They are of a fit length, without secrets and orders to a model.
    """
    fit = dict.fromkeys(text.strip() for text in spec.texts if usable(text) and not _unsafe(text))
    return tuple(text for text in fit if text not in had)


def unsafe_note(spec: RowSpec) -> str:
    """Name the texts that nothing may see, with the reason, and those with personal data; "" where there are none."""
    told = [(number, text, _unsafe(text)) for number, text in enumerate(spec.texts, start=1)]
    shut = [f"{number} ({why})" for number, _, why in told if why]
    personal = [str(number) for number, text, why in told if not why and is_personal(text)]
    said = [f"Not used of your texts: {_listed(shut)}."] if shut else []
    if personal:
        texts = "text" if len(personal) == 1 else "texts"
        what = f"Personal data, such as an e-mail address, stands in your {texts} {_listed(personal)}"
        said.append(f"{what}: take it out before anything is trained on it.")
    return " ".join(said)


def _unsafe(text: str) -> str:
    """Say why a text may stand in no row and go to no model; "" where it may."""
    if text == WITHHELD or secrets_in(text):
        return "it holds what looks like a key or password"
    return "it gives a model orders" if split_orders(text)[1] else ""


def _listed(named: Sequence[str]) -> str:
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}"


def notes_of(text: str) -> str:
    """Write down what a text says without its wording: of each sentence the words that carry meaning, facts whole.

    Negations and conditions stay with their words: `It won't wobble.` is not about wobbling. Where a sentence denies
    something, so do the words that only weigh it: `It isn't good coffee.` does not say that it is no coffee.
    """
    kept = set(facts(text).all)
    return "; ".join(filter(None, (_note(sentence, kept) for sentence in sentences(text))))


def _note(sentence: str, kept: set[str]) -> str:
    weighing = (word_set("hedges") | word_set("boosters") | word_set("common")) - set(table()["telling"])
    denied = any(map(_negates, words(sentence)))
    plain = set(function_words()) | (frozenset() if denied else weighing)
    parts = [part.strip(".,;:!?\"'()[]*_“”‘’…—–-") for part in sentence.split()]
    told = []
    for bare, after in zip_longest(parts, parts[1:], fillvalue=""):
        known = {word for word in words(bare) if (word not in plain and "'" not in word) or _turns(word)}
        if bare and (known or bare.casefold() in kept or _is_number(bare) or _bounds(bare, after)):
            told.append(bare)
    return " ".join(told)


def _is_number(word: str) -> bool:
    return any(sign.isdigit() for sign in word) or word.casefold() in number_words()


def _bounds(word: str, after: str) -> bool:
    """Say whether a small word stands right before a number or before least and most: `by 5`, `at least`."""
    small = word.casefold() in function_words() and word.casefold() not in table()["bare"]
    return small and (_is_number(after) or after.casefold() in ("least", "most"))


def _turns(word: str) -> bool:
    """Say whether a word turns or bounds what others say."""
    return _negates(word) or word in table()["conditions"]


def _negates(word: str) -> bool:
    return word.endswith("n't") or word in table()["negations"]


def left_out(spec: RowSpec, answers: Sequence[str], *, short: bool) -> str:
    """Name the texts that can become no row, and why; with `short` also those that are no row of `answers`.

    "" where there are none; those of `unsafe_note` are not named again.
    """
    made, said = Counter(answers), []
    for number, text in enumerate(spec.texts, start=1):
        if made[text.strip()]:
            made[text.strip()] -= 1
        elif not _unsafe(text) and (why := _unusable(text) or ("nearly another row" if short else "")):
            said.append(f"{number} ({why})")
    return f"Not used of your texts: {_listed(said)}." if said else ""


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
    return sum(not _turns(word) for word in words(notes)) >= int(table()["least_note_words"])


def _translated(spec: RowSpec, draw: random.Random) -> Iterator[Piece]:
    part = table()["voice"]
    for number, text in shuffled(list(enumerate(spec.texts, start=1)), draw):
        if not (_unsafe(text) or _unusable(text)):
            asked = part["user"].format(notes=notes_of(text), words=_rounded(len(words(text))))
            yield Piece("typical", asked, text.strip(), part["why"], f"your text {number}; notes by recipe")


def _pairs(draw: random.Random) -> Iterator[Piece]:
    part = table()["voice"]
    for plain, written in shuffled(part["pairs"], draw):
        asked = part["user"].format(notes=plain, words=_rounded(len(words(written))))
        yield Piece("typical", asked, written, part["why_pair"], "recipe voice/pair, ours and not your voice")


def _rounded(number: int) -> int:
    return max(10, round(number, -1))
