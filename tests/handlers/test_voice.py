"""A brand's voice as people meet it: texts in a form, a profile and its files in a thread."""

import json

from tests.handlers.world import World
from tests.trainers.evals.voices import brand, briefs, chatty, written

OURS = "\n---\n".join(written(brand, briefs(12, 1), 1, 60))
BASE = "\n---\n".join(written(chatty, briefs(12, 1), 2, 60))


def opened(world: World) -> dict:
    world.slack.command("/tune voice")
    return world.slack.wait_view(title="Describe a voice")


def test_uploaded_texts_become_a_profile_with_its_files(world: World) -> None:
    """Files and a reference give a card in a thread, and the whole profile and the house rules as files."""
    ours, base = world.slack.upload("ours.txt", OURS.encode()), world.slack.upload("base.txt", BASE.encode())
    world.slack.submit(opened(world), {"voice_files": [ours], "voice_reference": [base]})
    root = world.slack.wait_message("describes a voice")
    card = world.slack.wait_message("What is distinctive", thread_ts=root["ts"])
    assert "beside 12 texts that you gave" in json.dumps(card, ensure_ascii=False)
    files = world.slack.wait_message("voice.md", thread_ts=root["ts"])
    assert [file["name"] for file in files["files"]] == ["voice.md", "house-rules.json"]


def test_pasted_texts_are_enough(world: World) -> None:
    """Three short texts with lines between them are described, with what they do not support."""
    world.slack.submit(opened(world), {"voice_pasted": "One fine day.\n---\nTwo fine days!\n---\nThree."})
    root = world.slack.wait_message("describes a voice")
    card = world.slack.wait_message("do not support yet", thread_ts=root["ts"])
    assert "need 10 texts" in json.dumps(card)


def test_an_empty_form_is_refused_at_its_field(world: World) -> None:
    """Without texts nothing begins."""
    answer = world.slack.submit(opened(world), {})
    assert "Paste texts here" in json.dumps(answer)


def test_too_few_texts_are_told_in_the_thread(world: World) -> None:
    """One text is no voice: the thread says how many it takes."""
    world.slack.submit(opened(world), {"voice_pasted": "One text alone."})
    root = world.slack.wait_message("describes a voice")
    world.slack.wait_message("needs at least 3 texts", thread_ts=root["ts"])
