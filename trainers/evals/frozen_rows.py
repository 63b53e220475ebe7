"""Knows where the test rows lie with which plans were frozen; it freezes no plan and judges no row.

Rows are kept from the moment of freezing, by workspace and the hash of their bytes, so what lies there never changes.
"""

import hashlib
from pathlib import Path

from trainers.data import whole_files


def keep(folder: Path, workspace_id: str, content: bytes) -> str:
    """Keep the bytes of frozen rows in the data folder, whole or not at all; returns their hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    if kept(folder, workspace_id, sha256) is None:
        whole_files.write(_place(folder, workspace_id, sha256), content)
    return sha256


def kept(folder: Path, workspace_id: str, sha256: str) -> Path | None:
    """Return the file of frozen rows; None where they were never kept, or are not what was frozen any more."""
    place = _place(folder, workspace_id, sha256)
    return place if whole_files.holds(place, sha256) else None


def _place(folder: Path, workspace_id: str, sha256: str) -> Path:
    return folder / "frozen" / workspace_id / f"{sha256}.jsonl"
