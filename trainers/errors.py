"""The errors of making models; it knows what can go wrong with data, quotes and jobs, not how Slack shows it.

UserError
├── DatasetRejected     the rows cannot be trained on
├── JobNotFound         no such job in this workspace
├── StaleApproval       the quote that was approved is no longer the job's quote
├── NotAllowed          this person may not do that
│   └── NotYet          nor may anybody just now, and later it may go by itself
├── ReviewNotFound      no such review in this workspace
├── RowRefused          a row under review cannot become that
│   └── AnswersUnknown  a review's plan does not know the answers of kept rows
└── OverBudget          the month's budget does not hold it
LuthierError
├── LeaseLost           another worker owns the job now; stop quietly
├── ChildFailed         a training or evaluation child ended with an error
└── Refused             a provider said no, and that nothing was created
"""

from datetime import timedelta

from knowledge.errors import LuthierError, UserError


class DatasetRejected(UserError):
    """These rows cannot be trained on."""


class JobNotFound(UserError):
    """There is no such job in this workspace."""


class StaleApproval(UserError):
    """This quote has changed or expired."""


class NotAllowed(UserError):
    """You may not do that."""


class NotYet(NotAllowed):
    """That may not begin now; later it may."""


class ReviewNotFound(UserError):
    """There is no such review in this workspace."""


class RowRefused(UserError):
    """This row cannot become that."""


class AnswersUnknown(RowRefused):
    """Kept rows have answers that the plan does not know."""

    def __init__(self, what: str, next_step: str, *, place: int) -> None:
        """Take also the place of the first such row."""
        super().__init__(what, next_step)
        self.place = place


class OverBudget(UserError):
    """This month's budget does not hold the cost."""


class LeaseLost(LuthierError):
    """Another worker has taken this job over."""


class ChildFailed(LuthierError):
    """The training process ended with an error."""


class Refused(LuthierError):
    """The provider refused, and nothing was created."""

    def __init__(self, what: str = "", next_step: str = "", *, again_in: timedelta | None = None) -> None:
        """Take also when the same call may be made again; None: not at all."""
        super().__init__(what, next_step)
        self.again_in = again_in
