"""A wrong model name is found by asking the endpoint's list, before anything is asked of a model."""

import threading
import time
from collections.abc import Callable

import openai
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from knowledge import rehearsal, rehearsal_rows
from knowledge.errors import UserError
from knowledge.listed_models import check_listed
from tests.serving import served


def endpoint(reply: Callable[[], Response]) -> Starlette:
    """An endpoint whose list is `reply` and that has no other address."""
    return Starlette(routes=[Route("/v1/models", lambda _: reply())])


@pytest.mark.parametrize("name", ["mine", "tagged", "gemini-9"])
def test_a_listed_name_is_fine(name: str) -> None:
    """As it is, and with what servers add by themselves: a tag, a folder."""
    listed = rehearsal.listed(["mine", "tagged:latest", "models/gemini-9"])
    with served(endpoint(lambda: JSONResponse(listed))) as url:
        assert check_listed(name, url) == ""


def test_a_name_that_is_not_listed_is_refused_with_those_that_are() -> None:
    """Whoever typed it reads what there is."""
    listed = rehearsal.listed(["mine", "yours"])
    with (
        served(endpoint(lambda: JSONResponse(listed))) as url,
        pytest.raises(UserError, match="has no model other") as refused,
    ):
        check_listed("other", url)
    assert refused.value.next_step == "It has mine, yours. Set LUTHIER_MODEL to one of its models."


def test_a_server_that_answers_every_address_with_its_list_has_no_other_model() -> None:
    """What stands at the address of one model has to be a model."""
    listed = rehearsal.listed(["mine"])
    everywhere = Starlette(routes=[Route("/{any:path}", lambda _: JSONResponse(listed))])
    with served(everywhere) as url, pytest.raises(UserError, match="has no model other"):
        check_listed("other", url)


@pytest.mark.parametrize(
    "reply",
    [
        lambda: PlainTextResponse("Not Found", 404),
        lambda: PlainTextResponse("<html>"),
        lambda: JSONResponse({"error": "none of your business"}, 403),
        lambda: JSONResponse({"data": "none"}),
        lambda: JSONResponse([], 200),
        lambda: PlainTextResponse("busy", 503),
    ],
)
def test_a_server_without_a_list_is_let_pass_with_a_note(reply: Callable[[], Response]) -> None:
    """A list is not everywhere, and a key that may chat need not read it."""
    with served(endpoint(reply)) as url:
        assert "does not list its models, so whether it has mine shows at the first call" in check_listed("mine", url)


def test_a_slow_list_is_not_waited_for() -> None:
    """A form has three seconds."""
    over = threading.Event()

    def slow() -> Response:
        over.wait(10)
        return JSONResponse({})

    with served(endpoint(slow)) as url:
        began = time.monotonic()
        assert "did not say in time" in check_listed("mine", url, timeout=0.2)
        assert time.monotonic() - began < 5
        over.set()


def test_a_refused_key_and_a_silent_address_are_errors() -> None:
    """Both would only fail later."""
    with served(endpoint(lambda: JSONResponse({}, 401))) as url, pytest.raises(UserError, match="key for mine was ref"):
        check_listed("mine", url)
    with pytest.raises(UserError, match="Nothing answers at"):
        check_listed("mine", "http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    "app",
    [
        rehearsal.build_app(rehearsal.Rehearsal(models=["rehearsal"])),
        rehearsal_rows.build_app(rehearsal_rows.RowRehearsal(models=["rehearsal"])),
    ],
    ids=["chat", "rows"],
)
def test_a_shipped_chat_server_knows_only_its_models(app: Starlette) -> None:
    """Another name gets OpenAI's 404 with the code model_not_found, read by their own SDK; it lists what it knows."""
    with served(app) as url, openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["rehearsal"]
        turns = [{"role": "user", "content": "Hello"}]
        with pytest.raises(openai.NotFoundError) as refused:
            client.chat.completions.create(model="gpt-9", messages=turns)
        assert (refused.value.code, refused.value.type) == ("model_not_found", "invalid_request_error")
        assert client.chat.completions.create(model="rehearsal", messages=turns).choices[0].message.content
