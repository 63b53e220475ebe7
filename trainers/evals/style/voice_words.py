"""How a voice's profile reads to people: what is distinctive, what rows and test it needs; it computes no figures.

Sections are lists of plain sentences, so that a card and a terminal can both show them.
"""

from typing import NamedTuple

from trainers.evals.style.intervals import Interval
from trainers.evals.style.keyness import Keyword
from trainers.evals.style.limits import limits
from trainers.evals.style.voice import Ending, Figure, VoiceProfile

_SHOWN = 12


class Part(NamedTuple):
    """One section."""

    title: str
    sentences: tuple[str, ...]


def voice_parts(made: VoiceProfile) -> list[Part]:
    """Return the sections in the order in which they are read; empty ones are left out."""
    parts = [
        Part("What is distinctive", tuple(figure_sentence(each) for each in made.distinctive[:_SHOWN])),
        Part(
            "Nearly settled: each beyond chance by itself, not yet among all habits looked at",
            tuple(_nearly(each, made.texts) for each in made.nearly[:_SHOWN]),
        ),
        Part("How it opens and closes", tuple(_endings(made))),
        Part("Says more", tuple(_keyword(each) for each in made.phrases.used[:_SHOWN])),
        Part("Avoids", tuple(_avoided(each) for each in made.phrases.avoided[:_SHOWN])),
        Part("What these texts do not support yet", tuple(_unsupported(made))),
        Part("Rows to train on", rows_sentences(made)),
        Part("How it will be tested", test_sentences()),
    ]
    return [part for part in parts if part.sentences]


def headline(made: VoiceProfile) -> str:
    """Say in a sentence what was read and how much of it is distinctive."""
    number = len(made.distinctive)
    habits = f"{number} habit{'' if number == 1 else 's'} differ{'s' if number == 1 else ''} beyond chance"
    more = f", and {len(made.nearly)} more nearly" if made.nearly else ""
    read = f"{made.texts:,} texts, {made.words:,} words, beside {made.reference}"
    return f"{read}: {habits}{more}, of {len(made.figures)} counted."


def figure_sentence(each: Figure) -> str:
    """Say one habit with its interval and the reference's value."""
    digits = each.digits
    name = each.name[:1].upper() + each.name[1:]
    beside = "" if each.other is None else f"; the other texts {each.other:,.{digits}f}"
    if each.value == 0:
        return f"{name}: none (95% interval up to {each.high:,.{digits}f} {each.unit}{beside})."
    span = f"95% interval {each.low:,.{digits}f} to {each.high:,.{digits}f}"
    unit = each.unit if each.unit == "%" else f" {each.unit}"
    return f"{name}: {each.value:,.{digits}f}{unit} ({span}{beside})."


def _nearly(each: Figure, texts: int) -> str:
    more = (each.needs or texts) - texts
    wanted = f"{more:,} more text{'' if more == 1 else 's'}"
    return f"{figure_sentence(each)} About {wanted} would settle it if the difference stays as large."


def rows_sentences(made: VoiceProfile) -> tuple[str, ...]:
    """Say how many rows a voice needs, and how they are built."""
    needs = limits("needs")
    return (
        f"Begin with {needs['pilot_rows']} rows to see whether it learns, {needs['good_rows']} for use, and hold out "
        f"{needs['test_rows']} or more whole texts before you write the first row.",
        "Take real texts of the brand as answers, unchanged, and write the brief that would have asked for each: who "
        "writes to whom, what it has to say, how long. The brief names facts, never wording.",
        "The same short system prompt in every row, and briefs of many kinds: topics, lengths, channels, one in ten "
        "hard (bad news, a refusal, an angry customer).",
        "Training texts are of the kind that the model will write: chat for chat, letters for letters.",
        _missing_rows(made.texts, needs["pilot_rows"] + needs["test_rows"]),
    )


def _missing_rows(texts: int, wanted: int) -> str:
    if texts >= wanted:
        return f"You gave {texts:,} texts; at one row a text that is enough for a first pilot with its test."
    return f"You gave {texts:,} texts; at one row a text {wanted - texts} more make a first pilot with its test."


def test_sentences() -> tuple[str, ...]:
    """Say how it will be judged whether a tuned model has the voice."""
    return (
        "Held-out briefs go to the tuned model and to the best-prompted base; both are scored on the same ones.",
        "Distance to the brand's own texts in function words and letter groups, beside the brand's own spread, with a "
        "paired interval; a classifier that tries to tell brand from model (0.5 is best).",
        "House rules, each kept or broken: what it never says, how it opens and closes, its longest sentence.",
        "Facts of the brief kept, and no run of eight words copied from a training text.",
        "Twenty pairs shown blind to people, or to a judge model in both orders.",
    )


def _endings(made: VoiceProfile) -> list[str]:
    said = [_ending(each, "open") for each in made.openings[:3]]
    return said + [_ending(each, "close") for each in made.closings[:3]]


def _ending(each: Ending, verb: str) -> str:
    return f"{_percent(each.share)} of texts {verb} with “{each.phrase}” ({each.texts} texts)."


def _percent(share: Interval) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"


def _keyword(each: Keyword) -> str:
    subject = " It may be the subject rather than the voice." if each.subject else ""
    said = f"“{each.phrase}”: {each.times} times in {each.texts} texts, {each.expected:.0f} expected"
    return f"{said} (z {each.z:.1f}).{subject}"


def _avoided(each: Keyword) -> str:
    subject = " It may be the subject rather than the voice." if each.subject else ""
    times = "never" if not each.times else f"{each.times} times"
    return f"“{each.phrase}”: {times}, {each.expected:.0f} expected (z {each.z:.1f}).{subject}"


def _unsupported(made: VoiceProfile) -> list[str]:
    chosen, needs = limits("voice"), limits("needs")
    said = [writers] if (writers := _writers(made)) else []
    if not made.english:
        said.append("The texts are hardly English, and hedges, passives and strong words are counted by English lists.")
    if made.texts < chosen["keyness_texts"]:
        said.append(
            f"Words and phrases, said or avoided, need {chosen['keyness_texts']} texts or more: with {made.texts}, one "
            "text's subject would look like a habit."
        )
    if made.texts < needs["profile_texts"] and made.words < needs["profile_words"]:
        said.append(
            f"Rare habits stay open: what is absent here may still occur. {needs['profile_texts']} texts or "
            f"{needs['profile_words']:,} words show most of them."
        )
    if made.sentence_texts and made.sentence_texts > made.texts:
        said.append(f"Sentence length to within a tenth takes about {made.sentence_texts:,} texts like these.")
    if not made.own_reference:
        said.append(
            "The comparison is with plain English on another subject. Texts that the untuned model wrote to the same "
            "briefs tell voice from subject much better: give them as the reference."
        )
    return said


def _writers(made: VoiceProfile) -> str:
    """Say whether there are two writers, or that so few texts cannot tell; "" where many show none."""
    chosen, found = limits("voice"), made.groups
    near = f"styles less far apart show from about {chosen['order_good']} texts on"
    if found:
        by = "" if found.chance is None else f"; {found.chance:.1%} of shuffled orders part them as far"
        return (
            f"{len(found.smaller)} of the texts differ clearly from the others, most in {', '.join(found.differs_in)}: "
            "look whether two people or two occasions are mixed, and profile them apart "
            f"(texts {', '.join(str(at + 1) for at in found.smaller[:12])}{by})."
        )
    if made.texts < chosen["order_texts"]:
        return (
            f"{made.texts} texts are too few to notice two writers: from {chosen['order_texts']} on, one writer's "
            f"before the other's, styles far apart show; {near}."
        )
    if made.texts < chosen["order_good"]:
        return (
            f"{made.texts} texts are too few to rule out two writers: {near}, one writer's before the other's; mixed, "
            f"only styles far apart, from {chosen['group_texts']} on."
        )
    return ""


def voice_markdown(made: VoiceProfile) -> str:
    """Write the whole profile as Markdown, with every habit that was counted."""
    lines = ["# Voice", "", headline(made)]
    for part in voice_parts(made):
        lines += ["", f"## {part.title}", "", *(f"- {sentence}" for sentence in part.sentences)]
    rest = [each for each in made.figures if not each.differs and each.needs is None]
    lines += ["", "## Counted, and not distinctive", "", *(f"- {figure_sentence(each)}" for each in rest)]
    return "\n".join(lines) + "\n"
