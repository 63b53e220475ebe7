"""The app's manifest: what Slack grants is what the code uses."""

from pathlib import Path

import yaml

from bot.console.manifest import load_manifest
from handlers.blocks.answer import PROMPTS
from handlers.blocks.listing import COMMANDS

PATH = Path(__file__).parents[2] / "manifest.yaml"


def test_the_suggestions_are_the_same_everywhere() -> None:
    """Slack's own suggestions and those of the hello do not drift apart."""
    assert tuple(prompt["message"] for prompt in load_manifest(PATH).prompts) == PROMPTS


def test_the_manifest_keeps_slacks_limits() -> None:
    """Names and descriptions fit (Slack's reference, read 2026-11-22)."""
    manifest = yaml.safe_load(PATH.read_text())
    (command,) = manifest["features"]["slash_commands"]
    assert len(command["command"]) <= 32
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300
    assert len(manifest["features"]["agent_view"]["suggested_prompts"]) <= 4
    assert len(manifest["display_information"]["description"]) <= 140


def test_the_usage_hint_lists_every_command() -> None:
    """Slack shows the hint while somebody types: it names what there is."""
    (command,) = yaml.safe_load(PATH.read_text())["features"]["slash_commands"]
    assert command["usage_hint"].strip("[]").split(" | ") == list(COMMANDS)


def test_events_and_scopes_belong_together() -> None:
    """Each subscribed event has the scope that Slack asks for it."""
    manifest = load_manifest(PATH)
    needs = {"app_mention": "app_mentions:read", "message.channels": "channels:history",
             "message.groups": "groups:history", "message.im": "im:history"}  # fmt: skip
    assert {scope for event, scope in needs.items() if manifest.wants(event)} <= (manifest.scopes or set())
