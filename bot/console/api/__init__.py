"""The Web API methods, one file for each family; importing this package registers them all."""

from bot.console.api import assistant, auth, chat, conversations, files, reactions, streams, users, views

__all__ = ["assistant", "auth", "chat", "conversations", "files", "reactions", "streams", "users", "views"]
