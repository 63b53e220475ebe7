"""Settings: read once, checked, and honest about what leaves the machine."""

from pathlib import Path

import pytest

from bot.settings import Settings
from knowledge.errors import UserError


def test_a_key_in_the_environment_turns_nothing_on(tmp_path: Path) -> None:
    """OPENAI_API_KEY alone names no model and no remote endpoint."""
    settings = Settings.from_env({"DATA_DIR": str(tmp_path), "OPENAI_API_KEY": "sk-lying-around"})
    assert settings.model == ""
    assert settings.remote_endpoints == ()


def test_remote_endpoints_are_named(tmp_path: Path) -> None:
    """A model elsewhere, a database elsewhere and Slack are listed; what runs here is not, and no password is."""
    settings = Settings.from_env(
        {
            "DATA_DIR": str(tmp_path),
            "LUTHIER_MODEL": "some-model",
            "LUTHIER_MODEL_URL": "https://models.example/v1",
            "LUTHIER_EMBEDDINGS": "some-embeddings",
            "DATABASE_URL": "postgresql://u:secret@db.example/luthier",
            "CHROMA_URL": "http://127.0.0.1:8000",
            "SLACK_BOT_TOKEN": "xoxb-1",
        }
    )
    assert len(settings.remote_endpoints) == 4
    assert "secret" not in str(settings.remote_endpoints)


@pytest.mark.parametrize("port", ["http", "-1", "70000", "8765.5"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    """PORT has to be a port; the error says which values are."""
    with pytest.raises(UserError) as refused:
        Settings.from_env({"DATA_DIR": str(tmp_path), "PORT": port})
    assert "65535" in refused.value.next_step


def test_children_inherit_no_secrets(tmp_path: Path) -> None:
    """A training child's environment holds no token, key or password that ours holds."""
    env = {"DATA_DIR": str(tmp_path), "PATH": "/bin", "SLACK_BOT_TOKEN": "xoxb-1", "OPENAI_API_KEY": "sk-1"}
    assert not {"xoxb-1", "sk-1"} & set(Settings.from_env(env).child_env.values())


def test_secrets_stay_out_of_the_representation(tmp_path: Path) -> None:
    """Printing settings, as a traceback may, shows no token."""
    env = {"DATA_DIR": str(tmp_path), "SLACK_BOT_TOKEN": "xoxb-1", "LUTHIER_MODEL_KEY": "sk-1"}
    env |= {"LUTHIER_JUDGE_KEY": "sk-2"}
    assert not any(secret in repr(Settings.from_env(env)) for secret in ("xoxb-1", "sk-1", "sk-2"))


MODEL = {"LUTHIER_MODEL": "m", "LUTHIER_MODEL_URL": "https://models.example/v1", "LUTHIER_MODEL_KEY": "sk-1"}


@pytest.mark.parametrize(
    ("env", "judge"),
    [
        ({}, ("", "", "")),
        ({"LUTHIER_JUDGE_KEY": "sk-2", "LUTHIER_JUDGE_URL": "https://judges.example/v1"}, ("", "", "")),
        (MODEL, ("", "", "")),
        ({**MODEL, "LUTHIER_JUDGE_MODEL": "j"}, ("j", "https://models.example/v1", "sk-1")),
        (
            {**MODEL, "LUTHIER_JUDGE_MODEL": "j", "LUTHIER_JUDGE_KEY": "sk-2"},
            ("j", "https://models.example/v1", "sk-2"),
        ),
        (
            {**MODEL, "LUTHIER_JUDGE_MODEL": "j", "LUTHIER_JUDGE_URL": "https://judges.example/v1"},
            ("j", "https://judges.example/v1", ""),
        ),
    ],
)
def test_only_a_named_judge_judges(tmp_path: Path, env: dict[str, str], judge: object) -> None:
    """A judge may share the model's address and key, but is never the model by itself; another address gets no key."""
    assert Settings.from_env({"DATA_DIR": str(tmp_path), **env}).judge == judge


def test_a_judge_elsewhere_is_named(tmp_path: Path) -> None:
    """A judge's address is among what leaves this machine, also the default one; one on this machine is not."""

    def named(**env: str) -> tuple[str, ...]:
        return Settings.from_env({"DATA_DIR": str(tmp_path), **env}).remote_endpoints

    assert named(LUTHIER_JUDGE_MODEL="j", LUTHIER_JUDGE_URL="https://judges.example/v1") == (
        "judge: https://judges.example/v1",
    )
    assert named(LUTHIER_JUDGE_MODEL="j") == ("judge: the model's default endpoint",)
    assert named(LUTHIER_JUDGE_MODEL="j", LUTHIER_JUDGE_URL="http://127.0.0.1:9/v1") == ()
    assert named(LUTHIER_JUDGE_URL="https://judges.example/v1") == ()


def test_sockets_stay_within_the_limit(tmp_path: Path) -> None:
    """A data folder with a very long path still gets sockets whose paths a kernel accepts."""
    deep = tmp_path / ("long-" * 40)
    assert len(str(Settings.from_env({"DATA_DIR": str(deep)}).run / "valkey.sock")) < 100


def test_a_file_in_place_of_the_data_folder_is_named(tmp_path: Path) -> None:
    """DATA_DIR that is a file gives a clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="which is a file"):
        Settings.from_env({"DATA_DIR": str(tmp_path / "file")})


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://luthier:secret@db.example:5433/luthier", ("database: db.example:5433",)),
        ("postgresql://luthier@/luthier?host=db.example", ("database: db.example",)),
        ("postgresql://luthier@/luthier?host=/run/postgresql", ()),
        ("postgresql://127.0.0.1/luthier", ()),
        ("sqlite:////data/luthier.db", ()),
    ],
)
def test_a_database_elsewhere_is_named(tmp_path: Path, url: str, named: tuple[str, ...]) -> None:
    """A database on another machine is among what leaves this one; a file, a socket and this machine are not."""
    assert Settings.from_env({"DATA_DIR": str(tmp_path), "DATABASE_URL": url}).remote_endpoints == named
