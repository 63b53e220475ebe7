"""Errors of dnd.* and usergroups.*."""

from tests.bot.console.error_cases import Case

CASES = [
    Case("dnd.info", "user_not_found", {"user": "U0NOBODY"}),
    Case("dnd.teamInfo", "user_not_found", {"users": "U0ADA,U0NOBODY"}),
    Case("dnd.teamInfo", "no_users_provided", {"users": ""}),
    Case("usergroups.users.list", "no_such_subteam", {"usergroup": "S0NONE"}),
]
