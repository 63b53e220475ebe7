"""Rules about what stands in the texts: forgotten placeholders, a generator's phrases, refusals, system prompts."""

import re
from collections import Counter
from collections.abc import Iterator

from trainers.data.findings import Finding, lines_have, warn
from trainers.data.likeness import canonical
from trainers.data.rules.sheet import Sheet

_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{0,60}\}\}|\$\{\w{1,40}\}"
    r"|\[(?:insert|your|add|enter|customer|company|product|user|client|first|last|full|agent|order)\b[^\]\n]{0,40}\]"
    r"|\[(?:name|date|address|email|phone|number|link|url|placeholder|redacted)\]"
    r"|<(?:insert|your)[ _-][^>\n]{0,40}>|\blorem ipsum\b",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(r"\b(?:TODO|TBD|FIXME|XXX)\b")
_GENERATED = re.compile(
    r"^(?:certainly|sure|of course|absolutely|great question)[!,.:]"
    r"|\bhere(?:'s| is| are) (?:\d+|the|an?|some|your) [^.\n]{0,40}"
    r"(?:examples?|rewritten|revised|version|response|summary)\b"
    r"|\bas requested\b|\bi hope this helps\b|\blet me know if you(?:'d| would|) (?:need|like|have|want)\b"
    r"|\bas an? (?:ai|artificial intelligence|large language model|language model)\b|\bknowledge cut-?off\b"
    r"|\bmy (?:last )?training data\b",
    re.IGNORECASE | re.MULTILINE,
)
_REFUSAL = re.compile(
    r"^(?:i(?:'m| am) (?:very |so |really )?sorry,? (?:but )?(?:i|that|this)|sorry, (?:but )?i|i apologi[sz]e,? but i)"
    r"|^(?:unfortunately,? )?i (?:cannot|can't|can not|am unable to|am not able to|won't|will not|must decline)"
    r"|\bas an? (?:ai|language model)[^.\n]{0,40}\bi (?:cannot|can't|don't|am not)",
    re.IGNORECASE,
)


def placeholders(sheet: Sheet) -> Iterator[Finding]:
    """Warn about placeholders that nobody filled in: the model would learn to write them."""
    lines = [line for line, text in sheet.texts() if _PLACEHOLDER.search(text)]
    lines += [row.line for row in sheet.rows if _UNFINISHED.search(row.target)]
    if lines:
        lines = sorted(set(lines))
        message = f"{lines_have(lines)} a placeholder that nobody filled in; the model would learn to write it."
        yield warn("placeholder", lines, message, "Fill it in, or drop the row.")


def generator_phrases(sheet: Sheet) -> Iterator[Finding]:
    """Warn about phrases of the model that wrote the rows: they would become the tuned model's habit."""
    lines = [row.line for row in sheet.rows if _GENERATED.search(_straight(row.target))]
    if lines:
        message = f"{lines_have(lines)} a stock phrase of a text generator in the answer; it would become a habit."
        yield warn("generator_phrase", lines, message, "Cut the phrase, unless this is how you want answers to sound.")


def refusals(sheet: Sheet) -> Iterator[Finding]:
    """Warn about targets that refuse: few of them can make a model refuse much."""
    lines = [row.line for row in sheet.rows if _REFUSAL.search(_straight(row.target).strip())]
    if lines:
        message = f"{lines_have(lines)} an answer that refuses. A few such rows can make a model refuse far more."
        yield warn("refusal", lines, message, "Keep them only where refusing is the right answer.")


def system_prompts(sheet: Sheet) -> Iterator[Finding]:
    """Warn about rows whose system prompt differs from the commonest one: in use there will be one."""
    counts = Counter(row.system for row in sheet.rows)
    if len(counts) < 2:
        return
    usual, _ = counts.most_common(1)[0]
    lines = [row.line for row in sheet.rows if row.system != usual]
    slight = len({canonical(prompt) for prompt in counts}) < len(counts)
    detail = ", some differing only in spelling" if slight else ", or none at all" if "" in counts else ""
    message = f"{len(counts):,} different system prompts{detail}. {lines_have(lines)} another than the commonest one."
    fix = "Use one system prompt in all rows, the same that will be used afterwards."
    yield warn("system_prompt_variants", lines, message, fix)


def _straight(text: str) -> str:
    """Replace the curly apostrophe that word processors write."""
    return text.replace("\u2019", "'")
