"""Parts of Block Kit as an app sends them, without what Slack adds when it keeps them."""

from typing import Any

Json = dict[str, Any]


def plain(text: str) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def button(action_id: str, text: str) -> Json:
    """A button element."""
    return {"type": "button", "action_id": action_id, "text": plain(text), "value": "1"}


def section(text: str) -> Json:
    """A section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
