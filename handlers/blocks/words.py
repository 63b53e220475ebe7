"""Knows how times, money, counts and moments are written for people; it does not know what they measure."""

import re
from datetime import UTC, datetime
from decimal import Decimal

_NAMED = (
    "train|data generate|cost|jobs|lint|models|ask|advise|compare|eval-plan|voice|learn|sources|forget|pause|unpause"
)
_COMMAND = re.compile(rf"`({_NAMED})`")
_PERSON = re.compile(r"@([UW][A-Z0-9]{2,20})\b")
_BUTTON = re.compile(r"`resume`")

BAR = 15
"""Characters of a progress bar."""


def minutes(span: tuple[float, float]) -> str:
    """Write a range of minutes: `4-6 min`, `1 min`, `under 1 min`, `1 h 5 min-1 h 30 min`."""
    low, high = span
    if high < 0.95:
        return "under 1 min"
    if high >= 90:
        return f"{duration(low * 60)}-{duration(high * 60)}"
    first, last = max(1, round(low)), max(1, round(high))
    return f"{first} min" if first == last else f"{first}-{last} min"


def duration(seconds: float) -> str:
    """Write a duration by its two largest units: `42 s`, `5 min 12 s`, `1 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    large, small, names = (
        (whole // 60, whole % 60, ("min", "s")) if whole < 3600 else (whole // 3600, whole % 3600 // 60, ("h", "min"))
    )
    return f"{large} {names[0]} {small} {names[1]}" if small else f"{large} {names[0]}"


def time_left(seconds: float) -> str:
    """Write an estimate as what it is: `about 1 min 50 s left`, to 5 s below a minute, then 10 s, then a minute."""
    step = 5 if seconds < 60 else 10 if seconds < 600 else 60
    return f"about {duration(max(5, round(seconds / step) * step))} left"


def money(amount: str | None) -> str:
    """Write dollars from a decimal string: `$0`, `$4.50`; an unknown price is said to be unknown, never 0."""
    if amount is None:
        return "price unknown"
    value = Decimal(amount)
    return f"${value:,.0f}" if value == value.to_integral_value() else f"${value:,.2f}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun: `1 row`, `9,400 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def points(share: float) -> str:
    """Write a difference of shares in points with its sign: 0.683 is `+68`, -0.03 is `−3`."""
    whole = round(share * 100)
    return "0" if whole == 0 else f"{'+' if whole > 0 else '−'}{abs(whole)}"


def bar(done: int, of: int) -> str:
    """Draw how much is done."""
    full = 0 if of <= 0 else min(BAR, max(0, round(BAR * done / of)))
    return "▓" * full + "░" * (BAR - full)


def clock_time(iso: str) -> str:
    """Write an ISO moment in Slack's own form: each reader sees it in their time zone; others see UTC."""
    moment = datetime.fromisoformat(iso).astimezone(UTC)
    return f"<!date^{int(moment.timestamp())}^{{time}}|{moment:%H:%M} UTC>"


def day_and_time(iso: str) -> str:
    """The same with its day: `tomorrow at 7:08 AM` in Slack, `2 Dec, 07:08 UTC` elsewhere."""
    moment = datetime.fromisoformat(iso).astimezone(UTC)
    plain = f"{moment.day} {moment:%b, %H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} at {{time}}|{plain}>"


def day(iso: str) -> str:
    """Write the day of an ISO date or moment: `19 Mar 2026`."""
    moment = datetime.fromisoformat(iso)
    return f"{moment.day} {moment:%b %Y}"


def in_slack(text: str) -> str:
    """Name commands as Slack knows them: lower layers write `jobs`, here it is `/tune jobs`, and Resume is a button."""
    return _BUTTON.sub("*Resume*", _COMMAND.sub(r"`/tune \1`", text))


def with_people(text: str) -> str:
    """Turn people as lower layers write them (`@U0BEN`) into mentions; only for texts of our own."""
    return _PERSON.sub(r"<@\1>", text)


def person(user_id: str) -> str:
    """Name a Slack user; an account name from the shell is shown as it is."""
    return (
        f"<@{user_id}>"
        if user_id[:1] in {"U", "W"} and user_id.isalnum() and user_id.isupper()
        else user_id or "someone"
    )
