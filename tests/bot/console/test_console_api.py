"""The Web API of the local Slack, driven by Slack's own client."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.console.manifest import Manifest
from tests.console import LocalSlack, local_slack

__all__ = ["local_slack"]


def refusal(call: Any, **arguments: Any) -> Any:
    """The answer of a call that must fail."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value.response.data


def test_says_who_the_app_is(local_slack: LocalSlack) -> None:
    """auth.test names the team, the bot user and the bot."""
    me = local_slack.web.auth_test()
    assert (me["team_id"], me["user_id"], me["bot_id"]) == ("T0NORTHWIND", "U0LUTHIER", "B0LUTHIER")


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-wrong", "invalid_auth"), ("xoxb-lökal", "invalid_auth"), ("", "not_authed")]
)
def test_refuses_tokens_that_are_wrong(local_slack: LocalSlack, token: str, error: str) -> None:
    """A wrong token and a missing one get Slack's own errors."""
    answer = httpx.post(f"{local_slack.url}/api/auth.test", data={"token": token} if token else {})
    assert answer.json() == {"ok": False, "error": error}


def test_takes_the_token_as_a_parameter_too(local_slack: LocalSlack) -> None:
    """A form field `token` works like the header."""
    assert httpx.post(f"{local_slack.url}/api/auth.test", data={"token": local_slack.bot_token}).json()["ok"]


def test_names_methods_that_do_not_exist(local_slack: LocalSlack) -> None:
    """An unknown method is an answer, not a 404 page."""
    assert refusal(local_slack.web.api_call, api_method="chat.sing")["error"] == "unknown_method"


def test_needs_a_scope_of_the_manifest(tmp_path: Path) -> None:
    """A method outside the manifest's scopes says which scope it needs."""
    slack = LocalSlack(tmp_path, manifest=Manifest(scopes=frozenset({"chat:write"})))
    try:
        answer = refusal(slack.web.reactions_add, channel="C0ASK", timestamp="1.2", name="eyes")
        assert (answer["error"], answer["needed"], answer["provided"]) == (
            "missing_scope",
            "reactions:write",
            "chat:write",
        )
        assert slack.web.chat_postMessage(channel="C0ASK", text="fine")["ok"]
    finally:
        slack.stop()


@pytest.mark.parametrize("target", ["C0ASK", "#ask-luthier", "ask-luthier", "U0BEN"])
def test_posts_by_id_name_or_person(local_slack: LocalSlack, target: str) -> None:
    """chat.postMessage takes a channel id, a name, or a person whose direct message it opens."""
    answer = local_slack.web.chat_postMessage(channel=target, text="hello")
    assert answer["channel"] == ("D0BEN" if target == "U0BEN" else "C0ASK")
    assert answer["message"]["bot_id"] == "B0LUTHIER"
    seen = local_slack.messages(answer["channel"], user="U0BEN")
    assert [message["text"] for message in seen] == ["hello"]


def test_keeps_threads_counted(local_slack: LocalSlack) -> None:
    """A parent counts its replies and names the latest; a reply to a reply goes to the same thread."""
    parent = local_slack.web.chat_postMessage(channel="C0ASK", text="root")["ts"]
    first = local_slack.web.chat_postMessage(channel="C0ASK", text="one", thread_ts=parent)["ts"]
    second = local_slack.send("two", thread_ts=first)
    thread = local_slack.web.conversations_replies(channel="C0ASK", ts=parent)["messages"]
    assert [message["text"] for message in thread] == ["root", "one", "two"]
    assert (thread[0]["reply_count"], thread[0]["latest_reply"]) == (2, second["ts"])
    assert set(thread[0]["reply_users"]) == {"U0LUTHIER", "U0ADA"}
    assert {message.get("thread_ts") for message in thread} == {parent}
    assert thread[2]["parent_user_id"] == "U0LUTHIER"
    assert [message["text"] for message in local_slack.messages()] == ["root"]


def test_broadcasts_a_reply(local_slack: LocalSlack) -> None:
    """A reply with reply_broadcast stands in the channel too."""
    parent = local_slack.web.chat_postMessage(channel="C0ASK", text="root")["ts"]
    local_slack.web.chat_postMessage(channel="C0ASK", text="loud", thread_ts=parent, reply_broadcast=True)
    assert [message.get("subtype") for message in local_slack.messages()] == [None, "thread_broadcast"]


def test_an_update_without_blocks_removes_them(local_slack: LocalSlack) -> None:
    """Text alone replaces text and blocks and marks the message edited; blocks alone do not mark it."""
    blocks = [{"type": "divider"}]
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="a", blocks=blocks)["ts"]
    local_slack.web.chat_update(channel="C0ASK", ts=ts, text="b", blocks=[*blocks, *blocks])
    assert "edited" not in local_slack.messages()[0]
    local_slack.web.chat_update(channel="C0ASK", ts=ts, text="c")
    message = local_slack.messages()[0]
    assert (message["text"], "blocks" in message, message["edited"]["user"]) == ("c", False, "U0LUTHIER")


def test_returns_metadata_only_when_asked(local_slack: LocalSlack) -> None:
    """Metadata is kept, also through an update that does not name it, and shown with include_all_metadata."""
    metadata = {"event_type": "job", "event_payload": {"key": "k1"}}
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="a", metadata=metadata)["ts"]
    local_slack.web.chat_update(channel="C0ASK", ts=ts, text="b")
    plain = local_slack.web.conversations_history(channel="C0ASK")["messages"][0]
    full = local_slack.web.conversations_history(channel="C0ASK", include_all_metadata=True)["messages"][0]
    assert ("metadata" in plain, full["metadata"]) == (False, metadata)
    local_slack.web.chat_update(channel="C0ASK", ts=ts, text="b", metadata={})
    bare = local_slack.web.conversations_history(channel="C0ASK", include_all_metadata=True)["messages"][0]
    assert "metadata" not in bare


def test_deletes_only_its_own_messages(local_slack: LocalSlack) -> None:
    """The app may remove and change what it posted, not what people wrote."""
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="a")["ts"]
    local_slack.web.chat_delete(channel="C0ASK", ts=ts)
    assert local_slack.messages() == []
    mine = local_slack.send("mine")["ts"]
    assert refusal(local_slack.web.chat_delete, channel="C0ASK", ts=mine)["error"] == "cant_delete_message"
    assert refusal(local_slack.web.chat_update, channel="C0ASK", ts=mine, text="x")["error"] == "cant_update_message"
    assert refusal(local_slack.web.chat_delete, channel="C0ASK", ts=ts)["error"] == "message_not_found"


def test_a_deleted_parent_leaves_a_tombstone(local_slack: LocalSlack) -> None:
    """Replies stay readable after their parent is gone."""
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="root")["ts"]
    local_slack.web.chat_postMessage(channel="C0ASK", text="reply", thread_ts=ts)
    local_slack.web.chat_delete(channel="C0ASK", ts=ts)
    assert [message.get("subtype") for message in local_slack.messages(thread_ts=ts)] == ["tombstone", None]


def test_ephemeral_messages_are_for_one_person(local_slack: LocalSlack) -> None:
    """Only the named person's page shows it, flagged; the API's history has none of it."""
    local_slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text="psst")
    assert [message["is_ephemeral"] for message in local_slack.messages(user="U0ADA")] == [True]
    assert local_slack.messages(user="U0BEN") == []
    assert local_slack.web.conversations_history(channel="C0ASK")["messages"] == []
    answer = refusal(local_slack.web.chat_postEphemeral, channel="D0BEN", user="U0ADA", text="x")
    assert answer["error"] == "user_not_in_channel"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "", "text": "x"}, "channel_not_found"),
        ({"channel": "C0ASK", "text": "  "}, "no_text"),
        ({"channel": "C0ASK", "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"channel": "C0ASK", "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": "C0ASK", "text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"channel": "C0ASK", "text": "x", "metadata": {"event_type": 1}}, "invalid_metadata_format"),
        ({"channel": "C0ASK", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": "C0ASK", "markdown_text": "y" * 12_001}, "msg_too_long"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
def test_refuses_messages_that_slack_refuses(local_slack: LocalSlack, arguments: Any, error: str) -> None:
    """Each wrong message gets the error that Slack documents for it."""
    assert refusal(local_slack.web.api_call, api_method="chat.postMessage", json=arguments)["error"] == error
    assert local_slack.messages() == []


def test_a_private_message_in_a_thread_without_replies_is_not_shown(local_slack: LocalSlack) -> None:
    """Slack takes the call and shows nothing; once somebody has replied it does."""
    root = local_slack.send("Hello")["ts"]
    for text in ("lost", "found"):
        hidden = local_slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text=text, thread_ts=root)
        assert hidden["message_ts"]
        local_slack.send("a reply", thread_ts=root)
    shown = [message["text"] for message in local_slack.messages(thread_ts=root) if message.get("is_ephemeral")]
    assert shown == ["found"]


def test_cuts_and_refuses_long_texts(local_slack: LocalSlack) -> None:
    """A post is cut at 40,000 characters; an update over 4,000 is refused, at 4,000 taken."""
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="x" * 100_000)["ts"]
    assert len(local_slack.messages()[0]["text"]) == 40_000
    answer = refusal(local_slack.web.chat_update, channel="C0ASK", ts=ts, text="x" * 4001)
    assert answer["error"] == "msg_too_long"
    local_slack.web.chat_update(channel="C0ASK", ts=ts, text="x" * 4000)


def test_needs_membership(local_slack: LocalSlack) -> None:
    """The app can neither post in nor read a channel that it left."""
    local_slack.web.conversations_leave(channel="C0TUNING")
    assert refusal(local_slack.web.chat_postMessage, channel="C0TUNING", text="x")["error"] == "not_in_channel"
    assert refusal(local_slack.web.conversations_history, channel="C0TUNING")["error"] == "not_in_channel"
    local_slack.web.conversations_join(channel="C0TUNING")
    assert local_slack.web.chat_postMessage(channel="C0TUNING", text="x")["ok"]


def test_pages_through_history(local_slack: LocalSlack) -> None:
    """Cursors walk the whole history once; oldest and latest bound it, inclusive where asked."""
    stamps = [local_slack.web.chat_postMessage(channel="C0ASK", text=str(number))["ts"] for number in range(7)]
    seen, cursor = [], ""
    while True:
        answer = local_slack.web.conversations_history(channel="C0ASK", limit=3, cursor=cursor)
        seen += [message["ts"] for message in answer["messages"]]
        cursor = answer.get("response_metadata", {}).get("next_cursor", "")
        if not cursor:
            break
    assert seen == stamps[::-1]
    inner = local_slack.web.conversations_history(channel="C0ASK", oldest=stamps[1], latest=stamps[4])["messages"]
    assert [message["text"] for message in inner] == ["3", "2"]
    both = local_slack.web.conversations_history(channel="C0ASK", oldest=stamps[1], latest=stamps[4], inclusive=True)
    assert [message["text"] for message in both["messages"]] == ["4", "3", "2", "1"]
    assert refusal(local_slack.web.conversations_history, channel="C0ASK", cursor="!")["error"] == "invalid_cursor"


def test_lists_channels_people_and_direct_messages(local_slack: LocalSlack) -> None:
    """conversations.list filters by type, users.list has people and bot, conversations.open finds the DM."""
    names = [channel["name"] for channel in local_slack.web.conversations_list()["channels"]]
    assert sorted(names) == ["ask-luthier", "fine-tuning", "general"]
    direct = local_slack.web.conversations_list(types="im")["channels"]
    assert {channel["user"] for channel in direct} == {"U0ADA", "U0BEN", "U0CHI"}
    people = {user["id"]: user["real_name"] for user in local_slack.web.users_list()["members"]}
    assert people["U0CHI"] == "Chi Park"
    assert local_slack.web.conversations_open(users="U0CHI")["channel"]["id"] == "D0CHI"
    assert set(local_slack.web.conversations_members(channel="D0CHI")["members"]) == {"U0CHI", "U0LUTHIER"}
    assert refusal(local_slack.web.users_info, user="U0NOBODY")["error"] == "user_not_found"
    assert refusal(local_slack.web.conversations_list, types="secret")["error"] == "invalid_types"


def test_reacts_once(local_slack: LocalSlack) -> None:
    """A reaction counts each person once and can be taken back once."""
    ts = local_slack.send("look")["ts"]
    target = {"channel": "C0ASK", "timestamp": ts, "name": "eyes"}
    local_slack.web.reactions_add(**target)
    local_slack.act("react", user="U0BEN", channel="C0ASK", ts=ts, name="eyes")
    assert local_slack.messages()[0]["reactions"] == [{"name": "eyes", "users": ["U0LUTHIER", "U0BEN"], "count": 2}]
    assert refusal(local_slack.web.reactions_add, **target)["error"] == "already_reacted"
    local_slack.web.reactions_remove(**target)
    assert refusal(local_slack.web.reactions_remove, **target)["error"] == "no_reaction"
    assert refusal(local_slack.web.reactions_add, **{**target, "name": "a b"})["error"] == "invalid_name"


def test_links_to_messages(local_slack: LocalSlack) -> None:
    """A permalink leads to the page, with the thread where there is one."""
    ts = local_slack.send("root")["ts"]
    reply = local_slack.web.chat_postMessage(channel="C0ASK", text="r", thread_ts=ts)["ts"]
    link = local_slack.web.chat_getPermalink(channel="C0ASK", message_ts=reply)["permalink"]
    assert link == f"{local_slack.url}/archives/C0ASK/p{reply.replace('.', '')}?thread_ts={ts}&cid=C0ASK"


def test_shows_status_prompts_and_sessions(local_slack: LocalSlack) -> None:
    """A status line shows under its thread until the app replies; a session's line stays until it changes."""
    ts = local_slack.dm("hello")["ts"]
    where = {"channel_id": "D0ADA", "thread_ts": ts}
    local_slack.web.assistant_threads_setStatus(**where, status="is weighing it up…")
    assert local_slack.page("messages", user="U0ADA", channel="D0ADA")["status"] == {ts: "is weighing it up…"}
    local_slack.web.chat_postMessage(channel="D0ADA", text="done", thread_ts=ts)
    assert local_slack.page("messages", user="U0ADA", channel="D0ADA")["status"] == {}
    local_slack.web.agents_sessions_setStatus(**where, status="processing", title="First")
    assert ts in local_slack.page("messages", user="U0ADA", channel="D0ADA")["status"]
    local_slack.web.agents_sessions_setStatus(**where, status="closed")
    assert local_slack.page("messages", user="U0ADA", channel="D0ADA")["status"] == {}
    local_slack.web.agents_sessions_rename(**where, title="Second")
    prompts = [{"title": "Ask", "message": "Should we fine-tune?"}]
    local_slack.web.assistant_threads_setSuggestedPrompts(channel_id="D0ADA", prompts=prompts)
    assert local_slack.page("messages", user="U0ADA", channel="D0ADA")["suggested_prompts"] == prompts
    assert refusal(local_slack.web.agents_sessions_setStatus, **where, status="busy")["error"] == "invalid_arguments"
    answer = refusal(local_slack.web.assistant_threads_setSuggestedPrompts, channel_id="D0ADA", prompts=prompts * 5)
    assert answer["error"] == "invalid_arguments"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_answers_malformed_bodies(local_slack: LocalSlack, body: bytes) -> None:
    """Bodies that are no JSON objects get an error, never a traceback."""
    headers = {"authorization": f"Bearer {local_slack.bot_token}", "content-type": "application/json"}
    answer = httpx.post(f"{local_slack.url}/api/chat.postMessage", content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["error"] in ("invalid_json", "json_not_object")


def test_survives_broken_text(local_slack: LocalSlack) -> None:
    """Half characters become U+FFFD, control characters stay, markup is escaped; every read works."""
    headers = {"authorization": f"Bearer {local_slack.bot_token}", "content-type": "application/json"}
    body = b'{"channel":"C0ASK","text":"a\\ud800\\u0000b <script>alert(1)</script>"}'
    assert httpx.post(f"{local_slack.url}/api/chat.postMessage", content=body, headers=headers).json()["ok"]
    assert local_slack.messages()[0]["text"] == "a\ufffd\x00b &lt;script>alert(1)&lt;/script>"


def test_keeps_two_clients_apart(local_slack: LocalSlack) -> None:
    """Timestamps of messages never repeat, also under many posts at once."""
    from concurrent.futures import ThreadPoolExecutor

    def post(number: int) -> str:
        client = WebClient(token=local_slack.bot_token, base_url=f"{local_slack.url}/api/")
        return str(client.chat_postMessage(channel="C0ASK", text=str(number))["ts"])

    with ThreadPoolExecutor(8) as pool:
        stamps = list(pool.map(post, range(80)))
    assert len(set(stamps)) == 80
    assert len(local_slack.messages()) == 80
