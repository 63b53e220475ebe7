"""The rubric as data: criteria, gates, options and sources; it knows their shape and nothing of any use case."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from knowledge.advice.facts import NAMES, Facts, Value

Option = Literal["prompting", "rag", "fine_tuning", "rag+fine_tuning", "other"]
Kind = Literal["knowledge", "behaviour", "circumstance", "impression"]

OPTIONS: tuple[Option, ...] = get_args(Option)
"""All answers, simplest first; of equals the simpler one wins."""
SCORED: tuple[Option, ...] = OPTIONS[:-1]
"""The answers that are scored; "other" comes from gates alone."""
NOT_FACTS = ("as_of", "groups", "clash")
"""Entries of facts.toml that are no facts."""

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a criterion does for one option."""

    weight: float
    """Points at full degree; positive speaks for the option."""
    says: str
    """The reason, a clause without capital or full stop."""
    source: str
    """Key of the source that gives the sign."""
    guide: str
    """Slug of the guide page that explains it, or an empty string."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One question to the facts and its effect on each option."""

    id: str
    fact: str
    kind: Kind
    effects: Mapping[Option, Effect]
    when: Mapping[str, float]
    """Degree by value (booleans as "true" and "false"); empty for numbers."""
    between: tuple[float, float] | None
    """Half-open range in which a number counts fully; None for values."""
    unless_known: str
    """Name of a fact that, when known, makes this criterion silent."""
    unless: Mapping[str, Value]
    """Facts of which one with this value makes this criterion silent."""
    unless_below: Mapping[str, int]
    """Numbers of which one that is known and smaller makes this criterion silent."""
    needs: Mapping[str, Value]
    """Facts that must all have these values as well."""

    def degree(self, facts: Facts) -> float:
        """Give the share (0 to 1) to which this criterion holds; 0 when the fact is unknown."""
        value = getattr(facts, self.fact)
        if value is None or (self.unless_known and getattr(facts, self.unless_known) is not None):
            return 0.0
        silenced = any(getattr(facts, name) == other for name, other in self.unless.items()) or any(
            number is not None and number < least
            for number, least in ((getattr(facts, name), least) for name, least in self.unless_below.items())
        )
        if silenced or not _met(facts, self.needs, {}):
            return 0.0
        if self.between is not None:
            return float(self.between[0] <= value < self.between[1])
        return self.when.get(word(value), 0.0)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A condition that ends the weighing or takes options out of it."""

    id: str
    title: str
    needs: Mapping[str, Value]
    """Facts that must all have these values."""
    at_least: Mapping[str, int]
    """Numbers that must all be reached."""
    unless: Mapping[str, Value]
    """Facts of which none may have this value."""
    unless_at_least: Mapping[str, int]
    """Numbers of which none may be reached."""
    answer: Option | None
    """The answer it gives, or None when it only excludes."""
    lead: float | None
    """Points by which its answer leads; None: as the rule says for all."""
    below: float | None
    """It holds only while no option has this many points; None: whatever they have."""
    excludes: tuple[Option, ...]
    headline: str
    says: str
    instead: str
    """What would go wrong with the options it beats."""
    next_step: str
    effort: str
    source: str
    guide: str

    def holds(self, facts: Facts) -> bool:
        """Tell whether everything it needs is known and nothing speaks against it."""
        spoken_against = any(getattr(facts, name) == value for name, value in self.unless.items()) or any(
            (getattr(facts, name) or 0) >= least for name, least in self.unless_at_least.items()
        )
        return not spoken_against and _met(facts, self.needs, self.at_least)


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Something that is neither prompt, index nor training, and worth a look beside the recommendation."""

    needs: Mapping[str, Value]
    at_least: Mapping[str, int]
    effect: Effect
    """Its words and sources; the weight is 0, as it does not take part in the score."""

    def holds(self, facts: Facts) -> bool:
        """Tell whether everything it needs is known."""
        return _met(facts, self.needs, self.at_least)


@dataclass(frozen=True, kw_only=True)
class OptionText:
    """The words of one option."""

    name: str
    headline: str
    effort: str
    effort_with_labels: str
    next_step: str
    wrong: str
    """What is lost if this turns out to be the wrong choice."""
    yes: str
    no: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How scores become an answer and a confidence; the meaning of each number is in rubric.toml."""

    tie: float
    both_knowledge: float
    both_behaviour: float
    both_behaviour_unlabelled: float
    both_labels: int
    gate_lead: float
    high_margin: float
    high_known: int
    medium_margin: float


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A publication or a guide page."""

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One possible answer to a question."""

    label: str
    value: Value
    p: float
    """Prior probability of this answer."""
    words: str
    """How it reads after "if"."""


@dataclass(frozen=True, kw_only=True)
class FactText:
    """How a fact is shown and asked."""

    group: str
    """Key of the group in which it stands in a form with all facts."""
    title: str
    """Its label there."""
    said: Mapping[str, str]
    """Words for the card by value, or for "number" with "#" in place of it."""
    otherwise: str
    """What is assumed while the fact is unknown; empty where nothing is."""
    needs: Mapping[str, Value]
    """Facts that must have these values before this one matters."""
    ask: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """Everything that turns facts into advice."""

    as_of: date
    rule: Rule
    prior: Mapping[Option, Effect]
    gates: tuple[Gate, ...]
    alternatives: tuple[Alternative, ...]
    criteria: tuple[Criterion, ...]
    options: Mapping[Option, OptionText]
    sources: Mapping[str, Reference]
    pages: Mapping[str, str]
    """Title of each guide page that is cited, by slug."""
    guide: Mapping[str, str]
    """Slug of the page for each option and for the checklist."""
    facts: Mapping[str, FactText]
    groups: Mapping[str, str]
    """Title of each group of facts by its key, in the order of a form."""
    confidence: Mapping[str, str]
    """What each level of confidence means."""
    clashes: tuple[Mapping[str, tuple[str, ...]], ...]
    """Pairs of facts that do not fit together, each with the words of those values ("some" is a number above 0)."""

    def says(self, name: str, value: Value | None) -> str:
        """Word a fact the way the card does."""
        said = self.facts[name].said
        if value is None:
            return f"not known: {self.facts[name].title.lower()}"
        return said["number"].replace("#", f"{value:,}") if "number" in said else said[word(value)]


@functools.cache
def load_rubric() -> Rubric:
    """Read rubric.toml and facts.toml; raises KeyError or ValueError when they do not fit together."""
    raw, told = _toml("rubric.toml"), _toml("facts.toml")
    rubric = Rubric(
        as_of=raw["as_of"],
        rule=Rule(**raw["rule"]),
        prior={key: _effect(entry, entry["source"], raw["guide"][key]) for key, entry in raw["prior"].items()},
        gates=tuple(_gate(entry, raw["guide"]) for entry in raw["gate"]),
        alternatives=tuple(_alternative(entry) for entry in raw["alternative"]),
        criteria=tuple(_criterion(entry, raw["guide"]) for entry in raw["criterion"]),
        options={key: OptionText(**{"effort_with_labels": "", **entry}) for key, entry in raw["option"].items()},
        sources={key: Reference(**{"url": "", **entry}) for key, entry in raw["source"].items()},
        pages=raw["page"],
        guide={key: slug for key, slug in raw["guide"].items() if isinstance(slug, str)},
        facts={name: _fact(entry) for name, entry in told.items() if name not in NOT_FACTS},
        groups=told["groups"],
        confidence=raw["confidence"],
        clashes=tuple(told["clash"]),
    )
    _check(rubric)
    return rubric


def word(value: Value) -> str:
    """Write a value the way TOML keys write it: true, false, or the word itself."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text("utf-8"))


def _effect(entry: Mapping[str, Any], source: str, guide: str) -> Effect:
    return Effect(weight=float(entry["weight"]), says=entry["says"], source=source, guide=guide)


def _criterion(entry: Mapping[str, Any], guide: Mapping[str, Any]) -> Criterion:
    pages = guide.get(entry["id"], {})
    by_option = dict.fromkeys(SCORED, pages) if isinstance(pages, str) else pages
    effects = {
        option: _effect(entry[option], entry["source"][option], by_option.get(option, ""))
        for option in SCORED
        if option in entry
    }
    bounds = entry.get("between")
    return Criterion(
        id=entry["id"],
        fact=entry["fact"],
        kind=entry["kind"],
        effects=effects,
        when=entry.get("when", {}),
        between=(bounds[0], bounds[1]) if bounds else None,
        unless_known=entry.get("unless_known", ""),
        unless=entry.get("unless", {}),
        unless_below=entry.get("unless_below", {}),
        needs=entry.get("needs", {}),
    )


def _gate(entry: Mapping[str, Any], guide: Mapping[str, Any]) -> Gate:
    return Gate(
        id=entry["id"],
        title=entry["title"],
        needs=entry["all"],
        at_least=entry.get("at_least", {}),
        unless=entry.get("unless", {}),
        unless_at_least=entry.get("unless_at_least", {}),
        answer=entry.get("answer"),
        lead=entry.get("lead"),
        below=entry.get("below"),
        excludes=tuple(entry.get("excludes", ())),
        headline=entry.get("headline", ""),
        says=entry["says"],
        instead=entry.get("instead", ""),
        next_step=entry["next_step"],
        effort=entry.get("effort", ""),
        source=entry["source"],
        guide=guide.get(entry["id"], ""),
    )


def _alternative(entry: Mapping[str, Any]) -> Alternative:
    effect = _effect({"weight": 0, **entry}, entry["source"], entry["guide"])
    return Alternative(needs=entry["all"], at_least=entry.get("at_least", {}), effect=effect)


def _met(facts: Facts, needs: Mapping[str, Value], at_least: Mapping[str, int]) -> bool:
    return all(getattr(facts, name) == value for name, value in needs.items()) and all(
        (getattr(facts, name) or 0) >= least for name, least in at_least.items()
    )


def _fact(entry: Mapping[str, Any]) -> FactText:
    choices = tuple(
        Choice(label=each["label"], value=each["value"], p=each["p"], words=each["if"])
        for each in entry.get("choices", ())
    )
    return FactText(
        group=entry["group"],
        title=entry["title"],
        said=entry["said"],
        otherwise=entry.get("otherwise", ""),
        needs=entry.get("needs", {}),
        ask=entry.get("ask", ""),
        choices=choices,
    )


def _check(rubric: Rubric) -> None:
    if tuple(rubric.facts) != NAMES:
        raise ValueError("facts.toml must describe every fact once, in the order of Facts")
    if list(dict.fromkeys(text.group for text in rubric.facts.values())) != list(rubric.groups):
        raise ValueError("facts.toml must put every fact into a group, group by group")
    cited = [(effect.source, effect.guide) for criterion in rubric.criteria for effect in criterion.effects.values()]
    cited += [(effect.source, effect.guide) for effect in rubric.prior.values()]
    cited += [(gate.source, gate.guide) for gate in rubric.gates]
    for source, page in cited:
        if source not in rubric.sources or (page and page not in rubric.pages):
            raise ValueError(f"rubric.toml cites an unknown source or page: {source} {page}")
