"""Knows how webhooks are written and signed (Standard Webhooks, as OpenAI's SDK verifies them); it sends nothing."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from typing import Final, NamedTuple

PREFIX: Final = "whsec_"


class Told(NamedTuple):
    """A webhook as it goes out: the same bytes and id at every attempt."""

    id: str
    body: bytes


def event(event_id: str, event_type: str, job_id: str, at: float) -> Told:
    """Write what an address is told: the id of a job, nothing else about it."""
    body = {
        "id": event_id,
        "object": "event",
        "created_at": int(at),
        "type": event_type,
        "data": {"id": job_id},
    }
    return Told(event_id, json.dumps(body, separators=(",", ":")).encode())


def signed(told: Told, keys: Iterable[str], at: float) -> dict[str, str]:
    """Return the headers of one attempt at `at`; with several secrets each signs, so that either verifies."""
    stamp = str(int(at))
    made = " ".join(f"v1,{signature(told, key, stamp)}" for key in keys)
    return {
        "content-type": "application/json",
        "webhook-id": told.id,
        "webhook-timestamp": stamp,
        "webhook-signature": made,
    }


def signature(told: Told, key: str, stamp: str) -> str:
    """Return the signature of `id.timestamp.body` under a secret."""
    raw = base64.b64decode(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else key.encode()
    said = f"{told.id}.{stamp}.".encode() + told.body
    return base64.b64encode(hmac.new(raw, said, hashlib.sha256).digest()).decode()


def new_secret() -> str:
    """Return a new secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def hint(secret: str) -> str:
    """Return as much of a secret as may be shown again."""
    return f"{secret[: len(PREFIX)]}…{secret[-4:]}"
