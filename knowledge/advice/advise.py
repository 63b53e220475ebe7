"""From a use case in words to advice; it knows how a verdict is told, and nothing of Slack or of how it is drawn."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.advice import outlook
from knowledge.advice.citations import Citations, Source
from knowledge.advice.clashes import clashes
from knowledge.advice.facts import Facts, Value, known, merge
from knowledge.advice.options import OptionView, spoken, view
from knowledge.advice.reader import MAX_CHARACTERS, Reader, Reading, read
from knowledge.advice.rubric import OPTIONS, Option, Rubric, load_rubric
from knowledge.advice.score import Confidence, Contribution, Verdict, judge

MOST_QUESTIONS = 3
MOST_CHANGES = 3


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One weighed reason for or against the recommendation."""

    text: str
    weight: float
    """Points; negative speaks against."""
    source: str
    """Who says so."""
    fact: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something worth asking, with its possible answers."""

    fact: str
    text: str
    choices: tuple[tuple[str, Value], ...]
    """Label and value, for `with_fact`."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """The answer to "should we fine-tune, use RAG, or just prompt?" for one use case."""

    recommendation: Option
    headline: str
    why: str
    """Two sentences with source numbers."""
    confidence: Confidence
    confidence_means: str
    if_wrong: str
    """What is lost if the recommendation turns out to be wrong."""
    options: tuple[OptionView, ...]
    runner_up: Option
    reasons: tuple[Reason, ...]
    """At most three for and two against, strongest first."""
    assumptions: tuple[str, ...]
    would_change: tuple[str, ...]
    questions: tuple[Question, ...]
    next_step: str
    sources: tuple[Source, ...]
    facts: Facts
    evidence: Mapping[str, str]
    """The words of the text behind each fact that was read from it."""
    notes: tuple[str, ...]
    """What the reader should know about how the text was read."""
    clashes: tuple[str, ...]
    """Facts that do not fit together, and statements of which the later one was taken; both sides are named."""
    needs_more: bool
    """The text says too little; the recommendation is only where everyone starts."""
    language_supported: bool
    as_of: str
    """Date of the rubric, ISO."""
    read_by: str = ""
    """Name of the language model that read the text, if one did."""


def advise(
    text: str,
    *,
    reader: Reader = read,
    facts: Facts | None = None,
    skipped: Collection[str] = (),
    beaten: Mapping[str, Value] | None = None,
    rubric: Rubric | None = None,
) -> Advice:
    """Advise on a use case that `reader` understands; never raises for any text.

    Facts that are handed in (earlier answers, chosen buttons) count over those read from the text. Facts in `skipped`
    are not asked; `beaten` has what an earlier text said before it said something else.
    """
    rubric = rubric or load_rubric()
    reading = reader(text)
    merged = merge(reading.facts, facts) if facts else reading.facts
    said_twice = {**dict.fromkeys(reading.conflicts), **reading.beaten, **(beaten or {})}
    return _advice(reading, merged, skipped, clashes(merged, said_twice, rubric), rubric)


def _advice(
    reading: Reading, merged: Facts, skipped: Collection[str], apart: tuple[str, ...], rubric: Rubric
) -> Advice:
    verdict = judge(merged, rubric)
    others = outlook.flips(merged, rubric)
    turns = outlook.changes(verdict, others, MOST_CHANGES)
    cited = Citations(rubric)
    weighed = any(contribution.fact for contribution in verdict.contributions) or verdict.gate is not None
    headline, why = _opening(verdict, rubric, cited) if weighed else _ask_for_more(reading, cited)
    confidence: Confidence = verdict.confidence if weighed else "low"
    return Advice(
        recommendation=verdict.recommendation,
        headline=headline,
        why=why,
        confidence=confidence,
        confidence_means=rubric.confidence[confidence],
        if_wrong=rubric.options[verdict.recommendation].wrong,
        options=tuple(view(option, verdict, merged, others, rubric, cited) for option in OPTIONS),
        runner_up=verdict.runner_up,
        reasons=_reasons(verdict, rubric),
        assumptions=_assumptions(merged, turns, rubric),
        would_change=tuple(_change(flip, rubric) for flip in turns),
        questions=_questions(outlook.questions(verdict, others, rubric, MOST_QUESTIONS, skipped), rubric),
        next_step=verdict.gate.next_step if verdict.gate else rubric.options[verdict.recommendation].next_step,
        sources=cited.sources,
        facts=merged,
        evidence={name: reading.evidence[name] for name in reading.evidence if _stands(name, reading, merged)},
        notes=_notes(reading),
        clashes=apart,
        needs_more=not weighed,
        language_supported=reading.language_supported,
        as_of=rubric.as_of.isoformat(),
        read_by=reading.read_by,
    )


def to_json(advice: Advice, *, case_id: str = "") -> dict[str, Any]:
    """Give the advice as plain data with stable keys; `case_id` is the caller's name for the case."""
    return {
        "id": case_id,
        "recommendation": advice.recommendation,
        "runner_up": advice.runner_up,
        "confidence": advice.confidence,
        "confidence_means": advice.confidence_means,
        "if_wrong": advice.if_wrong,
        "facts": {
            name: {"value": value, "evidence": advice.evidence.get(name)} for name, value in known(advice.facts).items()
        },
        "reasons": [{"text": each.text, "weight": each.weight, "source": each.source} for each in advice.reasons],
        "asked": [question.fact for question in advice.questions],
        "headline": advice.headline,
        "why": advice.why,
        "options": [dataclasses.asdict(row) for row in advice.options],
        "would_change": list(advice.would_change),
        "next_step": advice.next_step,
        "sources": [dataclasses.asdict(source) for source in advice.sources],
        "notes": [*advice.notes, *advice.clashes],
        "needs_more": advice.needs_more,
        "language_supported": advice.language_supported,
        "as_of": advice.as_of,
        "read_by": advice.read_by,
    }


def _opening(verdict: Verdict, rubric: Rubric, cited: Citations) -> tuple[str, str]:
    if verdict.gate:
        number = cited.number(verdict.gate.guide, verdict.gate.source)
        why = f"{_sentence(verdict.gate.says)} [{number}] {_sentence(verdict.gate.instead)} [{number}]"
        return verdict.gate.headline, why
    best = verdict.recommendation
    pro = max(spoken(verdict, best), key=lambda each: each.points)
    con = _against(verdict)
    why = _sentence(pro.effect.says) + f" [{cited.of(pro.effect)}]"
    if best == "rag+fine_tuning":
        why = f"{_sentence(rubric.options[best].yes)} [{cited.number(rubric.guide[best], 'meta_2024')}] {why}"
    elif con:
        why += f" {_sentence(f'{rubric.options[con.option].name}: {con.effect.says}')} [{cited.of(con.effect)}]"
    return rubric.options[best].headline, why


def _ask_for_more(reading: Reading, cited: Citations) -> tuple[str, str]:
    number = cited.number("decision-checklist", "openai_accuracy")
    if not reading.language_supported:
        return (
            "I can only read English so far.",
            "Please describe the case in English: what the AI should do, what it must know, and how many examples "
            f"you have. Until then the usual start applies: try a good prompt first. [{number}]",
        )
    return (
        "Tell me about your case first.",
        "What should the AI do, which facts must it know and how often do they change, how many good examples do "
        "you have, and what has a prompt reached so far? Two or three sentences are enough; most teams start with "
        f"a prompt. [{number}]",
    )


def _against(verdict: Verdict) -> Contribution | None:
    """Give the strongest word against the option that people would reach for instead."""
    rivals: Mapping[Option, tuple[Option, ...]] = {
        "prompting": ("fine_tuning", "rag"),
        "rag": ("fine_tuning", "prompting"),
        "fine_tuning": ("prompting", "rag"),
    }
    for rival in rivals.get(verdict.recommendation, ()):
        lowest = min(spoken(verdict, rival), key=lambda each: each.points)
        if lowest.fact and lowest.points < 0:
            return lowest
    return None


def _reasons(verdict: Verdict, rubric: Rubric) -> tuple[Reason, ...]:
    own = [each for each in verdict.contributions if each.option == verdict.recommendation and each.points]
    made = [_reason(each, rubric) for each in own]
    if verdict.gate:
        gate = verdict.gate
        title = rubric.sources[gate.source].title
        made.append(Reason(text=gate.says, weight=rubric.rule.gate_lead, source=title, fact=next(iter(gate.needs))))
    pro = sorted((each for each in made if each.weight > 0), key=lambda each: -each.weight)
    con = sorted((each for each in made if each.weight < 0), key=lambda each: each.weight)
    return (*pro[:3], *con[:2])


def _reason(each: Contribution, rubric: Rubric) -> Reason:
    title = rubric.sources[each.effect.source].title
    return Reason(text=each.effect.says, weight=round(each.points, 2), source=title, fact=each.fact)


def _assumptions(facts: Facts, turns: tuple[outlook.Flip, ...], rubric: Rubric) -> tuple[str, ...]:
    """Say what was understood, then what was assumed where another answer would change the advice."""
    values = known(facts)
    told = {"labels_exist": "labelled_examples", "prompting_tried": "prompted_accuracy_near_target"}
    understood = [rubric.says(name, value) for name, value in values.items() if told.get(name) not in values]
    assumed = [rubric.facts[flip.fact].otherwise for flip in turns if not flip.was_known]
    return (*understood, *dict.fromkeys(f"{words} (assumed)" for words in assumed if words))


def _change(flip: outlook.Flip, rubric: Rubric) -> str:
    return f"If {flip.choice.words}: {_answer(flip.verdict, rubric)}"


def _answer(verdict: Verdict, rubric: Rubric) -> str:
    return verdict.gate.headline if verdict.gate else rubric.options[verdict.recommendation].headline


def _questions(names: Iterable[str], rubric: Rubric) -> tuple[Question, ...]:
    texts = [(name, rubric.facts[name]) for name in names]
    return tuple(
        Question(fact=name, text=text.ask, choices=tuple((choice.label, choice.value) for choice in text.choices))
        for name, text in texts
    )


def _stands(name: str, reading: Reading, merged: Facts) -> bool:
    return bool(getattr(reading.facts, name) == getattr(merged, name))


def _notes(reading: Reading) -> tuple[str, ...]:
    notes: list[str] = []
    if reading.truncated:
        notes.append(f"I read the first {MAX_CHARACTERS:,} characters.")
    if not reading.language_supported:
        notes.append("I can only read English so far.")
    return (*notes, *reading.notes)


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:] + "."
