"""Lets each arm answer the same held-out rows; it counts what is right and leaves statistics and verdicts to others.

Run as ``python -m trainers.scripts.evaluate_arms RUN.json``. Keys: ``base`` (folder), ``adapter`` (folder or null),
``train``, ``test`` (JSONL), ``out`` (folder), ``labels`` (list for a closed label set, or null), ``seed``, ``threads``;
optional ``arms`` (all that make sense, if left out), ``precision``, ``probes`` (JSONL, see ``probes``), ``probe_cache``
(folder), ``max_new_tokens`` (chosen from the training replies, if left out), ``max_new_tokens_limit``, ``earlier``
(folders of evaluations whose arms without an adapter are taken over where all else is the same). The arms:

- ``base_plain``: the base model with the rows' own system prompt and input.
- ``base_few_shot``: the base model and the best prompt, chosen on training rows (see ``prompting``).
- ``tfidf``: TF-IDF and logistic regression on the training rows; closed label sets only.
- ``tuned``: the base model with the adapter, asked as in training.

Decoding is greedy. A finished part is kept in ``out/arms/`` and not repeated by the same command. At the end
``out/predictions.jsonl`` holds every answer as it was written, ``out/arms.json`` how each arm was asked and its loss on
the expected replies, ``out/probes.jsonl`` what base and tuned model said to the probes.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trainers.scripts.child import Child, ScriptError, only_one, publish_text, run
from trainers.scripts.gpu import hold_gpu
from trainers.scripts.local_model import Runtime, choose_runtime, context_tokens, peak_memory_mib

from trainers.scripts import linear, probes, prompting  # isort: skip
from trainers.scripts.asking import Models, Written, counts  # isort: skip
from trainers.scripts.chat import prompt_ids, read_rows, reply_limit, sha256  # isort: skip
from trainers.scripts.marking import closeness, form_of, is_right, normalise, only_label  # isort: skip
from trainers.scripts.progress import Progress  # isort: skip

USAGE = "Run: python -m trainers.scripts.evaluate_arms RUN.json"
ARMS = ("base_plain", "base_few_shot", "tfidf", "tuned")
PARTS = ("base_plain", "base_few_shot", "tfidf", "probes_base", "tuned", "probes_tuned")
"""Everything that is done, in this order: the base's parts come before the adapter touches the model."""
KEPT = " (answers of an earlier evaluation of the same rows)"
"""Follows how an arm was asked where its answers were taken over."""
CHECKED = 4
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
    max_new_tokens: int | None = None
    max_new_tokens_limit: int = 512
    arms: Sequence[str] = ()
    precision: str = "auto"
    probes: Path | None = None
    probe_cache: Path | None = None
    earlier: Sequence[Path] = ()

    def parts(self) -> list[str]:
        """Return what there is to do, in order."""
        asked = ["probes_base", *(["probes_tuned"] if self.adapter else [])] if self.probes else []
        return [part for part in PARTS if part in {*self.arms, *asked}]


Part = tuple[list[dict[str, Any]], dict[str, Any]]
"""Lines and notes of a part."""


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
    given = ("adapter", "probes", "probe_cache")
    optional = {key: Path(document[key]) if document.get(key) else None for key in given}
    plan = Plan(**{**document, **paths, **optional, "earlier": list(map(Path, document.get("earlier", ())))})
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
        """Read the rows; the model is loaded when the first part needs it."""
        self.child, self.plan = child, plan
        self.train, self.test = read_rows(plan.train), read_rows(plan.test)
        self.probes = probes.read_probes(plan.probes) if plan.probes else []
        self.form = form_of(list(map(prompting.answer, self.train)), plan.labels)
        self.runtime = choose_runtime(plan.precision, plan.threads)
        hold_gpu(self.runtime.device, child, "evaluating")
        self.recipe = _recipe(plan, self.runtime)
        self.progress = Progress(child, self._planned())
        self.models = Models(plan.base, plan.adapter, self.runtime, add=self.progress.add, check=child.check)

    def run(self) -> None:
        """Do each part in turn, then publish."""
        (self.plan.out / "arms").mkdir(exist_ok=True)
        for part in self.plan.parts():
            if self._finished(part) is None:
                self.progress.begin(part)
                whole = self._taken_over(part) or self._done(part)
                publish_text(self._place(part), json.dumps(whole, ensure_ascii=False))
            self.progress.finish(part)
        self._publish()

    def _done(self, part: str) -> dict[str, Any]:
        started = time.monotonic()
        lines, notes = self._probed(part) if part.startswith("probes") else self._arm(part)
        notes |= {"seconds": round(time.monotonic() - started, 2), "peak_memory_mib": peak_memory_mib()}
        return {"recipe": self.recipe[part], "notes": notes, "rows": lines}

    def _taken_over(self, part: str) -> dict[str, Any] | None:
        """Return an arm as an earlier evaluation left it; what has to do with the adapter is always asked anew."""
        if part not in ("base_plain", "base_few_shot", "tfidf"):
            return None
        for folder in self.plan.earlier:
            try:
                kept: dict[str, Any] = json.loads((folder / "arms" / f"{part}.json").read_text(encoding="utf-8"))
                if kept["recipe"] == self.recipe[part] and len(kept["rows"]) == len(self.test):
                    asked = f"{kept['notes'].get('asked', '').removesuffix(KEPT)}{KEPT}"
                    return {**kept, "notes": {**kept["notes"], "asked": asked, "taken_over": True}}
            except (OSError, ValueError, KeyError, TypeError):
                continue  # gone or damaged: it is asked anew
        return None

    def _arm(self, arm: str) -> Part:
        answer: Callable[[], tuple[list[Written], dict[str, Any]]] = getattr(self, f"_{arm}")
        written, notes = answer()
        expected = list(map(prompting.answer, self.test))
        lines = [
            {
                "arm": arm,
                "row": number,
                "expected": wanted,
                "correct": is_right(one.output, wanted, self.plan.labels),
                **one.facts(),
            }
            for number, (one, wanted) in enumerate(zip(written, expected, strict=True))
        ]
        notes |= {"correct": sum(line["correct"] for line in lines), "rows": len(lines), **counts(written)}
        if self.plan.labels:
            lenient = [only_label(line["output"], self.plan.labels) == normalise(line["expected"]) for line in lines]
            notes["names_one_right_label"] = sum(lenient)
        if arm != "tfidf":
            notes["max_new_tokens"] = self._limit()
        for line, loss in zip(lines, notes.pop("losses", []), strict=False):
            line["target_loss"] = loss
        return lines, notes

    def _base_plain(self) -> tuple[list[Written], dict[str, Any]]:
        prompts = [row[:-1] for row in self.test]
        notes = {"asked": "the rows' own system prompt and input", "prompt": prompts[0]}
        model, _ = self.models.base()
        return self.models.answer(model, prompts, self._limit()), notes | self.models.losses(model, self.test)

    def _base_few_shot(self) -> tuple[list[Written], dict[str, Any]]:
        examples = prompting.Examples(self.train, self.plan.labels, self.plan.seed)
        model, tokenizer = self.models.base()
        limit, context = self._limit(), context_tokens(model) or math.inf

        def fits(prompt: prompting.Row) -> bool:
            return len(prompt_ids(tokenizer, prompt)) + limit <= context

        def score(prompts: list[prompting.Row], rows: list[prompting.Row]) -> list[float]:
            both = zip(self.models.answer(model, prompts, limit), rows, strict=True)
            return [closeness(one.output, prompting.answer(row), self.form) for one, row in both]

        choice = prompting.choose(examples, score, fits)
        chosen = choice.trials[0].candidate
        asked = [examples.fitted(chosen, row, fits) for row in self.test]
        notes = {
            "asked": chosen.words(),
            "prompt": asked[0].messages,
            "candidates": [
                {"asked": t.candidate.words(), "score": round(t.score, 4), "rows": t.rows} for t in choice.trials
            ],
            "dropped": [{"asked": words, "why": why} for words, why in choice.dropped.items()],
            "prompts_with_fewer_examples": sum(a.left_out > 0 for a in asked),
        }
        return self.models.answer(model, [a.messages for a in asked], limit), notes

    def _tfidf(self) -> tuple[list[Written], dict[str, Any]]:
        texts, answers = list(map(prompting.question, self.train)), list(map(prompting.answer, self.train))
        started = time.perf_counter()
        guesses, notes = linear.guess(texts, answers, list(map(prompting.question, self.test)))
        each = (time.perf_counter() - started) * 1000 / len(self.test)
        self.progress.add(len(self.test))
        return [Written(guess, each) for guess in guesses], notes

    def _tuned(self) -> tuple[list[Written], dict[str, Any]]:
        model, (_, tokenizer) = self.models.tuned(), self.models.base()
        prompts = [row[:-1] for row in self.test]
        context = context_tokens(model) or math.inf
        checked = [ids for ids in (prompt_ids(tokenizer, prompt) for prompt in prompts) if len(ids) <= context]
        change = self.models.largest_change(model, checked[:CHECKED])
        if checked and not change > 0:
            raise ScriptError("The adapter changes nothing: the tuned model is the base model.", "Train again.")
        notes = {"asked": "as in training", "prompt": prompts[0], "max_logit_change": round(change, 4)}
        return self.models.answer(model, prompts, self._limit()), notes | self.models.losses(model, self.test)

    def _probed(self, part: str) -> Part:
        """Let the base (unless its answers are kept from an earlier evaluation) or the tuned model answer."""
        base = part == "probes_base"
        key = ""
        if base and self.plan.probe_cache and self.plan.probes:
            key = probes.cache_key(self.plan.base, self.plan.probes, self.runtime)
            kept = probes.read_cached(self.plan.probe_cache, key, self.probes)
            if kept is not None:
                return kept, {"rows": len(kept), "cached": True}
        model = self.models.base()[0] if base else self.models.tuned()
        limits = [probe.max_new_tokens for probe in self.probes]
        written = self.models.answer(model, [probe.messages for probe in self.probes], limits)
        lines = [
            {"arm": "base" if base else "tuned", "id": probe.id, **one.facts()}
            for probe, one in zip(self.probes, written, strict=True)
        ]
        if key:
            probes.keep_cached(self.plan.probe_cache, key, lines)
        return lines, {"rows": len(lines), "cached": False, **counts(written)}

    def _limit(self) -> int:
        if self.plan.max_new_tokens:
            return self.plan.max_new_tokens
        replies = list(map(prompting.answer, self.train))
        tokenizer = self.models.base()[1]
        return reply_limit(tokenizer, [*replies, *(self.plan.labels or [])], self.plan.max_new_tokens_limit)

    def _planned(self) -> dict[str, int]:
        planned = {part: len(self.probes if part.startswith("probes") else self.test) for part in self.plan.parts()}
        if "base_few_shot" in planned:
            planned["base_few_shot"] += prompting.planned_answers(len(self.train), closed=bool(self.plan.labels))
        return planned

    def _place(self, part: str) -> Path:
        return self.plan.out / "arms" / f"{part}.json"

    def _finished(self, part: str) -> dict[str, Any] | None:
        if not self._place(part).is_file():
            return None
        kept: dict[str, Any] = json.loads(self._place(part).read_text(encoding="utf-8"))
        if kept["recipe"] != self.recipe[part]:
            raise ScriptError("The folder holds another evaluation.", "Give the evaluation an empty folder.")
        return kept

    def _publish(self) -> None:
        kept = {part: self._finished(part) or {} for part in self.plan.parts()}
        arms = [part for part in kept if part in ARMS]
        asked = [part for part in kept if part not in ARMS]
        publish_text(self.plan.out / "predictions.jsonl", probes.in_lines([r for a in arms for r in kept[a]["rows"]]))
        if asked:
            publish_text(self.plan.out / "probes.jsonl", probes.in_lines([r for p in asked for r in kept[p]["rows"]]))
        notes = {arm: kept[arm]["notes"] for arm in arms}
        summary = {
            "arms": notes,
            "probes": {part.removeprefix("probes_"): kept[part]["notes"] for part in asked},
            "precision": self.runtime.precision,
            "device": self.runtime.device,
            "form": self.form,
        }
        publish_text(self.plan.out / "arms.json", json.dumps(summary, ensure_ascii=False, indent=1))
        correct = {arm: notes[arm]["correct"] for arm in arms}
        seconds = round(sum(part["notes"]["seconds"] for part in kept.values()), 1)
        self.child.emit("done", phase="evaluating", correct=correct, rows=len(self.test), seconds=seconds)


def _recipe(plan: Plan, runtime: Runtime) -> dict[str, dict[str, Any]]:
    """Return what each part's answers depend on, so that a kept part is never mistaken for another's."""
    common: dict[str, Any] = {"precision": runtime.precision, "base": plan.base.name}
    rows = {"train": sha256(plan.train), "test": sha256(plan.test), "labels": plan.labels, "seed": plan.seed}
    rows |= {"max_new_tokens": plan.max_new_tokens or f"at most {plan.max_new_tokens_limit}"}
    asked = {"probes": sha256(plan.probes)} if plan.probes else {}
    recipe = {part: common | (asked if part.startswith("probes") else rows) for part in plan.parts()}
    if plan.adapter and {"tuned", "probes_tuned"} & set(recipe):
        adapter = plan.adapter / "adapter_model.safetensors"
        if not adapter.is_file():
            raise ScriptError("There is no adapter in the folder that was named.", "Train again, or name its folder.")
        for part in {"tuned", "probes_tuned"} & set(recipe):
            recipe[part]["adapter"] = sha256(adapter)
    return recipe


if __name__ == "__main__":
    run(main, USAGE)
