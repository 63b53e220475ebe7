"""Knows where the test rows lie with which plans were frozen; it freezes no plan and judges no row.

Rows are kept from the moment of freezing, by workspace and the hash of their bytes, so what lies there never changes.
"""

import hashlib
import os
import tempfile
from pathlib import Path


def keep(folder: Path, workspace_id: str, content: bytes) -> str:
    """Keep the bytes of frozen rows in the data folder, whole or not at all; returns their hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    place = _place(folder, workspace_id, sha256)
    if kept(folder, workspace_id, sha256) is None:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(0o444)
        Path(file.name).replace(place)
    return sha256


def kept(folder: Path, workspace_id: str, sha256: str) -> Path | None:
    """Return the file of frozen rows; None where they were never kept, or are not what was frozen any more."""
    place = _place(folder, workspace_id, sha256)
    return place if same_bytes(place, sha256) else None


def same_bytes(path: Path, sha256: str) -> bool:
    """Say whether a file is there and has this hash."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _place(folder: Path, workspace_id: str, sha256: str) -> Path:
    return folder / "frozen" / workspace_id / f"{sha256}.jsonl"
