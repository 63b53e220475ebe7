"""Knows how a file arrives under a one-time link: the page, the cap, the checks; it does not know what rows are.

The link itself is the permission: there are no cookies, so another site has nothing to ride on. A browser that says it
comes from another site is refused all the same.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from shutil import copyfileobj
from typing import NamedTuple
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from handlers.arriving import Arrived, take_in
from handlers.blocks.lint import TICK
from handlers.deps import Deps
from handlers.files import stored_as
from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import LOCAL_WORKSPACE
from trainers.data.links import LinkGone, Links, UploadLink

log = logging.getLogger("luthier.web")

SECONDS = 600.0
"""An upload that takes longer is given up."""

DRAINED = 20.0
"""Seconds for which the rest of a refused upload is taken and thrown away."""

AROUND = 16 * 1024
"""Bytes that a form may have around its file."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class Refusal(Exception):
    """An upload that is not taken: a status and words."""

    def __init__(self, status: int, words: str) -> None:
        """Take both."""
        super().__init__(words)
        self.status, self.words = status, words


class OverCap(MultiPartException):
    """More came than is taken; it is the parser's own kind of error, so that it closes what it has written so far."""


class Sent(NamedTuple):
    """What a form held."""

    file: UploadFile
    name: str


class Uploads:
    """The two routes of one-time links."""

    def __init__(self, deps: Deps, slack: Callable[[str], WebClient]) -> None:
        """Take what handlers take, and how a workspace's client is had."""
        self._deps, self._slack = deps, slack
        self._links = Links(deps.engine)

    @property
    def routes(self) -> list[Route]:
        """Where the page and the file go."""
        path = "/upload/{secret:str}"
        return [Route(path, self.show, methods=["GET"]), Route(path, self.receive, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Show the form; looking at it, as previews of links do, uses nothing up."""
        try:
            await run_in_threadpool(self._links.look, request.path_params["secret"], self._deps.clock())
        except LinkGone as gone:
            return _page(410, "No upload here", f"{gone.what} {gone.next_step}")
        return _page(200, "Upload training rows", "", form=True, most=self._deps.file_limit)

    async def receive(self, request: Request) -> Response:
        """Take one file: the link is held while it arrives, spent when it is here whole, free again if it is not."""
        secret = request.path_params["secret"]
        try:
            _check_origin(request, self._deps.upload_address)
            link = await run_in_threadpool(self._links.take, secret, self._deps.clock())
        except Refusal as refused:
            return _page(refused.status, "Not taken", refused.words)
        except LinkGone as gone:
            return _page(410, "No upload here", f"{gone.what} {gone.next_step}")
        try:
            form = await self._read(request)
            sent = await _sent(form)
            await run_in_threadpool(self._links.spend, secret, self._deps.clock())
        except Refusal as refused:
            await run_in_threadpool(self._links.release, secret)
            await _drain(request, self._deps.file_limit)
            return _page(refused.status, "Not taken", f"{refused.words} The link still works.")
        except BaseException:  # a lost connection, a stop of the process: nothing whole arrived
            self._links.release(secret)
            raise
        try:
            return await run_in_threadpool(self._keep, link, sent)
        finally:
            await form.close()

    async def _read(self, request: Request) -> FormData:
        """Read the form while its size is counted; files over a megabyte go to disk, never into memory."""
        most = self._deps.file_limit + AROUND
        kind, length = (request.headers.get(name, "") for name in ("content-type", "content-length"))
        if not kind.startswith("multipart/form-data"):
            raise Refusal(415, "Send the file with the form of this page.")
        if length.isdecimal() and int(length) > most:
            raise Refusal(413, _too_large(self._deps.file_limit))
        body = _capped(request, most, self._deps.file_limit)
        try:
            async with asyncio.timeout(SECONDS):
                return await MultiPartParser(request.headers, body, max_files=1, max_fields=4).parse()
        except TimeoutError:
            raise Refusal(408, f"The file did not arrive within {SECONDS:.0f} seconds.") from None
        except OverCap as over:
            raise Refusal(413, over.message) from None
        except ClientDisconnect:
            raise Refusal(400, "The connection was lost.") from None
        except (MultiPartException, KeyError):
            raise Refusal(400, "That is no form with one file.") from None

    def _keep(self, link: UploadLink, sent: Sent) -> Response:
        """Copy, lint, keep and tell: on the page, and in Slack where the link came from there."""
        client = None if link.workspace_id == LOCAL_WORKSPACE else self._client(link.workspace_id)
        home = self._deps.datasets.folder / "incoming"
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as folder:
            path = Path(folder) / stored_as(sent.name)
            with path.open("wb") as out:
                copyfileobj(sent.file.file, out)
            try:
                done = take_in(client, self._deps, link, path, sent.name)
            except LuthierError as refused:
                return _page(422, "Nothing was kept", f"{refused.what} {refused.next_step}")
            except SlackApiError as error:
                log.warning("the rows of a link are kept, but Slack was not told (%s)", error.response["error"])
                return _page(200, "Kept", "Slack could not be told: `/tune data` lists the rows.")
        return _kept_page(done)

    def _client(self, workspace_id: str) -> WebClient | None:
        try:
            return self._slack(workspace_id)
        except (UserError, SlackApiError):
            return None


async def _capped(request: Request, most: int, limit: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for block in request.stream():
        size += len(block)
        if size > most:
            raise OverCap(_too_large(limit))
        yield block


async def _drain(request: Request, most: int) -> None:
    """Let what is under way arrive, up to a point: a browser that is cut off while it sends shows no answer."""
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: all of it was read already
        async with asyncio.timeout(DRAINED):
            async for block in request.stream():
                most -= len(block)
                if most < 0:
                    return


async def _sent(form: FormData) -> Sent:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename or not file.size:
        await form.close()
        raise Refusal(400, "Choose a file that is not empty.")
    if form.get("ours") != "yes":
        await form.close()
        raise Refusal(400, "Tick that the file is yours to use.")
    return Sent(file, Path(file.filename.replace("\\", "/")).name[:200])


def _check_origin(request: Request, address: str) -> None:
    """Refuse what a browser sends from another site's page."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "")
    known = {request.headers.get("host", ""), urlsplit(address).netloc}
    if site not in ("same-origin", "none") or (origin and urlsplit(origin).netloc not in known):
        raise Refusal(403, "This upload came from another site's page. Open the link itself.")


def _too_large(limit: int) -> str:
    return f"I take files of up to {limit / 1_000_000:,.0f} MB. A few thousand good rows are plenty."


def _kept_page(done: Arrived) -> Response:
    dataset = done.kept.dataset
    words = f"{dataset.name} v{dataset.version}: {dataset.train_rows:,} rows to train on, "
    told = " What I found is in your direct messages." if done.told else ""
    found = [f"{f.severity}: {f.message} {f.fix}" for f in done.kept.report.findings if f.severity != "REPORT"][:20]
    return _page(200, "Kept", f"{words}{dataset.test_rows:,} to test on.{told}", found)


def _page(
    status: int, title: str, words: str, found: list[str] | None = None, *, form: bool = False, most: int = 0
) -> Response:
    """Write a plain page without scripts; everything on it is escaped."""
    items = "".join(f"<li>{escape(each)}</li>" for each in found or ())
    body = f"<h1>{escape(title)}</h1><p>{escape(words)}</p>{f'<ul>{items}</ul>' if items else ''}"
    if form:
        body += (
            '<form method="post" enctype="multipart/form-data">'
            f"<p><label>Rows: JSONL, CSV, TSV or Excel, up to {most / 1_000_000:,.0f} MB<br>"
            '<input type="file" name="file" required></label></p>'
            f'<p><label><input type="checkbox" name="ours" value="yes" required> {escape(TICK)}</label></p>'
            '<p><button type="submit">Upload</button></p></form><p>This link takes one file.</p>'
        )
    style = "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:2em auto;padding:0 1em}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    page = f'<!doctype html><html lang="en"><head>{head}<style>{style}</style></head><body>{body}</body></html>'
    return HTMLResponse(page, status, HEADERS)
