"""What the retrieval tests share: the real embedder, a real Chroma server, a database in a file."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel, create_engine

from knowledge.embeddings import MiniLM, open_minilm
from knowledge.index import Index
from knowledge.models import ChatModel, open_chat_model
from knowledge.sources import load_guide
from tests.chat_server import ChatServer, chat_server
from tests.chroma import chroma_url, running_chroma

__all__ = ["chat_server", "chroma_url"]

CACHE = Path.home() / ".cache" / "luthier"


@pytest.fixture(scope="session")
def embedder() -> MiniLM:
    """The shipped embedding model; its files are fetched once per machine."""
    return open_minilm(CACHE)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A fresh database with the tables of the knowledge folder."""
    with database(tmp_path) as engine:
        yield engine


@pytest.fixture(scope="session")
def guide_index(embedder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """The whole guide, indexed once (about 8 s) on a server of its own."""
    folder = tmp_path_factory.mktemp("guide")
    with running_chroma(folder / "chroma") as server, database(folder) as engine:
        index = Index.open(
            engine=engine, chroma_url=server.url, embedder=embedder, data_dir=folder, remembered=CACHE / "vectors"
        )
        index.build(load_guide())
        yield index
        index.close()


@pytest.fixture
def model(chat_server: ChatServer) -> Iterator[ChatModel]:
    """The rehearsal server as the language model, opened as any endpoint is."""
    model = open_chat_model("some-model", chat_server.url, "key-1")
    assert model is not None
    yield model
    model.close()


@contextmanager
def database(folder: Path) -> Iterator[Engine]:
    """Open a new database in `folder` while the block lasts."""
    engine = create_engine(f"sqlite:///{folder / 'luthier.db'}")
    SQLModel.metadata.create_all(engine)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def run_python() -> Callable[[Sequence[str]], str]:
    """A fresh interpreter: takes arguments, returns what it printed."""
    return lambda arguments: (
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout
    )
