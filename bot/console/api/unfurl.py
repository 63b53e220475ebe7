"""chat.unfurl: previews that the app gives to links in a message. Knows what may be attached to which message."""

from bot.console import messages
from bot.console.api.access import is_in, seen
from bot.console.api.registry import method
from bot.console.blocks import block_problems, normalised
from bot.console.drafts import checked_blocks, clean, signature
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

ERRORS = (
    *("missing_channel", "missing_ts", "missing_unfurls", "missing_source", "missing_unfurl_id"),
    *("invalid_source", "invalid_unfurl_id", "invalid_unfurls_format", "cannot_parse_attachment"),
    *("cannot_find_channel", "cannot_find_message", "cannot_unfurl_message"),
)
SOURCES = ("composer", "conversations_history")


@method("chat.unfurl", scopes=("links:write",), errors=ERRORS)
def chat_unfurl(space: Workspace, args: Args) -> Json:
    """Attach previews to links of a message, or ask its author privately to sign in."""
    row = _target(space, args)
    if _asks_author(args):
        _ask_author(space, args, row)
    elif not args.has("unfurls"):
        raise SlackError("missing_unfurls")
    previews = [_preview(space, row, url, given) for url, given in _unfurls(args).items()]
    if previews:
        fresh = {preview["from_url"] for preview in previews}
        kept = [each for each in row.body.get("attachments", []) if each.get("from_url") not in fresh]
        attachments = [{**each, "id": place} for place, each in enumerate([*kept, *previews], start=1)]
        messages.edit(space, row, {**row.body, "attachments": attachments})
    return {}


def _target(space: Workspace, args: Args) -> Row:
    if args.text("unfurl_id") or args.text("source"):
        _refuse_id(args)
    if not args.text("channel"):
        raise SlackError("missing_channel")
    if not args.text("ts"):
        raise SlackError("missing_ts")
    try:
        channel = seen(space, space.channel(args.text("channel")))
    except SlackError:
        raise SlackError("cannot_find_channel") from None
    row = space.store.message(channel["id"], args.text("ts"))
    if row is None or row.viewer or not is_in(space, channel):
        raise SlackError("cannot_find_message")
    return row


def _refuse_id(args: Args) -> None:
    """This Slack sends no link_shared events while somebody types, so it gave no unfurl_id that could be right."""
    if not args.text("unfurl_id"):
        raise SlackError("missing_unfurl_id")
    if not args.text("source"):
        raise SlackError("missing_source")
    if args.text("source") not in SOURCES:
        raise SlackError("invalid_source")
    if args.text("source") == "composer" or not args.text("ts"):
        raise SlackError("invalid_unfurl_id")


def _unfurls(args: Args) -> dict[str, Json]:
    unfurls = args.record("unfurls", "invalid_unfurls_format") or {}
    if not all(isinstance(given, dict) for given in unfurls.values()):
        raise SlackError("cannot_parse_attachment")
    return unfurls


def _preview(space: Workspace, row: Row, url: str, given: Json) -> Json:
    """One attachment. Raises cannot_unfurl_message where the message has no such link."""
    if not _has_link(row, url):
        raise SlackError("cannot_unfurl_message")
    blocks = given.get("blocks")
    if blocks and block_problems(blocks):
        raise SlackError("cannot_parse_attachment", *block_problems(blocks))
    made = {"fallback": given.get("title") or given.get("text") or "[no preview available]"}
    parts = {"blocks": normalised(blocks)} if blocks else {}
    links = {"from_url": url, "original_url": url, "app_unfurl_url": url, "is_app_unfurl": True}
    return {**made, **given, **parts, **links, "app_id": space.who.app_id, "bot_id": space.who.bot_id}


def _has_link(row: Row, url: str) -> bool:
    """Whether the message's text has this address, escaped as addresses in texts are."""
    return f"<{clean(url, links=False)}" in str(row.body.get("text", ""))


def _asks_author(args: Args) -> bool:
    return args.flag("user_auth_required") or any(
        args.has(name) for name in ("user_auth_message", "user_auth_url", "user_auth_blocks")
    )


def _ask_author(space: Workspace, args: Args, row: Row) -> None:
    text = clean(args.text("user_auth_message"))
    if args.text("user_auth_url"):
        text = f"{text} <{args.text('user_auth_url')}|Connect>".strip()
    blocks = checked_blocks(space, args, "user_auth_blocks")
    author = str(row.body.get("user", ""))
    if space.store.is_member(row.channel, author):
        said = {"text": text or "Connect to see previews of this link.", **({"blocks": blocks} if blocks else {})}
        body = {**signature(space, Args({})), **said}
        channel = space.channel(row.channel)
        draft = messages.Draft(
            channel=channel, author=space.who.bot_user, body=body, viewer=author, thread_ts=row.root, raw=args.values
        )
        messages.post(space, draft)
