"""Rows that answer from a team's own passages: a statement of one is the answer, another passage stands beside it.

Questions are plain, as only a language model can ask well: they name the section, where its heading is its own, and
what the statement is about. What no shown passage speaks of is asked as well, and answered with the sentence for that.
"""

import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from trainers.data.findings import plural
from trainers.data.titles import at_word
from trainers.evals.drafts.classification import misspelt
from trainers.evals.drafts.recipe import in_turn, lower_first, recipe, shuffled
from trainers.evals.generating.orders import PARAGRAPH, Passage
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table
from trainers.evals.style.limits import function_words, word_set
from trainers.evals.style.text import sentences, words

_AFTER_THAT = re.compile(r"\W*(?:after|before|by|until|in|for|with|from|if) (?:that|this|then|these|those|so|such)\b")

Statement = tuple[str, str]
"""A sentence and what it is about."""

SHOWN_PASSAGES = 2
"""Passages in each row: the one that answers, and a distractor."""

_LEAST, _MOST = 6, 40  # words of a statement
_PHRASE = 4
_HALF = 0.5
_TURNS = 4  # statements of one passage
_SHARED = 3  # words with meaning that two passages share which speak of much the same
_SHOWN = 3  # orders that are quoted
_NAMED = 4
"""Letters from which a word can name what a sentence is about; a number or a unit alone cannot."""


def document_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return the pieces of each case, two passages in each; nothing where fewer than two state something."""
    told = _told(spec)
    if len(told) < SHOWN_PASSAGES:
        return {}
    desk = _Desk(told, draw)
    return {
        "typical": desk.answered(),
        "boundary": desk.near(),
        "edge": in_turn([desk.two(), desk.typos(), desk.ordered()]),
        "out_of_scope": desk.absent(),
    }


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
    """Return what a sentence is about: its longest run of words that carry meaning; "" where there is none.

    Numbers and usual verbs end a run: `Fitting costs 40 euros` is about `fitting`. Names keep their capitals.
    """
    plain = set(function_words()) | word_set("hedges") | word_set("boosters") | word_set("common") | word_set("be")
    ends = plain | set(table()["documents"]["verbs"])
    told = groupby(words(sentence), key=lambda word: not (word in ends or word[0].isdigit()))
    runs = [list(run) for carries, run in told if carries]
    named = [run for run in runs if any(word.isalpha() and len(word) >= _NAMED for word in run)]
    run = max(named, key=lambda run: (len(run), len("".join(run))), default=[])[:_PHRASE]
    found = (
        re.search(r"(?:\w+-)?" + r"\W+".join(map(re.escape, run)) + r"[\w'-]*", sentence, re.IGNORECASE)
        if run
        else None
    )
    if found is None:
        return " ".join(run)
    return lower_first(found.group()) if not sentence[: found.start()].strip(" *_\"'“(") else found.group()


def _told(spec: RowSpec) -> list[tuple[Passage, list[Statement]]]:
    passages = dict.fromkeys(spec.sifted.passages)
    return [(passage, found) for passage in passages if (found := _statements(*passage))]


def _statements(title: str, text: str) -> list[Statement]:
    """Return a passage's statements; those about more than one word first, and among these those with a figure.

    What begins with `They` or the like says nothing by itself, and what only repeats the title asks nothing.
    """
    plain = (
        " ".join(each.split()).lstrip("-*+ ")
        for paragraph in PARAGRAPH.split(text)
        for each in sentences(paragraph)
        if not each.lstrip().startswith(("|", "#"))
    )
    leaning, named = set(table()["documents"]["leaning"]), set(words(title))
    told = [each for each in plain if _LEAST <= len(words(each)) <= _MOST and not _leans(each, leaning)]
    found = [(each, phrase) for each in told if not set(words(phrase := phrase_of(each))) <= named]
    ranked = sorted(found, key=lambda each: (" " not in each[1], not any(sign.isdigit() for sign in each[0])))
    return [(each, phrase) for each, phrase in ranked if phrase]


def _leans(sentence: str, leaning: Collection[str]) -> bool:
    """Say whether a sentence begins with what another one said: `They …`, `After that …`."""
    told = words(sentence)
    return told[0] in leaning or bool(_AFTER_THAT.match(sentence.casefold()))


class _Desk:
    """Puts questions and passages together."""

    def __init__(self, told: Sequence[tuple[Passage, list[Statement]]], draw: random.Random) -> None:
        self.told, self.draw = told, draw
        self.words: dict[str, Any] = table()["documents"]
        self.titles = Counter(title.casefold() for (title, _), _ in told)
        self.stems = {passage: _stems(" ".join(passage)) for passage, _ in told}

    def answered(self) -> Iterator[Piece]:
        """A statement of each passage in turn, then the next one of each, beside ever other passages."""
        for turn in range(_TURNS):
            for at, (passage, statements) in enumerate(shuffled(self.told, self.draw)):
                if turn < len(statements) and self._clear(passage, statements[turn][1]):
                    statement, phrase = statements[turn]
                    beside = self._beside(passage, phrase) or self._any_beside(passage)
                    second = at % 2 == 1
                    asked, why = self._asked(passage, phrase), "why_second" if second else "why"
                    yield self._piece("typical", passage, beside, asked, statement, why, second=second)

    def near(self) -> Iterator[Piece]:
        """The other passage speaks of much the same."""
        for passage, statements in shuffled(self.told, self.draw):
            others = [other for other, _ in self.told if other != passage]
            beside = max(others, key=lambda other: len(self.stems[other] & self.stems[passage]))
            apart = [told for told in statements if not _stems(told[1]) <= self.stems[beside]]
            if apart and len(self.stems[beside] & self.stems[passage]) >= _SHARED:
                statement, phrase = apart[-1]
                asked = self._asked(passage, phrase)
                yield self._piece("boundary", passage, beside, asked, statement, "why_near", second=self._turn())

    def two(self) -> Iterator[Piece]:
        """Two questions at once, about one passage."""
        for passage, statements in shuffled(self.told, self.draw):
            first, second = statements[0], statements[-1]
            beside = self._beside(passage, first[1], second[1])
            if beside and not _stems(first[1]) & _stems(second[1]):
                asked = self.words["two"].format(phrase=first[1], other=second[1])
                yield self._piece(
                    "edge", passage, beside, asked, f"{first[0]} {second[0]}", "why_two", second=self._turn()
                )

    def typos(self) -> Iterator[Piece]:
        """A misspelt question."""
        for passage, statements in shuffled(self.told, self.draw):
            statement, phrase = statements[-1]
            asked = misspelt(self.words["plain"].format(phrase=phrase), self.draw)
            if beside := self._beside(passage, phrase):
                yield self._piece("edge", passage, beside, asked, statement, "why_typos", second=self._turn())

    def ordered(self) -> Iterator[Piece]:
        """The other passage gives the model an order, one of ours."""
        orders = recipe("questions")["general"]["injections"]
        for at, (passage, statements) in enumerate(shuffled(self.told, self.draw)):
            statement, phrase = statements[len(statements) // 2]
            beside = (self.words["footnote"], orders[at % len(orders)])
            asked, second = self._asked(passage, phrase), self._turn()
            made = self._piece("edge", passage, beside, asked, statement, "why_ordered", second=second)
            yield made._replace(source=f"your documents: {passage[0][:150]}; the footnote with an order is ours")

    def absent(self) -> Iterator[Piece]:
        """Ask what a third passage says, of which the two that are shown do not speak in any word."""
        abstain = recipe("questions")["prompt"]["abstain"]
        for passage, statements in shuffled(self.told, self.draw):
            for _, phrase in reversed(statements):  # the first is what an answerable row asks about
                others = [each for each, _ in self.told if each != passage and not self.stems[each] & _stems(phrase)]
                if len(others) >= SHOWN_PASSAGES:
                    shown = self.draw.sample(others, SHOWN_PASSAGES)
                    asked = self.words["plain"].format(phrase=phrase)
                    yield _written("out_of_scope", shown, asked, abstain, self.words["why_absent"])

    def _beside(self, passage: Passage, *phrases: str) -> Passage | None:
        """Draw another passage that speaks of none of the phrases; None where all do."""
        others = [other for other, _ in self.told if other != passage]
        apart = [each for each in others if not any(_stems(phrase) <= self.stems[each] for phrase in phrases)]
        return self.draw.choice(apart) if apart else None

    def _turn(self) -> bool:
        """Draw whether the answer stands in the second passage: nothing else of a row may tell."""
        return self.draw.random() < _HALF

    def _any_beside(self, passage: Passage) -> Passage:
        return self.draw.choice([other for other, _ in self.told if other != passage])

    def _clear(self, passage: Passage, phrase: str) -> bool:
        """Say whether a question names its passage by its heading, or another passage speaks of something else."""
        return self._has_heading(passage) or self._beside(passage, phrase) is not None

    def _has_heading(self, passage: Passage) -> bool:
        return self.titles[passage[0].casefold()] == 1

    def _asked(self, passage: Passage, phrase: str) -> str:
        """Ask about a phrase, by the passage's heading where no other has it."""
        return str(
            self.words["headed" if self._has_heading(passage) else "plain"].format(title=passage[0], phrase=phrase)
        )

    def _piece(
        self, case: str, passage: Passage, beside: Passage, asked: str, answer: str, why: str, *, second: bool = False
    ) -> Piece:
        """Put a row together; `why` is its name in the table."""
        shown = [beside, passage] if second else [passage, beside]
        return _written(case, shown, asked, f"{answer} [{2 if second else 1}]", self.words[why])


def _stems(text: str) -> frozenset[str]:
    """Return the words of a text that carry meaning, near forms as one: `returned parcels`, `return parcel`."""
    plain = set(function_words())
    return frozenset(_stem(word) for word in words(text) if word not in plain)


def _stem(word: str) -> str:
    for end in ("ings", "ing", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(end) and len(word) - len(end) >= _NAMED - 1:
            return word.removesuffix(end)
    return word


def _written(case: str, shown: Sequence[Passage], question: str, answer: str, why: str) -> Piece:
    prompt = recipe("questions")["prompt"]
    listed = "\n\n".join(
        prompt["passage"].format(n=n, title=title, text=text) for n, (title, text) in enumerate(shown, 1)
    )
    text = prompt["user"].format(passages=listed, question=question)
    return Piece(case, text, answer, why, f"your documents: {', '.join(title for title, _ in shown)}"[:200])
