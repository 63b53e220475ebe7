"""files.*: the two-step upload and what is known of a file. files.py of the console keeps the bytes."""

from bot.console import files, messages
from bot.console.api.chat import clear_status
from bot.console.api.registry import method
from bot.console.drafts import checked_blocks, clean, signature
from bot.console.limits import limit
from bot.console.wire import Args, Json, SlackError, missing
from bot.console.workspace import Workspace


@method("files.getUploadURLExternal", scopes=("files:write",), errors=("file_upload_size_restricted",))
def get_upload_url(space: Workspace, args: Args) -> Json:
    """Make a file record and the address that takes its bytes."""
    name = args.need("filename")
    if not args.has("length"):
        raise missing("length")
    length = args.number("length", 0, 1, 1 << 40)
    if length > limit("file.bytes"):
        raise SlackError("file_upload_size_restricted")
    if args.text("snippet_type") and length > limit("file.snippet_bytes"):
        raise SlackError("snippet_too_large")
    file = files.new_file(space, name, space.who.bot_user, alt_txt=args.text("alt_txt"))
    ticket = space.clock.trigger()
    space.store.put("upload", ticket, {"file": file["id"], "length": length, "made": space.clock.now()})
    return {"upload_url": f"{space.settings.address}/upload/v1/{ticket}", "file_id": file["id"]}


@method("files.completeUploadExternal", scopes=("files:write",), errors=("file_not_found", "channel_not_found"))
def complete_upload(space: Workspace, args: Args) -> Json:
    """Finish uploads and, where a channel is named, show the files there in one message."""
    given = args.records("files")
    if not given:
        raise missing("files")
    ids = [_finish(space, entry) for entry in given]
    for target in _targets(args):
        _share(space, args, space.channel_for(target), ids)
    return {"files": [files.find(space, file_id) for file_id in ids]}


@method("files.info", scopes=("files:read",), errors=("file_not_found",))
def files_info(space: Workspace, args: Args) -> Json:
    """One file."""
    file = files.find(space, args.need("file"))
    return {"file": file, "comments": [], "response_metadata": {"next_cursor": ""}}


@method("files.delete", scopes=("files:write",), errors=("file_not_found", "cant_delete_file"))
def files_delete(space: Workspace, args: Args) -> Json:
    """Remove one of the app's files, bytes and all."""
    file = files.find(space, args.need("file"))
    if file["user"] != space.who.bot_user:
        raise SlackError("cant_delete_file")
    space.store.drop("file", file["id"])
    files.path_of(space, file["id"]).unlink(missing_ok=True)
    return {}


def _finish(space: Workspace, entry: Json) -> str:
    file_id = str(entry.get("id", ""))
    record = space.store.get("file", file_id)
    if record is None or record["state"] == "waiting":
        raise SlackError("file_not_found", f"file {file_id} has no bytes yet")
    space.store.put("file", file_id, {**record, "title": entry.get("title") or record["title"], "state": "finished"})
    return file_id


def _targets(args: Args) -> list[str]:
    named = args.text("channel_id") or args.text("channels")
    return [target for target in named.split(",") if target]


def _share(space: Workspace, args: Args, channel: Json, ids: list[str]) -> None:
    if not space.store.is_member(channel["id"], space.who.bot_user):
        raise SlackError("not_in_channel")
    thread_ts = args.text("thread_ts") or None
    root = messages.thread_root(space, channel["id"], thread_ts)
    blocks = checked_blocks(space, args)
    body = {**signature(space, args), "subtype": "file_share", "upload": False, "file_ids": ids}
    body["text"] = clean(args.text("initial_comment"))
    if blocks:
        body["blocks"] = blocks
    draft = messages.Draft(channel=channel, author=space.who.bot_user, body=body, thread_ts=thread_ts, raw=args.values)
    message = messages.post(space, draft)
    clear_status(space, channel["id"], root)
    for file_id in ids:
        files.share(space, file_id, channel, message["ts"], root)
