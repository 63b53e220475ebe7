"""The command that shows what people thought of answers; it knows how a rating reads, not how it came about."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, show, show_json, table

if TYPE_CHECKING:
    from knowledge.feedback import Rating


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(feedback)


def feedback(
    workspace: Annotated[str, typer.Option(help="Id of one workspace (T…); all without it.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """List how people rated answers, what was wrong with them, and which passages they cited; newest first."""
    from bot.settings import Settings
    from bot.working import working
    from knowledge.feedback import Feedback

    with working(Settings.from_env(), lambda _: None) as at:
        found = Feedback(at.deps.engine).listing(workspace)
    if as_json:
        show_json([_as_json(rating) for rating in found])
    elif found:
        rows = [[f"{rating.rated_at:%Y-%m-%d %H:%M}", *_said(rating)] for rating in found]
        show(table(["When (UTC)", "Rating", "What was wrong", "In their words", "Passages"], rows))
    else:
        show("Nobody has rated an answer yet.")


def _said(rating: "Rating") -> list[str]:
    from knowledge.feedback import VERDICTS

    return [
        "good" if rating.good else "bad",
        VERDICTS.get(rating.verdict, ""),
        rating.words,
        "\n".join(json.loads(rating.passages)),
    ]


def _as_json(rating: "Rating") -> dict[str, Any]:
    return {
        "workspace": rating.workspace_id,
        "person": rating.user_id,
        "channel": rating.channel,
        "message": rating.message_ts,
        "good": rating.good,
        "verdict": rating.verdict,
        "words": rating.words,
        "question": rating.question_hash,
        "passages": json.loads(rating.passages),
        "at": rating.rated_at.isoformat(),
    }
