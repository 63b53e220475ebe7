"""Knows how drafting training rows looks: the form of what is wanted and the coverage to edit; it drafts nothing.

What the first form held travels in the second one's metadata, so its fields are short enough for Slack's limit.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.parts import Block, actions, button, context, field, modal, option, section, select, typed_in
from handlers.blocks.words import count as counted
from handlers.escape import clean, mrkdwn
from trainers.data.enough import few
from trainers.data.limits import target_names
from trainers.evals.generating.spec import DEFAULT_COUNT
from trainers.evals.generating.table import most_rows

SPEC_FORM, COVERAGE_FORM = "rows_spec_form", "rows_coverage_form"
"""Callback ids."""

OPEN = "rows_draft"
"""Action id of the button that opens the form."""

TASK, KIND, LABELS, WRITERS, GOOD, COUNT, TEXTS, COVERAGE, SCHEMA, COLLECTION, SYSTEM, STYLE, TARGET, READ = (
    "rows_task", "rows_kind", "rows_labels", "rows_writers", "rows_good", "rows_count", "rows_texts", "rows_coverage",
    "rows_schema", "rows_collection", "rows_system", "rows_style", "rows_target",
    "rows_schema_read",
)  # fmt: skip
"""Block ids and action ids of inputs; each has one name for both."""

KINDS: Mapping[str, str] = {
    "classification": "one label for each input",
    "extraction": "fields of a text, as JSON",
    "voice": "texts in your voice",
    "documents": "answers from your documents",
    "format": "always the same headings",
    "refusal": "what to decline",
}

SCHEMA_LENGTH = 3000
"""Characters of a schema: what one field of a form takes."""

METADATA_LENGTH = 3000
"""Characters of what a form carries along."""

PROMPT_LENGTH = 3000
"""Characters of a system prompt: what one field of a form takes."""

_FOLLOWED = "They follow the case and the label of a row; what other lines say needs a language model."

_SHORT, _LONG = 200, 600
_MOST_FILES = 5


def offer_text(task: str, rows: int) -> str:
    """Answer whoever asked for rows in words."""
    what = counted(rows, "training row") if rows else "training rows"
    about = f" for: {mrkdwn(task, 300)}" if task else ""
    return f"I can draft {what}{about}. You keep, edit or drop each one before anything is trained on it."


def offer_blocks(task: str, rows: int) -> list[Block]:
    """Draw that, with the button that opens the form with what was said filled in."""
    value = json.dumps({"task": task[:_LONG], "count": rows})
    draft = button("Draft rows", OPEN, value, style="primary")
    hint = context("`/tune data generate` and what the model is to do opens the same form.")
    return [section(offer_text(task, rows)), *actions([draft], block_id="rows-offer"), hint]


def offered(value: str) -> tuple[str, int]:
    """Read the task and the number of rows from the button; "" and 0 where it says neither."""
    said = json.loads(value) if value else {}
    return str(said.get("task") or ""), int(said.get("count") or 0)


def spec_form(metadata: str, task: str = "", count: int = 0, collections: Sequence[str] = ()) -> Block:
    """Draw the form of what is wanted; `collections` are the team's own documents to choose from."""
    kinds = [option(name, name, meaning) for name, meaning in KINDS.items()]
    targets = [option(name, name) for name in target_names()]
    files: Block = {"type": "file_input", "action_id": TEXTS, "max_files": _MOST_FILES}
    number = {
        "type": "number_input", "action_id": COUNT, "is_decimal_allowed": False, "min_value": "1",
        "max_value": str(most_rows()), "initial_value": str(min(count, most_rows()) or DEFAULT_COUNT),
    }  # fmt: skip
    blocks = [
        field("What is the model to do?", _text(TASK, _LONG, task[:_LONG], multiline=True), block_id=TASK),
        field("Kind of task", select(KIND, "By the task's words", kinds), block_id=KIND, optional=True),
        field(
            "Labels or headings",
            _text(LABELS, _LONG),
            block_id=LABELS,
            optional=True,
            hint="With commas between them: billing, returns, other",
        ),
        field(
            "Fields or JSON Schema",
            _text(SCHEMA, SCHEMA_LENGTH, multiline=True),
            block_id=SCHEMA,
            optional=True,
            hint="For JSON: invoice number, total, due date. The next form shows how it was read.",
        ),
        field(
            "Who writes to it?", _text(WRITERS, _SHORT), block_id=WRITERS, optional=True, hint="And where: chat, mail."
        ),
        field("How are answers to sound?", _text(STYLE, _SHORT), block_id=STYLE, optional=True),
        field("What makes a good example here?", _text(GOOD, _LONG, multiline=True), block_id=GOOD, optional=True),
        field("How many rows", number, block_id=COUNT),
        field("To be trained where?", select(TARGET, "This machine", targets), block_id=TARGET, optional=True),
        field("Texts in your voice", files, block_id=TEXTS, optional=True, hint="They become answers, word for word."),
        *_documents(collections),
    ]
    return modal("Draft training rows", blocks, callback_id=SPEC_FORM, submit="Next", close="Cancel", metadata=metadata)


def _documents(collections: Sequence[str]) -> list[Block]:
    """Draw the choice of a collection, where there is one."""
    if not collections:
        return []
    menu = select(COLLECTION, "Passages are invented", [option(name, name) for name in collections])
    label = "Documents to answer from"
    return [field(label, menu, block_id=COLLECTION, optional=True, hint="A collection of yours: see /tune sources.")]


def coverage_form(
    metadata: str,
    coverage: str,
    *,
    count: int,
    writer: str,
    free: bool = True,
    doubt: str = "",
    schema: str = "",
    system: str = "",
) -> Block:
    """Draw the coverage for changes; `doubt` is what the writer may not do: be there, or follow a wish.

    `schema` is that of answers in JSON, and `system` the prompt of every row, both to be checked and changed.
    """
    by = f"{mrkdwn(writer, 60)} writes them" if writer else "recipes compose them, no language model"
    by += "" if not writer else "; nobody is billed" if free else ". You see a quote before anything is spent"
    text = _text(COVERAGE, 3000, coverage, multiline=True)
    blocks = [
        section(f"*{count} rows*; {by}. {'Each gets one value of every line.' if writer else _FOLLOWED}"),
        field("Coverage", text, block_id=COVERAGE, hint="Change, add or remove values and lines: mood: calm, angry"),
        *([_fields(schema)] if schema else []),
        *([_prompt(system)] if 0 < len(system) <= PROMPT_LENGTH else []),
        context("Every row is a draft: you keep, edit or drop each in the thread."),
        *([context(f"⚠️ {mrkdwn(doubt, 300)}")] if doubt else []),
        *([context(f"⚠️ {few(count)} Go on all the same, and draft or add more in the review.")] if few(count) else []),
    ]
    return modal(
        "Coverage",
        blocks,
        callback_id=COVERAGE_FORM,
        submit="Draft rows" if free else "Get the quote",
        close="Cancel",
        metadata=metadata,
    )


def _fields(schema: str) -> Block:
    element = _text(READ, SCHEMA_LENGTH, schema, multiline=True)  # Slack keeps what stood in a field of the same name
    hint = "Types, choices (enum) and examples drive what stands in a row."
    return field("Fields of the answer (JSON Schema)", element, block_id=READ, hint=hint)


def _prompt(system: str) -> Block:
    element = _text(SYSTEM, PROMPT_LENGTH, system, multiline=True)
    hint = "It is the same in every row, so use it word for word in production; put your own in its place."
    return field("System prompt", element, block_id=SYSTEM, hint=hint, optional=True)


def entered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read the first form: texts by name, `count`, `files`."""

    def chosen(name: str) -> str:
        return str((((values.get(name) or {}).get(name) or {}).get("selected_option") or {}).get("value") or "")

    files: Sequence[Mapping[str, Any]] = ((values.get(TEXTS) or {}).get(TEXTS) or {}).get("files") or ()
    return {
        "task": typed_in(values, TASK),
        "kind": chosen(KIND),
        "collection": chosen(COLLECTION),
        "schema": typed_in(values, SCHEMA),
        "labels": typed_in(values, LABELS),
        "writers": typed_in(values, WRITERS),
        "style": typed_in(values, STYLE),
        "target": chosen(TARGET),
        "good": typed_in(values, GOOD),
        "count": int(typed_in(values, COUNT) or 0),
        "files": [str(file["id"]) for file in files],
    }


def packed(where: Sequence[Any], told: Mapping[str, Any]) -> str:
    """Write where rows go and what is wanted, for the second form."""
    return json.dumps([list(where), dict(told)], ensure_ascii=False, separators=(",", ":"))


def unpacked(metadata: str) -> tuple[list[Any], dict[str, Any]]:
    """Read what `packed` wrote."""
    where, told = json.loads(metadata)
    return where, told


def coverage_in(view: Mapping[str, Any]) -> str:
    """Read the second form."""
    return clean(view["state"]["values"][COVERAGE][COVERAGE].get("value") or "")  # its lines are counted in errors


def schema_in(view: Mapping[str, Any]) -> str:
    """Read the schema of the second form; "" where it asks for none."""
    return typed_in(view["state"]["values"], READ)


def system_in(view: Mapping[str, Any]) -> str:
    """Read the system prompt of the second form; "" where it asks for none, or nobody wrote one."""
    return typed_in(view["state"]["values"], SYSTEM)


def _text(name: str, most: int, initial: str = "", *, multiline: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "multiline": multiline, "max_length": most}
    return {**element, "initial_value": initial} if initial else element
