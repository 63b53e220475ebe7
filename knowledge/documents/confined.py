"""Has a file parsed by a child process and ends it when it takes too long; it knows the protocol, not the formats."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from knowledge.documents.child import OUT_OF_MEMORY
from knowledge.documents.drafts import Draft, Unreadable
from knowledge.documents.limits import Limits

_ROOT = Path(__file__).parents[2]


def parse_confined(kind: str, content: bytes, limits: Limits) -> Draft:
    """Return what the reader of `kind` makes of `content`; raise Unreadable for its reason, or for its end."""
    try:
        done = run_confined("knowledge.documents.child", [kind, json.dumps(asdict(limits))], content, limits.seconds)
    except subprocess.TimeoutExpired as error:
        raise _too_slow(limits) from error
    if done.returncode == OUT_OF_MEMORY:
        raise Unreadable("needs more memory than I give to one file.", "Split it, or export only its text.")
    if done.returncode:
        raise Unreadable("is damaged, or too much for its parser.", "Save it anew, or split it, and add that.")
    return _draft(json.loads(done.stdout))


def run_confined(
    module: str, arguments: Sequence[str], content: bytes, seconds: float
) -> "subprocess.CompletedProcess[bytes]":
    """Run a module of ours as a child that gets `content` and nothing of our environment, which holds keys.

    Raises subprocess.TimeoutExpired after `seconds`; the child is ended then.
    """
    return subprocess.run(
        [sys.executable, "-P", "-s", "-m", module, *arguments],
        input=content,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"},
        timeout=seconds,
        check=False,
    )


def _too_slow(limits: Limits) -> Unreadable:
    return Unreadable(f"takes longer than {limits.seconds:,.0f} seconds to read.", "Split it, or export only its text.")


def _draft(answer: Mapping[str, Any]) -> Draft:
    if "what" in answer:
        raise Unreadable(str(answer["what"]), str(answer["next_step"]))
    updated = str(answer["updated"])
    return Draft(
        title=str(answer["title"]),
        body=str(answer["body"]),
        updated=date.fromisoformat(updated) if updated else None,
        questions=tuple(str(question) for question in answer["questions"]),
        notes=tuple(str(note) for note in answer["notes"]),
    )
