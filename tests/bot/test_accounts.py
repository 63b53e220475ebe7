"""Accounts of hosted trainers from settings: nothing by itself, words where something lacks, secrets nowhere."""

from pathlib import Path

import pytest

from bot.accounts import hosted_parts, own_prices, served_at, trainable
from bot.doctor import examine
from bot.services import SECRETS, environment, ours
from bot.settings import Settings
from bot.wiring import housekeepers
from knowledge.errors import UserError
from trainers.backends.azure_shape import EntraToken
from trainers.errors import Refused

AZURE = {
    "LUTHIER_AZURE_KEY": "k",
    "LUTHIER_AZURE_URL": "https://res.openai.azure.com/openai/v1",
    "LUTHIER_AZURE_ACCOUNT": "sub/group/account",
    "LUTHIER_AZURE_TENANT": "t",
    "LUTHIER_AZURE_CLIENT": "c",
    "LUTHIER_AZURE_SECRET": "s3cret",
}


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path)}


def settings(data: dict[str, str], **env: str) -> Settings:
    return Settings.from_env({**data, **env})


def test_a_key_that_lies_around_turns_nothing_on(data: dict[str, str]) -> None:
    """OPENAI_API_KEY and its like are never read: this machine alone trains, and nothing leaves it."""
    found = settings(data, OPENAI_API_KEY="sk-1", OPENAI_BASE_URL="https://x/v1", AZURE_OPENAI_API_KEY="k")
    assert trainable(found) == ("local",)
    assert found.remote_endpoints == ()
    assert list(housekeepers(found)) == []


def test_what_is_set_is_shown_and_can_train(data: dict[str, str]) -> None:
    """Each account that is set is a place to train, and the doctor names its address."""
    found = settings(
        data,
        **AZURE,
        LUTHIER_OPENAI_KEY="sk-1",
        LUTHIER_NEBIUS_KEY="n",
        LUTHIER_COMPATIBLE_URL="https://own.example/v1",
    )
    assert trainable(found) == ("local", "openai", "azure", "nebius", "compatible")
    told = examine(found).leaves_this_machine
    for address in ("api.openai.com", "res.openai.azure.com", "tokenfactory.nebius.com", "own.example"):
        assert address in told
    assert [each.provider for each in housekeepers(found)] == [
        "OpenAI", "Azure OpenAI", "Nebius Token Factory", "OpenAI-compatible server",
    ]  # fmt: skip


LACKING = {
    "openai": ({}, "LUTHIER_OPENAI_KEY"),
    "nebius": ({}, "LUTHIER_NEBIUS_KEY"),
    "compatible": ({}, "LUTHIER_COMPATIBLE_URL"),
    "azure": ({}, "LUTHIER_AZURE_KEY and LUTHIER_AZURE_URL"),
    "azure address": ({"LUTHIER_AZURE_KEY": "k"}, "LUTHIER_AZURE_URL"),
    "azure account": ({**AZURE, "LUTHIER_AZURE_ACCOUNT": "only-one"}, "SUBSCRIPTION/RESOURCE-GROUP/ACCOUNT"),
    "azure application": ({**AZURE, "LUTHIER_AZURE_SECRET": ""}, "LUTHIER_AZURE_SECRET"),
    "hosted_rehearsal": ({}, "LUTHIER_REHEARSAL_URL"),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_lacks_says_what_to_set(data: dict[str, str], case: str) -> None:
    """The error names the setting, and no secret."""
    env, said = LACKING[case]
    with pytest.raises(UserError) as refused:
        hosted_parts(settings(data, **env), case.split()[0])
    told = f"{refused.value.what} {refused.value.next_step}"
    assert said in told
    assert "s3cret" not in told


def test_azure_deploys_without_an_hourly_fee_unless_told(data: dict[str, str]) -> None:
    """The sku is the developer's; a setting changes it, and the training type too."""
    parts = hosted_parts(settings(data, **AZURE), "azure")
    assert (parts["deployments"].sku, parts["traits"].body) == ("developertier", {"trainingType": "GlobalStandard"})
    assert parts["deployments"].url.startswith("https://management.azure.com/subscriptions/sub/resourceGroups/group/")
    other = hosted_parts(
        settings(data, **AZURE, LUTHIER_AZURE_SKU="standard", LUTHIER_AZURE_TRAINING_TYPE="Developer"), "azure"
    )
    assert (other["deployments"].sku, other["traits"].body) == ("standard", {"trainingType": "Developer"})
    assert served_at(settings(data, **AZURE), "azure").by_deployment


def test_a_rehearsal_goes_to_the_rehearsal_provider_with_no_key_of_ours(data: dict[str, str]) -> None:
    """Under --rehearse the place keeps its name, says what it is, and the real key stays at home."""
    found = settings(
        data, LUTHIER_REHEARSE="openai", LUTHIER_REHEARSAL_URL="http://127.0.0.1:9/v1", LUTHIER_OPENAI_KEY="sk-real"
    )
    parts = hosted_parts(found, "openai")
    assert (parts["api"].url, parts["api"].key) == ("http://127.0.0.1:9/v1", "rehearsal")
    assert ("(rehearsal)" in parts["api"].name, parts["traits"].pretends) == (True, True)
    assert found.remote_endpoints == ()
    with pytest.raises(UserError, match="cannot be rehearsed"):
        settings(data, LUTHIER_REHEARSE="together")


def test_secrets_reach_only_the_processes_that_need_them(data: dict[str, str]) -> None:
    """The messenger and children get no key; nothing prints one."""
    found = settings(data, **AZURE, LUTHIER_OPENAI_KEY="sk-1", LUTHIER_HOOK_SECRET="whsec_x")  # a test's own
    for name in ("LUTHIER_OPENAI_KEY", "LUTHIER_AZURE_SECRET", "LUTHIER_HOOK_SECRET"):
        assert name in SECRETS
        assert name not in ours(found, "messenger").env
    assert "LUTHIER_OPENAI_KEY" in ours(found, "worker io").env
    assert "LUTHIER_HOOK_SECRET" not in ours(found, "worker io").env
    assert not set(SECRETS) & set(found.child_env)
    assert "sk-1" not in repr(found)
    assert "sk-1" not in repr(hosted_parts(found, "openai"))
    assert "s3cret" not in repr(hosted_parts(found, "azure"))
    assert environment(found)["LUTHIER_REHEARSE"] == ""


def test_prices_of_ones_own_are_read_or_refused(data: dict[str, str]) -> None:
    """Three amounts, 0 for a server of one's own; anything else is told with the setting's name."""
    found = own_prices(settings(data, LUTHIER_COMPATIBLE_PRICES="0 0 0", LUTHIER_NEBIUS_PRICES="$1, 0.10, 0.30"))
    assert {name: str(price.training) for name, price in found.items()} == {"nebius": "1", "compatible": "0"}
    assert own_prices(settings(data)) == {}
    for wrong in ("1 2", "a b c", "-1 0 0", "nan 0 0"):
        with pytest.raises(UserError, match="LUTHIER_NEBIUS_PRICES"):
            own_prices(settings(data, LUTHIER_NEBIUS_PRICES=wrong))


def test_a_token_is_asked_for_once_and_again_when_it_runs_out() -> None:
    """Azure's control plane takes a token of an application; it is kept until five minutes before its end."""
    asked, now = [], [0.0]
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Login(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append(body)
            good = "client_secret=right" in body
            told = b'{"access_token": "t%d", "expires_in": 3600}' % len(asked) if good else b"{}"
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Login)
    Thread(target=server.serve_forever, daemon=True).start()
    login = f"http://127.0.0.1:{server.server_port}"
    token = EntraToken(tenant="t", client="c", secret="right", login=login, clock=lambda: now[0])  # a test's own
    assert [token(), token()] == ["t1", "t1"]
    now[0] = 3301.0
    assert (token(), len(asked)) == ("t2", 2)
    with pytest.raises(Refused, match="does not take the application"):
        EntraToken(tenant="t", client="c", secret="wrong", login=login)()  # a test's own
    server.shutdown()
    server.server_close()
