"""Errors of chat.unfurl."""

from typing import Any

from tests.bot.console.error_cases import Case, Json, World

UNFURL = "chat.unfurl"
LINK = "https://x.example/a"
PREVIEWS: Json = {"unfurls": {LINK: {"text": "x"}}}


def linked(**more: Any) -> Any:
    """Arguments for a message with a link."""

    def given(world: World) -> Json:
        ts = world.slack.send(f"see {LINK}")["ts"]
        return {"channel": "C0ASK", "ts": ts, **PREVIEWS, **more}

    return given


CASES = [
    Case(UNFURL, "missing_channel", PREVIEWS),
    Case(UNFURL, "missing_ts", {**PREVIEWS, "channel": "C0ASK"}),
    Case(UNFURL, "missing_unfurls", linked(unfurls=None)),
    Case(UNFURL, "missing_source", {**PREVIEWS, "unfurl_id": "1"}),
    Case(UNFURL, "missing_unfurl_id", {**PREVIEWS, "source": "composer"}),
    Case(UNFURL, "invalid_source", {**PREVIEWS, "unfurl_id": "1", "source": "air"}),
    Case(UNFURL, "invalid_unfurl_id", {**PREVIEWS, "unfurl_id": "1", "source": "composer"}),
    Case(UNFURL, "invalid_unfurls_format", linked(unfurls="{")),
    Case(UNFURL, "cannot_parse_attachment", linked(unfurls={LINK: "x"})),
    Case(UNFURL, "cannot_parse_attachment", linked(unfurls={LINK: {"blocks": [{"type": "section"}]}})),
    Case(UNFURL, "cannot_find_channel", {**PREVIEWS, "channel": "C0NONE", "ts": "1.000001"}),
    Case(UNFURL, "cannot_find_message", {**PREVIEWS, "channel": "C0ASK", "ts": "1.000001"}),
    Case(UNFURL, "cannot_unfurl_message", linked(unfurls={"https://y.example": {"text": "x"}})),
]
