"""Marks answers by how near they come to a brand's voice; it does not say whether they are good.

A score is the share of the brand's own training texts that are at least as far from the brand's usual wording as the
answer, so 0.5 is a typical brand text. Content, house rules and copies are looked at beside it.
"""

from collections.abc import Sequence
from functools import cached_property
from statistics import fmean, median
from typing import Any, ClassVar

from knowledge.errors import UserError
from trainers.data.jsonl import Row
from trainers.evals.metrics.base import Figure, Mark, Setup
from trainers.evals.stats import wilson
from trainers.evals.style.content import facts, kept
from trainers.evals.style.delta import Voice, writes_english
from trainers.evals.style.limits import limits
from trainers.evals.style.memorised import Taught
from trainers.evals.style.profile import Profile, distinct_2, profile
from trainers.evals.style.reference import plain_english
from trainers.evals.style.rules import read_rules
from trainers.evals.style.text import words
from trainers.evals.style.two_sample import compare

_NOTED = 3  # missing facts named in a note


class Style:
    """How near answers come to the voice of the training targets.

    Options: `rules` (see style/rules.py); `reference`, texts of another writer, best the untuned base's answers to
    training briefs (with fewer than five the shipped plain English is used, which tells voices apart less well); `seed`
    of the two-sample test. Raises UserError for options that cannot be used.
    """

    binary: ClassVar[bool] = False
    title: ClassVar[str] = "in the brand's voice"
    caution: ClassVar[str] = (
        "Style says how near the wording comes to the brand's own texts, not that the answers are right or better."
    )

    def __init__(self, setup: Setup) -> None:
        """Learn the voice from the training targets."""
        self._brand = [row.target for row in setup.train]
        self._rules = read_rules(setup.options.get("rules"))
        given = _texts(setup.options.get("reference", ()))
        self._given = len(given) >= limits("delta")["least_texts"]
        self._english = writes_english(self._brand)
        self._voice = Voice(self._brand, given if self._given else plain_english() if self._english else ())
        self._taught = Taught(self._brand)
        self._seed = _seed(setup.options.get("seed", 0))

    @cached_property
    def profile(self) -> Profile:
        """The brand in numbers."""
        return profile(self._brand)

    @property
    def doubt(self) -> str:
        """What to know about this voice before believing a score; empty if nothing."""
        texts = self._voice.texts
        if not self._voice.ready:
            least = limits("delta")["least_texts"]
            return f"No voice was learned: {texts} brand texts, {least} are the least. Every answer scores 0."
        parts = []
        if texts < limits("delta")["good_texts"]:
            parts.append(f"The voice was learned from {texts} texts only, so a score is coarse.")
        if not self._given:
            weakly = "weakly" if self._english else "hardly at all, since the brand does not write English"
            parts.append(f"No texts of the untuned base were given, so a score tells voices apart {weakly}.")
        return " ".join(parts)

    def mark(self, row: Row, output: str) -> Mark:
        """Place one answer; checks hold each rule, `content_kept` and `copied_8grams` (1 is all copied)."""
        if not output.strip():
            return Mark(0.0, note="no answer")
        checks = {rule.name: float(rule.kept(output)) for rule in self._rules}
        content, copied = kept(row.prompt, output), self._taught.check(output)
        if content.share is not None:
            checks["content_kept"] = content.share
        if copied.share is not None:
            checks["copied_8grams"] = copied.share
        placed = self._voice.place(output)
        notes = [f"missing: {', '.join(content.missing[:_NOTED])}"] if content.missing else []
        if placed is None:
            return Mark(0.0, checks, "; ".join(["too few brand texts to learn a voice from", *notes]))
        if placed.length < limits("delta")["short"]:
            notes.append("too short to place a single text well")
        return Mark(placed.percentile, checks, "; ".join(notes)[:300])

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Sum up an arm beside the brand: percentile, two-sample test, rules, content, copies, lengths."""
        said = [output or "" for output in outputs]
        return (
            Figure("style percentile", _mean([mark.score for mark in marks]) if self._voice.ready else None),
            *self._told_apart(rows, said),
            *self._rules_kept(said, marks),
            *_content(rows, marks),
            *self._copies(rows, said, marks),
            *self._shape(rows, said),
        )

    def _told_apart(self, rows: Sequence[Row], said: Sequence[str]) -> tuple[Figure, ...]:
        """Tell the answers from the brand's own held-out answers to the same briefs."""
        test = compare([row.target for row in rows], said, self._seed)
        if test is None:
            return (Figure("told from the brand (AUROC)", None, unit="index", better="lower"),)
        return (
            Figure("told from the brand (AUROC)", test.auroc, test.low, test.high, "index", "lower"),
            Figure("p that nobody can tell", test.p_value, unit="index", better="neither"),
        )

    def _rules_kept(self, said: Sequence[str], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Count answers that keep all rules, and each rule; an answer that is missing keeps none."""
        if not self._rules:
            return ()
        names = [rule.name for rule in self._rules]
        kept_by = {name: sum(mark.checks.get(name, 0.0) == 1.0 for mark in marks) for name in dict.fromkeys(names)}
        whole = sum(all(mark.checks.get(name, 0.0) == 1.0 for name in names) for mark in marks)
        return (
            _rate("all rules kept", whole, len(said)),
            *(_rate(f"rule: {name}", count, len(said)) for name, count in kept_by.items() if len(kept_by) > 1),
        )

    def _copies(self, rows: Sequence[Row], said: Sequence[str], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Sum copies up, beside what the brand's own held-out answers share with the training answers."""
        own = [share for row in rows if (share := self._taught.check(row.target).share) is not None]
        longest = max((self._taught.check(text).longest for text in said), default=0)
        return (
            Figure("8-grams copied", _mean(_checked(marks, "copied_8grams")), better="lower"),
            Figure("8-grams copied by the brand itself", _mean(own), better="neither"),
            Figure("longest copy in words", float(longest), unit="count", better="lower"),
        )

    def _shape(self, rows: Sequence[Row], said: Sequence[str]) -> tuple[Figure, ...]:
        """Compare lengths with the brand's own answers, where a change is neither good nor bad."""
        ratios = [
            len(words(text)) / wanted
            for row, text in zip(rows, said, strict=True)
            if text and (wanted := len(words(row.target)))
        ]
        arm, brand = profile(said).words_per_sentence, self.profile.words_per_sentence
        return (
            Figure("length ratio", median(ratios) if ratios else None, unit="index", better="neither"),
            Figure("sentence length ratio", arm / brand if arm and brand else None, unit="index", better="neither"),
            Figure("distinct-2", distinct_2(said), better="neither"),
        )


def _content(rows: Sequence[Row], marks: Sequence[Mark]) -> tuple[Figure, ...]:
    """Sum up over the briefs that state a fact; an answer that is missing keeps none."""
    asked = zip(rows, marks, strict=True)
    shares = [mark.checks.get("content_kept", 0.0) for row, mark in asked if facts(row.prompt).all]
    if not shares:
        return ()
    return (
        Figure("content kept", _mean(shares)),
        _rate("all content kept", sum(share == 1.0 for share in shares), len(shares)),
    )


def _rate(name: str, count: int, n: int) -> Figure:
    if not n:
        return Figure(name, None)
    interval = wilson(count, n)
    return Figure(name, count / n, interval.low, interval.high)


def _checked(marks: Sequence[Mark], name: str) -> list[float]:
    return [mark.checks[name] for mark in marks if name in mark.checks]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(text, str) for text in given):
        raise UserError("I can't use these reference texts: they are not a list of texts.", "Give a list of texts.")
    return tuple(given)


def _seed(given: Any) -> int:
    if not isinstance(given, int) or given < 0:
        raise UserError("I can't use this seed: it is not a whole number from 0.", "Give a number such as 0.")
    return given
