"""The rule about personal data: it counts kinds and lines and never repeats what it found."""

import re
from collections.abc import Iterator

from trainers.data.findings import Finding, lines_have, warn
from trainers.data.rules.sheet import Sheet

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_SOCIAL_SECURITY = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w-])(?:\+\d{1,3}[ ().-]{0,2}(?:\d[ ().-]{0,2}){6,12}\d"  # international
    r"|\(\d{2,5}\) ?\d{3,4}[ .-]?\d{3,5}"  # (030) 123 4567
    r"|\d{3}[.-]\d{3}[.-]\d{4}"  # 555-123-4567
    r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5})(?![\w-])"  # 030 1234567
)
_LONG_NUMBER = re.compile(r"\d(?:[ ().-]{0,2}\d){6}")
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def personal_data(sheet: Sheet) -> Iterator[Finding]:
    """Warn about e-mail addresses, phone numbers, payment cards, bank accounts and social security numbers."""
    found: dict[str, list[int]] = {}
    for line, text in sheet.texts():
        for kind in _kinds_in(text):
            found.setdefault(kind, []).append(line)
    if found:
        lines = sorted({line for of_kind in found.values() for line in of_kind})
        counts = ", ".join(f"{kind} in {len(of_kind):,}" for kind, of_kind in found.items())
        message = f"{lines_have(lines)} what looks like personal data (rows: {counts}). A trained model can repeat it."
        yield warn("personal_data", lines, message, "Replace it by invented data, or make sure you may train on it.")


def _kinds_in(text: str) -> Iterator[str]:
    if "@" in text and _EMAIL.search(text):
        yield "e-mail address"
    if not _LONG_NUMBER.search(text):
        return
    if any(_is_card(match[0]) for match in _CARD.finditer(text)):
        yield "card number"
    if any(_is_iban(match[0]) for match in _IBAN.finditer(text)):
        yield "bank account"
    if _SOCIAL_SECURITY.search(text):
        yield "social security number"
    if _PHONE.search(text):
        yield "phone number"


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
