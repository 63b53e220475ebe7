"""Rules about a file as a target takes it: format of the rows, kind of file, byte order mark, size, keys."""

from collections.abc import Iterator
from pathlib import Path

from trainers.data.findings import Finding, Spots, block, lines_are, lines_have, warn
from trainers.data.formats import NAMES
from trainers.data.formats.pairs import SYSTEM, columns, plain_name
from trainers.data.limits import TargetLimits
from trainers.data.rules.view import View
from trainers.data.source import Chat, Source

_ROW, _MESSAGE = frozenset(("messages",)), frozenset(("role", "content", "weight"))
_TOOL_ROW = frozenset(("tools", "parallel_tool_calls", "functions"))
_TOOL_MESSAGE = frozenset(("name", "tool_calls", "tool_call_id", "function_call", "refusal"))
_READ = {
    "openai_preference": frozenset(("input", "preferred_output", "non_preferred_output")),
    "preference": frozenset(("prompt", "question", "instruction", "chosen", "rejected", "tools")),
    "vertex": frozenset(("contents", "systemInstruction", "system_instruction")),
    "sharegpt": frozenset(("conversations", "conversation")),
    "alpaca": frozenset(("instruction", "input", "output", "history")),
    "prompt_completion": frozenset(("prompt", "completion")),
}
"""The keys of each format that are read."""
_APART = tuple(
    map(
        frozenset,
        (("messages",), ("text",), ("prompt", "completion"), ("input", "preferred_output", "non_preferred_output")),
    )
)
"""Keys of formats of which a row may have one."""
_CONTAINERS = {"jsonl": "JSONL", "json": "one JSON list", "csv": "CSV", "tsv": "TSV", "xlsx": "an Excel workbook"}


class Keys:
    """Warns about keys that mean nothing to training."""

    def __init__(self, limits: TargetLimits) -> None:
        """Take what the target accepts."""
        self._rows, self._messages, self._two = Spots(), Spots(), Spots()
        self._limits = limits
        self._row = _ROW | (_TOOL_ROW if limits.tools else frozenset())
        self._message = _MESSAGE | (_TOOL_MESSAGE if limits.tools else frozenset())

    def see(self, view: View) -> None:
        """Look at the keys of a row; only a chat row has none but those that are known here."""
        if self._limits.one_format_a_row and sum(bool(keys & view.raw.keys()) for keys in _APART) > 1:
            self._two.add(view.line)
        if view.kind != "chat":
            return
        if view.raw.keys() - self._row:
            self._rows.add(view.line)
        messages = view.raw["messages"]
        if isinstance(messages, list) and any(item.keys() - self._message for item in messages):
            self._messages.add(view.line)

    def findings(self) -> Iterator[Finding]:
        """Say where there are such keys."""
        for where, lines in (("row", self._rows), ("message", self._messages)):
            if lines:
                message = f"{lines_have(lines)} keys in a {where} that training ignores."
                yield warn("ignored_key", lines, message, "Remove them, or check that nothing needed is in there.")
        if self._two:
            message = f"{lines_have(self._two)} keys of two formats, which {self._limits.target} refuses."
            yield block("format_mismatch", self._two, message, "Keep the keys of one format in each row.")


def unread_keys(chat: Chat) -> bool:
    """Say whether a row has keys that are no part of its conversation, such as an id: a conversion leaves them out."""
    if chat.kind == "chat":
        turns: list[dict[str, object]] = chat.raw["messages"]  # type: ignore[assignment]  # its reader has looked
        return bool(unread(chat)) or any(turn.keys() - _MESSAGE - _TOOL_MESSAGE for turn in turns)
    return bool(unread(chat))


def unread(chat: Chat) -> list[str]:
    """Name a row's keys that are no part of its conversation."""
    if chat.kind == "chat":
        return [key for key in chat.raw if key not in _ROW and key not in _TOOL_ROW]
    known = _READ.get(chat.kind) or frozenset(columns(list(chat.raw)) or ())
    return [key for key in chat.raw if key not in known and plain_name(key) not in SYSTEM]


def over_size(path: Path, limits: TargetLimits) -> Finding | None:
    """Block a file that is larger than the target takes, before it is read."""
    size = path.stat().st_size if path.is_file() else 0
    if size <= limits.file_bytes:
        return None
    message = f"That file has {size / 1e6:,.0f} MB; {limits.target} takes {limits.file_bytes / 1e6:,.0f} MB."
    return block("file_over_limit", (), f"{message} I did not read it.", "Split it, or keep the best rows.")


def handover(source: Source, limits: TargetLimits) -> Iterator[Finding]:
    """Block what the target would refuse about the file as a whole."""
    yield from _formats(source, limits)
    convert = f"`luthier convert FILE --to {limits.target}` writes one."
    if source.kinds and source.container not in limits.containers:
        kind = _CONTAINERS[source.container]
        message = f"That file is {kind}; {limits.target} takes JSONL only."
        yield block("format_mismatch", (), message, convert)
    elif source.kinds and limits.byte_order_mark and not source.marked:
        message = f"That file has no byte order mark at its start, which {limits.target} wants."
        yield block("format_mismatch", (), message, convert)


def _formats(source: Source, limits: TargetLimits) -> Iterator[Finding]:
    """Block rows in a format that the target does not read, and rows in another format than the rest."""
    strange = sorted(kind for kind in source.kinds if kind not in limits.formats)
    for kind in strange:
        lines = source.other_kinds[kind]
        message = f"{lines_are(lines)} in {NAMES[kind]}, which {limits.target} does not take."
        fix = f"`luthier convert FILE --to {limits.target}` writes the rows as it wants them."
        yield block("format_mismatch", lines, message, fix)
    for kind in source.kinds:
        if kind != source.kind and kind not in strange:
            lines = source.other_kinds[kind]
            message = f"{lines_are(lines)} in another format than the rest: {NAMES[kind]}."
            yield block("mixed_formats", lines, message, "Write all rows in one format.")
