"""Binds one team together: state, clock, pages, courier. Knows how to find things, not what is done with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bot.console.clock import Clock
from bot.console.deliver import Courier
from bot.console.hub import Hub
from bot.console.install import Install
from bot.console.limits import limit, retry_delays
from bot.console.manifest import Manifest
from bot.console.rates import Rates
from bot.console.seed import PEOPLE, TEAMS, Identity, direct_message, seed
from bot.console.store import Row, Store
from bot.console.triggers import ResponseUrls, Triggers
from bot.console.wire import Json, SlackError

if TYPE_CHECKING:
    from bot.console.site import Site

UPLOAD_LIFE = 86_400.0
"""Seconds that an upload address stays good."""
PAGE = Path(__file__).with_name("page")


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings:
    """How one local Slack is started."""

    port: int
    """Port on 127.0.0.1."""
    app_url: str
    """Where the app takes events, commands and interactions; not used while the app has a socket open."""
    data: Path
    """Folder of the database and the uploaded files."""
    signing_secret: str = field(repr=False)
    """Signs requests to the app."""
    bot_tokens: Sequence[str] = field(repr=False)
    """The app's tokens, `xoxb-…`, one for each team."""
    app_token: str = field(default="", repr=False)
    """The app-level token, `xapp-…`, that opens sockets; without one there is no Socket Mode."""
    client_id: str = ""
    """The app's id in the installation flow."""
    client_secret: str = field(default="", repr=False)
    """The app's secret in the installation flow; without one there is no such flow."""
    people: int = 3
    """How many people a new team has."""
    manifest: Manifest = field(default_factory=Manifest)
    """The app that is installed."""
    bar: str = "nothing leaves this machine"
    """What the page's bar says."""
    remote_endpoints: Sequence[str] = ()
    """Remote addresses in use, as the starter of this process knows them."""
    page: Path = PAGE
    """Folder of the page."""
    retry_delays: Sequence[float] = field(default_factory=retry_delays)
    """Seconds before each retry of an event."""
    ack_seconds: float = field(default_factory=lambda: float(limit("interaction.ack_seconds")))
    """How long the app may take to acknowledge."""
    rate_limits: bool = False
    """Whether methods answer 429 over their rate, as Slack's do, until somebody switches it at the page."""
    faults: bool = False
    """Whether to start with `faults.EVERYTHING` switched on."""
    seed: int = 0
    """What faults are drawn from."""

    def __post_init__(self) -> None:
        if not self.signing_secret or not self.bot_tokens or not all(self.bot_tokens):
            raise ValueError("The local Slack needs a signing secret and a bot token.")
        if len(set(self.bot_tokens)) < len(self.bot_tokens):
            raise ValueError("Each workspace needs a bot token of its own.")
        if len(self.bot_tokens) > len(TEAMS) or not 1 <= self.people <= len(PEOPLE):
            raise ValueError(f"A local Slack has 1 to {len(TEAMS)} workspaces with 1 to {len(PEOPLE)} people each.")

    @property
    def address(self) -> str:
        """Where this local Slack is found."""
        return f"http://127.0.0.1:{self.port}"


class Workspace:
    """One team with one app in it."""

    def __init__(self, site: "Site", index: int = 0) -> None:
        self.site = site
        self.settings = settings = site.settings
        self.folder = settings.data if index == 0 else settings.data / TEAMS[index].lower()
        """Where this team's database and files are."""
        self.store = Store(self.folder / "slack.db")
        self.who: Identity = seed(self.store, settings.manifest, index, settings.people)
        self.install = Install(self.store, settings.bot_tokens[index])
        self.clock = Clock(site.now, self.store.latest_ts())
        self._tidy()
        self.hub = Hub()
        self.triggers = Triggers(self.clock)
        self.response_urls = ResponseUrls(self.store, self.clock)
        self.rates = Rates(self.clock)
        self.courier = Courier(
            wire=site,
            store=self.store,
            install=self.install,
            clock=self.clock,
            faults=site.faults,
            retry_delays=settings.retry_delays,
        )

    def _tidy(self) -> None:
        """Drop what an earlier run left and nobody can use: dead response addresses, uploads that never came."""
        self.store.drop_where("response_url", "expires", "<", self.clock.now())
        self.store.drop_where("upload", "made", "<", self.clock.now() - UPLOAD_LIFE)
        self.store.drop_where("file", "state", "=", "waiting")
        for partial in (self.folder / "files").glob("*.part"):
            partial.unlink()

    async def open(self) -> None:
        """Take up the deliveries that an earlier run still owed."""
        self.courier.resume()

    async def close(self) -> None:
        """Stop deliveries and close the database."""
        await self.courier.close()
        self.store.close()

    def user(self, user_id: str) -> Json:
        """A user object. Raises user_not_found."""
        found = self.store.get("user", user_id)
        if found is None:
            raise SlackError("user_not_found")
        return found

    def person(self, user_id: str) -> Json:
        """A user that is a person at the page, not a bot. Raises user_not_found."""
        found = self.user(user_id)
        if user_id in (self.who.bot_user, "USLACKBOT"):
            raise SlackError("user_not_found")
        return found

    def people(self) -> list[str]:
        """Ids of everyone who can sit at the page."""
        return [user["id"] for user in self.store.all("user") if user["id"] not in (self.who.bot_user, "USLACKBOT")]

    def channel(self, channel_id: str) -> Json:
        """A conversation by id. Raises channel_not_found."""
        found = self.store.get("channel", channel_id)
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def channel_for(self, target: str) -> Json:
        """A conversation by id, `#name`, `name`, or a user's id (their DM with the app). Raises channel_not_found."""
        if target.startswith(("U", "W")) and self.store.get("user", target):
            return direct_message(self.store, self.who, self.person(target)["id"])
        found = self.store.get("channel", target)
        if found:
            return found
        for channel in self.store.all("channel"):
            if channel.get("name") and channel["name"] == target.lstrip("#"):
                return channel
        raise SlackError("channel_not_found")

    def labels(self) -> dict[str, str]:
        """Names of users and channels by id, as they stand behind the bar in `<@U1|ada>`."""
        rows = [*self.store.all("user"), *self.store.all("channel")]
        return {row["id"]: row["name"] for row in rows if "name" in row}

    def audience(self, channel_id: str) -> list[str]:
        """People who see a channel."""
        return [member for member in self.store.members(channel_id) if member != self.who.bot_user]

    def message(self, channel_id: str, ts: str) -> Row:
        """A stored message. Raises message_not_found."""
        found = self.store.message(channel_id, ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def channel_type(self, channel: Json) -> str:
        """`im`, `mpim`, `group` or `channel`, as events say it."""
        for kind in ("im", "mpim"):
            if channel.get(f"is_{kind}"):
                return kind
        return "group" if channel.get("is_private") else "channel"
