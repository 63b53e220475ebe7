"""Checks JSON strictly against the types of the released `openai` package: they are the oracle, not our code."""

from typing import Any

from pydantic import BaseModel

LEFT_OUT = {
    "Method": {"supervised", "dpo", "reinforcement"},  # OpenAI sends the chosen one alone
    "ChatCompletion": {"metadata", "moderation"},
    "ChatCompletionChunk": {"moderation", "obfuscation", "usage"},
    "ChatCompletionMessage": {"audio", "function_call", "tool_calls"},
    "ChoiceDelta": {"audio", "content", "function_call", "refusal", "role", "tool_calls"},
    "CompletionUsage": {"completion_tokens_details", "prompt_tokens_details"},
}
"""Optional fields that OpenAI leaves out too, or that belong to what is not offered; all others have to be there."""


def check(model: type[BaseModel], data: Any) -> None:
    """Raise for a field too many, too few or of another type, at any depth."""
    _walk(model.model_validate(data, strict=True), model.__name__)


def _walk(value: Any, where: str) -> None:
    if isinstance(value, BaseModel):
        kind = type(value)
        assert not value.model_extra, f"{where}: not in OpenAI's type: {set(value.model_extra)}"
        missing = set(kind.model_fields) - value.model_fields_set - LEFT_OUT.get(kind.__name__, set())
        assert not missing, f"{where}: left out: {missing}"
        for name in kind.model_fields:
            _walk(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _walk(item, f"{where}[{number}]")
