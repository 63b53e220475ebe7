"""Checks before a job begins that it still is what was approved: quote, knobs, rows, prices; it approves nothing."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from trainers.backends import HOSTED
from trainers.costs.gate import check_base
from trainers.costs.overlay import shelf_in
from trainers.costs.own_prices import OwnPrices
from trainers.data.store import Datasets
from trainers.errors import StaleApproval
from trainers.jobs.ledger import Ledger
from trainers.jobs.submission import provider_of_run
from trainers.quotes import hash_of, repriced
from trainers.tables import Dataset, Job

NEXT = "It does not run; ask for a new quote with `train`."


def sealed_rows(
    ledger: Ledger, datasets: Datasets, job: Job, today: date, own_prices: Mapping[str, OwnPrices]
) -> Dataset:
    """Return a job's data set; raises StaleApproval where anything that its approved quote is hashed over has changed.

    `own_prices` are the operator's, by backend. Raises NotTrainable too, where a base has closed since. What a provider
    has already is not asked again: nothing here changes it, and its outcome has to be brought home.
    """
    dataset = datasets.get(job.dataset_id)
    with ledger.reading() as connection:
        elsewhere = provider_of_run(connection, job.id)
    if not elsewhere:
        own = own_prices.get(json.loads(job.spec)["backend"])
        _check(job, dataset, datasets.folder, today, own)
    return dataset


def check_rows(job: Job, dataset: Dataset, folder: Path) -> None:
    """Raise StaleApproval where training or test rows are others than when the job was quoted."""
    offer = json.loads(job.quote)
    if _content(dataset, folder) != offer["data_sha256"]:
        raise _stale(f"the rows of {offer['dataset']} are others than when it was quoted")


def _check(job: Job, dataset: Dataset, folder: Path, today: date, own: OwnPrices | None) -> None:
    offer: dict[str, Any] = json.loads(job.quote)
    if hash_of(offer) != job.quote_hash:
        raise _stale("the quote is another one")
    if json.loads(job.spec) != offer["spec"]:
        raise _stale("model, method or knobs are others than in the quote")
    check_rows(job, dataset, folder)
    if offer["spec"]["backend"] in HOSTED:  # only then: a damaged list of prices stops nothing that costs nothing
        _check_prices(job, offer, folder, today, own)


def _check_prices(job: Job, offer: Mapping[str, Any], folder: Path, today: date, own: OwnPrices | None) -> None:
    shelf = shelf_in(folder)
    if job.kind == "train":
        check_base(offer["spec"]["backend"], offer["spec"]["base"], today, shelf.lines)
    changed = repriced(offer, shelf, own)
    if changed:
        what = f"Prices changed since this was approved: {'; '.join(changed)}."
        raise StaleApproval(what, NEXT)


def _content(dataset: Dataset, folder: Path) -> str:
    """Return the hash of a data set's files as `Datasets` takes it; "" where one is gone."""
    try:
        train, test = ((folder / path).read_bytes() for path in (dataset.train_path, dataset.test_path))
    except OSError:
        return ""
    return hashlib.sha256(train + b"\0" + test).hexdigest()


def _stale(why: str) -> StaleApproval:
    return StaleApproval(f"This is not what was approved: {why}.", NEXT)
