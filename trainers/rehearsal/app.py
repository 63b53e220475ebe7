"""Knows what the rehearsal provider serves: OpenAI's API over its engine, and Azure's deployments beside it."""

from starlette.types import ASGIApp

from trainers.openai_api.router import build_app as build_router
from trainers.rehearsal.deployments import Deployments
from trainers.rehearsal.engine import Rehearsal
from trainers.rehearsal.hang_up import HungUp, able_to_hang_up, hang_up

__all__ = ["Rehearsal", "build_app"]


def build_app(rehearsal: Rehearsal) -> ASGIApp:
    """Return the ASGI application; every answer's header says that nothing is trained.

    Azure serves the same API below /openai/v1.
    """
    routes, breaks = Deployments(rehearsal).routes(), {HungUp: hang_up}
    return able_to_hang_up(build_router(rehearsal, routes, prefixes=("/v1", "/openai/v1"), handlers=breaks))
