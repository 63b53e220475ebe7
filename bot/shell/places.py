"""Where a base can be trained, as a table in a terminal; `trainers.jobs.requoting` prices it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.shell.terminal import table
from knowledge.errors import UserError

if TYPE_CHECKING:
    from handlers.deps import Deps
    from trainers.tables import Dataset

HEAD = ("Where", "--backend", "Training", "Test", "Serving, 30 days")


def check_place(deps: "Deps", base: str, backend: str) -> None:
    """Raise UserError where a hosted trainer is named without a base, or with one that it trains no more."""
    from trainers.backends.bases import check_choice, title_of
    from trainers.backends.traits import all_traits

    known = deps.bases()
    if backend in all_traits() and backend not in ("hosted_rehearsal", "compatible"):
        check_choice(base or "no base", backend, known)
    if backend == "compatible" and not base:
        raise UserError(f"Which base shall {title_of(backend)} train?", "Name it with --base.")
    if base and not backend and base not in known:
        what = f"Nobody that is set up here trains {base} today."
        raise UserError(what, f"Choose one of {', '.join(known)}; `doctor` names what is set up.")


def side_by_side(deps: "Deps", dataset: "Dataset", base: str, knobs: Mapping[str, Any], plan: str) -> str:
    """Price a base at every place that trains it on such rows, and say which do not."""
    from bot.wiring import shell_person
    from trainers.backends.bases import able, title_of
    from trainers.jobs.requoting import priced, spec_for

    now = deps.clock()
    held = {"calls": dataset.calls, "pictures": dataset.pictures}
    places, others = able(deps.bases()[base], base, pairs=dataset.pairs, **held)
    usable = {name: value for name, value in knobs.items() if value is not None and name != "method"}
    paired = {"pairs": dataset.pairs}
    specs = [spec_for(base, each.backend, dataset.train_rows, **paired, **usable) for each in places]
    stands = {each.backend: each.lasts(now.date()) for each in places}
    rows, said = list[tuple[str, ...]](), list[str]()
    for each in priced(deps.jobs, dataset, specs, shell_person(), now, plan):
        title = title_of(each.backend) + (" (rehearsal)" if each.backend in deps.jobs.pretending else "")
        quote = each.quote
        costs = (quote.training_cost, quote.evaluation_cost, quote.serving_cost_30_days) if quote else (None,) * 3
        rows.append((title, each.backend, *("unknown" if cost is None else f"${cost:,.2f}" for cost in costs)))
        said += filter(None, (each.why_not, stands[each.backend] if quote else ""))
    return "\n".join((table(HEAD, rows), *dict.fromkeys([*said, *others])))
