"""The rule about personal data: its finding counts kinds and lines; masked previews stand apart, for the requester."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from trainers.data.findings import Finding, Spots, lines_have, warn
from trainers.data.rules.identities import IDENTITIES, SPELLED_AT, SPELLED_MAIL
from trainers.data.rules.numbers import numbers_in
from trainers.data.rules.view import View

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_SOCIAL_SECURITY = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w-])(?:(?:\+|00)\d{1,3}[ ().-]{0,2}(?:\d[ ().-]{0,2}){6,12}\d"  # international
    r"|\(\d{2,5}\) ?\d{3,4}[ .-]?\d{3,5}"  # (030) 123 4567
    r"|\d{3}[.-]\d{3}[.-]\d{4}"  # 555-123-4567
    r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5})(?![\w-])"  # 030 1234567
)
_CALLED = re.compile(  # a number in groups beside a word that says what it is for
    r"(?i)\b(?:phone|mobile|call|tel|telephone|whatsapp|telefon|tlf|mobil|ring|handy|anrufen|erreichbar"
    r"|téléphone|portable|appelez|teléfono|móvil|llame|telefono|cellulare|telefone|telemóvel|bel|puhelin|soita|numer"
    r"|komórka|cep)\w{0,3}\.?:?[^\n\d]{0,20}(?P<value>\d{2,4}(?:[ .-]\d{2,4}){2,4})(?![\w-]|[.,:]\d)"
)
_DAY = re.compile(r"(?:19|20)\d\d[ .-]\d\d[ .-]\d\d|\d\d[ .-]\d\d[ .-](?:19|20)\d\d")
_INVENTED = re.compile(r"[@.]example(?:\.(?:com|org|net))?$|\.invalid$", re.IGNORECASE)  # reserved by RFC 2606
_DIGITS = re.compile(r"\d{2}")
_LONG_NUMBER = re.compile(r"\d(?:[ ().-]{0,2}\d){6}")
MOST_PREVIEWS = 20
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class Preview(NamedTuple):
    """A place with personal data, masked: only whoever gave the file may see it."""

    line: int
    kind: str
    masked: str


class PersonalData:
    """Warns about e-mail addresses, phone numbers, payment cards, bank accounts and social security numbers."""

    def __init__(self) -> None:
        """Start without a row."""
        self._found: dict[str, Spots] = {}
        self._lines = Spots()
        self.previews: list[Preview] = []

    def see(self, view: View) -> None:
        """Look through all that is said in a row."""
        for kind, text in _found_in(view.text):
            self._found.setdefault(kind, Spots()).add(view.line)
            self._lines.add(view.line)
            if len(self.previews) < MOST_PREVIEWS:
                self.previews.append(Preview(view.line, kind, mask(text)))

    def findings(self) -> Iterator[Finding]:
        """Say what kinds there are in how many rows."""
        if self._lines:
            counts = ", ".join(f"{kind} in {len(lines):,}" for kind, lines in self._found.items())
            what = f"what looks like personal data (rows: {counts}). A trained model can repeat it."
            message = f"{lines_have(self._lines)} {what}"
            fix = "Replace it by invented data, or make sure you may train on it."
            yield warn("personal_data", self._lines, message, fix)


def mask(text: str) -> str:
    """Hide all letters and digits but the first of each run of two or more: at most half of what stands there is seen.

    >>> mask("jane.doe@mail.test"), mask("555-867-5309"), mask("a.b@c.de")
    ('j***.d**@m***.t***', '5**-8**-5***', '*.*@*.d*')
    """
    return re.sub(r"(\w)(\w*)", lambda run: (run[1] if run[2] else "*") + "*" * len(run[2]), text)


def is_personal(text: str) -> bool:
    """Say whether a text by itself holds what looks like personal data."""
    return any(_found_in(text))


def has_long_number(text: str) -> bool:
    """Say whether a text has a number that may be somebody's, once a word beside it says so."""
    return _LONG_NUMBER.search(text) is not None


def _found_in(text: str) -> Iterator[tuple[str, str]]:
    mails = _EMAIL.finditer(text) if "@" in text else ()
    email = next((mail for mail in mails if not _INVENTED.search(mail[0])), None) or _spelled_mail(text)
    if email:
        yield "e-mail address", email[0]
    if not _DIGITS.search(text):
        return
    named = False
    for kind, pattern, sure in (*(_NUMBERS if _LONG_NUMBER.search(text) else ()), *IDENTITIES):
        match = next((match for match in pattern.finditer(text) if sure(match[0])), None)
        if match:
            yield kind, match[0]
            named = named or kind == "identity number"
    if not named:
        yield from (("identity number", number) for number in islice(numbers_in(text), 1))


def _spelled_mail(text: str) -> re.Match[str] | None:
    return SPELLED_MAIL[1].search(text) if SPELLED_AT.search(text) else None


def _is_card(number: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1) over 13 to 19 digits that are not all the same."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    total = sum(digits[-1::-2]) + sum(_LUHN_DOUBLED[digit] for digit in digits[-2::-2])
    return len(set(digits)) > 1 and total % 10 == 0


def _is_iban(text: str) -> bool:
    """The check of ISO 13616: moved, spelled as digits, the number leaves 1 modulo 97; trailing words are cut off."""
    account = text.replace(" ", "")
    return any(_leaves_one(account[:length]) for length in range(15, min(len(account), 34) + 1))


def _leaves_one(account: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def _is_called(text: str) -> bool:
    """Eight to eleven digits, and no date."""
    value = _CALLED.fullmatch(text)
    said = value["value"] if value else ""
    return 8 <= sum(sign.isdigit() for sign in said) <= 11 and not _DAY.search(said)


_NUMBERS = (
    ("card number", _CARD, _is_card),
    ("bank account", _IBAN, _is_iban),
    ("social security number", _SOCIAL_SECURITY, bool),
    ("phone number", _PHONE, bool),
    ("phone number", _CALLED, _is_called),
)
