"""Knows how a small file is replaced so that readers see the old or the new one, never half; it knows no contents."""

from pathlib import Path
from tempfile import NamedTemporaryFile


def write_atomically(path: Path, text: str) -> None:
    """Write beside the file, then rename over it."""
    with NamedTemporaryFile("w", dir=path.parent, delete=False, suffix=".part") as part:
        part.write(text)
    Path(part.name).replace(path)
