"""The parts that interaction payloads share: who, where, in which message or view. Knows shapes; sends nothing."""

from collections.abc import Iterator
from typing import NamedTuple

from bot.console import modals
from bot.console.blocks import walk
from bot.console.messages import show
from bot.console.store import Row
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

TOKEN = "local-slack-verification-token"  # noqa: S105 - Slack's legacy field, which secures nothing and is no secret


class Spot(NamedTuple):
    """Where a person clicked: in a message or in a view."""

    row: Row | None
    view: Json | None

    @property
    def blocks(self) -> list[Json]:
        """The blocks that stand there, those of attachments too."""
        body = self.view if self.view is not None else self.row.body if self.row else {}
        own: list[Json] = body.get("blocks", [])
        return [*own, *(block for _, block in self._attached())]

    def attachment_of(self, block_id: str) -> int | None:
        """The number of the attachment in which a block stands, or None."""
        return next((place for place, block in self._attached() if block["block_id"] == block_id), None)

    def _attached(self) -> Iterator[tuple[int, Json]]:
        attachments = self.row.body.get("attachments", []) if self.row else []
        yield from ((each["id"], block) for each in attachments for block in each.get("blocks", []))


def spot_of(space: Workspace, user: str, body: Json) -> Spot:
    """Find what the page says was used. Raises message_not_found or view_not_found."""
    if body.get("view_id"):
        return Spot(None, modals.owned(space, user, str(body["view_id"])))
    row = space.message(str(body.get("channel")), str(body.get("message_ts")))
    if not space.store.is_member(row.channel, user) or row.viewer not in (None, user):
        raise SlackError("message_not_found")
    return Spot(row, None)


def element_at(spot: Spot, block_id: str, action_id: str) -> Json:
    """The element that was used. Raises block_not_found where the message has changed since."""
    for block, part in walk(spot.blocks):
        if block["block_id"] == block_id and part["action_id"] == action_id:
            return part
    raise SlackError("block_not_found")


def base(space: Workspace, user: str) -> Json:
    """Who did it, in which team, with which app."""
    who = space.who
    person = space.user(user)
    name = person["name"]
    return {
        "user": {"id": user, "username": name, "name": name, "team_id": person["team_id"]},
        "api_app_id": who.app_id,
        "token": TOKEN,
        "team": {"id": who.team_id, "domain": who.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def container(spot: Spot, block_id: str) -> Json:
    """What holds the element that was used."""
    if spot.view is not None:
        return {"type": "view", "view_id": spot.view["id"]}
    row = spot.row
    if row is None:
        return {}
    facts: Json = {"message_ts": row.ts, "channel_id": row.channel, "is_ephemeral": row.viewer is not None}
    if row.root:
        facts["thread_ts"] = row.root
    attachment = spot.attachment_of(block_id)
    if attachment is None:
        return {"type": "message", **facts}
    return {"type": "message_attachment", **facts, "attachment_id": attachment, "is_app_unfurl": False}


def place(space: Workspace, spot: Spot, state: Json | None = None) -> Json:
    """The view, or the channel and the message; with the values of inputs where a payload carries them."""
    if spot.view is not None:
        return {"view": {**modals.public(spot.view), "state": state or spot.view["state"]}}
    row = spot.row
    if row is None:
        return {}
    facts = {"channel": {"id": row.channel, "name": channel_name(space.channel(row.channel))}}
    values = {} if state is None else {"state": state}
    # Slack leaves the message out where it is ephemeral: it keeps no such messages.
    return {**facts, **values} if row.viewer else {**facts, **values, "message": show(space, [row])[0]}


def response_url(space: Workspace, user: str, row: Row) -> str:
    """A fresh address at which the app may answer to what was done with a message."""
    key = space.response_urls.mint(user, row.channel, row.ts, row.root)
    return f"{space.settings.address}/actions/{space.who.team_id}/{key}"


def channel_name(channel: Json) -> str:
    """A channel's name as payloads have it; conversations without a public one have a fixed word."""
    if channel.get("is_im"):
        return "directmessage"
    return "privategroup" if channel.get("is_private") and not channel.get("is_mpim") else str(channel.get("name", ""))
