"""Turns what an app sends into a message body, with Slack's checks of text, blocks and metadata. Stores nothing."""

import json
import re
from typing import Any

from bot.console.blocks import block_problems, normalised, text_of
from bot.console.files import find
from bot.console.limits import limit
from bot.console.schema import problem
from bot.console.seed import FOUNDED
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
ANGLE = re.compile(r"<(?![@#!]|https?:|mailto:|tel:|slack:)")
BARE_URL = re.compile(r"(?<![<|\w/`])https?://[^\s<>|`]+[^\s<>|`.,;:!?)\]}'\"]")


def content(space: Workspace, args: Args, *, may_be_empty: bool = False) -> Json:
    """`text`, `blocks`, `attachments` and `metadata` of a message. Raises Slack's errors for what it refuses."""
    if args.text("markdown_text"):
        body = _markdown(args)
    else:
        body = {"text": clean(args.text("text")[: limit("message.text_kept")])}
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
    """Who posted, as every message of the app carries it."""
    who = space.who
    profile = {
        "id": who.bot_id,
        "app_id": who.app_id,
        "user_id": who.bot_user,
        "name": args.text("username") or who.app_name,
        "icons": {"emoji": args.text("icon_emoji")} if args.text("icon_emoji") else {},
        "deleted": False,
        "updated": FOUNDED,
        "team_id": who.team_id,
    }
    custom = {"username": args.text("username")} if args.text("username") else {}
    ids = {"user": who.bot_user, "bot_id": who.bot_id, "app_id": who.app_id, "team": who.team_id}
    return {**ids, **custom, "bot_profile": profile}


def clean(text: str) -> str:
    """Escape what is no Slack entity, and make bare addresses links, as Slack does."""
    escaped = ANGLE.sub("&lt;", ENTITY.sub("&amp;", text))
    return BARE_URL.sub(lambda found: f"<{found.group()}>", escaped)


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
        made.append({"id": place, "fallback": "[no preview available]", **attachment, **parts})
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
