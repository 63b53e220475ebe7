"""Knows how data sets look in a list, side by side, and when they are renamed or deleted; not who may do that."""

import json
from collections.abc import Sequence

from handlers.blocks.lint import TICK
from handlers.blocks.parts import (
    Block,
    actions,
    aligned,
    button,
    context,
    divider,
    field,
    modal,
    option,
    overflow,
    plain_text,
    section,
    select,
)
from handlers.blocks.words import count, day, person
from handlers.escape import mrkdwn, plain
from trainers.data.differences import Versions
from trainers.data.enough import few
from trainers.data.links import VALID_FOR
from trainers.tables import Dataset

TRAIN, MORE, ACTS, PAGE, UPLOAD, LINK, DRAFT = (
    "dataset_train",
    "dataset_grow",
    "dataset_acts",
    "datasets_page",
    "dataset_upload",
    "dataset_link",
    "dataset_draft",
)
"""Action ids: train on it, add rows to it, the menu of an entry, turn a page, upload, ask for a link, draft rows."""

GROUP = "dataset_group"
"""Action id of the menu that chooses a field by which rows are held out together."""

VERSIONS, OLD, NEW = "dataset_versions", "dataset_versions:old", "dataset_versions:new"
"""Block id and action ids of the two menus that choose what is compared."""

UPLOADED, RENAMED, DELETED = "dataset_uploaded", "dataset_renamed", "dataset_deleted"
"""Callback ids of forms."""

ROWS, TEST, OURS, NAME = "dataset_rows", "dataset_test", "dataset_ours", "dataset_name"
"""Block ids and action ids of inputs; each has one name for both."""

LISTED = 8
"""Data sets on a page."""

MENU = 100
"""Choices that a menu has at most."""

EMPTY = (
    "No data sets yet. Upload rows: you see findings first, and nothing is trained before you approve a quote. "
    "Or have some drafted for a task: you keep, edit or drop each."
)


def list_view(rows: Sequence[Dataset], place: str, page: int = 0, note: str = "", *, links: bool = False) -> Block:
    """Draw a page of the data sets that somebody may see; `place` is where what comes of them is told."""
    page = max(0, min(page, (len(rows) - 1) // LISTED)) if rows else 0
    shown = rows[page * LISTED : (page + 1) * LISTED]
    link = [button("Upload by link", LINK, "-")] if links else []
    draft = button("Draft rows", DRAFT, "-")
    blocks = [
        *([context(note)] if note else []),
        *([] if rows else [section(EMPTY)]),
        *(block for row in shown for block in _entry(row)),
        *([divider()] if rows else []),
        *actions([*_turns(page, len(rows)), button("Upload rows", UPLOAD, "-", style="primary"), draft, *link]),
    ]
    return modal("Data sets", blocks, metadata=place)


def diff_view(found: Versions, known: Sequence[Dataset]) -> Block:
    """Draw two versions side by side, with menus of all that are `known`; no word of a row is in it, labels apart."""
    told = [mrkdwn(sentence, 900) for sentence in found.sentences()]
    rows = [[plain(cell, 100) for cell in row] for row in found.rows()]
    name = f"*{mrkdwn(found.new.name, 80)}*: v{found.old.version} and v{found.new.version}"
    menus = actions(
        [_menu(OLD, "Version", known, found.old), _menu(NEW, "Other version", known, found.new)], block_id=VERSIONS
    )
    return modal("Two versions", [section(name), *menus, aligned(rows), section("\n".join(told))])


def _menu(action_id: str, placeholder: str, known: Sequence[Dataset], chosen: Dataset) -> Block:
    """Return a menu of versions; Slack shows a hundred, so of more these are the newest, and the one that is chosen."""
    shown = list(known[:MENU])
    if chosen.id not in {each.id for each in shown}:
        shown[-1:] = [chosen]
    options = {each.id: option(_called(each), each.id) for each in shown}
    return select(action_id, placeholder, list(options.values()), options[chosen.id])


def _called(row: Dataset) -> str:
    added = f", {row.created_at:%d %b %Y}" if row.created_at else ""
    return f"v{row.version}{added}: {_counts(row)}"


def upload_form(metadata: str, dataset: Dataset | None = None, *, private: bool = False) -> Block:
    """Draw the form that takes a file: for a data set of its own, or for one that gets more rows."""
    rows: Block = {"type": "file_input", "action_id": ROWS, "max_files": 1}
    test: Block = {"type": "file_input", "action_id": TEST, "max_files": 1}
    tick: Block = {"type": "checkboxes", "action_id": OURS, "options": [option(TICK, "yes")]}
    name: Block = {"type": "plain_text_input", "action_id": NAME, "max_length": 60}
    name["placeholder"] = plain_text("such as tickets", 150)
    what = "JSONL in any usual format, CSV, TSV or Excel. I never take rows from Slack messages."
    new = [
        field("Test rows", test, block_id=TEST, optional=True, hint="Without them a third of the rows is held out."),
        field("Name", name, block_id=NAME, optional=True, hint="Its file's name otherwise."),
    ]
    seen = "Only you see them until you share them." if private else "Everybody in this workspace can see them."
    told = (
        f"*{mrkdwn(dataset.name, 80)}* v{dataset.version} gets these rows as a new version. Its test rows stay."
        if dataset
        else f"You get what I find in these rows. {seen}"
    )
    blocks = [
        section(told),
        field("Rows", rows, block_id=ROWS, optional=True, hint=what),
        *([] if dataset else new),
        field("For an upload", tick, block_id=OURS, optional=True),
    ]
    title = "More rows" if dataset else "Upload rows"
    return modal(title, blocks, callback_id=UPLOADED, submit="Upload", close="Cancel", metadata=metadata)


def rename_form(dataset: Dataset, metadata: str) -> Block:
    """Draw the form for another name."""
    name: Block = {"type": "plain_text_input", "action_id": NAME, "max_length": 60}
    name["initial_value"] = plain(dataset.name, 60)
    blocks = [field("Name", name, block_id=NAME, hint="All versions get it. Jobs and models keep their titles.")]
    return modal("Rename", blocks, callback_id=RENAMED, submit="Rename", close="Cancel", metadata=metadata)


def delete_form(dataset: Dataset, stays: Sequence[str], metadata: str) -> Block:
    """Ask whether a version is to go, and say what stays elsewhere."""
    what = f"*{mrkdwn(dataset.name, 80)} v{dataset.version}*: {_counts(dataset)}. Its bytes are removed for good."
    lines = "\n".join(f"• {mrkdwn(sentence, 250)}" for sentence in stays[:10])
    blocks = [section(f"Delete {what}"), *([section(f"What stays:\n{lines}")] if stays else [])]
    return modal("Delete rows", blocks, callback_id=DELETED, submit="Delete", close="Keep it", metadata=metadata)


def link_view(address: str, most: int) -> Block:
    """Show a one-time link to whoever asked."""
    hours = VALID_FOR.total_seconds() / 3600
    told = f"One file of up to {most / 1_000_000:,.0f} MB, once, within {hours:g} h, as yours: do not pass it on."
    past = "It comes to me directly, not through Slack."
    return modal("Upload by link", [section(f"<{address}|Open the upload page>\n{past}"), context(told)])


def kept_buttons(dataset: Dataset) -> list[Block]:
    """Return what can be done next with rows that were kept."""
    return [
        button("Train", TRAIN, dataset.id, style="primary"),
        button("More rows", MORE, dataset.id),
    ]


def group_menu(dataset: Dataset, file_id: str, fields: Sequence[str]) -> list[Block]:
    """Offer to hold rows out by a field of the file that they are from; nothing where it has none."""
    if not fields:
        return []
    text = "Some rows are held out to test on. Which rows belong together, so that none is tested half seen?"
    menu = select(GROUP, "Hold out by a field", [option(name, name) for name in fields])
    return [section(text, block_id=f"group|{dataset.id}|{file_id}", accessory=menu)]


def waits(row: Dataset) -> bool:
    """Say whether nothing can be trained on a data set yet: its rows were too few to hold any out."""
    return not row.test_rows and bool(few(row.train_rows))


def _entry(row: Dataset) -> list[Block]:
    seen = " · only you see it" if row.private else ""
    added = f"added {day(row.created_at.isoformat())} by {person(row.created_by)}" if row.created_at else ""
    short = f"\n⚠️ {few(row.train_rows)}" if waits(row) else ""
    head = f"*{mrkdwn(row.name, 80)}* v{row.version}{seen}\n{_counts(row)} · {added}{short}"
    called = f"{plain(row.name, 40)} v{row.version}"
    acts = [
        button("Train", TRAIN, row.id, spoken=f"Train on {called}"),
        button("More rows", MORE, row.id, spoken=f"More rows for {called}"),
        overflow(ACTS, _acts(row)),
    ]
    return [section(head), *actions(acts, block_id=f"dataset-{row.id}")]


def _acts(row: Dataset) -> list[Block]:
    named = {"diff": "Compare versions", "download": "Download"}
    named |= {"share": "Share with the workspace"} if row.private else {}
    named |= {"rename": "Rename", "delete": "Delete"}
    return [option(label, json.dumps([act, row.id])) for act, label in named.items()]


def _counts(row: Dataset) -> str:
    noun = "pair" if row.pairs else "row"
    held = f", with {row.holds}" if row.holds else ""
    return f"{count(row.train_rows, noun)}, {count(row.test_rows, f'test {noun}')}{held}"


def _turns(page: int, known: int) -> list[Block]:
    turns = [button("◀ Newer", f"{PAGE}:back", str(page - 1), spoken="Newer data sets")] if page else []
    if (page + 1) * LISTED < known:
        turns.append(button("Older ▶", f"{PAGE}:on", str(page + 1), spoken="Older data sets"))
    return turns
