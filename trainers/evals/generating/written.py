"""Training rows written by a language model: subjects, then each row, then a judge, each in calls of their own.

What a model says is never trusted: labels, fields and headings are checked here, near copies are thrown away, and what
was thrown away is kept with its reason. A run that ends early goes on from its journal.
"""

import html
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from knowledge.errors import ServiceError, UserError
from knowledge.models import Message as Turn
from knowledge.models import Meter, ModelUnavailable, Used, object_in
from trainers.data.jsonl import Message, Row
from trainers.data.likeness import canonical, near_pairs
from trainers.evals.drafts.base import QUESTION
from trainers.evals.drafts.recipe import recipe
from trainers.evals.generating.asking import asked, known_of
from trainers.evals.generating.compose import OFFLINE, check_count, compose_rows
from trainers.evals.generating.coverage import LABEL, Cell, Grid, plan_grid
from trainers.evals.generating.form import doubts, out_of_form
from trainers.evals.generating.journal import Journal
from trainers.evals.generating.rows import Generated, TrainingDraft
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.streams import system_of

Tell = Callable[[int, int, str], None]
"""Hears rows done, rows wanted, and a remark; may raise to end the run."""

_POINTS: Final = {
    "correct": "not right",
    "grounded": "made up",
    "format": "not in the form wanted",
    "good": "no good example",
}


class Writer(Protocol):
    """A language model, as far as it is needed here: `knowledge.models.ChatModel`, or one that is paid for."""

    @property
    def name(self) -> str:
        """Name as shown to people."""

    def complete(
        self,
        messages: Sequence[Turn],
        *,
        temperature: float = 0,
        max_tokens: int,
        count: Callable[[Used], None] | None = None,
    ) -> str:
        """Return the answer; raises ServiceError."""


class _Stopped(Exception):
    """The meter is closed or the model does not answer; the text says which."""

    def __init__(self, why: str, trouble: ServiceError | None = None) -> None:
        """Take also the error, if it is one."""
        super().__init__(why)
        self.trouble = trouble


def write_rows(
    spec: RowSpec,
    *,
    count: int,
    seed: int,
    model: Writer,
    meter: Meter,
    grid: Grid | None = None,
    avoid: Sequence[Row] = (),
    journal: Journal | None = None,
    tell: Tell = lambda done, wanted, remark: None,
    fill: bool = True,
) -> Generated:
    """Let the model write up to `count` rows for the grid; recipes fill up what is missing where they can.

    `tell` hears of every row and may raise: what is done by then is in the journal. Raises UserError as `compose_rows`;
    without `fill` ModelUnavailable where the model does not answer, so that a later run goes on from the journal.
    """
    check_count(count)
    grid = grid or plan_grid(spec)
    kept = journal if journal is not None else Journal()
    writer = _Writer(spec, model, meter, kept, [row.prompt for row in avoid])
    notes = doubts(spec)
    try:
        writer.write(grid.cells(count, seed), seed, tell)
    except _Stopped as stopped:
        if not fill and isinstance(stopped.trouble, ModelUnavailable):
            raise stopped.trouble from None
        notes.append(f"{stopped} {len(kept.drafts)} of {count} rows are written.")
    drafts = [kept.drafts[place] for place in sorted(kept.drafts)]
    return _filled(spec, drafts, count, seed, grid, avoid, kept, notes, model.name)


def _filled(
    spec: RowSpec,
    drafts: list[TrainingDraft],
    count: int,
    seed: int,
    grid: Grid,
    avoid: Sequence[Row],
    kept: Journal,
    notes: list[str],
    name: str,
) -> Generated:
    """Fill up with recipes; where they have none, say how many are missing."""
    if len(drafts) < count:
        taken = [*avoid, *(Row(at, each.messages) for at, each in enumerate(drafts, start=1))]
        try:
            more = compose_rows(spec, count=count - len(drafts), seed=seed, grid=grid, avoid=taken)
        except UserError:  # recipes have nothing for this task
            more = Generated(drafts=())
        notes += [f"{len(more.drafts)} rows are from recipes."] if more.drafts else []
        notes += [note for note in more.notes if note not in (OFFLINE, *notes)]
        drafts += more.drafts
    return Generated(drafts=tuple(drafts), rejected=tuple(kept.rejected), notes=tuple(notes), writer=name)


class _Writer:
    """Asks the model and checks what it says."""

    def __init__(self, spec: RowSpec, model: Writer, meter: Meter, journal: Journal, taken: list[str]) -> None:
        self.spec, self.model, self.meter, self.journal = spec, model, meter, journal
        self.asked = asked()
        self.system = system_of(spec)
        self.taken = [*taken, *(draft.input for draft in journal.drafts.values())]
        self.known = known_of(spec)
        self.failed = 0

    def write(self, cells: Sequence[Cell], seed: int, tell: Tell) -> None:
        """Write a row for each cell that has none; raises _Stopped."""
        for place, cell in enumerate(cells):
            tell(len(self.journal.drafts), len(cells), "")
            if place in self.journal.drafts:
                continue
            for _ in range(int(self.asked["tries"])):
                draft = self._row(place, cell, self._subject(place, cells))
                if draft is not None:
                    self.failed = 0
                    self.taken.append(draft.input)
                    self.journal.keep(place, draft)
                    break
        tell(len(self.journal.drafts), len(cells), "")

    def _subject(self, place: int, cells: Sequence[Cell]) -> str:
        """Return what a row is to be about; asks for the next ten at once."""
        if place not in self.journal.subjects and self.spec.kind != "voice":
            wanted = list(range(place, min(len(cells), place + int(self.asked["at_once"]))))
            listed = json.dumps([dict(cells[at]) for at in wanted], ensure_ascii=False)
            told = self._ask("plan", self.asked["plan_tokens"], number=str(len(wanted)), cells=html.escape(listed))
            subjects = told.get("subjects") if told else None
            for at, about in zip(wanted, subjects if isinstance(subjects, list) else [], strict=False):
                if text := _text(about):
                    self.journal.subjects[at] = text[:300]
                    self.journal.note("subject", place=at, about=text[:300])
        return self.journal.subjects.get(place, "")

    def _row(self, place: int, cell: Cell, about: str) -> TrainingDraft | None:
        """Ask for one row and for its judgement; None where it is no good."""
        pair = (
            self._voice(place) if self.spec.kind == "voice" and self.spec.texts else self._written(place, cell, about)
        )
        if pair is None:
            return None
        sent, reply, why = pair
        wrong = self._wrong(sent, reply) or self._judged(sent, reply)
        if wrong:
            self._reject(wrong, f"{sent}\n=> {reply}")
            return None
        messages = (Message("system", self.system), Message("user", sent), Message("assistant", reply))
        covered = {**cell, **({LABEL: reply} if self.spec.labels else {})}
        return TrainingDraft(messages, covered, why, f"model {self.model.name}")

    def _written(self, place: int, cell: Cell, about: str) -> tuple[str, str, str] | None:
        material, passages = self._material(place)
        shown = html.escape(json.dumps(dict(cell), ensure_ascii=False))
        told = self._ask("row", self.asked["row_tokens"], about=html.escape(about), cell=shown, material=material)
        if told is None:
            return None
        sent, reply, why = (_text(told.get(name)) for name in ("input", "reply", "why"))
        if not (sent and reply and why):
            self._reject("a row without input, reply or reason", json.dumps(told, ensure_ascii=False)[:400])
            return None
        return f"{passages}{sent}", self._label(reply), why[:300]

    def _voice(self, place: int) -> tuple[str, str, str] | None:
        """Ask for the brief that a text of the brand would have answered."""
        text = self.spec.texts[place % len(self.spec.texts)]
        told = self._ask("brief", self.asked["row_tokens"], text=html.escape(text))
        notes, why = (_text(told.get(name)) for name in ("notes", "why")) if told else ("", "")
        if not (notes and why):
            self._reject("no brief", str(told)[:400])
            return None
        return f"Notes: {notes}", text.strip(), why[:300]

    def _material(self, place: int) -> tuple[str, str]:
        """Return the passages that a question is to be about, for the model and for the row; one is a distractor."""
        if self.spec.kind != "documents" or len(self.spec.passages) < 2:
            return "", ""
        number = len(self.spec.passages)
        shown = [self.spec.passages[place % number], self.spec.passages[(place + 1 + place // number) % number]]
        shown = shown[::-1] if place % 3 == 2 else shown
        prompt = recipe("questions")["prompt"]
        listed = "\n\n".join(prompt["passage"].format(n=n, title=t, text=x) for n, (t, x) in enumerate(shown, start=1))
        ask = "Ask one question that one of them answers; the reply names it, such as [1]. Input is the question alone."
        return f"<passages>{html.escape(listed)}</passages>\n{ask}", f"{listed}{QUESTION}"

    def _label(self, reply: str) -> str:
        known = {canonical(label): label for label in self.spec.labels}
        return known.get(canonical(reply), reply)

    def _wrong(self, sent: str, reply: str) -> str:
        """Say what can be seen to be wrong with a row, or ""."""
        if max(len(sent), len(reply)) > int(self.asked["most_characters"]):
            return "a row that is too long"
        if self.system[:80] in f"{sent}{reply}":
            return "a row that repeats the prompt"
        if wrong := out_of_form(self.spec, reply):
            return wrong
        if any(pair.later == len(self.taken) for pair in near_pairs([*self.taken, sent])) or sent in self.taken:
            return "too near to another row"
        return ""

    def _judged(self, sent: str, reply: str) -> str:
        """Let the judge look; says what it found, or ""."""
        told = self._ask("judge", self.asked["judge_tokens"], input=html.escape(sent), reply=html.escape(reply))
        if told is None:
            return "not judged: the judge gave no JSON"
        failed = [words for name, words in _POINTS.items() if told.get(name) is not True]
        return f"judged {', '.join(failed)}: {_text(told.get('reason'))[:200]}" if failed else ""

    def _ask(self, name: str, tokens: int, **more: str) -> dict[str, Any] | None:
        """Ask and read the JSON of the answer; None where there is none. Raises _Stopped."""
        if closed := self.meter.closed():
            raise _Stopped(closed)
        part = self.asked[name]
        turns = [Turn("system", part["system"]), Turn("user", part["user"].format(**self.known, **more).strip())]
        heat = 0.0 if name == "judge" else float(self.asked["temperature"])
        try:
            answer = self.model.complete(turns, temperature=heat, max_tokens=tokens, count=self.meter.count)
        except ServiceError as error:
            raise _Stopped(error.what, error) from error
        found = object_in(answer)
        if found is None and name != "judge":
            self._reject("an answer that is no JSON object", answer[:400])
        return found

    def _reject(self, why: str, text: str) -> None:
        """Keep what was thrown away; raises _Stopped after too many in a row."""
        self.journal.reject(why, text)
        self.failed += 1
        if self.failed >= int(self.asked["stop_after"]):
            raise _Stopped(f"{self.model.name} gave {self.failed} unusable answers one after the other ({why}).")


def _text(value: Any) -> str:
    """Return a text without what no row may hold; a JSON value as JSON."""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return value.encode("utf-8", "ignore").decode().replace("\x00", "").strip() if isinstance(value, str) else ""
