"""Rules about what stands in the texts: forgotten placeholders, a generator's phrases, refusals, broken characters."""

import re

from trainers.data.findings import lines_have, warn
from trainers.data.limits import TargetLimits
from trainers.data.rules.hinted import Hinted
from trainers.data.rules.prose import is_code
from trainers.data.rules.refusing import refuses
from trainers.data.rules.view import Check, View

_PLACEHOLDER = Hinted(
    ("{", "[", "<", "lorem"),
    re.compile(
        r"\{\{[^{}\n]{0,60}\}\}|\$\{[\w.]{1,60}\}|\{%[^%\n]{1,60}%\}"
        r"|\[(?:insert|your|add|enter|customer|company|product|user|client|first|last|full|agent|order)\b[^\]\n]{0,40}\]"
        r"|\[(?:name|date|address|email|phone|number|link|url|placeholder|redacted)\]"
        r"|<(?:insert|your)[ _-][^>\n]{0,40}>|\blorem ipsum\b",
        re.IGNORECASE,
    ),
)
# These have a meaning in code.
_PLACEHOLDER_IN_PROSE = Hinted(
    ("{", "%", "<", "[", "xxx", "_____"),
    re.compile(
        r"(?<!\{)\{(?:[a-z]+_[a-z0-9_]+|name|date|city|product|company|email|phone|link|url|amount|price|\d)\}(?!\})"
        r"|(?<![\w%])%(?:s|d|\(\w+\)[sd])(?!\w)|<[A-Z][A-Z_ ]{2,30}>|\[[A-Z][A-Z_ ]{3,30}\]|\bX{3,}\b|_{5,}"
    ),
)
_UNFINISHED = Hinted(("todo", "tbd", "tbc", "fixme", "xxx"), re.compile(r"\b(?:TODO|TBD|TBC|FIXME|XXX)\b"))
_GENERATED = Hinted(
    (
        "certainly",
        "sure",
        "of course",
        "absolutely",
        "great question",
        *("here's", "here is", "here are", "as requested", "hope this helps", "let me know if you"),
        *("as an ai", "as a ai", "artificial intelligence", "language model", "knowledge cut", "training data"),
    ),
    re.compile(
        r"^(?:certainly|sure|of course|absolutely|great question)[!,.:]"
        r"|\bhere(?:'s| is| are) (?:\d+|the|an?|some|your) [^.\n]{0,40}"
        r"(?:examples?|rewritten|revised|version|response|summary)\b"
        r"|\bas requested\b|\bi hope this helps\b|\blet me know if you(?:'d| would|) (?:need|like|have|want)\b"
        r"|\bas an? (?:ai|artificial intelligence|large language model|language model)\b|\bknowledge cut-?off\b"
        r"|\bmy (?:last )?training data\b",
        re.IGNORECASE | re.MULTILINE,
    ),
)
# What UTF-8 looks like that was read as Latin-1 or Windows-1252 once, and the mark of a character that was lost.
_MOJIBAKE = re.compile(
    r"[\u00c2\u00c3][\u0080-\u00bf\u2018-\u203a\u20ac]|\u00e2\u20ac[\u0080-\u2122]|\ufffd|\u00f0\u0178"
)


def has_placeholder(text: str, lower: str = "") -> bool:
    """Say whether a text holds a blank that nobody filled in; in code some of them have a meaning.

    `lower` is the same text in small letters, if it is at hand.
    """
    lower = lower or text.lower()
    return _PLACEHOLDER.found(text, lower) or (_PLACEHOLDER_IN_PROSE.found(text, lower) and not is_code(text))


def _placeholder(view: View, _: TargetLimits) -> bool:
    if _UNFINISHED.found(view.row.target, view.lower_target):
        return True
    return has_placeholder(view.text, view.lower_text)


def _generated(view: View, _: TargetLimits) -> bool:
    return _GENERATED.found(view.target, view.lower_target)


def _refuses(view: View, _: TargetLimits) -> bool:
    return refuses(view.target, view.lower_target)


def _garbled(view: View, _: TargetLimits) -> bool:
    return not view.text.isascii() and _MOJIBAKE.search(view.text) is not None


CHECKS = (
    Check(
        code="placeholder",
        speak=warn,
        holds=_placeholder,
        opening=lines_have,
        what="a placeholder that nobody filled in; the model would learn to write it.",
        fix="Fill it in, or drop the row.",
    ),
    Check(
        code="generator_phrase",
        speak=warn,
        holds=_generated,
        opening=lines_have,
        what="a stock phrase of a text generator in the answer; it would become a habit.",
        fix="Cut the phrase, unless this is how you want answers to sound.",
    ),
    Check(
        code="refusal",
        speak=warn,
        holds=_refuses,
        opening=lines_have,
        what="an answer that refuses. A few such rows can make a model refuse far more.",
        fix="Keep them only where refusing is the right answer.",
    ),
    Check(
        code="mojibake",
        speak=warn,
        holds=_garbled,
        opening=lines_have,
        what="garbled characters, as text gets that was saved in one encoding and read in another.",
        fix="Export the rows again from where they come from, in UTF-8.",
    ),
)
