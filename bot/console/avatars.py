"""Draws the square picture of a person, an app or a team: its first letter on its colour. Knows no messages."""

from html import escape

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.console.site import Site
from bot.console.wire import Json

SIZES = (24, 32, 48, 72, 192, 512, 1024)
"""Pixels of the pictures that a profile names."""
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 72 72"><rect width="72" '
    'height="72" fill="#{color}"/><text x="36" y="37" fill="#fff" font-family="sans-serif" font-size="36" '
    'font-weight="700" text-anchor="middle" dominant-baseline="central">{letter}</text></svg>'
)


def pictures(address: str, key: str, sizes: tuple[int, ...] = SIZES) -> Json:
    """`image_24` and so on: addresses of the picture of a user or team, as Slack's objects carry them."""
    return {f"image_{size}": f"{address}/avatars/{key}-{size}.svg" for size in sizes}


async def avatar(request: Request) -> Response:
    """Answer one picture; anybody may see it, as Slack's default pictures are public."""
    site: Site = request.app.state.site
    key, _, size = request.path_params["name"].removesuffix(".svg").rpartition("-")
    if not size.isdecimal() or not 0 < int(size) <= SIZES[-1]:
        return PlainTextResponse("Not Found", 404)
    for space in site:
        found = space.store.get("user", key)
        if key == space.who.team_id:
            found = {"real_name": space.who.team_name, "color": "3f2a1d"}
        if found:
            letter = escape(str(found["real_name"])[:1].upper())
            picture = PICTURE.format(size=int(size), color=escape(str(found["color"])), letter=letter)
            return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})
    return PlainTextResponse("Not Found", 404)
