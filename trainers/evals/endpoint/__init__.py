"""Gathers what lets models behind an OpenAI-compatible chat endpoint answer rows; it judges no answer."""

from trainers.evals.endpoint.answering import Outcome, Standing, answer_over
from trainers.evals.endpoint.journal import Journal
from trainers.evals.endpoint.limits import Limits
from trainers.evals.endpoint.spending import Meter
from trainers.evals.endpoint.wire import Endpoint, Question, Reply

__all__ = ["Endpoint", "Journal", "Limits", "Meter", "Outcome", "Question", "Reply", "Standing", "answer_over"]
