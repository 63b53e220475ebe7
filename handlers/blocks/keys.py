"""Knows how keys of the fine-tuning API look in Slack; a secret is drawn once, for whoever asked, and never logged."""

from collections.abc import Sequence
from decimal import Decimal

from handlers.blocks.parts import Block, context, section
from handlers.blocks.words import person
from handlers.escape import mrkdwn
from trainers.api.keys import limit_of
from trainers.api.tables import ApiKey
from trainers.policy import dollars

HOW = (
    "`/tune keys create NAME [read files train chat]` makes one, `rotate ID` gives it a new secret, `revoke ID` "
    "ends it. An approver lets a key's jobs start without asking: `/tune keys grant ID 25`. `/tune keys all` lists all."
)
ONCE = "Only you see this, and only now: I keep no copy. Put it where your program reads it, then dismiss this message."
SHOWN = 20


def keys_blocks(keys: Sequence[ApiKey], *, everybody: bool = False) -> list[Block]:
    """List keys, newest first."""
    whose = "in this workspace" if everybody else "of yours"
    lines = "\n".join(_line(key) for key in keys[:SHOWN]) or f"There are no keys {whose} yet."
    more = f"\n…and {len(keys) - SHOWN} more." if len(keys) > SHOWN else ""
    return [section(lines + more), context(HOW)]


def secret_blocks(key: ApiKey, secret: str, verb: str) -> list[Block]:
    """Show a new secret."""
    named = mrkdwn(key.name, 80)
    place = f"Quotes, progress and reports of its jobs go to <#{key.channel}>." if key.channel else ""
    return [section(f"*{named}* (`{key.id}`) {verb}. Its secret:\n```{secret}```"), context(f"{ONCE} {place}".strip())]


def granted_text(key: ApiKey, limit: Decimal) -> str:
    """Say what a grant means from now on."""
    named = f"{mrkdwn(key.name, 80)} (`{key.id}`)"
    if not limit:
        return f"{named} approves nothing any more: its jobs ask."
    return (
        f"Jobs of {named} up to {dollars(limit)} each count as approved by you. `/tune keys grant {key.id} 0` ends it."
    )


def _line(key: ApiKey) -> str:
    whose = f"a service of {person(key.owner)}" if key.service else person(key.owner)
    limit = f", approves up to {dollars(limit_of(key))} a job" if key.limit_micros else ""
    used = f"last used {key.used_at:%d %b %Y}" if key.used_at else "never used"
    state = f"*revoked* by {person(key.revoked_by)}" if key.revoked_at else used
    return f"• *{mrkdwn(key.name, 80)}* `{key.id}` …{key.hint}: {whose}, {mrkdwn(key.scopes)}{limit}; {state}"
