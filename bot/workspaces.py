"""Knows which bot token opens which workspace; it does not know what is done there."""

import threading
from collections.abc import Sequence

from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from knowledge.errors import UserError

CALL_LIMIT = 15
"""Seconds that one call to Slack may wait for an answer."""


class Workspaces:
    """The tokens that settings name, each for one workspace; Slack is asked at first need which one."""

    def __init__(self, tokens: Sequence[str], url: str = "", timeout: int = CALL_LIMIT) -> None:
        self._timeout = timeout
        self._tokens, self._url = tuple(tokens), url or WebClient.BASE_URL
        self._known: dict[str, AuthorizeResult] = {}
        self._lock = threading.Lock()

    def client(self, workspace_id: str) -> WebClient:
        """Return a client that sends each call once: the SDK would repeat a post whose answer got lost, unseen by us.

        Raises UserError where no token is for this workspace, and Slack's errors where it cannot be asked.
        """
        if len(self._tokens) == 1:
            return self._open(self._tokens[0])
        found = self._find(workspace_id)
        if found is None:
            raise UserError(f"No token opens workspace {workspace_id}.", "Add its token to SLACK_BOT_TOKEN.")
        return self._open(found.bot_token or "")

    def authorize(self, team_id: str, enterprise_id: str) -> AuthorizeResult | None:
        """Say who we are in a workspace; None where no token is for it."""
        found = self._find(team_id or enterprise_id)
        # With one token there is nothing to choose; an organisation-wide one serves teams by other ids.
        return found or (next(iter(self._known.values()), None) if len(self._tokens) == 1 else None)

    def _find(self, workspace_id: str) -> AuthorizeResult | None:
        with self._lock:
            asked = {known.bot_token for known in self._known.values()}
            for token in self._tokens:
                if workspace_id not in self._known and token not in asked:
                    self._ask(token)
            return self._known.get(workspace_id)

    def _ask(self, token: str) -> None:
        """Learn whose a token is; one that Slack refuses must not keep the others from working."""
        try:
            answer = self._open(token).auth_test()
        except SlackApiError:
            if len(self._tokens) == 1:
                raise
            return
        self._known[str(answer["team_id"])] = AuthorizeResult.from_auth_test_response(
            auth_test_response=answer, bot_token=token
        )

    def _open(self, token: str) -> WebClient:
        return WebClient(token, base_url=self._url, timeout=self._timeout, retry_handlers=[])
