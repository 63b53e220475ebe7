"""How numbers and addresses look that tell who somebody is, country by country, with their check digits."""

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
_CPF = re.compile(r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)")
_DNI = re.compile(r"\b[XYZ]?\d{7,8}-?[A-HJ-NP-TV-Z]\b")
_NIR = re.compile(r"(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\d)")
_FISCAL = re.compile(r"\b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b")
_STREET = re.compile(
    r"\b\d{1,5}[A-Za-z]? (?:[A-Z][\w'.-]+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court"
    r"|Ct|Way|Place|Square|Terrace|Rise|Close|Crescent|Gardens|Grove|Parkway)\b"
    r"|\b[A-ZÄÖÜ][a-zäöüß-]+(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer) \d{1,4}\b"
    r"|\b\d{1,4},? (?:rue|avenue|boulevard|place|chemin|impasse|allée) (?:de |du |des |la )*[A-ZÉ]"
    r"|\b(?:Calle|Avenida|Plaza|Via|Rua) (?:de |del |da )?[A-Z]\w+,? (?:n[ºo°]\.? ?)?\d{1,4}\b"
)
_SPELLED_MAIL = re.compile(
    r"(?i)\b[\w.+-]{1,64} ?(?:\(at\)|\[at\]|\{at\}) ?[\w-]{1,63} ?(?:\(dot\)|\[dot\]|\{dot\}|\.) ?[a-z]{2,24}\b"
    r"|\b[\w.+-]{1,64} at [\w-]{1,63} dot [a-z]{2,24}\b"
)
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def _digits(text: str) -> list[int]:
    return [int(sign) for sign in text if sign.isascii() and sign.isdigit()]


def _five_digits(text: str) -> bool:
    return len(_digits(text)) >= 5


def _dni_checks(text: str) -> bool:
    """The letter is the number modulo 23; a foreigner's X, Y and Z count as 0, 1 and 2."""
    plain = text.replace("-", "")
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and _DNI_LETTERS[int(number) % 23] == plain[-1]


def _nir_checks(text: str) -> bool:
    """The last two digits are 97 minus the number modulo 97."""
    plain = text.replace(" ", "")
    return 97 - int(plain[:13]) % 97 == int(plain[13:])


IDENTITIES: tuple[tuple[str, re.Pattern[str], Callable[[str], object]], ...] = (
    ("date of birth", _BORN, bool),
    ("identity number", _NINO, bool),
    ("identity number", _CPF, bool),
    ("identity number", _DNI, _dni_checks),
    ("identity number", _NIR, _nir_checks),
    ("identity number", _FISCAL, bool),
    ("identity number", _NAMED, _five_digits),
    ("postal address", _STREET, bool),
)
"""Kind, pattern and a check of what matched; each of them needs a digit."""

SPELLED_MAIL = ("e-mail address", _SPELLED_MAIL)
"""An address that is spelled out so that no machine reads it."""
