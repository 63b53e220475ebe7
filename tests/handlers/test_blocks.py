"""What we draw: it stays as it was, and Slack would take it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.console.blocks import block_problems
from bot.console.view_rules import view_problems
from tests.handlers.samples import DRAWN, KEPT, SNAPSHOTS, pretty

Json = dict[str, Any]

TEXT = {
    "section": 3000,
    "header": 150,
    "button": 75,
    "option": 75,
    "context": 3000,
    "input": 2000,
    "confirm": 300,
    "container": 150,
}
"""Characters of a text by what it stands in (Slack's reference, read 2026-11-22)."""

COUNTS = {
    "actions": ("elements", 25),
    "context": ("elements", 10),
    "container": ("child_blocks", 10),
    "static_select": ("options", 100),
}
"""How many things may stand in another."""


def parts(value: Any) -> Iterator[Json]:
    """Every object in a drawing."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(part)


@pytest.mark.parametrize("name", KEPT)
def test_drawings_stay_as_they_were(name: str) -> None:
    """Each drawing equals its snapshot; `python -m tests.handlers.samples` accepts a change that is meant."""
    assert pretty(DRAWN[name]()) == (SNAPSHOTS / f"{name}.json").read_text("utf-8")


def test_every_snapshot_has_its_drawing() -> None:
    """No snapshot is left of something that is no longer drawn."""
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == set(KEPT)


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_obey_slacks_documented_limits(name: str) -> None:
    """No text, list or id is longer than Slack documents, and a message stays below msg_blocks_too_long."""
    drawn = DRAWN[name]()
    assert len(drawn["blocks"]) <= (50 if drawn["type"] == "message" else 100)
    if drawn["type"] == "message":
        assert sum(len(p["text"]) for p in parts(drawn["blocks"]) if isinstance(p.get("text"), str)) <= 13_000
        assert len(drawn.get("text", "")) <= 4000
    else:
        assert len(json.dumps(drawn)) <= 250_000
        assert len(drawn.get("title", {"text": ""})["text"]) <= 24
        assert len(drawn.get("private_metadata", "")) <= 3000
    for part in parts(drawn):
        kind = part.get("type", "option" if "value" in part else "confirm" if "deny" in part else "")
        text = part.get("text")
        if isinstance(text, dict) and kind in TEXT:
            assert 0 < len(text["text"]) <= TEXT[kind]
        if kind in COUNTS:
            name_of, most = COUNTS[kind]
            assert 0 < len(part[name_of]) <= most
        assert len(part.get("action_id", "")) <= 255
        assert len(part.get("block_id", "")) <= 255
        assert len(str(part.get("value", ""))) <= (150 if kind == "option" else 2000)
        assert part.get("text") != ""


@pytest.mark.parametrize("name", DRAWN)
def test_slacks_own_sdk_accepts_the_drawings(name: str) -> None:
    """The released SDK knows every block and finds nothing wrong with it."""
    drawn = DRAWN[name]()
    if drawn["type"] != "message":
        View(**drawn).to_dict()
    for block in drawn["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None, block["type"]
        parsed.to_dict()


@pytest.mark.parametrize("name", DRAWN)
def test_the_local_slack_accepts_the_drawings(name: str) -> None:
    """The local Slack, which refuses what Slack refuses, takes every drawing."""
    drawn = DRAWN[name]()
    problems = block_problems(drawn["blocks"]) if drawn["type"] == "message" else view_problems(drawn, drawn["type"])
    assert problems == []


@pytest.mark.parametrize(
    "name",
    [
        "ended_failed",
        "report",
        "form_try_answered",
        "lint_ready",
        "lint_kept",
        "lint_preview",
        "lint_mended",
        "datasets",
        "datasets_empty",
        "datasets_diff",
        "datasets_group",
        "datasets_more",
        "datasets_delete",
        "advice_cases",
        "learned",
        "learn_offer",
        "sources",
        "document",
        "document_forget",
        "source_own",
    ],
)
def test_text_of_others_cannot_ring_or_link(name: str) -> None:
    """A channel-wide ping, a disguised link or a direction character in data reaches no place where Slack obeys it."""
    for part in parts(DRAWN[name]()):
        text = part.get("text")
        if part.get("type") == "mrkdwn":
            assert "<!channel>" not in text
            assert "<https://evil" not in text
        if isinstance(text, str):
            assert not set(text) & set("\u202e\u0007")


def test_cut_rows_say_how_much_is_missing() -> None:
    """Rows too long for one message are cut with a count, never silently."""
    assert "more characters)" in json.dumps(DRAWN["report_long_rows"](), ensure_ascii=False)
    assert "more characters)" not in json.dumps(DRAWN["report"](), ensure_ascii=False)
