"""The page on which a person lets the app into a workspace. Knows the flow's addresses, not tokens."""

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from bot.console.site import Site

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Allow {app}?</title>
<link rel="stylesheet" href="/static/style.css"><main class="oauth"><h1>{app} asks to enter a workspace</h1>
<p>It will be able to: {scopes}.</p><ul>{teams}</ul><p><a href="{cancel}">Cancel</a></p></main></html>"""


async def authorize(request: Request) -> Response:
    """Ask in which workspace the app is to be installed."""
    site: Site = request.app.state.site
    ask = request.query_params
    refusal = _refusal(site, request)
    if refusal:
        return PlainTextResponse(refusal, 400)
    scopes = ask.get("scope", "").replace(",", ", ") or "nothing"
    links = []
    for space in site:
        query = urlencode({**dict(ask), "team": space.who.team_id})
        links.append(f'<li><a href="/oauth/v2/allow?{escape(query)}">Allow in {escape(space.who.team_name)}</a></li>')
    cancel = _back(ask.get("redirect_uri", ""), {"error": "access_denied", "state": ask.get("state", "")})
    app = escape(site.settings.manifest.name)
    return HTMLResponse(PAGE.format(app=app, scopes=escape(scopes), teams="".join(links), cancel=escape(cancel)))


async def allow(request: Request) -> Response:
    """Send the person back to the app with a code."""
    site: Site = request.app.state.site
    ask = request.query_params
    refusal = _refusal(site, request)
    team = next((space for space in site if space.who.team_id == ask.get("team")), None)
    if refusal or team is None:
        return PlainTextResponse(refusal or "team_not_found", 400)
    code = site.grants.allow(team.who.team_id, team.people()[0], ask["redirect_uri"])
    return RedirectResponse(_back(ask["redirect_uri"], {"code": code, "state": ask.get("state", "")}))


def _refusal(site: Site, request: Request) -> str:
    """Why this is no request of the app; codes go to the app's own addresses only, or to this machine."""
    ask = request.query_params
    if not site.settings.client_id or ask.get("client_id") != site.settings.client_id:
        return "invalid_client_id"
    address = urlsplit(ask.get("redirect_uri", ""))
    allowed = site.settings.manifest.redirect_urls
    near = address.scheme in ("http", "https") and address.hostname in ("127.0.0.1", "localhost")
    listed = any(ask["redirect_uri"].startswith(each) for each in allowed) if address.scheme else False
    return "" if listed or (near and not allowed) else "bad_redirect_uri"


def _back(address: str, query: dict[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"
