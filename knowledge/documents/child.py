"""The process that parses a file from a stranger: it reads bytes from its input, writes JSON, and can do little else.

Run as: python -P -s -m knowledge.documents.child KIND LIMITS < file, with LIMITS as JSON. Exit codes: 0 with a draft
or a reason on the output; OUT_OF_MEMORY; anything else means that the parser broke on the file.
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from knowledge.documents.drafts import Draft, Unreadable
from knowledge.documents.limits import Limits

OUT_OF_MEMORY = 77
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "ctypes.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "os.kill",
    "shutil.",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    """Parse the file on standard input."""
    limits = Limits(**json.loads(sys.argv[2]))
    confine(limits)
    read = _reader(sys.argv[1], limits)
    sys.addaudithook(_refuse)
    try:
        answer = _answer(read, limits)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


def confine(limits: Limits) -> None:
    """Take from this process what a parser has no need of: endless time, memory, files and core dumps."""
    seconds = int(limits.seconds) + 1
    wanted = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS and refuses it; the time limit still holds
            continue


def _reader(kind: str, limits: Limits) -> Callable[[bytes], Draft]:
    """Return the reader of a kind; it is imported here, before files can no longer be opened freely."""
    if kind == "pdf":
        from knowledge.documents.pdf import read_pdf

        return lambda content: read_pdf(content, limits)
    if kind == "docx":
        from knowledge.documents.word import read_word

        return lambda content: read_word(content, limits)
    from knowledge.documents.web_pages import read_web_page

    return read_web_page


def _answer(read: Callable[[bytes], Draft], limits: Limits) -> Mapping[str, Any]:
    try:
        draft = limits.check(read(sys.stdin.buffer.read()))
    except Unreadable as error:
        return {"what": error.what, "next_step": error.next_step}
    return draft._asdict() | {"updated": draft.updated.isoformat() if draft.updated else ""}


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what no parser needs. This holds back libraries, not foreign machine code; that has the limits."""
    if event.startswith(_FORBIDDEN):
        _deny(event)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        _deny(event)


def _deny(event: str) -> NoReturn:
    raise PermissionError(f"{event} is not for parsers")


if __name__ == "__main__":
    main()
