"""Training rows written by a language model: subjects, then each row, then a judge, each in calls of their own.

What a model says is never trusted: labels, fields and headings are checked here, near copies are thrown away, and what
was thrown away is kept with its reason. A run that ends early goes on from its journal.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, Protocol

from knowledge.advice.reader import straightened
from knowledge.errors import ServiceError, UserError
from knowledge.models import Message as Turn
from knowledge.models import Meter, ModelUnavailable, Used, object_in
from trainers.data.findings import plural
from trainers.data.jsonl import Message, Row
from trainers.data.labels import label_of
from trainers.data.likeness import NearTexts
from trainers.data.rules.refusing import refuses
from trainers.evals.drafts.base import QUESTION
from trainers.evals.drafts.recipe import recipe
from trainers.evals.generating.asking import asked, inside, known_of, repeats_question
from trainers.evals.generating.compose import NO_LIMIT, OFFLINE, check_count, compose_rows
from trainers.evals.generating.coverage import CASE, LABEL, Cell, Grid, lacking, plan_grid
from trainers.evals.generating.document_rows import SHOWN_PASSAGES
from trainers.evals.generating.form import doubts, out_of_form
from trainers.evals.generating.journal import Journal, Written
from trainers.evals.generating.labels import names_itself, naming_note
from trainers.evals.generating.long_rows import long_note
from trainers.evals.generating.material import bound_note, most_of
from trainers.evals.generating.rows import BY_MODEL, Generated, TrainingDraft, so_far
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.streams import system_of
from trainers.evals.generating.voice_rows import answers_of, left_out

Tell = Callable[[int, int], None]
"""Hears rows done and rows wanted, before each cell that is still open; may raise to end the run."""

_TELLING: Final = 40
"""Characters from which on a system prompt is told from what anybody may write."""

_NO_JSON: Final = "an answer that is no JSON object"

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
    tell: Tell = lambda done, wanted: None,
    fill: bool = True,
) -> Generated:
    """Let the model write up to `count` rows for the grid; recipes fill up what is missing where they can.

    `tell` hears of every row and may raise: what is done by then is in the journal. Raises UserError as `compose_rows`;
    without `fill` ModelUnavailable where the model does not answer, so that a later run goes on from the journal.
    """
    check_count(count)
    order = _Order(spec, count, seed, grid or plan_grid(spec), avoid)
    kept = journal if journal is not None else Journal()
    notes = [*doubts(spec, by_model=True), *filter(None, (bound_note(spec, count),))]
    try:
        _Writer(order, model, meter, kept).write(tell)
    except _Stopped as stopped:
        if not fill and isinstance(stopped.trouble, ModelUnavailable):
            raise stopped.trouble from None
        notes.append(f"{stopped} {so_far(len(kept.drafts), count)}.")
    drafts = [kept.drafts[place] for place in sorted(kept.drafts)]
    more, told = _filling(order, drafts)
    notes += [note for note in told if note not in notes]
    notes += filter(None, (naming_note((*drafts, *more), order.spec.labels),))
    if spec.kind == "voice" and spec.texts:
        answers = [*(row.target for row in avoid), *(each.target for each in (*drafts, *more))]
        notes += filter(None, (left_out(spec, answers, short=len(drafts) + len(more) < count),))
    missing = lacking(order.grid, count, [each.cell for each in (*drafts, *more)])
    notes += filter(None, (long_note((*drafts, *more), spec.target),))
    rejected = tuple(kept.rejected)
    return Generated(drafts=(*drafts, *more), rejected=rejected, notes=tuple(notes), writer=model.name, missing=missing)


@dataclass(frozen=True)
class _Order:
    """What is wanted of a run."""

    spec: RowSpec
    count: int
    seed: int
    grid: Grid
    avoid: Sequence[Row]


def _filling(order: _Order, drafts: Sequence[TrainingDraft]) -> tuple[Sequence[TrainingDraft], list[str]]:
    """Return what recipes have for the rows that are missing, and what to say of that."""
    missing = order.count - len(drafts)
    if not missing:
        return (), []
    taken = [*order.avoid, *(Row(at, each.messages) for at, each in enumerate(drafts, start=1))]
    try:
        more = compose_rows(order.spec, count=missing, seed=order.seed, grid=order.grid, avoid=taken)
    except UserError:  # recipes have nothing for this task
        return (), []
    number = len(more.drafts)
    said = [f"{plural(number, 'row')} {'is' if number == 1 else 'are'} from recipes."] if number else []
    counted = naming_note(more.drafts, order.spec.labels)  # all rows are counted together
    again = OFFLINE, counted, long_note(more.drafts, order.spec.target)  # told of all rows together
    told = (note for note in more.notes if note not in again and not note.endswith(NO_LIMIT))
    return more.drafts, [*said, *told]


class _Writer:
    """Asks the model and checks what it says."""

    def __init__(self, order: _Order, model: Writer, meter: Meter, journal: Journal) -> None:
        self.spec, self.model, self.meter, self.journal = order.spec, model, meter, journal
        self.cells: list[Cell] = order.grid.cells(order.count, order.seed)
        self.asked = asked()
        self.system = system_of(order.spec)
        had = [*(row.prompt for row in order.avoid), *(draft.input for draft in journal.drafts.values())]
        self.taken = NearTexts(had)
        self.known = known_of(order.spec)
        answered = {row.target for row in order.avoid}
        self.texts, self.most = answers_of(order.spec, answered), most_of(order.spec, order.count, answered)

    def write(self, tell: Tell) -> None:
        """Write a row for each cell that is still open; raises _Stopped."""
        for place in range(len(self.cells)):
            if not self.journal.is_decided(place):
                tell(len(self.journal.drafts), len(self.cells))
                self._decide(place)
        tell(len(self.journal.drafts), len(self.cells))

    def _decide(self, place: int) -> None:
        """Write the row of a cell, or give the cell up; what an earlier process tried counts."""
        if place >= self.most:
            self.journal.give_up(place)
            return
        while self.journal.tries[place] < int(self.asked["tries"]):
            draft = self._row(place)
            if draft is not None:
                self.taken.add(draft.input)
                self.journal.keep(place, draft)
                return
        self.journal.give_up(place)

    def _subject(self, place: int) -> str:
        """Return what a row is to be about; asks for the next ten at once, and about none twice."""
        if place not in self.journal.subjects and self.spec.kind != "voice":
            wanted = list(range(place, min(self.most, place + int(self.asked["at_once"]))))
            listed = json.dumps([dict(self.cells[at]) for at in wanted], ensure_ascii=False)
            number, shown = str(len(wanted)), inside(listed)
            told = self._ask("plan", self.asked["plan_tokens"], None, number=number, cells=shown)
            subjects = told.get("subjects") if told else None
            for at, about in zip_longest(wanted, subjects if isinstance(subjects, list) else []):
                if at is not None:
                    self.journal.plan(at, _text(about)[:300])
        return self.journal.subjects.get(place, "")

    def _row(self, place: int) -> TrainingDraft | None:
        """Ask for one row and for its judgement; None where it is no good, which is in the journal then."""
        cell, written = self.cells[place], self.journal.written.get(place) or self._asked_for(place)
        if written is None:
            return None
        sent, reply, why = written
        wrong = self._wrong(sent, reply, place) or self._judged(sent, reply)
        if wrong:
            self._reject(wrong, f"{sent}\n=> {reply}", place)
            return None
        messages = (Message("system", self.system), Message("user", sent), Message("assistant", reply))
        covered = {**cell, **({LABEL: reply} if self.spec.labels else {})}
        return TrainingDraft(messages, covered, why, f"{BY_MODEL}{self.model.name}")

    def _asked_for(self, place: int) -> Written | None:
        """Have a row written, and keep it before it is judged."""
        if self.spec.kind == "voice" and self.spec.texts:
            written = self._voice(place)
        else:
            written = self._written(place, self._subject(place))
        if written is not None:
            self.journal.wrote(place, written)
        return written

    def _written(self, place: int, about: str) -> Written | None:
        material, passages = self._material(place)
        shown = inside(json.dumps(dict(self.cells[place]), ensure_ascii=False))
        more = {"about": inside(about), "cell": shown, "material": material}
        told = self._ask("row", self.asked["row_tokens"], place, **more)
        if told is None:
            return None
        sent, reply, why = (_text(told.get(name)) for name in ("input", "reply", "why"))
        if not (sent and reply and why):
            self._reject("a row without input, reply or reason", json.dumps(told, ensure_ascii=False)[:400], place)
            return None
        return Written(f"{passages}{sent}", self._label(reply), why[:300])

    def _voice(self, place: int) -> Written | None:
        """Ask for the brief that a text of the brand would have answered."""
        text = self.texts[place]
        told = self._ask("brief", self.asked["row_tokens"], place, text=inside(text))
        if told is None:
            return None
        notes, why = (_text(told.get(name)) for name in ("notes", "why"))
        if not (notes and why):
            self._reject("no brief", json.dumps(told, ensure_ascii=False)[:400], place)
            return None
        return Written(f"Notes: {notes}", text.strip(), why[:300])

    def _material(self, place: int) -> tuple[str, str]:
        """Return the passages that a question is to be about, for the model and for the row; one is a distractor."""
        passages = self.spec.sifted.passages
        if self.spec.kind != "documents" or len(passages) < SHOWN_PASSAGES:
            return "", ""
        number = len(passages)
        shown = [passages[place % number], passages[(place + 1 + place // number % (number - 1)) % number]]
        shown = shown[::-1] if place % 3 == 2 else shown
        prompt = recipe("questions")["prompt"]
        listed = "\n\n".join(prompt["passage"].format(n=n, title=t, text=x) for n, (t, x) in enumerate(shown, start=1))
        ask = self.asked["passages"]["absent" if self.cells[place].get(CASE) == "out_of_scope" else "answered"]
        asked_of = ask.format(abstain=prompt["abstain"])
        return f"<passages>{inside(listed)}</passages>\n{asked_of}", f"{listed}{QUESTION}"

    def _label(self, reply: str) -> str:
        return label_of(reply, self.spec.labels) or reply

    def _wrong(self, sent: str, reply: str, place: int) -> str:
        """Say what can be seen to be wrong with a row, or ""."""
        if max(len(sent), len(reply)) > int(self.asked["most_characters"]):
            return "a row that is too long"
        if self._tells_prompt(f"{sent} {reply}"):
            return "a row that repeats the prompt"
        if wrong := out_of_form(self.spec, reply):
            return wrong
        if self.taken.near(sent):
            return "too near to another row"
        if self.spec.labels and not self.journal.tries[place] and names_itself(reply, sent):
            return "an input that names its label"  # once: of some labels nobody can write in other words
        return ""

    def _tells_prompt(self, text: str) -> bool:
        telling = len(self.system) >= _TELLING and self.system[:80] in text
        return telling or repeats_question(text)

    def _judged(self, sent: str, reply: str) -> str:
        """Let the judge look; says what it found, or ""."""
        told = self._ask("judge", self.asked["judge_tokens"], None, input=inside(sent), reply=inside(reply))
        if told is None:
            return "not judged: the judge gave no JSON"
        failed = [words for name, words in _POINTS.items() if told.get(name) is not True]
        return f"judged {', '.join(failed)}: {_text(told.get('reason'))[:200]}" if failed else ""

    def _ask(self, name: str, tokens: int, place: int | None, **more: str) -> dict[str, Any] | None:
        """Ask and read the JSON of the answer; None where there is none. Raises _Stopped."""
        self._check_use()
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
            self._reject("a refusal" if refuses(straightened(answer)) else _NO_JSON, answer[:400], place)
        return found

    def _reject(self, why: str, text: str, place: int | None) -> None:
        """Keep what was thrown away; raises _Stopped after too many in a row."""
        self.journal.reject(why, text, place)
        self._check_use()

    def _check_use(self) -> None:
        """Raise _Stopped after too many unusable answers in a row, those of earlier processes among them."""
        failed = self.journal.failed
        if failed >= int(self.asked["stop_after"]):
            why = self.journal.rejected[-1].point
            raise _Stopped(f"{self.model.name} gave {failed} unusable answers one after the other ({why}).")


def _text(value: Any) -> str:
    """Return a text without what no row may hold; a JSON value as JSON."""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return value.encode("utf-8", "ignore").decode().replace("\x00", "").strip() if isinstance(value, str) else ""
