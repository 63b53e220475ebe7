"""What an app may do through a response address: answer, replace, delete. Knows messages, not how often it may."""

from bot.console import messages
from bot.console.drafts import content, signature
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace


def respond(space: Workspace, key: str, args: Args) -> None:
    """Carry out one post to a response address. Raises used_url, expired_url and the errors of message content."""
    origin = space.response_urls.use(key)
    row = space.store.message(origin["channel"], origin["message_ts"]) if origin["message_ts"] else None
    if args.flag("delete_original"):
        if row:
            messages.remove(space, row)
    elif args.flag("replace_original") and row:
        kept = {name: value for name, value in row.body.items() if name not in ("text", "blocks", "attachments")}
        messages.edit(space, row, {**kept, **content(space, args)}, args.values)
    else:
        answer(space, origin["user"], origin["channel"], args, origin["thread_ts"])


def answer(space: Workspace, user: str, channel_id: str, args: Args, thread_ts: str | None = None) -> Json:
    """Post what an app answered to a command or an interaction: ephemeral unless it says in_channel."""
    kind = args.text("response_type") or "ephemeral"
    if kind not in ("ephemeral", "in_channel"):
        raise SlackError("invalid_arguments", f"unknown response_type: {kind}")
    draft = messages.Draft(
        channel=space.channel(channel_id),
        author=space.who.bot_user,
        body={**signature(space, args), **content(space, args)},
        thread_ts=args.text("thread_ts") or thread_ts,
        viewer=user if kind == "ephemeral" else None,
        raw=args.values,
    )
    return messages.post(space, draft)
