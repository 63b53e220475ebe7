"""Lets each arm answer the same held-out rows; it counts what is right and leaves statistics and verdicts to others.

Run as ``python -m trainers.scripts.evaluate_arms RUN.json``. Keys: ``base`` (folder), ``adapter`` (folder or null),
``train``, ``test`` (JSONL), ``out`` (folder), ``labels`` (list for a closed label set, or null), ``seed``, ``threads``,
``max_new_tokens``; optional ``arms`` (all that make sense, if left out) and ``precision``. The arms:

- ``base_plain``: the base model with the rows' own system prompt and input.
- ``base_few_shot``: the base model and the best prompt with examples, chosen on training rows (see ``prompting``).
- ``tfidf``: TF-IDF and logistic regression on the training rows; closed label sets only.
- ``tuned``: the base model with the adapter, asked as in training.

Decoding is greedy. A finished arm is kept in ``out/arms/`` and not repeated by the same command. At the end
``out/predictions.jsonl`` holds every answer as it was written and ``out/arms.json`` how each arm was asked.
"""

import json
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trainers.scripts.child import Child, ScriptError, only_one, publish_text, run
from trainers.scripts.gpu import hold_gpu
from trainers.scripts.local_model import Runtime, choose_runtime, greedy, load_base, peak_memory_mib

from trainers.scripts import prompting  # isort: skip
from trainers.scripts.chat import prompt_ids, read_rows, sha256, stop_ids  # isort: skip

USAGE = "Run: python -m trainers.scripts.evaluate_arms RUN.json"
ARMS = ("base_plain", "base_few_shot", "tfidf", "tuned")
FEW_SHOT_WEIGHT = 5.0
"""A few-shot answer takes about this many times a plain one (measured on the ticket rows); for the time left only."""
STRENGTHS = [0.3, 1.0, 3.0, 10.0, 30.0, 100.0]
"""Inverse regularisation of the TF-IDF arm, chosen by cross-validation on the training rows."""
PROBES = 4
"""Test rows on which the tuned model's logits are compared with the base's, as proof that the adapter is in use."""


class Plan(NamedTuple):
    """RUN.json, checked."""

    base: Path
    adapter: Path | None
    train: Path
    test: Path
    out: Path
    labels: list[str] | None
    seed: int
    threads: int
    max_new_tokens: int
    arms: Sequence[str] = ()
    precision: str = "auto"


class Written(NamedTuple):
    """One answer."""

    output: str
    """What the arm wrote, untouched."""
    milliseconds: float
    """Wall time of the batch that it was in, divided by the rows in it."""


def main(child: Child, document: dict[str, Any]) -> None:
    """Let every arm that has not finished answer, then publish."""
    plan = read_plan(document)
    with only_one(plan.out):
        Evaluation(child, plan).run()


def read_plan(document: dict[str, Any]) -> Plan:
    """Check the keys of RUN.json."""
    missing = [key for key in Plan._fields if key not in document and key not in Plan._field_defaults]
    unknown = sorted(set(document) - set(Plan._fields))
    if missing or unknown:
        raise ScriptError(f"RUN.json: missing keys {missing}, unknown keys {unknown}.", "Write the run file again.")
    paths = {key: Path(document[key]) for key in ("base", "train", "test", "out")}
    plan = Plan(**{**document, **paths, "adapter": Path(document["adapter"]) if document["adapter"] else None})
    if not plan.arms:
        unfit = {arm for arm, fits in (("tuned", plan.adapter), ("tfidf", plan.labels)) if not fits}
        plan = plan._replace(arms=[arm for arm in ARMS if arm not in unfit])
    if set(plan.arms) - set(ARMS):
        raise ScriptError(f"RUN.json: arms must be some of {', '.join(ARMS)}.", "Write the run file again.")
    if "tuned" in plan.arms and not plan.adapter:
        raise ScriptError("The tuned arm has no adapter.", "Name the adapter's folder, or leave the arm out.")
    if "tfidf" in plan.arms and not plan.labels:
        raise ScriptError("TF-IDF needs a closed set of labels.", "Name the labels, or leave the arm out.")
    return plan


class Evaluation:
    """All arms on one set of held-out rows."""

    def __init__(self, child: Child, plan: Plan) -> None:
        """Read the rows; the model is loaded when the first arm needs it."""
        self.child, self.plan = child, plan
        self.train, self.test = read_rows(plan.train), read_rows(plan.test)
        self.runtime = choose_runtime(plan.precision, plan.threads)
        hold_gpu(self.runtime.device, child, "evaluating")
        self.recipe = _recipe(plan, self.runtime)
        self.progress = Progress(child, plan, len(self.train), len(self.test))
        self.seconds: dict[str, float] = {}
        self._loaded: tuple[Any, Any] | None = None

    def run(self) -> None:
        """Answer with each arm in turn; the base's arms come before the adapter touches the model."""
        for arm in sorted(self.plan.arms, key=ARMS.index):
            if self._finished(arm) is None:
                self.progress.begin(arm)
                started = time.monotonic()
                written, notes = getattr(self, f"_{arm}")()
                self._keep(arm, written, {**notes, "seconds": round(time.monotonic() - started, 2)})
            self.progress.finish(arm)
        self._publish()

    def _base_plain(self) -> tuple[list[Written], dict[str, Any]]:
        prompts = [row[:-1] for row in self.test]
        return self._answer(prompts), {"asked": "the rows' own system prompt and input", "prompt": prompts[0]}

    def _base_few_shot(self) -> tuple[list[Written], dict[str, Any]]:
        examples = prompting.Examples(self.train, self.plan.labels, self.plan.seed)

        def score(prompts: list[prompting.Row], rows: list[prompting.Row]) -> list[float]:
            written = self._answer(prompts)
            both = zip(written, rows, strict=True)
            return [closeness(w.output, prompting.answer(row), self.plan.labels) for w, row in both]

        trials = prompting.choose(examples, score, self.plan.seed)
        chosen = trials[0].candidate
        prompts = [examples.prompt(chosen, row) for row in self.test]
        notes = {
            "asked": chosen.words(),
            "prompt": prompts[0],
            "candidates": [{"asked": t.candidate.words(), "score": round(t.score, 4), "rows": t.rows} for t in trials],
        }
        return self._answer(prompts), notes

    def _tfidf(self) -> tuple[list[Written], dict[str, Any]]:
        from sklearn.linear_model import LogisticRegressionCV
        from sklearn.pipeline import make_pipeline

        texts, answers = map(prompting.question, self.train), list(map(prompting.answer, self.train))
        folds = min(5, *Counter(answers).values())
        if folds < 2:
            raise ScriptError("A label has only one training row.", "Add rows for it, or leave the TF-IDF arm out.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # solver chatter; the choice of C is recorded
            grid = LogisticRegressionCV(Cs=STRENGTHS, cv=folds, max_iter=1000, scoring="accuracy")
            model = make_pipeline(prompting.text_vectors(), grid).fit(list(texts), answers)
        started = time.perf_counter()
        guesses = model.predict([prompting.question(row) for row in self.test])
        each = (time.perf_counter() - started) * 1000 / len(self.test)
        notes = {"asked": "word pairs and character runs, logistic regression", "C": [float(c) for c in set(grid.C_)]}
        self.progress.add(len(self.test))
        return [Written(str(guess), each) for guess in guesses], notes

    def _tuned(self) -> tuple[list[Written], dict[str, Any]]:
        from peft import PeftModel

        base, tokenizer = self._model()
        adapter = self.plan.adapter or Path()  # read_plan refuses a tuned arm without one
        model = PeftModel.from_pretrained(base, adapter, local_files_only=True).eval()
        prompts = [row[:-1] for row in self.test]
        change = _largest_change(model, self.runtime, [prompt_ids(tokenizer, p) for p in prompts[:PROBES]])
        if not change > 0:
            raise ScriptError("The adapter changes nothing: the tuned model is the base model.", "Train again.")
        self._loaded = (model, tokenizer)
        notes = {"asked": "as in training", "prompt": prompts[0], "max_logit_change": round(change, 4)}
        return self._answer(prompts), notes

    def _answer(self, prompts: Sequence[prompting.Row]) -> list[Written]:
        """Let the loaded model answer; a request to stop is heard between batches."""
        model, tokenizer = self._model()

        def on_batch(rows: int) -> None:
            self.progress.add(rows)
            self.child.check()

        ends = stop_ids(tokenizer, model)
        ids = [prompt_ids(tokenizer, prompt) for prompt in prompts]
        limit = self.plan.max_new_tokens
        answers = greedy(model, self.runtime, ids, ends=ends, max_new_tokens=limit, on_batch=on_batch)
        return [Written(tokenizer.decode(a.ids, skip_special_tokens=True), a.milliseconds) for a in answers]

    def _model(self) -> tuple[Any, Any]:
        if self._loaded is None:
            self._loaded = load_base(self.plan.base, self.runtime)
            self.child.check()
        return self._loaded

    def _finished(self, arm: str) -> dict[str, Any] | None:
        path = self.plan.out / "arms" / f"{arm}.json"
        if not path.is_file():
            return None
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if kept["recipe"] != self.recipe[arm]:
            raise ScriptError("The folder holds another evaluation.", "Give the evaluation an empty folder.")
        return kept

    def _keep(self, arm: str, written: Sequence[Written], notes: dict[str, Any]) -> None:
        labels = self.plan.labels
        rows = [
            {"arm": arm, "row": number, **_marked(one, prompting.answer(row), labels)}
            for number, (one, row) in enumerate(zip(written, self.test, strict=True))
        ]
        notes |= {
            "correct": sum(row["correct"] for row in rows),
            "rows": len(rows),
            "peak_memory_mib": peak_memory_mib(),
        }
        if labels:
            lenient = [_only_label(row["output"], labels) == normalise(row["expected"]) for row in rows]
            notes["names_one_right_label"] = sum(lenient)
        folder = self.plan.out / "arms"
        folder.mkdir(exist_ok=True)
        publish_text(folder / f"{arm}.json", json.dumps({"recipe": self.recipe[arm], "notes": notes, "rows": rows}))

    def _publish(self) -> None:
        kept = {arm: self._finished(arm) or {} for arm in sorted(self.plan.arms, key=ARMS.index)}
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for arm in kept for row in kept[arm]["rows"]]
        publish_text(self.plan.out / "predictions.jsonl", "".join(lines))
        notes = {arm: kept[arm]["notes"] for arm in kept}
        summary = {"arms": notes, "precision": self.runtime.precision, "device": self.runtime.device}
        publish_text(self.plan.out / "arms.json", json.dumps(summary, ensure_ascii=False, indent=1))
        correct = {arm: notes[arm]["correct"] for arm in kept}
        seconds = round(sum(notes[arm]["seconds"] for arm in kept), 1)
        self.child.emit("done", phase="evaluating", correct=correct, rows=len(self.test), seconds=seconds)


class Progress:
    """How many answers are written, over all arms, and how long the rest will take."""

    def __init__(self, child: Child, plan: Plan, train_rows: int, test_rows: int) -> None:
        """Count the answers to come."""
        self._child = child
        self._planned = dict.fromkeys(plan.arms, test_rows)
        if "base_few_shot" in plan.arms:
            self._planned["base_few_shot"] += prompting.planned_answers(train_rows, closed=plan.labels is not None)
        self._done = dict.fromkeys(plan.arms, 0)
        self._arm, self._started, self._work, self._seconds = "", time.monotonic(), 0.0, 0.0

    def begin(self, arm: str) -> None:
        """Start an arm."""
        self._arm, self._started = arm, time.monotonic()

    def finish(self, arm: str) -> None:
        """Count an arm as done, whether it was answered now or before."""
        self._done[arm] = self._planned[arm]

    def add(self, rows: int) -> None:
        """Count answers and tell the parent."""
        arm, now = self._arm, time.monotonic()
        self._done[arm] += rows
        self._seconds += now - self._started
        self._started = now
        self._work += rows * _weight(arm)
        left = sum((self._planned[a] - self._done[a]) * _weight(a) for a in self._planned)
        self._child.emit(
            "progress",
            phase="evaluating",
            step=sum(self._done.values()),
            steps=sum(self._planned.values()),
            arm=arm,
            rows_per_second=round(rows / max(1e-9, self._seconds / self._work * rows * _weight(arm)), 2),
            seconds_left=round(left * self._seconds / self._work, 1),
        )


def normalise(text: str) -> str:
    """Return an answer as it is compared: no outer space, quotes or final punctuation, no case.

    >>> normalise(' "Billing". ')
    'billing'
    """
    return text.strip().strip("\"'`*_ \n").rstrip(".,;:! \"'`*_").casefold()


def is_right(output: str, expected: str, labels: Sequence[str] | None) -> bool:
    """Return whether an answer counts; where labels are closed, only its first line does."""
    lines = output.strip().splitlines() if labels else [output]
    return bool(lines) and normalise(lines[0]) == normalise(expected)


def closeness(output: str, expected: str, labels: Sequence[str] | None) -> float:
    """Return 1 for a right answer, else (open answers only) the share of words in common, for choosing a prompt."""
    if is_right(output, expected, labels):
        return 1.0
    if labels:
        return 0.0
    ours, theirs = Counter(normalise(output).split()), Counter(normalise(expected).split())
    return 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total())


def _marked(written: Written, expected: str, labels: Sequence[str] | None) -> dict[str, Any]:
    return {
        "output": written.output,
        "expected": expected,
        "correct": is_right(written.output, expected, labels),
        "milliseconds": round(written.milliseconds, 2),
    }


def _only_label(output: str, labels: Sequence[str]) -> str | None:
    """Return the label that the output names, if it names just one (a lenient reading, for information)."""
    named = [normalise(label) for label in labels if normalise(label) in output.casefold()]
    return named[0] if len(named) == 1 else None


def _largest_change(model: Any, runtime: Runtime, prompts: Sequence[Sequence[int]]) -> float:
    """Return the largest absolute difference that the adapter makes to a next-token logit."""
    import torch

    largest = 0.0
    for ids in prompts:
        tokens = torch.tensor([ids], device=runtime.device)
        with torch.inference_mode(), runtime.autocast():
            tuned = model(input_ids=tokens, logits_to_keep=1).logits.float()
            with model.disable_adapter():
                base = model(input_ids=tokens, logits_to_keep=1).logits.float()
        largest = max(largest, float((tuned - base).abs().max()))
    return largest


def _recipe(plan: Plan, runtime: Runtime) -> dict[str, dict[str, Any]]:
    """Return what each arm's answers depend on, so that a kept arm is never mistaken for another's."""
    files = {"train": sha256(plan.train), "test": sha256(plan.test)}
    common = {**files, "labels": plan.labels, "seed": plan.seed, "max_new_tokens": plan.max_new_tokens}
    common |= {"precision": runtime.precision, "base": plan.base.name}
    recipe = {arm: dict(common) for arm in plan.arms}
    if plan.adapter and "tuned" in recipe:
        recipe["tuned"]["adapter"] = sha256(plan.adapter / "adapter_model.safetensors")
    return recipe


def _weight(arm: str) -> float:
    return {"base_few_shot": FEW_SHOT_WEIGHT, "tfidf": 0.0}.get(arm, 1.0)


if __name__ == "__main__":
    run(main, USAGE)
