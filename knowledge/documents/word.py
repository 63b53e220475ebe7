"""Turns DOCX into Markdown: mammoth reads styles, lists, tables and notes; text that was struck as a change is gone."""

import io
import re
import zipfile
import zlib
from datetime import date
from xml.parsers.expat import ExpatError

from knowledge.documents.drafts import Draft, Unreadable, day_of
from knowledge.documents.limits import Limits
from knowledge.documents.web_pages import draft_of

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Heading 7'] => h6:fresh
p[style-name='Heading 8'] => h6:fresh
p[style-name='Heading 9'] => h6:fresh
p[style-name='Code'] => pre:separator('\\n')
p[style-name='HTML Preformatted'] => pre:separator('\\n')
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
r[style-name='HTML Code'] => code
"""
# What damaged parts make zipfile, zlib, expat and mammoth raise.
_FAULTS = (
    zipfile.BadZipFile, zlib.error, ExpatError, LookupError, TypeError, ValueError, AttributeError, RuntimeError,
    OSError,
)  # fmt: skip
_FREE = 1_048_576
"""The first mebibyte may pack as well as it likes: a short form with long empty tables does."""
_CORE = "docProps/core.xml"
_MODIFIED = re.compile(rb"<dcterms:modified[^>]{0,200}>([^<]{1,40})<")


def read_word(content: bytes, limits: Limits) -> Draft:
    """Return a DOCX as a draft; raise Unreadable for zip bombs and damage."""
    updated = _check(content, limits)
    import mammoth

    try:
        html = mammoth.convert_to_html(
            io.BytesIO(content), style_map=_STYLES, include_embedded_style_map=False, convert_image=_alt_only
        ).value
    except _FAULTS as error:
        raise _damaged() from error
    return draft_of(html)._replace(updated=updated)


def _check(content: bytes, limits: Limits) -> date | None:
    """Refuse what would not fit once unpacked; return the day of the last change.

    The sizes in a zip's directory are claims, but zipfile unpacks no more of a part than its claim.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            expanded = sum(part.file_size for part in parts)
            if len(parts) > limits.entries or expanded > limits.expanded_bytes or _bomb(expanded, len(content), limits):
                raise _too_dense(expanded)
            core = archive.read(_CORE) if _CORE in archive.namelist() else b""
    except _FAULTS as error:
        raise _damaged() from error
    found = _MODIFIED.search(core)
    return day_of(found[1].decode("ascii", "ignore")) if found else None


def _damaged() -> Unreadable:
    return Unreadable("is a damaged DOCX.", "Open it in Word, save it again and add the new file.")


def _bomb(expanded: int, packed: int, limits: Limits) -> bool:
    return expanded - _FREE > limits.ratio * packed


def _too_dense(expanded: int) -> Unreadable:
    return Unreadable(
        f"would unpack to {expanded / 1_048_576:,.0f} MiB, more than any document needs.",
        "Save its text as a new DOCX and add that.",
    )


def _alt_only(image: object) -> list[object]:
    """Return an image element without its bytes: mammoth puts the alt text on it, and a page needs no more."""
    from mammoth import html

    alt = getattr(image, "alt_text", None)
    return [html.element("img", {"alt": alt}, [])] if alt else []
