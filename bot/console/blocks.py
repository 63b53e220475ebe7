"""What Slack accepts as blocks in messages, modals and Home. Knows their limits and where they stand; draws nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from bot.console.block_rules import rule_problems, too_deep
from bot.console.block_shape import block_of
from bot.console.charts import DATA_TABLE, DATA_VISUALIZATION, TABLE
from bot.console.clock import short_id
from bot.console.elements import ACTIONS, BESIDE, IMAGE, INPUTS, KINDS, SLACK_FILE, element, plain, text
from bot.console.limits import limit
from bot.console.rich_text import ONLY_RICH_TEXT, RICH_TEXT
from bot.console.schema import (
    Check,
    boolean,
    both,
    choice,
    integer,
    items,
    not_both,
    one_of,
    problem,
    record,
    string,
    typed,
)
from bot.console.wire import Json

B = "block."
ADDRESS = string(limit(B + "image_url"))
ANY_OBJECT = record({}, {}, is_open=True)


def _nested(*kinds: str, default: str | None = None) -> Check:
    """A block of one of these kinds inside another block."""
    return typed(lambda: {kind: KNOWN[kind] for kind in kinds}, default)


SECTION = both(
    block_of(
        {},
        {
            "text": text(limit(B + "section_text")),
            "fields": items(text(limit(B + "section_field_text")), limit(B + "section_fields")),
            "accessory": element(BESIDE),
            "expand": boolean,
        },
    ),
    one_of("text", "fields"),
)
IMAGE_BLOCK = both(
    block_of(
        {"alt_text": string(limit(B + "image_alt_text"))},
        {"image_url": ADDRESS, "slack_file": SLACK_FILE, "title": plain(limit(B + "image_title"))},
    ),
    one_of("image_url", "slack_file"),
)
NOTE = text(limit("element.text_object"))
CONTEXT_PART = typed(lambda: {"image": IMAGE, "plain_text": NOTE, "mrkdwn": NOTE})
SOURCE = record({"url": string(), "text": string()}, {"type": choice("url")})
STATUS = {"status": choice("pending", "in_progress", "complete", "error")}
TASK = block_of(
    {"task_id": string(), "title": string(limit(B + "task_title"))},
    {**STATUS, "details": ONLY_RICH_TEXT, "output": ONLY_RICH_TEXT, "sources": items(SOURCE, least=0)},
)
PLAN_TASKS = items(_nested("task_card", default="task_card"), limit(B + "plan_tasks"), least=0)
ICON_NAMES = (
    *("archive", "book", "bookmark", "bot", "bug", "calendar", "call", "caret-left", "caret-right", "check"),
    *("clipboard", "code", "comment", "compass", "copy", "cube", "download", "edit", "email", "eye-closed"),
    *("eye-open", "file", "flag", "folder", "gear", "globe", "heart", "help", "image", "info", "key"),
    *("lightbulb", "link", "map", "mobile", "new-window", "pin", "plus", "refine", "refresh", "rocket", "save"),
    *("screen", "share", "sparkle", "star", "star-filled", "tag", "thumbs-down", "thumbs-up", "trash"),
    *("upload", "user", "warning"),
)
PICTURE = element(frozenset({"image"}))
CARD = both(
    block_of(
        {},
        {
            "hero_image": PICTURE,
            "icon": PICTURE,
            "slack_icon": record({"name": choice(*ICON_NAMES)}, {"type": choice("icon")}),
            "title": text(limit(B + "card_title")),
            "subtitle": text(limit(B + "card_title")),
            "body": text(limit(B + "card_body")),
            "subtext": text(limit(B + "card_subtext")),
            "actions": items(element(frozenset({"button"})), limit(B + "card_actions")),
        },
    ),
    one_of("hero_image", "title", "actions", "body"),
    not_both("icon", "slack_icon"),
)
CHILDREN = (
    *("actions", "context", "divider", "file", "header", "image"),
    *("input", "rich_text", "section", "table", "video"),
)
CONTAINER = both(
    block_of(
        {"child_blocks": items(_nested(*CHILDREN), limit(B + "container_blocks"))},
        {
            "title": plain(limit(B + "container_title")),
            "rich_text_title": ONLY_RICH_TEXT,
            "subtitle": text(limit(B + "container_title")),
            "width": choice("narrow", "standard", "wide", "full"),
            "icon": PICTURE,
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
    ),
    one_of("title", "rich_text_title"),
)
VIDEO = block_of(
    {"alt_text": string(), "title": plain(limit(B + "video_title")), "video_url": ADDRESS, "thumbnail_url": ADDRESS},
    {
        "title_url": ADDRESS,
        "description": plain(limit(B + "video_description")),
        "provider_icon_url": ADDRESS,
        "provider_name": string(least=0),
        "author_name": string(limit(B + "video_author"), least=0),
    },
)
AUTH_PROVIDER = block_of(
    {
        "value": string(limit(B + "provider_value")),
        "name": plain(limit(B + "provider_name")),
        "is_connected": boolean,
    },
    {
        "description": plain(limit(B + "provider_description")),
        "icon_url": ADDRESS,
        "auth_url": ADDRESS,
        "disconnect_url": ADDRESS,
        "connected_identity": plain(limit(B + "provider_name")),
        "connected_context": plain(limit(B + "provider_name")),
        "accessory": element(frozenset({"overflow"})),
        "fallback": items(typed(lambda: KNOWN), least=0),
    },
)
CALL = block_of({"call_id": string()}, {"api_decoration_available": boolean}, is_open=True)
CONTEXT_ACTIONS = element(frozenset({"feedback_buttons", "icon_button"}))

KNOWN: Mapping[str, Check] = {
    "section": SECTION,
    "divider": block_of({}),
    "image": IMAGE_BLOCK,
    "header": block_of({"text": plain(limit(B + "header_text"))}, {"level": integer(1, limit(B + "header_level"))}),
    "actions": block_of({"elements": items(element(ACTIONS), limit(B + "actions_elements"))}),
    "context": block_of({"elements": items(CONTEXT_PART, limit(B + "context_elements"))}),
    "context_actions": block_of({"elements": items(CONTEXT_ACTIONS, limit(B + "context_actions_elements"))}),
    "input": block_of(
        {"label": plain(limit(B + "input_label")), "element": element(INPUTS)},
        {"hint": plain(limit(B + "input_hint")), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": block_of({"text": string(limit("message.markdown"))}),
    "rich_text": RICH_TEXT,
    "video": VIDEO,
    "file": block_of({"external_id": string(), "source": choice("remote")}),
    "call": CALL,
    "table": TABLE,
    "task_card": TASK,
    "plan": block_of({"title": string()}, {**STATUS, "tasks": PLAN_TASKS}),
    "alert": block_of(
        {"text": text(limit(B + "alert_text"))}, {"level": choice("default", "info", "warning", "error", "success")}
    ),
    "card": CARD,
    "carousel": block_of({"elements": items(_nested("card"), limit(B + "carousel_cards"))}),
    "container": CONTAINER,
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
    "auth_provider": AUTH_PROVIDER,
}
USABLE = frozenset(KINDS) - {"image"}
MESSAGE_ONLY = frozenset({"markdown", "context_actions", "task_card", "plan", "file", "call", "data_visualization"})
NOT_IN_MODALS = MESSAGE_ONLY | {"table", "data_table", "carousel", "container"}
# Slack's reference calls alerts a matter of modals only, its own plugin for Block Kit posts one in a message: taken
# everywhere, as is whatever the reference does not place.
SURFACES = {
    "message": KNOWN,
    "modal": {kind: check for kind, check in KNOWN.items() if kind not in NOT_IN_MODALS},
    "home": {kind: check for kind, check in KNOWN.items() if kind not in MESSAGE_ONLY},
}


def block_problems(blocks: object, surface: str = "message", pointer: str = "/blocks") -> list[str]:
    """Everything that Slack would object to, each with its JSON pointer; empty where all is well."""
    if too_deep(blocks):
        return [problem("failed to match any allowed schemas", pointer)]
    most = limit("message.blocks" if surface == "message" else "view.blocks")
    problems = list(items(typed(lambda: SURFACES[surface]), most, least=0)(blocks, pointer))
    if not problems and isinstance(blocks, list):
        problems += [*_misplaced(blocks, surface, pointer), *rule_problems(blocks, surface, pointer)]
    return problems


def _misplaced(blocks: list[Json], surface: str, pointer: str) -> Iterator[str]:
    """Files are entered in modals only."""
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
    """Characters of all texts in blocks, for msg_blocks_too_long; cells of tables have their own limit."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        inner = [part for name, part in value.items() if name != "rows" and isinstance(part, dict | list)]
        return own + sum(text_of(part) for part in inner)
    return sum(text_of(part) for part in value) if isinstance(value, list) else 0
