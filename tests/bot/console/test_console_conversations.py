"""Conversations as the app sees them: which, who, what was said, page by page, and what it hears of changes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.console.manifest import Manifest
from bot.console.store import Row
from tests.bot.console.pairs import Start
from tests.bot.console.third_party import Listener
from tests.console import LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]
PUBLIC = {
    *("id", "name", "is_channel", "is_group", "is_im", "is_mpim", "is_private", "created", "creator", "is_archived"),
    *("is_general", "unlinked", "name_normalized", "is_shared", "is_frozen", "is_org_shared", "is_pending_ext_shared"),
    *("pending_shared", "context_team_id", "updated", "parent_conversation", "is_ext_shared", "shared_team_ids"),
    *("pending_connected_team_ids", "topic", "purpose", "previous_names"),
}
"""Fields of a channel in Slack's own example of conversations.info."""


def error_of(call: Callable[..., Any], **arguments: Any) -> Any:
    """The error of a call that must fail."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value.response["error"]


def told(app: Listener, kind: str, count: int) -> list[Any]:
    """Events of one type in the order of their event_ts: they travel side by side and may overtake each other."""
    wait_for(lambda: len(app.events(kind)) >= count, what=f"{count} {kind}", seen=lambda: app.events(kind))
    return sorted(app.events(kind), key=lambda event: event["event_ts"])


def test_each_kind_of_conversation_has_its_shape(local_slack: LocalSlack) -> None:
    """Public, private, group and direct messages carry the fields and flags that Slack's examples carry."""
    web = local_slack.web
    public = web.conversations_info(channel="C0ASK")["channel"]
    assert PUBLIC | {"is_member", "last_read"} == set(public)
    private = web.conversations_create(name="quiet", is_private=True)["channel"]
    assert [private[key] for key in ("is_channel", "is_group", "is_private", "is_mpim")] == [False, True, True, False]
    group = web.conversations_open(users="U0ADA,U0BEN", return_im=True)["channel"]
    assert [group[key] for key in ("is_channel", "is_group", "is_private", "is_mpim")] == [False, True, True, True]
    assert (group["name"], group["is_open"]) == ("mpdm-luthier--ada--ben-1", True)
    direct = web.conversations_open(users="U0ADA", return_im=True)["channel"]
    assert (direct["id"], direct["user"], direct["is_im"], direct["latest"]) == ("D0ADA", "U0ADA", True, None)
    assert "name" not in direct
    kinds = {kind: web.conversations_list(types=kind)["channels"] for kind in ("private_channel", "mpim", "im")}
    assert {kind: len(rows) for kind, rows in kinds.items()} == {"private_channel": 1, "mpim": 1, "im": 3}


def test_counts_members_only_where_asked(local_slack: LocalSlack) -> None:
    """Lists count members; info does so on request, and gives a locale on request."""
    web = local_slack.web
    assert {channel["num_members"] for channel in web.conversations_list()["channels"]} == {4}
    info = web.conversations_info(channel="C0ASK", include_num_members=True, include_locale=True)["channel"]
    assert (info["num_members"], info["locale"]) == (4, "en-US")


def test_private_channels_are_unknown_to_those_outside(local_slack: LocalSlack) -> None:
    """Neither lists nor members of a private channel reach an app that is not in it; invited, it sees all."""
    web = local_slack.web
    made = local_slack.act("create_channel", user="U0ADA", name="quiet", private=True)["channel"]["id"]
    local_slack.send("secret", channel=made)
    assert web.conversations_list(types="private_channel")["channels"] == []
    assert error_of(web.conversations_history, channel=made) == "channel_not_found"
    assert web.users_conversations(user="U0ADA", types="private_channel")["channels"] == []
    local_slack.act("invite", user="U0ADA", channel=made, users=["U0LUTHIER"])
    assert "secret" in [message["text"] for message in web.conversations_history(channel=made)["messages"]]
    assert [each["id"] for each in web.users_conversations(user="U0ADA", types="private_channel")["channels"]] == [made]
    assert error_of(web.conversations_join, channel=made) == "method_not_supported_for_channel_type"


def test_a_public_channel_can_be_looked_at_from_outside(local_slack: LocalSlack) -> None:
    """Info, members and list show it; its messages need membership, and joining twice is only warned of."""
    web = local_slack.web
    made = local_slack.act("create_channel", user="U0ADA", name="open-door")["channel"]["id"]
    assert web.conversations_info(channel=made)["channel"]["is_member"] is False
    assert web.conversations_members(channel=made)["members"] == ["U0ADA"]
    assert error_of(web.conversations_history, channel=made) == "not_in_channel"
    assert web.conversations_join(channel=made)["channel"]["is_member"] is True
    assert web.conversations_join(channel=made)["response_metadata"]["warnings"] == ["already_in_channel"]


def test_scopes_name_kinds_of_conversation(tmp_path: Path) -> None:
    """An app with channels:read alone may not ask for private ones, and hears which scope it lacks."""
    slack = LocalSlack(tmp_path, manifest=Manifest(scopes=frozenset({"channels:read", "channels:history"})))
    try:
        assert len(slack.web.conversations_list()["channels"]) == 3
        with pytest.raises(SlackApiError) as caught:
            slack.web.conversations_list(types="public_channel,private_channel,mpim")
        assert caught.value.response["needed"] == "mpim:read,groups:read"
        with pytest.raises(SlackApiError) as caught:
            slack.web.conversations_history(channel="D0ADA")
        assert caught.value.response["needed"] == "im:history"
    finally:
        slack.stop()


def test_an_invitation_holds_for_all_or_for_those_who_can_come(local_slack: LocalSlack) -> None:
    """One wrong name stops everybody and is named; with force the others come."""
    web = local_slack.web
    made = web.conversations_create(name="new")["channel"]["id"]
    with pytest.raises(SlackApiError) as caught:
        web.conversations_invite(channel=made, users="U0ADA,U0NOBODY,U0LUTHIER")
    assert caught.value.response["errors"] == [
        {"user": "U0NOBODY", "ok": False, "error": "user_not_found"},
        {"user": "U0LUTHIER", "ok": False, "error": "cant_invite_self"},
    ]
    assert web.conversations_members(channel=made)["members"] == ["U0LUTHIER"]
    answer = web.conversations_invite(channel=made, users=["U0ADA", "U0NOBODY"], force=True)
    assert [each["user"] for each in answer["errors"]] == ["U0NOBODY"]
    assert web.conversations_members(channel=made)["members"] == ["U0ADA", "U0LUTHIER"]
    web.conversations_kick(channel=made, user="U0ADA")
    assert web.conversations_members(channel=made)["members"] == ["U0LUTHIER"]
    with pytest.raises(SlackApiError) as caught:
        web.conversations_leave(channel=local_slack.act("create_channel", user="U0ADA", name="far")["channel"]["id"])
    assert caught.value.response.data == {"ok": False, "not_in_channel": True}


def test_lists_are_cut_at_names_not_at_places(local_slack: LocalSlack) -> None:
    """A page goes on where it stopped although something before it went; a cursor to what is gone is refused."""
    web = local_slack.web
    members = web.conversations_members(channel="C0ASK", limit=2)
    more = web.conversations_members(channel="C0ASK", cursor=members["response_metadata"]["next_cursor"])
    assert [*members["members"], *more["members"]] == ["U0ADA", "U0BEN", "U0CHI", "U0LUTHIER"]
    for number in range(4):
        web.conversations_create(name=f"n{number}")
    everything = [channel["id"] for channel in web.conversations_list()["channels"]]
    cursor = web.conversations_list(limit=3)["response_metadata"]["next_cursor"]
    local_slack.space.store.drop("channel", everything[0])
    rest = web.conversations_list(limit=1000, cursor=cursor)
    assert [channel["id"] for channel in rest["channels"]] == everything[3:]
    assert rest["response_metadata"]["next_cursor"] == ""
    local_slack.space.store.drop("channel", everything[3])
    assert error_of(web.conversations_list, cursor=cursor) == "invalid_cursor"


def test_threads_come_page_by_page(local_slack: LocalSlack) -> None:
    """A thread's pages hold the parent once and each reply once; bounds cut replies, not the parent."""
    web = local_slack.web
    root = local_slack.send("root")["ts"]
    stamps = [root, *(web.chat_postMessage(channel="C0ASK", text="r", thread_ts=root)["ts"] for _ in range(6))]
    seen, cursor = [], ""
    for _ in range(4):
        answer = web.conversations_replies(channel="C0ASK", ts=stamps[3], limit=2, cursor=cursor)
        seen += [message["ts"] for message in answer["messages"]]
        cursor = answer.get("response_metadata", {}).get("next_cursor", "")
    assert (seen, cursor, answer["has_more"]) == (stamps, "", False)
    later = web.conversations_replies(channel="C0ASK", ts=root, oldest=stamps[5])["messages"]
    assert [message["ts"] for message in later] == [root, stamps[6]]
    assert [m["ts"] for m in web.conversations_replies(channel="C0ASK", ts=local_slack.send("x")["ts"])["messages"]]


def test_a_long_channel_is_read_from_the_end(local_slack: LocalSlack) -> None:
    """The newest hundred of 5,000 messages take a moment, wherever the page begins; a deep cursor too."""
    store = local_slack.space.store
    for number in range(5000):
        ts = f"{1_700_000_000 + number}.000100"
        body = {"type": "message", "user": "U0ADA", "text": str(number), "ts": ts}
        store.add_message(Row("C0TUNING", ts, None, None, body), "U0ADA")
    started = time.perf_counter()
    answer = local_slack.web.conversations_history(channel="C0TUNING", limit=100)
    middle = local_slack.web.conversations_history(channel="C0TUNING", latest="1700002500.000100", limit=100)
    took = time.perf_counter() - started
    assert [answer["messages"][place]["text"] for place in (0, 99)] == ["4999", "4900"]
    assert (middle["messages"][0]["text"], middle["latest"]) == ("2499", "1700002500.000100")
    assert took < 0.5  # measured 0.003 s for both; the limit leaves room for a busy machine


def test_marks_what_the_app_has_read(local_slack: LocalSlack) -> None:
    """conversations.mark moves last_read, and a direct message counts what is unread."""
    web = local_slack.web
    ts = local_slack.dm("one")["ts"]
    local_slack.dm("two")
    assert web.conversations_info(channel="D0ADA")["channel"]["unread_count"] == 2
    web.conversations_mark(channel="D0ADA", ts=ts)
    info = web.conversations_info(channel="D0ADA")["channel"]
    assert (info["last_read"], info["unread_count"], info["latest"]["text"]) == (ts, 1, "two")


def test_the_app_hears_of_members_and_names(start: Start) -> None:
    """Joining, leaving, topic, name and archive are messages in the channel and events with Slack's fields."""
    slack, app = start()
    made = slack.act("create_channel", user="U0ADA", name="news")["channel"]["id"]
    slack.act("invite", user="U0ADA", channel=made, users=["U0LUTHIER", "U0BEN"])
    slack.act("set_topic", user="U0BEN", channel=made, text="All of it")
    slack.act("leave", user="U0BEN", channel=made)
    assert told(app, "member_left_channel", 1)[0]["user"] == "U0BEN"
    created = told(app, "channel_created", 1)[0]["channel"]
    assert (created["id"], created["creator"], created["is_private"]) == (made, "U0ADA", False)
    joins = told(app, "member_joined_channel", 2)
    wanted = {"type", "user", "channel", "channel_type", "team", "inviter", "event_ts"}
    assert [(each["user"], each["inviter"]) for each in joins] == [("U0LUTHIER", "U0ADA"), ("U0BEN", "U0ADA")]
    assert [set(each) for each in joins] == [wanted, wanted]
    assert (joins[0]["channel_type"], joins[0]["team"]) == ("C", "T0NORTHWIND")
    said = told(app, "message", 4)
    assert [each["subtype"] for each in said] == ["channel_join", "channel_join", "channel_topic", "channel_leave"]
    topic = said[2]
    assert (topic["topic"], topic["user"], topic["channel_type"]) == ("All of it", "U0BEN", "channel")


def test_the_app_hears_its_own_changes(start: Start) -> None:
    """Rename, archive and reopen come as events of their own, also to an app that only watches a public channel."""
    slack, app = start()
    made = slack.web.conversations_create(name="first")["channel"]["id"]
    renamed = slack.web.conversations_rename(channel=made, name="second")["channel"]
    assert (renamed["name"], renamed["previous_names"]) == ("second", ["first"])
    purpose = slack.web.conversations_setPurpose(channel=made, purpose="p")["channel"]["purpose"]
    assert (purpose["value"], purpose["creator"]) == ("p", "U0LUTHIER")
    slack.web.conversations_archive(channel=made)
    slack.web.conversations_unarchive(channel=made)
    name = told(app, "channel_rename", 1)[0]["channel"]
    assert set(name) == {"id", "is_channel", "is_mpim", "name", "name_normalized", "created"}
    archive = told(app, "channel_archive", 1)[0]
    assert (archive["channel"], archive["user"], archive["is_moved"]) == (made, "U0LUTHIER", 0)
    assert told(app, "channel_unarchive", 1)[0]["user"] == "U0LUTHIER"
    subtypes = [each["subtype"] for each in told(app, "message", 5)]
    assert subtypes == ["channel_join", "channel_name", "channel_purpose", "channel_archive", "channel_unarchive"]
    private = slack.web.conversations_create(name="third", is_private=True)["channel"]["id"]
    slack.web.conversations_rename(channel=private, name="fourth")
    assert told(app, "group_rename", 1)[0]["channel"]["id"] == private
    assert len(app.events("channel_created")) == 1


def test_the_app_hears_nothing_from_where_it_is_not(start: Start) -> None:
    """Messages, reactions and mentions in channels and direct messages without the app stay there."""
    slack, app = start()
    elsewhere = slack.act("create_channel", user="U0ADA", name="no-bots")["channel"]["id"]
    ts = slack.send("@Luthier psst", channel=elsewhere)["ts"]
    slack.act("react", user="U0ADA", channel=elsewhere, ts=ts, name="eyes")
    pair = slack.act("open_dm", user="U0ADA", users=["U0BEN"])["channel"]["id"]
    slack.send("between us", channel=pair)
    slack.send("here", channel="C0ASK")
    wait_for(lambda: app.events("message"), what="the message that it may hear")
    time.sleep(0.1)
    assert [each["text"] for each in app.events("message")] == ["here"]
    assert not app.events("reaction_added")
    assert not app.events("app_mention")
    assert error_of(slack.web.conversations_info, channel=pair) == "channel_not_found"


def test_a_group_is_heard_as_mpim(start: Start) -> None:
    """A message of several people and the app says channel_type mpim, and needs message.mpim alone."""
    slack, app = start(manifest=Manifest(events=frozenset({"message.mpim", "app_mention"})))
    group = slack.act("open_dm", user="U0ADA", users=["U0BEN", "U0LUTHIER"])["channel"]["id"]
    slack.send("to the group", channel=group)
    slack.send("to the channel", channel="C0ASK")
    slack.send("@Luthier?", channel=group, user="U0BEN")
    assert told(app, "app_mention", 1)[0]["channel"] == group
    assert [(each["text"], each["channel_type"]) for each in told(app, "message", 2)] == [
        ("to the group", "mpim"),
        ("<@U0LUTHIER>?", "mpim"),
    ]
    assert slack.web.conversations_open(users="U0BEN,U0ADA")["channel"]["id"] == group


def test_pins_show_on_messages_and_in_events(start: Start) -> None:
    """A pin is listed with its message, counted in history, and told as Slack tells it."""
    slack, app = start()
    ts = slack.send("keep this")["ts"]
    slack.web.pins_add(channel="C0ASK", timestamp=ts)
    item = slack.web.pins_list(channel="C0ASK")["items"][0]
    assert (item["type"], item["created_by"], item["message"]["pinned_to"]) == ("message", "U0LUTHIER", ["C0ASK"])
    assert item["message"]["permalink"].endswith(f"/archives/C0ASK/p{ts.replace('.', '')}")
    assert slack.web.conversations_history(channel="C0ASK")["pin_count"] == 1
    assert slack.act("pin", user="U0ADA", channel="C0ASK", ts=ts)["pinned"] is False
    removed = told(app, "pin_removed", 1)[0]
    assert set(removed) == {
        *("type", "user", "channel_id", "item", "item_user", "pin_count", "pinned_info", "has_pins", "event_ts")
    }
    assert (removed["user"], removed["pin_count"], removed["has_pins"]) == ("U0ADA", 0, False)
    assert slack.web.pins_list(channel="C0ASK")["items"] == []


def test_bookmarks_keep_their_order(local_slack: LocalSlack) -> None:
    """Bookmarks are listed as they came, edited in place, and carry every field of Slack's."""
    web = local_slack.web
    made = [
        web.bookmarks_add(channel_id="C0ASK", title=title, type="link", link=f"https://x.example/{title}", emoji="eyes")
        for title in "cab"
    ]
    web.bookmarks_edit(channel_id="C0ASK", bookmark_id=made[1]["bookmark"]["id"], title="z", link="https://y.example")
    web.bookmarks_remove(channel_id="C0ASK", bookmark_id=made[0]["bookmark"]["id"])
    listed = web.bookmarks_list(channel_id="C0ASK")["bookmarks"]
    assert [(each["title"], each["link"]) for each in listed] == [
        ("z", "https://y.example"),
        ("b", "https://x.example/b"),
    ]
    assert set(listed[0]) == {
        *("id", "channel_id", "title", "link", "emoji", "icon_url", "entity_id", "type", "date_created", "rank"),
        *("date_updated", "last_updated_by_user_id", "last_updated_by_team_id", "shortcut_id", "app_id"),
    }


def test_reactions_can_be_looked_up(local_slack: LocalSlack) -> None:
    """reactions.get and list give the message with its reactions and permalink, the latest reaction first."""
    web = local_slack.web
    stamps = [local_slack.send(text)["ts"] for text in "ab"]
    for ts in reversed(stamps):
        web.reactions_add(channel="C0ASK", timestamp=ts, name="eyes")
    got = web.reactions_get(channel="C0ASK", timestamp=stamps[0])
    assert got["message"]["reactions"] == [{"name": "eyes", "users": ["U0LUTHIER"], "count": 1}]
    assert got["message"]["permalink"]
    first = web.reactions_list(limit=1)
    second = web.reactions_list(cursor=first["response_metadata"]["next_cursor"])
    assert [each["message"]["ts"] for each in [*first["items"], *second["items"]]] == stamps
    assert web.reactions_list(user="U0ADA")["items"] == []


def test_people_and_guests_have_their_flags(tmp_path: Path) -> None:
    """Roles and guests show in user objects; an email address only with the scope for it."""
    scopes = frozenset({"users:read", "users.profile:read", "dnd:read", "emoji:read", "usergroups:read", "users:write"})
    slack = LocalSlack(tmp_path, people=6, manifest=Manifest(scopes=scopes))
    try:
        users = {user["id"]: user for user in slack.web.users_list()["members"]}
        assert [user["name"] for user in users.values() if user["is_ultra_restricted"]] == ["fay"]
        assert [user["name"] for user in users.values() if user["is_restricted"]] == ["eli", "fay"]
        assert [user["name"] for user in users.values() if user["is_owner"]] == ["ada"]
        assert not any("email" in user["profile"] for user in users.values())
        assert slack.web.users_info(user="U0ADA", include_locale=True)["user"]["locale"] == "en-US"
        assert slack.web.users_profile_get(user="U0ADA")["profile"]["status_expiration"] == 0
        page = slack.web.users_list(limit=2)
        assert (len(page["members"]), bool(page["response_metadata"]["next_cursor"])) == (2, True)
        assert slack.web.dnd_teamInfo(users="U0ADA,U0BEN")["users"]["U0BEN"]["dnd_enabled"] is False
        assert slack.web.emoji_list()["emoji"] == {}
        assert slack.web.usergroups_list()["usergroups"] == []
        slack.web.users_setPresence(presence="away")
        assert slack.web.users_getPresence(user="U0LUTHIER")["manual_away"] is True
        assert slack.web.users_getPresence(user="U0ADA")["presence"] == "active"
    finally:
        slack.stop()
