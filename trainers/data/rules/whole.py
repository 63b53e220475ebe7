"""The rules about a training file as a whole, some beside its test file; each knows itself what it needs of a row."""

from collections.abc import Sequence

from trainers.data.limits import TargetLimits
from trainers.data.rules.balance import LabelRules
from trainers.data.rules.genre import Genre
from trainers.data.rules.groups import Groups
from trainers.data.rules.handover import Keys
from trainers.data.rules.languages import Languages
from trainers.data.rules.lengths import Lengths
from trainers.data.rules.prompts import SystemPrompts
from trainers.data.rules.repeats import Repeats
from trainers.data.rules.size import Rows
from trainers.data.rules.view import Rule, View


class WholeFile:
    """Fresh rules for one file; the rows of its test file, if there is one, are shown to them first."""

    def __init__(self, limits: TargetLimits, samples: Sequence[str] = ()) -> None:
        """Take what the target accepts, and samples of the wanted style."""
        self.rows, self.prompts, self._labels = Rows(limits), SystemPrompts(), LabelRules()
        self._repeats = Repeats()
        self._beside = (self._repeats, self.prompts, self._labels, Genre(samples), Groups())
        self.rules: tuple[Rule, ...] = (self.rows, *self._beside, Lengths(), Languages(), Keys(limits))

    def see_test(self, view: View) -> None:
        """Take a row of the test file into account."""
        self.rows.test = (self.rows.test or 0) + 1
        for rule in self._beside:
            rule.see_test(view)

    def close(self) -> None:
        """Let the rules' files on disk go."""
        self._repeats.close()

    @property
    def labels(self) -> dict[str, int] | None:
        """The closed set of labels with counts, or None for free text."""
        return self._labels.labels.closed()

    @property
    def has_prompt(self) -> bool:
        """Whether the rows' one system prompt says anything."""
        return self.prompts.says_something
