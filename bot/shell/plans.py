"""The command `eval-plan`: how a plan and its drafted rows read in a terminal, not how they are made."""

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import LEAST_EFFECT, JsonFlag, fail_usage, refuse_share, say, show, show_json, table

if TYPE_CHECKING:
    from trainers.data.jsonl import Row
    from trainers.evals.drafts import Drafted
    from trainers.evals.plan import EvalPlan
    from trainers.evals.plan_store import StoredPlan

EffectOption = Annotated[
    str | None, typer.Option(help="Smallest useful effect in points: 5 for 0.05; by default as the task says, else 5.")
]
TargetOption = Annotated[
    str | None,
    typer.Option(help="Percent right that must be reached besides: 95 for 0.95; by default as the task says."),
]

SEED = 7
"""One fixed seed, so that the same task is always drafted alike."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval-plan")(eval_plan)


def eval_plan(
    task: Annotated[list[str] | None, typer.Argument(help="What the model is to do.")] = None,
    labels: Annotated[str, typer.Option(help="The labels, with commas between them.")] = "",
    schema: Annotated[Path | None, typer.Option(help="JSON Schema of the answers.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Training or example rows: lent from, never repeated.")] = None,
    have: Annotated[int | None, typer.Option(help="Test rows that are there already.")] = None,
    effect: EffectOption = None,
    kind: Annotated[str, typer.Option(help="classification, extraction, style, qa, generation or refusal.")] = "",
    discordance: Annotated[float | None, typer.Option(help="Share of rows on which exactly one is right.")] = None,
    gain: Annotated[str | None, typer.Option(help="What a right answer earns or saves.")] = None,
    loss: Annotated[str | None, typer.Option(help="What a wrong answer costs.")] = None,
    failure: Annotated[list[str] | None, typer.Option(help="A kind of failure as SHARE:LOSS, such as 0.95:40.")] = None,
    currency: Annotated[str, typer.Option(help="Of gain and loss.")] = "USD",
    target: TargetOption = None,
    draft: Annotated[int, typer.Option(help="Draft so many test rows.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Where the drafts go (JSONL).")] = None,
    freeze: Annotated[str | None, typer.Option(help="Keep the plan under this name and freeze it.")] = None,
    test: Annotated[Path | None, typer.Option(help="The reviewed test rows, for --freeze.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Plan a fair test before training: metric, guardrails, rows needed, target; draft its rows; freeze it."""
    text = " ".join(task or []).strip()
    if not text:
        raise fail_usage('Say the task: luthier eval-plan "Sort support tickets into billing, returns, other"')
    _check_use(draft, out, freeze, test)
    from trainers.evals.plan import make_plan
    from trainers.evals.plans.costs import read_costs

    plan = make_plan(
        text,
        labels=labels.split(","),
        schema=read_schema(schema),
        rows=(given := _rows(rows)),
        have=have,
        discordance=discordance,
        useful_effect=None if effect is None else _percent(effect, "effect"),
        costs=read_costs(gain, loss, failure or (), currency),
        target=None if target is None else _percent(target, "target"),
        kind=kind or None,
    )
    _go_on(plan, given, draft, out, freeze, test, as_json)


def _go_on(
    plan: "EvalPlan",
    given: "list[Row] | None",
    draft: int,
    out: Path | None,
    freeze: str | None,
    test: Path | None,
    as_json: bool,
) -> None:
    """Draft and freeze where that was asked for, and tell what there is."""
    drafted = _draft(plan, draft, given) if draft else None
    stored = _freeze(plan, freeze, test, given) if freeze is not None and test is not None else None
    remarks = _remarks(stored.plan, test) if stored is not None and test is not None else ""
    _tell(stored.plan if stored else plan, drafted, out, stored, remarks, as_json)


def _tell(
    plan: "EvalPlan",
    drafted: "Drafted | None",
    out: Path | None,
    stored: "StoredPlan | None",
    remarks: str,
    as_json: bool,
) -> None:
    notes = _write(plan, drafted, out) if drafted and out else None
    if as_json:
        show_json(_as_json(plan, drafted, out, stored, remarks))
        return
    show(_read(plan))
    if drafted:
        _tell_drafts(drafted, out, notes)
    if stored and stored.frozen_at:
        say(f"Frozen as {stored.name} on {stored.frozen_at:%d %b %Y}: neither plan nor rows can be changed unnoticed.")
    if remarks:
        say(remarks)


def _check_use(draft: int, out: Path | None, freeze: str | None, test: Path | None) -> None:
    if out is not None and not draft:
        raise fail_usage("--out needs --draft: how many rows shall I draft?")
    if (freeze is None) != (test is None):
        raise fail_usage("--freeze NAME and --test FILE go together: a plan is frozen with its reviewed rows.")
    if freeze is not None and draft:
        raise fail_usage("Drafts have to be read before they are frozen: first --draft with --out, then --freeze.")


def _percent(text: str, what: str) -> Decimal:
    """Read points or percent as a share."""
    try:
        value = Decimal(text.strip().removesuffix("%"))
    except InvalidOperation:
        raise fail_usage(f"--{what} is a number, such as {'5' if what == 'effect' else '90'}.") from None
    below, unit = (LEAST_EFFECT, "points") if what == "effect" else ("1", "percent")
    refuse_share(what, value, below=below, unit=unit)
    return value / 100


def _rows(file: Path | None) -> "list[Row] | None":
    if file is None:
        return None
    if not file.is_file():
        raise fail_usage(f"There is no file {file}.")
    from knowledge.errors import UserError
    from trainers.data.jsonl import read_rows

    reading = read_rows(file)
    refused = [finding for finding in reading.findings if finding.severity == "BLOCK"]
    if refused:
        raise UserError(refused[0].message, refused[0].fix)
    return reading.rows


def read_schema(file: Path | None) -> Any:
    """Return the JSON Schema in a file, None without one; leaves with 2 where there is none in it."""
    if file is None:
        return None
    if not file.is_file():
        raise fail_usage(f"There is no file {file}.")
    try:
        return json.loads(file.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise fail_usage(f"{file} isn't JSON: {error}") from error


def _draft(plan: "EvalPlan", count: int, given: "list[Row] | None") -> "Drafted":
    """Draft by the language model that settings name, else by recipes."""
    from bot.settings import Settings
    from trainers.evals.drafts import draft

    rows, settings = given or (), Settings.from_env()
    if not settings.model:
        return draft(plan, count=count, seed=SEED, examples=rows, avoid=rows)
    from bot.wiring import shell_person
    from bot.working import working

    with working(settings, say) as at:
        meter = at.deps.meter(shell_person().workspace_id)
        return draft(plan, count=count, seed=SEED, examples=rows, avoid=rows, model=at.deps.model, meter=meter)


def _write(plan: "EvalPlan", drafted: "Drafted", out: Path) -> Path:
    from trainers.evals.drafts.files import write_drafts

    return write_drafts(out, drafted.drafts, plan_digest=plan.digest)


def _freeze(plan: "EvalPlan", name: str, test: Path, given: "list[Row] | None") -> "StoredPlan":
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.evals.plan_store import check_test

    if not test.is_file():
        raise fail_usage(f"There is no file {test}.")
    check_test(test, given or ())
    with working(Settings.from_env(), say) as at:
        person, plans = shell_person(), at.deps.plans
        plans.save(plan, name=name, person=person, now=at.deps.clock())
        return plans.freeze(person.workspace_id, name, test, at.deps.clock())


def _remarks(plan: "EvalPlan", test: Path) -> str:
    """Say what the frozen rows can show, and whether one label outweighs the others."""
    from trainers.data.jsonl import read_rows
    from trainers.evals.plans.fitting import remarks

    return remarks(plan, read_rows(test).rows)


def _as_json(
    plan: "EvalPlan", drafted: "Drafted | None", out: Path | None, stored: "StoredPlan | None", remarks: str
) -> dict[str, Any]:
    from trainers.evals.plans.text import rows_sentences, target_sentences

    told: dict[str, Any] = {
        **plan.to_json(),
        "digest": plan.digest,
        "rows_needed": plan.expected.rows,
        "detectable": plan.sees(plan.rows_had) if plan.rows_had else None,
        "sentences": [*rows_sentences(plan), *target_sentences(plan)],
        "frozen_at": stored.frozen_at.isoformat() if stored and stored.frozen_at else None,
        "remarks": remarks,
    }
    if drafted:
        told |= {
            "drafts": [{**draft.to_json(), "input": draft.input} for draft in drafted.drafts],
            "waiting": drafted.waiting,
            "rejected": drafted.rejected,
            "note": drafted.note,
            "out": str(out) if out else None,
        }
    return told


def _tell_drafts(drafted: "Drafted", out: Path | None, notes: Path | None) -> None:
    """List the drafts, or say where they are."""
    if out is None:
        head = ("Kind", "Input", "Answer", "Would reveal")
        rows = [(d.kind, d.input, d.target or "(to be written)", d.reveals) for d in drafted.drafts]
        show("\n" + table(head, rows))
    dropped = "; ".join(f"{reason}: {number}" for reason, number in drafted.rejected.items())
    say(
        drafted.sentence
        + (f" Thrown away: {dropped}." if dropped else "")
        + (f" {drafted.note}" if drafted.note else "")
    )
    if out is not None and notes is not None:
        say(f"Rows: {out}. What each is there for: {notes}. Read them before you use them.")


def _read(plan: "EvalPlan") -> str:
    """Lay out a plan."""
    from trainers.evals.plans.power import effects, power_table
    from trainers.evals.plans.text import guardrail_sentences, points, rows_sentences, rule_sentence, target_sentences

    head = (
        "Models disagree on" if plan.binary else "Spread of differences",
        *(f"{points(e)} points" for e in effects()),
    )
    needed = [
        (f"{spread:.0%} of rows" if plan.binary else f"{spread:.1f}", *(f"{n:,} rows" for n in counts))
        for spread, counts in power_table(binary=plan.binary, level=plan.level, power=plan.power)
    ]
    labels = f" · {len(plan.labels):,} labels" if plan.labels else ""
    rails = [f"  {sentence}" for sentence in guardrail_sentences(plan)]
    assumed = [f"  {says} Wrong? {correct}" for says, correct in plan.assumptions]
    parts = [
        f"Evaluation plan · {plan.kind}{labels}",
        f"  Metric      {plan.metric}: {plan.why}",
        f"  Comparison  {plan.comparison}",
        f"  Success     {rule_sentence(plan)}",
        *(f"  Target      {sentence}" for sentence in target_sentences(plan)),
        *(f"  Rows        {sentence}" for sentence in rows_sentences(plan)),
        "",
        table(head, needed),
        "",
        "Must not get worse:",
        *rails,
        *(["Assumed:", *assumed] if assumed else []),
        f"Plan {plan.digest[:12]}" + (f", test rows {plan.test_sha256[:12]}" if plan.test_sha256 else ""),
    ]
    return "\n".join(parts)
