"""Knows how an error of ours is written where OpenAI's API speaks; it does not know what raises it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from knowledge.errors import UserError
from trainers.openai_api.refusals import bad


async def unfit(_: Request, error: Exception) -> Response:
    """Write what could not be taken from a request, such as a text that no database keeps."""
    refusal = bad(str(error), "invalid_value")
    return JSONResponse(refusal.body, refusal.status)


HANDLERS = {UserError: unfit}
"""What the router is given to answer our errors."""
