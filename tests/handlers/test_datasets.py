"""Data sets in Slack: upload, list, compare, share, mend, draw, delete, over a real local Slack."""

import json
from typing import Any

import pytest

from tests.console import form_state, wait_for
from tests.handlers.world import ADA, World
from trainers.data.examples import EXAMPLES
from trainers.errors import DatasetRejected

Json = dict[str, Any]
BOT = "<@U0LUTHIER>"
LINES = EXAMPLES["tickets"].train.read_bytes().splitlines(keepends=True)
TWICE = b"".join([*LINES, LINES[0]])


def add(world: World, content: bytes = b"".join(LINES), name: str = "tickets", private: bool = False) -> Any:
    """Keep rows as Ada's, without Slack."""
    path = world.deps.datasets.folder / "given.jsonl"
    path.write_bytes(content)
    test = EXAMPLES["tickets"].test
    return world.deps.datasets.add(
        path, test, name=name, person=ADA, provenance="a test's", now=world.now, private=private
    ).dataset


def listed(world: World, user: str = "U0ADA") -> Json:
    world.slack.command("/tune data", user=user)
    return world.slack.wait_view(user, title="Data sets")


def choose(world: World, view: Json, what: str, dataset: Any) -> None:
    """Choose an act in the menu of a data set's entry."""
    block = next(each for each in view["blocks"] if each.get("block_id") == f"dataset-{dataset.id}")
    menu = block["elements"][-1]
    chosen = next(each for each in menu["options"] if json.loads(each["value"])[0] == what)
    action = {"type": "overflow", "action_id": menu["action_id"], "selected_option": chosen}
    world.slack.act("action", user="U0ADA", block_id=block["block_id"], action=action, state=None, view_id=view["id"])


def rows_of(world: World) -> list[Any]:
    return list(world.deps.datasets.listing(ADA.workspace_id))


def test_rows_are_uploaded_grown_compared_and_deleted(world: World) -> None:
    """From the empty list to two versions side by side; what is deleted is gone, and says by whom."""
    world.slack.click(listed(world), "Upload rows")
    form = world.slack.wait_view(title="Upload rows")
    file = world.slack.upload("<b>*x*.jsonl", b"".join(LINES[:90]))
    refused = world.slack.submit(form, {"dataset_rows": [file]})
    assert "Tick this" in json.dumps(refused)
    world.slack.submit(form, {"dataset_rows": [file], "dataset_ours": ["yes"]})
    root = world.slack.wait_message("uploads rows")
    kept = world.slack.wait_message("ready to train", thread_ts=root["ts"])
    assert "<b>" not in json.dumps(kept["text"])
    world.slack.click(kept, "More rows")
    more = world.slack.upload("more.jsonl", b"".join(LINES))
    world.slack.submit(world.slack.wait_view(title="More rows"), {"dataset_rows": [more], "dataset_ours": ["yes"]})
    new = wait_for(lambda: next((each for each in rows_of(world) if each.version == 2), None), 20, what="v2")
    view = listed(world)
    choose(world, view, "diff", new)
    both = world.slack.wait_view(title="Two versions")
    assert "30 rows new" in json.dumps(both)
    first = next(each.id for each in rows_of(world) if each.version == 1)
    state = form_state(both, {"dataset_versions:old": new.id, "dataset_versions:new": first})
    used = state["values"]["dataset_versions"]["dataset_versions:new"]
    world.slack.click(both, "dataset_versions:new", state=state, selected_option=used["selected_option"])
    wait_for(lambda: "30 rows gone" in json.dumps(world.slack.views()[-1]), what="the other way round")
    view = listed(world)
    choose(world, view, "delete", new)
    sure = world.slack.wait_view(title="Delete rows")
    assert "Other versions" in json.dumps(sure)
    world.slack.submit(sure)
    wait_for(lambda: len(rows_of(world)) == 1, what="one version left")
    assert not (world.deps.datasets.folder / "datasets" / new.id).exists()
    assert "bytes are gone" in json.dumps(world.slack.views()[-1])
    with pytest.raises(DatasetRejected, match="were deleted by @U0ADA"):
        world.deps.datasets.get(new.id)


def test_rows_are_held_out_by_a_field_that_is_chosen(world: World) -> None:
    """A file whose rows have a depot offers it; the choice makes a version whose parts share none, once."""
    rows = [{**json.loads(line), "depot": f"D{n % 9}"} for n, line in enumerate(LINES)]
    world.slack.click(listed(world), "Upload rows")
    file = world.slack.upload("depots.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    form = world.slack.wait_view(title="Upload rows")
    world.slack.submit(form, {"dataset_rows": [file], "dataset_ours": ["yes"]})
    root = world.slack.wait_message("uploads rows")
    asked = world.slack.wait_message("belong together", thread_ts=root["ts"], timeout=20)
    option = {"text": {"type": "plain_text", "text": "depot", "emoji": True}, "value": "depot"}
    world.slack.click(asked, "dataset_group", selected_option=option)
    world.slack.wait_message("are on one side", thread_ts=root["ts"], timeout=20)
    newest = rows_of(world)[0]
    parts = [(world.deps.datasets.folder / path).read_text() for path in (newest.train_path, newest.test_path)]
    depots = [{json.loads(line)["depot"] for line in part.splitlines()} for part in parts]
    assert newest.version == 2
    assert not depots[0] & depots[1]


def test_what_is_private_is_seen_after_it_is_shared(world: World) -> None:
    """Ben sees neither the rows nor their name until Ada shares them; then he does, and may not delete them."""
    mine = add(world, private=True)
    assert "tickets" not in json.dumps(listed(world, "U0BEN")["blocks"])
    choose(world, listed(world), "share", mine)
    world.slack.wait_view(title="Share")
    assert "tickets" in json.dumps(listed(world, "U0BEN")["blocks"])
    assert not rows_of(world)[0].private


def test_a_file_with_a_mention_is_fixed_once_and_drawn(world: World) -> None:
    """Two clicks on Fix mend the rows once, say what was done and keep a version; its charts come as files."""
    file = world.slack.upload("twice.jsonl", TWICE)
    sent = world.slack.send(f"{BOT} can we train on this?", files=[file["id"]])
    card = world.slack.wait_message("Use as documents", thread_ts=sent["ts"])
    world.slack.click(card, "Fix")
    world.slack.click(card, "Fix")
    world.slack.wait_message("repeat an earlier one", thread_ts=sent["ts"])
    kept = world.slack.wait_message("More rows", thread_ts=sent["ts"], timeout=20)
    assert len(rows_of(world)) == 1
    said = [each for each in world.slack.messages("C0ASK", sent["ts"]) if "mended:" in each.get("text", "")]
    assert len(said) == 1
    world.slack.click(kept, "Charts")
    drawn = world.slack.wait_message("repeats.png", thread_ts=sent["ts"], timeout=30)
    assert len(drawn["files"]) == 3


def test_a_message_with_many_files_says_which_were_looked_at(world: World) -> None:
    """Three files are read, and that the fourth was not is said in the thread."""
    files = [world.slack.upload(f"rows{n}.jsonl", b"".join(LINES[: 12 + n]))["id"] for n in range(4)]
    sent = world.slack.send(f"{BOT} can we train on these?", files=files)
    world.slack.wait_message("first 3 of 4 files", thread_ts=sent["ts"], timeout=30)


def test_personal_data_is_shown_masked_to_whoever_gave_the_file(world: World) -> None:
    """Ada sees where it is, masked; Ben sees the finding without a preview."""
    turns = json.loads(LINES[0])
    turns["messages"][-2]["content"] += " Write to jane.doe@northwind-parts.com please."
    file = world.slack.upload("people.jsonl", b"".join([*LINES[1:], json.dumps(turns).encode() + b"\n"]))
    sent = world.slack.send(f"{BOT} is this any good?", files=[file["id"]])
    world.slack.wait_message("Only you see this", thread_ts=sent["ts"])
    assert "Only you see this" not in json.dumps(world.slack.messages("C0ASK", sent["ts"], user="U0BEN"))
    assert "jane.doe@" not in json.dumps(world.slack.messages("C0ASK", sent["ts"]))
