"""Opens a language model at an OpenAI-compatible endpoint by what is passed in, never by what the environment holds."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from knowledge.errors import ServiceError, UserError

if TYPE_CHECKING:
    import openai

DEFAULT_BASE_URL = "https://api.openai.com/v1"
"""Where a model is asked when no address is given."""
MAX_TOKENS = 800
TIMEOUT_SECONDS = 60.0


class ModelUnavailable(ServiceError):
    """The language model does not answer."""

    def __init__(
        self,
        what: str = "",
        next_step: str = "",
        *,
        temporary: bool = False,
        retry_after: float | None = None,
        refused: bool = False,
    ) -> None:
        """Take also whether asking later may help, and in how many seconds where the endpoint says so.

        `refused`: it said no and made no answer, so that none is paid for.
        """
        super().__init__(what, next_step)
        self.temporary = temporary
        self.retry_after = retry_after
        self.refused = refused


class ModelBusy(ModelUnavailable):
    """The language model asks for a pause."""


class Message(NamedTuple):
    """One turn of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Used(NamedTuple):
    """What one answer took."""

    tokens: int
    """Of prompt and answer together."""
    estimated: bool
    """Whether the endpoint did not say, so that characters were divided by four."""
    prompt: int = 0
    """Of the tokens those of the prompt, which have a price of their own; 0 where the endpoint did not say."""


class Meter(Protocol):
    """Whoever counts what a language model uses, and may say that it is enough."""

    def closed(self) -> str:
        """Say in a sentence why the model is not to be asked now, or ""."""

    def count(self, used: Used) -> None:
        """Count what an answer took."""


class ChatModel(Protocol):
    """A language model that answers a conversation."""

    @property
    def name(self) -> str:
        """Name as shown to people."""

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0,
        max_tokens: int = MAX_TOKENS,
        timeout: float = TIMEOUT_SECONDS,
        count: Callable[[Used], None] | None = None,
    ) -> str:
        """Return the answer; `timeout` in seconds; `count` hears what it took; raise ModelUnavailable."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0,
        max_tokens: int = MAX_TOKENS,
        timeout: float = TIMEOUT_SECONDS,
        count: Callable[[Used], None] | None = None,
    ) -> Generator[str, None, None]:
        """Yield the answer in pieces as they arrive; raise ModelUnavailable, also half-way.

        `count` hears what it took as soon as something came, also where it breaks off or is closed.
        """

    def fill(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        *,
        max_tokens: int = MAX_TOKENS,
        timeout: float = TIMEOUT_SECONDS,
        count: Callable[[Used], None] | None = None,
    ) -> dict[str, Any]:
        """Return an object that was asked for by a JSON schema with a title, unchecked; raise ModelUnavailable."""

    def close(self) -> None:
        """Close the connections; a later call opens them again."""


def open_chat_model(model: str | None, base_url: str | None = None, api_key: str | None = None) -> ChatModel | None:
    """Return the model named `model`, or None if no name is given: a key or an address alone turns nothing on."""
    if model is None or not model.strip():
        return None
    address = base_url or DEFAULT_BASE_URL
    if not address.startswith(("http://", "https://")):
        raise UserError(f"The model's address {address!r} is not an http address.", "Set LUTHIER_MODEL_URL to one.")
    if not api_key and address == DEFAULT_BASE_URL:
        raise UserError(f"The model {model} needs a key.", "Set LUTHIER_MODEL_KEY or LUTHIER_MODEL_URL.")
    # Local servers take any key, and the SDK refuses to have none.
    return _LangChainModel(name=model.strip(), base_url=address.rstrip("/"), api_key=api_key or "none")


class _LangChainModel:
    """A model behind langchain_openai.ChatOpenAI, which is imported at the first call (two seconds)."""

    def __init__(self, *, name: str, base_url: str, api_key: str) -> None:
        self.name = name
        self.base_url = base_url
        self._api_key = api_key
        self._opened: Any = None
        self._opening = Lock()

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0,
        max_tokens: int = MAX_TOKENS,
        timeout: float = TIMEOUT_SECONDS,
        count: Callable[[Used], None] | None = None,
    ) -> str:
        """Return the answer; see ChatModel."""
        with self._guarded(timeout):
            chat = self._open().bind(temperature=temperature, max_tokens=max_tokens, timeout=timeout)
            reply = chat.invoke([tuple(message) for message in messages])
            text = str(reply.text)
        if count is not None:
            count(_used(reply.usage_metadata, messages, text))
        if not text.strip():
            what = f"The model {self.name} sent an empty answer."
            raise ModelUnavailable(what, "Ask again, or try another model.", temporary=True)
        return text

    def stream(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0,
        max_tokens: int = MAX_TOKENS,
        timeout: float = TIMEOUT_SECONDS,
        count: Callable[[Used], None] | None = None,
    ) -> Generator[str, None, None]:
        """Yield the answer in pieces; see ChatModel."""
        finished, begun, text, told = False, False, "", None
        try:
            with self._guarded(timeout):
                chat = self._open().bind(temperature=temperature, max_tokens=max_tokens, timeout=timeout)
                for piece in _streamed(chat, [tuple(message) for message in messages]):
                    begun, told = True, piece.usage_metadata or told
                    finished = finished or "finish_reason" in piece.response_metadata
                    text += str(piece.text)
                    if piece.text:
                        yield str(piece.text)
        finally:
            if begun and count is not None:
                count(_used(told, messages, text))
        if not finished:
            # The SDK takes a connection that breaks between two events for the end.
            what = f"The model {self.name} broke off in the middle of its answer."
            raise ModelUnavailable(what, "Ask again.", temporary=True)

    def fill(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        *,
        max_tokens: int = MAX_TOKENS,
        timeout: float = TIMEOUT_SECONDS,
        count: Callable[[Used], None] | None = None,
    ) -> dict[str, Any]:
        """Return an object; see ChatModel."""
        turns = [tuple(message) for message in messages]
        options = {"temperature": 0, "max_tokens": max_tokens, "timeout": timeout}
        with self._guarded(timeout):
            # The parser is LangChain's; what it cannot read comes as an error beside the raw reply, which is counted.
            chat = self._open().with_structured_output(dict(schema), method="json_schema", include_raw=True, **options)
            reply = _whole(lambda: chat.invoke(turns), lambda: self._open().bind(**options).invoke(turns))
            text, told = str(reply["raw"].text), reply["raw"].usage_metadata
        if count is not None:
            count(_used(told, messages, text))
        found = reply["parsed"] if isinstance(reply["parsed"], dict) else object_in(text)
        if found is None:
            what = f"The model {self.name} sent no JSON object."
            raise ModelUnavailable(what, "Ask again, or try another model.", temporary=True)
        return found

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.root_client.close()

    def _open(self) -> Any:
        with self._opening:  # two threads would else open two, and nobody would close the first
            if self._opened is None:
                from langchain_openai import ChatOpenAI

                client = _client(self.base_url, self._api_key)
                self._opened = ChatOpenAI(
                    model=self.name,
                    api_key=self._api_key,
                    base_url=self.base_url,
                    root_client=client,
                    client=client.chat.completions,
                )
            return self._opened

    @contextmanager
    def _guarded(self, timeout: float) -> Iterator[None]:
        """Keep LangSmith from tracing the conversation, and turn the SDK's errors into ours."""
        import openai
        from langsmith import tracing_context

        with ExitStack() as stack:
            stack.enter_context(tracing_context(enabled=False))
            try:
                yield
            except openai.OpenAIError as error:
                raise self._explained(error, timeout) from error
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                # LangChain and the SDK raise these for a body that is JSON but no chat completion.
                raise ModelUnavailable(
                    f"The model {self.name} sent something that is no chat completion ({type(error).__name__}).",
                    f"Check that {self.base_url} speaks the OpenAI chat API.",
                ) from error

    def _explained(self, error: "openai.OpenAIError", timeout: float) -> ModelUnavailable:
        import openai

        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                what = f"The key for {self.name} was refused."
                return ModelUnavailable(what, "Check LUTHIER_MODEL_KEY.", refused=True)
            case openai.NotFoundError():
                what = f"{self.base_url} has no model {self.name}."
                return ModelUnavailable(what, "Check LUTHIER_MODEL.", refused=True)
            case openai.RateLimitError():
                return self._busy(error)
            case openai.APITimeoutError():
                what = f"The model {self.name} did not answer in {timeout:g} seconds."
                return ModelUnavailable(what, "Ask again.", temporary=True)
            case openai.APIConnectionError():
                what = f"Nothing answers at {self.base_url}."
                never_sent = _never_connected(error)
                return ModelUnavailable(what, "Check LUTHIER_MODEL_URL.", temporary=True, refused=never_sent)
            case openai.APIStatusError():
                return ModelUnavailable(
                    f"The model {self.name} failed with HTTP status {error.status_code}.",
                    "Ask again in a minute.",
                    temporary=error.status_code >= 500 or error.status_code == 408,
                    retry_after=asked_pause(error.response.headers),
                )
        return ModelUnavailable(
            f"The model {self.name} sent something unreadable ({type(error).__name__}).",
            f"Check that {self.base_url} speaks the OpenAI chat API.",
        )

    def _busy(self, error: "openai.RateLimitError") -> ModelUnavailable:
        """Explain a 429; a spent quota is one too, and no waiting mends it."""
        pause = asked_pause(error.response.headers)
        wait = "in a minute" if pause is None else f"in {pause:g} seconds"
        what, next_step = f"The model {self.name} is busy or its quota is spent.", f"Ask again {wait}."
        if error.code == "insufficient_quota":
            return ModelUnavailable(what, next_step, refused=True)
        return ModelBusy(what, next_step, temporary=True, retry_after=pause, refused=True)


def _never_connected(error: BaseException | None) -> bool:
    """Say whether no connection came about, so that nothing was sent and nothing is paid for.

    LangChain wraps the SDK's error, and the SDK's HTTP client is httpx or httpx2, which share no classes.
    """
    while error is not None:
        if type(error).__name__ == "ConnectError":
            return True
        error = error.__cause__
    return False


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After, also of a date beside the reply's own (RFC 9110, 10.2.3), or None."""
    said = headers.get("retry-after", "").strip()
    if said.replace(".", "", 1).isdecimal() and said.isascii():
        return float(said)
    try:
        until, now = parsedate_to_datetime(said), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _streamed(chat: Any, turns: Sequence[Any]) -> Iterator[Any]:
    """Yield a reply in pieces, with what it took in the last; endpoints that refuse to say that are asked without."""
    import openai

    try:
        yield from chat.stream(turns, stream_usage=True)
    except (openai.BadRequestError, openai.UnprocessableEntityError):
        yield from chat.stream(turns, stream_usage=False)


def _whole(ask: Callable[[], Any], ask_plainly: Callable[[], Any]) -> Any:
    """Return a structured reply; one that was cut, for which the SDK raises, as a raw one that holds no object.

    Endpoints that know no response format refuse the request; they are asked once more without one.
    """
    import openai
    from langchain_core.messages import AIMessage

    try:
        return ask()
    except openai.LengthFinishReasonError as cut:
        used = cut.completion.usage
        raw = AIMessage("", usage_metadata=used and _metadata(used.prompt_tokens, used.completion_tokens))
        return {"raw": raw, "parsed": None}
    except (openai.BadRequestError, openai.UnprocessableEntityError):
        return {"raw": ask_plainly(), "parsed": None}


def _metadata(asked: int, said: int) -> Any:
    return {"input_tokens": asked, "output_tokens": said, "total_tokens": asked + said}


def object_in(answer: str) -> dict[str, Any] | None:
    """Return the JSON object in a model's answer, also from between fences or words; None where there is none."""
    start, end = answer.find("{"), answer.rfind("}")
    try:
        found = json.loads(answer[start : end + 1]) if 0 <= start < end else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _used(reported: Mapping[str, Any] | None, messages: Sequence[Message], text: str) -> Used:
    """Return what the endpoint says that an answer took, or an estimate where it says nothing."""
    tokens = int((reported or {}).get("total_tokens") or 0)
    if tokens > 0:
        return Used(tokens, estimated=False, prompt=int((reported or {}).get("input_tokens") or 0))
    characters = sum(len(message.content) for message in messages) + len(text)
    return Used(-(-characters // 4), estimated=True)


def _client(base_url: str, api_key: str) -> "openai.OpenAI":
    """Return an SDK client that takes nothing from OPENAI_* variables."""
    import openai

    client = openai.OpenAI(
        api_key=api_key,
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        base_url=base_url,
        # A person waits, and at a 429 the SDK would sleep for up to two minutes.
        max_retries=0,
        # OPENAI_CUSTOM_HEADERS could otherwise replace it.
        default_headers={"Authorization": f"Bearer {api_key}"},
    )
    client.organization = client.project = None
    return client
