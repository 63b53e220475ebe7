"""Language-model access over the wire, with the real client against the shipped rehearsal server."""

import time

import pytest

from knowledge.errors import UserError
from knowledge.models import ChatModel, Message, ModelUnavailable, asked_pause, open_chat_model
from knowledge.rehearsal import Mode
from tests.chat_server import ChatServer
from tests.chroma import free_port

PASSAGE = '<passage n="1" title="Kettles">\nSteel kettles weigh 2 kg.\n</passage>'
TALK = [Message("system", "Answer."), Message("user", f"{PASSAGE}\n\nQuestion: What do steel kettles weigh?")]


def test_no_name_means_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key and an address turn nothing on, neither passed nor lying in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-lying-around")
    assert open_chat_model(None) is None
    assert open_chat_model("", "http://127.0.0.1:1/v1", "key") is None
    assert open_chat_model("  ") is None


def test_hosted_model_without_a_key_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosted default needs a key that was passed in; one in the environment does not count."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-lying-around")
    with pytest.raises(UserError, match="needs a key"):
        open_chat_model("gpt-6-luna")


def test_address_must_be_http() -> None:
    """An address that is no http address is refused before anything is sent."""
    with pytest.raises(UserError, match="not an http address"):
        open_chat_model("m", "ftp://example.org")


def test_complete_and_stream_say_the_same(chat_server: ChatServer, model: ChatModel) -> None:
    """The same request gives the same text in one piece and in many."""
    whole = model.complete(TALK, max_tokens=50, timeout=5)
    pieces = list(model.stream(TALK, max_tokens=50, timeout=5))
    assert whole == "Steel kettles weigh 2 kg [1]."
    assert "".join(pieces) == whole
    assert len(pieces) > 3
    assert chat_server.rehearsal.requests[0]["model"] == "some-model"
    assert chat_server.rehearsal.requests[0]["temperature"] == 0


def test_environment_adds_nothing_to_a_request(
    chat_server: ChatServer, model: ChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, organisations, headers and addresses of OPENAI_ variables stay out of the request."""
    for name, value in {
        "OPENAI_API_KEY": "sk-env",
        "OPENAI_ADMIN_KEY": "sk-admin",
        "OPENAI_ORG_ID": "org-env",
        "OPENAI_PROJECT_ID": "proj-env",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_API_BASE": "http://127.0.0.1:1/v1",
        "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-header",
    }.items():
        monkeypatch.setenv(name, value)
    model.complete(TALK, timeout=5)
    headers = chat_server.rehearsal.headers[0]
    assert headers["authorization"] == "Bearer key-1"
    assert not {"openai-organization", "openai-project"} & headers.keys()
    assert "env" not in " ".join(headers.values())


def test_conversation_is_not_traced(chat_server: ChatServer, model: ChatModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing switched on by the environment sends nothing: the tracer's address gets no request."""
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "ls-key")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", chat_server.url)
    model.complete(TALK, timeout=5)
    time.sleep(1.5)  # the tracer would send in the background within a second
    assert len(chat_server.rehearsal.requests) == chat_server.rehearsal.hits == 1


@pytest.mark.parametrize(
    ("mode", "what", "next_step"),
    [
        ("unauthorized", "key .* refused", "LUTHIER_MODEL_KEY"),
        ("busy", "busy or its quota", "in 7 seconds"),
        ("broken", "HTTP status 500", "Ask again"),
        ("malformed", "no chat completion|unreadable", "OpenAI chat API"),
        ("empty", "empty answer", "try another"),
    ],
)
def test_errors_say_what_happened_and_what_to_do(
    chat_server: ChatServer, model: ChatModel, mode: Mode, what: str, next_step: str
) -> None:
    """Each way in which an endpoint can fail becomes one plain error, at once: nobody waits for a retry."""
    model.complete(TALK, timeout=5)
    chat_server.rehearsal.mode = mode
    start = time.monotonic()
    with pytest.raises(ModelUnavailable, match=what) as caught:
        model.complete(TALK, timeout=5)
    assert next_step in caught.value.next_step
    assert time.monotonic() - start < 2


def test_slow_model_is_given_up(chat_server: ChatServer, model: ChatModel) -> None:
    """The deadline of the call holds, and the error names it."""
    chat_server.rehearsal.mode = "slow"
    with pytest.raises(ModelUnavailable, match=r"0\.3 seconds"):
        model.complete(TALK, timeout=0.3)


def test_stream_that_breaks_off_is_an_error(chat_server: ChatServer, model: ChatModel) -> None:
    """A stream cut in the middle gives its first words, then an error, never a silent end."""
    chat_server.rehearsal.mode = "cut"
    stream = model.stream(TALK, timeout=5)
    assert next(stream).startswith("Steel")
    with pytest.raises(ModelUnavailable):
        list(stream)


def test_dead_address_is_an_error() -> None:
    """Nothing listening is told apart from a refusal."""
    model = open_chat_model("m", f"http://127.0.0.1:{free_port()}/v1")
    assert model is not None
    with pytest.raises(ModelUnavailable, match="Nothing answers"):
        model.complete(TALK, timeout=2)


@pytest.mark.parametrize(
    ("mode", "temporary", "pause"),
    [
        ("busy", True, 7.0),
        ("broken", True, None),
        ("empty", True, None),
        ("slow", True, None),
        ("unauthorized", False, None),
        ("malformed", False, None),
    ],
)
def test_errors_say_whether_waiting_helps(
    chat_server: ChatServer, model: ChatModel, mode: Mode, temporary: bool, pause: float | None
) -> None:
    """Whoever asks many questions can tell a pause from a refusal, and hears how long the endpoint wants one."""
    chat_server.rehearsal.mode = mode
    with pytest.raises(ModelUnavailable) as caught:
        model.complete(TALK, timeout=0.5)
    assert (caught.value.temporary, caught.value.retry_after) == (temporary, pause)


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("1.5", 1.5),
        ("Sun, 22 Nov 2026 10:03:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-4", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_as_http_allows(said: str, pause: float | None) -> None:
    """Seconds and dates are understood, a date by the server's own clock; anything else says nothing."""
    assert asked_pause({"retry-after": said, "date": "Sun, 22 Nov 2026 10:03:00 GMT"}) == pause
