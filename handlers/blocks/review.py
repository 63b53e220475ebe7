"""Knows how a review looks in its thread: one card, one row at a time; it does not know what a click does."""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from handlers.blocks.datasets import MORE as GROW
from handlers.blocks.datasets import TRAIN
from handlers.blocks.parts import Block, actions, button, confirm, context, divider, modal, quoted, rich, run, section
from handlers.blocks.words import clock_time, count, day, person
from handlers.escape import mrkdwn, plain
from trainers.data.enough import TRAINABLE, few, missing
from trainers.data.jsonl import Message
from trainers.data.review import Key, Look
from trainers.data.review_report import PURPOSES
from trainers.data.review_rows import GRID, Coverage, clashes, coverage, is_template, turns_of
from trainers.data.split import LEAST_TRAIN
from trainers.data.titles import at_word
from trainers.evals.generating.spec import ROWS
from trainers.evals.planned import Short
from trainers.tables import Review, ReviewRow

KEEP, EDIT, DROP, LIKE, UNDO = "review_keep", "review_edit", "review_drop", "review_like", "review_undo"
BACK, ON, WHOLE = "review_back", "review_on", "review_whole"
REST, ADD, FINISH = "review_rest", "review_add", "review_finish"
"""Action ids of the buttons on the card."""

ENOUGH, AGAIN = "review_enough", "review_again"
"""Action ids of the buttons beside the word that training needs more rows: into this review, or into a new one."""

ANYWAY, MORE = "review_freeze_anyway", "review_draft_more"
"""Action ids under the word that there are too few rows; their value is the review's id."""

SHOWN_TURNS = 6
"""Turns of a row on the card: the last ones, and the system prompt."""

SHOWN_CHARACTERS = {"system": 240}
"""Of a turn on the card, by role; 900 where not named. *See it all* shows the whole row."""

PIECE = 2900
"""Characters of one block where a whole row is shown."""

VIEW_BYTES = 200_000
"""Blocks of a modal, as JSON: Slack takes 250,000 with all around them."""

CLASHES = 4
"""Pairs of contradicting rows that the card names."""

_PLACES = 12
"""Rows that one sentence names by their places."""

MOST_SHARES = 12
"""Values of one line of the coverage that the card names."""

NOUNS = {"test": "test row", "train": "training row"}
ROLES = {"system": "System prompt", "user": "User", "assistant": "Assistant"}
STATUS = {"draft": "not decided", "kept": "✅ kept", "dropped": "🗑 dropped"}


def review_blocks(look: Look) -> list[Block]:
    """Draw the card; a review that is over has no buttons."""
    if look.review.state in {"finished", "discarded"}:
        return _ended(look)
    told = counted(look)
    row = look.shown
    body = (
        [section("No rows yet. *Add my own* writes the first one."), *_whole_review(look, told)]
        if row is None
        else [*_row(look, row), *_decide(row), *_whole_review(look, told)]
    )
    return [
        section("\n".join(filter(None, (f"*{_title(look)}*", tally(told), _shape(told))))),
        *_coverage(told),
        *_too_few(look),
        *_clashes(look),
        *_unwritten(look),
        divider(),
        *body,
    ]


def review_text(look: Look) -> str:
    """Say the card in a sentence or two, for notifications and screen readers."""
    told = coverage(look.rows)
    if look.review.state in {"finished", "discarded"}:
        return f"{_title(look)}: {_end(look)}"
    row = look.shown
    at = f" Row {row.place} of {len(look.rows)}, {_kind(row)}, {_status(row)}." if row else ""
    return f"{_title(look)}: {tally(told)}.{at} Keep, edit or drop each row, then finish."


def short_text(short: Short) -> str:
    """Say that a test of so few rows can never pass, and what there is to do."""
    kept = "1 row is kept" if short.kept == 1 else f"{short.kept:,} rows are kept"
    left = f"{count(short.left, 'row')} {'is' if short.left == 1 else 'are'} not decided yet: keep the good ones first."
    waiting = f" {left}" if short.left else ""
    return (
        f"*{kept}, and a model can never pass with fewer than {short.minimum}.* Nothing is frozen yet.{waiting} "
        f"With {count(short.missing, 'more row')} it can."
    )


def short_blocks(short: Short, review_id: str) -> list[Block]:
    """Draw that, with the two ways on."""
    more = button(f"Draft {count(short.missing, 'more row')}", MORE, review_id, style="primary")
    anyway = button("Freeze anyway", ANYWAY, review_id)
    return [section(short_text(short)), *actions([more, anyway], block_id="review-short")]


def train_text(review: Review) -> str:
    """Answer whoever wants to train on the rows of a review of training rows."""
    result = json.loads(review.result)
    if not result.get("dataset_id"):
        return "The review in this thread is still open: *Finish* makes its kept rows a data set, then you can train."
    named = f"The rows reviewed here are the data set *{mrkdwn(result['name'], 80)} v{result['version']}*."
    return " ".join(filter(None, (named, few(int(result["kept"])))))


def train_blocks(review: Review) -> list[Block]:
    """Draw that, with the way on: train, or add rows where they are too few."""
    result = json.loads(review.result)
    if not result.get("dataset_id"):
        return [section(train_text(review))]
    kept, dataset = int(result["kept"]), str(result["dataset_id"])
    train = [button("Train", TRAIN, dataset, style="primary")] if kept >= TRAINABLE else []
    grow = [button("Add rows", GROW, dataset)] if few(kept) else []
    return [section(train_text(review)), *actions([*train, *grow], block_id="review-train")]


def alive(look: Look) -> list[ReviewRow]:
    """Return the rows that are not dropped."""
    return [row for row in look.rows if row.status != "dropped"]


def draft_of(row: ReviewRow) -> dict[str, Any]:
    """Return a row as `read_draft` takes it."""
    told = {name: getattr(row, name) for name in ("kind", "why", "provenance")}
    return {**told, "messages": json.loads(row.messages), "cell": json.loads(row.cell)}


def newer_text(link: str) -> str:
    """Say that a card was overtaken by a newer one, and where that is."""
    return f"This card was overtaken: {f'<{link}|the newer one>' if link else 'the newer one'} goes on, use that."


def whole_view(look: Look, row: ReviewRow) -> Block:
    """Draw a row in full, in a modal that only shows."""
    blocks = [block for turn in turns_of(row) for block in _pieces(turn)]
    sizes = accumulate(len(json.dumps(block)) for block in blocks)
    fit = min(90, sum(size <= VIEW_BYTES for size in sizes))
    more = len(blocks) - fit
    rest = [context(f"{count(more, 'more part')} of this row do not fit here; the JSONL has all.")] if more else []
    source = [context(f"From: {mrkdwn(row.provenance, 300)}")] if row.provenance else []
    return modal(f"Row {row.place} of {len(look.rows)}", [*_head(look, row), *source, *blocks[:fit], *rest])


def tally(told: Coverage) -> str:
    """Say how the rows stand."""
    without = f" ({told.unanswered} without an answer yet)" if told.unanswered else ""
    return f"{told.kept} kept · {told.dropped} dropped · {told.left} left{without}"


def labels(look: Look) -> Sequence[str]:
    """Return the answers that the task wants, as far as it says."""
    wanted = look.spec.get("labels")
    return [str(label) for label in wanted] if isinstance(wanted, list) else []


def counted(look: Look) -> Coverage:
    """Count a review's rows by all that they are to cover."""
    grid = look.spec.get(GRID)
    return coverage(look.rows, labels(look), grid if isinstance(grid, dict) else {})


def key_of(value: str) -> Key:
    """Read which row, at which version, a button was drawn for."""
    review_id, place, version = value.split(":")
    return Key(review_id, int(place), int(version))


def turn_name(messages: Sequence[Message], at: int) -> str:
    """Name a turn for people; the last one is the answer that is expected."""
    last = at == len(messages) - 1
    return "Expected answer" if last else ROLES.get(messages[at].role, messages[at].role)


def _title(look: Look) -> str:
    return f"{count(len(look.rows), NOUNS[look.review.purpose])}: {mrkdwn(look.review.title, 300)}"


def _kind(row: ReviewRow) -> str:
    return mrkdwn(row.kind, 60)


def _status(row: ReviewRow) -> str:
    by = f" by {person(row.changed_by)}" if row.status != "draft" else ""
    return f"{STATUS[row.status]}{by}"


def _shape(told: Coverage) -> str:
    """Say how the rows that are not dropped cover what is wanted: `3/4 answers · 2 hard ones · …`."""
    covered = sum(1 for _, all_ in told.labels.values() if all_)
    answers = f"{covered}/{len(told.labels)} answers have rows" if told.labels else ""
    hard = f"{told.hard:,} hard {'one' if told.hard == 1 else 'ones'}" if told.hard else ""
    return " · ".join(filter(None, (answers, hard, "system prompt identical in all" if told.same_prompt else "")))


def _coverage(told: Coverage) -> list[Block]:
    further = [_shares(f"Kept by {mrkdwn(name, 40)}", shares) for name, shares in told.dimensions.items()]
    lines = [_shares("Kept by kind", told.kinds), _shares("Kept by answer", told.labels), *further]
    shown = [line for line in lines if line]
    return [context(*shown[:10])] if shown else []


def _shares(name: str, shares: Mapping[str, tuple[int, int]]) -> str:
    if not shares:
        return ""
    there = [f"{mrkdwn(key, 40)} {kept}/{all_}" for key, (kept, all_) in shares.items() if all_]
    none = [mrkdwn(key, 40) for key, (_, all_) in shares.items() if not all_]
    told = [*there[:MOST_SHARES], *([f"{len(there) - MOST_SHARES} more"] if len(there) > MOST_SHARES else [])]
    more = f" and {len(none) - MOST_SHARES} more" if len(none) > MOST_SHARES else ""
    lacking = [f"no row: {', '.join(none[:MOST_SHARES])}{more}"] if none else []
    return f"{name}: {' · '.join([*told, *lacking])}"


def _row(look: Look, row: ReviewRow) -> list[Block]:
    messages = turns_of(row)
    shown = [at for at, turn in enumerate(messages) if turn.role == "system" or at >= len(messages) - SHOWN_TURNS]
    hidden = len(messages) - len(shown)
    note = [context(f"{count(hidden, 'earlier turn')} not shown here: *See it all*.")] if hidden else []
    return [*_head(look, row), *note, *[_turn(messages, at) for at in shown]]


def _head(look: Look, row: ReviewRow) -> list[Block]:
    head = section(f"*Row {row.place} of {len(look.rows)}* · {_kind(row)} · {_status(row)}")
    why = f"{PURPOSES[look.review.purpose]}: {plain(row.why, 600)}" if row.why else ""
    return [head, *([rich([run(why, italic=True)])] if why else [])]


def _turn(messages: Sequence[Message], at: int) -> Block:
    text = plain(messages[at].content, SHOWN_CHARACTERS.get(messages[at].role, 900)).strip()
    missing = "Not said yet: use Edit to say what the right answer is." if at == len(messages) - 1 else "(nothing)"
    return quoted([run(turn_name(messages, at), bold=True)], text or missing)


def _pieces(turn: Message) -> list[Block]:
    text = plain(turn.content, len(turn.content) + 1) or "(nothing)"
    name = [run(ROLES.get(turn.role, plain(turn.role, 40)), bold=True)]
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    return [quoted(name if at == 0 else [run("…", bold=True)], piece) for at, piece in enumerate(pieces)]


def _decide(row: ReviewRow) -> list[Block]:
    """Draw what can be done with the row that is shown; each button says for a screen reader which row it is."""
    value, of = f"{row.review_id}:{row.place}:{row.version}", f"row {row.place}"
    keep = button("Keep", KEEP, value, style="primary", spoken=f"Keep {of}")
    drop = button("Drop", DROP, value, spoken=f"Drop {of}")
    # What is done already is not offered.
    buttons = [
        *([keep] if row.status != "kept" else []),
        button("Edit", EDIT, value, spoken=f"Edit {of}"),
        *([drop] if row.status != "dropped" else []),
        *([button("Undo", UNDO, value, spoken=f"Undo the last change of {of}")] if row.version > 1 else []),
        button("Another like this", LIKE, value, spoken=f"Another like {of}"),
    ]
    # A click on an older drawing names a block that is no longer there: it can never fall on the next row.
    return actions(buttons, block_id=f"review-row-{row.place}-{row.version}")


def _whole_review(look: Look, told: Coverage) -> list[Block]:
    review_id, row = look.review.id, look.shown
    adding = button("Add my own", ADD, review_id)
    if row is None:
        return actions([adding], block_id="review-all")
    last = len(look.rows)
    back, on = row.place - 1 or last, row.place % last + 1
    paging = [
        button("◀", BACK, f"{review_id}:{back}:0", spoken=f"Show row {back} of {last}"),
        button("▶", ON, f"{review_id}:{on}:0", spoken=f"Show row {on} of {last}"),
        button("See it all", WHOLE, f"{review_id}:{row.place}:0", spoken=f"See all of row {row.place}"),
    ]
    ready = told.left - told.unanswered
    rest = [button("Keep the rest", REST, review_id, confirm=_rest(look, ready))] if ready else []
    end = [button("Finish → JSONL", FINISH, review_id, confirm=_finish(look, told))] if told.kept else []
    rows = actions(paging, block_id=f"review-pages-{row.place}"), actions([*rest, adding, *end], block_id="review-all")
    return [block for row_of in rows for block in row_of]


def _rest(look: Look, ready: int) -> Block:
    text = "Rows that nobody has decided about are kept as they are. Each can still be edited or dropped."
    text += _templates([row for row in look.rows if row.status == "draft"])
    return confirm(f"Keep {count(ready, 'more row')}?", text, "Keep them", "Not yet")


def _finish(look: Look, told: Coverage) -> Block | None:
    """Ask once more; not where Finish refuses anyway and says what is missing."""
    if look.review.purpose == "train" and told.kept < LEAST_TRAIN:
        return None
    left = f" {count(told.left, 'undecided row')} will be left out." if told.left else ""
    short = f" {few(told.kept)}" if look.review.purpose == "train" and few(told.kept) else ""
    short += _templates([row for row in look.rows if row.status == "kept"])
    text = f"The rows are frozen and posted here as a file.{left}{short} To change them later, begin a new review."
    return confirm(f"Finish with {count(told.kept, 'row')}?", text, "Finish", "Not yet")


def _ended(look: Look) -> list[Block]:
    result = json.loads(look.review.result)
    lines = [section(f"*{_title(look)}*\n{_end(look)}"), *_coverage(counted(look))]
    small = [context(f"SHA-256 of the rows `{result['sha256'][:16]}…`")] if result else []
    return [*lines, *small, *_next(look, result)]


def _too_few(look: Look) -> list[Block]:
    """Say on a card of training rows that even all of them are too few, with the way to more."""
    number = len(alive(look))
    if look.review.purpose != "train" or not few(number):
        return []
    more = button(f"Draft {count(missing(number), 'more row')}", ENOUGH, look.review.id)
    return [context(f"⚠️ {few(number)}"), *(actions([more], block_id="review-few") if ROWS in look.spec else [])]


def _templates(rows: Sequence[ReviewRow]) -> str:
    """Say how many rows are templates that nobody has rewritten; "" where none is."""
    number = sum(map(is_template, rows))
    return (
        f" {count(number, 'template')} to be rewritten {'is' if number == 1 else 'are'} among them." if number else ""
    )


def _unwritten(look: Look) -> list[Block]:
    """Say on the card which rows only name their answer, before they are kept as they are."""
    places = [str(row.place) for row in alive(look) if is_template(row)]
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    listed = f"{', '.join(places[:_PLACES])}{more}"
    what = f"Row {listed} is a template" if len(places) == 1 else f"Rows {listed} are templates"
    return [context(f"⚠️ {what}: rewrite or drop what only names its answer.")] if places else []


def _clashes(look: Look) -> list[Block]:
    """Say which rows contradict one another, before *Keep the rest* takes them."""
    found = clashes(look.rows, labels(look))
    told = [f"rows {one.place} and {other.place} ({_said(one)}, {_said(other)})" for one, other in found[:CLASHES]]
    more = f" and {len(found) - CLASHES} more" if len(found) > CLASHES else ""
    why = "These ask the same or nearly so, with another answer, and a model can't learn both"
    return [context(f"⚠️ {why}: {'; '.join(told)}{more}. Edit or drop one of each.")] if told else []


def _said(row: ReviewRow) -> str:
    return mrkdwn(turns_of(row)[-1].content, 40)


def _next(look: Look, result: Mapping[str, Any]) -> list[Block]:
    """Draw what can be done with rows that became a data set: train, or more rows where they are too few."""
    if look.review.purpose != "train" or not result.get("dataset_id"):
        return []
    kept, dataset = int(result["kept"]), str(result["dataset_id"])
    more = [button(f"Draft {count(missing(kept), 'more row')}", AGAIN, look.review.id)] if ROWS in look.spec else []
    train = button("Train", TRAIN, dataset, style="primary")
    buttons = [
        *([train] if kept >= TRAINABLE else []),
        *([*more, button("Add rows", GROW, dataset)] if few(kept) else []),
    ]
    return [*([context(f"⚠️ {few(kept)}")] if few(kept) else []), *actions(buttons, block_id="review-next")]


def _end(look: Look) -> str:
    review, result = look.review, json.loads(look.review.result)
    at = review.finished_at.isoformat() if review.finished_at else ""
    when = f"{day(at)}, {clock_time(at)}" if at else ""
    who = person(review.finished_by)
    if review.state == "discarded":
        return f"Discarded by {who} on {when}; nothing was made of it."
    left = f", {result['left']} left out" if result["left"] else ""
    made = f"{result['kept']} kept, {result['dropped']} dropped{left}"
    version = f" They are the data set *{mrkdwn(result['name'], 80)} v{result['version']}*." if "name" in result else ""
    files = " Files in this thread: " + " and ".join(f"`{name}`" for name in file_names(look)) + "."
    return f"Finished by {who} on {when}: {made}.{version}{files if review.posted else ''}"


def file_names(look: Look) -> tuple[str, str]:
    """Return how the rows and the report are called in Slack."""
    title = at_word(look.review.title.lower(), 40)
    bare = "".join(c if c.isalnum() or c in "-_" else "-" for c in title).strip("-") or "rows"
    return f"{bare}-{look.review.purpose}.jsonl", f"{bare}-{look.review.purpose}-review.md"
