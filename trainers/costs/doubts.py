"""Knows what a person should know before believing an estimate; it computes no costs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainers.costs.memory import memory_needed

if TYPE_CHECKING:
    from trainers.costs.estimate import Estimate


def doubts(made: "Estimate") -> Iterator[str]:
    """Yield one sentence for each reason to look twice."""
    if made.offer.state(made.today) != "open":
        yield made.offer.line.to_json(made.today)["sentence"]
    yield from _unknown(made)
    yield from _sources(made)
    yield from _too_long(made)
    yield from _tight(made)
    if made.offer.sheet.price("tuned_cached") is None and made.cached_percent:
        yield "What a cached token of the tuned model costs is unknown: its prompts are reckoned at full price."
    if made.offer.provider.left_out:
        yield f"Not counted: {made.offer.provider.left_out}."


def _unknown(made: "Estimate") -> Iterator[str]:
    if made.unknown:
        names = ", ".join(name.replace("_", " ") for name in made.unknown)
        yield f"Unknown prices: {names}. What needs them is unknown, not free."
    if "training_hour" in made.prices and made.training is None:
        hourly = made.prices["training_hour"].price.text
        yield f"Training is billed by the hour ({hourly}); how many hours it takes is not known before."
        yield "Not counted: the tokens of a model that grades, at its own rate."


def _sources(made: "Estimate") -> Iterator[str]:
    """Say which prices are old, are of a later day than the estimate, or were confirmed by nobody."""
    old = [listed.source.as_of for listed in made.prices.values() if listed.source.is_old(made.today)]
    if old:
        yield f"Prices older than 60 days: the oldest is of {min(old)}. Check them before you spend: `luthier prices`."
    later = [listed.source.as_of for listed in made.prices.values() if listed.source.as_of > made.today]
    if later:
        yield f"{made.today} is before {max(later)}, when prices used here were read: what was asked then is not known."
    unsure = sorted({name.replace("_", " ") for name, listed in made.prices.items() if listed.source.unverified})
    if unsure:
        yield f"Not confirmed by the provider: {', '.join(unsure)}."


def _too_long(made: "Estimate") -> Iterator[str]:
    """Say where a request has no room in the model's context, or a row is longer than the trainer takes."""
    load, name = made.workload, made.offer.model.name
    each, more = load.prompt_tokens + load.completion_tokens, made.assumed("extra_prompt_tokens")
    context, row = made.offer.model.context, made.offer.sheet.longest_row
    if context is not None and each > context.tokens:
        yield (
            f"{each:,.0f} tokens a request are more than the {context.tokens:,} that {name} reads "
            f"({context.source.name}): it answers none of them, so these figures are arithmetic only."
        )
    elif context is not None and each + more > context.tokens:
        yield (
            f"With its longer prompt the base would need {each + more:,.0f} tokens, more than the {context.tokens:,} "
            f"that {name} reads: the break-even against it is arithmetic only."
        )
    models = {row.offer.model.name: row.offer.model.context for row in made.comparison}
    others = sorted(other for other, limit in models.items() if limit and each > limit.tokens and other != name)
    if others:
        yield f"A request of {each:,.0f} tokens is too long for {', '.join(others)}: their figures are arithmetic only."
    if row is not None and each > row.tokens:
        yield (
            f"{each:,.0f} tokens an example are more than the {row.tokens:,} that a training row may have there "
            f"({row.source.name}): such rows are cut or refused."
        )


def _tight(made: "Estimate") -> Iterator[str]:
    """Say where a model does not fit on the card, or may not."""
    need, has = memory_needed(made.offer.model), made.offer.sheet.memory_gb
    if need is None or has is None or need[1] <= has:
        return
    name, card = made.offer.model.name, made.offer.sheet.model
    needs = f"{need[0]:f}" if need[0] == need[1] else f"{need[0]:f} to {need[1]:f}"
    fits = "does not fit" if need[0] > has else "may not fit"
    yield f"{name} takes {needs} GB with QLoRA and {fits} on one {card} ({has:f} GB): choose a larger card."
