"""Knows who asks: a Slack workspace and a person in it; it does not know what they may do (`trainers.policy` does)."""

from dataclasses import dataclass

LOCAL_WORKSPACE = "local"
"""The workspace of whoever works in the shell, where no Slack is involved."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person in a workspace, named as Slack names them."""

    workspace_id: str
    """Slack's team id (T…), or `LOCAL_WORKSPACE` for the shell."""
    user_id: str
    """Slack's user id (U…), or the account name in the shell."""
