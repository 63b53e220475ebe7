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
    """A file that Ada uploaded."""
    return {"file": world.slack.upload("ada.txt", b"x")["id"]}


def shared_in(channel: str) -> Any:
    """Complete an upload into this channel."""
    return lambda world: {"files": [{"id": uploaded(world)}], "channel_id": channel}


def not_a_member(world: World) -> Json:
    """Complete an upload into a channel that the app left."""
    return {"files": [{"id": uploaded(world)}], "channel_id": world.channel(joined=False)}


CASES = [
    Case("files.getUploadURLExternal", "invalid_arguments", {"filename": "a.txt"}, "missing required field: length"),
    Case("files.getUploadURLExternal", "file_upload_size_restricted", {"filename": "a", "length": 64 * MIB + 1}),
    Case("files.completeUploadExternal", "invalid_arguments", {}, "missing required field: files"),
    Case(
        "files.completeUploadExternal", "file_not_found", lambda world: {"files": [{"id": reserve(world)["file_id"]}]}
    ),
    Case("files.completeUploadExternal", "channel_not_found", shared_in("C0NONE")),
    Case("files.info", "file_not_found", {"file": "F0NONE"}),
    Case("files.delete", "file_not_found", {"file": "F0NONE"}),
    Case("files.delete", "cant_delete_file", of_a_person),
]
