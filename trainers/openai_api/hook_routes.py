"""Knows HTTP as OpenAI's API speaks it about webhook endpoints; it does not know how an event reaches one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trainers.openai_api import requests, shapes
from trainers.openai_api.engine import Caller, Engine, Scope
from trainers.openai_api.objects import EVENT_TYPES
from trainers.openai_api.refusals import bad, missing

HOOKS = "/webhook_endpoints"
LONGEST_URL = 2048


@dataclass(frozen=True)
class HookRoutes:
    """The routes of webhook endpoints over one engine."""

    engine: Engine

    def table(self) -> tuple[tuple[str, str, Scope, Callable[[Request, Caller], Awaitable[Response]]], ...]:
        """Return verb, path, scope and handler of each route."""
        one = f"{HOOKS}/{{id}}"
        return (
            ("POST", HOOKS, "train", self.create),
            ("GET", HOOKS, "read", self.listing),
            ("GET", f"{HOOKS}/event_types", "read", self.event_types),
            ("POST", f"{one}/rotate_secret", "train", self.rotate),
            ("POST", f"{one}/test", "train", self.test),
            ("GET", one, "read", self.get),
            ("POST", one, "train", self.update),
            ("DELETE", one, "train", self.delete),
        )

    async def create(self, request: Request, caller: Caller) -> Response:
        """POST /webhook_endpoints."""
        body = await requests.body_of(request)
        for name in ("name", "url", "event_types"):
            if not body.get(name):
                raise missing(name)
        asked = _checked(body)
        kept, secret = await self.engine.add_hook(caller, asked["name"], asked["url"], asked["event_types"])
        return JSONResponse(shapes.hook(kept, secret))

    async def listing(self, request: Request, caller: Caller) -> Response:
        """GET /webhook_endpoints."""
        found = await self.engine.hooks(caller, requests.page_of(request, default=20, most=100))
        return JSONResponse(shapes.page(found, shapes.hook))

    async def event_types(self, request: Request, caller: Caller) -> Response:
        """GET /webhook_endpoints/event_types."""
        return JSONResponse(shapes.whole_list(EVENT_TYPES))

    async def get(self, request: Request, caller: Caller) -> Response:
        """GET /webhook_endpoints/{id}."""
        return JSONResponse(shapes.hook(await self.engine.hook(caller, request.path_params["id"])))

    async def update(self, request: Request, caller: Caller) -> Response:
        """POST /webhook_endpoints/{id}."""
        changes = _checked(await requests.body_of(request))
        return JSONResponse(shapes.hook(await self.engine.change_hook(caller, request.path_params["id"], changes)))

    async def rotate(self, request: Request, caller: Caller) -> Response:
        """POST /webhook_endpoints/{id}/rotate_secret."""
        keep = bool((await requests.body_of(request)).get("keep_old_secret_active_for_24_hours"))
        return JSONResponse(shapes.hook(*await self.engine.rotate_hook(caller, request.path_params["id"], keep)))

    async def test(self, request: Request, caller: Caller) -> Response:
        """POST /webhook_endpoints/{id}/test."""
        hook_id, chosen = request.path_params["id"], (await requests.body_of(request)).get("event_type")
        if chosen not in EVENT_TYPES:
            raise bad(f"'event_type' must be one of {list(EVENT_TYPES)}.", "invalid_value", "event_type")
        status = await self.engine.test_hook(caller, hook_id, chosen)
        told = {"object": "webhook_endpoint.test", "success": True, "webhook_endpoint_id": hook_id}
        return JSONResponse({**told, "event_type": chosen, "status_code": status})

    async def delete(self, request: Request, caller: Caller) -> Response:
        """DELETE /webhook_endpoints/{id}."""
        await self.engine.delete_hook(caller, request.path_params["id"])
        return JSONResponse({"id": request.path_params["id"], "object": "webhook_endpoint.deleted", "deleted": True})


def _checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given of name, url and event_types; raises ApiError where one means nothing."""
    found = {name: body[name] for name in ("name", "url", "event_types") if body.get(name) is not None}
    if not isinstance(found.get("name", ""), str) or len(found.get("name", "")) > 200:
        raise bad("Invalid 'name': text of at most 200 characters.", "invalid_value", "name")
    url = found.get("url", "https://x")
    if not isinstance(url, str) or len(url) > LONGEST_URL or not _is_address(url):
        raise bad("Invalid 'url': an http(s) address without user and password.", "invalid_value", "url")
    events = found.get("event_types", [EVENT_TYPES[0]])
    if not isinstance(events, list) or not events or not all(event in EVENT_TYPES for event in events):
        raise bad(f"'event_types' must be among {list(EVENT_TYPES)}.", "invalid_value", "event_types")
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
