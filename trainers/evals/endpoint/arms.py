"""Knows how every arm answers over an endpoint and writes what the evaluation child writes; it judges no answer.

Rows are asked in pairs, tuned model first, in an order that no file has: money or patience that ends midway leaves rows
that both answered, and a file sorted by label does not decide which.
TF-IDF is no arm here: its training belongs to the child (`trainers.scripts.evaluate_arms`), which needs the weights.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from trainers.backends.base import Keeper
from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.evals.arms import Answered
from trainers.evals.endpoint.answering import Outcome, Standing, answer_over
from trainers.evals.endpoint.contest import Contest
from trainers.evals.endpoint.journal import Journal
from trainers.evals.endpoint.limits import Limits
from trainers.evals.endpoint.prompts import Turns
from trainers.evals.endpoint.spending import Meter
from trainers.evals.endpoint.wire import Endpoint, Question, Reply
from trainers.evals.metrics import Metric
from trainers.evals.predictions import PLAIN, RIVAL, TUNED
from trainers.evals.proof import named, same_model
from trainers.policy import dollars

SAID_EVERY = 1.0
"""Seconds between two progress messages."""


class Told(NamedTuple):
    """What came of a contest."""

    answered: Answered
    notices: tuple[str, ...]
    """Doubts for the report: whether the base answered, what is missing, what was cut off."""
    spent: Decimal
    """Dollars, with all that may have been paid."""
    lost: Mapping[int, str]
    """Lines of the test rows that are not compared, as the base's or the tuned model's answer was lost -> why."""
    answered_by: tuple[str, ...]
    """The model that each answer of the tuned arm and its probes names; "" where it names none."""


@dataclass(kw_only=True)
class Asking:
    """One contest over one endpoint, with what was answered before."""

    endpoint: Endpoint
    contest: Contest
    metric: Metric
    """Chooses among the base's prompts on training rows."""
    limits: Limits
    meter: Meter
    journal: Journal
    keeper: Keeper
    calls: int
    """Calls that were quoted, for the progress."""
    spent: str = "spent"
    """What the money is called that answers cost."""
    _done: int = 0
    _busy: int = 0
    _sent: int = 0
    _reused: int = 0
    _lost: int = 0
    _ended: str = ""
    _refused: frozenset[str] = frozenset()
    _missing: Mapping[str, str] = field(default_factory=dict)
    _said_at: float = 0.0
    _started: float = 0.0

    def all(self, folder: Path) -> Told:
        """Let every arm answer and write predictions.jsonl, arms.json and, with probes, probes.jsonl into `folder`.

        Raises Interrupted and LeaseLost as the keeper does, UserError and ServiceError as `answer_over`.
        """
        self._started = time.monotonic()
        contest = self.contest
        tuned, plain = contest.plain(contest.tuned), contest.plain(contest.base)
        self._ask([tuned[0], plain[0]])  # a wrong key or name is to cost two calls, not a choice of prompts
        trials = contest.prompts.choose(self._score)
        prompted = contest.prompts.turns_of_all([trials[0].way], contest.test)
        few = [self._few(turns, row) for row, (turns,) in zip(contest.test, prompted, strict=True)]
        rows = list(zip(tuned, few, strict=True))
        random.Random(contest.seed).shuffle(rows)  # noqa: S311  # an order, not a secret
        self._ask([question for both in rows for question in both])
        self._ask(plain)
        probed = [contest.probing(contest.base), contest.probing(contest.tuned)]
        self._ask([question for both in zip(*probed, strict=True) for question in both])
        asked = {PLAIN: plain, RIVAL: few, TUNED: tuned}
        says = {
            PLAIN: "the rows' own system prompt and input",
            RIVAL: contest.prompts.words(trials[0].way) + contest.prompts.drawn,
            TUNED: "as in training",
        }
        notes = {arm: self._notes(questions, says[arm]) for arm, questions in asked.items()}
        notes[RIVAL]["candidates"] = [
            {"asked": contest.prompts.words(t.way), "score": round(t.score, 4), "rows": t.rows} for t in trials
        ]
        return self._publish(folder, asked, notes, {"base": probed[0], "tuned": probed[1]})

    def _few(self, turns: Turns, row: Row) -> Question:
        """Ask the base with this prompt; searching thousands of rows may take longer than a lease."""
        self.keeper.keep()
        return self.contest.asks(self.contest.base, turns, row=row)

    def reply(self, question: Question) -> Reply | None:
        """Return what was answered, if anything was."""
        return self.journal.replies.get(question.key(self.endpoint.host))

    def is_lost(self, question: Question) -> bool:
        """Say whether transport, money or patience kept an answer away; one that is empty, or refused, was given."""
        key = question.key(self.endpoint.host)
        return key not in self.journal.replies and key not in self._refused

    def _replies(self, questions: Sequence[Question]) -> list[Reply]:
        return [reply for reply in map(self.reply, questions) if reply is not None]

    def _ask(self, questions: Sequence[Question]) -> None:
        if self._ended or not questions:
            return
        before = self._done
        outcome: Outcome = answer_over(
            self.endpoint,
            questions,
            limits=self.limits,
            meter=self.meter,
            journal=self.journal,
            hear=lambda standing: self._hear(standing, before),
            stop=self.keeper.keep,
        )
        self._refused |= outcome.refused
        self._missing = {**self._missing, **outcome.missing}
        self._done, self._ended = before + len(questions), outcome.ended
        self._busy, self._sent = self._busy + outcome.busy, self._sent + outcome.sent
        self._reused, self._lost = self._reused + outcome.reused, self._lost + outcome.lost

    def _score(self, asked: Sequence[tuple[Turns, Row]]) -> list[float | None]:
        questions = [self.contest.asks(self.contest.base, turns, row=row) for turns, row in asked]
        self._ask(questions)
        replies = [self.reply(question) for question in questions]
        return [
            None if reply is None else self.metric.mark(row, reply.output).score
            for reply, (_, row) in zip(replies, asked, strict=True)
        ]

    def _hear(self, standing: Standing, before: int) -> None:
        now = time.monotonic()
        if now - self._said_at < SAID_EVERY:
            return
        self._said_at, done = now, before + standing.done
        rate = max(0, done - self._reused) / max(now - self._started, 0.001)
        note = f"{dollars(standing.spent.quantize(Decimal('0.0001')))} of {dollars(self.meter.limit)} {self.spent}"
        if standing.waits > 2:
            note += f"; {self.endpoint.host} is busy, on in {standing.waits:.0f} s"
        left = max(standing.waits, (self.calls - done) / rate) if rate else None  # not over before it goes on
        numbers = {"step": done, "steps": max(self.calls, done), "rows_per_second": rate, "seconds_left": left}
        self.keeper.progress("evaluating", numbers | {"note": note})

    def _notes(self, questions: Sequence[Question], asked: str) -> dict[str, Any]:
        replies = self._replies(questions)
        return {
            "asked": asked,
            "prompt": [{"role": role, "content": content} for role, content in questions[0].messages],
            "model": questions[0].model,
            "answered_as": sorted({reply.model for reply in replies}),
            "rows": len(replies),
            "missing": len(questions) - len(replies),
            "cut": sum(reply.finish_reason == "length" for reply in replies),
            "max_new_tokens": questions[0].max_tokens,
        }

    def _publish(
        self,
        folder: Path,
        asked: Mapping[str, Sequence[Question]],
        notes: dict[str, dict[str, Any]],
        probed: Mapping[str, Sequence[Question]],
    ) -> Told:
        lines = [line for arm, questions in asked.items() for line in self._lines(arm, questions, notes[arm])]
        kept = self._kept(asked[RIVAL], asked[TUNED])
        both = self._kept(*probed.values())
        probes = self._probes(probed, both)
        seconds = round(time.monotonic() - self._started, 1)
        summary = {
            "arms": notes,
            "probes": {arm: {"rows": sum(line["arm"] == arm for line in probes)} for arm in probed if probes},
            "device": self.endpoint.host,
            "calls": {"sent": self._sent, "reused": self._reused, "busy": self._busy, "lost": self._lost},
            "dollars": str(self.meter.spent),
            "ended": self._ended,
        }
        _write(folder / "predictions.jsonl", _in_lines(lines))
        _write(folder / "arms.json", json.dumps(summary, ensure_ascii=False, indent=1))
        if self.contest.probes:
            _write(folder / "probes.jsonl", _in_lines(probes))
        answered = Answered(
            folder / "predictions.jsonl",
            folder / "arms.json",
            seconds,
            folder / "probes.jsonl" if self.contest.probes else None,
        )
        by_tuned = self._replies([*asked[TUNED], *probed["tuned"]])
        doubts = (*self._left_out("row", kept, self.contest.test), *self._left_out("probe", both, self.contest.probes))
        doubts = (*doubts, *self._doubts(asked, notes))
        lost = self._lost_rows(asked, kept)
        return Told(answered, doubts, self.meter.spent, lost, tuple(reply.model for reply in by_tuned))

    def _probes(self, probed: Mapping[str, Sequence[Question]], places: Sequence[int]) -> list[dict[str, Any]]:
        return [
            {"arm": arm, "id": self.contest.probes[place].id, **_facts(reply)}
            for arm, questions in probed.items()
            for place in places
            if (reply := self.reply(questions[place])) is not None
        ]

    def _kept(self, *sides: Sequence[Question]) -> list[int]:
        """Return the places at which no side's answer was lost."""
        return [place for place, pair in enumerate(zip(*sides, strict=True)) if not any(map(self.is_lost, pair))]

    def _lost_rows(self, asked: Mapping[str, Sequence[Question]], kept: Sequence[int]) -> dict[int, str]:
        """Say for each row that is not kept whose answer was lost, and why."""
        found, known = {}, set(kept)
        for place, row in enumerate(self.contest.test):
            if place not in known:
                arm = next(arm for arm in (TUNED, RIVAL) if self.is_lost(asked[arm][place]))
                whose = "tuned model's" if arm == TUNED else "best-prompted base's"
                why = self._missing.get(asked[arm][place].key(self.endpoint.host)) or "It was not asked for."
                found[row.line] = f"the {whose} answer is missing: {why}"
        return found

    def _left_out(self, what: str, kept: Sequence[int], whole: Sequence[object]) -> tuple[str, ...]:
        gone = len(whole) - len(kept)
        said = (
            f"{gone:,} of {plural(len(whole), what)} left out of the comparison: an answer of the base or of the tuned"
        )
        return (f"{said} model was lost on the way or not asked for.",) if gone else ()

    def _lines(self, arm: str, questions: Sequence[Question], notes: dict[str, Any]) -> list[dict[str, Any]]:
        lines = []
        for place, (row, question) in enumerate(zip(self.contest.test, questions, strict=True)):
            self.keeper.keep()  # some metrics take their time
            reply = self.reply(question)
            if reply is not None:
                right = self.metric.mark(row, reply.output).score >= 1
                line = {"arm": arm, "row": place, "expected": row.target, "correct": right}
                lines.append(line | _facts(reply))
        notes["correct"] = sum(line["correct"] for line in lines)
        return lines

    def _doubts(self, asked: Mapping[str, Sequence[Question]], notes: Mapping[str, dict[str, Any]]) -> list[str]:
        """Say what a reader of the report has to know of how the answers came about."""
        doubts = [f"{self._ended} What was not asked is missing here."] if self._ended else []
        replies = self._replies(asked[RIVAL])
        others = Counter(reply.model for reply in replies if not same_model(self.contest.base, reply.model))
        if others:  # of the tuned model the proof says it
            doubts.append(
                f"Asked for {self.contest.base}, {others.total()} of {plural(len(replies), 'answer')} came from "
                f"another model: {named(others)}. It is not proven that this arm is what its name says."
            )
        for arm in (TUNED, RIVAL):
            if notes[arm]["cut"]:
                cut = plural(notes[arm]["cut"], "answer")
                doubts.append(f"{cut} of {asked[arm][0].model} ended at the limit of {self.contest.max_tokens} tokens.")
        unsure = self._lost + self.journal.unaccounted
        if unsure:
            doubts.append(f"{plural(unsure, 'answer')} were lost on the way; they are counted as paid in full.")
        return doubts


def _facts(reply: Reply) -> dict[str, Any]:
    return {
        "output": reply.output,
        "milliseconds": round(reply.milliseconds, 2),
        "finished": reply.finish_reason != "length",
        "prompt_tokens": reply.prompt_tokens,
        "output_tokens": reply.output_tokens,
        "model": reply.model,
    }


def _in_lines(values: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def _write(path: Path, text: str) -> None:
    """Write in one step, so that nobody reads half."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
