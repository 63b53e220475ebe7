"""How a model's own chat template turns messages into text, in a sandbox; it does not know tokens.

The environment is the one of Hugging Face's transformers, which models' authors write for; a test holds both equal.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from knowledge.errors import UserError

_MARKS = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")


class TemplateRefused(Exception):
    """The template does not take these messages."""


class ChatTemplate:
    """One model's template with its special tokens."""

    def __init__(self, source: str, marks: Mapping[str, str]) -> None:
        """Take the template's text and the model's special tokens by name; raises UserError for a broken one."""
        self._marks = dict(marks)
        try:
            self._template = _environment().from_string(source)
        except jinja2.TemplateError as error:
            raise UserError("That model's chat template is broken.", "Take the model's files anew.") from error

    def render(self, messages: Sequence[Mapping[str, Any]], *, waiting: bool, tools: object = None) -> str:
        """Write messages as the model reads them, `waiting` for the assistant or not; raises TemplateRefused."""
        try:
            return self._template.render(
                messages=messages, tools=tools, documents=None, add_generation_prompt=waiting, **self._marks
            )
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise TemplateRefused from error


def template_in(folder: Path) -> ChatTemplate:
    """Return the chat template of the model in a folder; raises UserError where there is none."""
    config = _read_json(folder / "tokenizer_config.json")
    source: object = config.get("chat_template")
    if isinstance(source, list):  # several, by name
        source = next((entry["template"] for entry in source if entry.get("name") == "default"), None)
    apart = folder / "chat_template.jinja"
    if apart.is_file():
        source = apart.read_text("utf-8")
    if not isinstance(source, str):
        raise UserError(f"There is no chat template in {folder}.", "Name the folder of an instruction-tuned model.")
    marks = {name: _mark(config[name]) for name in _MARKS if config.get(name)}
    return ChatTemplate(source, marks)


def _mark(value: object) -> str:
    return str(value["content"]) if isinstance(value, dict) else str(value)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"I can't read {path}.", "Name the folder of a model, with its tokenizer's files.") from error
    return value if isinstance(value, dict) else {}


class _Generation(jinja2.ext.Extension):
    """The tag that marks what an assistant says, as transformers has it; here it only lets the text through."""

    tags = {"generation"}  # noqa: RUF012  # jinja2's own way

    def parse(self, parser: jinja2.parser.Parser) -> Any:
        """Return what stands inside the tag."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # text for a model, not a page
        extensions=[_Generation, jinja2.ext.loopcontrols],
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)  # noqa: DTZ005  # as transformers
    return environment


def _tojson(
    value: object, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise(message: object) -> NoReturn:
    raise jinja2.TemplateError(str(message))
