"""What Slack accepts as text objects, options and block elements. Knows their limits, not where they stand."""

import re
from collections.abc import Iterator, Mapping

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


def plain(most: int) -> Check:
    """A plain_text object."""
    return _text_object(most, ("plain_text",))


def text(most: int) -> Check:
    """A plain_text or mrkdwn object."""
    return _text_object(most, ("plain_text", "mrkdwn"))


def _text_object(most: int, kinds: tuple[str, ...]) -> Check:
    shape = record({"type": choice(*kinds), "text": string(most)}, {"emoji": boolean, "verbatim": boolean})

    def check(value: object, pointer: str) -> Iterator[str]:
        problems = list(shape(value, pointer))
        if problems:
            yield problem("failed to match all allowed schemas", pointer)
            yield from problems

    return check


def pattern(regex: str, wording: str) -> Check:
    """A string of one form."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, str) or not re.fullmatch(regex, value):
            yield problem(wording, pointer)

    return check


E = "element."
CONFIRM = record(
    {"title": plain(limit(E + "confirm_title")), "text": text(limit(E + "confirm_text"))},
    {
        "confirm": plain(limit(E + "confirm_button")),
        "deny": plain(limit(E + "confirm_button")),
        "style": choice("primary", "danger", "default"),
    },
)
OPTION = record(
    {"text": text(limit(E + "option_text")), "value": string(limit(E + "option_value"))},
    {"description": text(limit(E + "option_description")), "url": url(limit(E + "button_url"))},
)
OPTIONS = items(OPTION, limit(E + "options"))
GROUP = record({"label": plain(limit(E + "option_group_label")), "options": OPTIONS}, {})
GROUPS = items(GROUP, limit(E + "option_groups"))
ACTION = {"action_id": string(limit(E + "action_id"))}
SHARED = {**ACTION, "confirm": CONFIRM, "focus_on_load": boolean}
PLACEHOLDER = {"placeholder": plain(limit(E + "placeholder"))}
DISPATCH = {"dispatch_action_config": record({}, {"trigger_actions_on": items(string(), least=0)})}
SLACK_FILE = both(record({}, {"id": string(), "url": string()}), one_of("id", "url"))
FILTER = record(
    {},
    {
        "include": items(choice("im", "mpim", "private", "public")),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
IMAGE = both(
    record(
        {"alt_text": string(limit("block.image_alt_text"))},
        {"image_url": url(limit("block.image_url")), "slack_file": SLACK_FILE},
    ),
    one_of("image_url", "slack_file"),
)
FEEDBACK = record(
    {"text": plain(limit(E + "feedback_text")), "value": string(limit(E + "feedback_value"))},
    {"accessibility_label": string(limit(E + "accessibility_label"))},
)
BUTTON = record(
    {"text": plain(limit(E + "button_text"))},
    {
        **ACTION,
        "confirm": CONFIRM,
        "url": url(limit(E + "button_url")),
        "value": string(limit(E + "button_value"), least=0),
        "style": choice("primary", "danger", "default"),
        "accessibility_label": string(limit(E + "accessibility_label")),
        "visible_to_user_ids": items(string()),
        "agent_prompt": string(limit(E + "button_agent_prompt")),
        "agent_prompt_display": anything,
    },
)
ICON_BUTTON = record(
    {"icon": choice("trash"), "text": plain(limit(E + "button_text"))},
    {
        **ACTION,
        "confirm": CONFIRM,
        "value": string(limit(E + "button_value"), least=0),
        "accessibility_label": string(limit(E + "accessibility_label")),
        "visible_to_user_ids": items(string()),
    },
)


def _select(one: str, several: str, **extra: Check) -> tuple[Check, Check]:
    """The single and the multiple form of one kind of select menu."""
    each = string() if one not in ("initial_option",) else OPTION
    shared = {**SHARED, **PLACEHOLDER, **extra}
    single = record({}, {**shared, one: each, "response_url_enabled": boolean})
    multiple = record({}, {**shared, several: items(each), "max_selected_items": integer(1, 10_000)})
    return single, multiple


def _either_options(check: Check) -> Check:
    def both_given(value: object, pointer: str) -> Iterator[str]:
        if isinstance(value, dict) and value.get("options") and value.get("option_groups"):
            yield problem("must define only one of `options` or `option_groups`", pointer)

    return both(check, one_of("options", "option_groups"), both_given)


def _typing(**extra: Check) -> Check:
    """An element into which people type."""
    shared = {**ACTION, **PLACEHOLDER, **DISPATCH, "focus_on_load": boolean}
    return record({}, {**shared, "initial_value": string(limit(E + "input_length"), least=0), **extra})


LENGTH = integer(0, limit(E + "input_length"))
DATE = pattern(r"\d{4}-\d\d-\d\d", "must be a date in the format YYYY-MM-DD")
TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "must be a time in the format HH:mm")
STATIC, MULTI_STATIC = _select("initial_option", "initial_options", options=OPTIONS, option_groups=GROUPS)
EXTERNAL, MULTI_EXTERNAL = _select("initial_option", "initial_options", min_query_length=integer(0, 3000))
USERS, MULTI_USERS = _select("initial_user", "initial_users")
CHANNELS, MULTI_CHANNELS = _select("initial_channel", "initial_channels")
CONVERSATIONS, MULTI_CONVERSATIONS = _select(
    "initial_conversation", "initial_conversations", default_to_current_conversation=boolean, filter=FILTER
)
CHOICES = items(OPTION, limit(E + "choice_options"))
NUMBER = string()

KINDS: Mapping[str, Check] = {
    "button": BUTTON,
    "icon_button": ICON_BUTTON,
    "feedback_buttons": record({"positive_button": FEEDBACK, "negative_button": FEEDBACK}, ACTION),
    "image": IMAGE,
    "overflow": record({"options": items(OPTION, limit(E + "overflow_options"))}, {**ACTION, "confirm": CONFIRM}),
    "checkboxes": record({"options": CHOICES}, {**SHARED, "initial_options": CHOICES}),
    "radio_buttons": record({"options": CHOICES}, {**SHARED, "initial_option": OPTION}),
    "static_select": _either_options(STATIC),
    "multi_static_select": _either_options(MULTI_STATIC),
    "external_select": EXTERNAL,
    "multi_external_select": MULTI_EXTERNAL,
    "users_select": USERS,
    "multi_users_select": MULTI_USERS,
    "channels_select": CHANNELS,
    "multi_channels_select": MULTI_CHANNELS,
    "conversations_select": CONVERSATIONS,
    "multi_conversations_select": MULTI_CONVERSATIONS,
    "datepicker": record({}, {**SHARED, **PLACEHOLDER, "initial_date": DATE}),
    "timepicker": record({}, {**SHARED, **PLACEHOLDER, "initial_time": TIME, "timezone": string()}),
    "datetimepicker": record({}, {**SHARED, "initial_date_time": integer(0, 9_999_999_999)}),
    "plain_text_input": _typing(multiline=boolean, min_length=LENGTH, max_length=LENGTH),
    "email_text_input": _typing(),
    "url_text_input": _typing(),
    "number_input": record(
        {"is_decimal_allowed": boolean},
        {
            **ACTION,
            **PLACEHOLDER,
            **DISPATCH,
            "focus_on_load": boolean,
            "initial_value": NUMBER,
            "min_value": NUMBER,
            "max_value": NUMBER,
        },
    ),
    "rich_text_input": record(
        {},
        {
            **ACTION,
            **PLACEHOLDER,
            **DISPATCH,
            "focus_on_load": boolean,
            "initial_value": record({}, {}, is_open=True),
            "min_lines": integer(1, 100),
            "max_lines": integer(1, 100),
        },
    ),
    "file_input": record({}, {**ACTION, "filetypes": items(string()), "max_files": integer(1, limit(E + "files"))}),
    "workflow_button": record(
        {"text": plain(limit(E + "button_text")), "workflow": record({}, {}, is_open=True)},
        {
            **ACTION,
            "style": choice("primary", "danger"),
            "accessibility_label": string(limit(E + "accessibility_label")),
        },
    ),
}

INPUTS = frozenset(KINDS) - {
    "button",
    "icon_button",
    "feedback_buttons",
    "image",
    "overflow",
    "workflow_button",
}
"""Elements that hold a value and may stand in an input block."""
INTERACTIVE = frozenset(KINDS) - {"image", "file_input"}
"""Elements that may stand in an actions block or beside a section."""


def element(allowed: frozenset[str]) -> Check:
    """An element of one of these kinds."""
    kinds = {name: check for name, check in KINDS.items() if name in allowed}
    return typed(lambda: kinds)
