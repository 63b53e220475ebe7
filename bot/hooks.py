"""Knows how a provider's webhook gets in and rings for its job; what it says beside the job's id is not believed.

A webhook only hurries the next question to the provider: lost, forged or repeated, it changes no job.
"""

import base64
import binascii
import hmac
import json
import logging
import re
from datetime import timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.store.inbox import Inbox
from knowledge.clock import Clock
from trainers.jobs.hurry import hurry
from trainers.jobs.service import Jobs

log = logging.getLogger("luthier.web")

PATH: Final = "/hooks/fine-tuning"
BODY_LIMIT: Final = 64 * 1024
"""A webhook names a job and little else."""
CLOCK_SKEW: Final = timedelta(minutes=5)
"""As Standard Webhooks has it: older and newer ones are replays."""
PREFIX: Final = "whsec_"


class Hooks:
    """The one route for webhooks about fine-tuning jobs."""

    def __init__(self, secrets: str, jobs: Jobs, inbox: Inbox, clock: Clock) -> None:
        """Take the secrets, with spaces between, whom to hurry, where deliveries are remembered, and the time."""
        self._keys = [_raw(secret) for secret in secrets.split()]
        self._jobs, self._inbox, self._clock = jobs, inbox, clock

    @property
    def routes(self) -> list[Route]:
        """Return the route; none where no secret is set."""
        return [Route(PATH, self.receive, methods=["POST"])] if self._keys else []

    async def receive(self, request: Request) -> Response:
        """Verify, remember, ring."""
        body = bytearray()
        async for block in request.stream():
            body += block
            if len(body) > BODY_LIMIT:
                return PlainTextResponse("too large", 413)
        id_, stamp, signatures = (
            request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
        )
        if not self._genuine(id_, stamp, signatures, bytes(body)):
            return PlainTextResponse("bad signature", 401)
        try:
            return await run_in_threadpool(self._ring, id_, bytes(body))
        except SQLAlchemyError as error:  # it is sent again, and asked without it
            log.warning("a webhook could not be written down: %s", type(error).__name__)
            return PlainTextResponse("try again", 503)

    def _genuine(self, id_: str, stamp: str, signatures: str, body: bytes) -> bool:
        if not re.fullmatch(r"[0-9]{10}", stamp) or not 0 < len(id_) <= 200 or not signatures.isascii():
            return False
        if abs(self._clock().timestamp() - int(stamp)) > CLOCK_SKEW.total_seconds():
            return False
        said = f"{id_}.{stamp}.".encode() + body
        given = [part.partition(",")[2] for part in signatures.split()[:20] if part.startswith("v1,")]
        wanted = [base64.b64encode(hmac.new(key, said, sha256).digest()).decode() for key in self._keys]
        return any(hmac.compare_digest(one, other) for one in given for other in wanted)

    def _ring(self, id_: str, body: bytes) -> Response:
        now = self._clock()
        job_id = _job_in(body)
        if job_id and self._inbox.remember(f"hook:{sha256(id_.encode()).hexdigest()}", now):
            for job in hurry(self._jobs.ledger, job_id, now):
                self._jobs.ring(job)
        return PlainTextResponse("")


def _job_in(body: bytes) -> str:
    """Return the provider's id of the job that a webhook is about; "" for a webhook about anything else."""
    try:
        said = json.loads(body)
        about = str(said["data"]["id"]) if str(said["type"]).startswith("fine_tuning.job.") else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return about


def _raw(secret: str) -> bytes:
    """Return a secret's bytes: `whsec_` and base64, or as it stands."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
