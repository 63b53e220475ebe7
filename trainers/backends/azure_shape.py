"""Knows the calls of Azure's control plane about deployments of tuned models, one request a method; not when.

Deployments of Microsoft.CognitiveServices. A deployment's name is chosen by whoever makes it, so the submission id is
in it, and the same call again changes it instead of making a second one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote

from knowledge.errors import ServiceError
from trainers.backends.base import Made
from trainers.backends.deadline import Deadline
from trainers.backends.wire import NotThere, Wire, json_body

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
    """How it is billed: `standard` by the hour."""

    def deploy(self, submission_id: str, deadline: Deadline, model: str) -> str:
        """Serve a tuned model; returns the deployment's name. Raises Refused where nothing was made, ServiceError."""
        body = {
            "sku": {"name": self.sku, "capacity": 1},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
        return str(self._create("PUT", _path(f"{OURS}{submission_id}"), deadline, json_body(body))["name"])

    def find(self, submission_id: str) -> str | None:
        """Return the name of the deployment that was made for a submission; raises ServiceError."""
        try:
            return str(self._answer("GET", _path(f"{OURS}{submission_id}"))["name"])
        except NotThere:
            return None

    def listing(self) -> Iterator[Made]:
        """Yield our deployments, all of which cost until they are deleted; raises ServiceError."""
        path = f"/deployments?{VERSION}"
        while path:
            page = self._answer("GET", path)
            names = (str(each["name"]) for each in page["value"])
            yield from (Made(name, name.removeprefix(OURS)) for name in names if name.startswith(OURS))
            path = self._next(page)

    def delete(self, name: str) -> None:
        """Remove a deployment, which stops its bill; one that is gone stays gone. Raises ServiceError, Refused."""
        try:
            self._answer("DELETE", _path(name))
        except NotThere:
            return

    def _next(self, page: dict[str, Any]) -> str:
        """Return the path of the page after this one; our key goes to no other address than the account's."""
        link, base = str(page.get("nextLink") or ""), self.url.rstrip("/")
        if link and not link.startswith(f"{base}/"):
            raise ServiceError(f"{self.name} sends its list on to another address.", "Set its address as it writes it.")
        return link.removeprefix(base)


def _path(name: str) -> str:
    return f"/deployments/{quote(name)}?{VERSION}"
