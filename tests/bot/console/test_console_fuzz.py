"""Any JSON at any address gets an answer in Slack's form: never a traceback, never a 500."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.console.api.registry import METHODS
from bot.console.page_acts import ACTS
from tests.bot.console.test_console_limits import BLOCKS as LIMITED
from tests.bot.console.test_console_limits import ELEMENTS, Case
from tests.console import BOT_TOKEN, LocalSlack, find_element

JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    5,
    1e300,
    "",
    "x",
    "{",
    "[]",
    "\ud800\x00",
    [],
    {},
    [5],
    [[]],
    [{}],
    {"type": 5},
    {"a": {}},
]


def block_of(case: Case) -> Any:
    """The block of a case of the limits, at size 2."""
    body = case.make(2)[1]
    return (body.get("blocks") or body["view"]["blocks"])[0]


BLOCKS = [block_of(case) for case in [*LIMITED, *ELEMENTS]] + [
    {"type": "auth_provider", "elements": []},
    {"type": "data_table", "caption": "x", "rows": [[{"type": "raw_text", "text": "x"}]] * 2, "elements": []},
    {"type": "image", "alt_text": "x", "slack_file": {"id": "F0X"}},
]
TEXT = {"type": "plain_text", "text": "x"}
INPUT = {"type": "input", "block_id": "b", "label": TEXT, "element": {"type": "plain_text_input", "action_id": "a"}}
BUTTON = {"type": "button", "text": TEXT, "action_id": "go", "value": "1"}
ROW = {"type": "actions", "block_id": "row", "elements": [BUTTON]}
HOME = {"type": "home", "blocks": [INPUT, ROW]}
MODAL = {"type": "modal", "title": TEXT, "submit": TEXT, "blocks": [INPUT], "private_metadata": "x", "external_id": "e"}
PROMPTS = [{"title": "a", "message": "b"}]
CHUNKS = [
    {"type": "markdown_text", "text": "x"},
    {"type": "task_update", "id": "t", "title": "x", "status": "pending", "details": "d", "sources": []},
    {"type": "plan_update", "title": "x"},
    {"type": "blocks", "blocks": [ROW]},
]
MESSAGE = {
    "channel": "C0ASK",
    "text": "x",
    "thread_ts": "TS",
    "metadata": {"event_type": "a", "event_payload": {}},
    "attachments": [{"fallback": "x", "blocks": [ROW]}],
}
STREAM = {"channel": "C0ASK", "thread_ts": "TS", "recipient_user_id": "U0ADA", "recipient_team_id": "T0NORTHWIND"}
THREAD = {"channel_id": "C0ASK", "thread_ts": "TS"}
EXAMPLES: dict[str, Any] = {
    "chat.postMessage": MESSAGE,
    "chat.postEphemeral": MESSAGE | {"user": "U0ADA"},
    "chat.update": MESSAGE | {"ts": "OWN"},
    "chat.startStream": STREAM | {"chunks": CHUNKS, "task_display_mode": "plan"},
    "chat.appendStream": {"channel": "C0ASK", "ts": "STREAM", "chunks": CHUNKS, "markdown_text": "x"},
    "views.publish": {"user_id": "U0ADA", "view": HOME, "hash": ""},
    "views.open": {"trigger_id": "1.2.3", "view": MODAL},
    "blocks.validate": {"view": MODAL},
    "conversations.history": {"channel": "C0ASK", "oldest": "1.0", "latest": "2.0", "limit": 5, "cursor": "bmV4dDox"},
    "conversations.replies": {"channel": "C0ASK", "ts": "TS", "limit": 5},
    "conversations.create": {"name": "x"},
    "conversations.leave": {"channel": "C0TUNING"},
    "conversations.archive": {"channel": "C0TUNING"},
    "conversations.invite": {"channel": "C0TUNING", "users": "U0ADA,U0BEN", "force": True},
    "conversations.kick": {"channel": "C0TUNING", "user": "U0ADA"},
    "conversations.open": {"users": "U0ADA,U0BEN", "return_im": True},
    "conversations.list": {"types": "public_channel,im,mpim", "limit": 2, "cursor": "dGVhbTpDMEFTSw=="},
    "conversations.rename": {"channel": "C0ASK", "name": "x"},
    "conversations.setTopic": {"channel": "C0ASK", "topic": "x"},
    "conversations.setPurpose": {"channel": "C0ASK", "purpose": "x"},
    "chat.meMessage": {"channel": "C0ASK", "text": "x"},
    "chat.getPermalink": {"channel": "C0ASK", "message_ts": "TS"},
    "chat.scheduleMessage": MESSAGE | {"post_at": 4_000_000_000},
    "chat.unfurl": {"channel": "C0ASK", "ts": "TS", "unfurls": {"https://x.y": {"text": "x", "blocks": [ROW]}}},
    "bookmarks.add": {"channel_id": "C0ASK", "title": "x", "type": "link", "link": "https://x.y", "emoji": "eyes"},
    "bookmarks.edit": {"channel_id": "C0ASK", "bookmark_id": "Bk0", "title": "x", "link": "https://x.y"},
    "pins.add": {"channel": "C0ASK", "timestamp": "TS"},
    "pins.remove": {"channel": "C0ASK", "timestamp": "TS"},
    "reactions.list": {"user": "U0ADA", "limit": 2, "full": True},
    "files.getUploadURLExternal": {"filename": "x", "length": 5, "alt_txt": "x"},
    "files.completeUploadExternal": {"files": [{"id": "F0X", "title": "x"}], "channel_id": "C0ASK"},
    "reactions.add": {"channel": "C0ASK", "timestamp": "TS", "name": "eyes"},
    "assistant.threads.setStatus": THREAD | {"status": "x", "loading_messages": ["x"]},
    "assistant.threads.setSuggestedPrompts": {"channel_id": "C0ASK", "prompts": PROMPTS, "title": "x"},
    "assistant.threads.setTitle": THREAD | {"title": "x"},
    "agents.sessions.setStatus": THREAD | {"status": "active", "title": "x"},
    "agents.sessions.rename": THREAD | {"title": "x"},
    "users.info": {"user": "U0ADA"},
    "users.list": {"limit": 3},
}
STATE = {"values": {"b": {"a": {"type": "plain_text_input", "value": "x"}}}}
ACTED: dict[str, Any] = {
    "send": {"channel": "C0ASK", "text": "x @Luthier", "thread_ts": "TS", "file_ids": ["F0X"], "reply_broadcast": True},
    "command": {"channel": "C0ASK", "command": "/tune", "text": "x"},
    "action": {"view_id": "HOME", "block_id": "row", "action": {"type": "button", "action_id": "go"}, "state": STATE},
    "options": {"view_id": "HOME", "block_id": "row", "action_id": "go", "value": "x"},
    "view_submit": {"view_id": "HOME", "state": STATE},
    "react": {"channel": "C0ASK", "ts": "TS", "name": "eyes"},
    "read": {"channel": "C0ASK", "ts": "TS"},
    "stop": {"channel": "C0ASK", "thread_ts": "TS"},
    "shortcut": {"callback_id": "x", "channel": "C0ASK", "message_ts": "TS"},
    "home_opened": {"tab": "home"},
    "edit": {"channel": "C0ASK", "ts": "TS", "text": "x"},
    "delete": {"channel": "C0ASK", "ts": "OWN"},
    "pin": {"channel": "C0ASK", "ts": "TS"},
    "create_channel": {"name": "x", "private": True},
    "join": {"channel": "C0TUNING"},
    "leave": {"channel": "C0TUNING"},
    "invite": {"channel": "C0TUNING", "users": ["U0BEN", "U0LUTHIER"]},
    "open_dm": {"users": ["U0BEN", "U0CHI"]},
    "set_topic": {"channel": "C0ASK", "text": "x"},
}


class Target:
    """A running local Slack with things in it, and the ids of those things."""

    def __init__(self, slack: LocalSlack) -> None:
        self.slack = slack
        root = slack.send("root")["ts"]
        own = slack.web.chat_postMessage(channel="C0ASK", text="own")["ts"]
        stream = slack.web.chat_startStream(**STREAM | {"thread_ts": root})["ts"]
        home = slack.web.views_publish(user_id="U0ADA", view=HOME)["view"]["id"]
        self.ids = {"TS": root, "OWN": own, "STREAM": stream, "HOME": home}

    def post(self, path: str, body: Any) -> httpx.Response:
        """Send JSON in plain ASCII, broken halves of characters and all."""
        headers = {"content-type": "application/json"}
        return self.slack.http.post(path, content=json.dumps(body), headers=headers)

    def filled(self, value: Any) -> Any:
        """An example with real ids in place of their names."""
        text = json.dumps(value)
        for name, real in self.ids.items():
            text = text.replace(f'"{name}"', f'"{real}"')
        return json.loads(text)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One server for all examples; no app listens."""
    data: Path = tmp_path_factory.mktemp("fuzz")
    running = LocalSlack(data, retry_delays=())
    running.http.headers["authorization"] = f"Bearer {BOT_TOKEN}"
    yield Target(running)
    running.stop()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in a JSON value."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def spoiled(value: Any, seed: int, number: int) -> Iterator[Any]:
    """Copies with one or two parts replaced by junk."""
    chance = random.Random(seed)
    for _ in range(number):
        made = copy.deepcopy(value)
        for _ in range(chance.choice([1, 1, 2])):
            *way, last = chance.choice(list(places(made)))
            inner = made
            for key in way:
                inner = inner[key]
            inner[last] = copy.deepcopy(chance.choice(JUNK))
            if not made:
                break
        yield made


def test_the_examples_are_good(target: Target) -> None:
    """Unspoiled, the examples do what they say, so that spoiling reaches past the first check."""
    for method in (
        "chat.postMessage",
        "chat.update",
        "views.publish",
        "assistant.threads.setStatus",
        "blocks.validate",
    ):
        answer = target.post(f"/api/{method}", target.filled(EXAMPLES[method])).json()
        assert answer["ok"], answer
    home = target.slack.home()
    assert home
    assert find_element(home, "go")[0] == "row"


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_answers_spoiled_arguments(target: Target, method: str) -> None:
    """Whatever one part of a good call is replaced by, the answer is JSON with `ok`."""
    example = target.filled(EXAMPLES.get(method, {"channel": "C0ASK", "ts": "TS", "user": "U0ADA", "view": MODAL}))
    for body in [example, *spoiled(example, 1, 120)]:
        answer = target.post(f"/api/{method}", body)
        assert answer.status_code == 200, (body, answer.text)
        assert isinstance(answer.json()["ok"], bool)


@pytest.mark.parametrize("place", range(len(BLOCKS)))
def test_every_block_may_be_spoiled(target: Target, place: int) -> None:
    """Each kind of block with junk in it is posted or refused, and what is posted can be read again."""
    for block in spoiled([BLOCKS[place]], place, 15):
        body = {"channel": "C0TUNING", "text": "x", "blocks": block}
        answer = target.post("/api/chat.postMessage", body)
        assert answer.status_code == 200, (block, answer.text)
        if answer.json()["ok"]:
            target.post("/api/chat.delete", {"channel": "C0TUNING", "ts": answer.json()["ts"]})


@pytest.mark.parametrize("act", sorted(ACTS))
def test_every_act_of_the_page_answers_spoiled_bodies(target: Target, act: str) -> None:
    """The page's own protocol is as robust."""
    example = target.filled({"user": "U0ADA", **ACTED.get(act, {"view_id": "HOME"})})
    for body in [example, *spoiled(example, 2, 120)]:
        answer = target.post(f"/_local/{act}", body)
        assert answer.status_code == 200, (body, answer.text)
        assert isinstance(answer.json()["ok"], bool)
