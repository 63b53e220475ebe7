"""Knows what questions may cost at most and did cost, and keeps the sum below what was approved; it asks nothing."""

from collections.abc import Mapping
from decimal import Decimal

from trainers.evals.endpoint.limits import section
from trainers.evals.endpoint.wire import Question
from trainers.evals.metrics.operations import TokenPrices


def most_prompt_tokens(question: Question) -> int:
    """Return an upper bound of a prompt's tokens: byte-level tokenizers need at most one for a byte of UTF-8."""
    lengths = section("lengths")
    said = [question.whole] if question.whole else [content for _, content in question.messages]
    text = sum(len(content.encode("utf-8", "replace")) for content in said)
    return int(text + lengths["marks_per_message"] * len(question.messages) + lengths["marks_per_call"])


class Meter:
    """What was spent and is set aside for calls under way, in dollars; never lets their sum pass the limit."""

    def __init__(self, prices: Mapping[str, TokenPrices], limit: Decimal, spent: Decimal = Decimal(0)) -> None:
        """Take the price of each model, what was approved, and what earlier workers spent of it."""
        self._prices, self.limit, self.spent = dict(prices), limit, spent
        self.held = Decimal(0)
        self._factor = Decimal(1)

    def worst(self, question: Question) -> Decimal:
        """Return the most that a question may cost: its longest prompt in tokens and its longest answer.

        An endpoint that once counted more than that is expected to do so again.
        """
        exact = self._prices[question.model].dollars(most_prompt_tokens(question), question.max_tokens)
        return exact * self._factor

    def reserve(self, question: Question) -> Decimal | None:
        """Set aside the most that a question may cost and return it; None where that could pass the limit."""
        worst = self.worst(question)
        if self.spent + self.held + worst > self.limit:
            return None
        self.held += worst
        return worst

    def release(self, held: Decimal) -> None:
        """Hear that a question was not taken, so that it cost nothing."""
        self.held -= held

    def settle(self, question: Question, held: Decimal, tokens: tuple[int | None, int | None]) -> Decimal:
        """Count what an answer cost and return it; where nobody counted its tokens, all that was set aside."""
        prompt, output = tokens
        price = self._prices[question.model]
        cost = held if prompt is None or output is None else price.dollars(prompt, output)
        if held and cost > held:
            self._factor *= cost / held
        self.held -= held
        self.spent += cost
        return cost

    def lose(self, held: Decimal) -> None:
        """Count a question whose answer was lost as paid in full."""
        self.held -= held
        self.spent += held
