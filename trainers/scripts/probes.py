"""Knows the shipped questions that every model is asked and keeps the base's answers; it does not score them.

A probe file is JSONL with ``id``, ``suite``, ``messages`` (the last from the user) and ``max_new_tokens``. The base's
answers do not depend on the fine-tune, so they are kept under a key that names all they do depend on.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trainers.scripts.chat import Message, sha256
from trainers.scripts.child import ScriptError, publish_text

MOST_TOKENS = 1024
"""A probe that wants a longer answer is a mistake."""
ROLES = ("system", "user", "assistant")
SAMPLES = 64
"""Places of a weights file that are read for its fingerprint."""
SAMPLE_BYTES = 1 << 16
WAY = "greedy, batched, 1"
"""Named in the key: change it when the same weights would be asked in another way."""


class Probe(NamedTuple):
    """One question."""

    id: str
    messages: list[Message]
    max_new_tokens: int


def read_probes(path: Path) -> list[Probe]:
    """Read the file; raises ScriptError naming the line."""
    probes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            probes.append(_probe(line, f"{path.name}, line {number}"))
    if len({probe.id for probe in probes}) != len(probes):
        raise ScriptError(f"{path.name}: an id occurs twice.", "Write the probes again.")
    if not probes:
        raise ScriptError(f"{path.name} holds no probes.", "Write the probes again, or leave them out.")
    return probes


def cache_key(base: Path, probes: Path, runtime: Sequence[str]) -> str:
    """Return a hash of what the base's answers depend on: weights, tokenizer, template, probes, device, precision."""
    small = [path for path in sorted(base.iterdir()) if path.suffix in (".json", ".jinja", ".txt", ".model")]
    parts = {
        "way": WAY,
        "files": {path.name: sha256(path) for path in small},
        "weights": {path.name: _fingerprint(path) for path in sorted(base.glob("*.safetensors"))},
        "probes": sha256(probes),
        "runtime": list(runtime),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_cached(folder: Path | None, key: str, probes: Sequence[Probe]) -> list[dict[str, Any]] | None:
    """Return the kept lines, or None where there are none or they are damaged."""
    path = folder / f"{key}.jsonl" if folder else None
    if path is None or not path.is_file():
        return None
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        whole = [line["id"] for line in lines] == [probe.id for probe in probes]
        whole = whole and all(isinstance(line["output"], str) and line["arm"] == "base" for line in lines)
    except (ValueError, KeyError, TypeError):
        return None
    return lines if whole else None


def keep_cached(folder: Path | None, key: str, lines: Sequence[dict[str, Any]]) -> None:
    """Publish the base's lines in one step; a cache that cannot be written is not worth failing for."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        publish_text(folder / f"{key}.jsonl", in_lines(lines))
    except OSError:
        return


def in_lines(values: Sequence[dict[str, Any]]) -> str:
    """Return JSONL."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def _probe(line: str, where: str) -> Probe:
    again = "Write the probes again."
    try:
        value = json.loads(line)
        probe = Probe(str(value["id"]), list(value["messages"]), value["max_new_tokens"])
        texts = [(str(m["role"]), m["content"]) for m in probe.messages]
    except (ValueError, KeyError, TypeError):
        raise ScriptError(f"{where}: not a probe.", again) from None
    said = all(role in ROLES and isinstance(text, str) and text.strip() for role, text in texts)
    if not texts or texts[-1][0] != "user" or not said:
        raise ScriptError(f"{where}: the last message is not the user's, or one has a wrong role or no text.", again)
    limit = probe.max_new_tokens
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit <= MOST_TOKENS:
        raise ScriptError(f"{where}: max_new_tokens must be from 1 to {MOST_TOKENS}.", again)
    return probe


def _fingerprint(path: Path) -> str:
    """Hash size, header and 64 samples of a weights file.

    The header alone holds names and shapes, which all fine-tunes of a base share; hashing half a gigabyte takes longer
    than loading it. What we unpacked ourselves also has its whole hash in luthier.json, one of the small files.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        head = int.from_bytes(file.read(8), "little")
        digest.update(file.read(min(head, 1 << 24)))
        for place in range(SAMPLES):
            file.seek(size * place // SAMPLES)
            digest.update(file.read(SAMPLE_BYTES))
        file.seek(max(0, size - SAMPLE_BYTES))
        digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
