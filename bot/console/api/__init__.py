"""The Web API methods, one file for each family; importing this package registers them all."""

from bot.console.api import (
    assistant,
    auth,
    bookmarks,
    channels,
    chat,
    conversations,
    files,
    members,
    pins,
    reactions,
    scheduled,
    streams,
    team,
    unfurl,
    users,
    views,
)

__all__ = [
    "assistant",
    "auth",
    "bookmarks",
    "channels",
    "chat",
    "conversations",
    "files",
    "members",
    "pins",
    "reactions",
    "scheduled",
    "streams",
    "team",
    "unfurl",
    "users",
    "views",
]
