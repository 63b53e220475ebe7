"""What handler tests share: a world to act in, and the guide indexed by keywords."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import SQLModel

from bot.console.manifest import load_manifest
from bot.store.engine import open_engine
from knowledge.embeddings import Vectors
from knowledge.index import Index
from knowledge.sources import load_guide
from tests.chat_server import chat_server
from tests.console import LocalSlack
from tests.handlers.world import World

__all__ = ["chat_server"]

MANIFEST = Path(__file__).parents[2] / "manifest.yaml"


class Flat:
    """An embedder for an index whose vector server is away: the search then goes by keywords alone."""

    name = "flat"
    dimension = 2

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))


@pytest.fixture(scope="session")
def guide_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The shipped guide, found by keywords."""
    folder = tmp_path_factory.mktemp("index")
    engine = open_engine(f"sqlite:///{folder / 'guide.db'}")
    SQLModel.metadata.create_all(engine)
    index = Index.open(engine=engine, chroma_url="http://127.0.0.1:9", embedder=Flat(), data_dir=folder)
    index.build(load_guide())
    return index


@pytest.fixture
def world(tmp_path: Path, guide_index: Index) -> Iterator[World]:
    """A running Slack side with our own manifest: scopes, events and commands as Slack would give them."""
    slack = LocalSlack(tmp_path / "console", manifest=load_manifest(MANIFEST))
    made = World(slack, tmp_path / "data", guide_index)
    yield made
    made.stop()
    slack.stop()
