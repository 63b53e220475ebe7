"""Files: uploaded by app and people, served safely, refused over the cap."""

import json
from collections.abc import Iterator

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from tests.bot.console.third_party import recorder
from tests.console import BOT_TOKEN, LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
MIB = 1 << 20


def with_token(url: str) -> httpx.Response:
    return httpx.get(url, headers={"authorization": f"Bearer {BOT_TOKEN}"})


def test_the_app_uploads_in_three_steps(local_slack: LocalSlack) -> None:
    """files_upload_v2 puts the file in the thread, with its comment; files.info and its bytes agree."""
    ts = local_slack.send("root")["ts"]
    answer = local_slack.web.files_upload_v2(
        channel="C0ASK", thread_ts=ts, filename="loss.png", content=PNG, title="Loss", initial_comment="the curve"
    )
    message = local_slack.messages(thread_ts=ts)[1]
    file = message["files"][0]
    assert (message["text"], file["title"], file["mimetype"], file["mode"]) == (
        "the curve",
        "Loss",
        "image/png",
        "hosted",
    )
    info = local_slack.web.files_info(file=answer["file"]["id"])["file"]
    assert (info["size"], info["channels"]) == (len(PNG), ["C0ASK"])
    assert with_token(info["url_private_download"]).content == PNG


def test_an_upload_without_a_channel_stays_private(local_slack: LocalSlack) -> None:
    """Such a file can be shown in an image block, which then has its address; an unknown one is refused."""
    file = local_slack.web.files_upload_v2(filename="a.png", content=PNG)["file"]
    assert local_slack.messages() == []
    image = {"type": "image", "alt_text": "a", "slack_file": {"id": file["id"]}}
    local_slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=[image])
    assert local_slack.messages()[0]["blocks"][0]["image_url"] == file["url_private"]
    wrong = {**image, "slack_file": {"id": "F0NONE"}}
    with pytest.raises(SlackApiError) as caught:
        local_slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=[wrong])
    assert caught.value.response["errors"] == ["invalid slack file [json-pointer:/blocks/0/slack_file]"]


def test_a_person_sends_a_file(local_slack: LocalSlack) -> None:
    """A message with a file reaches the app as file_share with the file object, and as file_shared."""
    app = recorder()
    local_slack.point_at(app.url)
    file = local_slack.upload("rows.jsonl", b'{"a": 1}\n')
    local_slack.send("@Luthier train on this", files=[file["id"]])
    events = wait_for(lambda: app.events("file_shared") and app.events("message"), what="both events")
    app.stop()
    assert (events[0]["subtype"], events[0]["files"][0]["name"]) == ("file_share", "rows.jsonl")
    assert app.events("app_mention")[0]["files"][0]["id"] == file["id"]
    assert with_token(events[0]["files"][0]["url_private_download"]).content == b'{"a": 1}\n'


def test_files_need_the_token_or_the_page(local_slack: LocalSlack) -> None:
    """Without either it is refused; the page's cookie opens it."""
    url = local_slack.upload("a.png", PNG)["url_private"]
    assert httpx.get(url).status_code == 403
    assert httpx.get(url, headers={"authorization": "Bearer xoxb-wrong"}).status_code == 403
    with httpx.Client() as browser:
        browser.get(f"{local_slack.url}/")
        assert browser.get(url).content == PNG


@pytest.mark.parametrize(
    ("name", "content", "disposition"),
    [
        ("a.png", PNG, "inline"),
        ("a.html", b"<script>alert(1)</script>", "attachment"),
        ("a.svg", b"<svg onload='alert(1)'/>", "attachment"),
        ("fake.png", b"<script>alert(1)</script>", "attachment"),
        ("a.jsonl", b"{}", "attachment"),
    ],
)
def test_only_real_pictures_are_shown(local_slack: LocalSlack, name: str, content: bytes, disposition: str) -> None:
    """What is no picture by its bytes is only ever a download, and never sniffed."""
    answer = with_token(local_slack.upload(name, content)["url_private"])
    assert answer.headers["content-disposition"].startswith(disposition)
    assert answer.headers["x-content-type-options"] == "nosniff"
    if disposition == "attachment":
        assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b.txt", 'q"uote\r\nX: y.txt', "ü λ 🎻.jsonl", "." * 300])
def test_names_cannot_escape(local_slack: LocalSlack, name: str) -> None:
    """Any name is stored by id and comes back as a harmless file name."""
    file = local_slack.upload(name, b"x")
    assert "/" not in file["name"]
    answer = with_token(file["url_private_download"])
    assert answer.status_code == 200
    assert "x" not in answer.headers


def test_the_cap_is_64_mib(local_slack: LocalSlack) -> None:
    """64 MiB is taken, a byte more is not, whoever counts; nothing of it stays."""

    def stream(size: int) -> Iterator[bytes]:
        for _ in range(size // MIB):
            yield b"x" * MIB
        yield b"x" * (size % MIB)

    params = {"user": "U0ADA", "name": "big.bin"}
    good = local_slack.http.post("/_local/upload", params=params, content=stream(64 * MIB)).json()
    assert good["file"]["size"] == 64 * MIB
    bad = local_slack.http.post("/_local/upload", params=params, content=stream(64 * MIB + 1))
    assert (bad.status_code, bad.json()["error"]) == (413, "file_upload_size_restricted")
    kept = list((local_slack.space.settings.data / "files").iterdir())
    assert [path.name for path in kept] == [good["file"]["id"]]
    with pytest.raises(SlackApiError, match="file_upload_size_restricted"):
        local_slack.web.files_getUploadURLExternal(filename="a", length=64 * MIB + 1)


def test_an_upload_address_works_once(local_slack: LocalSlack) -> None:
    """A second use and an invented ticket are refused; completing without bytes too."""
    got = local_slack.web.files_getUploadURLExternal(filename="a.txt", length=2)
    with pytest.raises(SlackApiError, match="file_not_found"):
        local_slack.web.files_completeUploadExternal(files=[{"id": got["file_id"], "title": "a"}])
    assert httpx.post(got["upload_url"], files={"file": ("a.txt", b"hi")}).text == "OK - 2"
    assert httpx.post(got["upload_url"], content=b"hi").status_code == 404
    done = local_slack.web.files_completeUploadExternal(files=[{"id": got["file_id"], "title": "a"}])
    assert with_token(done["files"][0]["url_private"]).content == b"hi"


def test_a_modal_takes_files(local_slack: LocalSlack) -> None:
    """file_input values reach the app as whole file objects; types and counts are checked."""
    app = recorder()
    local_slack.point_at(app.url)
    element = {"type": "file_input", "action_id": "rows", "filetypes": ["jsonl"], "max_files": 1}
    label = {"type": "plain_text", "text": "Rows"}
    block = {"type": "input", "block_id": "b", "label": label, "element": element}
    local_slack.command("/tune train")
    modal = {"type": "modal", "title": label, "submit": label, "blocks": [block]}
    view = local_slack.web.views_open(trigger_id=app.heard[-1].body["trigger_id"], view=modal)["view"]
    good, other = local_slack.upload("a.jsonl", b"{}"), local_slack.upload("a.exe", b"MZ")
    assert "jsonl" in local_slack.submit(view, {"rows": [other]})["errors"]["b"]
    assert "no more than 1" in local_slack.submit(view, {"rows": [good, good]})["errors"]["b"]
    assert local_slack.submit(view, {"rows": []})["response_action"] == "errors"
    assert local_slack.submit(view, {"rows": [good]}) == {"ok": True}
    app.stop()
    files = json.loads(json.dumps(app.payloads("view_submission")[0]))["view"]["state"]["values"]["b"]["rows"]["files"]
    assert files[0]["url_private_download"] == good["url_private_download"]
