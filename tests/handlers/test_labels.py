"""Labelling in the local Slack: blind, one pair at a time, nothing lost and nothing double."""

import json
from typing import Any

import pytest

from handlers.blocks.labels import label_button
from handlers.blocks.parts import actions
from tests.console import wait_for
from tests.handlers.test_training import job_in, quote_for
from tests.handlers.world import ADA, World, serve
from trainers.evals import labels
from trainers.evals.judges.pairwise import Judged
from trainers.tables import Job

Json = dict[str, Any]


def evaluated(world: World, rows: int = 40) -> Job:
    """A job whose answers lie where the worker leaves them: base and tuned differ on the first `rows` rows."""
    quote_for(world)
    job = job_in(world, "quoted")
    test = world.deps.datasets.folder / world.deps.datasets.get(job.dataset_id).test_path
    folder = world.deps.datasets.folder / "jobs" / job.id / "evaluation"
    folder.mkdir(parents=True)
    lines = []
    for n, line in enumerate(test.read_text().splitlines()[:rows]):
        right = json.loads(line)["messages"][-1]["content"]
        for arm in ("base_few_shot", "tuned"):
            lines.append({"arm": arm, "row": n, "output": f"{arm[:1]}{n} said", "expected": right, "correct": False})
    (folder / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return job


def begin(world: World, job: Job, user: str = "U0ADA") -> Json:
    """Click the button under a report."""
    ts = world.slack.web.chat_postMessage(channel="C0ASK", text="report", blocks=actions([label_button(job.id)]))["ts"]
    message = world.slack.wait_message(lambda each: each["ts"] == ts)
    world.slack.click(message, "Label 20 pairs", user=user)
    return world.slack.wait_view(user, title="Which is better?")


def place(view: Json) -> str:
    return str(view["blocks"][0]["elements"][0]["text"]).partition(" · ")[0]


def choose(world: World, view: Json, label: str, user: str = "U0ADA") -> Json:
    """Click a button of a pair and wait for what is shown instead."""
    world.slack.click(view, label, user=user)

    def changed() -> Json | None:
        shown = world.slack.views(user)
        return shown[-1] if shown and shown[-1]["blocks"][-1] != view["blocks"][-1] else None

    return wait_for(changed, what="the next pair")


def kept(world: World, job: Job) -> list[Any]:
    return labels.labels_of(world.engine, ADA.workspace_id, job.id)


def test_twenty_pairs_are_labelled_blind_and_then_thanked_for(world: World) -> None:
    """Each click keeps a choice and shows the next; the longer way round through Skip ends at twenty too."""
    job = evaluated(world)
    view = begin(world, job)
    assert place(view) == "1 of 20"
    assert not any(word in json.dumps(view["blocks"][1:]).casefold() for word in ("tuned", "base"))
    view = choose(world, view, "Skip")
    assert place(view) == "1 of 20"
    for number in range(20):
        assert place(view) == f"{number + 1} of 20"
        row = int(view["blocks"][-1]["elements"][0]["value"])
        left = json.dumps(view["blocks"])
        tuned_left = left.index(f"t{row - 1} said") < left.index(f"b{row - 1} said")
        view = choose(world, view, "A is better" if number % 2 else "Same")
        made = next(label for label in kept(world, job) if label.row == row)
        assert made.choice == (("tuned" if tuned_left else "base") if number % 2 else "tie")
    assert len(kept(world, job)) == 20
    assert "You labelled 20 pairs, 1 skipped." in json.dumps(view)
    assert "No judge has compared these pairs." in json.dumps(view)


def test_a_second_click_and_a_restart_lose_and_double_nothing(world: World) -> None:
    """A double click on one pair counts once; after a restart the work goes on where it was."""
    job = evaluated(world)
    first = begin(world, job)
    second = choose(world, first, "A is better")
    body = {"block_id": first["blocks"][-1]["block_id"], "view_id": first["id"]}
    again = first["blocks"][-1]["elements"][1]
    assert second["blocks"][-1]["elements"][1]["value"] != again["value"]
    before = kept(world, job)
    hook = {"type": "block_actions", "team": {"id": ADA.workspace_id}, "user": {"id": "U0ADA"}, "view": first}
    hook |= {"actions": [{**again, "type": "button", "block_id": body["block_id"]}], "trigger_id": "1.2.3"}
    world.slack.http.post(world.hands.url, data={"payload": json.dumps(hook)})
    wait_for(lambda: place(world.slack.views()[-1]) == "2 of 20", what="the second pair again")
    assert kept(world, job) == before
    serve(world)
    assert place(choose(world, second, "B is better")) == "3 of 20"
    assert place(begin(world, job)) == "3 of 20"


def test_two_people_label_the_same_pairs_and_hear_how_far_they_agree(world: World) -> None:
    """The same rows come in the same order to both; at the end people and judge are compared."""
    job = evaluated(world, rows=3)
    path = world.deps.datasets.folder / "jobs" / job.id / "evaluation" / "judged.json"
    labels.write_judged(path, [Judged(row, "tie", "tie", (1, 1)) for row in (1, 2, 3)])
    ends = []
    for user in ("U0ADA", "U0BEN"):
        view = begin(world, job, user)
        assert place(view) == "1 of 3"
        for _ in range(3):
            view = choose(world, view, "Same", user)
        ends.append(json.dumps(view))
    assert "Nobody else has labelled the same pairs yet." in ends[0]
    assert "People agree in 3 of 3 comparisons" in ends[1]
    assert "The judge and people agree in 6 of 6 comparisons" in ends[1]
    assert len(kept(world, job)) == 6


def test_a_private_job_is_labelled_only_by_who_may_see_it(world: World) -> None:
    """Somebody else who got hold of the button of a private job hears that it is private, and nothing is kept."""
    job = evaluated(world)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("update job set private = 1, channel = 'D0ADA'")
    ts = world.slack.web.chat_postMessage(channel="C0ASK", text="report", blocks=actions([label_button(job.id)]))["ts"]
    message = world.slack.wait_message(lambda each: each["ts"] == ts)
    world.slack.click(message, "Label 20 pairs", user="U0BEN")
    world.slack.wait_message("private conversation", user="U0BEN")
    assert world.slack.views("U0BEN") == []
    assert place(begin(world, job)) == "1 of 20"


def test_answers_that_are_gone_are_said_to_be_gone(world: World) -> None:
    """A click after the answers were removed says so in the view, and the next step."""
    job = evaluated(world)
    view = begin(world, job)
    (world.deps.datasets.folder / "jobs" / job.id / "evaluation" / "predictions.jsonl").unlink()
    assert "left no answers" in json.dumps(choose(world, view, "Same"))
    assert kept(world, job) == []


@pytest.mark.parametrize("value", ["999", "0"])
def test_a_row_that_is_not_in_the_sample_is_refused(world: World, value: str) -> None:
    """A forged or outdated click keeps nothing."""
    job = evaluated(world)
    view = begin(world, job)
    hook = {"type": "block_actions", "team": {"id": ADA.workspace_id}, "user": {"id": "U0ADA"}, "view": view}
    element = {**view["blocks"][-1]["elements"][0], "type": "button", "value": value, "block_id": "b"}
    world.slack.http.post(world.hands.url, data={"payload": json.dumps({**hook, "actions": [element]})})
    wait_for(lambda: "not among these" in json.dumps(world.slack.views()[-1]), what="the refusal")
    assert kept(world, job) == []
