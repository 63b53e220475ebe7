"""Errors of users.*."""

from tests.bot.console.error_cases import Case

WITH_USER = ("users.info", "users.profile.get", "users.getPresence", "users.conversations")
PAGED = ("users.list", "users.conversations")
CASES = [
    *(Case(name, "user_not_found", {"user": "U0NOBODY"}) for name in WITH_USER),
    *(Case(name, "invalid_cursor", {"cursor": "dGVhbTpDMA=="}) for name in PAGED),
    *(Case(name, "invalid_limit", {"limit": "many"}) for name in PAGED),
    Case("users.lookupByEmail", "users_not_found", {"email": "nobody@northwind.example"}),
    Case("users.setPresence", "invalid_presence", {"presence": "asleep"}),
    Case("users.conversations", "invalid_types", {"types": "secret"}),
]
