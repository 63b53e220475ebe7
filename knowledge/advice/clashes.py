"""Finds facts that do not fit together and words both sides; it does not know which side is right."""

from collections.abc import Mapping

from knowledge.advice.facts import Facts, Value
from knowledge.advice.rubric import Rubric, word


def clashes(facts: Facts, beaten: Mapping[str, Value | None], rubric: Rubric) -> tuple[str, ...]:
    """Return a sentence for each contradiction.

    `beaten` has, by fact, what was stated before the statement that counts; None where that is no longer known.
    """
    twice = [_twice(name, before, facts, rubric) for name, before in beaten.items()]
    apart = [_apart(pair, facts, rubric) for pair in rubric.clashes if _holds(pair, facts)]
    return (*filter(None, twice), *apart)


def _twice(name: str, before: Value | None, facts: Facts, rubric: Rubric) -> str:
    taken = getattr(facts, name)
    if taken is None or taken == before:
        return ""
    said = rubric.says(name, taken)
    if before is None:
        return f"The text says two things about this; I took the later one: {said}."
    return f"The text says both \u201c{rubric.says(name, before)}\u201d and \u201c{said}\u201d; I took the later one."


def _holds(pair: Mapping[str, tuple[str, ...]], facts: Facts) -> bool:
    return all(_word(getattr(facts, name)) & set(words) for name, words in pair.items())


def _word(value: Value | None) -> set[str]:
    if value is None:
        return set()
    return {word(value), "some"} if isinstance(value, int) and value > 0 else {word(value)}


def _apart(pair: Mapping[str, tuple[str, ...]], facts: Facts, rubric: Rubric) -> str:
    one, other = (rubric.says(name, getattr(facts, name)) for name in pair)
    return f"These do not fit together: \u201c{one}\u201d and \u201c{other}\u201d. Which one holds?"
