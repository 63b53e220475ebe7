"""Every error that a Web API method declares, provoked over HTTP. The cases are in error_cases/."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from bot.console import server
from bot.console.api.registry import METHODS, OPEN
from bot.console.manifest import Manifest
from tests.bot.console.error_cases import EVERY_METHOD, Case, World, families
from tests.bot.console.hand import Hand
from tests.console import BOT_TOKEN, LocalSlack, carried

__all__ = ["server"]  # importing it fills METHODS
FAMILIES = families()
ALL = [case for cases in FAMILIES.values() for case in cases]
BEARER = {"authorization": f"Bearer {BOT_TOKEN}"}


Worlds = Callable[[Manifest], World]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """A local Slack for each app that a case needs, started at the first; its clock stands still."""
    running: dict[str, World] = {}

    def world_of(app: Manifest) -> World:
        if repr(app) not in running:
            clock = Hand()
            slack = LocalSlack(tmp_path_factory.mktemp("errors"), now=clock, manifest=app)
            running[repr(app)] = World(slack=slack, clock=clock)
        return running[repr(app)]

    yield world_of
    for world in running.values():
        world.slack.stop()


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    """The local Slack of the default app."""
    return worlds(Manifest())


@pytest.fixture(scope="module")
def unscoped(worlds: Worlds) -> LocalSlack:
    """A local Slack whose app was granted nothing."""
    return worlds(Manifest(scopes=frozenset())).slack


def family_of(name: str) -> str:
    """The file of bot/console/api in which a method is."""
    return METHODS[name].run.__module__.rpartition(".")[2]


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.method}-{case.error}")
def test_a_declared_error_is_given(worlds: Worlds, case: Case) -> None:
    """The call is answered with HTTP 200, `ok` false and the error that the method declares."""
    world = worlds(case.app or Manifest())
    got = world.slack.http.post(f"/api/{case.method}", headers=BEARER, **carried(case.method, case.arguments(world)))
    answer = got.json()
    assert (got.status_code, answer["ok"], answer.get("error")) == (200, False, case.error), answer
    reasons = answer.get("response_metadata", {}).get("messages", [])
    assert case.says in " ".join(reasons)


@pytest.mark.parametrize("family", sorted({family_of(name) for name in METHODS}))
def test_no_declared_error_is_without_a_case(family: str) -> None:
    """Cases and declarations of a family are the same set: no error is only claimed, none is given in secret."""
    declared = {(name, error) for name, made in METHODS.items() if family_of(name) == family for error in made.errors}
    shown = {(case.method, case.error) for case in FAMILIES.get(family, []) if case.error not in EVERY_METHOD}
    general = {(name, error) for name, error in declared if error in EVERY_METHOD}
    assert sorted(declared - general - shown) == [], "declared without a case"
    assert sorted(shown - declared) == [], "given but not declared"


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_asks_for_its_token(world: World, unscoped: LocalSlack, name: str) -> None:
    """Without a token, with a wrong one and without the scope, a method refuses before it looks at arguments."""
    if name in OPEN:
        return
    given = {"": "not_authed", "Bearer xoxb-wrong": "invalid_auth"}
    for header, error in given.items():
        answer = world.slack.http.post(f"/api/{name}", headers={"authorization": header} if header else {}).json()
        assert answer == {"ok": False, "error": error}
    scopes = METHODS[name].scopes
    if scopes:
        answer = unscoped.http.post(f"/api/{name}", headers=BEARER).json()
        assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", ",".join(scopes), "")


@pytest.mark.parametrize("name", sorted(METHODS))
def test_no_method_stumbles_over_nothing(world: World, name: str) -> None:
    """Called without any argument a method works or gives an error that it declares."""
    # auth.revoke alone knows an argument `test`: without it no later call would have a token.
    answer = world.slack.http.post(f"/api/{name}", params={"test": "1"}, headers=BEARER).json()
    assert answer["ok"] or answer["error"] in (*METHODS[name].errors, *EVERY_METHOD), answer


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[]", "application/json", "json_not_object"),
        (b"<a/>", "text/xml", "invalid_post_type"),
        (b"text=" + b"x" * (server.BODY_MOST + 1), "application/x-www-form-urlencoded", "request_too_large"),
    ],
)
def test_bodies_that_cannot_be_read(world: World, content: bytes, kind: str, error: str) -> None:
    """A body that is no form and no JSON object is refused whatever the method."""
    headers = {**BEARER, "content-type": kind}
    answer: httpx.Response = world.slack.http.post("/api/chat.postMessage", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (200, error)


def test_methods_that_are_none(world: World) -> None:
    """A name that is no method of Slack gets unknown_method and its own name back."""
    answer = world.slack.http.post("/api/chat.sing", headers=BEARER).json()
    assert answer == {"ok": False, "error": "unknown_method", "req_method": "chat.sing"}
