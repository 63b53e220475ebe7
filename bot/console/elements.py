"""What Slack accepts as text objects, options and block elements. Knows their limits, not where they stand."""

from collections.abc import Callable, Iterator, Mapping

from bot.console.limits import limit
from bot.console.rich_text import ONLY_RICH_TEXT
from bot.console.schema import (
    Check,
    all_of,
    anything,
    boolean,
    both,
    choice,
    integer,
    items,
    not_both,
    one_of,
    pattern,
    problem,
    record,
    string,
    typed,
)


def plain(most: int) -> Check:
    """A plain_text object."""
    return all_of(_plain(most))


def text(most: int) -> Check:
    """A plain_text or mrkdwn object."""
    kinds = {"plain_text": _plain(most), "mrkdwn": _mrkdwn(most)}
    return all_of(typed(lambda: kinds))


def _plain(most: int) -> Check:
    return record({"type": choice("plain_text"), "text": string(most)}, {"emoji": boolean})


def _mrkdwn(most: int) -> Check:
    return record({"type": choice("mrkdwn"), "text": string(most)}, {"verbatim": boolean})


E = "element."
CONFIRM = record(
    {
        "title": plain(limit(E + "confirm_title")),
        "text": text(limit(E + "confirm_text")),
        "confirm": plain(limit(E + "confirm_button")),
        "deny": plain(limit(E + "confirm_button")),
    },
    {"style": choice("primary", "danger")},
)


def _option(kind: Callable[[int], Check], **extra: Check) -> Check:
    """An option whose texts are of one kind."""
    return record(
        {"text": kind(limit(E + "option_text")), "value": string(limit(E + "option_value"))},
        {"description": kind(limit(E + "option_description")), **extra},
    )


URL = string(limit(E + "button_url"), least=0)
OPTION, MARKED_OPTION, LINK_OPTION = _option(plain), _option(text), _option(plain, url=URL)
OPTIONS = items(OPTION, limit(E + "options"))
GROUP = record({"label": plain(limit(E + "option_group_label")), "options": OPTIONS}, {})
GROUPS = items(GROUP, limit(E + "option_groups"))
ACTION = {"action_id": string(limit(E + "action_id"))}
SHARED = {**ACTION, "confirm": CONFIRM, "focus_on_load": boolean}
PLACEHOLDER = {"placeholder": plain(limit(E + "placeholder"))}
TRIGGERS = items(choice("on_enter_pressed", "on_character_entered"), least=0)
DISPATCH = {"dispatch_action_config": record({}, {"trigger_actions_on": TRIGGERS})}
LABEL = string(limit(E + "accessibility_label"), least=0)
STYLE = choice("primary", "danger")
SLACK_FILE = both(record({}, {"id": string(), "url": string()}), one_of("id", "url"))


def _some_property(value: object, pointer: str) -> Iterator[str]:
    if value == {}:
        yield problem("must have minimum 1 properties", pointer)


FILTER = both(
    record(
        {},
        {
            "include": items(choice("im", "mpim", "private", "public")),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        },
    ),
    _some_property,
)
IMAGE = both(
    record(
        {"alt_text": string(limit("block.image_alt_text"))},
        {"image_url": string(limit("block.image_url")), "slack_file": SLACK_FILE},
    ),
    one_of("image_url", "slack_file"),
)
FEEDBACK = record(
    {"text": plain(limit(E + "feedback_text")), "value": string(limit(E + "feedback_value"))},
    {"accessibility_label": LABEL},
)
BUTTON = record(
    {"text": plain(limit(E + "button_text"))},
    {
        **ACTION,
        "confirm": CONFIRM,
        "url": URL,
        "value": string(limit(E + "button_value"), least=0),
        "style": STYLE,
        "accessibility_label": LABEL,
        "visible_to_user_ids": items(string(), least=0),
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
        "accessibility_label": LABEL,
        "visible_to_user_ids": items(string(), least=0),
    },
)
PARAMETER = record({"name": string(), "value": anything}, {})
TRIGGER = record({"url": string()}, {"customizable_input_parameters": items(PARAMETER, least=0)})
WORKFLOW_BUTTON = record(
    {
        "text": plain(limit(E + "button_text")),
        "workflow": record({"trigger": TRIGGER}, {}),
        "action_id": ACTION["action_id"],
    },
    {"style": STYLE, "accessibility_label": LABEL},
)


def _select(one: str, several: str, **extra: Check) -> tuple[Check, Check]:
    """The single and the multiple form of one kind of select menu."""
    each = OPTION if one == "initial_option" else string()
    shared = {**SHARED, **PLACEHOLDER, **extra}
    single = record({}, {**shared, one: each, "response_url_enabled": boolean})
    multiple = record({}, {**shared, several: items(each, least=0), "max_selected_items": integer(1)})
    return single, multiple


def _either_options(check: Check) -> Check:
    return both(check, one_of("options", "option_groups"), not_both("options", "option_groups"))


TYPING = {**ACTION, **PLACEHOLDER, **DISPATCH, "focus_on_load": boolean}
TYPED = string(limit(E + "input_length"), least=0)
LENGTH = limit(E + "input_length")
DATE = pattern(r"\d{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])")
TIME = pattern(r"([01][0-9]|2[0-3]):([0-5][0-9])")
STATIC, MULTI_STATIC = _select("initial_option", "initial_options", options=OPTIONS, option_groups=GROUPS)
EXTERNAL, MULTI_EXTERNAL = _select("initial_option", "initial_options", min_query_length=integer(0))
USERS, MULTI_USERS = _select("initial_user", "initial_users")
CHANNELS, MULTI_CHANNELS = _select("initial_channel", "initial_channels")
CONVERSATIONS, MULTI_CONVERSATIONS = _select(
    "initial_conversation", "initial_conversations", default_to_current_conversation=boolean, filter=FILTER
)
CHOICES = items(MARKED_OPTION, limit(E + "choice_options"))
LINES = integer(1, limit(E + "input_lines"))

KINDS: Mapping[str, Check] = {
    "button": BUTTON,
    "icon_button": ICON_BUTTON,
    "feedback_buttons": record({"positive_button": FEEDBACK, "negative_button": FEEDBACK}, ACTION),
    "image": IMAGE,
    "overflow": record({"options": items(LINK_OPTION, limit(E + "overflow_options"))}, {**ACTION, "confirm": CONFIRM}),
    "checkboxes": record({"options": CHOICES}, {**SHARED, "initial_options": items(MARKED_OPTION, least=0)}),
    "radio_buttons": record({"options": CHOICES}, {**SHARED, "initial_option": MARKED_OPTION}),
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
    "datetimepicker": record({}, {**SHARED, "initial_date_time": integer(0, limit(E + "date_time"))}),
    "plain_text_input": record(
        {},
        {
            **TYPING,
            "initial_value": TYPED,
            "multiline": boolean,
            "min_length": integer(0, LENGTH),
            "max_length": integer(1, LENGTH),
        },
    ),
    "email_text_input": record({}, {**TYPING, "initial_value": TYPED}),
    "url_text_input": record({}, {**TYPING, "initial_value": TYPED}),
    "number_input": record(
        {"is_decimal_allowed": boolean},
        {**TYPING, "initial_value": string(), "min_value": string(), "max_value": string()},
    ),
    "rich_text_input": record({}, {**TYPING, "initial_value": ONLY_RICH_TEXT, "min_lines": LINES, "max_lines": LINES}),
    "file_input": record(
        {}, {**ACTION, "filetypes": items(string(), least=0), "max_files": integer(1, limit(E + "files"))}
    ),
    "workflow_button": WORKFLOW_BUTTON,
}

SELECTS = frozenset(name for name in KINDS if name.endswith("_select"))
PICKERS = frozenset({"checkboxes", "radio_buttons", "datepicker", "timepicker"})
INPUTS = (
    SELECTS
    | PICKERS
    | {"datetimepicker", "plain_text_input", "email_text_input", "url_text_input", "number_input"}
    | {"rich_text_input", "file_input"}
)
"""Elements that hold a value and may stand in an input block."""
BESIDE = SELECTS | PICKERS | {"button", "image", "overflow", "workflow_button"}
"""Elements that may stand beside a section."""
ACTIONS = SELECTS | PICKERS | {"button", "overflow", "workflow_button", "datetimepicker", "rich_text_input"}
"""Elements that may stand in an actions block."""


def element(allowed: frozenset[str]) -> Check:
    """An element of one of these kinds."""
    kinds = {name: check for name, check in KINDS.items() if name in allowed}
    return typed(lambda: kinds)
