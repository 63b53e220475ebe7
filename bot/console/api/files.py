"""files.*: the two-step upload and what is known of a file. files.py and uploads.py of the console keep the bytes."""

from bot.console import files, messages, uploads
from bot.console.api.chat import clear_status
from bot.console.api.registry import method
from bot.console.drafts import checked_blocks, clean, signature
from bot.console.file_kinds import FILTERS
from bot.console.limits import limit, limits
from bot.console.wire import Args, Json, SlackError, missing
from bot.console.workspace import Workspace

WRITE, READ = ("files:write",), ("files:read",)
MOST = 1000
"""Files on one page of files.list."""
UPLOAD_ERRORS = ("missing_argument", "file_upload_size_restricted", "alt_txt_too_large")
SNIPPET_ERRORS = ("unknown_snippet_type", "snippet_too_large")
SHARE_ERRORS = ("channel_not_found", "invalid_channel", "not_in_channel", "posting_to_channel_denied")
COMPLETE_ERRORS = ("file_not_found", "channels_limit_exceeded", "thread_not_found", *SHARE_ERRORS)
BLOCK_ERRORS = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long")


@method("files.getUploadURLExternal", scopes=WRITE, errors=(*UPLOAD_ERRORS, *SNIPPET_ERRORS), tier="tier_4")
def get_upload_url(space: Workspace, args: Args) -> Json:
    """Make a file record and the address that takes its bytes."""
    name, alt_txt, snippet = args.need("filename"), args.text("alt_txt"), args.text("snippet_type")
    if not args.has("length"):
        raise missing("length")
    length = args.number("length", 0, 0, 1 << 40)
    if not length:
        raise SlackError("missing_argument", "length must be more than 0")
    if length > limit("file.bytes"):
        raise SlackError("file_upload_size_restricted")
    if len(alt_txt) > limit("file.alt_txt"):
        raise SlackError("alt_txt_too_large")
    if snippet and snippet not in limits()["file"]["snippet_types"].split():
        raise SlackError("unknown_snippet_type")
    if snippet and length > limit("file.snippet_bytes"):
        raise SlackError("snippet_too_large")
    file = files.new_file(space, name, space.who.bot_user, alt_txt=alt_txt, snippet_type=snippet)
    return {"upload_url": uploads.reserve(space, file, length), "file_id": file["id"]}


@method("files.completeUploadExternal", scopes=WRITE, errors=(*COMPLETE_ERRORS, *BLOCK_ERRORS), tier="tier_4")
def complete_upload(space: Workspace, args: Args) -> Json:
    """Finish uploads and, where a channel is named, show the files there in one message."""
    given = args.records("files")
    if not given:
        raise missing("files")
    targets = _targets(space, args)
    blocks = None if args.text("initial_comment") else checked_blocks(space, args)
    ids = [str(entry.get("id", "")) for entry in given]
    for entry, file_id in zip(given, ids, strict=True):
        files.finish(space, file_id, str(entry.get("title") or ""), str(entry.get("highlight_type") or ""))
    answer = [_unprocessed(files.find(space, file_id)) for file_id in ids]
    for channel in targets:
        _share(space, args, channel, blocks, ids)
    return {"files": answer}


@method("files.info", scopes=READ, errors=("file_not_found", "file_deleted"), tier="tier_4")
def files_info(space: Workspace, args: Args) -> Json:
    """One file."""
    file = files.find_for_app(space, args.need("file"))
    answer: Json = {"file": file, "comments": [], "response_metadata": {"next_cursor": ""}}
    if file["mode"] == "snippet":
        text = files.path_of(space, file["id"]).read_bytes().decode("utf-8", "replace")
        answer |= {"content": text, "is_truncated": False}
    return answer


@method("files.list", scopes=READ, errors=("user_not_found", "unknown_type"))
def files_list(space: Workspace, args: Args) -> Json:
    """Files that the app may see, the newest first."""
    kinds = [kind for kind in (args.text("types") or "all").replace(" ", "").split(",") if kind]
    if not set(kinds) <= FILTERS.keys():
        raise SlackError("unknown_type")
    user, channel = args.text("user"), args.text("channel")
    if user:
        space.user(user)
    count, number = args.number("count", 100, 1, MOST), args.number("page", 1, 1, 1 << 31)
    found = [
        file
        for file in files.all_for_app(space)
        if any(FILTERS[kind](file) for kind in kinds)
        and user in ("", file["user"])
        and (not channel or channel in (*file["channels"], *file["groups"], *file["ims"]))
        and _moment(args, "ts_from", 0.0) <= file["created"] <= _moment(args, "ts_to", float("inf"))
    ]
    paging = {"count": count, "total": len(found), "page": number, "pages": -(-len(found) // count)}
    return {"files": found[(number - 1) * count : number * count], "paging": paging}


@method("files.delete", scopes=WRITE, errors=("file_not_found", "file_deleted", "cant_delete_file"))
def files_delete(space: Workspace, args: Args) -> Json:
    """Remove one of the app's files, bytes and all; a tombstone stays in messages."""
    file = files.find_for_app(space, args.need("file"))
    if file["user"] != space.who.bot_user:
        raise SlackError("cant_delete_file")
    files.remove(space, file["id"])
    for channel_id, ts in files.shown_in(space, file["id"]):
        row = space.store.message(channel_id, ts)
        if row:
            messages.repaint(space, row)
    return {}


@method("files.upload", scopes=WRITE, errors=("method_deprecated",))
def files_upload(space: Workspace, args: Args) -> Json:
    """Refuse: Slack has retired this method for the two-step upload."""
    raise SlackError("method_deprecated")


def _moment(args: Args, name: str, default: float) -> float:
    try:
        return float(args.text(name) or default)
    except ValueError:
        raise SlackError("invalid_arguments", f"must be a number [json-pointer:/{name}]") from None


def _unprocessed(file: Json) -> Json:
    """What Slack knows when an upload has just ended: type and shares of a file come a little later, in files.info."""
    return {**file, "mimetype": "", "filetype": "", "pretty_type": ""}


def _targets(space: Workspace, args: Args) -> list[Json]:
    """The channels to show the files in; everything is checked before anything is done."""
    several = [target for target in args.text("channels").replace(" ", "").split(",") if target]
    if len(several) > limit("file.share_channels"):
        raise SlackError("channels_limit_exceeded")
    found = [space.channel(args.text("channel_id"))] if args.text("channel_id") else []
    for target in several:
        try:
            found.append(space.channel_for(target))
        except SlackError:
            raise SlackError("invalid_channel") from None
    for channel in found:
        if not space.store.is_member(channel["id"], space.who.bot_user):
            raise SlackError("not_in_channel")
        if channel.get("is_archived"):
            raise SlackError("posting_to_channel_denied")
        messages.thread_root(space, channel["id"], args.text("thread_ts"))
    return found


def _share(space: Workspace, args: Args, channel: Json, blocks: list[Json] | None, ids: list[str]) -> None:
    thread_ts = args.text("thread_ts") or None
    body = {**signature(space, args), "subtype": "file_share", "upload": False, "file_ids": ids}
    body["text"] = clean(args.text("initial_comment"))
    if blocks:
        body["blocks"] = blocks
    draft = messages.Draft(channel=channel, author=space.who.bot_user, body=body, thread_ts=thread_ts, raw=args.values)
    message = messages.post(space, draft)
    root = message.get("thread_ts")
    clear_status(space, channel["id"], root)
    for file_id in ids:
        files.share(space, file_id, channel, message["ts"], root)
