"""Knows how the parts fit together: settings in, working parts out; nothing else builds them."""

import getpass
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine

from bot import install
from bot.accounts import hosted_parts, own_bases, own_prices, served_at, trainable
from bot.readers import offline_reader
from bot.settings import Settings
from bot.store.clock import open_clock
from bot.store.engine import open_engine
from bot.token_counter import counter_for
from handlers.deps import Deps
from knowledge.advice.model_reader import model_reader
from knowledge.advice.reader import Reader
from knowledge.collections import Library
from knowledge.embeddings import Embedder, open_minilm
from knowledge.errors import UserError
from knowledge.index import Index
from knowledge.listed_models import SECONDS, check_listed
from knowledge.models import ChatModel, open_chat_model
from knowledge.remote_embeddings import open_remote_embeddings
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from trainers import backends
from trainers.backends.base import Backend, Housekeeper
from trainers.backends.local import LocalBackend
from trainers.costs.overlay import shelf_in
from trainers.data.review import Maker
from trainers.data.store import Datasets
from trainers.evals.drafts.another import another_like
from trainers.evals.generating.another import another_row
from trainers.evals.generating.price import ChatPrice, chat_price, unknown_price
from trainers.evals.judges.judge import open_judge
from trainers.evals.rule import SuccessRule
from trainers.jobs.draft_job import Pen
from trainers.jobs.index_job import Desk
from trainers.jobs.judging import Court
from trainers.jobs.ledger import Ledger
from trainers.jobs.queue import Doorbell, RqDoorbell, SilentDoorbell
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.registry import Registry
from trainers.serving import LocalModels
from trainers.spec import TrainingSpec
from trainers.tables import Review, ReviewRow
from trainers.workspaces import ChatMeter

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds the four of us."""

FILE_LIMIT = 64 * 1024 * 1024
"""Largest upload in bytes."""


def build_deps(settings: Settings, engine: Engine | None = None) -> Deps:
    """Build what handlers and commands call; nothing is connected or loaded before its first use."""
    engine = engine or open_engine(settings.database)
    datasets = _datasets(settings, engine)
    model = _model(settings)
    return Deps(
        engine=engine,
        index=_index(settings, engine),
        datasets=datasets,
        registry=Registry(engine, settings.data),
        model=model,
        rerank=settings.rerank,
        jobs=Jobs(
            ledger=_ledger(settings, engine),
            doorbell=_doorbell(settings),
            datasets=datasets,
            rule=SuccessRule(metric="judged" if settings.judge[0] else "accuracy"),
            tokenizer=lambda base: settings.cache / "models" / base / "tokenizer.json",
            own_prices=own_prices(settings),
            pretending=(settings.rehearse,) if settings.rehearse else (),
        ),
        models=_models(settings),
        file_hosts=_file_hosts(settings),
        file_limit=FILE_LIMIT,
        clock=open_clock(engine),
        install_note=lambda: install.note(settings),
        upload_address=settings.public_url.rstrip("/"),
        reader_of=reader_of(settings, model, engine),
        more_rows=more_rows(engine, model, partial(model_price, settings)),
        model_price=partial(model_price, settings),
        model_doubt=partial(model_doubt, settings, 1.5),  # Slack gives a form three seconds
        places=trainable(settings),
        own_bases=own_bases(settings),
        served=cache(partial(served_at, settings)),
        backend=cache(partial(backend_of, settings)),
    )


def reader_of(settings: Settings, model: ChatModel | None, engine: Engine) -> Callable[[str], Reader]:
    """Choose how use cases are read in a workspace: with the language model if one is set, and offline without it."""
    offline = offline_reader(settings)
    if model is None:
        return lambda _: offline
    clock = open_clock(engine)

    def reader(workspace: str) -> Reader:
        return model_reader(
            model, otherwise=offline, meter=ChatMeter(engine=engine, workspace_id=workspace, clock=clock)
        )

    return reader


def model_price(settings: Settings) -> ChatPrice:
    """Return what the language model costs today; raises UserError where the setting of it means nothing."""
    return chat_price(settings.model, settings.model_url, settings.model_price, shelf_in(settings.data))


def model_doubt(settings: Settings, timeout: float = SECONDS) -> str:
    """Ask the address that was set for the language model whether it has it; see `check_listed`.

    Nothing is asked where no address is set: a provider's own list may be closed to a key that may chat.
    """
    if not settings.model or not settings.model_url:
        return ""
    return check_listed(settings.model, settings.model_url, settings.model_key, timeout=timeout)


def build_runner(settings: Settings, engine: Engine | None = None) -> Runner:
    """Build a worker's hands."""
    engine = engine or open_engine(settings.database)
    ledger, clock = _ledger(settings, engine), open_clock(engine)
    library = Library(engine, _index(settings, engine))
    return Runner(
        ledger=ledger,
        datasets=_datasets(settings, engine),
        backend=cache(lambda name: backend_of(settings, name)),
        env=settings.child_env,
        threads=settings.threads,
        clock=clock,
        owner=f"{socket.gethostname()}-{os.getpid()}",
        notify_channel=settings.notify_channel_of,
        secret=settings.secret,
        cache=settings.cache / "probes",
        probes=settings.probes,
        court=_court(settings, engine),
        desk=Desk(ledger=ledger, library=library, folder=settings.data, clock=clock),
        pen=_pen(settings, engine),
        own_prices=own_prices(settings),
        pretending=(settings.rehearse,) if settings.rehearse else (),
        keep=timedelta(seconds=settings.provider_keep),
    )


def housekeepers(settings: Settings) -> Iterator[Housekeeper]:
    """Build every backend that leaves things at a provider and can remove them; those that are not set up are not."""
    for name in backends.BACKENDS:
        try:
            backend = backend_of(settings, name)
        except UserError:
            continue
        if isinstance(backend, Housekeeper):
            yield backend


def prepare_base(settings: Settings, say: Callable[[str], None]) -> None:
    """Fetch and unpack the base model's weights if they are not here; raises UserError where the tools are missing."""
    note = install.note(settings)
    if note:
        raise UserError(note, "Try again when they are there.")
    backend = LocalBackend(
        cache=settings.cache, env=settings.child_env, threads=settings.threads, missing_tools=lambda: ""
    )
    backend.base(TrainingSpec().base, settings.data, _Telling(say))


class _Telling:
    """Passes notes on where there is no job to keep."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def keep(self) -> None:
        pass

    def progress(self, phase: str, numbers: Mapping[str, Any]) -> None:
        if numbers.get("note"):
            self._say(str(numbers["note"]))


def shell_person() -> Person:
    """Return whoever works in this shell."""
    return Person(workspace_id=LOCAL_WORKSPACE, user_id=getpass.getuser())


def _datasets(settings: Settings, engine: Engine) -> Datasets:
    return Datasets(engine, settings.data, lambda target: counter_for(target, settings))


def _ledger(settings: Settings, engine: Engine) -> Ledger:
    return Ledger(engine, timedelta(seconds=settings.lease))


def _court(settings: Settings, engine: Engine) -> Court | None:
    judge, clock = open_judge(*settings.judge), open_clock(engine)
    if judge is None:
        return None
    return Court(judge=judge, meter=lambda workspace: ChatMeter(engine=engine, workspace_id=workspace, clock=clock))


def _model(settings: Settings) -> ChatModel | None:
    return open_chat_model(settings.model or None, settings.model_url or None, settings.model_key or None)


def _pen(settings: Settings, engine: Engine) -> Pen:
    clock = open_clock(engine)
    return Pen(
        ledger=_ledger(settings, engine),
        folder=settings.data,
        clock=clock,
        model=cache(
            partial(open_chat_model, settings.model or None, settings.model_url or None, settings.model_key or None)
        ),
        price=partial(model_price, settings),
        meter=lambda workspace: ChatMeter(engine=engine, workspace_id=workspace, clock=clock),
    )


def more_rows(engine: Engine, model: ChatModel | None, price: Callable[[], ChatPrice] = unknown_price) -> Maker:
    """Return what drafts one more row for a review: a language model that nobody is billed for, else recipes.

    A click has no quote, so it spends nothing; a model's tokens count against the review's workspace.
    """
    clock = open_clock(engine)

    def make(review: Review, row: ReviewRow, rows: Sequence[ReviewRow]) -> Mapping[str, Any]:
        meter = ChatMeter(engine=engine, workspace_id=review.workspace_id, clock=clock)
        make_one = another_row if review.purpose == "train" else another_like
        asked = model if model is not None and price().free else None
        return make_one(review, row, rows, model=asked, meter=meter)

    return make


def _index(settings: Settings, engine: Engine) -> Index:
    return Index.open(
        engine=engine,
        chroma_url=settings.chroma_url,
        embedder=_embedder(settings),
        data_dir=settings.data / "index",
        # An endpoint may change its model without changing the name.
        remembered=None if settings.embeddings.strip() else settings.cache / "vectors",
    )


def _embedder(settings: Settings) -> Embedder:
    if not settings.embeddings.strip():
        return open_minilm(settings.cache)
    return open_remote_embeddings(settings.embeddings, settings.embeddings_url, settings.embeddings_key)


def _doorbell(settings: Settings) -> Doorbell:
    return RqDoorbell(settings.redis_url) if settings.redis_url else SilentDoorbell()


def _models(settings: Settings) -> LocalModels:
    return LocalModels(
        base=settings.cache / "models" / TrainingSpec().base,
        adapters=settings.data / "jobs",
        socket=settings.run / "serve.sock",
        log=settings.data / "logs" / "serve.log",
        env=settings.child_env,
        threads=settings.threads,
    )


def backend_of(settings: Settings, name: str) -> Backend:
    """Build a backend by its name; raises UserError for one that is unknown or not set up."""
    return backends.load(name, **_PARTS[name](settings)) if name in _PARTS else backends.load(name)


def _local_parts(settings: Settings) -> dict[str, Any]:
    return {
        "cache": settings.cache,
        "env": settings.child_env,
        "threads": settings.threads,
        "missing_tools": lambda: _missing_tools(settings),
    }


_PARTS: dict[str, Callable[[Settings], dict[str, Any]]] = {
    "local": _local_parts,
    **{name: partial(hosted_parts, name=name) for name in backends.HOSTED},
}
"""What each backend is built from; one that is not named here needs nothing."""


def _missing_tools(settings: Settings) -> str:
    note = install.note(settings)
    if note and not note.startswith("Installing"):
        raise UserError(note, "Then resume the job.")
    return note


def _file_hosts(settings: Settings) -> frozenset[str]:
    hosts = {"files.slack.com"}
    if settings.slack_api_url:
        hosts.add(urlsplit(settings.slack_api_url).netloc)
    return frozenset(hosts)
