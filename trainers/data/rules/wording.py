"""Rules about what stands in the texts: forgotten placeholders, a generator's phrases, refusals, broken characters."""

import re
import unicodedata

from trainers.data.findings import lines_have, warn
from trainers.data.limits import TargetLimits
from trainers.data.rules.hinted import Hinted
from trainers.data.rules.phrases import blanks, said_in
from trainers.data.rules.prose import is_code
from trainers.data.rules.refusing import refuses
from trainers.data.rules.view import Check, View

_BLANKS = blanks()
_OPEN, _CLOSE, _INSIDE = r"[\[\uff3b\u3010\u3014]", r"[\]\uff3d\u3011\u3015](?!\()", r"[^\]\uff3d\u3011\u3015\n]"
_PLACEHOLDER = Hinted(
    ("{", "[", "<", "lorem", "\uff3b", "\u3010", "\u3014"),
    re.compile(
        r"\{\{[^{}\n]{0,60}\}\}|\$\{[\w.]{1,60}\}|\{%[^%\n]{1,60}%\}"
        rf"|{_OPEN}(?:{_BLANKS['naming']}){_INSIDE}{{0,40}}{_CLOSE}"
        rf"|{_OPEN}(?:{_BLANKS['begun']}){_INSIDE}{{1,40}}{_CLOSE}"
        r"|\[(?:name|date|address|email|phone|number|link|url|placeholder|redacted)\](?!\()"
        r"|<(?:insert|your)[ _-][^>\n]{0,40}>|\blorem ipsum\b",
        re.IGNORECASE,
    ),
)
_CAPITALS = "".join(chr(code) for code in range(0x41, 0x530) if unicodedata.category(chr(code)) == "Lu")
# These have a meaning in code.
_PLACEHOLDER_IN_PROSE = Hinted(
    ("{", "%", "<", "[", "xx", "_____", "\u3007\u3007", "\u25cb\u25cb"),
    re.compile(
        r"(?<!\{)\{(?:[a-z]+_[a-z0-9_]+|name|date|city|product|company|email|phone|link|url|amount|price|\d)\}(?!\})"
        rf"|(?<![\w%])%(?:s|d|\(\w+\)[sd])(?!\w)|<[{_CAPITALS}][{_CAPITALS}_ -]{{2,30}}>|\[[A-Z][A-Z_ ]{{3,30}}\]"
        rf"|\[[{_CAPITALS}]{{2,20}}(?:[_ ][{_CAPITALS}]{{2,20}})+\]|\bX{{3,}}\b|_{{5,}}"
        # Circles and crosses stand for a name before a title: so-and-so, in Japanese, Chinese and Korean.
        r"|(?:[\u3007\u25cb]{2,4}|(?<![A-Za-z])X{2,4}) ?(?:様|さん|氏|殿|株式|会社|先生|女士|公司|님|고객)"
    ),
)
_LETTERS = r"[\w '.-]"
_TO_FILL = Hinted(
    ("[", "<", "\uff3b", "\u3010", "\uff1c", "\u3014"),
    re.compile(
        rf"[\[<\uff3b\u3010\uff1c\u3014](?=[^\]>\n]{{4}})(?:{_LETTERS}{{0,25}}(?<!\w))??(?:{_BLANKS['filling']})"
        rf"(?: {_LETTERS}{{0,30}})[\]>\uff3d\u3011\uff1e\u3015]"
        rf"|[\[<\uff3b\u3010\uff1c\u3014]{_LETTERS}{{1,25}}(?:{_BLANKS['filling']})"
        rf"[\w ]{{0,12}}[\]>\uff3d\u3011\uff1e\u3015]",
        re.IGNORECASE,
    ),
)
_UNFINISHED = Hinted(("todo", "tbd", "tbc", "fixme", "xxx"), re.compile(r"\b(?:TODO|TBD|TBC|FIXME|XXX)\b"))
_OPENING = Hinted(
    ("certainly", "sure", "of course", "absolutely", "great question"),
    re.compile(r"^(?:certainly|sure|of course|absolutely|great question)[!,.:]", re.IGNORECASE | re.MULTILINE),
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
    if _PLACEHOLDER.found(text, lower):
        return True
    blank = _PLACEHOLDER_IN_PROSE.found(text, lower) or _TO_FILL.found(text, lower)
    return blank and not is_code(text)


def _placeholder(view: View, _: TargetLimits) -> bool:
    if _UNFINISHED.found(view.row.target, view.lower_target):
        return True
    return has_placeholder(view.text, view.lower_text)


def _generated(view: View, _: TargetLimits) -> bool:
    return _OPENING.found(view.target, view.lower_target) or said_in(view.lower_target, "generator")


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
