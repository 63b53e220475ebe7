"""Files: uploaded by app and people, served safely, refused over the cap."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from tests.bot.console.hand import Hand
from tests.bot.console.third_party import recorder
from tests.console import BOT_TOKEN, LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x03\x00\x00\x00\x02" + b"\x00" * 32
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
        ("a.xml", b"<a/>", "attachment"),
    ],
)
def test_only_real_pictures_are_shown(local_slack: LocalSlack, name: str, content: bytes, disposition: str) -> None:
    """What is no picture by its bytes is only ever a download, and never sniffed."""
    answer = with_token(local_slack.upload(name, content)["url_private"])
    assert answer.headers["content-disposition"].startswith(disposition)
    assert answer.headers["x-content-type-options"] == "nosniff"
    if disposition == "attachment":
        assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(("name", "kind"), [("a.jsonl", "application/jsonl"), ("a.txt", "text/plain; charset=utf-8")])
def test_what_no_browser_runs_keeps_its_type(local_slack: LocalSlack, name: str, kind: str) -> None:
    """Rows and texts come as what they are, as a download."""
    answer = with_token(local_slack.upload(name, b"{}")["url_private"])
    assert (answer.headers["content-type"], answer.headers["content-disposition"][:10]) == (kind, "attachment")


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


@pytest.mark.parametrize("how", ["post", "multipart", "put"])
def test_an_upload_address_takes_bytes_in_three_ways(local_slack: LocalSlack, how: str) -> None:
    """Raw bytes by POST or PUT and a multipart form are all taken; fewer or more bytes than announced are not."""
    got = local_slack.web.files_getUploadURLExternal(filename="a.bin", length=4)
    body = {"files": {"file": ("a.bin", b"\x00\x01\x02")}} if how == "multipart" else {"content": b"\x00\x01\x02"}
    method = "PUT" if how == "put" else "POST"
    wrong = httpx.request(method, got["upload_url"], **body)
    assert (wrong.status_code, wrong.text) == (400, "length_mismatch: 4 bytes were announced, 3 came")
    assert httpx.request(method, got["upload_url"], content=b"four").text == "OK - 4"


@pytest.mark.parametrize(("late", "status"), [(86_400, 200), (86_401, 404)])
def test_an_upload_address_is_good_for_a_day(tmp_path: Path, late: float, status: int) -> None:
    """A day after it was made the address still works, a second later not."""
    hand = Hand()
    slack = LocalSlack(tmp_path, now=hand)
    try:
        url = slack.web.files_getUploadURLExternal(filename="a.txt", length=2)["upload_url"]
        hand.seconds += late
        assert httpx.post(url, content=b"hi").status_code == status
    finally:
        slack.stop()


def test_what_completion_knows_and_what_comes_later(local_slack: LocalSlack) -> None:
    """The answer of completion has neither type nor shares yet, as Slack processes files late; files.info has them."""
    got = local_slack.web.files_getUploadURLExternal(filename="loss.png", length=len(PNG), alt_txt="a falling curve")
    httpx.post(got["upload_url"], content=PNG)
    done = local_slack.web.files_completeUploadExternal(files=[{"id": got["file_id"]}], channels=["C0ASK", "U0BEN"])
    early, late = done["files"][0], local_slack.web.files_info(file=got["file_id"])["file"]
    assert (early["mimetype"], early["shares"], early["title"]) == ("", {}, "loss.png")
    assert (late["mimetype"], late["channels"], late["ims"]) == ("image/png", ["C0ASK"], ["D0BEN"])
    assert (late["original_w"], late["original_h"], late["alt_txt"]) == (3, 2, "a falling curve")
    share = late["shares"]["public"]["C0ASK"][0]
    assert (share["ts"], share["channel_name"]) == (local_slack.messages()[0]["ts"], "ask-luthier")


def test_a_comment_stands_before_blocks(local_slack: LocalSlack) -> None:
    """With an initial comment the blocks are ignored; without one they are the message."""
    for comment, shown in (("see", None), ("", ["divider"])):
        got = local_slack.web.files_getUploadURLExternal(filename="a.txt", length=2)
        httpx.post(got["upload_url"], content=b"hi")
        more = {"initial_comment": comment} if comment else {}
        local_slack.web.files_completeUploadExternal(
            files=[{"id": got["file_id"]}], channel_id="C0ASK", blocks=json.dumps([{"type": "divider"}]), **more
        )
        message = local_slack.messages()[-1]
        assert (message["text"], message.get("blocks") and [each["type"] for each in message["blocks"]]) == (
            comment,
            shown,
        )


def test_snippets_carry_their_text(local_slack: LocalSlack) -> None:
    """A snippet is editable text of its type, with lines and preview; files.info has the whole of it."""
    code = "\n".join(f"print({number})" for number in range(400))
    answer = local_slack.web.files_upload_v2(filename="a.py", content=code, snippet_type="python", channel="C0ASK")
    info = local_slack.web.files_info(file=answer["file"]["id"])
    file = info["file"]
    assert (file["mode"], file["filetype"], file["editable"], file["lines"]) == ("snippet", "python", True, 400)
    assert file["preview_is_truncated"]
    assert file["lines_more"] == 400 - (file["preview"].count("\n") + 1)
    assert info["content"] == code


def test_lists_files_that_the_app_may_see(local_slack: LocalSlack) -> None:
    """files.list pages by number, filters by type, user, channel and time, and leaves out what nobody showed."""
    mine = [local_slack.web.files_upload_v2(filename=f"{n}.txt", content="x")["file"]["id"] for n in range(3)]
    shown, hidden = local_slack.upload("a.png", PNG), local_slack.upload("b.png", PNG)
    local_slack.send("look", files=[shown["id"]])

    def listed(**filters: Any) -> Any:
        return {file["id"] for file in local_slack.web.files_list(**filters)["files"]}

    assert listed() == {*mine, shown["id"]}
    assert hidden["id"] not in listed()
    assert listed(types="images") == listed(user="U0ADA") == listed(channel="C0ASK") == {shown["id"]}
    assert listed(types="images,zips", ts_to=str(shown["created"] - 1)) == set()
    assert listed(ts_from=str(shown["created"])) >= {shown["id"]}
    last = local_slack.web.files_list(count=3, page=2)
    assert (len(last["files"]), last["paging"]) == (1, {"count": 3, "total": 4, "page": 2, "pages": 2})


def test_a_deleted_file_leaves_a_tombstone(local_slack: LocalSlack) -> None:
    """The message keeps its place with a tombstone, the bytes are gone, the app hears where the file had been."""
    app = recorder()
    local_slack.point_at(app.url)
    file = local_slack.web.files_upload_v2(filename="a.txt", content="x", channel="C0ASK")["file"]
    url = local_slack.web.files_info(file=file["id"])["file"]["url_private"]
    local_slack.web.files_delete(file=file["id"])
    event = wait_for(lambda: app.events("file_deleted"), what="the event")[0]
    app.stop()
    assert (event["file_id"], event["channel_ids"]) == (file["id"], ["C0ASK"])
    assert local_slack.messages()[0]["files"] == [{"id": file["id"], "mode": "tombstone"}]
    assert with_token(url).status_code == 404
    assert file["id"] not in [each["id"] for each in local_slack.web.files_list()["files"]]


def test_the_app_hears_of_files(local_slack: LocalSlack) -> None:
    """Creation, change of title, first showing in public and every sharing are events of Slack's shapes."""
    app = recorder()
    local_slack.point_at(app.url)
    file = local_slack.web.files_upload_v2(filename="a.txt", title="A", content="x", channel="C0ASK")["file"]["id"]
    kinds = ("file_created", "file_change", "file_public", "file_shared")
    wait_for(lambda: all(app.events(kind) for kind in kinds), what="four events")
    app.stop()
    for kind in kinds:
        event = app.events(kind)[0]
        assert {"type", "file_id", "user_id", "file", "event_ts"} <= event.keys()
        assert (event["file_id"], event["file"], event["user_id"]) == (file, {"id": file}, "U0LUTHIER")
    assert app.events("file_shared")[0]["channel_id"] == "C0ASK"
