"""What apps may say: names and faces, mentions by name, previews, messages for later, links to messages."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.console.manifest import Manifest
from tests.bot.console.hand import Hand
from tests.console import BOT_TOKEN, LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]


def sent(slack: LocalSlack, **arguments: Any) -> Any:
    """The message of a post in the app's channel."""
    return slack.web.chat_postMessage(**{"channel": "C0ASK", "text": "x", **arguments})["message"]


def test_a_message_has_the_shape_of_slack(local_slack: LocalSlack) -> None:
    """The answer's message carries who posted, as recorded answers of Slack do."""
    message = sent(local_slack)
    assert set(message) == {"type", "user", "text", "ts", "bot_id", "app_id", "team", "bot_profile"}
    profile = {"id", "app_id", "user_id", "name", "icons", "deleted", "updated", "team_id"}
    assert set(message["bot_profile"]) == profile
    assert message["ts"].partition(".")[0].isdigit()


def test_a_name_of_its_own_makes_a_bot_message(local_slack: LocalSlack) -> None:
    """With username or icon the message is a bot_message without user; it can still be changed."""
    message = sent(local_slack, username="Ann", icon_emoji="robot_face", icon_url="https://x.example/a.png")
    assert (message["subtype"], message["username"], message["icons"]) == (
        "bot_message",
        "Ann",
        {"emoji": ":robot_face:"},
    )
    assert "user" not in message
    assert local_slack.web.chat_update(channel="C0ASK", ts=message["ts"], text="y")["message"]["username"] == "Ann"
    pictured = sent(local_slack, icon_url="https://x.example/a.png")
    assert (pictured["username"], pictured["icons"]["image_48"]) == ("Luthier", "https://x.example/a.png")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"text": "@ada and #general"}, "@ada and #general"),
        (
            {"text": "@ada, #general, @here @nobody", "link_names": True},
            "<@U0ADA>, <#C0GENERAL|general>, <!here> @nobody",
        ),
        ({"text": "@ada mail@ben.example", "parse": "full"}, "<@U0ADA> mail@ben.example"),
        ({"text": "see https://x.y/z"}, "see <https://x.y/z>"),
        ({"text": "see https://x.y/z", "parse": "none"}, "see https://x.y/z"),
        ({"text": "<https://x.y/@ada|@ada>", "link_names": "1"}, "<https://x.y/@ada|@ada>"),
    ],
)
def test_text_is_read_as_parse_wants(local_slack: LocalSlack, arguments: Any, text: str) -> None:
    """link_names and parse=full link people and channels; parse=none leaves addresses alone."""
    assert sent(local_slack, **arguments)["text"] == text


def test_markup_can_be_switched_off(local_slack: LocalSlack) -> None:
    """mrkdwn=false is kept on the message, and unfurl flags and unknown arguments are taken without a word."""
    assert sent(local_slack, mrkdwn=False)["mrkdwn"] is False
    assert "mrkdwn" not in sent(local_slack, unfurl_links=False, unfurl_media="false", as_user=True, nonsense=1)


@pytest.mark.parametrize("how", ["query", "form", "json", "multipart"])
def test_arguments_arrive_in_any_of_four_ways(local_slack: LocalSlack, how: str) -> None:
    """Query, form, JSON and multipart say the same thing; so do the spellings of true."""
    root = sent(local_slack)["ts"]
    flag = {"query": "true", "form": "1", "json": True, "multipart": "True"}[how]
    given = {"channel": "C0ASK", "text": how, "thread_ts": root, "reply_broadcast": flag}
    ways: dict[str, Any] = {
        "query": {"params": given},
        "form": {"data": given},
        "json": {"json": given},
        "multipart": {"files": {key: (None, str(value)) for key, value in given.items()}},
    }
    headers = {"authorization": f"Bearer {BOT_TOKEN}"}
    answer = httpx.post(f"{local_slack.url}/api/chat.postMessage", headers=headers, **ways[how]).json()
    assert (answer["message"]["text"], answer["message"]["subtype"]) == (how, "thread_broadcast")
    assert answer["message"]["root"]["ts"] == root


def test_attachments_get_ids_and_fallbacks(local_slack: LocalSlack) -> None:
    """Each attachment is numbered and can be read as one line."""
    made = sent(local_slack, attachments=[{"text": "a", "color": "good"}, {"blocks": [{"type": "divider"}]}])
    assert [(each["id"], each["fallback"]) for each in made["attachments"]] == [(1, "a"), (2, "[no preview available]")]
    assert made["attachments"][1]["blocks"][0]["block_id"]


def test_public_channels_are_open_to_chat_write_public(tmp_path: Path) -> None:
    """With chat:write.public the app posts where it is no member; a private channel stays unknown to it."""
    slack = LocalSlack(tmp_path, manifest=Manifest(scopes=frozenset({"chat:write", "chat:write.public"})))
    try:
        public = slack.act("create_channel", user="U0ADA", name="loud")["channel"]["id"]
        private = slack.act("create_channel", user="U0ADA", name="quiet", private=True)["channel"]["id"]
        assert slack.web.chat_postMessage(channel="#loud", text="x")["channel"] == public
        body = {"channel": private, "text": "x", "token": BOT_TOKEN}
        assert slack.http.post("/api/chat.postMessage", data=body).json()["error"] == "channel_not_found"
    finally:
        slack.stop()


def test_says_what_it_does(local_slack: LocalSlack) -> None:
    """chat.meMessage posts a me_message of the app."""
    ts = local_slack.web.chat_meMessage(channel="C0ASK", text="waves")["ts"]
    message = local_slack.messages()[-1]
    assert (message["ts"], message["subtype"], message["bot_id"]) == (ts, "me_message", "B0LUTHIER")


def test_updates_files_and_broadcasts(local_slack: LocalSlack) -> None:
    """chat.update can name files and show a reply in the channel too."""
    file_id = local_slack.upload("a.txt", b"hi")["id"]
    root = sent(local_slack)["ts"]
    reply = sent(local_slack, thread_ts=root)["ts"]
    where = {"channel": "C0ASK", "ts": reply, "text": "y"}
    message = local_slack.web.chat_update(**where, file_ids=[file_id], reply_broadcast=True)["message"]
    assert ([file["id"] for file in message["files"]], message["subtype"]) == ([file_id], "thread_broadcast")
    assert [each["ts"] for each in local_slack.messages()] == [root, reply]


def test_previews_are_attached_to_links(local_slack: LocalSlack) -> None:
    """chat.unfurl adds one attachment for each link, and replaces it when it comes again."""
    ts = local_slack.send("see https://x.example/a?b=1&c=2")["ts"]
    for text in ("first", "second"):
        unfurls = {"https://x.example/a?b=1&c=2": {"text": text}}
        local_slack.web.chat_unfurl(channel="C0ASK", ts=ts, unfurls=unfurls)
    preview = local_slack.messages()[-1]["attachments"]
    assert [(each["id"], each["text"], each["is_app_unfurl"]) for each in preview] == [(1, "second", True)]
    local_slack.web.chat_unfurl(
        channel="C0ASK", ts=ts, unfurls={}, user_auth_required=True, user_auth_url="https://x.example/in"
    )
    asked = local_slack.messages()[-1]
    assert asked["is_ephemeral"]
    assert "https://x.example/in" in asked["text"]
    assert not any(message.get("is_ephemeral") for message in local_slack.messages(user="U0BEN"))


def test_messages_wait_for_their_time(tmp_path: Path) -> None:
    """A scheduled message is posted when due, also by a server that was restarted meanwhile; one taken back is not."""
    clock = Hand()
    first = LocalSlack(tmp_path, now=clock)
    post_at = int(clock()) + 600
    kept = first.web.chat_scheduleMessage(channel="C0ASK", text="later", post_at=str(post_at))
    assert (kept["post_at"], kept["message"]["type"]) == (post_at, "delayed_message")
    other = first.web.chat_scheduleMessage(channel="C0TUNING", text="never", post_at=post_at)["scheduled_message_id"]
    listed = first.web.chat_scheduledMessages_list(channel="C0ASK")["scheduled_messages"]
    assert [set(each) for each in listed] == [{"id", "channel_id", "post_at", "date_created", "text"}]
    assert first.web.chat_scheduledMessages_list(latest=post_at - 1)["scheduled_messages"] == []
    first.web.chat_deleteScheduledMessage(channel="C0TUNING", scheduled_message_id=other)
    first.stop()
    second = LocalSlack(tmp_path, now=clock)
    try:
        clock.seconds += 599
        time.sleep(0.6)
        assert second.messages() == []
        clock.seconds += 1
        assert second.wait_message("later", timeout=3)["bot_id"] == "B0LUTHIER"
        assert second.messages("C0TUNING") == []
        assert second.web.chat_scheduledMessages_list()["scheduled_messages"] == []
    finally:
        second.stop()


def test_direct_messages_open_again_when_written_to(local_slack: LocalSlack) -> None:
    """A closed direct message says so once more, and a post to the person opens it."""
    web = local_slack.web
    assert "no_op" not in web.conversations_close(channel="D0BEN").data
    assert web.conversations_close(channel="D0BEN")["already_closed"]
    assert web.conversations_info(channel="D0BEN")["channel"]["is_open"] is False
    web.chat_postMessage(channel="U0BEN", text="x")
    assert web.conversations_info(channel="D0BEN")["channel"]["is_open"] is True


def test_links_lead_only_where_the_app_may_look(local_slack: LocalSlack) -> None:
    """No permalink of a private channel, none of a message that only one person sees."""
    private = local_slack.act("create_channel", user="U0ADA", name="quiet", private=True)["channel"]["id"]
    ts = local_slack.send("x", channel=private)["ts"]
    hidden = local_slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text="x")["message_ts"]
    errors = []
    for channel, message_ts in ((private, ts), ("C0ASK", hidden)):
        params = {"channel": channel, "message_ts": message_ts, "token": BOT_TOKEN}
        errors.append(local_slack.http.post("/api/chat.getPermalink", data=params).json()["error"])
    assert errors == ["channel_not_found", "message_not_found"]


def test_waits_are_told_by_the_clock_of_the_server(local_slack: LocalSlack) -> None:
    """A message for the next seconds is there a moment later, without any help."""
    local_slack.web.chat_scheduleMessage(channel="D0ADA", text="soon", post_at=int(time.time()) + 2)
    assert wait_for(lambda: local_slack.messages("D0ADA"), what="the message")[0]["text"] == "soon"
