"""All workspaces of one local Slack and what they share. Knows which team a request is about, not what it asks."""

import asyncio
from collections.abc import Iterator

from bot.console.clock import Now
from bot.console.deliver import Parcel, Reply
from bot.console.faults import EVERYTHING, NONE, FaultBox
from bot.console.grants import Grants
from bot.console.http_wire import HttpWire
from bot.console.sockets import Sockets
from bot.console.wire import SlackError
from bot.console.workspace import ConsoleSettings, Workspace


class Site:
    """One local Slack: one app, installed in one or several teams."""

    def __init__(self, settings: ConsoleSettings, now: Now) -> None:
        self.settings = settings
        self.now = now
        chosen = EVERYTHING if settings.faults else NONE
        self.faults = FaultBox(chosen.with_rates(settings.rate_limits or chosen.rate_limits), settings.seed)
        self.grants = Grants(now)
        self.sockets = Sockets(settings.address, now=now, ack_seconds=settings.ack_seconds)
        self.http = HttpWire(
            app_url=settings.app_url, secret=settings.signing_secret, now=now, ack_seconds=settings.ack_seconds
        )
        self.closing = asyncio.Event()
        """Set when this Slack is about to stop: live event streams end."""
        self.teams = [Workspace(self, index) for index in range(len(settings.bot_tokens))]

    async def send(self, parcel: Parcel) -> Reply:
        """Bring a parcel to the app: over a socket while it has one open, otherwise to its request URL."""
        return await (self.sockets if await self.sockets.ready() else self.http).send(parcel)

    async def open(self) -> None:
        """Begin to deliver."""
        for space in self.teams:
            await space.open()

    async def close(self) -> None:
        """Stop deliveries and close databases and connections."""
        await self.sockets.close()
        for space in self.teams:
            await space.close()

    def team(self, team_id: str) -> Workspace:
        """A workspace by its id; the first one where none is named. Raises team_not_found."""
        for space in self.teams:
            if team_id in ("", space.who.team_id):
                return space
        raise SlackError("team_not_found")

    def by_token(self, token: str) -> Workspace:
        """The workspace whose bot token this is. Raises invalid_auth, token_revoked or account_inactive."""
        for space in self.teams:
            verdict = space.install.verdict(token)
            if verdict == "ok":
                return space
            if verdict:
                raise SlackError(verdict)
        raise SlackError("invalid_auth")

    def holding(self, kind: str, key: str) -> Workspace | None:
        """The workspace that has this document: ids of files, channels and uploads are unique over all teams."""
        return next((space for space in self.teams if space.store.get(kind, key) is not None), None)

    def __iter__(self) -> Iterator[Workspace]:
        return iter(self.teams)
