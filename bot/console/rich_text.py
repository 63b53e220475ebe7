"""What Slack accepts inside a rich_text block: its sections, lists, quotes and the runs of text in them. Draws none."""

from collections.abc import Mapping

from bot.console.block_shape import block_of
from bot.console.schema import Check, boolean, choice, integer, items, number, record, string, typed

# Runs and their fields: docs.slack.dev/reference/block-kit/block-elements (46 elements, September 2026).
# `code` is missing in the tables there, but every composer sends it and the SDK has it.
FLAGS = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
STYLE = {"style": record({}, dict.fromkeys(FLAGS, boolean))}
TEXT = string(least=0)
TAG_COLOURS = ("gray", "brown", "purple", "indigo", "blue", "green", "yellow", "orange", "red")
CITED = (
    *("citation_type", "descriptor", "file_id", "app_name", "app_icon_url", "display_name"),
    *("title", "snippet", "channel", "message_ts", "memory_id"),
)
ATTACHED = (
    *("text", "app_id", "entity_id", "icon_url", "channel_id", "ts", "icon_name"),
    *("reference_object_type", "product_name"),
)


def _run(*required: str, **optional: Check) -> Check:
    """A run whose required fields are all strings."""
    return record(dict.fromkeys(required, string()), {**STYLE, **optional})


RUNS: Mapping[str, Check] = {
    "text": record({"text": string()}, STYLE),
    "link": _run("url", text=TEXT, unsafe=boolean, from_llm=boolean, is_slack_url=boolean, truncated=boolean),
    "emoji": _run("name", unicode=TEXT, skin_tone=integer(0, 6), display_url=TEXT, url=TEXT),
    "user": _run("user_id", from_llm=boolean),
    "usergroup": _run("usergroup_id"),
    "team": _run("team_id"),
    "channel": _run("channel_id", tab_id=TEXT, from_llm=boolean),
    "broadcast": record({"range": choice("here", "channel", "everyone")}, STYLE),
    "color": _run("value"),
    "date": record(
        {"timestamp": number, "format": string()}, {**STYLE, "url": TEXT, "fallback": TEXT, "timezone": TEXT}
    ),
    "tag": record({"text": string()}, {**STYLE, "color": choice(*TAG_COLOURS)}),
    "file": _run("file_id", text=TEXT, url=TEXT, is_skill_invocation=boolean),
    "canvas": _run(
        "file_id", label=TEXT, hide_title=boolean, section_id=TEXT, text=TEXT, url=TEXT, is_skill_invocation=boolean
    ),
    "canvas_message_unfurl": _run("root_message_ts", "root_message_channel"),
    "canvas_user_mention": _run("user_id", thread_id=TEXT),
    "list_record": _run("file_id", record_id=TEXT, view_id=TEXT, text=TEXT, url=TEXT),
    "message_mention": _run("channel_id", "message_ts", author_id=TEXT, thread_ts=TEXT, text=TEXT, url=TEXT),
    "work_object_mention": _run(
        "entity_id", "app_id", "text", "url", icon_url=TEXT, full_size_preview_enabled=boolean, product_name=TEXT
    ),
    "workflow_mention": _run("workflow_id", "function_trigger_id", "text", url=TEXT, channel_id=TEXT, ts=TEXT),
    "salesforce_data_field": _run(
        "salesforce_record_id",
        salesforce_field_label=TEXT,
        salesforce_field_api_name=TEXT,
        salesforce_include_field_label=boolean,
    ),
    "attachment_mention": _run("url", full_size_preview_enabled=boolean, **dict.fromkeys(ATTACHED, TEXT)),
    "citation": record(
        {"url": string(), "text": string(), "index": number, "details": record({}, dict.fromkeys(CITED, TEXT))},
        {**STYLE, "from_llm": boolean, "is_slack_url": boolean},
    ),
}
LIST_ITEMS = ("rich_text_section", "rich_text_quote", "rich_text_preformatted")
BORDER = {"border": integer(0, 1)}
LINE = items(typed(lambda: RUNS), least=0)
PARTS: Mapping[str, Check] = {
    "rich_text_section": record({"elements": LINE}, {}),
    "rich_text_quote": record({"elements": LINE}, BORDER),
    "rich_text_preformatted": record({"elements": LINE}, {**BORDER, "language": TEXT}),
    "rich_text_list": record(
        {
            "style": choice("bullet", "ordered"),
            "elements": items(typed(lambda: {kind: PARTS[kind] for kind in LIST_ITEMS})),
        },
        {**BORDER, "indent": integer(0, 8), "offset": integer(0)},
    ),
}
RICH_TEXT = block_of({"elements": items(typed(lambda: PARTS), least=0), "type": choice("rich_text")})
"""A rich_text block, also as a cell, a title, or the details of a task."""
ONLY_RICH_TEXT = typed(lambda: {"rich_text": RICH_TEXT})
"""A rich_text block where Slack names no other kind."""
