"""Knows what is typed behind `/tune keys`; it does not know what a key may do. Only who typed it sees the answer."""

import re
from decimal import Decimal, InvalidOperation

from handlers.blocks.keys import granted_text, keys_blocks, secret_blocks
from handlers.blocks.parts import Block
from handlers.deps import Deps
from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.api.keys import SCOPES, Wish
from trainers.jobs.service import Place

Answer = tuple[str, list[Block]]


def keys(deps: Deps, who: Person, place: Place, rest: str) -> Answer:
    """List, create, rotate, revoke or grant; an empty line lists one's own."""
    verb, _, words = rest.strip().partition(" ")
    known = {"create": _create, "rotate": _rotate, "revoke": _revoke, "grant": _grant}
    if verb.lower() in known:
        return known[verb.lower()](deps, who, place, words.strip())
    everybody = verb.lower() == "all"
    found = deps.keys.listing(who, everybody=everybody)
    return "Keys of the fine-tuning API", keys_blocks(found, everybody=everybody)


def _create(deps: Deps, who: Person, place: Place, words: str) -> Answer:
    name, scopes = _named(words)
    made = deps.keys.create(Wish(name, scopes, place.channel, place.private), who, deps.clock())
    return f"The key {made.key.id} is made.", secret_blocks(made.key, made.secret, "is made")


def _rotate(deps: Deps, who: Person, place: Place, words: str) -> Answer:
    made = deps.keys.rotate(_id(words), who, deps.clock())
    return f"The key {made.key.id} has a new secret.", secret_blocks(made.key, made.secret, "has a new secret")


def _revoke(deps: Deps, who: Person, place: Place, words: str) -> Answer:
    changed = deps.keys.revoke(_id(words), who, deps.clock())
    return (f"`{_id(words)}` is revoked." if changed else f"`{_id(words)}` was revoked before."), []


def _grant(deps: Deps, who: Person, place: Place, words: str) -> Answer:
    key_id, _, amount = words.partition(" ")
    try:
        limit = Decimal(amount.strip().removeprefix("$") or "x")
    except InvalidOperation:
        raise UserError("Say how much, in dollars.", "For example: `/tune keys grant key_0a1b2c 25`.") from None
    return granted_text(deps.keys.grant(_id(key_id), limit, who, deps.clock()), limit), []


def _named(words: str) -> tuple[str, tuple[str, ...]]:
    """Read a name, and the scopes that may follow it."""
    parts = words.split()
    scopes: list[str] = []
    while parts and parts[-1].strip(",").lower() in SCOPES:
        scopes.append(parts.pop().strip(",").lower())
    return " ".join(parts), tuple(scopes) or SCOPES


def _id(words: str) -> str:
    found = re.fullmatch(r"`?(key_[0-9a-f]+)`?", words.strip())
    if found is None:
        raise UserError("Which key?", "`/tune keys` lists them with their ids, such as key_0a1b2c3d4e5f.")
    return found[1]
