"""What a file is when it is plainly not JSONL, judged by its first bytes; it does not read rows."""

import re

from trainers.data.findings import Finding, block

HEAD_BYTES = 65536  # as much as is ever looked at; a locked Office file tells so some sectors in

_AGAIN = "Export the rows as JSONL (one JSON object per line, UTF-8) and upload that file."
_SPREAD = "Write one object per line, without the list around it, and upload again."
_UNPACK = "Unpack it first and upload the JSONL file inside; I never open archives."

_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive or an Office file"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
)
_DOCUMENTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"GGUF", "model weights"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x7fELF", "a program"),
)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_LIST = re.compile(rb"\[(?:\s*(?:\{|\Z)|[ \t\r]*\n)")
_PRETTY = re.compile(rb"\{[ \t\r]*\n\s*\"")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def is_workbook(head: bytes, suffix: str) -> bool:
    """Say whether a file is an Excel workbook that is worth opening: a zip with a workbook's parts or name."""
    return head.startswith(b"PK\x03\x04") and (b"xl/" in head or suffix.lower() in (".xlsx", ".xlsm"))


def refuse_kind(head: bytes) -> Finding | None:
    """Say what a file is if its first `HEAD_BYTES` show that it cannot be JSONL, else None."""
    if not head:
        return block("empty_file", (), "That file is empty: 0 bytes.", _AGAIN)
    if any(head.startswith(mark) for mark in _WIDE_MARKS) or _looks_wide(head):
        return block("utf16", (1,), "That file is UTF-16 or UTF-32 text, not UTF-8.", "Save it as UTF-8, upload again.")
    return _refuse_packed(head) or _refuse_text(head)


def _refuse_packed(head: bytes) -> Finding | None:
    """Say which archive or document this is, if it is one."""
    if _locked(head):
        message = "That file is locked with a password, so I can't see what is in it."
        return block("locked", (1,), message, "Remove the password, then give me the file again.")
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            return block("archive", (1,), f"That file isn't JSONL: it is {name}.", _UNPACK)
    if head[257:262] == b"ustar":
        return block("archive", (1,), "That file isn't JSONL: it is a tar archive.", _UNPACK)
    for magic, name in _DOCUMENTS:
        if head.startswith(magic):
            return block("binary", (1,), f"That file isn't JSONL: it is {name}.", _AGAIN)
    return None


def _locked(head: bytes) -> bool:
    """Tell a locked zip by the flag of its first part, and a locked Office file by the name of what is in it."""
    zipped = head.startswith(b"PK\x03\x04") and len(head) > 6 and bool(head[6] & 1)
    return zipped or (head.startswith(b"\xd0\xcf\x11\xe0") and _ENCRYPTED in head)


def _refuse_text(head: bytes) -> Finding | None:
    """Say which other kind of text or binary this is, if it plainly is one."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if start[:1] == b"<":
        return block("not_jsonl", (1,), "That file isn't JSONL: it is a web page or XML, perhaps a login page.", _AGAIN)
    if _LIST.match(start):
        return block("not_jsonl", (1,), "That file isn't JSONL: it is one JSON list.", _SPREAD)
    if _PRETTY.match(start):
        return block("not_jsonl", (1,), "That file isn't JSONL: its JSON is spread over several lines.", _SPREAD)
    if not start.startswith((b"{", b"[")) and head[:1024].count(b"\x00") > len(head[:1024]) // 50:
        return block("binary", (1,), "That file isn't JSONL: it is binary, not text.", _AGAIN)
    return None


def _looks_wide(head: bytes) -> bool:
    """Tell UTF-16 or UTF-32 without a mark: JSON starts with ASCII, so its zero bytes stand in a fixed place."""
    start = head[:4]
    return len(start) == 4 and start.count(0) >= 2 and any(start[place] in b"{[ \n\r\t" for place in (0, 1, 3))
