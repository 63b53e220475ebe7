"""Turns what an app sends into a message body, with Slack's checks of text, blocks and metadata. Stores nothing."""

import json
import re
from typing import Any

from bot.console.avatars import pictures
from bot.console.blocks import block_problems, normalised, text_of
from bot.console.files import find
from bot.console.limits import limit
from bot.console.schema import problem
from bot.console.seed import FOUNDED
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
ANGLE = re.compile(r"<(?![@#!]|https?:|mailto:|tel:|slack:)")
NAMED = re.compile(r"(?<![\w<|/&#@])([@#])([\w][\w.-]*[\w]|\w)")
BARE_URL = re.compile(r"(?<![<|\w/`])https?://[^\s<>|`]+[^\s<>|`.,;:!?)\]}'\"]")


def content(space: Workspace, args: Args, *, may_be_empty: bool = False) -> Json:
    """`text`, `blocks`, `attachments` and `metadata` of a message. Raises Slack's errors for what it refuses."""
    body = _markdown(args) if args.text("markdown_text") else _text(space, args)
    blocks = checked_blocks(space, args)
    if blocks:
        body["blocks"] = blocks
    attachments = args.records("attachments", "invalid_attachments")
    if attachments:
        body["attachments"] = _attachments(attachments)
    if args.has("metadata"):
        body["metadata"] = checked_metadata(args)
    said = body["text"].strip() or body.get("blocks") or body.get("attachments")
    if not said and not may_be_empty:
        raise SlackError("no_text")
    return body


def checked_blocks(space: Workspace, args: Args, name: str = "blocks") -> list[Json] | None:
    """The blocks of a message, with ids. Raises invalid_blocks_format, invalid_blocks, msg_blocks_too_long."""
    try:
        blocks = args.records(name, "invalid_blocks_format")
    except SlackError as error:
        raise SlackError("invalid_blocks_format") from error
    if not blocks:
        return None
    problems = block_problems(blocks)
    if problems:
        raise SlackError("invalid_blocks", *problems)
    if text_of(blocks) > limit("message.blocks_text"):
        raise SlackError("msg_blocks_too_long")
    return [_with_picture(space, block, place) for place, block in enumerate(normalised(blocks))]


def checked_metadata(args: Args) -> Any:
    """The metadata of a message. Raises invalid_metadata_format or metadata_too_large."""
    metadata = args.record("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:
        return {}
    if "entities" in metadata and "event_type" not in metadata:
        return metadata
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > limit("message.metadata_bytes"):
        raise SlackError("metadata_too_large")
    return metadata


def signature(space: Workspace, args: Args) -> Json:
    """Who posted, as every message of the app carries it; under another name it is a `bot_message` without user."""
    who = space.who
    ids = {"bot_id": who.bot_id, "app_id": who.app_id, "team": who.team_id}
    custom = _custom(args)
    if custom:
        _need_customize(space)
        return {"subtype": "bot_message", **ids, "username": who.app_name, **custom}
    icons = pictures(space.settings.address, who.bot_user, (36, 48, 72))
    facts = {"user_id": who.bot_user, "name": who.app_name, "icons": icons, "deleted": False, "updated": FOUNDED}
    profile = {"id": who.bot_id, "app_id": who.app_id, **facts, "team_id": who.team_id}
    return {"user": who.bot_user, **ids, "bot_profile": profile}


def clean(text: str, *, links: bool = True) -> str:
    """Escape what is no Slack entity, and make bare addresses links, as Slack does."""
    escaped = ANGLE.sub("&lt;", ENTITY.sub("&amp;", text))
    return BARE_URL.sub(lambda found: f"<{found.group()}>", escaped) if links else escaped


def _text(space: Workspace, args: Args) -> Json:
    """The text as `parse`, `link_names` and `mrkdwn` want it read."""
    full = args.text("parse") == "full"
    text = clean(args.text("text")[: limit("message.text_kept")], links=args.text("parse") != "none")
    if full or args.flag("link_names"):
        text = _with_names(space, text)
    plain = full or not args.flag("mrkdwn", True)
    return {"text": text, **({"mrkdwn": False} if plain else {})}


def _with_names(space: Workspace, text: str) -> str:
    """The text with `@name`, `#channel` and `@here` turned into entities."""
    users = {user["name"]: user["id"] for user in space.store.all("user")}
    rooms = {room["name"]: room["id"] for room in space.store.all("channel") if room.get("is_channel")}

    def entity(found: re.Match[str]) -> str:
        mark, name = found.groups()
        if mark == "@" and name in ("here", "channel", "everyone"):
            return f"<!{name}>"
        key = (users if mark == "@" else rooms).get(name)
        if key is None:
            return found.group()
        return f"<@{key}>" if mark == "@" else f"<#{key}|{name}>"

    return NAMED.sub(entity, text)


def _custom(args: Args) -> Json:
    """The name and the face that the app asks for instead of its own."""
    made: Json = {"username": args.text("username")} if args.text("username") else {}
    if args.text("icon_emoji"):
        made["icons"] = {"emoji": f":{args.text('icon_emoji').strip(':')}:"}
    elif args.text("icon_url"):
        made["icons"] = {f"image_{size}": args.text("icon_url") for size in (36, 48, 72)}
    return made


def _need_customize(space: Workspace) -> None:
    granted = space.settings.manifest.scopes
    if granted is not None and "chat:write.customize" not in granted:
        raise SlackError("missing_scope", needed="chat:write.customize", provided=",".join(sorted(granted)))


def _markdown(args: Args) -> Json:
    if args.has("blocks") or args.text("text"):
        raise SlackError("markdown_text_conflict")
    text = args.text("markdown_text")
    if len(text) > limit("message.markdown"):
        raise SlackError("msg_too_long")
    return {"text": clean(text), "blocks": normalised([{"type": "markdown", "text": text}])}


def _attachments(attachments: list[Json]) -> list[Json]:
    if len(attachments) > limit("message.attachments"):
        raise SlackError("too_many_attachments")
    made = []
    for place, attachment in enumerate(attachments, start=1):
        blocks = attachment.get("blocks")
        problems = block_problems(blocks, "message", f"/attachments/{place - 1}/blocks") if blocks else []
        if problems:
            raise SlackError("invalid_attachments", *problems)
        parts = {"blocks": normalised(blocks)} if isinstance(blocks, list) else {}
        words = next((attachment[key] for key in ("text", "title", "pretext") if attachment.get(key)), "")
        made.append({"id": place, "fallback": words or "[no preview available]", **attachment, **parts})
    return made


def _with_picture(space: Workspace, block: Json, place: int) -> Json:
    """Give an image that names an uploaded file the address where it is found."""
    source = block.get("slack_file")
    if block["type"] != "image" or not isinstance(source, dict):
        return block
    file_id = source.get("id") or _file_in(str(source.get("url", "")))
    try:
        file = find(space, file_id)
    except SlackError:
        raise SlackError("invalid_blocks", problem("invalid slack file", f"/blocks/{place}/slack_file")) from None
    return {**block, "slack_file": {"id": file["id"], "url": file["url_private"]}, "image_url": file["url_private"]}


def _file_in(address: str) -> str:
    found = re.search(r"/files(?:-pri)?/[^/]*?(?:-|/)(F0\w+)/", address)
    return found.group(1) if found else ""
