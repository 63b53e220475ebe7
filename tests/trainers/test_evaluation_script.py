"""What the evaluation child does with probes, long rows, few rows and damaged adapters, on a tiny model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import tiny_model
from tests.trainers.script_runs import Recorder, here, write_rows
from tests.trainers.test_scripts import LABELS, evaluation, rows
from trainers.scripts import evaluate_arms
from trainers.scripts.child import ScriptError, StopRequested

pytestmark = [
    pytest.mark.timeout(300),
    # transformers warns about its own internals
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]
Data = tuple[Path, Path]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.build(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_adapter(base, tmp_path_factory.mktemp("adapter") / "one", seed=1)


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return write_rows(tmp_path / "train.jsonl", rows(8)), write_rows(tmp_path / "test.jsonl", rows(4, shift=100))


def random_adapter(base: Path, folder: Path, seed: int) -> Path:
    """Write an adapter that changes the model at random: a trained one takes longer and shows no more here."""
    import torch
    from peft import LoraConfig, get_peft_model

    from trainers.scripts.local_model import choose_runtime, load_base

    model, _ = load_base(base, choose_runtime("float32", 1))
    torch.manual_seed(seed)
    tuned = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "down_proj"], init_lora_weights=False))
    tuned.save_pretrained(folder)
    return folder


def probe_file(path: Path, count: int = 5) -> Path:
    suites = ("general", "refusal", "over_refusal")
    made = [
        {
            "id": f"p{i}",
            "suite": suites[i % 3],
            "messages": [{"role": "user", "content": f"Question number {i}" + " please" * i}],
            "max_new_tokens": 4 + i,
        }
        for i in range(count)
    ]
    path.write_text("".join(json.dumps(probe) + "\n" for probe in made))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def notes(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "arms.json").read_text())
    return found


def test_both_models_answer_the_probes_and_the_base_only_once(
    base: Path, adapter: Path, data: Data, tmp_path: Path
) -> None:
    """A second evaluation, of another adapter, takes the base's answers from the cache unless they are damaged."""
    cache, probes = tmp_path / "cache", probe_file(tmp_path / "probes.jsonl")
    other = random_adapter(base, tmp_path / "other", seed=2)

    def run(name: str, tuned: Path) -> list[dict[str, Any]]:
        more = {"arms": ["tuned"], "probes": str(probes), "probe_cache": str(cache)}
        here(evaluate_arms.main, evaluation(base, tuned, data, tmp_path / name, **more))
        return lines(tmp_path / name / "probes.jsonl")

    first, second = run("first", adapter), run("second", other)
    assert [(p["arm"], p["id"]) for p in first] == [(arm, f"p{i}") for arm in ("base", "tuned") for i in range(5)]
    assert all({"output", "output_tokens", "milliseconds"} <= set(p) for p in first)
    assert all(p["output_tokens"] <= 4 + i % 5 for i, p in enumerate(first))
    assert first[:5] == second[:5]
    assert [p["output"] for p in first[5:]] != [p["output"] for p in second[5:]]
    assert [notes(tmp_path / n)["probes"]["base"]["cached"] for n in ("first", "second")] == [False, True]
    (kept,) = cache.iterdir()
    kept.write_text(kept.read_text()[:-40])
    third = run("third", adapter)
    assert [p["output"] for p in third] == [p["output"] for p in first]
    assert not notes(tmp_path / "third")["probes"]["base"]["cached"]
    assert len(lines(kept)) == 5


def test_another_adapter_on_the_same_rows_takes_over_what_the_base_answered(
    base: Path, adapter: Path, data: Data, tmp_path: Path
) -> None:
    """Arms without the adapter are asked once for a data set, and the report says so; other rows are asked anew."""
    other = random_adapter(base, tmp_path / "other", seed=2)
    here(evaluate_arms.main, evaluation(base, adapter, data, tmp_path / "first"))
    more = {"earlier": [str(tmp_path / "gone"), str(tmp_path / "first")]}
    here(evaluate_arms.main, evaluation(base, other, data, tmp_path / "second", **more))
    first, second = lines(tmp_path / "first" / "predictions.jsonl"), lines(tmp_path / "second" / "predictions.jsonl")
    assert [p for p in first if p["arm"] != "tuned"] == [p for p in second if p["arm"] != "tuned"]
    assert [p for p in first if p["arm"] == "tuned"] != [p for p in second if p["arm"] == "tuned"]
    arms = notes(tmp_path / "second")["arms"]
    assert {arm for arm in arms if arms[arm].get("taken_over")} == set(arms) - {"tuned"}
    assert arms["base_plain"]["asked"].endswith(evaluate_arms.KEPT)

    third = evaluation(base, other, data, tmp_path / "third", **more) | {"seed": 99}
    here(evaluate_arms.main, third)
    assert not any(arm.get("taken_over") for arm in notes(tmp_path / "third")["arms"].values())


def test_other_weights_or_probes_have_other_cached_answers(base: Path, tmp_path: Path) -> None:
    """The key follows the numbers in the weights, not only their shapes, and the tokenizer, probes and precision."""
    from trainers.scripts.probes import cache_key

    probes, more = probe_file(tmp_path / "a.jsonl"), probe_file(tmp_path / "b.jsonl", 6)
    twin = tiny_model.build(tmp_path / "twin", seed=2)
    shutil.copy(base / "luthier.json", twin / "luthier.json")
    asked: list[tuple[Path, Path, tuple[str, str]]] = [
        (base, probes, ("cpu", "float32")), (twin, probes, ("cpu", "float32")), (base, more, ("cpu", "float32")),
        (base, probes, ("cpu", "bfloat16")),
    ]  # fmt: skip
    assert len({cache_key(*one) for one in asked}) == 4
    assert cache_key(*asked[0]) == cache_key(*asked[0])


class Impatient(Recorder):
    """A child that is told to stop once a part is under way."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part, self._passes = part, 0

    @property
    def stopping(self) -> bool:
        begun = [p.stem for p in self.folder.glob("arms/*.json")]
        order = list(evaluate_arms.PARTS)
        self._passes += set(order[: order.index(self._part)]) <= set(begun)
        return self._passes > 2

    folder: Path


def test_a_stop_among_the_probes_repeats_no_finished_part(
    base: Path, adapter: Path, data: Data, tmp_path: Path
) -> None:
    """Stopped while the tuned model answers probes, the same command keeps every other part and ends with all."""
    out = tmp_path / "out"
    document = evaluation(base, adapter, data, out, probes=str(probe_file(tmp_path / "probes.jsonl")))
    child = Impatient("probes_tuned")
    child.folder = out
    with pytest.raises(StopRequested):
        evaluate_arms.main(child, document)
    kept = {path.stem: path.stat().st_mtime_ns for path in (out / "arms").glob("*.json")}
    assert set(kept) == set(evaluate_arms.PARTS) - {"probes_tuned"}
    assert not (out / "predictions.jsonl").exists()
    events = here(evaluate_arms.main, document)
    assert {name: (out / "arms" / f"{name}.json").stat().st_mtime_ns for name in kept} == kept
    assert [e["step"] for e in events if e["event"] == "progress"][-1] == events[-2]["steps"]
    assert {e["arm"] for e in events if e["event"] == "progress"} == {"probes_tuned"}
    assert len(lines(out / "probes.jsonl")) == 10


def test_losses_on_the_expected_replies_stand_beside_the_answers(
    base: Path, adapter: Path, data: Data, tmp_path: Path
) -> None:
    """Base and tuned model each have a mean loss per target token, which is that of their rows."""
    here(evaluate_arms.main, evaluation(base, adapter, data, tmp_path / "out", arms=["base_plain", "tuned"]))
    arms, found = notes(tmp_path / "out")["arms"], lines(tmp_path / "out" / "predictions.jsonl")
    for arm in ("base_plain", "tuned"):
        each = [p["target_loss"] for p in found if p["arm"] == arm]
        assert arms[arm]["target_loss"] == pytest.approx(sum(each) / 4, abs=1e-4)  # all targets have 8 tokens
        assert arms[arm]["target_tokens"] == 32
    assert arms["tuned"]["target_loss"] != arms["base_plain"]["target_loss"]


@pytest.mark.parametrize(("replies", "most", "limit"), [(["billing"], 512, 14), (["x"], 512, 12), (["y" * 99], 60, 60)])
def test_answers_may_be_a_quarter_longer_than_the_training_replies(
    base: Path, replies: list[str], most: int, limit: int
) -> None:
    """The limit of new tokens follows the longest reply, from 12 up to what the run file allows."""
    from transformers import AutoTokenizer

    from trainers.scripts.chat import reply_limit

    assert reply_limit(AutoTokenizer.from_pretrained(base), replies, most) == limit


def json_rows(count: int, shift: int = 0) -> list[dict[str, Any]]:
    made = []
    for i in range(shift, shift + count):
        reply = json.dumps({"item": f"part {i}", "count": i, "where": {"shelf": "north"}})
        said = [{"role": "user", "content": f"order {i}"}, {"role": "assistant", "content": reply}]
        made.append({"messages": said})
    return made


def test_json_is_asked_for_by_its_keys_and_given_room(base: Path, tmp_path: Path) -> None:
    """Without labels the limit follows the targets, the form is told, and what was cut off is counted."""
    data = write_rows(tmp_path / "a.jsonl", json_rows(6)), write_rows(tmp_path / "b.jsonl", json_rows(3, 50))
    document = evaluation(base, tmp_path, data, tmp_path / "out", labels=None) | {"adapter": None}
    here(evaluate_arms.main, {key: value for key, value in document.items() if key != "max_new_tokens"})
    told = notes(tmp_path / "out")
    assert told["form"] == "json"
    assert list(told["arms"]) == ["base_plain", "base_few_shot"]
    few = told["arms"]["base_few_shot"]
    longest = len(json_rows(1)[0]["messages"][-1]["content"]) + 1
    assert few["max_new_tokens"] == int(longest * 1.25) + 4
    assert sum(not p["finished"] for p in lines(tmp_path / "out" / "predictions.jsonl")) == sum(
        arm["cut"] for arm in told["arms"].values()
    )
    assert len(few["candidates"]) == 6


def test_rows_and_examples_that_exceed_the_context_are_said_and_counted(
    base: Path, adapter: Path, data: Data, tmp_path: Path
) -> None:
    """A row that does not fit gets an empty answer and a note, prompts lose examples, hopeless candidates go."""
    small = tmp_path / "small"
    shutil.copytree(base, small)
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 400}))
    long = rows(5, shift=100)
    long[2]["messages"][1]["content"] = "long " * 100
    test = write_rows(tmp_path / "long.jsonl", long)
    here(evaluate_arms.main, evaluation(small, adapter, (data[0], test), tmp_path / "out"))
    arms, found = notes(tmp_path / "out")["arms"], lines(tmp_path / "out" / "predictions.jsonl")
    for arm in ("base_plain", "base_few_shot", "tuned"):
        assert arms[arm]["too_long"] == 1
        (row,) = [p for p in found if p["arm"] == arm and p.get("note") == "too_long"]
        assert (row["row"], row["output"], row["correct"], row["finished"]) == (2, "", False, False)
    assert arms["base_plain"]["target_tokens"] == 32  # of the four rows that fit
    few = arms["base_few_shot"]
    assert {"asked", "why"} == set(few["dropped"][0])
    assert len(few["dropped"]) + len(few["candidates"]) == 8
    assert all(p["prompt_tokens"] + 10 <= 400 for p in found if p["arm"] == "base_few_shot" and p["row"] != 2)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("labels", [LABELS, None])
def test_a_handful_of_training_rows_is_enough_to_go_on(
    base: Path, data: Data, tmp_path: Path, count: int, labels: list[str] | None
) -> None:
    """With one to three rows there are fewer prompts to choose from, and the linear rival guesses what it can."""
    train = write_rows(tmp_path / "few.jsonl", rows(count))
    document = evaluation(base, tmp_path, (train, data[1]), tmp_path / "out", labels=labels) | {"adapter": None}
    here(evaluate_arms.main, document)
    few = notes(tmp_path / "out")["arms"]["base_few_shot"]
    assert few["candidates"][-1]["rows"] <= count
    assert all("8" not in tried["asked"] for tried in few["candidates"])


def damage(adapter: Path, folder: Path, change: Callable[[Any], Any]) -> Path:
    """Copy an adapter with its tensors changed."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(adapter, folder)
    path = folder / "adapter_model.safetensors"
    save_file({key: change(value) for key, value in load_file(path).items()}, path)
    return folder


def test_a_diverged_adapter_is_said_in_words(base: Path, adapter: Path, data: Data, tmp_path: Path) -> None:
    """An adapter of NaN ends the evaluation with what happened, not with answers."""
    broken = damage(adapter, tmp_path / "broken", lambda value: value * float("nan"))
    with pytest.raises(ScriptError, match="not numbers"):
        here(evaluate_arms.main, evaluation(base, broken, data, tmp_path / "out", arms=["tuned"]))


def test_an_adapter_for_another_base_is_said_in_words(base: Path, adapter: Path, data: Data, tmp_path: Path) -> None:
    """Other shapes, modules that the base lacks, and no adapter at all are refused."""
    strange = tmp_path / "strange"
    shutil.copytree(adapter, strange)
    config = json.loads((strange / "adapter_config.json").read_text())
    (strange / "adapter_config.json").write_text(json.dumps(config | {"target_modules": ["c_attn"]}))
    narrow = damage(adapter, tmp_path / "narrow", lambda value: value[:, :1] if value.shape[0] > 2 else value[:1])
    for name, folder in {"strange": strange, "narrow": narrow}.items():
        with pytest.raises(ScriptError, match="does not fit"):
            here(evaluate_arms.main, evaluation(base, folder, data, tmp_path / f"out-{name}", arms=["tuned"]))
    with pytest.raises(ScriptError, match="no adapter"):
        here(evaluate_arms.main, evaluation(base, tmp_path, data, tmp_path / "out", arms=["tuned"]))


def test_no_rows_to_test_on_is_said_in_words(base: Path, data: Data, tmp_path: Path) -> None:
    """An empty test file is refused before the model is loaded."""
    (tmp_path / "none.jsonl").write_text("\n")
    with pytest.raises(ScriptError, match="holds no rows"):
        here(evaluate_arms.main, evaluation(base, tmp_path, (data[0], tmp_path / "none.jsonl"), tmp_path / "out"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{secret", "line 6: not a probe"),
        ('{"id": "a", "suite": "general", "messages": [], "max_new_tokens": 3}', "line 6: the last message"),
        ('{"id": "a", "messages": [{"role": "user", "content": "secret"}], "max_new_tokens": 0}', "max_new_tokens"),
        ('{"id": "a", "messages": [{"role": "tool", "content": "secret"}], "max_new_tokens": 5}', "wrong role"),
        ('{"id": "p0", "messages": [{"role": "user", "content": "secret"}], "max_new_tokens": 5}', "occurs twice"),
    ],
)
def test_bad_probes_are_named_by_line_and_not_quoted(tmp_path: Path, line: str, words: str) -> None:
    """A damaged probe file is refused with the line's number and the reason."""
    from trainers.scripts.probes import read_probes

    path = probe_file(tmp_path / "probes.jsonl")
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ScriptError, match=words) as caught:
        read_probes(path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("output", "expected", "form", "score"),
    [
        ("billing\nmore", "billing", "labels", 1),
        ("bill", "billing", "labels", 0),
        ('```json\n{"a": {"b": 1}, "c": [1, 2]}\n```', '{"c": [2, 1], "a": {"b": 1}}', "json", 1),
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 3}', "json", 0.5),
        ("{" * 3000, '{"a": 1}', "json", 0),
        ("[" * 100_000, '{"a": 1}', "json", 0),
        ("none", '{"a": 1}', "json", 0),
        ("{}", "{}", "json", 1),
        ("Thank you.", "thank you", "text", 1),
        ("", "thank you", "text", 0),
        ("zzz", "thank you", "text", 0),
    ],
)
def test_closeness_suits_the_form_of_the_answer(output: str, expected: str, form: Any, score: float) -> None:
    """Labels are right or wrong, JSON counts fields after parsing, free text counts character runs."""
    from trainers.scripts.marking import closeness

    assert closeness(output, expected, form) == score


def test_closeness_of_free_text_is_chrf() -> None:
    """By hand: "abcd" beside "abcx" shares 3 of 4, 2 of 3, 1 of 2 and 0 of 1 runs, the same both ways."""
    from trainers.scripts.marking import chrf, closeness

    assert chrf("ab cd", "abc x") == pytest.approx((3 / 4 + 2 / 3 + 1 / 2 + 0) / 4)
    close, far = (closeness(said, "We will send it on Monday.", "text") for said in ("We send it Monday.", "No idea."))
    assert 1 > close > 0.4 > far


def test_the_form_is_told_from_training_replies_alone() -> None:
    """Labels are listed, JSON's keys named, free text bounded by the longest reply."""
    from trainers.scripts.prompting import form_in_words

    assert form_in_words(["a"], ["a", "b"]).endswith(": a, b.")
    assert form_in_words(['{"x": 1}', '{"y": 2, "x": 3}'], None).endswith("Its keys: x, y.")
    assert "JSON alone" in form_in_words(["[1]"], None)
    assert "at most 3 words" in form_in_words(["one two three", "one"], None)


def test_signs_alone_can_be_compared_and_sorted() -> None:
    """Rows without a single word neither stop the search for similar examples nor the linear rival."""
    from trainers.scripts.linear import guess
    from trainers.scripts.prompting import Candidate, Examples

    said = ["🙂 !", "?? ?", "🙂 🙂", "? 5"]
    made = [[{"role": "user", "content": s}, {"role": "assistant", "content": "ab"[i % 2]}] for i, s in enumerate(said)]
    assert Examples(made, ["a", "b"], 1).prompt(Candidate("similar", 1, "turns", told=False), made[0])
    assert set(guess(said, list("abab"), ["🙂"])[0]) <= {"a", "b"}
    assert guess(said, list("aaaa"), ["x"])[0] == ["a"]
    assert guess(said[:3], list("aab"), ["x"])[1]["C"] == [10.0]
