"""Knows the calls of Azure's control plane about deployments of tuned models, one request a method; not when.

Deployments of Microsoft.CognitiveServices. A deployment's name is chosen by whoever makes it, so the submission id is
in it, and the same call again changes it instead of making a second one.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import quote

import httpx

from knowledge.errors import ServiceError
from trainers.backends.base import Made
from trainers.backends.deadline import Deadline
from trainers.backends.wire import READ_SECONDS, KeyRefused, NotThere, Wire, json_body

OURS: Final = "luthier-"
"""How the names of our deployments begin; the submission id follows."""

ACCOUNT: Final = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}"
)
"""Where an account is, on the control plane."""

VERSION: Final = "api-version=2024-10-21"


@dataclass(kw_only=True)
class DeploymentApi(Wire):
    """The deployments of one account; its address ends with the account's name."""

    YES: ClassVar[tuple[int, ...]] = (200, 201)
    EMPTY: ClassVar[tuple[int, ...]] = (200, 202, 204)

    sku: str = "standard"
    """How it is billed: `standard` by the hour, `developertier` not at all and for a day at most."""

    def deploy(self, submission_id: str, deadline: Deadline, model: str) -> str:
        """Serve a tuned model; returns the deployment's name. Raises Refused where nothing was made, ServiceError."""
        body = {
            "sku": {"name": self.sku, "capacity": 1},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
        return str(self._create("PUT", _path(f"{OURS}{submission_id}"), deadline, json_body(body))["name"])

    def state(self, name: str) -> str:
        """Return how far a deployment is: Succeeded where it answers. Raises Refused and ServiceError."""
        return str((self._answer("GET", _path(name)).get("properties") or {}).get("provisioningState") or "Succeeded")

    def serving(self, model: str) -> str | None:
        """Return the name of a deployment of this very model, whoever made it; raises ServiceError."""
        for each in self._all():
            if ((each.get("properties") or {}).get("model") or {}).get("name") == model:
                return str(each["name"])
        return None

    def find(self, submission_id: str) -> str | None:
        """Return the name of the deployment that was made for a submission; raises ServiceError."""
        try:
            return str(self._answer("GET", _path(f"{OURS}{submission_id}"))["name"])
        except NotThere:
            return None

    def listing(self) -> Iterator[Made]:
        """Yield our deployments, all of which cost until they are deleted; raises ServiceError."""
        names = (str(each["name"]) for each in self._all())
        yield from (Made(name, name.removeprefix(OURS)) for name in names if name.startswith(OURS))

    def delete(self, name: str) -> None:
        """Remove a deployment, which stops its bill; one that is gone stays gone. Raises ServiceError, Refused."""
        try:
            self._answer("DELETE", _path(name))
        except NotThere:
            return

    def _all(self) -> Iterator[dict[str, Any]]:
        path = f"/deployments?{VERSION}"
        while path:
            page = self._answer("GET", path)
            yield from page["value"]
            path = self._next(page)

    def _next(self, page: dict[str, Any]) -> str:
        """Return the path of the page after this one; our key goes to no other address than the account's."""
        link, base = str(page.get("nextLink") or ""), self.url.rstrip("/")
        if link and not link.startswith(f"{base}/"):
            raise ServiceError(f"{self.name} sends its list on to another address.", "Set its address as it writes it.")
        return link.removeprefix(base)


def _path(name: str) -> str:
    return f"/deployments/{quote(name)}?{VERSION}"


@dataclass(kw_only=True)
class EntraToken:
    """What the control plane takes instead of a key: a token of an application, asked for anew when it runs out."""

    tenant: str
    client: str
    secret: str = field(repr=False)
    login: str = "https://login.microsoftonline.com"
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", init=False, repr=False)
    _until: float = field(default=0.0, init=False, repr=False)

    def __call__(self) -> str:
        """Return a token that is good for five minutes more. Raises Refused, and httpx's own errors."""
        if self.clock() >= self._until:
            asked = {
                "grant_type": "client_credentials",
                "client_id": self.client,
                "client_secret": self.secret,
                "scope": "https://management.azure.com/.default",
            }
            address = f"{self.login}/{quote(self.tenant)}/oauth2/v2.0/token"
            answer = httpx.post(address, data=asked, timeout=READ_SECONDS, trust_env=False)
            if 400 <= answer.status_code < 500:
                what = "Microsoft does not take the application that manages deployments."
                raise KeyRefused(what, "Set LUTHIER_AZURE_TENANT, LUTHIER_AZURE_CLIENT and LUTHIER_AZURE_SECRET anew.")
            try:
                said = answer.raise_for_status().json()
                self._token, self._until = str(said["access_token"]), self.clock() + float(said["expires_in"]) - 300
            except (ValueError, KeyError, TypeError):
                raise ServiceError("Microsoft's login gave something that is no token.", "It is tried again.") from None
        return self._token
