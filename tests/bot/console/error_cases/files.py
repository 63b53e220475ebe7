"""Errors of files.*."""

from typing import Any

import httpx

from tests.bot.console.error_cases import Case, Json, World

MIB = 1 << 20


def reserve(world: World, name: str = "a.txt", length: int = 2) -> Any:
    """An upload address and its file id."""
    return world.slack.web.files_getUploadURLExternal(filename=name, length=length).data


def uploaded(world: World) -> str:
    """The id of a file whose bytes are there, not yet completed."""
    got = reserve(world)
    httpx.post(got["upload_url"], content=b"hi").raise_for_status()
    return str(got["file_id"])


def of_a_person(world: World) -> Json:
    """A file that Ada showed in a channel."""
    file = world.slack.upload("ada.txt", b"x")["id"]
    world.slack.send("look", files=[file])
    return {"file": file}


def deleted(world: World) -> Json:
    """A file that the app removed."""
    file = world.slack.web.files_upload_v2(filename="a.txt", content=b"x")["file"]["id"]
    world.slack.web.files_delete(file=file)
    return {"file": file}


def hidden(world: World) -> Json:
    """A file that Ada has shown to nobody."""
    return {"file": world.slack.upload("ada.txt", b"x")["id"]}


def completed(world: World) -> Json:
    """An upload that was completed before."""
    given = {"files": [{"id": uploaded(world)}]}
    world.slack.web.files_completeUploadExternal(**given)
    return given


def archived(world: World) -> str:
    """A channel that takes no more messages."""
    channel = world.channel()
    world.slack.space.store.put("channel", channel, {**world.slack.space.channel(channel), "is_archived": True})
    return channel


def complete(**more: Any) -> Any:
    """Complete an upload with these arguments; one that is a function is asked."""

    def stage(world: World) -> Json:
        asked = {name: value(world) if callable(value) else value for name, value in more.items()}
        return {"files": [{"id": uploaded(world)}], **asked}

    return stage


RESERVE, COMPLETE = "files.getUploadURLExternal", "files.completeUploadExternal"
FILE: Json = {"filename": "a.txt", "length": 5}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}

CASES = [
    Case(RESERVE, "invalid_arguments", {"filename": "a.txt"}, "missing required field: length"),
    Case(RESERVE, "invalid_arguments", {"length": 5}, "missing required field: filename"),
    Case(RESERVE, "invalid_arguments", {**FILE, "length": "many"}, "must be an integer [json-pointer:/length]"),
    Case(RESERVE, "missing_argument", {**FILE, "length": 0}),
    Case(RESERVE, "file_upload_size_restricted", {**FILE, "length": 64 * MIB + 1}),
    Case(RESERVE, "alt_txt_too_large", {**FILE, "alt_txt": "x" * 1001}),
    Case(RESERVE, "unknown_snippet_type", {**FILE, "snippet_type": "klingon"}),
    Case(RESERVE, "snippet_too_large", {**FILE, "snippet_type": "python", "length": MIB + 1}),
    Case(COMPLETE, "invalid_arguments", {}, "missing required field: files"),
    Case(COMPLETE, "file_not_found", {"files": [{"id": "F0NONE"}]}),
    Case(COMPLETE, "file_not_found", lambda world: {"files": [{"id": reserve(world)["file_id"]}]}),
    Case(COMPLETE, "file_not_found", completed),
    Case(COMPLETE, "channel_not_found", complete(channel_id="C0NONE")),
    Case(COMPLETE, "invalid_channel", complete(channels="C0ASK,C0NONE")),
    Case(COMPLETE, "channels_limit_exceeded", complete(channels=",".join(["C0ASK"] * 101))),
    Case(COMPLETE, "not_in_channel", complete(channel_id=lambda world: world.channel(joined=False))),
    Case(COMPLETE, "posting_to_channel_denied", complete(channel_id=archived)),
    Case(COMPLETE, "thread_not_found", complete(channel_id="C0ASK", thread_ts="1.000001")),
    Case(COMPLETE, "invalid_blocks", complete(channel_id="C0ASK", blocks=[{"type": "song"}]), "unsupported type: song"),
    Case(COMPLETE, "invalid_blocks_format", complete(channel_id="C0ASK", blocks="{")),
    Case(COMPLETE, "msg_blocks_too_long", complete(channel_id="C0ASK", blocks=[SECTION] * 5)),
    *(Case(name, "file_not_found", {"file": "F0NONE"}) for name in ("files.info", "files.delete")),
    *(Case(name, "file_not_found", hidden) for name in ("files.info", "files.delete")),
    *(Case(name, "file_deleted", deleted) for name in ("files.info", "files.delete")),
    *(Case(name, "invalid_arguments", {}, "missing required field: file") for name in ("files.info", "files.delete")),
    Case("files.delete", "cant_delete_file", of_a_person),
    Case("files.list", "unknown_type", {"types": "images,songs"}),
    Case("files.list", "user_not_found", {"user": "U0NONE"}),
    Case("files.list", "invalid_arguments", {"count": 1001}, "/count"),
    Case("files.list", "invalid_arguments", {"ts_from": "noon"}, "/ts_from"),
    Case("files.upload", "method_deprecated", {"content": "x", "filename": "a.txt"}),
]
