"""What the chunks of a stream add to its message: text, tasks, plans, blocks. Knows bodies, not who streams."""

from collections.abc import Callable, Iterator, Mapping

from bot.console.blocks import ANY_OBJECT, block_problems, normalised
from bot.console.drafts import clean
from bot.console.limits import limit
from bot.console.schema import Check, anything, choice, items, problem, record, string, typed, url
from bot.console.wire import Json, SlackError

TITLE = string(limit("block.task_title"))
SOURCE = record({"type": choice("url"), "url": url(limit("element.button_url"))}, {"text": string()})


def _line(value: object, pointer: str) -> Iterator[str]:
    """Details and output are plain text in chunks; rich text, as it stands in blocks, is taken too."""
    return (string(least=0) if isinstance(value, str) else ANY_OBJECT)(value, pointer)


TASK = {"id": string(limit("block.block_id")), "title": TITLE}
TASK["status"] = choice("pending", "in_progress", "complete", "error")
KINDS: Mapping[str, Check] = {
    "markdown_text": record({"text": string(least=0)}, {}),
    "task_update": record(TASK, {"details": _line, "output": _line, "sources": items(SOURCE, least=0)}),
    "plan_update": record({"title": TITLE}, {}),
    "blocks": record({"blocks": anything}, {}),
}
CHUNKS = items(typed(lambda: KINDS), least=0)


def empty(display_mode: str) -> Json:
    """The body of a stream that has no content yet."""
    return {"text": "", "blocks": [], "_display_mode": display_mode, "_given_blocks": 0}


def grown(body: Json, chunks: list[Json]) -> Json:
    """The body with the chunks added. Raises invalid_chunks, msg_too_long, invalid_blocks, msg_blocks_too_many."""
    problems = list(CHUNKS(chunks, "/chunks"))
    if problems:
        raise SlackError("invalid_chunks", *problems)
    made = {**body, "blocks": list(body["blocks"])}
    for place, chunk in enumerate(chunks):
        ADD[chunk["type"]](made, chunk, f"/chunks/{place}")
    return made


def _add_text(body: Json, chunk: Json, pointer: str) -> None:
    """Each chunk has its own limit; the whole text has none that Slack documents."""
    text = chunk["text"]
    if len(text) > limit("stream.markdown"):
        raise SlackError("msg_too_long", problem(f"no more than {limit('stream.markdown')} characters", pointer))
    body["text"] += clean(text)
    last = body["blocks"][-1] if body["blocks"] else {}
    if last.get("type") == "markdown":
        body["blocks"][-1] = {**last, "text": last["text"] + text}
    elif text:
        body["blocks"] += normalised([{"type": "markdown", "text": text}])


def _add_task(body: Json, chunk: Json, pointer: str) -> None:
    """A task with a known id takes the new title and status, wherever it stands; new details follow the old ones."""
    if body["_display_mode"] == "plan":
        plan = _plan(body)
        plan["tasks"] = _merged(plan["tasks"], chunk)
    else:
        body["blocks"] = _merged(body["blocks"], chunk)


def _merged(blocks: list[Json], chunk: Json) -> list[Json]:
    for place, block in enumerate(blocks):
        if block.get("task_id") == chunk["id"]:
            return [*blocks[:place], {**block, **_task(chunk, block)}, *blocks[place + 1 :]]
    return [*blocks, *normalised([_task(chunk, {})])]


def _task(chunk: Json, before: Json) -> Json:
    task = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk["status"]}
    if "details" in chunk:
        old, new = before.get("details", {}).get("elements", []), _rich(chunk["details"])
        task["details"] = {**new, "elements": [*old, *new.get("elements", [])]}
    if "output" in chunk:
        task["output"] = _rich(chunk["output"])
    if "sources" in chunk:
        task["sources"] = chunk["sources"]
    return task


def _rich(value: str | Json) -> Json:
    """Details may be sent as plain text; Slack shows them as rich text."""
    if not isinstance(value, str):
        return value
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": value}]}
    return {"type": "rich_text", "elements": [line]}


def _add_plan(body: Json, chunk: Json, pointer: str) -> None:
    _plan(body)["title"] = chunk["title"]


def _plan(body: Json) -> Json:
    """The message's plan, copied so that the stored body stays as it was."""
    for place, block in enumerate(body["blocks"]):
        if block["type"] == "plan":
            body["blocks"][place] = dict(block)
            found: Json = body["blocks"][place]
            return found
    made = normalised([{"type": "plan", "title": "", "tasks": []}])
    body["blocks"] += made
    return made[0]


def _add_blocks(body: Json, chunk: Json, pointer: str) -> None:
    problems = block_problems(chunk["blocks"], "message", f"{pointer}/blocks")
    if problems:
        raise SlackError("invalid_blocks", *problems)
    body["_given_blocks"] += len(chunk["blocks"])
    if body["_given_blocks"] > limit("message.blocks"):
        raise SlackError("msg_blocks_too_many", f"no more than {limit('message.blocks')} blocks in one stream")
    body["blocks"] += normalised(chunk["blocks"])


ADD: Mapping[str, Callable[[Json, Json, str], None]] = {
    "markdown_text": _add_text,
    "task_update": _add_task,
    "plan_update": _add_plan,
    "blocks": _add_blocks,
}
