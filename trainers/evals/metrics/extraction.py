"""Marks answers that should be JSON, whole or field by field; it does not find the JSON or define what a field is.

Worked example: the target has `name`, `total` and `paid`; the answer has the right `name` (written `1` against `1.0` is
the same number), a wrong `total` and a `vat` that nobody asked for. One field of 3 and of 3 is shared: precision 1/3,
recall 1/3, F1 2*1/(3+3) = 0.333; one of its three fields is extra.

>>> from trainers.data.jsonl import Message
>>> row = Row(1, (Message("user", "?"), Message("assistant", '{"name": 1.0, "total": 12, "paid": true}')))
>>> mark = FieldF1(Setup()).mark(row, 'Here: {"name": 1, "total": 21, "vat": 2}')
>>> round(mark.score, 3), {name: round(value, 3) for name, value in mark.checks.items()}
(0.333, {'parsed': 1.0, 'strict': 0.0, 'extra_fields': 0.333})
>>> JsonExact(Setup()).mark(row, '{"paid": true, "total": 12.0, "name": 1}').score
1.0
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.evals.metrics.base import Figure, Mark, Setup
from trainers.evals.metrics.fields import Fields, Path, claims, fields, paths, same, spell
from trainers.evals.metrics.json_answers import Found, read_json
from trainers.evals.metrics.limits import limits
from trainers.evals.metrics.rates import checked, rate


class _Extraction:
    """What both metrics share: reading, checks and figures. Option `fold_case`: case of texts does not count."""

    def __init__(self, setup: Setup) -> None:
        """Take the schema, if there is one; raises UserError if it is none or refers to elsewhere."""
        self._fold = bool(setup.options.get("fold_case", False))
        self._accepts: Callable[[Any], bool] | None = None
        if setup.schema is not None:
            from trainers.evals.metrics.schemas import accepts

            self._accepts = accepts(setup.schema)

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Shares exact, parsed, strict and valid; F1, precision and recall of all fields; extra; the commonest fields.

        Shares have Wilson's interval. Fields of one row stand or fall together, so figures over fields have none,
        except the accuracy of a field that no target holds twice.
        """
        cases = [_case(row, output, self._fold) for row, output in zip(rows, outputs, strict=True)]
        return (
            rate("exactly right", sum(case.exact for case in cases), len(cases)),
            checked("parsed", "parsed", marks),
            checked("JSON alone", "strict", marks),
            *((checked("schema-valid", "valid", marks),) if self._accepts else ()),
            *_over_all(cases),
            *_by_field(cases),
        )

    def _checks(self, case: "_Case") -> dict[str, float]:
        checks = {"parsed": float(case.found.parsed), "strict": float(case.found.strict)}
        if self._accepts:
            checks["valid"] = float(case.found.parsed and self._accepts(case.found.value))
        if case.found.parsed:
            checks["extra_fields"] = case.extra / case.said.total()
        return checks


class JsonExact(_Extraction):
    """Right is the target's value: keys in any order, arrays in theirs, nothing more and nothing less."""

    binary: ClassVar[bool] = True
    title: ClassVar[str] = "exactly right"
    caution: ClassVar[str] = ""

    def mark(self, row: Row, output: str) -> Mark:
        """Score 1 for the same value; checks `parsed`, `strict`, `valid` (with a schema), `extra_fields` (a share)."""
        case = _case(row, output, self._fold)
        return Mark(float(case.exact), self._checks(case), "" if case.exact else _why(case))


class FieldF1(_Extraction):
    """The share of fields that are right, as the F1 of a row's fields: between 0 and 1."""

    binary: ClassVar[bool] = False
    title: ClassVar[str] = "of the fields right"
    caution: ClassVar[str] = ""

    def mark(self, row: Row, output: str) -> Mark:
        """Score the F1 of the fields, 0 for what is no JSON; the checks are those of `JsonExact`."""
        case = _case(row, output, self._fold)
        score = 2 * case.shared / (case.wanted.total() + case.said.total()) if case.wanted else float(case.exact)
        return Mark(score, self._checks(case), "" if score == 1 else _why(case))


class _Case(NamedTuple):
    """One answer beside its target."""

    found: Found
    """The JSON in the answer; of several values, one of the target's kind."""
    said: Fields
    wanted: Fields
    """Empty where the target is not JSON."""
    exact: bool

    @property
    def shared(self) -> int:
        return (self.wanted & self.said).total()

    @property
    def extra(self) -> int:
        """Fields that say something where the target says nothing: no such field there, or null."""
        return (claims(self.said) - claims(self.wanted)).total()


def _case(row: Row, output: str | None, fold_case: bool) -> _Case:
    """Read target and answer once; a target that is no JSON must be repeated as it is."""
    target = read_json(row.target)
    found = read_json(output or "", type(target.value) if isinstance(target.value, dict | list) else None)
    wanted, said = (fields(one.value, fold_case=fold_case) if one.parsed else Counter() for one in (target, found))
    if target.parsed:
        exact = found.parsed and same(target.value, found.value, fold_case=fold_case)
    else:
        exact = output is not None and output.strip() == row.target.strip()
    return _Case(found, said, wanted, exact)


def _why(case: _Case) -> str:
    """Name up to three fields of the target that differ; never values, nor names that the model made up."""
    if not case.wanted:
        return "the target is not JSON"
    if not case.found.parsed:
        return "no JSON"
    names = [spell(path)[:40] for path in dict.fromkeys(path for path, _ in case.wanted - case.said)]
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    more = f"{plural(case.extra, 'field')} too many" if case.extra else ""
    wrong = f"differs in {', '.join(names[:3])}{rest}" if names else ""
    return "; ".join(part for part in (wrong, more) if part) or "the same fields, elsewhere"


def _over_all(cases: Sequence[_Case]) -> Iterator[Figure]:
    """Micro-averages: every field of every row counts once, fields of missing answers as missed."""
    shared = sum(case.shared for case in cases)
    wanted = sum(case.wanted.total() for case in cases)
    said = sum(case.said.total() for case in cases)
    extra = sum(case.extra for case in cases)
    yield Figure("field F1", 2 * shared / (wanted + said) if wanted + said else None)
    yield Figure("field precision", shared / said if said else None)
    yield Figure("field recall", shared / wanted if wanted else None)
    yield Figure("extra fields", extra / said if said else None, better="lower")


def _by_field(cases: Sequence[_Case]) -> Iterator[Figure]:
    """Share right of each of the commonest fields of the targets."""
    rows_with: Counter[Path] = Counter()
    wanted: Counter[Path] = Counter()
    right: Counter[Path] = Counter()
    for case in cases:
        here = paths(case.wanted)
        wanted.update(here)
        rows_with.update(here.keys())
        right.update(paths(case.wanted & case.said))
    commonest = sorted(wanted, key=lambda path: (-rows_with[path], path))
    for path in commonest[: limits("fields")["shown"]]:
        count = wanted[path]
        name = f"right: {spell(path)}"
        yield rate(name, right[path], count) if count == rows_with[path] else Figure(name, right[path] / count)
