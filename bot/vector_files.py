"""Knows the files of our own vector server while it is stopped: takes away what dropped collections left there."""

import shutil
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

VACUUM_SECONDS = 600.0
"""Longest wait for Chroma to rewrite its database; 2 s for 100 MB."""


def chroma_program() -> str:
    """Return the path of Chroma's own command, which came with the package."""
    return str(Path(sys.executable).parent / "chroma")


def tidy(home: Path) -> int:
    """Remove the folders of collections that are no more, and their numbers from the database; return how many.

    Chroma 1.5.9 drops a collection from its tables only: the graph with all vectors stays, and text can be guessed
    from vectors. The server must not be running.
    """
    database = home / "chroma.sqlite3"
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as connection:
        known = {str(row[0]) for row in connection.execute("SELECT id FROM segments")}
    left = [folder for folder in home.iterdir() if folder.is_dir() and _is_id(folder.name) and folder.name not in known]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    if left:
        argv = [chroma_program(), "vacuum", "--path", str(home), "--force"]
        subprocess.run(argv, check=False, capture_output=True, timeout=VACUUM_SECONDS)
    return len(left)


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False
