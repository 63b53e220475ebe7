"""What Slack accepts as blocks, in messages, modals and Home. Knows their limits and words problems; draws nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from bot.console.clock import short_id
from bot.console.elements import IMAGE, INPUTS, INTERACTIVE, KINDS, SLACK_FILE, element, plain, text
from bot.console.limits import limit
from bot.console.schema import (
    Check,
    anything,
    boolean,
    both,
    choice,
    integer,
    items,
    one_of,
    problem,
    record,
    string,
    typed,
    url,
)
from bot.console.wire import Json

B = "block."
BLOCK_ID = {"block_id": string(limit(B + "block_id"))}
ANY_OBJECT = record({}, {}, is_open=True)
RICH_TEXT = record({"elements": items(typed(lambda: RICH_PARTS), least=0)}, {**BLOCK_ID, "type": choice("rich_text")})
RICH_LINE = {"elements": items(ANY_OBJECT, least=0)}
RICH_PARTS: Mapping[str, Check] = {
    "rich_text_section": record(RICH_LINE, {}),
    "rich_text_quote": record(RICH_LINE, {"border": integer(0, 1)}),
    "rich_text_preformatted": record(RICH_LINE, {"border": integer(0, 1), "language": string()}),
    "rich_text_list": record(
        {**RICH_LINE, "style": choice("bullet", "ordered")},
        {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": integer(0, 1)},
    ),
}


def _block(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    return record(required, {**BLOCK_ID, **(optional or {})})


def _nested(*kinds: str) -> Check:
    """A block of one of these kinds inside another block."""
    return typed(lambda: {kind: KNOWN[kind] for kind in kinds})


SECTION = both(
    _block(
        {},
        {
            "text": text(limit(B + "section_text")),
            "fields": items(text(limit(B + "section_field_text")), limit(B + "section_fields")),
            "accessory": element(INTERACTIVE | {"image"}),
            "expand": boolean,
        },
    ),
    one_of("text", "fields"),
)
IMAGE_BLOCK = both(
    _block(
        {"alt_text": string(limit(B + "image_alt_text"))},
        {
            "image_url": url(limit(B + "image_url")),
            "slack_file": SLACK_FILE,
            "title": plain(limit(B + "image_title")),
        },
    ),
    one_of("image_url", "slack_file"),
)
CONTEXT_PART = typed(lambda: {"image": IMAGE, "plain_text": text(3000), "mrkdwn": text(3000)})
CELL = typed(
    lambda: {
        "rich_text": RICH_TEXT,
        "raw_text": record({"text": string(least=0)}, {}),
        "raw_number": record({"value": anything}, {"text": string()}),
    }
)
TASK = _block(
    {"task_id": string(), "title": string(limit(B + "task_title"))},
    {
        "status": choice("pending", "in_progress", "complete", "error"),
        "details": RICH_TEXT,
        "output": RICH_TEXT,
        "sources": items(record({"url": url(3000), "text": string()}, {}), least=0),
    },
)
CARD = _block(
    {},
    {
        "hero_image": IMAGE,
        "icon": IMAGE,
        "slack_icon": ANY_OBJECT,
        "title": text(limit(B + "card_title")),
        "subtitle": text(limit(B + "card_title")),
        "body": text(limit(B + "card_body")),
        "actions": items(element(frozenset({"button", "overflow"}))),
    },
)
CHILDREN = ("section", "divider", "image", "actions", "context", "header", "markdown", "rich_text", "table")
CONTAINER = _block(
    {"child_blocks": items(_nested(*CHILDREN, "alert"), limit(B + "container_blocks"))},
    {
        "title": text(limit(B + "card_title")),
        "rich_text_title": RICH_TEXT,
        "subtitle": text(limit(B + "card_title")),
        "width": choice("narrow", "standard", "wide", "full"),
        "icon": IMAGE,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
)
VIDEO = _block(
    {
        "alt_text": string(),
        "title": plain(limit(B + "video_title")),
        "video_url": url(3000),
        "thumbnail_url": url(3000),
    },
    {
        "title_url": url(3000),
        "description": plain(limit(B + "video_description")),
        "provider_icon_url": url(3000),
        "provider_name": string(),
        "author_name": string(limit(B + "video_author")),
    },
)
POINT = record({"label": string(limit(B + "chart_label")), "value": anything}, {})
AXES = record(
    {"categories": items(string(limit(B + "chart_label")), 20)},
    {"x_label": string(limit(B + "chart_axis_label")), "y_label": string(limit(B + "chart_axis_label"))},
)
SERIES = record({"name": string(limit(B + "chart_label")), "data": items(POINT)}, {})
PLOT = record({"series": items(SERIES, limit(B + "chart_parts"))}, {"axis_config": AXES})
PIE = record({"segments": items(POINT, limit(B + "chart_parts"))}, {})
CHART = typed(lambda: {"pie": PIE, "bar": PLOT, "line": PLOT, "area": PLOT})
CONTEXT_ACTIONS = element(frozenset({"feedback_buttons", "icon_button"}))

KNOWN: Mapping[str, Check] = {
    "section": SECTION,
    "divider": _block({}),
    "image": IMAGE_BLOCK,
    "header": _block({"text": plain(limit(B + "header_text"))}, {"level": integer(1, 6)}),
    "actions": _block({"elements": items(element(INTERACTIVE), limit(B + "actions_elements"))}),
    "context": _block({"elements": items(CONTEXT_PART, limit(B + "context_elements"))}),
    "context_actions": _block({"elements": items(CONTEXT_ACTIONS, limit(B + "context_actions_elements"))}),
    "input": _block(
        {"label": plain(limit(B + "input_label")), "element": element(INPUTS)},
        {"hint": plain(limit(B + "input_hint")), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": _block({"text": string(limit("message.markdown"))}),
    "rich_text": RICH_TEXT,
    "video": VIDEO,
    "file": _block({"external_id": string(), "source": choice("remote")}),
    "call": ANY_OBJECT,
    "table": _block(
        {"rows": items(items(CELL, limit(B + "table_columns")), limit(B + "table_rows"))},
        {"column_settings": items(anything, limit(B + "table_columns"))},
    ),
    "task_card": TASK,
    "plan": _block({"title": string()}, {"tasks": items(_nested("task_card"), limit(B + "plan_tasks"), least=0)}),
    "alert": _block({"text": text(3000)}, {"level": choice("default", "info", "warning", "error", "success")}),
    "card": CARD,
    "carousel": _block({"elements": items(_nested("card"), limit(B + "carousel_cards"))}),
    "container": CONTAINER,
    "data_table": record(
        {
            "caption": string(),
            "rows": items(items(CELL, limit(B + "data_table_columns")), limit(B + "data_table_rows"), 2),
        },
        {**BLOCK_ID, "page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
        is_open=True,
    ),
    "data_visualization": _block({"title": string(limit(B + "chart_title")), "chart": CHART}),
    "auth_provider": ANY_OBJECT,
}
USABLE = frozenset(KINDS) - {"image"}
MESSAGE_ONLY = frozenset(
    {"markdown", "table", "context_actions", "task_card", "plan", "file", "data_visualization", "data_table"}
)
SURFACES = {
    "message": {kind: check for kind, check in KNOWN.items() if kind != "call"},
    "modal": {kind: check for kind, check in KNOWN.items() if kind not in MESSAGE_ONLY},
    "home": {kind: check for kind, check in KNOWN.items() if kind not in MESSAGE_ONLY},
}


def block_problems(blocks: object, surface: str = "message", pointer: str = "/blocks") -> list[str]:
    """Everything that Slack would object to, each with its JSON pointer; empty where all is well."""
    most = limit("message.blocks" if surface == "message" else "view.blocks")
    problems = list(items(typed(lambda: SURFACES[surface]), most, least=0)(blocks, pointer))
    if not problems and isinstance(blocks, list):
        problems += [*_twice(blocks, pointer), *_crowded(blocks, surface, pointer)]
    return problems


def _twice(blocks: list[Json], pointer: str) -> Iterator[str]:
    """Ids that must be unique: block_id in all, action_id in its block."""
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            yield problem(f"`block_id` {block_id} already exists for another block", f"{pointer}/{place}/block_id")
        seen.update([block_id] if block_id else [])
        actions = [part["action_id"] for part in elements_of(block) if part.get("action_id")]
        for action_id in sorted({name for name in actions if actions.count(name) > 1}):
            yield problem(f"`action_id` {action_id} already exists for another element", f"{pointer}/{place}")


def _crowded(blocks: list[Json], surface: str, pointer: str) -> Iterator[str]:
    """Blocks of which a message takes only a few, and file inputs outside modals."""
    kinds = [block["type"] for block in blocks]
    if kinds.count("data_visualization") > limit("message.data_visualizations"):
        yield problem(f"no more than {limit('message.data_visualizations')} data_visualization blocks", pointer)
    if kinds.count("table") + kinds.count("data_table") > limit("message.tables"):
        yield problem("only one table allowed", pointer)
    for place, block in enumerate(blocks):
        if surface != "modal" and block["type"] == "input" and block["element"]["type"] == "file_input":
            yield problem("unsupported type: file_input", f"{pointer}/{place}/element/type")


def elements_of(block: Json) -> Iterator[Json]:
    """The elements of a block that people can use, nested ones too."""
    parts = [*_objects(block, "elements"), *_objects(block, "actions")]
    parts += [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
    for part in parts:
        if part.get("type") in USABLE:
            yield part
        elif part.get("type") == "card":
            yield from elements_of(part)
    for child in _objects(block, "child_blocks"):
        yield from elements_of(child)


def _objects(block: Json, name: str) -> list[Json]:
    """A list of objects; kinds that this Slack does not look into may hold anything there."""
    value = block.get(name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def walk(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) pair, with the innermost block that has its own id."""
    for block in blocks:
        nested = [
            *_objects(block, "child_blocks"),
            *(part for part in _objects(block, "elements") if "block_id" in part),
        ]
        inner = [*walk(nested)]
        taken = [part for _, part in inner]
        yield from inner
        yield from ((block, part) for part in elements_of(block) if not any(part is other for other in taken))


def normalised(blocks: list[Json], new_id: Callable[[], str] = short_id) -> list[Json]:
    """Blocks as Slack keeps them: with ids where the app gave none, and the defaults of text objects."""
    return [_with_ids(_with_defaults(block), new_id) for block in blocks]


def _with_ids(block: Json, new_id: Callable[[], str]) -> Json:
    made = {"block_id": new_id(), **block} if "block_id" not in block else dict(block)
    inner = {"container": "child_blocks", "carousel": "elements"}.get(made["type"])
    if inner:
        made[inner] = [_with_ids(child, new_id) for child in made[inner]]
    for part in elements_of(made):
        if "action_id" not in part:
            part["action_id"] = new_id()
    return made


def _with_defaults(value: object) -> Json:
    if not isinstance(value, dict):
        raise TypeError("a block must be an object")
    made = {key: _deep(part) for key, part in value.items()}
    if isinstance(made.get("text"), str):
        if made.get("type") == "plain_text":
            made.setdefault("emoji", True)
        elif made.get("type") == "mrkdwn":
            made.setdefault("verbatim", False)
    return made


def _deep(value: object) -> object:
    if isinstance(value, dict):
        return _with_defaults(value)
    if isinstance(value, list):
        return [_deep(part) for part in value]
    return value


def text_of(value: object) -> int:
    """Characters of all texts in blocks, for msg_blocks_too_long."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(text_of(part) for part in value.values() if isinstance(part, dict | list))
    return sum(text_of(part) for part in value) if isinstance(value, list) else 0
