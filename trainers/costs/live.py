"""Asks OpenAI itself when a model is shut down, where somebody has an account; nothing is asked unless told to."""

from datetime import date

from knowledge.errors import ServiceError, UserError
from trainers.costs.facts import Source

SECONDS = 10.0
"""An answer that takes longer is done without."""


def shutdown_date(model: str, *, url: str, key: str) -> date | None:
    """Return the day that `GET /models/{model}` names; None where no shutdown is announced.

    Raises UserError where the key or the model is refused, ServiceError where nobody answers.
    """
    import openai  # half a second that only this question pays

    client = openai.OpenAI(base_url=url, api_key=key, timeout=SECONDS, max_retries=1)
    try:
        named = getattr(client.models.retrieve(model), "shutdown_date", None)
        return date.fromisoformat(named) if named else None
    except openai.NotFoundError:
        raise UserError(f"{url} has no model {model}: it may be gone.", "Look at the provider's own list.") from None
    except openai.APIStatusError as refused:
        what = f"{url} refused to say when {model} is shut down (status {refused.status_code})."
        raise UserError(what, "Check the key.") from None
    except (openai.APIError, ValueError, TypeError) as lost:
        what = f"{url} did not say when {model} is shut down ({type(lost).__name__})."
        raise ServiceError(what, "Try again, or leave the question out.") from None
    finally:
        client.close()


def asked_on(today: date, url: str) -> Source:
    """Return the source of what an account was told today."""
    return Source(name="the provider's own answer (GET /models)", url=url, as_of=today)
