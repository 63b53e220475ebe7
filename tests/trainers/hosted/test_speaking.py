"""Trying a model that stays at its provider: both answer, tokens count, and what cannot be asked says why."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from knowledge.errors import ServiceError, UserError
from knowledge.models import Used
from tests.trainers.hosted.shop import NAME, Shop
from trainers.rehearsal.talking import SAID
from trainers.serving import as_messages
from trainers.speaking import Account, Speakers
from trainers.tables import ModelVersion

HELLO = as_messages("Be short.", "Hello?")


@dataclass
class Counter:
    """Counts tokens, and may say that it is enough."""

    used: list[int] = field(default_factory=list)
    enough: str = ""

    def closed(self) -> str:
        return self.enough

    def count(self, used: Used) -> None:
        self.used.append(used.tokens)


def model(**changed: str) -> ModelVersion:
    told: dict[str, Any] = {"id": "m", "workspace_id": "T1", "job_id": "j", "name": "few", "base": "b"}
    told |= {"adapter_path": "", "backend": "openai", "remote_id": "rehearsal-small", "remote_base": NAME}
    return ModelVersion(**told | changed)


def speakers(shop: Shop, counter: Counter, **changed: Any) -> Speakers:
    account = replace(Account(title="OpenAI", url=shop.provider.url, key="k"), **changed)
    nobody = cast(Any, None)  # a model elsewhere needs nothing of this machine
    return Speakers(local=nobody, registry=nobody, account=lambda _: account, meter=lambda _: counter)


def test_base_and_tuned_model_answer_and_are_counted(shop: Shop) -> None:
    """Both are asked under the names that the provider knows, and their tokens count against the budget of answers."""
    counter = Counter()
    said = speakers(shop, counter).both(model(), HELLO)
    assert (said.base.text, said.tuned.text) == (SAID, SAID)
    assert len(counter.used) == 2
    assert min(counter.used) > 0


def test_a_busy_provider_is_asked_again(shop: Shop) -> None:
    """What was not taken is asked once more, and answered."""
    shop.provider.now(script={"chat": ["busy", ""]}, retry_after=0.01)
    assert speakers(shop, Counter()).both(model(), HELLO).tuned.text == SAID


def test_what_may_have_been_paid_for_is_not_asked_again(shop: Shop) -> None:
    """A connection that breaks after the question went out ends it, in words."""
    shop.provider.now(script={"chat": ["drop_before"]})
    counter = Counter()
    with pytest.raises(ServiceError):
        speakers(shop, counter).both(model(), HELLO)
    assert counter.used == []


def test_an_empty_budget_asks_nobody(shop: Shop) -> None:
    """Where the workspace has used up its tokens, nothing is sent."""
    with pytest.raises(UserError, match="used up"):
        speakers(shop, Counter(enough="This month's tokens are used up.")).both(model(), HELLO)


def test_a_model_without_deployment_says_so(shop: Shop) -> None:
    """Azure's models answer only while they are deployed: that is told, with what to do."""
    with pytest.raises(UserError, match="only while it is deployed"):
        speakers(shop, Counter(), by_deployment=True).both(model(), HELLO)
