"""The command `cost`: what it is asked for, and how an estimate reads in a terminal; it computes nothing."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from trainers.costs.estimate import Estimate
    from trainers.costs.offers import Shelf
    from trainers.costs.workload import Workload

HERE_MODEL = "smollm2-135m-instruct"
"""What is trained on this machine where no model is named."""

OPENAI = "https://api.openai.com/v1"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cost)


class Asked(NamedTuple):
    """The options of one call that describe the work."""

    file: Path | None
    test: Path | None
    examples: str | None
    prompt_tokens: str | None
    completion_tokens: str | None
    epochs: str | None


def cost(
    file: Annotated[
        Path | None, typer.Argument(help="JSONL of training rows; without it and --examples, ours.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="The held-out rows.")] = None,
    examples: Annotated[str | None, typer.Option(metavar="N", help="Training examples, instead of a file.")] = None,
    prompt_tokens: Annotated[str | None, typer.Option(metavar="X", help="Tokens before an answer, on average.")] = None,
    completion_tokens: Annotated[str | None, typer.Option(metavar="Y", help="Tokens of an answer.")] = None,
    model: Annotated[str, typer.Option(help="Base model; without it, ours on this machine.")] = "",
    provider: Annotated[str, typer.Option(help="Who trains it; by default the model's maker.")] = "",
    epochs: Annotated[str | None, typer.Option(metavar="E", help="Passes over the rows.")] = None,
    requests_per_day: Annotated[str | None, typer.Option(metavar="Z", help="Requests to the tuned model.")] = None,
    assume: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Change an assumption.")] = None,
    on: Annotated[str, typer.Option(metavar="DATE", help="As of that day; default today.")] = "",
    account_key_env: Annotated[str, typer.Option(help="Variable with an OpenAI key: asks when the base ends.")] = "",
    account_url: Annotated[str, typer.Option(help="Where to ask that.")] = OPENAI,
    charts: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the charts there, as PNG.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Price a fine-tune: one epoch, training, evaluation, 30 days of serving, break-even; nothing starts.

    Tokens are averages per example and per request. Figures are [low, expected, high]; what nobody knows is unknown.
    """
    asked = Asked(file, test, examples, prompt_tokens, completion_tokens, epochs)
    from trainers.costs.names import UnknownName
    from trainers.costs.workload import BadFigure

    try:
        changes, today = _changes(assume or [], requests_per_day, test), _day(on)
        if not model and not provider and examples is None:
            _refuse_elsewhere(account_key_env, charts)
            _quote_here(asked, changes, today, as_json)
            return
        made = _estimate(asked, model, provider, changes, today, account_key_env, account_url)
    except (UnknownName, BadFigure) as wrong:
        raise fail_usage(f"{wrong.what} {wrong.next_step}") from None
    if charts is not None:
        _draw(made, charts)
    show_json(made.to_json()) if as_json else show(read_estimate(made))


def _estimate(
    asked: Asked, model: str, provider: str, changes: Mapping[str, str], today: date, key_env: str, url: str
) -> "Estimate":
    from trainers.costs.estimate import estimate

    if not model:
        raise fail_usage("Say which --model, such as --model gpt-4.1-mini; `luthier prices` lists them.")
    shelf = _shelf()
    load = _workload(asked, model, provider, shelf)
    if key_env:
        shelf = _with_shutdown(shelf, model, provider, today, key_env, url)
    return estimate(load, model, today=today, provider=provider, changes=changes, shelf=shelf)


def _workload(asked: Asked, model: str, provider: str, shelf: "Shelf") -> "Workload":
    """Read the work from a file or from numbers; raises BadFigure and UserError."""
    from trainers.costs.workload import Workload, figure, whole

    epochs = None if asked.epochs is None else whole("epochs", asked.epochs)
    given = (asked.examples, asked.prompt_tokens, asked.completion_tokens)
    if asked.file is not None:
        if any(value is not None for value in given):
            raise fail_usage("Give a file, or --examples with --prompt-tokens and --completion-tokens; not both.")
        found, chosen = shelf.asked(model, provider)
        sheet = shelf.books[chosen].sheet(found)
        return from_file(asked.file, asked.test, epochs, sheet.tokenizer if sheet else "")
    if any(value is None for value in given):
        raise fail_usage("Without a file I need --examples, --prompt-tokens and --completion-tokens.")
    return Workload(
        examples=whole("examples", asked.examples or ""),
        prompt_tokens=figure("prompt_tokens", asked.prompt_tokens or ""),
        completion_tokens=figure("completion_tokens", asked.completion_tokens or ""),
        epochs=epochs,
        test_rows=None if asked.test is None else len(_rows(asked.test)),
    )


def from_file(file: Path, test: Path | None, epochs: int | None, encoding: str) -> "Workload":
    """Count a file's tokens; raises UserError for what cannot be read and for an empty file."""
    from trainers.costs.workload import Workload
    from trainers.data.tokens import split

    rows = _rows(file)
    counted = split((row.messages for row in rows), encoding)
    return Workload(
        examples=len(rows),
        prompt_tokens=Decimal(counted.prompt) / len(rows),
        completion_tokens=Decimal(counted.completion) / len(rows),
        epochs=epochs,
        test_rows=None if test is None else len(_rows(test)),
        counted="exact" if counted.exact else "estimated",
        basis=f"{file.name}, {counted.basis}",
    )


def _rows(file: Path) -> Any:
    from knowledge.errors import UserError
    from trainers.data.jsonl import read_rows

    if not file.is_file():
        raise fail_usage(f"There is no file {file}.")
    reading = read_rows(file)
    for finding in reading.findings:
        if finding.severity == "BLOCK":
            raise UserError(finding.message, finding.fix)
    if not reading.rows:
        raise UserError(f"There are no rows in {file.name}, so there is nothing to price.", "Give a file with rows.")
    return reading.rows


def _shelf() -> "Shelf":
    """Return the price book with what `luthier prices refresh` wrote into the data folder."""
    from bot.settings import Settings
    from trainers.costs.overlay import shelf_in

    return shelf_in(Settings.from_env().data)


def _with_shutdown(shelf: "Shelf", model: str, provider: str, today: date, key_env: str, url: str) -> "Shelf":
    """Ask OpenAI's account when the base is shut down, and return the shelf with that day."""
    from trainers.costs.live import asked_on, shutdown_date

    found, chosen = shelf.asked(model, provider)
    if chosen != "openai":
        raise fail_usage("OpenAI alone names a day for each model: --account-key-env goes with --provider openai.")
    day = shutdown_date(found.name, url=url, key=_key(key_env))
    say(f"{url} says: {found.name} is shut down on {day}." if day else f"{url} names no day for {found.name}.")
    lines = tuple(
        line.asked(day, asked_on(today, url)) if (line.provider, line.model) == (chosen, found.name) else line
        for line in shelf.lines
    )
    return replace(shelf, lines=lines)


def _key(name: str) -> str:
    """Return the value of the variable that holds the account's key; what is wrong with it is said for a shell."""
    from bot.settings import Settings
    from knowledge.errors import UserError

    try:
        return Settings.from_env().secret(name)
    except UserError as wrong:
        unset = "not set" in wrong.what
        what = f"{name} is not set in this shell." if unset else "That is no name of a variable with a key of yours."
        raise fail_usage(
            f"{what} --account-key-env takes the name of a variable, such as MY_KEY, never the key."
        ) from None


def _refuse_elsewhere(key_env: str, charts: Path | None) -> None:
    """Refuse what a quote on this machine has no use for, instead of passing over it."""
    for option, value in (("--account-key-env", key_env), ("--charts", charts)):
        if value:
            raise fail_usage(f"{option} goes with --model: without one I quote a run on this machine.")


def _draw(made: "Estimate", folder: Path) -> None:
    """Write the charts of an estimate, and say what each shows."""
    from trainers.evals.cost_charts import charts_of

    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts_of(made):
        path = folder / f"{chart.name}.png"
        path.write_bytes(chart.png)
        say(f"{path}: {chart.alt}")


def _quote_here(asked: Asked, changes: Mapping[str, str], today: date, as_json: bool) -> None:
    """Quote a fine-tune on this machine, by its own speed, with the rule of success."""
    from bot.settings import Settings
    from bot.shell.rows import read_quote, spec_with, take_in
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.costs.estimate import estimate
    from trainers.costs.workload import whole
    from trainers.quotes import quote

    epochs = None if asked.epochs is None else whole("epochs", asked.epochs)
    with working(Settings.from_env(), say) as at:
        dataset, _ = take_in(at.deps, asked.file, asked.test, "")
        spec = spec_with(epochs=epochs, method="dpo" if dataset.pairs else "")
        jobs, folder = at.deps.jobs, at.deps.datasets.folder
        rule, tokenizer = jobs.rule_for(dataset), jobs.tokenizer(spec.base)
        past = jobs.past_runs(spec, shell_person())
        offer = quote(dataset, spec, rule, folder=folder, tokenizer=tokenizer, past=past)
        offer = replace(offer, plan=jobs.judged_by(dataset))
        passes = spec.hyperparameters.epochs
        load = from_file(folder / dataset.train_path, folder / dataset.test_path, passes, "")
    if not as_json:
        show(read_quote(offer.to_json()))
        return
    told = estimate(load, HERE_MODEL, today=today, provider="own_gpu", changes=changes).to_json()
    show_json({**told, **offer.to_json(), "hash": offer.hash})


def _changes(assume: list[str], requests_per_day: str | None, test: Path | None) -> dict[str, str]:
    """Read the assumptions; what was said twice is refused, as nobody could tell which one counts."""
    changes = {} if requests_per_day is None else {"requests_per_day": requests_per_day}
    by = dict.fromkeys(changes, "--requests-per-day") | ({} if test is None else {"evaluation_rows": "--test"})
    for word in assume:
        name, equals, value = (part.strip() for part in word.partition("="))
        if not equals:
            raise fail_usage(f"{word[:60]} is no NAME=VALUE, such as evaluation_rows=200.")
        if name in by:
            raise fail_usage(f"{name} was said twice: by {by[name]} and by --assume {word[:60]}. Leave one out.")
        changes[name], by[name] = value, "another --assume"
    return changes


EARLIEST, LATEST = 2026, 2100
"""Years for which a day makes sense: the oldest price of the book is of 2026."""


def _day(text: str) -> date:
    from knowledge.clock import utc_now

    if not text:
        return utc_now().date()
    with contextlib.suppress(ValueError):
        day = date.fromisoformat(text)
        if EARLIEST <= day.year <= LATEST:
            return day
        raise fail_usage(f"{day} is too far off: my prices and dates are of {EARLIEST} and later, such as 2027-01-06.")
    raise fail_usage(f"{text[:20]!r} is no day; write one such as 2027-01-06.")


def read_estimate(made: "Estimate") -> str:
    """Lay out an estimate."""
    return "\n".join(_lines(made))


def _lines(made: "Estimate") -> Iterator[str]:
    load, tokens, said = made.workload, made.workload.epoch_tokens(Decimal(0)).expected, made.offer.said
    passes = "1 epoch" if made.epochs == 1 else f"{made.epochs} epochs"
    yield f"{made.offer.title} · {made.offer.state(made.today)} on {made.today}"
    yield f"  Rows        {load.examples:,} × {tokens / load.examples:,.0f} tokens ({load.basis})"
    yield f"  One epoch   {said(made.per_epoch)} ({tokens:,.0f} tokens)"
    yield f"  Training    {said(made.training)} ({passes}: {made.epochs_why})"
    yield f"  Evaluation  {said(made.evaluation)}"
    yield f"  Serving     {said(made.serving)} for 30 days ({made.offer.provider.hosting_terms})"
    yield f"  In all      {said(made.total)}"
    yield from (f"  ! {warning}" for warning in made.warnings)
    yield "\nDoes it pay?"
    yield from _pays(made)
    yield "\nSide by side (the same model where a provider has it, else a small one of its own, not equally good):"
    yield table(("Where", "State", "Training", "Evaluation", "Serving 30 days", "In all"), _elsewhere(made))
    yield from ([made.left_out] if made.left_out else [])
    yield "\nAssumed (change with --assume NAME=VALUE):"
    yield table(("Name", "Value", "What", "Why"), [(a.name, a.value, a.label, a.why) for a in made.assumptions])
    yield "\nPrices used:"
    yield table(("Price", "Figure", "As of", "Source"), list(_prices(made)))


def _pays(made: "Estimate") -> Iterator[str]:
    from trainers.costs.estimate import break_even_note

    note = break_even_note(made)
    yield from ([f"  {note}"] if note else [])
    yield from (f"  {found.sentence}" for found in made.break_even)


def _elsewhere(made: "Estimate") -> list[tuple[str, ...]]:
    return [(row.offer.title, row.state, *row.said) for row in made.comparison]


def _prices(made: "Estimate") -> Iterator[tuple[str, ...]]:
    for name, listed in made.prices.items():
        source = listed.source
        doubt = ", not confirmed" if source.unverified else ""
        old = f" ({source.age(made.today)} days old)" if source.is_old(made.today) else ""
        yield name.replace("_", " "), listed.price.text, f"{source.as_of}{old}", f"{source.name}{doubt}"
    for name in made.unknown:
        yield name.replace("_", " "), "unknown", "", ""
