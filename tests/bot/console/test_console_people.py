"""What people do at the page beside writing: edit, delete, pin, make and enter channels, write to each other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bot.console.third_party import recorder
from tests.console import LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[LocalSlack]:
    """Six people: Ada owns the place, Dana is an admin, Eli a guest, Fay a guest of one channel."""
    slack = LocalSlack(tmp_path / "console", people=6)
    yield slack
    slack.stop()


def names(slack: LocalSlack, user: str) -> set[str]:
    """The conversations in a person's list."""
    return {channel["id"] for channel in slack.page("boot", user=user)["channels"]}


def test_people_change_what_they_wrote(tmp_path: Path) -> None:
    """An edit marks the message and reaches the app as message_changed, a deletion as message_deleted."""
    app = recorder()
    slack = LocalSlack(tmp_path / "console", app_url=app.url)
    try:
        ts = slack.send("helo")["ts"]
        edited = slack.act("edit", user="U0ADA", channel="C0ASK", ts=ts, text="hello *you*")["message"]
        assert (edited["text"], edited["edited"]["user"]) == ("hello *you*", "U0ADA")
        assert edited["blocks"][0]["elements"][0]["elements"][1]["style"] == {"bold": True}
        slack.act("delete", user="U0ADA", channel="C0ASK", ts=ts)
        assert slack.messages() == []
        wait_for(lambda: len(app.events("message")) == 3, what="three events")
        by_subtype = {event.get("subtype"): event for event in app.events("message")}
        changed, gone = by_subtype["message_changed"], by_subtype["message_deleted"]
        assert (changed["hidden"], changed["channel_type"]) == (True, "channel")
        assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("hello *you*", "helo")
        assert (gone["deleted_ts"], gone["previous_message"]["text"]) == (ts, "hello *you*")
    finally:
        slack.stop()
        app.stop()


def test_people_leave_the_words_of_others_alone(crowd: LocalSlack) -> None:
    """Nobody edits another's message; an admin may delete it; what the app said stays the app's."""
    ts = crowd.send("mine", user="U0BEN")["ts"]
    where = {"channel": "C0ASK", "ts": ts, "text": "x"}
    assert crowd.act("edit", user="U0ADA", **where)["error"] == "cant_update_message"
    assert crowd.act("delete", user="U0CHI", **where)["error"] == "cant_delete_message"
    assert crowd.act("edit", user="U0BEN", **{**where, "text": " "})["error"] == "no_text"
    assert crowd.act("edit", user="U0BEN", **{**where, "text": "x" * 12_001})["error"] == "msg_too_long"
    assert crowd.act("delete", user="U0DANA", **where)["ok"]
    posted = crowd.web.chat_postMessage(channel="C0ASK", text="x")["ts"]
    assert crowd.act("edit", user="U0ADA", channel="C0ASK", ts=posted, text="y")["error"] == "cant_update_message"


def test_people_make_channels_and_let_others_in(crowd: LocalSlack) -> None:
    """A public channel can be entered, a private one only by invitation; each page learns of it at once."""
    with crowd.events("U0BEN") as events:
        public = crowd.act("create_channel", user="U0ADA", name="open")["channel"]["id"]
        private = crowd.act("create_channel", user="U0ADA", name="shut", private=True)["channel"]["id"]
        assert crowd.act("join", user="U0BEN", channel=public)["ok"]
        told = next(event for event in events if event["type"] == "channels")
        assert told["channel"] == public
    assert crowd.act("join", user="U0BEN", channel=private)["error"] == "channel_not_found"
    assert crowd.act("invite", user="U0BEN", channel=private, users=["U0BEN"])["error"] == "channel_not_found"
    assert crowd.act("invite", user="U0ADA", channel=private, users=["U0BEN", "U0LUTHIER"])["ok"]
    assert {public, private} <= names(crowd, "U0BEN")
    lines = [message["text"] for message in crowd.messages(private, user="U0BEN")]
    assert lines[1:] == ["<@U0BEN> has joined the channel", "<@U0LUTHIER> has joined the channel"]
    assert crowd.act("leave", user="U0BEN", channel=private)["ok"]
    assert private not in names(crowd, "U0BEN")
    assert crowd.act("create_channel", user="U0ADA", name="open")["error"] == "name_taken"
    assert crowd.act("leave", user="U0ADA", channel="C0GENERAL")["error"] == "cant_leave_general"


def test_guests_keep_to_their_rooms(crowd: LocalSlack) -> None:
    """A guest makes, enters and leaves no channel and invites nobody; a guest of one channel gets no second."""
    for guest in ("U0ELI", "U0FAY"):
        assert crowd.act("create_channel", user=guest, name="x")["error"] == "restricted_action"
        assert crowd.act("join", user=guest, channel="C0GENERAL")["error"] == "user_is_restricted"
        assert crowd.act("leave", user=guest, channel="C0ASK")["error"] == "user_is_restricted"
        assert crowd.act("invite", user=guest, channel="C0ASK", users=["U0ADA"])["error"] == "user_is_restricted"
    made = crowd.act("create_channel", user="U0ADA", name="second")["channel"]["id"]
    assert crowd.act("invite", user="U0ADA", channel=made, users=["U0ELI"])["ok"]
    assert crowd.act("invite", user="U0ADA", channel=made, users=["U0FAY"])["error"] == "ura_max_channels"


def test_people_write_to_each_other(crowd: LocalSlack) -> None:
    """Two people share one direct message whoever opens it; others do not see it; the app has one of its own."""
    opened = crowd.act("open_dm", user="U0ADA", users=["U0BEN"])
    again = crowd.act("open_dm", user="U0BEN", users=["U0ADA"])
    pair = opened["channel"]["id"]
    assert (again["channel"]["id"], opened["is_new"], again["is_new"]) == (pair, True, False)
    crowd.send("hi Ben", channel=pair)
    assert [message["text"] for message in crowd.messages(pair, user="U0BEN")] == ["hi Ben"]
    assert crowd.page("messages", user="U0CHI", channel=pair)["error"] == "channel_not_found"
    assert crowd.act("open_dm", user="U0ADA", users=["U0LUTHIER"])["channel"]["id"] == "D0ADA"
    assert crowd.act("open_dm", user="U0ADA", users=["U0NOBODY"])["error"] == "user_not_found"
    alone = crowd.act("open_dm", user="U0ADA", users=[])["channel"]["id"]
    crowd.send("note to self", channel=alone)
    assert crowd.space.store.members(alone) == ["U0ADA"]
    assert crowd.web.users_conversations(user="U0ADA", types="im")["channels"][0]["id"] == "D0ADA"


def test_groups_are_found_again(crowd: LocalSlack) -> None:
    """The same people get the same group, in whatever order they are named."""
    first = crowd.act("open_dm", user="U0ADA", users=["U0BEN", "U0CHI"])
    second = crowd.act("open_dm", user="U0CHI", users=["U0ADA", "U0BEN"])
    assert (first["channel"]["id"], second["is_new"]) == (second["channel"]["id"], False)
    assert first["channel"]["name"] == "mpdm-ada--ben--chi-1"
    assert crowd.act("leave", user="U0ADA", channel=first["channel"]["id"])["ok"] is False


def test_topics_and_archives(crowd: LocalSlack) -> None:
    """Anyone inside sets the topic; in an archived channel nobody writes or changes anything."""
    made: Any = crowd.web.conversations_create(name="plans")["channel"]["id"]
    crowd.web.conversations_invite(channel=made, users="U0ADA")
    assert crowd.act("set_topic", user="U0ADA", channel=made, text="Plans")["ok"]
    assert crowd.messages(made)[-1]["text"] == "<@U0ADA> set the channel topic: Plans"
    assert crowd.act("set_topic", user="U0ADA", channel=made, text="x" * 251)["error"] == "too_long"
    assert crowd.act("set_topic", user="U0ADA", channel="D0ADA", text="x")["ok"] is False
    crowd.web.conversations_archive(channel=made)
    assert crowd.act("send", user="U0ADA", channel=made, text="x")["error"] == "is_archived"
    assert crowd.act("set_topic", user="U0ADA", channel=made, text="x")["error"] == "is_archived"
    assert crowd.act("join", user="U0BEN", channel=made)["error"] == "is_archived"


def test_rooms_survive_a_restart(tmp_path: Path) -> None:
    """Channels, members, pins and groups are there again after a restart."""
    first = LocalSlack(tmp_path)
    made = first.act("create_channel", user="U0ADA", name="kept", private=True)["channel"]["id"]
    group = first.act("open_dm", user="U0ADA", users=["U0BEN", "U0LUTHIER"])["channel"]["id"]
    ts = first.send("pin me", channel=made)["ts"]
    first.act("pin", user="U0ADA", channel=made, ts=ts)
    first.web.conversations_leave(channel="C0TUNING")
    first.stop()
    second = LocalSlack(tmp_path)
    try:
        assert {made, group} <= names(second, "U0ADA")
        assert second.messages(made)[-1]["pinned_to"] == [made]
        assert second.web.conversations_info(channel="C0TUNING")["channel"]["is_member"] is False
        assert second.act("open_dm", user="U0BEN", users=["U0LUTHIER", "U0ADA"])["channel"]["id"] == group
    finally:
        second.stop()
