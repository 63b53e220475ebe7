"""How dates of birth, addresses and numbers without check digits look that tell who somebody is."""

import re
from collections.abc import Callable

_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*\.?"
_DATE = (
    rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}\.? {_MONTH} \d{{4}}"
    rf"|{_MONTH} \d{{1,2}},? \d{{4}})"
)
_BORN = re.compile(
    rf"(?i)\b(?:born|date of birth|d\.?o\.?b\.?|birthdate|birthday|geboren|geb\.|geburtsdatum|née?|naissance|nacid[oa]"
    rf"|nat[oa] il|nascid[oa])\b[^.\n]{{0,20}}?\b{_DATE}"
)
_NAMED = re.compile(
    r"(?i)\b(?:passport|passeport|reisepass(?:nummer)?|pasaporte|insurance|versicher(?:ung|ten)s?nummer"
    r"|policy (?:no|number)|patient|medical record|mrn|driv(?:er'?s?|ing) licen[cs]e|national id|identity card"
    r"|id card|personalausweis|tax id|steuer-?(?:id|nummer)|nhs|medicare|social security|ssn|bsn|pesel|dni|nie|cpf|nino"
    r"|ni number|codice fiscale"
    r"|s[eé]curit[eé] sociale|personnummer|burgerservicenummer|krankenkasse)\b[^\n\d]{0,30}?"
    r"(?P<value>\b[A-Z]{0,3}\d[\dA-Z]*(?:[ -]?[\dA-Z]*\d[\dA-Z]*){0,6}\b)"
)
_NINO = re.compile(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b")
_STREET = re.compile(
    r"\b\d{1,5}[A-Za-z]? (?:[A-Z][\w'.-]+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court"
    r"|Ct|Way|Place|Square|Terrace|Rise|Close|Crescent|Gardens|Grove|Parkway)\b"
    r"|\b[A-ZÄÖÜ][a-zäöüß-]+(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer) \d{1,4}\b"
    r"|\b[A-Z\u00c5\u00c4\u00d6\u00c6\u00d8][a-z\u00e5\u00e4\u00f6\u00e6\u00f8\u00e9-]+(?:veien|vegen|vei|gata|gaten|plass|gatan|v\u00e4gen|gr\u00e4nd|vej|gade|katu|kuja"
    r"|straat|laan|gracht|kade|plein|s gate) \d{1,4} ?[A-Za-z]?\b"
    r"|\b(?:ul\.|al\.|ulice) [A-Z\u0141\u015a\u017b\u010c\u0160\u017d]\w+(?: \w+)? \d{1,4}\b"
    r"|\b\d{1,4},? (?:rue|avenue|boulevard|place|chemin|impasse|allée) (?:de |du |des |la )*[A-ZÉ]"
    r"|\b(?:Calle|Avenida|Plaza|Via|Rua) (?:de |del |da )?[A-Z]\w+,? (?:n[ºo°]\.? ?)?\d{1,4}\b"
)
_AT = r"(?:at|arroba|chiocciola|arobase|snabel-?a|krøllalfa|apestaartje|ät|zavináč|małpa)"
_DOT = r"(?:dot|punto?|ponto|point|punkt|prikk|tečka|kropka|piste)"
_SPELLED_MAIL = re.compile(
    rf"(?i)\b[\w.+-]{{1,64}} ?(?:\({_AT}\)|\[{_AT}\]|\{{{_AT}\}}) ?[\w-]{{1,63}}"
    rf" ?(?:\({_DOT}\)|\[{_DOT}\]|\{{{_DOT}\}}|\.| {_DOT} ) ?[a-z]{{2,24}}\b"
    rf"|\b[\w.+-]{{1,64}} (?:at|arroba|chiocciola|arobase|krøllalfa) [\w-]{{1,63}} {_DOT} [a-z]{{2,24}}\b"
)
SPELLED_AT = re.compile(rf"(?i)[(\[{{ ]{_AT}[)\]}} ]")
"""What such an address has in it."""


def _digits(text: str) -> list[int]:
    return [int(sign) for sign in text if sign.isascii() and sign.isdigit()]


def _five_digits(text: str) -> bool:
    return len(_digits(text)) >= 5


IDENTITIES: tuple[tuple[str, re.Pattern[str], Callable[[str], object]], ...] = (
    ("date of birth", _BORN, bool),
    ("identity number", _NINO, bool),
    ("identity number", _NAMED, _five_digits),
    ("postal address", _STREET, bool),
)
"""Kind, pattern and a check of what matched; each of them needs a digit."""

SPELLED_MAIL = ("e-mail address", _SPELLED_MAIL)
"""An address that is spelled out so that no machine reads it."""
