"""Reads the bytes of a file that somebody names; it trusts neither the path, nor the size, nor that the file stays."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from knowledge.documents.drafts import Unreadable

_MIB = 1_048_576


class Opened(NamedTuple):
    """A file that is open for reading."""

    file: BinaryIO
    status: os.stat_result
    """What it was when it was opened."""


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a regular file for reading; raise Unreadable for links, folders, devices and what is not there."""
    if "\0" in str(path):
        raise Unreadable("has a name that no file can have.", "Check its name, then add it again.")
    if path.is_symlink():
        raise Unreadable("is a link to another file.", "Name the file itself.")
    try:
        # Without O_NONBLOCK a named pipe would keep us waiting for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Unreadable("is not there (any more).", "Check its name, then add it again.") from error
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror}.", "Let me read it, then add it again.") from error
    try:
        status = os.fstat(descriptor)
        _check_kind(status)
        with open(descriptor, "rb", closefd=False) as file:
            yield Opened(file, status)
    finally:
        os.close(descriptor)


def content_of(found: Opened, most: int) -> bytes:
    """Return all bytes of a file; raise Unreadable beyond `most` of them, or where it changed since it was opened."""
    before = found.status
    if before.st_size > most:
        raise too_large(before.st_size, most)
    try:
        content = found.file.read(most + 1)
    except OSError as error:
        raise Unreadable(
            f"cannot be read: {error.strerror}.", "Check the disk it lies on, then add it again."
        ) from error
    after = os.fstat(found.file.fileno())
    if len(content) != before.st_size or before.st_mtime_ns != after.st_mtime_ns:
        raise Unreadable("changed while I read it.", "Wait until it is complete, then add it again.")
    return content


def too_large(size: int, most: int) -> Unreadable:
    """Say that a file is over the cap, and what to do."""
    return Unreadable(
        f"has {size / _MIB:,.0f} MiB; I read files of up to {most / _MIB:,.0f} MiB.",
        "Split it, or export only its text.",
    )


def _check_kind(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("is a folder.", "Name the files in it.")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is not a file but a device or a pipe.", "Name a file.")
