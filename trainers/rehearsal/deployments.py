"""Knows HTTP as Azure's control plane speaks it about deployments, which are billed by the hour; it serves no model.

Deployments - Create Or Update, Get, List, Delete of Microsoft.CognitiveServices, api-version 2024-10-21: a deployment
has the name that its maker chose, and the same PUT again changes it instead of making a second one.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainers.openai_api.refusals import no_key
from trainers.openai_api.router import key_in
from trainers.rehearsal.book import Deployment, submission_in
from trainers.rehearsal.life import NOTHING

if TYPE_CHECKING:
    from trainers.rehearsal.engine import Rehearsal

ACCOUNT: Final = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}"
)
PAGE: Final = 2
"""Few on a page, so that every client has to follow the link to the next one."""


@dataclass(frozen=True)
class Deployments:
    """The deployments of a provider; there is one account, whatever it is called."""

    provider: "Rehearsal"

    def routes(self) -> list[Route]:
        """Return where they are."""
        one = f"{ACCOUNT}/deployments/{{name}}"
        return [
            Route(f"{ACCOUNT}/deployments", _versioned(self.listing)),
            Route(one, _versioned(self.put), methods=["PUT"]),
            Route(one, _versioned(self.delete), methods=["DELETE"]),
            Route(one, _versioned(self.get)),
        ]

    async def put(self, request: Request) -> Response:
        """Create or update."""
        book, name = self.provider.book, request.path_params["name"]
        try:
            body = await request.json()
            sku, model = dict(body["sku"]), str(body["properties"]["model"]["name"])
        except (ValueError, KeyError, TypeError):
            return _refuse(400, "InvalidRequestContent", "The request content was invalid.")
        if model not in self.provider.tuned():
            return _refuse(400, "DeploymentModelNotSupported", f"The model '{model}' is not supported.")

        def keep(_: str) -> Response:
            status = 200 if name in book.deployments else 201
            facts = {"id": name, "model": model, "sku": sku, "at": self.provider.clock()}
            book.note("updated" if status == 200 else "deployed", submission_in(name), **facts)
            return JSONResponse(_shape(request, book.deployments[name]), status)

        return await self.provider.perform("deploy", submission_in(name), keep)

    async def get(self, request: Request) -> Response:
        """One deployment."""
        found = self.provider.book.deployments.get(request.path_params["name"])
        if found is None:
            return _refuse(404, "DeploymentNotFound", "The deployment does not exist.")
        return await self.provider.perform("read", found.id, lambda _: JSONResponse(_shape(request, found)))

    async def delete(self, request: Request) -> Response:
        """Remove it and stop the bill; what is gone already is 204."""
        book, name = self.provider.book, request.path_params["name"]

        def keep(_: str) -> Response:
            if name not in book.deployments:
                return Response(status_code=204)
            now = self.provider.clock()
            book.note("undeployed", submission_in(name), id=name, at=now, seconds=now - book.deployments[name].at)
            return Response(status_code=200)

        return await self.provider.perform("undeploy", submission_in(name), keep)

    async def listing(self, request: Request) -> Response:
        """All, a page at a time."""
        skip = int(request.query_params.get("$skiptoken", 0))
        shown = [each for each in self.provider.book.deployments.values() if self.provider.visible(each.at)]
        answer: dict[str, Any] = {"value": [_shape(request, each) for each in shown[skip : skip + PAGE]]}
        if len(shown) > skip + PAGE:
            answer["nextLink"] = str(request.url.include_query_params(**{"$skiptoken": skip + PAGE}))
        return await self.provider.perform("read", "deployments", lambda _: JSONResponse(answer))


Handler = Callable[[Request], Awaitable[Response]]


def _versioned(handler: Handler) -> Handler:
    """Refuse requests without a key, and those that do not say which version of the API they mean, as Azure does."""

    async def checked(request: Request) -> Response:
        if not key_in(request.headers):
            raise no_key()
        if "api-version" in request.query_params:
            return await handler(request)
        text = "The api-version query parameter (?api-version=) is required for all requests."
        return _refuse(400, "MissingApiVersionParameter", text)

    return checked


def _shape(request: Request, made: Deployment) -> dict[str, Any]:
    return {
        "id": f"{ACCOUNT.format(**request.path_params)}/deployments/{made.id}",
        "name": made.id,
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "sku": made.sku,
        "properties": {
            "model": {"format": "OpenAI", "name": made.model, "version": "1"},
            "provisioningState": "Succeeded",
            "note": NOTHING,
        },
    }


def _refuse(status: int, code: str, message: str) -> Response:
    return Response(json.dumps({"error": {"code": code, "message": message}}), status, media_type="application/json")
