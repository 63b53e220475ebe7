"""Knows the shapes of Slack's blocks and elements; it does not know what they say.

Texts come in ready to show: what others wrote has passed `handlers.escape`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.escape import clean, plain

Block = dict[str, Any]
"""One block or element of Block Kit as plain data."""

BLOCK_CHARACTERS = 12_000
"""Text of all blocks of a message together: Slack refuses at about 13,200 (msg_blocks_too_long, undocumented)."""


def section(text: str, *, block_id: str = "", accessory: Block | None = None, verbatim: bool = False) -> Block:
    """Return a paragraph of mrkdwn, with something to click at its side if given.

    In a `verbatim` one Slack makes no links out of bare addresses and names: for text that we did not write.
    """
    made: Block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    if verbatim:
        made["text"]["verbatim"] = True
    if block_id:
        made["block_id"] = block_id
    if accessory:
        made["accessory"] = accessory
    return made


def header(text: str) -> Block:
    """Return a headline without markup."""
    return {"type": "header", "text": plain_text(text, 150)}


def context(*texts: str, verbatim: bool = False) -> Block:
    """Return small print, one mrkdwn element per text; `verbatim` as in `section`."""
    more = {"verbatim": True} if verbatim else {}
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, **more} for text in texts]}


def divider() -> Block:
    """Return a thin line."""
    return {"type": "divider"}


def actions(elements: Sequence[Block], *, block_id: str = "") -> list[Block]:
    """Return a row of elements, or nothing where there are none: Slack refuses an empty row."""
    if not elements:
        return []
    made: Block = {"type": "actions", "elements": list(elements)}
    return [made | {"block_id": block_id}] if block_id else [made]


def button(
    label: str, action_id: str, value: str = "", *, style: str = "", confirm: Block | None = None, spoken: str = ""
) -> Block:
    """Return a button; `value` comes back with the click, `style` is "primary" or "danger".

    `spoken` is what a screen reader says where the label alone says too little.
    """
    made: Block = {"type": "button", "action_id": action_id, "text": plain_text(label, 75)}
    if value:
        made["value"] = value
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = confirm
    if spoken:
        made["accessibility_label"] = plain(spoken, 75)
    return made


def confirm(title: str, text: str, yes: str, no: str, *, danger: bool = False) -> Block:
    """Return the dialog that asks once more before a click counts."""
    made: Block = {
        "title": plain_text(title, 100),
        "text": plain_text(text, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text(no, 30),
    }
    return made | {"style": "danger"} if danger else made


def option(label: str, value: str, description: str = "") -> Block:
    """Return one choice of a menu or of checkboxes."""
    made: Block = {"text": plain_text(label, 75), "value": value}
    return made | {"description": plain_text(description, 75)} if description else made


def select(action_id: str, placeholder: str, options: Sequence[Block], initial: Block | None = None) -> Block:
    """Return a menu of up to 100 choices."""
    made: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain_text(placeholder, 150),
        "options": list(options)[:100],
    }
    return made | {"initial_option": initial} if initial else made


def overflow(action_id: str, options: Sequence[Block]) -> Block:
    """Return a menu behind three dots, of up to five choices."""
    return {"type": "overflow", "action_id": action_id, "options": list(options)[:5]}


def field(label: str, element: Block, *, block_id: str, hint: str = "", optional: bool = False) -> Block:
    """Return one input of a form."""
    made: Block = {"type": "input", "block_id": block_id, "label": plain_text(label, 2000), "element": element}
    if hint:
        made["hint"] = plain_text(hint, 2000)
    return made | {"optional": True} if optional else made


def table(rows: Sequence[Sequence[str]], *, bold: int | None = None) -> Block:
    """Return a table of plain texts, the first row its head; row number `bold` stands out."""
    drawn = [[_cell(text, place in (0, bold)) for text in row] for place, row in enumerate(rows)]
    return {"type": "table", "rows": drawn, "column_settings": [{"is_wrapped": True} for _ in rows[0]]}


def aligned(rows: Sequence[Sequence[str]]) -> Block:
    """Return the same for a modal, where Slack takes no tables: texts in columns of one width each."""
    widths = [min(40, max(len(row[place]) for row in rows)) for place in range(len(rows[0]))]
    lines = ["  ".join(plain(cell, 40).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    text = "\n".join(line.rstrip() for line in lines)
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [run(text)]}]}


def rich(*lines: Sequence[Block]) -> Block:
    """Return a paragraph per line in which Slack reads no markup at all: the place for what people wrote."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(line)} for line in lines]}


def run(text: str, *, bold: bool = False, italic: bool = False) -> Block:
    """Return a piece of a rich line."""
    made: Block = {"type": "text", "text": text}
    style = {name: True for name, wanted in (("bold", bold), ("italic", italic)) if wanted}
    return made | {"style": style} if style else made


def quoted(title: Sequence[Block], text: str) -> Block:
    """Return a line and under it a text set off with a bar, in which Slack reads no markup."""
    lines = [
        {"type": "rich_text_section", "elements": list(title)},
        {"type": "rich_text_quote", "elements": [run(text)]},
    ]
    return {"type": "rich_text", "elements": lines}


def container(title: str, children: Sequence[Block]) -> Block:
    """Return up to ten blocks folded under a title."""
    return {
        "type": "container",
        "title": plain_text(title, 150),
        "child_blocks": list(children)[:10],
        "is_collapsible": True,
        "default_collapsed": True,
    }


def picture(file_id: str, title: str, alt: str) -> Block:
    """Return a picture that was uploaded to Slack before."""
    made: Block = {"type": "image", "slack_file": {"id": file_id}, "alt_text": plain(alt, 2000) or "chart"}
    return made | {"title": plain_text(title, 2000)} if title else made


def modal(
    title: str,
    blocks: Sequence[Block],
    *,
    callback_id: str = "",
    submit: str = "",
    close: str = "Close",
    metadata: str = "",
) -> Block:
    """Return a modal; without `submit` it only shows."""
    made: Block = {
        "type": "modal",
        "title": plain_text(title, 24),
        "close": plain_text(close, 24),
        "blocks": list(blocks)[:100],
    }
    if callback_id:
        made["callback_id"] = callback_id
    if submit:
        made["submit"] = plain_text(submit, 24)
    if metadata:
        made["private_metadata"] = metadata
    return made


def typed_in(values: Mapping[str, Any], name: str) -> str:
    """Read a text input whose block and action have one name; "" where it is empty or not there."""
    return clean(((values.get(name) or {}).get(name) or {}).get("value") or "").strip()


def plain_text(text: str, limit: int) -> Block:
    """Return a plain_text object that fits."""
    return {"type": "plain_text", "text": plain(text, limit), "emoji": True}


def characters(blocks: Sequence[Block]) -> int:
    """Count the characters of all texts in `blocks`, as Slack does before it refuses a message."""
    return sum(_characters(block) for block in blocks)


def _characters(value: Any) -> int:
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_characters(part) for part in value.values() if isinstance(part, dict | list))
    return sum(_characters(part) for part in value) if isinstance(value, list) else 0


def _cell(text: str, bold: bool) -> Block:
    # Slack refuses an empty cell text.
    return rich([run(text or " ", bold=True)]) if bold else {"type": "raw_text", "text": text or " "}
