"""Every limit of content, on both sides of it, over HTTP: what just fits is taken, one more is refused in words."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.console.limits import limit, limits
from tests.bot.console import samples as s
from tests.console import BOT_TOKEN, LocalSlack

CHANNEL = "C0TUNING"
LONG = "must be less than {over} characters"
MANY = "no more than {most} items allowed"
HIGH = "must be less than {most}"


class Case(NamedTuple):
    """A limit by its name in limits.toml, and a call that reaches a given size."""

    key: str
    """Table and key."""
    make: Callable[[int], tuple[str, Any]]
    """Method and arguments for a size."""
    words: str
    """What Slack says one beyond, with {most} and {over} for the numbers."""
    error: str = "invalid_blocks"
    """The error code one beyond."""


def posted(*blocks: Any, **body: Any) -> tuple[str, Any]:
    """Post a message."""
    return "chat.postMessage", {"channel": CHANNEL, "text": "x", "blocks": list(blocks), **body}


def validated(view: Any) -> tuple[str, Any]:
    """Check a modal, which cannot be opened without a click."""
    return "blocks.validate", {"view": view}


def published(view: Any) -> tuple[str, Any]:
    """Show a Home view."""
    return "views.publish", {"user_id": "U0ADA", "view": view}


def block(key: str, make: Callable[[int], Any], words: str = LONG) -> Case:
    """A limit that one block of a message shows."""
    return Case(f"block.{key}", lambda n: posted(make(n)), words)


def element(key: str, make: Callable[[int], Any], words: str = LONG) -> Case:
    """A limit that one element of an actions block shows."""
    return Case(f"element.{key}", lambda n: posted(s.actions(make(n))), words)


def entered(key: str, make: Callable[[int], Any], words: str = LONG) -> Case:
    """A limit that one element of an input in a Home view shows."""
    return Case(f"element.{key}", lambda n: published(s.home(s.entry(make(n)))), words, "invalid_arguments")


def of_view(key: str, make: Callable[[int], Any], words: str = LONG, error: str = "invalid_arguments") -> Case:
    """A limit that a Home view shows."""
    return Case(f"view.{key}", lambda n: published(make(n)), words, error)


def of_modal(key: str, make: Callable[[int], Any], words: str = LONG) -> Case:
    """A limit that only a modal shows."""
    return Case(key, lambda n: validated(make(n)), words, "invalid_")


def of_message(key: str, words: str, error: str, make: Callable[[int], tuple[str, Any]]) -> Case:
    """A limit of a message as a whole."""
    return Case(f"message.{key}", make, words, error)


def crowd(make: Callable[[int], Any]) -> Callable[[int], tuple[str, Any]]:
    """So many blocks in a message."""
    return lambda n: posted(*[make(place) for place in range(n)])


def split(total: int, most: int) -> list[int]:
    """A total in parts of at most `most`."""
    return [most] * (total // most) + ([total % most] if total % most else [])


def heavy(size: int) -> Any:
    """A Home view whose JSON has exactly so many characters."""
    view = s.home(*[s.section(text=s.mrkdwn(2900)) for _ in range(80)])
    left = size - len(json.dumps(view))
    rows = [s.section(text=s.mrkdwn(1)) for _ in range(10)]
    view["blocks"] += rows
    left = size - len(json.dumps(view))
    for row in rows:
        more = min(left, 2900)
        row["text"]["text"] += "x" * more
        left -= more
    assert left == 0
    assert len(json.dumps(view)) == size
    return view


def described(size: int) -> Any:
    """Metadata whose JSON has exactly so many characters."""
    made: Any = {"event_type": "a", "event_payload": {"b": ""}}
    made["event_payload"]["b"] = "x" * (size - len(json.dumps(made)))
    return made


def filled(rows: int, columns: int, characters: int) -> list[Any]:
    """Rows of cells with so many characters in all."""
    cells = rows * columns
    sizes = [characters // cells + (1 if place < characters % cells else 0) for place in range(cells)]
    return [[s.cell(size) for size in sizes[row * columns : (row + 1) * columns]] for row in range(rows)]


MESSAGES = [
    of_message("blocks", MANY, "invalid_blocks", crowd(lambda _: {"type": "divider"})),
    of_message("text_update", "", "msg_too_long", lambda n: ("chat.update", {"text": "x" * n})),
    of_message("markdown", "", "msg_too_long", lambda n: ("chat.postMessage", {"markdown_text": "x" * n})),
    of_message("markdown", LONG, "invalid_blocks", lambda n: posted({"type": "markdown", "text": "x" * n})),
    of_message(
        "markdown",
        LONG,
        "invalid_blocks",
        lambda n: posted(*[{"type": "markdown", "text": "x" * part} for part in split(n, 7000)]),
    ),
    of_message(
        "attachments",
        "",
        "too_many_attachments",
        lambda n: ("chat.postMessage", {"attachments": [{"text": "x", "fallback": "x"}] * n}),
    ),
    of_message(
        "metadata_bytes",
        "",
        "metadata_too_large",
        lambda n: ("chat.postMessage", {"text": "x", "metadata": described(n)}),
    ),
    of_message(
        "blocks_text",
        "",
        "msg_blocks_too_long",
        lambda n: posted(*[s.section(text=s.mrkdwn(part)) for part in split(n, 3000)]),
    ),
    of_message("data_visualizations", "too many data_visualization blocks", "invalid_blocks", crowd(lambda _: s.pie())),
    of_message(
        "plans", "Cannot have more than 1 plan block", "invalid_blocks", crowd(lambda _: {"type": "plan", "title": "x"})
    ),
    of_message("tables", "only_one_table_allowed", "invalid_blocks", crowd(lambda _: s.table())),
    of_message("tables", "only_one_table_allowed", "invalid_blocks", crowd(lambda _: s.data_table())),
]
VIEWS = [
    of_view("blocks", lambda n: s.home(*[s.section()] * n), MANY),
    of_view("private_metadata", lambda n: s.home(private_metadata="x" * n)),
    of_view("callback_id", lambda n: s.home(callback_id="x" * n)),
    of_view("external_id", lambda n: s.home(external_id="x" * n)),
    of_view("bytes", heavy, "", "view_too_large"),
    of_modal("view.blocks", lambda n: s.modal(*[s.section()] * n), MANY),
    *[
        of_modal("view.title", lambda n, name=name: s.modal(**{name: s.plain(n)}))
        for name in ("title", "submit", "close")
    ],
]
BLOCKS = [
    block("block_id", lambda n: {"type": "divider", "block_id": "x" * n}),
    block("section_text", lambda n: s.section(text=s.mrkdwn(n))),
    block("section_text", lambda n: s.section(text=s.plain(n))),
    block("section_fields", lambda n: s.section(fields=[s.mrkdwn()] * n), MANY),
    block("section_field_text", lambda n: s.section(fields=[s.mrkdwn(n)])),
    block("header_text", lambda n: {"type": "header", "text": s.plain(n)}),
    block("header_level", lambda n: {"type": "header", "text": s.plain(), "level": n}, HIGH),
    block("context_elements", lambda n: {"type": "context", "elements": [s.mrkdwn()] * n}, MANY),
    block(
        "context_actions_elements", lambda n: s.context_actions(*[s.feedback(place=place) for place in range(n)]), MANY
    ),
    block("actions_elements", lambda n: s.actions(*[s.button(place) for place in range(n)]), MANY),
    block("input_label", lambda n: s.entry(s.select("plain_text_input"), label=s.plain(n))),
    block("input_hint", lambda n: s.entry(s.select("plain_text_input"), hint=s.plain(n))),
    block("image_url", lambda n: s.image(image_url=s.address(n))),
    block("image_url", lambda n: {"type": "context", "elements": [s.image(image_url=s.address(n))]}),
    block("image_alt_text", lambda n: s.image(alt_text="x" * n)),
    block("image_title", lambda n: s.image(title=s.plain(n))),
    block("table_rows", lambda n: s.table(rows=n), MANY),
    block("table_columns", lambda n: s.table(columns=n), MANY),
    block("table_columns", lambda n: s.table(column_settings=[None] * n), MANY),
    block("table_characters", lambda n: s.table() | {"rows": filled(10, 4, n)}),
    block("task_title", lambda n: s.task(title="x" * n)),
    block("card_title", lambda n: s.card(title=s.mrkdwn(n))),
    block("card_title", lambda n: s.card(subtitle=s.plain(n))),
    block("card_body", lambda n: s.card(body=s.mrkdwn(n))),
    block("card_subtext", lambda n: s.card(subtext=s.mrkdwn(n))),
    block("card_actions", lambda n: s.card(actions=[s.button(place) for place in range(n)]), MANY),
    block("carousel_cards", lambda n: {"type": "carousel", "elements": [s.card()] * n}, MANY),
    block("container_blocks", s.container, MANY),
    block("container_title", lambda n: s.container(title=s.plain(n))),
    block("container_title", lambda n: s.container(subtitle=s.mrkdwn(n))),
    block("alert_text", lambda n: {"type": "alert", "text": s.mrkdwn(n)}),
    block("provider_value", lambda n: s.provider(value="x" * n)),
    block("provider_name", lambda n: s.provider(name=s.plain(n))),
    block("provider_name", lambda n: s.provider(connected_identity=s.plain(n))),
    block("provider_description", lambda n: s.provider(description=s.plain(n))),
    block("plan_tasks", lambda n: {"type": "plan", "title": "x", "tasks": [s.task(place) for place in range(n)]}, MANY),
    block("video_title", lambda n: s.video(title=s.plain(n))),
    block("video_description", lambda n: s.video(description=s.plain(n))),
    block("video_author", lambda n: s.video(author_name="x" * n)),
    block("data_table_rows", lambda n: s.data_table(rows=n), MANY),
    block("data_table_columns", lambda n: s.data_table(columns=n), MANY),
    block("data_table_page", lambda n: s.data_table(page_size=n), HIGH),
    block("data_table_characters", lambda n: s.data_table(rows=2) | {"rows": filled(10, 4, n)}),
    block("chart_title", lambda n: s.pie() | {"title": "x" * n}),
    block("chart_parts", s.pie, MANY),
    *[block("chart_parts", lambda n, kind=kind: s.plot(series=n, kind=kind), MANY) for kind in ("line", "bar", "area")],
    block("chart_categories", lambda n: s.plot(categories=n), MANY),
    block("chart_points", lambda n: s.plot(categories=n), MANY),
    block("chart_label", lambda n: s.pie() | {"chart": {"type": "pie", "segments": [{"label": "x" * n, "value": 1}]}}),
    block("chart_axis_label", lambda n: s.plot(x_label="x" * n)),
    block("chart_axis_label", lambda n: s.plot(y_label="x" * n)),
]
ELEMENTS = [
    element("action_id", lambda n: s.button(action_id="x" * n)),
    element("button_text", lambda n: s.button(text=s.plain(n))),
    element("button_value", lambda n: s.button(value="x" * n)),
    element("button_url", lambda n: s.button(url=s.address(n))),
    element("button_url", lambda n: s.select("overflow", options=[s.option(url=s.address(n))])),
    element("button_agent_prompt", lambda n: s.button(agent_prompt="x" * n)),
    element("accessibility_label", lambda n: s.button(accessibility_label="x" * n)),
    element("option_text", lambda n: s.select(options=[s.option(text=n)])),
    element("option_value", lambda n: s.select(options=[s.option(value=n)])),
    element("option_description", lambda n: s.select(options=[s.option(description=s.plain(n))])),
    element("options", lambda n: s.select(options=[s.option()] * n), MANY),
    element("options", lambda n: s.select("multi_static_select", options=[s.option()] * n), MANY),
    element("options", lambda n: s.select(option_groups=[{"label": s.plain(), "options": [s.option()] * n}]), MANY),
    element(
        "option_groups", lambda n: s.select(option_groups=[{"label": s.plain(), "options": [s.option()]}] * n), MANY
    ),
    element("option_group_label", lambda n: s.select(option_groups=[{"label": s.plain(n), "options": [s.option()]}])),
    element("overflow_options", lambda n: s.select("overflow", options=[s.option()] * n), MANY),
    element("choice_options", lambda n: s.select("checkboxes", options=[s.option()] * n), MANY),
    element("choice_options", lambda n: s.select("radio_buttons", options=[s.option()] * n), MANY),
    element("placeholder", lambda n: s.select("users_select", placeholder=s.plain(n))),
    element("date_time", lambda n: s.select("datetimepicker", initial_date_time=n), HIGH),
    element("confirm_title", lambda n: s.button(confirm=s.confirm(title=s.plain(n)))),
    element("confirm_text", lambda n: s.button(confirm=s.confirm(text=s.mrkdwn(n)))),
    element("confirm_button", lambda n: s.button(confirm=s.confirm(confirm=s.plain(n)))),
    element("confirm_button", lambda n: s.button(confirm=s.confirm(deny=s.plain(n)))),
    Case("element.feedback_text", lambda n: posted(s.context_actions(s.feedback(text=n))), LONG),
    Case("element.feedback_value", lambda n: posted(s.context_actions(s.feedback(value=n))), LONG),
    Case("element.text_object", lambda n: posted({"type": "context", "elements": [s.mrkdwn(n)]}), LONG),
    entered("placeholder", lambda n: s.select("plain_text_input", placeholder=s.plain(n))),
    entered("input_length", lambda n: s.select("plain_text_input", max_length=n), HIGH),
    entered("input_length", lambda n: s.select("plain_text_input", min_length=n), HIGH),
    entered("input_length", lambda n: s.select("plain_text_input", initial_value="x" * n)),
    entered("input_lines", lambda n: s.select("rich_text_input", max_lines=n), HIGH),
    of_modal("element.files", lambda n: s.modal(s.entry(s.select("file_input", max_files=n))), HIGH),
]
CASES = [*MESSAGES, *VIEWS, *BLOCKS, *ELEMENTS]
ELSEWHERE = {
    "message.text_kept": "test_text_is_cut_at_its_limit",
    "view.stack": "push_limit_reached",
}
"""Limits that do not fit the form of a case, and a string that the test of each contains."""


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    """One local Slack for all cases; no app listens."""
    running = LocalSlack(tmp_path_factory.mktemp("limits"), retry_delays=())
    running.http.headers["authorization"] = f"Bearer {BOT_TOKEN}"
    yield running
    running.stop()


def call(slack: LocalSlack, method: str, body: Any) -> Any:
    """The answer of a method; a message goes to one channel, an edit to a message that is there."""
    if method.startswith("chat."):
        body = {"channel": CHANNEL, **body}
    if method == "chat.update":
        body["ts"] = slack.web.chat_postMessage(channel=CHANNEL, text="x")["ts"]
    return slack.http.post(f"/api/{method}", json=body).json()


@pytest.mark.parametrize("case", CASES, ids=[f"{place}-{case.key}" for place, case in enumerate(CASES)])
def test_each_limit_holds_on_both_sides(slack: LocalSlack, case: Case) -> None:
    """What reaches the limit is taken; one more is refused with Slack's error and words."""
    most = limit(case.key)
    taken = call(slack, *case.make(most))
    assert taken["ok"], taken
    refused = call(slack, *case.make(most + 1))
    assert not refused["ok"]
    assert refused["error"].startswith(case.error)
    assert case.words.format(most=most, over=most + 1) in json.dumps(refused, ensure_ascii=False)


def test_text_is_cut_at_its_limit(slack: LocalSlack) -> None:
    """chat.postMessage keeps the first 40,000 characters and drops the rest without an error."""
    most = limit("message.text_kept")
    for size in (most, most + 1):
        answer = call(slack, "chat.postMessage", {"text": "x" * size})
        assert len(answer["message"]["text"]) == most


def test_no_limit_of_content_is_without_a_case() -> None:
    """Whoever adds a limit to the tables of content names a case for it here."""
    tables = limits()
    named = {case.key for case in CASES} | set(ELSEWHERE)
    wanted = {
        f"{table}.{key}"
        for table in ("message", "view", "block", "element")
        for key in tables[table]
        if key not in ("source", "as_of")
    }
    assert wanted - named == set()
    assert named - wanted == set()


@pytest.mark.parametrize("words", ELSEWHERE.values())
def test_limits_tested_elsewhere_are(words: str) -> None:
    """A limit that has no case here is in the text of some test."""
    texts = [path.read_text("utf-8") for path in Path(__file__).parent.rglob("*.py")]
    assert sum(text.count(words) for text in texts) > 1
