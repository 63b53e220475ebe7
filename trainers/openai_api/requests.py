"""Knows which bodies OpenAI's API takes, and reads them into plain data; it does not know what becomes of them."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from starlette.requests import Request

from trainers.openai_api.objects import ChatAsk, JobRequest, Method, Page
from trainers.openai_api.refusals import ApiError, bad, missing

MOST_PAIRS: Final = 16
LONGEST_KEY: Final = 64
LONGEST_VALUE: Final = 512
LONGEST_SUFFIX: Final = 64
LARGEST_SEED: Final = 2**31 - 1
"""OpenAI's own limit; what is larger fails only in the trainer."""

LONGEST_NUMBER: Final = 20
"""Digits; Python itself refuses to read some thousand."""
BODY_LIMIT: Final = 4_000_000
"""Bytes of a request that carries no file."""

BODY_SECONDS: Final = 60.0
"""Seconds for it to arrive."""

_JOB = ("model", "training_file", "validation_file", "method", "hyperparameters", "suffix", "seed", "metadata")
_AZURE = ("trainingType",)
_KNOBS: Final[dict[str, tuple[type, float, float]]] = {
    "n_epochs": (int, 1, 50),
    "batch_size": (int, 1, 256),
    "learning_rate_multiplier": (float, 0, 1000),
    "beta": (float, 0, 2),
}
"""Name -> its type, least and most."""

_CHAT = ("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "seed", "stream")
_NEUTRAL: Final[dict[str, tuple[Any, ...]]] = {
    "stream_options": (),  # read below
    "n": (None, 1),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "none", "auto"),
    "response_format": (None, {"type": "text"}),
    "modalities": (None, ["text"]),
    "frequency_penalty": (None, 0),
    "presence_penalty": (None, 0),
    "logit_bias": (None, {}),
}
"""What this server does not do -> the values that ask for nothing; any other would be a promise that it breaks."""
_IGNORED = ("user", "metadata", "store", "safety_identifier", "service_tier", "parallel_tool_calls")
"""What changes no answer."""


async def body_of(request: Request) -> dict[str, Any]:
    """Read a JSON object; raises ApiError where it is none, or too large."""
    whole = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for block in request.stream():
                whole += block
                if len(whole) > BODY_LIMIT:
                    raise ApiError(413, "The request is too large.", "request_too_large")
    except TimeoutError:
        raise ApiError(408, f"The request did not arrive within {BODY_SECONDS:.0f} seconds.", "timeout") from None
    return parsed(whole)


def parsed(whole: bytes) -> dict[str, Any]:
    """Read a JSON object."""
    try:
        body = json.loads(whole)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise bad("We could not parse the JSON body of your request.", None)
    return body


def page_of(request: Request, *, default: int, most: int) -> Page:
    """Read which part of a list is asked for."""
    asked = request.query_params
    limit, order = asked.get("limit", str(default)), asked.get("order", "desc")
    if not limit.isdecimal() or len(limit) > LONGEST_NUMBER or not 1 <= int(limit) <= most:
        raise bad(f"Invalid 'limit': must be a whole number from 1 to {most}.", "invalid_value", "limit")
    if order not in ("asc", "desc"):
        raise bad("Invalid 'order': must be 'asc' or 'desc'.", "invalid_value", "order")
    return Page(asked.get("after", ""), int(limit), order == "desc")


def wanted_metadata(request: Request) -> dict[str, str]:
    """Read `metadata[k]=v` of a list."""
    pairs = ((name, value) for name, value in request.query_params.items() if name.startswith("metadata["))
    return {name[len("metadata[") : -1]: value for name, value in pairs if name.endswith("]")}


def job_request(body: Mapping[str, Any]) -> JobRequest:
    """Read a request for a job."""
    _only_known(body, (*_JOB, *_AZURE, "integrations"))
    for name in ("model", "training_file"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise missing(name)
    if body.get("integrations"):
        raise bad("No integrations are offered here: leave 'integrations' out.", "unsupported_value", "integrations")
    suffix, seed, validation = body.get("suffix") or "", body.get("seed"), body.get("validation_file") or None
    if not isinstance(suffix, str) or len(suffix) > LONGEST_SUFFIX:
        raise bad(f"suffix has more than {LONGEST_SUFFIX} characters.", "invalid_suffix", "suffix")
    if not isinstance(seed, int | None) or isinstance(seed, bool) or not 0 <= (seed or 0) <= LARGEST_SEED:
        raise bad(f"Invalid 'seed': must be a whole number from 0 to {LARGEST_SEED}.", "invalid_value", "seed")
    if not isinstance(validation, str | None):
        raise bad("Invalid 'validation_file': must be the id of a file.", "invalid_file_id", "validation_file")
    return JobRequest(
        model=body["model"],
        training_file=body["training_file"],
        validation_file=validation,
        method=_method(body),
        suffix=suffix,
        seed=seed,
        metadata=_metadata(body.get("metadata")),
        extra={name: body[name] for name in _AZURE if name in body},
    )


def chat_ask(body: Mapping[str, Any]) -> ChatAsk:
    """Read a conversation; what this server does not do is refused rather than ignored."""
    _only_known(body, (*_CHAT, *_NEUTRAL, *_IGNORED))
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        raise missing("model")
    if not isinstance(messages, list) or not messages:
        raise missing("messages")
    for name, neutral in _NEUTRAL.items():
        if neutral and body.get(name) not in neutral:
            raise bad(f"'{name}' is not offered here: leave it out.", "unsupported_parameter", name)
    options = body.get("stream_options") or {}
    return ChatAsk(
        model=model,
        messages=[_turn(number, turn) for number, turn in enumerate(messages)],
        max_tokens=_limit(body),
        temperature=_number(body, "temperature", 1.0, 0, 2),
        top_p=_number(body, "top_p", 1.0, 0, 1),
        stop=_stop(body.get("stop")),
        seed=body.get("seed") if isinstance(body.get("seed"), int) else None,
        stream=bool(body.get("stream")),
        with_usage=bool(isinstance(options, dict) and options.get("include_usage")),
    )


def _only_known(body: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = next((name for name in body if name not in known), None)
    if unknown is not None:
        raise bad(f"Unrecognized request argument supplied: {unknown}", "unknown_parameter", unknown)


def _metadata(metadata: Any) -> dict[str, str] | None:
    if metadata is None:
        return None
    good = isinstance(metadata, dict) and len(metadata) <= MOST_PAIRS
    if not good or any(
        not isinstance(value, str) or len(name) > LONGEST_KEY or len(value) > LONGEST_VALUE
        for name, value in metadata.items()
    ):
        raise bad(
            f"Invalid 'metadata': {MOST_PAIRS} pairs of text at most, of {LONGEST_KEY} and {LONGEST_VALUE} characters.",
            "invalid_metadata",
            "metadata",
        )
    return dict(metadata)


def _method(body: Mapping[str, Any]) -> Method:
    """Read the method; top-level `hyperparameters` are the old way to say it, deprecated in favour of `method`.

    What OpenAI does with both is written nowhere, and one of them would be lost without a word: so both are refused.
    """
    method = body.get("method") or {"type": "supervised"}
    kind: Literal["supervised", "dpo"] = method.get("type") if isinstance(method, dict) else ""  # type: ignore[assignment]  # checked next
    if kind not in ("supervised", "dpo"):
        raise bad("Only the methods 'supervised' and 'dpo' are offered here.", "unsupported_method", "method")
    _only_known({name: value for name, value in method.items() if value is not None}, ("type", kind))
    told = _object(method.get(kind), f"method.{kind}")
    _only_known(told, ("hyperparameters",))
    said, older = (_object(each.get("hyperparameters"), "hyperparameters") for each in (told, body))
    if said and older:
        message = f"Give the knobs once: 'hyperparameters' is deprecated, leave it out beside method.{kind}'s own."
        raise bad(message, "invalid_value", "hyperparameters")
    said = said or older
    names = [name for name in _KNOBS if kind == "dpo" or name != "beta"]
    _only_known(said, tuple(names))
    return Method(kind=kind, **{name: _knob(name, said.get(name, "auto")) for name in names})


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise bad(f"Invalid '{name}': must be an object.", "invalid_value", name)
    return value or {}


def _knob(name: str, value: Any) -> Any:
    kind, least, most = _KNOBS[name]
    if value in ("auto", None):
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number and least <= value <= most and value > 0  # NaN and Infinity do not
    if not fits or (kind is int and int(value) != value):
        raise bad(f"Invalid '{name}': 'auto', or a number up to {most:g}.", "invalid_hyperparameter", name)
    return kind(value)


def _turn(number: int, turn: Any) -> dict[str, str]:
    """Read one turn: text, or parts of text."""
    where = f"messages[{number}]"
    if not isinstance(turn, dict) or turn.get("role") not in ("system", "developer", "user", "assistant"):
        raise bad(f"Invalid '{where}': a role of system, developer, user or assistant.", "invalid_value", where)
    content = turn.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "\n".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise bad(f"Invalid '{where}': its content must be text.", "invalid_value", where)
    role = "system" if turn["role"] == "developer" else turn["role"]
    return {"role": role, "content": content}


def _limit(body: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise bad(f"Invalid '{name}': must be a whole number of 1 or more.", "invalid_value", name)
        return value
    return None


def _number(body: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise bad(f"Invalid '{name}': must be from {least:g} to {most:g}.", "invalid_value", name)
    return float(value)


def _stop(stop: Any) -> tuple[str, ...]:
    given = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(given, list) or len(given) > 4 or not all(isinstance(word, str) and word for word in given):
        raise bad("Invalid 'stop': at most four texts.", "invalid_value", "stop")
    return tuple(given)
