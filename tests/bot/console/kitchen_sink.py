"""Every block and element that Slack documents, in every state, posted through the real Web API of a local Slack."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient

from tests.bot.console.sink_inputs import ACTION_ROWS, button, elements_for, inputs, plain
from tests.bot.console.sink_rich import MARKDOWN, RICH_TEXT
from tests.console import LocalSlack

Json = dict[str, Any]
MOMENT = 1_790_000_000
EVIL = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
ROWS = '{"messages": [{"role": "user", "content": "Late parcel"}, {"role": "assistant", "content": "delivery"}]}\n'
CSV = 'queue,mails,share\ndelivery,120,"0,4"\nreturns,95,"0,3"\nbilling,80,"0,3"\n'
CODE = "def accuracy(right: int, total: int) -> float:\n    return right / total if total else 0.0\n"
EVIL_NAME = "<img src=x onerror='window.hacked = 1'>.jsonl"
EVIL_ROWS = '{"<img src=x onerror=window.hacked=1>": "<script>window.hacked = 1</script>"}\n'
FILES = {"rows.jsonl": ROWS * 12, "queues.csv": CSV, "accuracy.py": CODE, "notes.txt": "One line\n" * 14}


def mrkdwn(text: str) -> Json:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def section(text: str, **rest: Any) -> Json:
    """A section block."""
    return {"type": "section", "text": mrkdwn(text), **rest}


def rich(text: str) -> Json:
    """A rich_text object of one line."""
    return rich_line({"type": "text", "text": text})


def rich_line(*runs: Json) -> Json:
    """A rich_text object of one line with these runs."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(runs)}]}


def chart_png(width: int = 320, height: int = 180) -> bytes:
    """A small picture that is easy to recognise: a line that rises on a pale ground."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            line = height - 20 - (height - 40) * (x / width) ** 0.5
            rows += b"\x6d\x35\xe0" if abs(y - line) < 4 else b"\xf3\xee\xfc"
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    chunks = (struct.pack(">I", len(data)) + kind + data + _crc(kind + data) for kind, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _crc(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def plain_blocks(picture: Json) -> list[Json]:
    """Sections, headers, contexts, pictures, dividers."""
    fields = [mrkdwn("*Rows*\n120"), mrkdwn("*Labels*\n4"), plain("Plain field"), mrkdwn("*Base*\n`SmolLM2-135M`")]
    links = "<https://example.com|a link>, <mailto:ada@example.com|a mail>, <#C0GENERAL>, <@U0BEN>, <!here>"
    moment = f"<!date^{MOMENT}^{{date_long}} at {{time}}|then>"
    return [
        *({"type": "header", "text": plain(f"Header level {level}"), "level": level} for level in (1, 2, 3, 4)),
        section(f"*Bold*, _italic_, ~struck~, `code`, :tada:, {links}, {moment}\n>quoted\n```pre\n  formatted```"),
        {"type": "section", "fields": fields},
        section("A section with fields", fields=fields[:2]),
        section("A long section is folded.\n" + "\n".join(f"Line {place}" for place in range(30))),
        {"type": "divider"},
        {
            "type": "context",
            "elements": [
                {"type": "image", "slack_file": {"id": picture["id"]}, "alt_text": "A rising line"},
                mrkdwn("*Context* with a <https://example.com|link>"),
                plain("and plain text :eyes:"),
            ],
        },
        {"type": "image", "slack_file": {"id": picture["id"]}, "alt_text": "A rising line", "title": plain("Loss")},
        {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "A picture elsewhere"},
    ]


def accessories(picture: Json) -> list[Json]:
    """A section with every accessory."""
    shown = {"type": "image", "slack_file": {"id": picture["id"]}, "alt_text": "A rising line"}
    parts = [shown, *elements_for("accessory")]
    return [section(f"Section with *{part['type']}*", accessory=part) for part in parts]


def task(task_id: str, title: str, status: str, **rest: Any) -> Json:
    """A task_card block."""
    return {"type": "task_card", "task_id": task_id, "title": title, "status": status, **rest}


def agent_blocks() -> list[Json]:
    """Tasks, plans, feedback."""
    source = {"type": "url", "url": "https://example.com/qlora", "text": "QLoRA paper"}
    tasks = [
        task("1", "Read the rows", "complete", output=rich("120 rows")),
        task("2", "Weigh the options", "in_progress", details=rich("RAG against tuning"), sources=[source]),
        task("3", "Price it", "error", details=rich("No price list")),
        task("4", "Answer", "pending"),
    ]
    feedback = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "up", "accessibility_label": "Good answer"},
        "negative_button": {"text": plain("Bad"), "value": "down", "accessibility_label": "Bad answer"},
    }
    trash = {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "action_id": "bin", "value": "x"}
    return [
        {"type": "plan", "title": "Weighing it up", "tasks": tasks},
        {**tasks[1], "task_id": "5", "title": "A task by itself"},
        {"type": "context_actions", "elements": [feedback, trash]},
    ]


def framed_blocks(picture: Json) -> list[Json]:
    """Alerts, cards, carousels, containers."""
    image = {"type": "image", "slack_file": {"id": picture["id"]}, "alt_text": "A rising line"}
    card = {
        "type": "card",
        "hero_image": image,
        "icon": image,
        "title": mrkdwn("*tickets-v2*"),
        "subtitle": mrkdwn("SmolLM2-135M"),
        "body": mrkdwn("36 of 40 right on unseen rows."),
        "actions": [button("card-try", "Try it", style="primary"), button("card-more", "Details")],
    }
    small: Json = {"type": "card", "body": mrkdwn("Text only."), "actions": [button("go", "Go")]}
    levels = ("default", "info", "warning", "error", "success")
    row = {"type": "actions", "elements": [button("in", "In")]}
    child = [section("*DCW-1024*\nOpen → Closed"), {"type": "divider"}, row]
    named = {"title": plain("Assumptions"), "subtitle": plain("three of them")}
    container = {"type": "container", **named, "child_blocks": child}
    return [
        *({"type": "alert", "level": level, "text": mrkdwn(f"An alert of level *{level}*.")} for level in levels),
        card,
        {"type": "carousel", "elements": [{**small, "title": mrkdwn(f"Card {place}")} for place in range(1, 6)]},
        {**container, "is_collapsible": True, "default_collapsed": True},
        {**container, "width": "narrow", "icon": image, "has_header_divider": True},
        {**container, "width": "full", "is_collapsible": True},
    ]


def remote_blocks() -> list[Json]:
    """Videos and accounts elsewhere."""
    account = {"type": "auth_provider", "value": "jira", "name": plain("Jira"), "auth_url": "https://example.com/in"}
    return [
        {
            "type": "video",
            "title": plain("How QLoRA works"),
            "title_url": "https://example.com/v",
            "video_url": "https://example.com/embed",
            "thumbnail_url": "https://example.com/still.png",
            "alt_text": "A lecture",
            "description": plain("Twelve minutes."),
            "provider_name": "Lectures",
            "author_name": "Tim",
        },
        {**account, "is_connected": False, "description": plain("See the tickets of your team.")},
        {
            **account,
            "is_connected": True,
            "connected_identity": plain("ada@example.com"),
            "disconnect_url": "https://example.com/out",
        },
    ]


def tables() -> Iterator[list[Json]]:
    """One message for each kind of table, as Slack takes one table a message."""
    head = [{"type": "raw_text", "text": text} for text in ("Arm", "Right", "Share", "Why")]
    arms = (("Zero-shot", 24, 0.61), ("Few-shot", 37, 0.93), ("RAG", 36, 0.9), ("Tuned", 38, 0.95))
    long = "A long reason that would not fit on one line of a narrow column, so that wrapping can be seen."
    bold = {"type": "text", "text": "bold", "style": {"bold": True}}
    link = {"type": "link", "url": "https://example.com", "text": "source"}
    why = rich_line(bold, {"type": "text", "text": " and "}, link)

    def row(place: int, name: str, right: int, share: float) -> list[Json]:
        numbers = [(right, str(right)), (share, f"{share:.0%}")]
        cells: list[Json] = [{"type": "raw_number", "value": value, "text": text} for value, text in numbers]
        return [{"type": "raw_text", "text": name}, *cells, why if place else {"type": "raw_text", "text": long}]

    rows = [row(place, *arm) for place, arm in enumerate(arms)]
    settings = [{"is_wrapped": True}, {"align": "center"}, {"align": "right"}, {"is_wrapped": True}]
    yield [{"type": "table", "rows": [head, *rows], "column_settings": settings}]
    yield [{"type": "table", "rows": [head, *rows]}]
    paged = {"page_size": 3, "row_header_column_index": 0}
    yield [{"type": "data_table", "caption": "Bake-off", "rows": [head, *rows, *rows], **paged}]


def series(name: str, labels: list[str], *values: float) -> Json:
    """One series of a chart."""
    data = [{"label": label, "value": value} for label, value in zip(labels, values, strict=True)]
    return {"name": name, "data": data}


def visual(title: str, kind: str, **rest: Any) -> Json:
    """A data_visualization block."""
    return {"type": "data_visualization", "title": title, "chart": {"type": kind, **rest}}


def charts() -> Iterator[list[Json]]:
    """Two charts a message."""
    epochs = ["1", "2", "3", "4", "5", "6"]
    arms = ["zero-shot", "few-shot", "RAG", "tuned"]
    queues = (("delivery", 45), ("returns", 28), ("billing", 18), ("other", 9))
    bars = [series("right", arms, 61, 93, 90, 95), series("change", arms, -4, 12, 9, -1.5)]
    yield [
        visual("Queues", "pie", segments=[{"label": name, "value": value} for name, value in queues]),
        visual("Share right", "bar", series=bars, axis_config={"categories": arms, "y_label": "Percent"}),
    ]
    losses = [
        series("train", epochs, 2.1, 1.4, 0.9, 0.6, 0.45, 0.41),
        series("held-out", epochs, 2.2, 1.6, 1.2, 1.0, 0.95, 0.97),
    ]
    axes = {"categories": epochs, "x_label": "Epoch", "y_label": "Loss"}
    yield [
        visual("Loss", "line", series=losses, axis_config=axes),
        visual("Loss, as area", "area", series=losses, axis_config=axes),
    ]


def attachments() -> list[Json]:
    """Legacy attachments and an unfurled link."""
    legacy = {
        "fallback": "Build 41 failed",
        "color": "#b3261e",
        "pretext": "From the *build*",
        "author_name": "CI",
        "author_link": "https://example.com/ci",
        "title": "Build 41 failed",
        "title_link": "https://example.com/41",
        "text": "2 of 310 tests: `test_a`, `test_b`",
        "fields": [
            {"title": "Priority", "value": "*High*", "short": True},
            {"title": "Owner", "value": "<@U0BEN>", "short": True},
            {"title": "Log", "value": "A field over the whole width.", "short": False},
        ],
        "actions": [
            {"type": "button", "text": "Open", "url": "https://example.com/41"},
            {"type": "button", "name": "again", "text": "Again", "style": "primary", "value": "1"},
        ],
        "thumb_url": "https://example.com/t.png",
        "footer": "ci.example.com",
        "ts": MOMENT,
    }
    unfurl = {
        "from_url": "https://example.com/qlora",
        "service_name": "arXiv",
        "title": "QLoRA",
        "title_link": "https://example.com/qlora",
        "text": "Efficient finetuning of quantized models",
        "image_url": "https://example.com/q.png",
    }
    row = {"type": "actions", "elements": [button("att", "Use")]}
    return [legacy, unfurl, {"color": "good", "blocks": [section("An attachment of *blocks*"), row]}]


def hostile() -> list[Json]:
    """Script and foreign addresses wherever a text or an address may stand."""
    date = {"type": "date", "timestamp": MOMENT, "format": EVIL, "fallback": "x"}
    color = {"type": "color", "value": "url(https://example.com/leak)"}
    link = {"type": "link", "url": "https://example.com", "text": EVIL}
    markdown = "[x](javascript:window.hacked=1) ![y](data:text/html;base64,PHNjcmlwdD4=) <b onclick=x>b</b>"
    source = {"type": "url", "url": "https://example.com", "text": EVIL}
    labels = [EVIL[:20], "b"]
    links = "<javascript:window.hacked=1|click> <data:text/html,x|data>"
    return [
        section(f"{EVIL} {links}", fields=[mrkdwn(EVIL), plain(EVIL)]),
        {"type": "header", "text": plain(EVIL)},
        {"type": "markdown", "text": f"{EVIL}\n\n{markdown}"},
        rich_line({"type": "text", "text": EVIL}, link, color, date),
        visual(EVIL[:50], "bar", series=[series(EVIL[:20], labels, 1, 2)], axis_config={"categories": labels}),
        {"type": "actions", "elements": [button("evil", EVIL[:75])]},
        task("e", EVIL, "complete", sources=[source]),
    ]


def messages(picture: Json) -> Iterator[tuple[str, Json]]:
    """(name, arguments of chat.postMessage) of every message."""
    yield "plain", {"blocks": plain_blocks(picture)}
    yield "accessories", {"blocks": accessories(picture)}
    yield "actions", {"blocks": ACTION_ROWS}
    yield "rich text", {"blocks": [{"type": "rich_text", "elements": RICH_TEXT}]}
    yield "markdown", {"blocks": [{"type": "markdown", "text": MARKDOWN}]}
    for place, blocks in enumerate(tables()):
        yield f"table {place}", {"blocks": blocks}
    for place, blocks in enumerate(charts()):
        yield f"charts {place}", {"blocks": blocks}
    yield "frames", {"blocks": framed_blocks(picture)}
    yield "elsewhere", {"blocks": remote_blocks()}
    yield "agent", {"blocks": agent_blocks()}
    yield "attachments", {"attachments": attachments()}
    yield "hostile", {"blocks": hostile()}


def modal(picture: Json) -> Json:
    """A modal with an input of every kind."""
    image = {"type": "image", "slack_file": {"id": picture["id"]}, "alt_text": "A rising line"}
    lead = [section("Every *input* there is."), image]
    more = {"type": "actions", "block_id": "more", "elements": [button("push", "One more…")]}
    return {
        "type": "modal",
        "callback_id": "sink",
        "title": plain("Kitchen sink"),
        "submit": plain("Submit"),
        "blocks": [*lead, *inputs("modal"), more],
    }


def home(picture: Json) -> Json:
    """A Home tab with blocks, cards and inputs."""
    frames = [block for block in framed_blocks(picture) if block["type"] in ("card", "carousel")]
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain("Waiting for you")},
            section("*Quote #41* · tickets-v2", accessory=button("open", "Open", style="primary")),
            {"type": "context", "elements": [mrkdwn("valid 24 h · $0")]},
            {"type": "divider"},
            *frames,
            *inputs("home"),
        ],
    }


def post_all(slack: LocalSlack, channel: str = "C0ASK") -> Json:
    """Post everything; gives the uploaded picture's file object."""
    picture = slack.upload("loss.png", chart_png())
    for name, arguments in messages(picture):
        post(slack.web, channel, name, arguments)
    texts = {**FILES, EVIL_NAME: EVIL_ROWS}
    files = [slack.upload(name, text.encode())["id"] for name, text in texts.items()]
    slack.send("Files", channel=channel, files=files)
    slack.send("A picture", channel=channel, files=[picture["id"]])
    return picture


def post(web: WebClient, channel: str, name: str, arguments: Json) -> str:
    """Post one message around the SDK's own checks, as Slack's have to be met; gives its ts."""
    sent = web.api_call("chat.postMessage", json={"channel": channel, "text": name, **arguments})
    return str(sent["ts"])
