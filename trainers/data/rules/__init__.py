"""The rules that judge training rows: which there are, and in which order they speak."""

from trainers.data.limits import TargetLimits
from trainers.data.rules import shape, wording
from trainers.data.rules.answers import Answers
from trainers.data.rules.credentials import NoSecrets
from trainers.data.rules.personal import PersonalData
from trainers.data.rules.view import RowCheck, Rule


def row_rules(limits: TargetLimits) -> list[Rule]:
    """Return fresh rules about single rows: they hold for training and test rows alike."""
    checks = [RowCheck(check, limits) for check in (*shape.CHECKS, *wording.CHECKS)]
    return [*checks, NoSecrets(), PersonalData(), Answers()]
