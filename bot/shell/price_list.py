"""The commands `prices` and `invoice`: how the price book and a bill read in a terminal; they decide no price."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from trainers.costs.book import Sheet
    from trainers.costs.offers import Shelf
    from trainers.costs.refresh import Difference


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(prices)
    app.command()(invoice)


def prices(
    verb: Annotated[str, typer.Argument(metavar="[show | refresh]", help="What to do.")] = "show",
    provider: Annotated[str, typer.Option(help="show: only this provider.")] = "",
    model: Annotated[str, typer.Option(help="show: only this model, at every provider.")] = "",
    older_than: Annotated[int | None, typer.Option(min=0, help="show: only prices older than so many days.")] = None,
    url: Annotated[str, typer.Option(help="refresh: where litellm's list lies.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="refresh: write the differences into the data folder.")] = False,
    also_odd: Annotated[bool, typer.Option("--also-odd", help="refresh: also those that moved tenfold.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what providers charge, with unit, day and source, or compare base prices and retirement with litellm's list.

    Prices older than 60 days are marked. A refresh asks the network only now, shows what differs, and with --yes keeps
    that beside the book, never in it.
    """
    if verb not in ("show", "refresh"):
        raise fail_usage("Say: luthier prices, or: luthier prices refresh")
    from bot.settings import Settings
    from knowledge.clock import utc_now
    from trainers.costs.overlay import shelf_in

    folder, today = Settings.from_env().data, utc_now().date()
    if verb == "refresh":
        _refresh(folder, today, url, yes, also_odd, as_json)
        return
    _show(shelf_in(folder), today, provider, model, older_than, as_json)


def invoice(
    job: Annotated[str, typer.Argument(help="The job's number.")],
    dollars: Annotated[str, typer.Argument(help="What the provider billed for it, in US dollars.")],
    as_json: JsonFlag = False,
) -> None:
    """Keep what a provider billed for a job, and show by how much each figure of its quote was off."""
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now
    from trainers.costs.workload import BadFigure, figure
    from trainers.jobs.invoices import record

    try:
        amount = figure("dollars", dollars.removeprefix("$"))
    except BadFigure as wrong:
        raise fail_usage(f"{wrong.what} {wrong.next_step}") from None
    with working(Settings.from_env(), say) as at:
        found = at.deps.jobs.ledger.find(shell_person().workspace_id, job)
        compared = record(at.deps.jobs.ledger, found.id, amount, shell_person(), utc_now())
    if as_json:
        show_json({"job": found.number, "reconciled": [one.to_json() for one in compared]})
    else:
        show("\n".join(one.sentence for one in compared))


def _show(shelf: "Shelf", today: date, provider: str, model: str, older_than: int | None, as_json: bool) -> None:
    from trainers.costs.names import UnknownName, find_model, find_provider

    try:
        only, name = find_provider(provider) if provider else "", find_model(model).name if model else ""
    except UnknownName as wrong:
        raise fail_usage(f"{wrong.what} {wrong.next_step}") from None
    rows = [
        row
        for key, book in shelf.books.items()
        if only in ("", key)
        for sheet in book.sheets
        if name in ("", sheet.model)
        for row in _rows(shelf, sheet, today, older_than)
    ]
    if as_json:
        show_json({"date": today.isoformat(), "prices": rows})
        return
    head = ("Provider", "Model", "State", "Price", "Figure", "As of", "Source")
    show(table(head, [_told(row) for row in rows]) if rows else "No price fits that.")
    old = sum(bool(row["old"]) for row in rows)
    if old:
        say(f"{old} of {len(rows)} prices are older than 60 days: check them before you spend.")


def _rows(shelf: "Shelf", sheet: "Sheet", today: date, older_than: int | None) -> Iterator[dict[str, Any]]:
    """Yield a sheet's prices; one line says so where none is known."""
    from trainers.costs.lifecycle import line_of
    from trainers.costs.names import models

    known = models().get(sheet.model)
    state = line_of(sheet.provider, known, shelf.lines).state(today) if known else "open"
    about = {"provider": sheet.provider, "model": sheet.model, "state": state}
    for name, listed in sheet.prices.items():
        if older_than is None or listed.source.age(today) > older_than:
            yield {**about, "name": name, **listed.to_json(today)}
    if "training" not in sheet.prices and "training_hour" not in sheet.prices and older_than is None and known:
        nothing = {"price": None, "source": "", "url": "", "as_of": None, "unverified": False, "age_days": None}
        yield {**about, "name": "training", **nothing, "old": False}


def _told(row: dict[str, Any]) -> tuple[str, ...]:
    if row["price"] is None:
        return row["provider"], row["model"], row["state"], row["name"], "unknown", "", ""
    mark = f" ({row['age_days']} days old)" if row["old"] else ""
    doubt = ", not confirmed" if row["unverified"] else ""
    name, when = row["name"].replace("_", " "), f"{row['as_of']}{mark}"
    return row["provider"], row["model"], row["state"], name, row["price"], when, f"{row['source']}{doubt}"


def _refresh(folder: Path, today: date, url: str, yes: bool, also_odd: bool, as_json: bool) -> None:
    from trainers.costs.facts import Source
    from trainers.costs.overlay import shelf_in, write
    from trainers.costs.refresh import LITELLM, differences, fetch

    address = url or LITELLM
    # Against the shipped book: an overlay is written anew as a whole, and keeps what an earlier one took over.
    found = list(differences(shelf_in(folder / "nothing-here"), fetch(address)))
    wanted = [difference.change for difference in found if also_odd or not difference.odd]
    written = None
    if yes and wanted:
        written = write(folder, wanted, Source(name=f"litellm's list at {address}", url=address, as_of=today))
    if as_json:
        listed = [{**difference.change.to_json(), "odd": difference.odd} for difference in found]
        show_json({"differences": listed, "written": None if written is None else str(written)})
        return
    show(_diff(found))
    left = len(found) - len(wanted)
    if left:
        say(f"{left} moved more than tenfold and are left out: a unit may be wrong. --also-odd takes them over.")
    if written:
        say(f"Written to {written}; the shipped book is as it was. Remove that file to go back.")
    elif wanted:
        say("Nothing was changed. --yes writes these into the data folder.")


def _diff(found: "Sequence[Difference]") -> str:
    if not found:
        return "Nothing differs."
    lines = []
    for difference in found:
        change = difference.change
        odd = "  (!) more than tenfold" if difference.odd else ""
        lines.append(f"{change.provider} {change.model} {change.field.replace('_', ' ')}{odd}")
        lines += [f"  - {change.old or 'unknown'}", f"  + {change.new}"]
    return "\n".join(lines)
