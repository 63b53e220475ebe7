"""Small Block Kit samples for tests: each builder gives the least that Slack takes, with room for more."""

from typing import Any


def plain(length: int = 1) -> Any:
    """A plain_text object of so many characters."""
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int = 1) -> Any:
    """A mrkdwn object of so many characters."""
    return {"type": "mrkdwn", "text": "x" * length}


def address(length: int) -> str:
    """A web address of so many characters."""
    return "https://x.y/" + "z" * (length - len("https://x.y/"))


def section(**parts: Any) -> Any:
    """A section with a text, or with the given parts."""
    return {"type": "section", **({"text": mrkdwn()} | parts)}


def actions(*elements: Any) -> Any:
    """An actions block."""
    return {"type": "actions", "elements": list(elements)}


def button(place: int = 0, **parts: Any) -> Any:
    """A button with an action_id of its own."""
    return {"type": "button", "text": plain(), "action_id": f"a{place}", **parts}


def option(text: int = 1, value: int = 1, **parts: Any) -> Any:
    """An option of a menu."""
    return {"text": plain(text), "value": "x" * value, **parts}


def choices(number: int) -> list[Any]:
    """So many options, each with its own value."""
    return [{"text": plain(), "value": str(place)} for place in range(number)]


def select(kind: str = "static_select", **parts: Any) -> Any:
    """An element of any kind with an action_id."""
    return {"type": kind, "action_id": "a", **parts}


def confirm(**parts: Any) -> Any:
    """A confirmation dialog."""
    return {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **parts}


def entry(element: Any, **parts: Any) -> Any:
    """An input block around an element."""
    return {"type": "input", "label": plain(), "element": element, **parts}


def rich(*runs: Any) -> Any:
    """A rich_text block with one line."""
    line = list(runs) or [{"type": "text", "text": "x"}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": line}]}


def image(**parts: Any) -> Any:
    """An image block or element."""
    return {"type": "image", "image_url": "https://x.y/z", "alt_text": "x", **parts}


def cell(length: int = 1) -> Any:
    """A plain cell of so many characters."""
    return {"type": "raw_text", "text": "x" * length}


def table(rows: int = 1, columns: int = 1, **parts: Any) -> Any:
    """A table of plain cells."""
    return {"type": "table", "rows": [[cell()] * columns] * rows, **parts}


def data_table(rows: int = 2, columns: int = 1, **parts: Any) -> Any:
    """A data table of plain cells."""
    return {"type": "data_table", "caption": "x", "rows": [[cell()] * columns] * rows, **parts}


def pie(segments: int = 1) -> Any:
    """A pie chart."""
    parts = [{"label": "x", "value": 1}] * segments
    return {"type": "data_visualization", "title": "x", "chart": {"type": "pie", "segments": parts}}


def plot(series: int = 1, categories: int = 1, kind: str = "line", **axis: Any) -> Any:
    """A chart with axes."""
    names = [str(place) for place in range(categories)]
    data = [{"label": name, "value": -1.5} for name in names]
    lines = [{"name": f"s{place}", "data": data} for place in range(series)]
    chart = {"type": kind, "series": lines, "axis_config": {"categories": names, **axis}}
    return {"type": "data_visualization", "title": "x", "chart": chart}


def feedback(text: int = 1, value: int = 1, place: int = 0) -> Any:
    """Feedback buttons."""
    part = {"text": plain(text), "value": "x" * value}
    return {"type": "feedback_buttons", "action_id": f"a{place}", "positive_button": part, "negative_button": part}


def context_actions(*elements: Any) -> Any:
    """A context_actions block."""
    return {"type": "context_actions", "elements": list(elements)}


def task(place: int = 0, **parts: Any) -> Any:
    """A task card."""
    return {"type": "task_card", "task_id": f"t{place}", "title": "x", **parts}


def card(**parts: Any) -> Any:
    """A card."""
    return {"type": "card", "title": mrkdwn(), **parts}


def container(children: int = 1, **parts: Any) -> Any:
    """A container of dividers."""
    return {"type": "container", "title": plain(), "child_blocks": [{"type": "divider"}] * children, **parts}


def video(**parts: Any) -> Any:
    """A video."""
    urls = {"video_url": "https://x.y/v", "thumbnail_url": "https://x.y/t"}
    return {"type": "video", "alt_text": "x", "title": plain(), **urls, **parts}


def provider(**parts: Any) -> Any:
    """An auth_provider block."""
    return {"type": "auth_provider", "value": "x", "name": plain(), "is_connected": False, **parts}


def modal(*blocks: Any, **parts: Any) -> Any:
    """A modal with these blocks; it can be submitted."""
    return {"type": "modal", "title": plain(), "submit": plain(), "blocks": list(blocks) or [section()], **parts}


def home(*blocks: Any, **parts: Any) -> Any:
    """A Home view with these blocks."""
    return {"type": "home", "blocks": list(blocks) or [section()], **parts}
