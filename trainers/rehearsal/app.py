"""Knows HTTP as OpenAI's fine-tuning API speaks it, and breaks on request; it trains nothing and says so."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from trainers.rehearsal import shapes
from trainers.rehearsal.book import Book, submission_in
from trainers.rehearsal.deployments import Deployments
from trainers.rehearsal.faults import Faults
from trainers.rehearsal.requests import checked_start, count_rows


class Listed(Protocol):
    """What a list holds."""

    id: str


T = TypeVar("T", bound=Listed)


class HangUp(Response):
    """No answer: the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Break it."""
        scope["hang_up"]()
        await asyncio.sleep(0)  # the server has to hear of it before we return without an answer


@dataclass(kw_only=True)
class Rehearsal:
    """The provider: its book, its faults and its pace."""

    book: Book
    faults: Faults = field(default_factory=Faults)
    pace: shapes.Pace = field(default_factory=shapes.Pace)
    clock: Callable[[], float] = time.time
    """Seconds since 1970."""
    shutdowns: dict[str, str] = field(default_factory=dict)
    """Further models that can be asked about -> the day on which each is shut down, or ""."""

    async def upload(self, request: Request) -> Response:
        """POST /v1/files."""
        async with request.form() as form:
            sent, purpose = form.get("file"), str(form.get("purpose", ""))
            if not isinstance(sent, UploadFile) or not purpose:
                return _refuse(400, "'file' and 'purpose' are required properties", None)
            name, content = sent.filename or "", await sent.read()
        counted = count_rows(content)

        def keep(_: str) -> Response:
            facts = {"name": name, "size": len(content), "purpose": purpose, **counted._asdict()}
            made = self.book.new_id("file")
            self.book.note("uploaded", submission_in(name), id=made, at=self.clock(), **facts)
            return JSONResponse(shapes.file(self.book.uploads[made]))

        return await self.perform("upload", submission_in(name), keep)

    async def start(self, request: Request) -> Response:
        """POST /v1/fine_tuning/jobs."""
        body = checked_start(await _body(request), self.book)
        submission_id = str((body.get("metadata") or {}).get("submission_id", ""))
        rows = self.book.uploads[body["training_file"]]

        def keep(fault: str) -> Response:
            made, ill = self.book.new_id("ftjob"), fault if fault in ("invalid", "dies") else ""
            facts = {"tokens": rows.tokens, "examples": rows.examples, "fault": ill}
            self.book.note("created", submission_id, id=made, at=self.clock(), body=body, **facts)
            return self._job(made)

        return await self.perform("start", submission_id, keep)

    async def cancel(self, request: Request) -> Response:
        """POST /v1/fine_tuning/jobs/{id}/cancel."""
        run = self.book.runs.get(request.path_params["id"])
        if run is None:
            return _no_job(request.path_params["id"])

        def keep(_: str) -> Response:
            state = shapes.status(run, self.pace, self.clock())
            if state in ("succeeded", "failed"):
                return _refuse(400, f"Job has already {state}.", "invalid_job_state")
            if state != "cancelled":
                self.book.note("cancelled", run.submission_id, id=run.id, at=self.clock())
            return self._job(run.id)

        return await self.perform("cancel", run.submission_id, keep)

    async def delete(self, request: Request) -> Response:
        """DELETE /v1/files/{id}."""
        upload = self.book.uploads.get(request.path_params["id"])
        if upload is None or upload.deleted:
            return _refuse(404, f"No such File object: {request.path_params['id']}", None, param="id")

        def keep(_: str) -> Response:
            self.book.note("deleted", submission_in(upload.name), id=upload.id, at=self.clock())
            return JSONResponse({"id": upload.id, "object": "file", "deleted": True})

        return await self.perform("delete", submission_in(upload.name), keep)

    async def files(self, request: Request) -> Response:
        """GET /v1/files?purpose&limit&order&after."""
        purpose, newest = request.query_params.get("purpose"), request.query_params.get("order", "desc") != "asc"
        shown = [
            upload
            for upload in self.book.uploads.values()
            if not upload.deleted and purpose in (None, upload.purpose) and self.visible(upload.at)
        ]
        ordered = shown[::-1] if newest else shown
        return await self.perform("read", "files", lambda _: _page(ordered, shapes.file, request, 10_000))

    async def file(self, request: Request) -> Response:
        """GET /v1/files/{id}."""
        upload = self.book.uploads.get(request.path_params["id"])
        if upload is None or upload.deleted:
            return _refuse(404, f"No such File object: {request.path_params['id']}", None, param="id")
        return await self.perform("read", upload.id, lambda _: JSONResponse(shapes.file(upload)))

    async def jobs(self, request: Request) -> Response:
        """GET /v1/fine_tuning/jobs?after&limit&metadata[k]=v, newest first."""
        wanted = {
            name[len("metadata[") : -1]: value
            for name, value in request.query_params.items()
            if name.startswith("metadata[") and name.endswith("]")
        }
        shown = [
            run
            for run in reversed(self.book.runs.values())
            if self.visible(run.at) and wanted.items() <= (run.body.get("metadata") or {}).items()
        ]
        now = self.clock()
        return await self.perform(
            "read", "jobs", lambda _: _page(shown, lambda run: shapes.job(run, self.pace, now), request, 20)
        )

    async def job(self, request: Request) -> Response:
        """GET /v1/fine_tuning/jobs/{id}."""
        run = self.book.runs.get(request.path_params["id"])
        if run is None:
            return _no_job(request.path_params["id"])
        return await self.perform("read", run.id, lambda _: self._job(run.id))

    async def events(self, request: Request) -> Response:
        """GET /v1/fine_tuning/jobs/{id}/events, newest first."""
        run = self.book.runs.get(request.path_params["id"])
        if run is None:
            return _no_job(request.path_params["id"])
        told = shapes.events(run, self.pace, self.clock())
        return await self.perform("read", run.id, lambda _: _page(told, shapes.event, request, 20))

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        listed = {"object": "list", "data": [shapes.model(name) for name in shapes.MODELS]}
        return await self.perform("read", "models", lambda _: JSONResponse(listed))

    async def model(self, request: Request) -> Response:
        """GET /v1/models/{id}."""
        name = request.path_params["id"]
        if name not in shapes.MODELS and name not in self.shutdowns:
            return _refuse(404, f"The model '{name}' does not exist", "model_not_found", param="model")
        told = shapes.model(name, self.shutdowns.get(name, ""))
        return await self.perform("read", name, lambda _: JSONResponse(told))

    async def perform(self, call: str, about: str, keep: Callable[[str], Response]) -> Response:
        """Do what a call asks for, or what its fault makes of it."""
        fault = self.faults.choose(call, about)
        refusal = self._refusal(fault)
        if refusal is not None:
            return refusal
        if fault == "drop_before":
            return HangUp()
        if fault == "late":
            await asyncio.sleep(self.faults.late_seconds)
        answer = keep(fault)
        if fault == "drop_after":
            return HangUp()
        if fault == "slow":
            await asyncio.sleep(self.faults.slow_seconds)
        return _refuse(500, "The server had an error.", None, kind="server_error") if fault == "error_after" else answer

    def _refusal(self, fault: str) -> Response | None:
        match fault:
            case "error_before":
                return _refuse(500, "The server had an error.", None, kind="server_error")
            case "busy":
                wait = {"Retry-After": f"{self.faults.retry_after:g}"}
                return _refuse(429, "Rate limit reached.", "rate_limit_exceeded", kind="requests", headers=wait)
            case "unauthorized":
                return _refuse(401, "Incorrect API key provided.", "invalid_api_key")
            case "forbidden":
                return _refuse(
                    403, "Your organization is not able to create fine-tuning jobs.", "training_not_available"
                )
            case "missing":
                return _refuse(404, "The resource does not exist.", "not_found")
        return None

    def visible(self, at: float) -> bool:
        """Say whether lists show what was made at that moment."""
        return self.clock() - at >= self.faults.list_lag

    def _job(self, made: str) -> Response:
        return JSONResponse(shapes.job(self.book.runs[made], self.pace, self.clock()))


def build_app(rehearsal: Rehearsal) -> ASGIApp:
    """Return the ASGI application; every answer's header says that nothing is trained."""
    jobs = "/v1/fine_tuning/jobs"
    routes = [
        Route("/v1/files", rehearsal.upload, methods=["POST"]),
        Route("/v1/files", rehearsal.files),
        Route("/v1/files/{id}", rehearsal.delete, methods=["DELETE"]),
        Route("/v1/files/{id}", rehearsal.file),
        Route(jobs, rehearsal.start, methods=["POST"]),
        Route(jobs, rehearsal.jobs),
        Route(f"{jobs}/{{id}}/cancel", rehearsal.cancel, methods=["POST"]),
        Route(f"{jobs}/{{id}}/events", rehearsal.events),
        Route(f"{jobs}/{{id}}", rehearsal.job),
        Route("/v1/models", rehearsal.models),
        Route("/v1/models/{id}", rehearsal.model),
        *Deployments(rehearsal).routes(),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _told})

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if not dict(scope["headers"]).get(b"authorization", b"").startswith(b"Bearer "):
            await _refuse(401, "You didn't provide an API key.", None)(scope, receive, send)
            return
        cycle = send.__self__  # type: ignore[attr-defined]  # uvicorn's: the one way to hang up
        scope["hang_up"] = cycle.transport.abort
        await app(scope, receive, send)

    return answer


async def _told(_: Request, error: Exception) -> Response:
    """Write an error of routing or of a check as OpenAI does."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse(
        json.loads(error.detail) if error.detail.startswith("{") else shapes.error(error.detail, None),
        error.status_code,
    )


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "We could not parse the JSON body of your request.")
    return body


def _page(items: Sequence[T], shape: Callable[[T], dict[str, Any]], request: Request, default: int) -> Response:
    """Return the page of a cursor list that follows `after`; only what is on it is written out."""
    after, limit = request.query_params.get("after"), int(request.query_params.get("limit", default))
    start = next((number + 1 for number, item in enumerate(items) if item.id == after), 0)
    shown = [shape(item) for item in items[start : start + limit]]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return JSONResponse({"object": "list", "data": shown, "has_more": start + limit < len(items), **ends})


def _no_job(job_id: str) -> Response:
    return _refuse(404, f"Could not find fine tune: {job_id}", "fine_tune_not_found", param="fine_tune_id")


def _refuse(
    status: int,
    message: str,
    code: str | None,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    return JSONResponse(shapes.error(message, code, kind, param), status, headers=headers)
