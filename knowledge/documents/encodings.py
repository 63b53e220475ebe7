"""Decodes bytes of an unknown encoding; it knows byte order marks, UTF-8, what HTML declares, and how to guess."""

import codecs
import re
from typing import NamedTuple

from knowledge.documents.drafts import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 65_536
_DECLARED = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE
)
# Those that the web's encoding standard has; UTF-7 and Python's own codecs can smuggle text past a filter.
_OF_THE_WEB = re.compile(
    r"utf-?8|iso-?8859-?\d{1,2}|latin-?1|(?:windows|cp)-?(?:125\d|874)|koi8-[ru]|shift[_-]jis|euc-(?:jp|kr)|iso-2022-jp|"
    r"gb2312|gbk|gb18030|big5|us-ascii|macintosh",
    re.IGNORECASE,
)
_WESTERN = re.compile(r"[À-ÖØ-öø-ÿŒœŠšŽžŸ§°£€¢©®™«»“”„‘’‚–—…•·¡¿ºª½¼¾±×\u00a0]")
_LETTER = re.compile(r"[^\W\d_]")
# A sign that stands inside a word in the wrong encoding only: the Polish "ł" of cp1250 reads "³" in cp1252.
_MISREAD = re.compile(r"[a-z][¡¿§°£¢©®±×½¼¾ºª](?=[a-z])|[a-z][ŸŽŠ]", re.IGNORECASE)
_BINARY_SHARE = 0.01
"""A text with more control characters than this is none."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Decoded(NamedTuple):
    """Text, and a sentence on how sure its letters are; empty where they are sure."""

    text: str
    note: str


def decode(content: bytes, *, declared: str = "") -> Decoded:
    """Return `content` as text; `declared` is what the file says of itself. Raise Unreadable where it is no text."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _text(content[len(mark) :], encoding)
    wide = _wide(content[:_SAMPLE])
    if wide:
        return _text(content, wide)
    for encoding in ("utf-8", _canonical(declared)):
        try:
            return _checked(content.decode(encoding), "")
        except UnicodeDecodeError:
            continue
    return _text(content, _guess(content[:_SAMPLE]), guessed=True)


def declared_encoding(content: bytes) -> str:
    """Return the encoding that an HTML page names in its first 1,024 bytes; empty where it names none."""
    found = _DECLARED.search(content[:1024])
    return found[1].decode("ascii", "ignore") if found else ""


def _canonical(declared: str) -> str:
    """Return a name that Python knows; UTF-8 where the declaration is empty or not to be followed."""
    if not _OF_THE_WEB.fullmatch(declared):
        return "utf-8"
    if re.fullmatch(r"iso-?8859-?1|latin-?1|us-ascii", declared, re.IGNORECASE):
        return "cp1252"  # what browsers do
    try:
        return codecs.lookup(declared).name
    except LookupError:
        return "utf-8"


def _wide(sample: bytes) -> str:
    """Return UTF-16 where every second byte is mostly NUL, as in Western text without a mark."""
    pairs = len(sample) // 2
    if pairs < 2:
        return ""
    even, odd = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if odd > 0.4 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * pairs and odd < 0.05 * pairs else ""


def _guess(sample: bytes) -> str:
    """Return the likeliest encoding: Western European where that reads well, else what charset-normalizer finds.

    On a short Western text charset-normalizer often takes Central European, which turns "très" into "trčs".
    """
    western = sample.decode("cp1252", errors="replace")
    strange = [character for character in western if character > "\x7f"]
    letters = len(_LETTER.findall(western))
    read = all(_WESTERN.match(character) for character in strange)
    if read and len(strange) < 0.25 * max(letters, 1) and not _MISREAD.search(western):
        return "cp1252"
    from charset_normalizer import from_bytes  # on first use: only odd files need its tables

    best = from_bytes(sample).best()
    return best.encoding if best is not None else "cp1252"


def _text(content: bytes, encoding: str, *, guessed: bool = False) -> Decoded:
    """Decode by force; damaged places become U+FFFD and are told."""
    text = content.decode(encoding, errors="replace")
    lost = text.count("\ufffd")
    notes = [f"It is not in UTF-8; I read it as {encoding}: save it as UTF-8 if letters look wrong."] if guessed else []
    if lost:
        notes.append(f"{lost:,} {'character is' if lost == 1 else 'characters are'} damaged.")
    return _checked(text, " ".join(notes))


def _checked(text: str, note: str) -> Decoded:
    """Refuse what is no text: too many control characters or damaged places."""
    strange = len(_CONTROL.findall(text)) + text.count("\ufffd")
    if strange > max(_BINARY_SHARE * len(text), 8) or (strange and strange * 4 > len(text)):
        raise Unreadable(
            "is not text, whatever its name says.", "I read Markdown, HTML, PDF, DOCX, plain text and JSONL."
        )
    return Decoded(text, note)
