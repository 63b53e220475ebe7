"""Knows how each message that a job owes looks in Slack; it does not know who posts it or when."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from handlers.blocks import approval, cost, draft, job, learn, report, review
from handlers.blocks.parts import Block, section
from trainers.data.review import Look
from trainers.jobs.messages import (
    Announcement,
    ApprovalRequest,
    DraftedCard,
    EndedCard,
    HomeRefresh,
    LearnedCard,
    LeftoverCard,
    Message,
    ProgressCard,
    QuoteCard,
    ReportCard,
    RetirementCard,
    ReviewCard,
)

NO_FILES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture that has to be in Slack before the message that shows it."""

    path: str
    """Where it lies under the data folder; the key of `file_ids`."""
    title: str
    alt: str
    """What it shows, in words."""


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """A message, ready to post."""

    text: str
    """The whole message in a sentence or two, for notifications and screen readers."""
    blocks: list[Block]
    files: tuple[Picture, ...] = ()
    """Pictures that the blocks would show but that are not in `file_ids`: upload them and render again."""


def render(
    message: Message, file_ids: Mapping[str, str] = NO_FILES, permalink: str = "", look: Look | None = None
) -> Rendering:
    """Draw a job's message.

    `file_ids` gives Slack's file id for each picture by its path; `permalink` is the address of the job's thread,
    for announcements; `look` is the review of a ReviewCard as it is now. Raises TypeError for a HomeRefresh, which is
    no message (`handlers.home.publish_home`).
    """
    match message:
        case QuoteCard():
            return Rendering(text=job.quote_title(message), blocks=job.quote_blocks(message))
        case ProgressCard():
            return Rendering(text=job.progress_text(message), blocks=job.progress_blocks(message))
        case ReportCard():
            return _report(message, file_ids)
        case EndedCard():
            return Rendering(text=job.ended_text(message), blocks=job.ended_blocks(message))
        case LearnedCard():
            return Rendering(text=learn.learned_text(message), blocks=learn.learned_blocks(message))
        case DraftedCard() | ReviewCard() | HomeRefresh():
            return _rows(message, look)
        case _:
            line = _line(message, permalink)
            return Rendering(text=line, blocks=[section(line)])


def _rows(message: DraftedCard | ReviewCard | HomeRefresh, look: Look | None) -> Rendering:
    if isinstance(message, DraftedCard):
        return Rendering(text=draft.drafted_text(message), blocks=draft.drafted_blocks(message))
    if look is None:
        raise TypeError("a HomeRefresh is published, not posted, and a review is drawn from its rows")
    return Rendering(text=review.review_text(look), blocks=review.review_blocks(look))


def _line(message: ApprovalRequest | LeftoverCard | RetirementCard | Announcement, permalink: str) -> str:
    match message:
        case ApprovalRequest():
            return approval.request_text(message)
        case LeftoverCard():
            return job.leftover_text(message)
        case RetirementCard():
            return cost.retirement_text(message)
        case Announcement():
            return job.announcement_text(message, permalink)


def _report(card: ReportCard, file_ids: Mapping[str, str]) -> Rendering:
    owed = tuple(Picture(**image) for image in card.images if image["path"] not in file_ids)
    return Rendering(text=report.report_text(card), blocks=report.report_blocks(card, file_ids), files=owed)
