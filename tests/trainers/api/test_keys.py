"""Keys of the API: hashed, scoped, rotated, revoked, limited; and what HTTP says to a wrong one."""

from decimal import Decimal

import httpx
import openai
import pytest
from sqlalchemy import text

from knowledge.errors import UserError
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.trainers.api.shop import ADA, BASE, BEN, EVE, Shop, now, upload
from trainers import audit
from trainers.api.keys import PREFIX, Wish, hashed
from trainers.api.rates import Rates
from trainers.errors import NotAllowed

OPERATOR = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")


def test_no_secret_is_kept(shop: Shop) -> None:
    """What lies in the database is a hash; neither it nor the audit holds the secret."""
    made = shop.key()
    assert made.secret.startswith(PREFIX)
    with shop.engine.connect() as connection:
        stored = [
            str(row) for table in ("api_key", "audit") for row in connection.execute(text(f"select * from {table}"))
        ]
    assert hashed(made.secret) in "".join(stored)
    assert made.secret not in "".join(stored)
    assert [entry.what for entry in audit.listing(shop.engine, "T1")] == ["key made"]


def test_a_rotated_or_revoked_key_is_worth_nothing(shop: Shop) -> None:
    """After a rotation only the new secret works, after a revocation none; each 401 has OpenAI's code."""
    made = shop.key()
    renewed = shop.keys.rotate(made.key.id, ADA, now())
    with shop.client(made) as old, pytest.raises(openai.AuthenticationError, match="Incorrect"):
        old.models.list()
    with shop.client(renewed) as client:
        assert client.models.list().data
        assert shop.keys.revoke(made.key.id, ADA, now())
        assert not shop.keys.revoke(made.key.id, ADA, now())
        with pytest.raises(openai.AuthenticationError, match="revoked") as refused:
            client.models.list()
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(UserError, match="was revoked"):
        shop.keys.rotate(made.key.id, ADA, now())


@pytest.mark.parametrize(
    ("headers", "said"), [({}, "didn't provide"), ({"authorization": "Bearer sk-luthier-nobody"}, "Incorrect API key")]
)
def test_a_missing_or_wrong_key_is_401(shop: Shop, headers: dict[str, str], said: str) -> None:
    """Nothing is answered without a key that is known, and the key is not repeated."""
    answer = httpx.get(f"{shop.url}/files", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert said in answer.json()["error"]["message"]
    assert "nobody" not in answer.text


def test_a_key_does_what_its_scopes_say(shop: Shop) -> None:
    """Each scope opens its own routes; the refusal names the one that is missing, before a body is read."""
    with shop.client(shop.key(scopes=("read",))) as reader:
        assert list(reader.files.list()) == []
        for call in (
            lambda: upload(reader),
            lambda: reader.fine_tuning.jobs.create(model=BASE, training_file="x"),
            lambda: reader.chat.completions.create(model=BASE, messages=[{"role": "user", "content": "x"}]),
        ):
            with pytest.raises(openai.PermissionDeniedError, match="Missing scopes"):
                call()
    with shop.client(shop.key(scopes=("files",))) as sender:
        assert upload(sender)
        with pytest.raises(openai.PermissionDeniedError, match="Missing scopes: read"):
            sender.files.list()


def test_a_key_that_asks_too_often_is_told_when_to_come_back(shop: Shop) -> None:
    """The request above the rate is 429 with Retry-After, and another key is not slowed."""
    made = shop.key(per_minute=2)
    answers = [shop.get(made, "/models") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 31
    assert answers[2].json()["error"]["code"] == "rate_limit_exceeded"
    assert shop.get(shop.key(), "/models").status_code == 200


def test_a_bucket_fills_again() -> None:
    """After the seconds that were told the next request is taken."""
    clock = [0.0]
    rates = Rates(clock=lambda: clock[0])
    assert [rates.wait("k", 60) for _ in range(60)] == [0.0] * 60
    wait = rates.wait("k", 60)
    assert wait == pytest.approx(1.0)
    clock[0] += wait
    assert rates.wait("k", 60) == 0.0
    assert rates.wait("k", 60) > 0


def test_who_may_do_what_with_a_key(shop: Shop) -> None:
    """Its owner and an operator rotate it, an approver revokes it; another workspace does not know of it."""
    shop.rules(approvers=("U0BEN",))
    made = shop.key()
    with pytest.raises(NotAllowed, match="Only the owner"):
        shop.keys.rotate(made.key.id, BEN, now())
    with pytest.raises(UserError, match="no key"):
        shop.keys.revoke(made.key.id, EVE, now())
    assert shop.keys.rotate(made.key.id, OPERATOR, now()).secret != made.secret
    assert [key.id for key in shop.keys.listing(BEN, everybody=True)] == [made.key.id]
    assert shop.keys.listing(BEN) == []
    with pytest.raises(NotAllowed):
        shop.keys.listing(ADA, everybody=True)
    assert shop.keys.revoke(made.key.id, BEN, now())
    theirs = shop.keys.create(Wish("robot", service=True, channel="C0MINE"), OPERATOR, now(), ADA)
    assert (theirs.key.owner, theirs.key.workspace_id) == ("U0ADA", "T1")
    with pytest.raises(NotAllowed):
        shop.keys.create(Wish("robot"), BEN, now(), ADA)


@pytest.mark.parametrize(
    "wish",
    [
        Wish(""),
        Wish("x" * 81),
        Wish("a\nb"),
        Wish("a", ("fly",)),
        Wish("a", limit=Decimal(-1)),
        Wish("a", per_minute=0),
    ],
)
def test_a_key_that_means_nothing_is_not_made(shop: Shop, wish: Wish) -> None:
    """A name, scopes, a limit and a rate have to mean something."""
    with pytest.raises(UserError):
        shop.keys.create(wish, ADA, now())
