"""Knows how to say what an error means for the job over which it came; it does not know what is done then."""

import logging
import traceback

from knowledge.errors import LuthierError
from trainers.tables import Job

log = logging.getLogger("luthier.worker")


def in_words(job: Job, error: Exception) -> tuple[str, str]:
    """Return what happened and what to do next; an error that nobody foresaw is logged by its place alone."""
    if isinstance(error, LuthierError):
        return error.what, error.next_step or "Look at the job's log, then `resume`."
    if isinstance(error, OSError):
        return f"The machine refused: {error.strerror or error}.", "Free what is missing, then `resume`."
    places = "".join(traceback.format_tb(error.__traceback__))  # without the message, which may quote rows
    log.error("job %s broke with %s\n%s", job.id, type(error).__name__, places)
    broke = f"Something broke on my side ({type(error).__name__})."
    return broke, "`resume` tries again; the worker's log holds the place."
