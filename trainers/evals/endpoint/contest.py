"""Knows which questions an evaluation over an endpoint asks, and what they will take; it asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import UserError
from trainers.data.jsonl import Row
from trainers.data.tokens import CHARACTERS_PER_TOKEN, MARKS_PER_MESSAGE
from trainers.evals.endpoint.limits import section
from trainers.evals.endpoint.prompts import Prompts, Turns, sent_whole, survivors
from trainers.evals.endpoint.spending import most_prompt_tokens
from trainers.evals.endpoint.wire import Question
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.probes import Probe
from trainers.evals.proof import same_model

MICRO = Decimal("0.000001")
"""SQL counts whole micro-dollars."""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Which models answer which rows."""

    base: str
    """Name of the base at the endpoint."""
    tuned: str
    """Name of the tuned model."""
    train: Sequence[Row]
    test: Sequence[Row]
    labels: tuple[str, ...] = ()
    """The closed set of labels, or empty."""
    probes: Sequence[Probe] = ()
    """Questions that both models are asked beside the rows."""
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse what would compare nothing."""
        if not self.train or not self.test:
            raise UserError("There are no rows to train or to test on.", "Give both files.")
        if same_model(self.tuned, self.base):  # an answer by the base would pass for the tuned model's
            raise UserError("Base and tuned model have the same name.", "Name two models that names tell apart.")

    @cached_property
    def prompts(self) -> Prompts:
        """The training rows as examples."""
        return Prompts(self.train, self.labels, self.seed)

    @cached_property
    def max_tokens(self) -> int:
        """Most tokens of an answer: a quarter more than the longest training reply or label may need."""
        lengths = section("lengths")
        longest = max(_short_tokens(text) for text in (*(row.target for row in self.train), *self.labels))
        return int(min(lengths["most_output"], max(lengths["least_output"], longest * 1.25 + 4)))

    def asks(self, model: str, turns: Turns, most: int | None = None, row: Row | None = None) -> Question:
        """Return a question of this contest; of a row with tools they are sent along."""
        return Question(model, turns, most or self.max_tokens, sent_whole(row, turns) if row else "")

    def plain(self, model: str) -> list[Question]:
        """Return the test rows as they are, asked as in training."""
        return [
            self.asks(model, tuple((turn.role, turn.content) for turn in row.messages[:-1]), row=row)
            for row in self.test
        ]

    def probing(self, model: str) -> list[Question]:
        """Return the probes."""
        return [
            self.asks(model, tuple((turn.role, turn.content) for turn in probe.messages), probe.max_new_tokens)
            for probe in self.probes
        ]


class Span(NamedTuple):
    """A number that is not known yet."""

    low: int
    expected: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a contest will take."""

    calls: int
    choosing: int
    """Of these, to choose the base's prompt on training rows."""
    prompt_tokens: Span
    output_tokens: Span
    dollars: tuple[Decimal, Decimal, Decimal] | None
    """Low, expected and most; None where a price is unknown, never 0."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """Calls by part."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data, money as decimal strings."""
        return {
            "calls": self.calls,
            "choosing": self.choosing,
            "prompt_tokens": list(self.prompt_tokens),
            "output_tokens": list(self.output_tokens),
            "dollars": None if self.dollars is None else [str(amount) for amount in self.dollars],
            "parts": dict(self.parts),
        }


class _Ask(NamedTuple):
    """A question with its share: of alternatives only some will be asked."""

    part: str
    question: Question
    share: Decimal
    """Expected number of times."""
    most: bool
    """Whether it counts for the most that all may cost: of alternatives the dearest do."""


def bill(contest: Contest, prices: Mapping[str, TokenPrices] | None) -> Bill:
    """Work out calls, tokens and money of a contest before anything is asked; `prices` None: nobody knows them.

    Tokens are estimated: four characters each. The most is certain for byte-level tokenizers: a token for each byte of
    UTF-8, the longest answer to every question, and the dearest of the prompts among which is chosen.
    """
    output = _output_tokens(contest)
    prompt_sums, output_sums, money = [Decimal(0)] * 3, [Decimal(0)] * 3, [Decimal(0)] * 3
    counted: dict[str, Decimal] = {}
    for ask in _asks(contest):
        counted[ask.part] = counted.get(ask.part, Decimal(0)) + ask.share
        prompt = _prompt_tokens(ask.question)
        said = Span(1, -(-ask.question.max_tokens // 2), ask.question.max_tokens) if "probes" in ask.part else output
        for place, share in enumerate((ask.share, ask.share, Decimal(ask.most))):
            prompt_sums[place] += share * prompt[place]
            output_sums[place] += share * said[place]
            if prices is not None:
                money[place] += share * prices[ask.question.model].dollars(prompt[place], said[place])
    parts = {part: round(count) for part, count in counted.items()}
    low, expected, most = (amount.quantize(MICRO, rounding=ROUND_CEILING) for amount in money)
    return Bill(
        calls=sum(parts.values()),
        choosing=parts.get("choosing", 0),
        prompt_tokens=Span(*map(round, prompt_sums)),
        output_tokens=Span(*map(round, output_sums)),
        dollars=None if prices is None else (low, expected, most),
        parts=parts,
    )


def _asks(contest: Contest) -> Iterator[_Ask]:
    one = Decimal(1)
    for part, model in (("tuned", contest.tuned), ("base_plain", contest.base)):
        yield from (_Ask(part, question, one, True) for question in contest.plain(model))
    for part, model in (("probes_base", contest.base), ("probes_tuned", contest.tuned)):
        yield from (_Ask(part, question, one, True) for question in contest.probing(model))
    prompts = contest.prompts
    ways = prompts.ways()
    first, second = prompts.samples()
    for row, turns in zip(contest.test, prompts.turns_of_all(ways, contest.test), strict=True):
        yield from _among("base_few_shot", contest, row, turns, 1)
    for sample, kept in ((first, len(ways)), (second, survivors(len(ways)))):
        tried = [prompts.rows[place] for place in sample]
        for row, turns in zip(tried, prompts.turns_of_all(ways, tried, sample), strict=True):
            yield from _among("choosing", contest, row, turns, kept)


def _among(part: str, contest: Contest, row: Row, turns: Sequence[Turns], kept: int) -> Iterator[_Ask]:
    """Yield alternatives of which `kept` will be asked, the dearest first."""
    asked = [contest.asks(contest.base, each, row=row) for each in turns]
    asked.sort(key=most_prompt_tokens, reverse=True)
    share = Decimal(kept) / len(asked)
    yield from (_Ask(part, question, share, place < kept) for place, question in enumerate(asked))


def _prompt_tokens(question: Question) -> Span:
    characters = len(question.whole) or sum(len(content) for _, content in question.messages)
    marks = MARKS_PER_MESSAGE * len(question.messages)
    return Span(
        -(-characters // (CHARACTERS_PER_TOKEN + 1)),
        -(-characters // CHARACTERS_PER_TOKEN) + marks,
        most_prompt_tokens(question),
    )


def _output_tokens(contest: Contest) -> Span:
    lengths = [-(-len(row.target) // CHARACTERS_PER_TOKEN) + 1 for row in contest.train]
    expected = -(-sum(lengths) // len(lengths))
    return Span(min(lengths), min(expected, contest.max_tokens), contest.max_tokens)


def _short_tokens(text: str) -> int:
    """Return a generous guess of an answer's tokens: two bytes each."""
    return -(-len(text.encode("utf-8", "replace")) // 2) + 1


def journal_path(folder: Path) -> Path:
    """Return where the journal of an evaluation in `folder` lies."""
    return folder / "answers.jsonl"
