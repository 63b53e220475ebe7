"""The fixtures of tests that open the page, and of those that run an app beside a local Slack."""

from tests.bot.console.desk import chromium, desk, slack
from tests.bot.console.pairs import app, ear, running, start

__all__ = ["app", "chromium", "desk", "ear", "running", "slack", "start"]
