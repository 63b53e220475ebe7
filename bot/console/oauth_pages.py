"""The page on which a person lets the app into a workspace. Knows the flow's addresses, not tokens."""

import re
from html import escape
from typing import NamedTuple
from urllib.parse import SplitResult, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from bot.console.site import Site

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Allow {app}?</title>
<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/oauth.css">
<main>
<p class="where">Local Slack</p>
<h1>{app} is requesting permission to enter a workspace</h1>
<h2>It will be able to use these scopes</h2>
<ul class="scopes">{scopes}</ul>
<h2>Choose a workspace</h2>
<ul class="teams">{teams}</ul>
<p><a class="cancel" href="{cancel}">Cancel</a></p>
</main>
</html>
"""
NEAR = ("127.0.0.1", "localhost")
"""An app without redirect_urls in its manifest may be sent back to this machine only."""


class Ask(NamedTuple):
    """What the app wants."""

    submitted: str
    """Its redirect_uri as it came; may be empty."""
    back: str
    """Where the person is sent."""
    state: str
    """Handed back as it came."""


class RefusedError(Exception):
    """This is no request of the app; the text is Slack's name for why."""


async def authorize(request: Request) -> Response:
    """Ask in which workspace the app is to be installed."""
    site: Site = request.app.state.site
    try:
        ask = _asked(site, request)
    except RefusedError as refused:
        return _no(refused)
    links = []
    for space in site:
        query = urlencode({**dict(request.query_params), "team": space.who.team_id})
        name = escape(space.who.team_name)
        links.append(f'<li><a href="/oauth/v2/allow?{escape(query)}">Allow in <b>{name}</b></a></li>')
    wanted = [each for each in re.split(r"[\s,]+", request.query_params.get("scope", "")) if each]
    scopes = "".join(f"<li>{escape(each)}</li>" for each in wanted) or "<li>none</li>"
    cancel = _back(ask.back, {"error": "access_denied", "state": ask.state})
    app = escape(site.settings.manifest.name)
    return HTMLResponse(PAGE.format(app=app, scopes=scopes, teams="".join(links), cancel=escape(cancel)))


async def allow(request: Request) -> Response:
    """Send the person back to the app with a code."""
    site: Site = request.app.state.site
    try:
        ask = _asked(site, request)
        team = next((space for space in site if space.who.team_id == request.query_params.get("team")), None)
        if team is None:
            raise RefusedError("team_not_found")
    except RefusedError as refused:
        return _no(refused)
    code = site.grants.allow(team.who.team_id, team.people()[0], ask.submitted)
    return RedirectResponse(_back(ask.back, {"code": code, "state": ask.state}), 302)


def _asked(site: Site, request: Request) -> Ask:
    """Check the request; codes go to the app's own addresses only, or to this machine. Raises RefusedError."""
    ask, settings = request.query_params, site.settings
    if not settings.client_id or ask.get("client_id") != settings.client_id:
        raise RefusedError("invalid_client_id")
    submitted, listed = ask.get("redirect_uri", ""), settings.manifest.redirect_urls
    back = submitted or next(iter(listed), "")
    wanted = _address(back)
    near = wanted is not None and wanted.hostname in NEAR and not listed
    if wanted is None or not (near or any(_within(wanted, _address(each)) for each in listed)):
        raise RefusedError("bad_redirect_uri")
    return Ask(submitted, back, ask.get("state", ""))


def _address(text: str) -> SplitResult | None:
    """A plain http(s) address, or None where a browser might read another host in it than we do."""
    if re.search(r"[\x00-\x20\x7f\\]", text):
        return None
    try:
        address = urlsplit(text)
        port_ok = address.port is None or address.port > 0
    except ValueError:
        return None
    plain = address.scheme in ("http", "https") and address.hostname and "@" not in address.netloc
    return address if plain and port_ok and not address.fragment else None


def _within(wanted: SplitResult, listed: SplitResult | None) -> bool:
    """Slack's rule: same scheme, host and port; the path may go deeper than the one in the manifest."""
    if listed is None or (wanted.scheme, wanted.netloc.lower()) != (listed.scheme, listed.netloc.lower()):
        return False
    path, base = wanted.path or "/", listed.path or "/"
    return ".." not in path.split("/") and (path == base or path.startswith(base.rstrip("/") + "/"))


def _no(refused: RefusedError) -> Response:
    return PlainTextResponse(f"The app cannot be installed: {refused}.", 400)


def _back(address: str, query: dict[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"
