"""Writes files whole or not at all, to be read only from then on; it does not know what is in them."""

import hashlib
import os
import tempfile
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; what was there is replaced in one step, also under readers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o444)
    Path(file.name).replace(path)


def holds(path: Path, sha256: str) -> bool:
    """Say whether a file is there and its bytes have this hash."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
