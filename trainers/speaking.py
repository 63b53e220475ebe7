"""Knows how base and tuned model are asked the same, wherever they answer; it knows no jobs and no Slack."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from knowledge.errors import ServiceError, UserError
from knowledge.models import Meter, Used
from trainers.evals.endpoint.wire import Dialect, Endpoint, Fate, Question, Reply, ask, open_client
from trainers.registry import Registry
from trainers.serving import LocalModels, Said
from trainers.tables import ModelVersion

SECONDS: Final = 60.0
"""Of one answer over a network."""
MOST_BYTES: Final = 1_000_000
MOST_TOKENS: Final = 512
TRIES: Final = 3

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where the models of a hosted trainer answer."""

    title: str
    """Its name for people."""
    url: str
    """Base address with /v1."""
    key: str = field(repr=False)
    by_deployment: bool = False
    """Whether a tuned model answers only while a deployment of it stands."""


class Pair(NamedTuple):
    """The same question, answered twice."""

    base: Said
    tuned: Said


def no_account(backend: str) -> Account:
    """Raise UserError: nothing is set."""
    raise UserError(f"There is no account for {backend} here.", "Set one: `doctor` names what is set.")


@dataclass(frozen=True, kw_only=True)
class Speakers:
    """Models that answer, on this machine and elsewhere."""

    local: LocalModels
    registry: Registry
    account: Callable[[str], Account]
    meter: Callable[[str], Meter]
    """By workspace: what is asked elsewhere is paid by the token, so it counts against the budget of answers."""

    def both(self, model: ModelVersion, messages: Messages) -> Pair:
        """Let base and tuned model answer the same. Raises ServiceError and UserError with what to do next."""
        if not model.remote_id:
            base = self.local.say(None, messages)
            return Pair(base, self.local.say(self.registry.adapter(model), messages))
        account = self.account(model.backend)
        if account.by_deployment:
            what = f"{model.remote_id} answers only while it is deployed, which costs by the hour; it is not."
            raise UserError(what, f"Deploy it at {account.title}, then ask it there.")
        meter = self.meter(model.workspace_id)
        if closed := meter.closed():
            raise UserError(closed, "An operator can raise that with `luthier settings`.")
        return Pair(*(over(account, name, messages, meter) for name in (model.remote_base, model.remote_id)))


def over(account: Account, name: str, messages: Messages, meter: Meter) -> Said:
    """Ask one model over a network; what was not taken is asked again, what may have been paid for is not.

    Raises ServiceError.
    """
    endpoint = Endpoint(url=account.url, key=account.key)
    turns = tuple((message["role"], message["content"]) for message in messages)
    question, dialect = Question(name, turns, MOST_TOKENS), Dialect()
    started = time.monotonic()
    with open_client(endpoint, SECONDS, 1) as client:
        for _ in range(TRIES):
            told = ask(client, endpoint, question, dialect, MOST_BYTES)
            if told.reply is not None:
                meter.count(_used(told.reply, turns))
                return Said(told.reply.output, time.monotonic() - started)
            if told.fate is Fate.DIALECT and told.dialect is not None:
                dialect = told.dialect
            elif told.fate not in (Fate.BUSY, Fate.UNSENT):
                break
            else:
                time.sleep(min(told.wait or 1.0, 5.0))
    raise ServiceError(told.why or f"{account.title} gave no answer.", "Try again in a moment.")


def _used(reply: Reply, turns: tuple[tuple[str, str], ...]) -> Used:
    if reply.prompt_tokens is not None and reply.output_tokens is not None:
        return Used(reply.prompt_tokens + reply.output_tokens, estimated=False)
    return Used((sum(len(content) for _, content in turns) + len(reply.output)) // 4 + 1, estimated=True)
