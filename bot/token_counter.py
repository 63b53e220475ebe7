"""Knows which tokenizer counts rows for a target on this machine; how rows are counted it does not know."""

from pathlib import Path

from bot.settings import Settings
from trainers.data.counting import CountRow, counter
from trainers.data.limits import target_limits
from trainers.spec import TrainingSpec


def counter_for(target: str, settings: Settings, model: Path | None = None) -> CountRow:
    """Return what counts a target's tokens: the files of `model`, else those of the local base if they are here.

    Raises UserError for an unknown target and for a folder that holds no model.
    """
    vocabulary = target_limits(target).vocabulary
    if model is None and vocabulary == "model":
        base = settings.cache / "models" / TrainingSpec().base
        model = base if (base / "tokenizer.json").is_file() else None
    return counter(vocabulary, model)
