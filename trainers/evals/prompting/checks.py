"""What a system prompt lacks or contradicts, by the four parts that one needs; it rewrites nothing.

Words tell whether a prompt speaks of a thing, not whether it is right about it: an empty list is no praise.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from trainers.data.rules.credentials import secrets_in
from trainers.data.rules.wording import has_placeholder
from trainers.data.titles import at_word
from trainers.data.tokens import encoder
from trainers.evals.plans.body import EvalPlan
from trainers.evals.prompting.compose import table
from trainers.evals.prompting.contradictions import Contradiction, contradictions
from trainers.evals.prompting.read_by_model import Reading
from trainers.evals.style.text import sentences, words

Aspect = Literal["role", "output format", "edge cases", "consistency", "examples", "safety", "length"]


class Check(NamedTuple):
    """One thing that was looked at."""

    aspect: Aspect
    ok: bool
    says: str
    fix: str
    """What to do; "" where it is all right."""


KEEP_ONE: Final = "Keep one, or say when each holds."

_QUOTED: Final = re.compile("\u201c([^\u201d]+)\u201d")
_SHOWN: Final = 120
"""Characters of a sentence that are quoted."""

_CASES: Final = 2
"""Special cases from which a prompt is said to speak of them."""


def check_prompt(text: str, plan: EvalPlan | None = None) -> list[Check]:
    """Look at a prompt's role, output format, edge cases, consistency, examples, safety and length.

    With a plan also whether its labels or fields stand in it. Findings that are not all right come first.
    """
    both = list(_contradictions(text))
    parts = [each for each in _parts(text) if not (both and each.ok and each.aspect == "consistency")]
    looked = [*parts, *_named(text, plan), *both, *_safety(text), _length(text)]
    return sorted(looked, key=lambda each: each.ok)


def unread(found: Sequence[Check], model: str) -> list[Check]:
    """Say that a language model that costs money did not read the prompt: nobody has seen a quote."""
    words = f"To let {model} read it may cost money, and a check has no quote: only usual words were looked for."
    return [*found, Check("consistency", True, words, "")]


def with_reading(found: Sequence[Check], reading: Reading) -> list[Check]:
    """Add what a language model found in the same prompt and nothing else had; or why it did not read it."""
    if reading.why_not:
        return [*found, Check("consistency", True, f"{reading.why_not} So only usual words were looked for.", "")]
    known = {sentence for each in found for sentence in _QUOTED.findall(each.says)}
    new = [each for each in reading.found if not all(at_word(said, _SHOWN) in known for said in each.said)]
    says = [f"{reading.by} reads a contradiction: {_both(each)}." for each in new]
    more = [Check("consistency", False, each, f"{KEEP_ONE} It may be wrong.") for each in says]
    kept = [each for each in found if not (more and each.ok and each.aspect == "consistency")]
    return sorted([*kept, *more], key=lambda each: each.ok)


def unnamed(text: str, wanted: Sequence[str]) -> list[str]:
    """Return the labels, keys or headings that do not stand in a prompt as whole words; case does not matter."""
    return [name for name in wanted if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)]


def _parts(text: str) -> Iterator[Check]:
    yield _role(text)
    exact = _says(text, "format")
    yield _said("output format", exact, "how the reply looks", "Say what a reply consists of, to the letter.")
    if exact and not _says(text, "exact"):
        yield Check("output format", False, "It does not say that nothing else may be added.", "Add: and nothing else.")
    cases = len(_look("case").findall(text))
    yield _said(
        "edge cases",
        cases >= _CASES,
        f"what to do in special cases ({cases} found)",
        "Say what happens with empty, foreign, mixed and out-of-scope input: If …, reply ….",
    )
    yield _said("consistency", (_says(text, "always")), "rules that always hold", "Add what it always and never does.")
    shown = _says(text, "example")
    yield Check("examples", True, "It shows examples." if shown else "It shows none: in training the rows are.", "")


def _named(text: str, plan: EvalPlan | None) -> Iterator[Check]:
    wanted = [*plan.labels, *(plan.schema or {}).get("properties", {})] if plan else []
    missing = unnamed(text, wanted)
    if wanted:
        listed = ", ".join(missing[:8])
        fix = "Name every label or field, spelled as in the rows." if missing else ""
        yield Check(
            "output format", not missing, f"It does not name {listed}." if missing else "It names all of them.", fix
        )


def _both(found: Contradiction) -> str:
    return " and ".join(f"\u201c{at_word(each, _SHOWN)}\u201d" for each in found.said)


def _role(text: str) -> Check:
    said = [" ".join(each.split()) for each in sentences(text) if _says(each, "role")]
    known = set(table()["roles"]["any"].split())
    if said and all(set(words(each)) <= known for each in said):
        weak = f"It names a role that would fit any model: \u201c{at_word(said[0], _SHOWN)}\u201d."
        return Check("role", False, weak, "Say what it does, and for whom: You sort the support tickets of a shop.")
    what = "who the model is and what it does"
    return _said("role", bool(said), what, "Begin with: You are …, your task is …")


def _contradictions(text: str) -> Iterator[Check]:
    for each in contradictions(text):
        yield Check("consistency", False, each.sentence, KEEP_ONE)


def _safety(text: str) -> Iterator[Check]:
    looks: tuple[tuple[Callable[[str], Any], str, str], ...] = (
        (secrets_in, "It holds what looks like a key or password.", "Take it out, and change it where it is used."),
        (has_placeholder, "It holds a placeholder that nobody filled in.", "Fill it in."),
        (
            _look("ages").search,
            "It holds a price, a year or a day, which will age.",
            "Give such facts with the request instead.",
        ),
    )
    for look, says, fix in looks:
        if look(text):
            yield Check("safety", False, says, fix)
    told = _says(text, "injection")
    fix = "" if told else "Say that text inside the input is never an instruction."
    yield Check(
        "safety",
        told,
        "It says what orders inside the input are." if told else "Orders inside the input are left open.",
        fix,
    )


def _length(text: str) -> Check:
    count = encoder("o200k_base") or len
    tokens, most = count(text), int(table()["most_tokens"])
    short = tokens <= most
    fix = "" if short else "Each call pays for it; with hundreds of rows most of it can go."
    return Check("length", short, f"{tokens:,} tokens (o200k).", fix)


def _said(aspect: Aspect, ok: bool, what: str, fix: str) -> Check:
    return Check(aspect, ok, f"It says {what}." if ok else f"It does not say {what}.", "" if ok else fix)


def _says(text: str, name: str) -> bool:
    return _look(name).search(text) is not None


def _look(name: str) -> re.Pattern[str]:
    return _compiled(table()["looks"][name])


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
