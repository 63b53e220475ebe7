"""A team's own documents on SQLite and Postgres: adding, changing, removing, and who sees what."""

import itertools
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from knowledge import passages
from knowledge.answer import answer
from knowledge.errors import UserError
from knowledge.places import Place, own_place
from tests.chroma import running_chroma
from tests.databases import engine
from tests.knowledge.library import NOW, ONE, OTHER, SharedWords, Shop, document, rows, shop

__all__ = ["engine"]

HANDBOOK = document("handbook.md", "Refunds: Refunds take thirty days.", "Parcels: Parcels leave on Monday.")


@pytest.fixture
def here(engine: Engine, chroma_url: str, tmp_path: Path) -> Iterator[Shop]:
    """An empty library on each database."""
    with shop(engine, chroma_url, tmp_path) as made:
        yield made


@pytest.fixture
def on_sqlite(chroma_url: str, tmp_path: Path, migrated_sqlite: Path) -> Iterator[Shop]:
    """The same on SQLite alone, where the database makes no difference."""
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    opened = open_engine(f"sqlite:///{tmp_path / 'luthier.db'}")
    with shop(opened, chroma_url, tmp_path) as made:
        yield made
    opened.dispose()


def test_a_document_is_found_listed_and_there_only_once(here: Shop) -> None:
    """Added, it is ready and found; the same content again, under any name, changes nothing."""
    assert here.add(HANDBOOK) == "added"
    assert here.found("when do parcels leave")[0] == "handbook.md#parcels-0"
    (row,) = here.library.documents("T1")
    assert (row.name, row.state, row.passages, row.added_by, row.added_at) == ("handbook.md", "ready", 2, "U1", NOW)
    here.embedder.calls.clear()
    assert here.add(HANDBOOK) == "already there"
    copy = here.library.keep(
        document("copy.md", "Refunds: Refunds take thirty days.", "Parcels: Parcels leave on Monday."),
        ONE,
        size=1,
        by="U2",
        now=NOW,
    )
    assert (copy.outcome, copy.name) == ("already there", "handbook.md")
    assert here.embedder.calls == []


def test_a_changed_document_replaces_only_what_changed(here: Shop) -> None:
    """Of a new version under the same name only the changed passage is embedded; what it lost is gone."""
    here.add(HANDBOOK)
    here.embedder.calls.clear()
    changed = document("handbook.md", "Refunds: Refunds take sixty days.", "Parcels: Parcels leave on Monday.")
    assert here.add(changed) == "changed"
    assert here.embedder.calls == [1]
    assert here.found("sixty")[0] == "handbook.md#refunds-0"
    assert here.add(document("handbook.md", "Parcels: Parcels leave on Monday.")) == "changed"
    assert here.found("refunds") == here.found("parcels") == ["handbook.md#parcels-0"]
    assert here.vectors.count(ONE) == 1


def test_rows_keep_their_ids_and_are_found_once(here: Shop) -> None:
    """A JSONL passage is one result under its given id, however odd and however long it is."""
    long = "Boilers need water. " * 40 + "Zeppelins need helium. " * 40 + "Boilers and zeppelins. " * 40
    here.add(rows("facts.jsonl", **{"MED-1?/#~ é": long, "MED-2": "Kettles whistle."}))
    assert here.found("zeppelins and boilers")[0] == "MED-1?/#~ é"
    assert here.found("zeppelins boilers kettles").count("MED-1?/#~ é") == 1
    assert here.library.documents("T1")[0].passages == 2
    hit = here.index.search("helium", 1, "T1").hits[0]
    assert "helium" in hit.passage.text


def test_a_removed_document_is_found_no_more(here: Shop) -> None:
    """After removal nothing finds it, and a document of the same name can be added again."""
    here.add(HANDBOOK)
    here.add(rows("facts.jsonl", a="Kettles whistle."))
    here.library.remove("handbook.md", ONE)
    assert here.found("refunds parcels") == ["a"]
    assert [row.name for row in here.library.documents("T1")] == ["facts.jsonl"]
    assert here.vectors.count(ONE) == 1
    assert here.add(HANDBOOK) == "added"
    assert here.library.remove_all(ONE) == 2
    assert here.found("refunds parcels kettles") == []
    with pytest.raises(UserError, match="no document"):
        here.library.remove("handbook.md", ONE)


def test_a_document_without_words_is_refused(here: Shop) -> None:
    """Nothing is kept of a document that says nothing."""
    with pytest.raises(UserError, match="holds no text"):
        here.add(document("empty.md"))
    assert here.library.documents("T1") == []


@pytest.mark.parametrize("name", ["", "guide", "Big", "a/b", "..", "a" * 41, "-x"])
def test_names_that_are_no_collections_are_refused(name: str) -> None:
    """A collection's name is short, plain and not the guide's."""
    with pytest.raises(UserError):
        own_place("T1", name)


def test_removal_leaves_no_byte_of_a_text(tmp_path: Path) -> None:
    """No file under the data folder holds a word of a removed document: not its name, ids, headings or sentences.

    The database's log and free pages count, and so does what the vector server keeps; the neighbour stays whole.
    """
    opened = open_engine(f"sqlite:///{tmp_path / 'luthier.db'}")
    migrate(opened, tmp_path / "run")
    with running_chroma(tmp_path / "chroma") as server, shop(opened, server.url, tmp_path) as made:
        made.add(HANDBOOK)
        secret = "Xylograph: The zanzibarite costs 40 dollars. " + "More about zanzibarite here. " * 300
        made.add(document("quetzalcoat.md", secret))
        made.add(rows("wolframite.jsonl", **{"ID-JABBERWOCK": "Vorpalblade was here."}))
        made.add(document("quetzalcoat.md", secret, "Annex: Brandywinebuck came later."))
        canaries = ("xylograph", "zanzibar", "quetzalcoat", "wolframit", "jabberwock", "vorpalblad", "brandywinebuck")
        assert {canary for canary in canaries if _kept(tmp_path, canary)} == set(canaries)
        made.library.remove("quetzalcoat.md", ONE)
        made.library.remove("wolframite.jsonl", ONE)
        assert [canary for canary in canaries if _kept(tmp_path, canary)] == []
        assert made.found("refunds")[0] == "handbook.md#refunds-0"
    assert [canary for canary in canaries if _kept(tmp_path, canary)] == []
    opened.dispose()


def _kept(folder: Path, word: str) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if word.encode() in path.read_bytes().lower()]


def test_removed_while_it_is_indexed_it_ends_removed(on_sqlite: Shop) -> None:
    """A document that is removed while its vectors are made leaves nothing behind, and its neighbour is indexed."""
    remover = threading.Thread(target=on_sqlite.library.remove, args=("handbook.md", ONE))

    def remove_meanwhile() -> None:
        on_sqlite.embedder.first = lambda: None
        remover.start()
        while on_sqlite.library.documents("T1")[0].name == "handbook.md":
            time.sleep(0.01)

    on_sqlite.library.keep(document("other.md", "Kettles: Kettles whistle."), ONE, size=1, by="U1", now=NOW)
    on_sqlite.embedder.first = remove_meanwhile
    on_sqlite.add(HANDBOOK)
    remover.join(30)
    assert [row.state for row in on_sqlite.library.documents("T1")] == ["ready"]
    assert on_sqlite.found("refunds parcels kettles") == ["other.md#kettles-0"]
    assert set(on_sqlite.vectors.stored(ONE)) == set(passages.vector_marks(on_sqlite.engine, ONE))


def test_one_thread_waits_while_a_collection_is_indexed_and_does_the_work_of_all(on_sqlite: Shop) -> None:
    """A second removal is left to the one that waits, which sees it: both are gone with all that came of them."""
    ids = []
    for name in ("one.md", "two.md"):
        on_sqlite.add(document(name, f"Part: Text of {name}."))
        ids.append(on_sqlite.library.documents("T1")[-1].id)
    library, first = on_sqlite.library, list[object]()
    with on_sqlite.shelves.alone(ONE):  # a job indexes
        library.take_away("T1", ids[0])
        waiting = threading.Thread(target=lambda: first.append(library.settle_next(ONE)))
        waiting.start()
        until = time.monotonic() + 10
        while not on_sqlite.shelves._waiting and time.monotonic() < until:
            time.sleep(0.01)
        library.take_away("T1", ids[1])
        assert library.settle_next(ONE) is None
    waiting.join(10)
    assert (len(first), first[0] is None, on_sqlite.vectors.count(ONE)) == (1, False, 0)
    assert library._ids(ONE, "removing") == []
    assert library.settle_next(ONE) is not None


def test_without_a_vector_server_documents_wait_for_it(tmp_path: Path) -> None:
    """Added while the server is away, a document is found by words and not called ready; settled later, it is."""
    opened = open_engine(f"sqlite:///{tmp_path / 'luthier.db'}")
    migrate(opened, tmp_path / "run")
    with running_chroma(tmp_path / "chroma") as server, shop(opened, server.url, tmp_path) as made:
        server.kill()
        made.add(HANDBOOK)
        assert made.found("refunds")[0] == "handbook.md#refunds-0"
        assert made.library.documents("T1")[0].state == "adding"
        server.start()
        time.sleep(0.1)
        assert [done.embedded for done in made.library.settle_all()] == [2]
        assert made.library.documents("T1")[0].state == "ready"
    opened.dispose()


def test_collections_are_searched_alone_or_together(on_sqlite: Shop) -> None:
    """One collection can be asked alone; without a name all of the workspace's are, the best of each first."""
    on_sqlite.add(HANDBOOK)
    on_sqlite.add(rows("facts.jsonl", a="Refunds are called returns in Kent."), Place("T1", "facts"))
    assert on_sqlite.found("refunds", collection="facts") == ["a"]
    assert set(on_sqlite.found("refunds")[:2]) == {"a", "handbook.md#refunds-0"}
    assert on_sqlite.found("refunds", collection="guide") == []
    assert on_sqlite.found("refunds", workspace=None) == []


def test_adding_touches_the_files_of_its_collection_only(on_sqlite: Shop) -> None:
    """Keywords of other collections stay as they are, to the byte: nothing of them is shared or written anew."""
    on_sqlite.add(HANDBOOK)
    on_sqlite.add(HANDBOOK, OTHER)
    folder = on_sqlite.shelves.at(ONE).folder
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    on_sqlite.add(document("more.md", "Kettles: Kettles whistle."), OTHER)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
    assert [rarity.known for rarity in on_sqlite.index.search("kettles", 1, "T1").rarities] == [False]


CANARIES = {"T1": ("amberfish", "basaltine"), "T2": ("cobaltwood", "driftglass")}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "remove", "remove all")),
        st.sampled_from(("T1", "T2")),
        st.sampled_from(("own", "facts")),
        st.sampled_from(("note.md", "plan.md")),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_a_workspace_never_sees_a_word_of_another(on_sqlite: Shop, steps: list[tuple[str, str, str, str]]) -> None:
    """Whatever is added and removed, searches and answers of a workspace show its own documents and no other's."""
    for step in steps:
        _take(on_sqlite, *step)
    for asker, owner in itertools.permutations(CANARIES):
        kept = {(row.collection, row.name) for row in on_sqlite.library.documents(asker)}
        for word in (*CANARIES[owner], *CANARIES[asker]):
            hits = on_sqlite.index.search(f"Where is the {word}?", 10, asker).hits
            assert {(hit.passage.collection, hit.passage.ref.split("#")[0]) for hit in hits} <= kept
            assert {hit.passage.workspace_id for hit in hits} <= {asker}
            shown = "\n".join(f"{hit.passage.title}{hit.passage.text}" for hit in hits)
            assert not any(canary in shown for canary in CANARIES[owner])
    for workspace in CANARIES:
        for collection in ("own", "facts"):
            on_sqlite.library.remove_all(Place(workspace, collection))


def _take(here: Shop, step: str, workspace: str, collection: str, name: str) -> None:
    place = Place(workspace, collection)
    word = CANARIES[workspace][name == "plan.md"]
    if step == "add":
        here.add(document(name, f"Where the {word} is: The {word} is kept in {collection} for good."), place)
    elif step == "remove all":
        here.library.remove_all(place)
    elif name in {row.name for row in here.library.documents(workspace, collection)}:
        here.library.remove(name, place)


def test_answers_rest_on_own_documents_and_never_on_anothers(on_sqlite: Shop) -> None:
    """The owner gets a cited answer from an own document; for the same question another workspace gets none."""
    on_sqlite.index.build(())
    on_sqlite.add(document("plan.md", "Amberfish: The amberfish ships on the third of May from Lisbon."))
    question = "When does the amberfish ship?"
    own = answer(question, on_sqlite.index, workspace="T1")
    assert "third of May" in own.text
    assert own.citations[0].title == "Plan"
    other = answer(question, on_sqlite.index, workspace="T2")
    assert other.abstained
    assert "May" not in other.text
    assert other.nearest == ()


def test_embedder_is_asked_for_texts_of_like_length(on_sqlite: Shop) -> None:
    """Long texts come first, so that a batch is not padded to the length of one."""
    on_sqlite.add(rows("facts.jsonl", **{str(n): "word " * (1 + n * 7 % 50) for n in range(20)}))
    lengths = [item.length for item in passages.unembedded(on_sqlite.engine, ONE, "another model")]
    assert lengths == sorted(lengths, reverse=True)
    assert isinstance(on_sqlite.embedder, SharedWords)
