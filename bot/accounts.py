"""Knows how settings become the account of a hosted trainer, and what is to be set where one lacks; it calls nobody."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

from bot.settings import Settings
from knowledge.errors import UserError
from trainers.backends import HOSTED
from trainers.backends.azure_shape import ACCOUNT, DeploymentApi, EntraToken
from trainers.backends.base import Timing
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.traits import Traits, traits_of
from trainers.costs.own_prices import OwnPrices, read_own_prices
from trainers.speaking import Account

MANAGEMENT = "https://management.azure.com"
"""Azure's control plane."""


def hosted_parts(settings: Settings, name: str) -> dict[str, Any]:
    """Return what the backend `name` is built from; raises UserError that says what to set."""
    if name == "hosted_rehearsal" or name == settings.rehearse:
        return _rehearsed(settings, name)
    traits = _traits(settings, name)
    key, url = _account(settings, traits)
    upper = name.upper()
    return {
        "traits": traits,
        "api": FineTuningApi(name=traits.title, url=url, key=key, key_setting=f"LUTHIER_{upper}_KEY"),
        "deployments": _deployments(settings, traits) if traits.deploys else None,
        **_pace(settings),
    }


def served_at(settings: Settings, name: str) -> Account:
    """Return where the models of the backend `name` answer; raises UserError that says what to set."""
    parts = hosted_parts(settings, name)
    traits, api = parts["traits"], parts["api"]
    return Account(title=api.name, url=api.url, key=api.key, by_deployment=traits.deploys)


def trainable(settings: Settings) -> tuple[str, ...]:
    """Return the backends that can train with these settings, this machine first; pretending ones count."""
    return ("local", *(name for name in HOSTED if name != "hosted_rehearsal" and _is_set(settings, name)))


def own_bases(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the bases that the operator named, by backend."""
    return {"compatible": tuple(settings.compatible_bases.split())}


def own_prices(settings: Settings) -> dict[str, OwnPrices]:
    """Return the prices that the operator set, by backend; raises UserError for what is no price."""
    return dict(_own_prices(settings))


def provider_timing(settings: Settings) -> Timing:
    """Return how long paid calls may take and hide, as it is set."""
    return Timing(settings.provider_timeout, settings.provider_lag, settings.provider_grace)


def _account(settings: Settings, traits: Traits) -> tuple[str, str]:
    upper = traits.key.upper()
    key, url = getattr(settings, f"{traits.key}_key"), getattr(settings, f"{traits.key}_url") or traits.url
    if not key and traits.key != "compatible":
        what = f"There is no account for {traits.title}: LUTHIER_{upper}_KEY is not set."
        raise UserError(what, f"Set LUTHIER_{upper}_KEY{'' if traits.url else f' and LUTHIER_{upper}_URL'}.")
    if not url.startswith(("http://", "https://")):
        what = f"LUTHIER_{upper}_URL is not set, so {traits.title} cannot be reached."
        raise UserError(what, "Set it to an address that ends with /v1.")
    return key, url


def _traits(settings: Settings, name: str) -> Traits:
    traits = traits_of(name)
    if name == "azure" and settings.azure_training_type:
        return replace(traits, body={**traits.body, "trainingType": settings.azure_training_type})
    return traits


def _deployments(settings: Settings, traits: Traits) -> DeploymentApi:
    parts = settings.azure_account.split("/")
    if len(parts) != 3 or not all(parts):
        what = "LUTHIER_AZURE_ACCOUNT is not set, so a tuned model could not be deployed and tested."
        raise UserError(what, "Set it to SUBSCRIPTION/RESOURCE-GROUP/ACCOUNT.")
    entra = ("azure_tenant", "azure_client", "azure_secret")
    lacking = [f"LUTHIER_{name.upper()}" for name in entra if not getattr(settings, name)]
    if lacking:
        what = "Azure makes deployments only for an application, and none is set."
        raise UserError(what, f"Set {', '.join(lacking)}; it needs the right to write deployments.")
    path = ACCOUNT.format(subscription=parts[0], group=parts[1], account=parts[2])
    token = EntraToken(tenant=settings.azure_tenant, client=settings.azure_client, secret=settings.azure_secret)
    made = DeploymentApi(name=traits.title, url=f"{MANAGEMENT}{path}", key="", token=token)
    made.sku = settings.azure_sku or traits.sku
    return made


def _rehearsed(settings: Settings, name: str) -> dict[str, Any]:
    """Raise UserError where no rehearsal provider is set."""
    if not settings.rehearsal_url:
        raise UserError(
            "LUTHIER_REHEARSAL_URL is not set, so there is no rehearsal provider.",
            "Start one with `python -m trainers.rehearsal` and set its address.",
        )
    traits, title = traits_of(name), "rehearsal provider"
    if name == settings.rehearse:
        title = f"{traits.title} (rehearsal)"
        traits = replace(traits, pretends=True, title=title)
    account = ACCOUNT.format(subscription="rehearsal", group="rehearsal", account="rehearsal")
    where = urljoin(settings.rehearsal_url, account)
    return {
        "traits": traits,
        "api": FineTuningApi(name=title, url=settings.rehearsal_url, key="rehearsal"),
        "deployments": DeploymentApi(name=title, url=where, key="rehearsal"),
        **_pace(settings),
    }


def _pace(settings: Settings) -> dict[str, Any]:
    return {"timing": provider_timing(settings), "again_in": timedelta(seconds=settings.provider_poll)}


def _own_prices(settings: Settings) -> Iterator[tuple[str, OwnPrices]]:
    for name in ("nebius", "compatible"):
        found = read_own_prices(getattr(settings, f"{name}_prices"), f"LUTHIER_{name.upper()}_PRICES")
        if found is not None:
            yield name, found


def _is_set(settings: Settings, name: str) -> bool:
    try:
        hosted_parts(settings, name)
    except UserError:
        return False
    return True
