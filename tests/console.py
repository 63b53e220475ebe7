"""A real local Slack on a free port for any test: `local_slack` gives a client that acts as people do at the page."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from slack_sdk import WebClient

from bot.console.api.registry import FORM_ONLY
from bot.console.manifest import Manifest
from bot.console.server import create_app
from bot.console.site import Site
from bot.console.workspace import ConsoleSettings, Workspace

Json = dict[str, Any]
SIGNING_SECRET = "local-signing-secret"
BOT_TOKEN = "xoxb-local-token"
APP_TOKEN = "xapp-1-local-token"
CLIENT_ID = "11.22"
CLIENT_SECRET = "local-client-secret"
NOWHERE = "http://127.0.0.1:9/slack/events"


class LocalSlack:
    """One running local Slack, and hands to use it with."""

    def __init__(
        self, data: Path, *, app_url: str = NOWHERE, manifest: Manifest | None = None, **settings: Any
    ) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", settings.pop("port", 0)))
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.signing_secret, self.bot_token = SIGNING_SECRET, BOT_TOKEN
        now = settings.pop("now", time.time)
        tokens = [BOT_TOKEN, *(f"{BOT_TOKEN}-{place}" for place in range(1, settings.pop("workspaces", 1)))]
        chosen = ConsoleSettings(
            port=self.port,
            app_url=app_url,
            data=data,
            signing_secret=SIGNING_SECRET,
            bot_tokens=tokens,
            app_token=APP_TOKEN,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            manifest=manifest or Manifest(),
            **settings,
        )
        app = create_app(chosen, now)
        self.site: Site = app.state.site
        self.space: Workspace = self.site.team("")
        config = uvicorn.Config(
            app, log_level="error", access_log=False, ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        self.web = WebClient(token=BOT_TOKEN, base_url=f"{self.url}/api/")
        self.http = httpx.Client(
            base_url=self.url,
            headers={"X-Local-Slack": "1"},
            trust_env=False,
            verify=False,  # plain http: reading certificates would take longer than everything else here
            timeout=30,
        )
        wait_for(lambda: self._server.started, what="the local Slack starts")

    def stop(self) -> None:
        """Stop the server and wait for it."""
        self.http.close()
        self._server.should_exit = True
        self._thread.join(10)

    def point_at(self, app_url: str) -> None:
        """Deliver to an app that started after this local Slack."""
        self.site.http.app_url = app_url

    # What people do.

    def send(
        self, text: str, *, channel: str = "C0ASK", user: str = "U0ADA", thread_ts: str = "", files: Any = ()
    ) -> Json:
        """Post a message; gives the message object."""
        body = {"channel": channel, "text": text, "thread_ts": thread_ts, "file_ids": list(files)}
        return self.act("send", user=user, **body)["message"]

    def dm(self, text: str, *, user: str = "U0ADA", thread_ts: str = "", files: Any = ()) -> Json:
        """Write to the app in a direct message."""
        return self.send(text, channel=self.dm_of(user), user=user, thread_ts=thread_ts, files=files)

    def dm_of(self, user: str = "U0ADA") -> str:
        """The channel of a person's direct message with the app."""
        return f"D0{user[2:]}"

    def command(self, line: str, *, channel: str = "C0ASK", user: str = "U0ADA") -> Json:
        """Run a slash command as it is typed, such as `/tune help`."""
        name, _, text = line.partition(" ")
        return self.act("command", user=user, channel=channel, command=name, text=text)

    def upload(self, name: str, content: bytes, *, user: str = "U0ADA") -> Json:
        """Upload a file; gives the file object, to be sent or put into a modal."""
        answer = self.http.post("/_local/upload", params={"user": user, "name": name}, content=content).json()
        assert answer["ok"], answer
        return answer["file"]

    def click(self, where: Json, action: str, *, user: str = "U0ADA", state: Json | None = None, **used: Any) -> Json:
        """Use the element of a message or view whose action_id, or button text, is `action`."""
        block_id, element = find_element(where, action)
        spot = {"view_id": where["id"]} if "id" in where and "ts" not in where else {}
        spot = spot or {"channel": where["channel"], "message_ts": where["ts"]}
        made = {"type": element["type"], "action_id": element["action_id"], **used}
        return self.act("action", user=user, block_id=block_id, action=made, state=state, **spot)

    def submit(self, view: Json, values: Json | None = None, *, user: str = "U0ADA") -> Json:
        """Submit a modal; `values` holds plain values by action_id: texts, option values, ids, uploaded files."""
        state = form_state(view, values or {})
        return self.act("view_submit", user=user, view_id=view["id"], state=state)

    def connect(self, user: str = "U0BEN", team: str = "T9ELSEWHERE", channel: str = "C0ASK") -> None:
        """Make a channel one that two companies share, as Slack Connect does, and a person one of the other company."""
        self.space.store.put("channel", channel, {**self.space.channel(channel), "is_ext_shared": True})
        person = self.space.user(user)
        profile = {**person["profile"], "team": team}
        self.space.store.put("user", user, {**person, "team_id": team, "profile": profile})

    def act(self, name: str, /, **body: Any) -> Json:
        """Any POST of the page's protocol; a refusal of a test's own input fails the test with its text."""
        answer = self.http.post(f"/_local/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # What people see.

    def messages(self, channel: str = "C0ASK", thread_ts: str = "", *, user: str = "U0ADA") -> list[Json]:
        """Messages of a channel or thread, oldest first."""
        return self.page("messages", user=user, channel=channel, thread_ts=thread_ts)["messages"]

    def views(self, user: str = "U0ADA") -> list[Json]:
        """Open modals, the first opened first."""
        return self.page("views", user=user)["views"]

    def home(self, user: str = "U0ADA") -> Json | None:
        """The Home view."""
        return self.page("home", user=user)["view"]

    def page(self, name: str, **params: str) -> Json:
        """Any GET of the page's protocol."""
        return self.http.get(f"/_local/{name}", params=params).json()

    def wait_message(
        self,
        wanted: Callable[[Json], bool] | str,
        *,
        channel: str = "C0ASK",
        thread_ts: str = "",
        user: str = "U0ADA",
        timeout: float = 10,
    ) -> Json:
        """Wait for a message that holds a text, anywhere in it, or fits a function."""
        fits = (
            (lambda message: wanted in json.dumps(message, ensure_ascii=False)) if isinstance(wanted, str) else wanted
        )

        def found() -> Json | None:
            return next((each for each in reversed(self.messages(channel, thread_ts, user=user)) if fits(each)), None)

        return wait_for(
            found, timeout, what=f"a message with {wanted!r}", seen=lambda: self.messages(channel, thread_ts)
        )

    def wait_view(self, user: str = "U0ADA", timeout: float = 5, title: str = "") -> Json:
        """Wait for a modal on top, with this title where one is given; gives it."""

        def top() -> Json | None:
            shown = self.views(user)
            return shown[-1] if shown and title in shown[-1]["title"]["text"] else None

        return wait_for(top, timeout, what=f"a modal {title!r}", seen=lambda: self.views(user))

    @contextlib.contextmanager
    def events(self, user: str = "U0ADA") -> Iterator[Iterator[Json]]:
        """The page's live events, from now on."""
        with self.http.stream("GET", "/_local/events", params={"user": user}, timeout=10) as stream:
            lines = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
            assert next(lines)["type"] == "hello"
            yield lines


def carried(method: str, given: Json) -> Json:
    """How a call carries its arguments: as JSON where Slack reads it, else as a form."""
    if method not in FORM_ONLY:
        return {"json": given}
    return {"data": {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}}


def wait_for(check: Callable[[], Any], timeout: float = 15, *, what: str, seen: Callable[[], Any] | None = None) -> Any:
    """Ask until there is an answer; fail with what was seen instead."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    text = json.dumps(seen(), indent=1, ensure_ascii=False)[-4000:] if seen else ""
    raise AssertionError(f"Waited {timeout} s in vain for {what}. {text}")


def find_element(where: Json, name: str) -> tuple[str, Json]:
    """(block_id, element) of the element with this action_id or button text, in a message or view."""
    for block_id, element in _elements(where.get("blocks", []), ""):
        text = element.get("text")
        label = text.get("text") if isinstance(text, dict) else text
        if name in (element.get("action_id"), label):
            return block_id, element
    raise AssertionError(f"No element {name!r} in {json.dumps(where, ensure_ascii=False)[:3000]}")


def _elements(parts: list[Json], block_id: str) -> Iterator[tuple[str, Json]]:
    for part in parts:
        if not isinstance(part, dict):
            continue
        inner = part.get("block_id", block_id)
        if "action_id" in part:
            yield inner, part
        for name in ("elements", "actions", "child_blocks", "accessory", "element"):
            value = part.get(name)
            if value:
                yield from _elements(value if isinstance(value, list) else [value], inner)


def form_state(view: Json, values: Json) -> Json:
    """Slack's `state` for plain values by action_id; what is not named keeps its default."""
    state: dict[str, Json] = {}
    for name, value in values.items():
        block_id, element = find_element(view, name)
        state.setdefault(block_id, {})[name] = {"type": element["type"], **_entered(element, value)}
    return {"values": state}


def _entered(element: Json, value: Any) -> Json:
    kind = element["type"]
    if kind.endswith("_input") and kind not in ("file_input", "rich_text_input"):
        return {"value": value}
    if kind == "file_input":
        return {"files": value}
    if kind in ("static_select", "radio_buttons"):
        return {"selected_option": _option(element, value) if value else None}  # emptied
    if kind in ("checkboxes", "multi_static_select"):
        return {"selected_options": [_option(element, each) for each in value]}
    keys = {"users_select": "selected_user", "channels_select": "selected_channel", "datepicker": "selected_date"}
    keys |= {"conversations_select": "selected_conversation", "external_select": "selected_option"}
    return {keys[kind]: value}


def _option(element: Json, value: str) -> Json:
    groups = element.get("option_groups", [])
    options = [*element.get("options", []), *(option for group in groups for option in group["options"])]
    return next(option for option in options if value in (option["value"], option["text"]["text"]))


@pytest.fixture
def local_slack(tmp_path: Path) -> Iterator[LocalSlack]:
    """A local Slack with an empty history; `point_at` tells it where the app is."""
    slack = LocalSlack(tmp_path / "console")
    yield slack
    slack.stop()
