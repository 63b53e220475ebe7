"""The command `voice`: how a brand's profile reads in a terminal, not how it is made."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json

if TYPE_CHECKING:
    from trainers.evals.style.voice import VoiceProfile


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(voice)


def voice(
    files: Annotated[
        list[Path],
        typer.Argument(help="The brand's texts: a file each, or several in one with lines of --- between; JSONL too."),
    ],
    reference: Annotated[
        list[Path] | None, typer.Option(help="What others write instead, best the untuned model; may come twice.")
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="Write house rules that the texts support to this file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what is distinctive in a brand's writing, with counts and intervals, and what rows and test it needs."""
    from knowledge.clock import utc_now
    from trainers.evals.style.voice import describe
    from trainers.evals.style.voice_rules import rules_for
    from trainers.evals.style.voice_texts import read_texts

    _check_use([*files, *(reference or ())], rules)
    today = utc_now().date()
    texts = read_texts(files, today=today)
    made = describe(texts, read_texts(reference or (), today=today))
    found = rules_for(made, texts)
    if rules is not None:
        rules.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    show_json(_as_json(made, found)) if as_json else show(_read(made))
    if rules is not None:
        kinds = "1 kind of house rules is" if len(found) == 1 else f"{len(found)} kinds of house rules are"
        say(f"{kinds} in {rules}: read them before they judge anything.")


def _check_use(files: list[Path], rules: Path | None) -> None:
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise fail_usage(f"There is no file {missing[0]}.")
    if rules is not None and rules.exists():
        raise fail_usage(f"There is a file at {rules} already. Give another name, or move it away first.")


def _as_json(made: "VoiceProfile", rules: dict[str, Any]) -> dict[str, Any]:
    from trainers.evals.style.voice_words import headline, voice_parts

    told = {part.title: list(part.sentences) for part in voice_parts(made)}
    return {**made.to_json(), "rules": rules, "headline": headline(made), "told": told}


def _read(made: "VoiceProfile") -> str:
    from trainers.evals.style.voice_words import headline, voice_parts

    lines = [headline(made)]
    for part in voice_parts(made):
        lines += ["", part.title, *(f"  - {sentence}" for sentence in part.sentences)]
    return "\n".join(lines)
