"""Slack's rules between the parts of checked blocks: ids, addresses, first choices, what may stand only once."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from bot.console.charts import cell_characters
from bot.console.limits import limit
from bot.console.schema import is_address, problem
from bot.console.wire import Json


class Part(NamedTuple):
    """An object somewhere in blocks."""

    value: Json
    """The object itself."""
    pointer: str
    """Its JSON pointer."""


NESTING = 64
"""Levels that are looked into; Slack's own blocks need a dozen."""
SKIPPED = ("plain_text", "mrkdwn", "raw_text", "text", "call")
UNCHECKED = ("value", "agent_prompt_display")
"""Fields that may hold any JSON: what a workflow gets, and what Slack documents no further."""
LINKS = ("url", "title_url", "auth_url", "disconnect_url")
MEDIA = ("image_url", "video_url", "thumbnail_url", "icon_url", "provider_icon_url")
ADDRESSES = frozenset(LINKS) | frozenset(MEDIA)
NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
WHOLE = re.compile(r"-?\d{1,30}")


def too_deep(value: object) -> bool:
    """Whether JSON is nested further than any block can be; never recurses itself."""
    level = [value]
    for _ in range(NESTING):
        level = [part for parent in level for part in _inner(parent)]
        if not level:
            return False
    return True


def _inner(value: object) -> Iterable[object]:
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [part for part in found if isinstance(part, dict | list)]


def rule_problems(blocks: list[Json], surface: str, pointer: str) -> Iterator[str]:
    """What Slack objects to in blocks that fit its schemas, each with its JSON pointer."""
    # In views these problems come without the slash in front, as recorded; those of messages have it.
    at = pointer.removeprefix("/") if pointer.startswith("/view") else pointer
    parts = [*_parts(blocks, at)]
    yield from _same_block_ids(parts)
    yield from _same_action_ids(parts)
    for part in parts:
        check = RULES.get(str(part.value.get("type")))
        if check:
            yield from check(part)
        yield from _addresses(part)
    yield from _counts(blocks, parts, surface, pointer)


def _parts(value: object, pointer: str) -> Iterator[Part]:
    """Every checked object but the text objects, which no rule looks at."""
    if isinstance(value, dict):
        if value.get("type") in SKIPPED:
            return
        yield Part(value, pointer)
        inner: Iterable[tuple[object, object]] = value.items()
    else:
        inner = enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        if isinstance(part, dict | list) and name not in UNCHECKED:
            yield from _parts(part, f"{pointer}/{name}")


def _same_block_ids(parts: list[Part]) -> Iterator[str]:
    """Every block has its own block_id; the ids of cells and details do not count."""
    seen: set[str] = set()
    for value, pointer in parts:
        block_id = value.get("block_id")
        if isinstance(block_id, str) and not re.search(r"/(rows|tasks|details|output|initial_value)\b", pointer):
            if block_id in seen:
                yield problem(f'`block_id` "{block_id}" already exists', f"{pointer}/block_id")
            seen.add(block_id)


def _same_action_ids(parts: list[Part]) -> Iterator[str]:
    """Within one block every element has its own action_id."""
    seen: set[tuple[str, str]] = set()
    for value, pointer in parts:
        action_id = value.get("action_id")
        if isinstance(action_id, str):
            block = re.sub(r"/(elements/\d+|actions/\d+|element|accessory)$", "", pointer)
            if (block, action_id) in seen:
                yield problem(f'`action_id` "{action_id}" already exists', f"{pointer}/action_id")
            seen.add((block, action_id))


def _addresses(part: Part) -> Iterator[str]:
    """Addresses that a click opens are absolute and cannot run scripts; images come from the web."""
    if ADDRESSES.isdisjoint(part.value):
        return
    for name in LINKS:
        address = part.value.get(name)
        if isinstance(address, str) and not is_address(address):
            yield problem("invalid url", f"{part.pointer}/{name}")
    for name in MEDIA:
        address = part.value.get(name)
        if isinstance(address, str) and not re.match(r"https?://\S", address):
            words = "downloading image failed" if name == "image_url" else "invalid url"
            yield problem(words, f"{part.pointer}/{name}")


def _provided(part: Part) -> Iterator[str]:
    """First choices are among the options, and not more than may be chosen."""
    element, at = part
    groups = [group["options"] for group in element.get("option_groups", [])]
    known = {_name(option) for option in [*element.get("options", []), *(one for group in groups for one in group)]}
    if "initial_option" in element and _name(element["initial_option"]) not in known:
        yield problem("must be one of the provided options", f"{at}/initial_option")
    chosen = element.get("initial_options")
    if chosen is not None and (not chosen or any(_name(option) not in known for option in chosen)):
        yield problem("must be one of the provided options", f"{at}/initial_options")
    yield from _at_most(part)


def _name(option: Json) -> tuple[str, str]:
    return option["value"], option["text"]["text"]


def _at_most(part: Part) -> Iterator[str]:
    most = part.value.get("max_selected_items")
    for name in ("initial_options", "initial_users", "initial_channels", "initial_conversations"):
        if most is not None and len(part.value.get(name, [])) > most:
            yield problem(f"no more than {most} items allowed", f"{part.pointer}/{name}")


def _lengths(part: Part) -> Iterator[str]:
    """min_length <= max_length."""
    most = part.value.get("max_length", limit("element.input_length"))
    if part.value.get("min_length", 0) > most:
        yield problem(f"must be less than {most}", f"{part.pointer}/min_length")
    if len(part.value.get("initial_value", "")) > most:
        yield problem(f"must be less than {most + 1} characters", f"{part.pointer}/initial_value")


def _lines(part: Part) -> Iterator[str]:
    """min_lines <= max_lines, where both are given."""
    most = part.value.get("max_lines")
    if most is not None and part.value.get("min_lines", 0) > most:
        yield problem(f"must be less than {most}", f"{part.pointer}/min_lines")


def _numbers(part: Part) -> Iterator[str]:
    """Bounds and the first value are numbers, and in order."""
    form = NUMBER if part.value["is_decimal_allowed"] else WHOLE
    given = {name: part.value[name] for name in ("min_value", "max_value", "initial_value") if name in part.value}
    wrong = [name for name, value in given.items() if not form.fullmatch(value)]
    words = "must provide a number" if part.value["is_decimal_allowed"] else "must provide an integer"
    yield from (problem(words, f"{part.pointer}/{name}") for name in wrong)
    if wrong:
        return
    for name in ("min_value", "initial_value"):
        if name in given and "max_value" in given and float(given[name]) > float(given["max_value"]):
            yield problem(f"must be less than {given['max_value']}", f"{part.pointer}/{name}")
    if {"min_value", "initial_value"} <= set(given) and float(given["initial_value"]) < float(given["min_value"]):
        yield problem(f"must be greater than {given['min_value']}", f"{part.pointer}/initial_value")


def _no_dispatch(part: Part) -> Iterator[str]:
    """A file input cannot report each change."""
    if part.value.get("dispatch_action") and part.value["element"]["type"] == "file_input":
        yield problem("unsupported type: file_input", f"{part.pointer}/element/type")


def _task_ids(part: Part) -> Iterator[str]:
    """Each task of a plan has its own id."""
    seen: set[str] = set()
    for place, task in enumerate(part.value.get("tasks", [])):
        if task["task_id"] in seen:
            yield problem(f'`task_id` "{task["task_id"]}" already exists', f"{part.pointer}/tasks/{place}/task_id")
        seen.add(task["task_id"])


RULES: Mapping[str, Callable[[Part], Iterator[str]]] = {
    "static_select": _provided,
    "multi_static_select": _provided,
    "checkboxes": _provided,
    "radio_buttons": _provided,
    "multi_external_select": _at_most,
    "multi_users_select": _at_most,
    "multi_channels_select": _at_most,
    "multi_conversations_select": _at_most,
    "plain_text_input": _lengths,
    "number_input": _numbers,
    "rich_text_input": _lines,
    "input": _no_dispatch,
    "plan": _task_ids,
}


def _counts(blocks: list[Json], parts: list[Part], surface: str, pointer: str) -> Iterator[str]:
    """What a message takes only so much of, and where only one element may have the focus."""
    by_kind: dict[str, list[Json]] = {}
    for block in [*blocks, *(child for outer in blocks for child in outer.get("child_blocks", []))]:
        by_kind.setdefault(block["type"], []).append(block)
    focused = [part for part in parts if part.value.get("focus_on_load") is True]
    if surface != "message":
        at = pointer.removeprefix("/")
        for value, place in focused[1:]:
            yield problem(f"`focus_on_load` is already set on another element than {value['type']}", place or at)
        return
    if len(by_kind.get("data_visualization", [])) > limit("message.data_visualizations"):
        yield problem("too many data_visualization blocks", pointer)
    if len(by_kind.get("plan", [])) > limit("message.plans"):
        yield f"Cannot have more than {limit('message.plans')} plan block"
    if len([*by_kind.get("table", []), *by_kind.get("data_table", [])]) > limit("message.tables"):
        yield "only_one_table_allowed"
    yield from _lengths_in_all(by_kind, pointer)


def _lengths_in_all(by_kind: Mapping[str, list[Any]], pointer: str) -> Iterator[str]:
    sums = (
        ("markdown", limit("message.markdown"), lambda block: len(block["text"])),
        ("table", limit("block.table_characters"), cell_characters),
        ("data_table", limit("block.data_table_characters"), cell_characters),
    )
    for kind, most, measure in sums:
        if sum(measure(block) for block in by_kind.get(kind, [])) > most:
            yield problem(f"must be less than {most + 1} characters in all {kind} blocks", pointer)
