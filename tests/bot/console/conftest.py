"""The fixtures of every test that opens the page."""

from tests.bot.console.desk import chromium, desk, slack

__all__ = ["chromium", "desk", "slack"]
