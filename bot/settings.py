"""Knows every setting and is the only reader of the environment; it does not know what the settings are used for."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import parse_qs, urlsplit

from knowledge.errors import UserError

CHILD_VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""What a training child inherits: nothing that could hold a secret."""

REHEARSED = ("openai", "azure")
"""Hosted trainers that can be rehearsed."""

UNIX_SOCKET_LIMIT = 100
"""Bytes that a unix socket's path may have on Linux and macOS, with a little room."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings; each field names the variable that sets it."""

    data: Path
    """DATA_DIR: everything that Luthier keeps. Default: ./data"""
    cache: Path
    """LUTHIER_CACHE: weights, shared by all data folders. Default: ~/.cache/luthier"""
    port: int = 8765
    """PORT: where the local Slack listens (or, without it, where `web` takes Slack's requests)."""
    database_url: str = ""
    """DATABASE_URL: a Postgres (postgresql://…, with the extra `[postgres]`). Default: SQLite in the data folder."""
    redis_url: str = ""
    """REDIS_URL: a Redis or Valkey server. Default: one that we start ourselves."""
    chroma_url: str = ""
    """CHROMA_URL: a Chroma server for this installation alone. Default: one that we start ourselves."""
    slack_api_url: str = ""
    """SLACK_API_URL: base of Slack's Web API. Default: Slack itself; `up` sets it to the local Slack."""
    slack_bot_token: str = field(default="", repr=False)
    """SLACK_BOT_TOKEN: the bot token (xoxb-…); several with commas between, one for each workspace."""
    slack_signing_secret: str = field(default="", repr=False)
    """SLACK_SIGNING_SECRET: proves that requests come from Slack."""
    notify_channel: str = ""
    """LUTHIER_NOTIFY_CHANNEL: id of the channel for one-line notifications; T1=C1,T2=C2 for several workspaces."""
    public_url: str = ""
    """LUTHIER_PUBLIC_URL: address at which people's browsers reach `web`, for upload links. Empty: no such links."""
    model: str = ""
    """LUTHIER_MODEL: name of a language model. Empty: none is used; an API key alone never turns one on."""
    model_url: str = ""
    """LUTHIER_MODEL_URL: base URL of an OpenAI-compatible endpoint."""
    model_key: str = field(default="", repr=False)
    """LUTHIER_MODEL_KEY: its key."""
    model_price: str = ""
    """LUTHIER_MODEL_PRICE: dollars for a million tokens of prompts, answers: 0.15 0.60; 0 0 for your own server, which
    nobody bills. Empty: as the price book says, else unknown, and then nobody can approve what it is to write."""
    rerank: bool = False
    """LUTHIER_RERANK: 1 lets that model also put found passages into order, a further call for each answer."""
    embeddings: str = ""
    """LUTHIER_EMBEDDINGS: name of an embedding model at an endpoint. Empty: the one on this machine (MiniLM)."""
    embeddings_url: str = ""
    """LUTHIER_EMBEDDINGS_URL: base URL of its OpenAI-compatible endpoint; it gets all texts that are indexed."""
    embeddings_key: str = field(default="", repr=False)
    """LUTHIER_EMBEDDINGS_KEY: its key."""
    judge_model: str = ""
    """LUTHIER_JUDGE_MODEL: name of a language model that compares answers to free text. Empty: nobody judges."""
    judge_url: str = ""
    """LUTHIER_JUDGE_URL: base URL of its OpenAI-compatible endpoint. Default: LUTHIER_MODEL_URL."""
    judge_key: str = field(default="", repr=False)
    """LUTHIER_JUDGE_KEY: its key. Default: LUTHIER_MODEL_KEY, but never for another address."""
    rehearsal_url: str = ""
    """LUTHIER_REHEARSAL_URL: address with /v1 of a `python -m trainers.rehearsal`, which pretends. Empty: none."""
    api_host: str = "127.0.0.1"
    """LUTHIER_API_HOST: address on which `luthier api` listens. Default: 127.0.0.1, this machine alone"""
    api_port: int = 8780
    """LUTHIER_API_PORT: its port. Default: 8780"""
    api_webhook_hosts: tuple[str, ...] = ()
    """LUTHIER_API_WEBHOOK_HOSTS: hosts (name or name:port, with commas between) inside your network that webhooks may
    go to, also by http. Default: none, so that they go to the public internet by https alone."""
    rehearse: str = ""
    """LUTHIER_REHEARSE: openai or azure: its jobs go to the rehearsal provider and say so. `up --rehearse` sets it."""
    openai_key: str = field(default="", repr=False)
    """LUTHIER_OPENAI_KEY: key for fine-tuning at OpenAI. Empty: none is done there, whatever OPENAI_API_KEY holds."""
    openai_url: str = ""
    """LUTHIER_OPENAI_URL: another base URL with /v1. Default: https://api.openai.com/v1"""
    azure_key: str = field(default="", repr=False)
    """LUTHIER_AZURE_KEY: key of an Azure OpenAI resource, for fine-tuning there."""
    azure_url: str = ""
    """LUTHIER_AZURE_URL: the resource's address: https://RESOURCE.openai.azure.com/openai/v1"""
    azure_account: str = ""
    """LUTHIER_AZURE_ACCOUNT: SUBSCRIPTION/RESOURCE-GROUP/ACCOUNT, in which tuned models are deployed for the test."""
    azure_tenant: str = ""
    """LUTHIER_AZURE_TENANT: Microsoft Entra tenant of the application that may make deployments there."""
    azure_client: str = ""
    """LUTHIER_AZURE_CLIENT: id of that application."""
    azure_secret: str = field(default="", repr=False)
    """LUTHIER_AZURE_SECRET: its secret."""
    azure_sku: str = ""
    """LUTHIER_AZURE_SKU: how a deployment for a test is billed. Default: developertier, which has no hourly fee."""
    azure_training_type: str = ""
    """LUTHIER_AZURE_TRAINING_TYPE: Standard, GlobalStandard or Developer. Default: GlobalStandard"""
    nebius_key: str = field(default="", repr=False)
    """LUTHIER_NEBIUS_KEY: key for fine-tuning at Nebius Token Factory."""
    nebius_url: str = ""
    """LUTHIER_NEBIUS_URL: another base URL with /v1. Default: https://api.tokenfactory.nebius.com/v1"""
    nebius_prices: str = ""
    """LUTHIER_NEBIUS_PRICES: dollars for a million tokens of training, prompts, answers: 1 0.10 0.30. Empty: unknown"""
    compatible_key: str = field(default="", repr=False)
    """LUTHIER_COMPATIBLE_KEY: key of any other server of OpenAI's fine-tuning API; empty where it needs none."""
    compatible_url: str = ""
    """LUTHIER_COMPATIBLE_URL: that server's base URL with /v1. Empty: there is none."""
    compatible_bases: str = ""
    """LUTHIER_COMPATIBLE_BASES: names of bases that it trains, with spaces between, to choose from in Slack."""
    compatible_prices: str = ""
    """LUTHIER_COMPATIBLE_PRICES: the same; 0 0 0 for your own server. Empty: unknown, and then nobody can approve."""
    hook_secret: str = field(default="", repr=False)
    """LUTHIER_HOOK_SECRET: whsec_… of webhooks to /hooks/fine-tuning; several with spaces. Empty: none are taken."""
    lease: float = 15
    """LUTHIER_LEASE: seconds a worker owns a job after its last sign of life; beats, sweeps follow it. Default: 15"""
    slack_timeout: int = 15
    """LUTHIER_SLACK_TIMEOUT: seconds that a call of Slack may take. Default: 15"""
    provider_timeout: float = 20
    """LUTHIER_PROVIDER_TIMEOUT: seconds that a paid call to a provider may take. Default: 20"""
    provider_lag: float = 60
    """LUTHIER_PROVIDER_LAG: seconds after that until a provider surely shows what was made. Default: 60"""
    provider_grace: float = 90
    """LUTHIER_PROVIDER_GRACE: seconds after which an unanswered call is looked up. Default: 90"""
    provider_poll: float = 30
    """LUTHIER_PROVIDER_POLL: seconds between two questions to a provider about a job. Default: 30"""
    provider_keep: float = 3600
    """LUTHIER_PROVIDER_KEEP: seconds until a failed job's run at a provider is ended, unless resumed. Default: 3600"""
    threads: int = 2
    """LUTHIER_THREADS: CPU threads of a training child. Default: the machine's cores, at most 8."""
    probes: int = 1000
    """LUTHIER_PROBES: most probes of a suite that an evaluation asks on this machine. Default: 1000, more than
    there are. Fewer are faster and settle less, and the report says how many they were."""
    torch_index: str = ""
    """TORCH_INDEX: a package index to take torch from, such as one with CPU builds. Default: pip's own."""
    child_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The environment of training children."""
    process_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The environment of our own processes, which may hold secrets."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: object) -> "Settings":
        """Read the environment (or `env`); `overrides` are field values from the command line.

        Raises UserError where a value means nothing.
        """
        env = dict(os.environ) if env is None else env
        values: dict[str, object] = {
            "data": Path(env.get("DATA_DIR") or "data").expanduser().resolve(),
            "cache": Path(env.get("LUTHIER_CACHE") or "~/.cache/luthier").expanduser().resolve(),
            "port": _number(env, "PORT", 8765, 0, 65535),
            "threads": _number(env, "LUTHIER_THREADS", min(os.cpu_count() or 1, 8), 1, 256),
            "probes": _number(env, "LUTHIER_PROBES", 1000, 1, 1000),
            "api_host": env.get("LUTHIER_API_HOST") or "127.0.0.1",
            "api_port": _number(env, "LUTHIER_API_PORT", 8780, 0, 65535),
            "api_webhook_hosts": tuple(filter(None, re.split(r"[,\s]+", env.get("LUTHIER_API_WEBHOOK_HOSTS", "")))),
            "rerank": bool(_number(env, "LUTHIER_RERANK", 0, 0, 1)),
            "lease": _seconds(env, "LUTHIER_LEASE", 15, 1, 600),
            "slack_timeout": _number(env, "LUTHIER_SLACK_TIMEOUT", 15, 1, 120),
            "provider_timeout": _seconds(env, "LUTHIER_PROVIDER_TIMEOUT", 20, 0.1, 3600),
            "provider_lag": _seconds(env, "LUTHIER_PROVIDER_LAG", 60, 0, 86_400),
            "provider_grace": _seconds(env, "LUTHIER_PROVIDER_GRACE", 90, 0.1, 86_400),
            "provider_poll": _seconds(env, "LUTHIER_PROVIDER_POLL", 30, 0.1, 3600),
            "provider_keep": _seconds(env, "LUTHIER_PROVIDER_KEEP", 3600, 0, 604_800),
            "child_env": {**{name: env[name] for name in CHILD_VARIABLES if name in env}, **_CHILD_DEFAULTS},
            "process_env": env,
        }
        values |= {name: env.get(variable, "") for name, variable in _TEXTS.items()}
        return cls(**{**values, **overrides})  # type: ignore[arg-type]  # checked field by field in __post_init__

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.data.exists() and not self.data.is_dir():
            raise UserError(f"DATA_DIR is {self.data}, which is a file.", "Name a folder, or one that may be created.")
        if self.rehearse not in ("", *REHEARSED):
            raise UserError(f"{self.rehearse} cannot be rehearsed.", f"Choose {' or '.join(REHEARSED)}.")

    @property
    def database(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{self.data / 'luthier.db'}"

    @property
    def slack_bot_tokens(self) -> tuple[str, ...]:
        """The bot tokens, one for each workspace."""
        return tuple(token.strip() for token in self.slack_bot_token.split(",") if token.strip())

    def notify_channel_of(self, workspace_id: str) -> str:
        """Id of a workspace's channel for notifications, or "" for none."""
        named = dict(part.strip().split("=", 1) for part in self.notify_channel.split(",") if "=" in part)
        return named.get(workspace_id, "") if named else self.notify_channel.strip()

    def secret(self, name: str) -> str:
        """Return the value of the variable that a person named for an endpoint's key; raises UserError.

        Luthier's own secrets are not to be had that way: an endpoint is somebody else's.
        """
        plain = name.isascii() and name.isidentifier() and name.isupper()  # what is not may be the key itself
        if not plain or _TEXTS_BY_VARIABLE.get(name, "model_key") != "model_key":
            raise UserError("That is no name of a variable with an endpoint's key.", "Name one such as MY_KEY.")
        value = self.process_env.get(name, "").strip()
        if not value:
            raise UserError(f"{name} is not set where Luthier's workers run.", "Set it there, start them, `resume`.")
        return value

    @property
    def run(self) -> Path:
        """Folder of sockets and locks, with a path short enough for unix sockets."""
        here = self.data / "run"
        if len(os.fsencode(here / "valkey.sock")) <= UNIX_SOCKET_LIMIT:
            return here
        return Path(gettempdir()) / f"luthier-{sha256(os.fsencode(self.data)).hexdigest()[:12]}"

    @property
    def judge(self) -> tuple[str, str, str]:
        """Name, address and key of the model that judges; without a name there is none, metrics judge alone.

        A model that answers questions does not become a judge by itself: held-out rows would leave unasked.
        """
        if not self.judge_model:
            return "", "", ""
        elsewhere = self.judge_url not in ("", self.model_url)
        return (
            self.judge_model,
            self.judge_url or self.model_url,
            self.judge_key or ("" if elsewhere else self.model_key),
        )

    @property
    def trainers(self) -> dict[str, str]:
        """Name and address of every account for fine-tuning that is set; what is rehearsed goes nowhere."""
        named = {
            "openai": ("OpenAI", (self.openai_url or "https://api.openai.com/v1") if self.openai_key else ""),
            "azure": ("Azure OpenAI", self.azure_url if self.azure_key else ""),
            "nebius": (
                "Nebius",
                (self.nebius_url or "https://api.tokenfactory.nebius.com/v1") if self.nebius_key else "",
            ),
            "compatible": ("a compatible server", self.compatible_url),
        }
        return {title: where for key, (title, where) in named.items() if where and key != self.rehearse}

    @property
    def remote_endpoints(self) -> tuple[str, ...]:
        """Every address outside this machine's own services that is in use, for people to see."""
        named = {
            "Slack": "" if self.slack_api_url or not self.slack_bot_token else "https://slack.com",
            "language model": (self.model_url or "the model's default endpoint") if self.model else "",
            "embedding model": (self.embeddings_url or "the model's default endpoint") if self.embeddings else "",
            "judge": (self.judge[1] or "the model's default endpoint") if self.judge_model else "",
            "database": _database_host(self.database_url),
            "Redis": self.redis_url.rpartition("@")[2],
            "Chroma": self.chroma_url,
            "rehearsal provider": self.rehearsal_url,
            **{f"fine-tuning at {title}": where for title, where in self.trainers.items()},
        }
        return tuple(f"{name}: {where}" for name, where in named.items() if where and not _is_here(where))


_TEXTS = {
    "database_url": "DATABASE_URL",
    "redis_url": "REDIS_URL",
    "chroma_url": "CHROMA_URL",
    "slack_api_url": "SLACK_API_URL",
    "slack_bot_token": "SLACK_BOT_TOKEN",
    "slack_signing_secret": "SLACK_SIGNING_SECRET",
    "notify_channel": "LUTHIER_NOTIFY_CHANNEL",
    "public_url": "LUTHIER_PUBLIC_URL",
    "model": "LUTHIER_MODEL",
    "model_url": "LUTHIER_MODEL_URL",
    "model_key": "LUTHIER_MODEL_KEY",
    "model_price": "LUTHIER_MODEL_PRICE",
    "embeddings": "LUTHIER_EMBEDDINGS",
    "embeddings_url": "LUTHIER_EMBEDDINGS_URL",
    "embeddings_key": "LUTHIER_EMBEDDINGS_KEY",
    "judge_model": "LUTHIER_JUDGE_MODEL",
    "judge_url": "LUTHIER_JUDGE_URL",
    "judge_key": "LUTHIER_JUDGE_KEY",
    "rehearsal_url": "LUTHIER_REHEARSAL_URL",
    "torch_index": "TORCH_INDEX",
    **{
        name: f"LUTHIER_{name.upper()}"
        for name in (
            "rehearse",
            "openai_key",
            "openai_url",
            "azure_key",
            "azure_url",
            "azure_account",
            "azure_tenant",
            "azure_client",
            "azure_secret",
            "azure_sku",
            "azure_training_type",
            "nebius_key",
            "nebius_url",
            "nebius_prices",
            "compatible_key",
            "compatible_url",
            "compatible_bases",
            "compatible_prices",
            "hook_secret",
        )
    },
}

_TEXTS_BY_VARIABLE = {variable: name for name, variable in _TEXTS.items()}

_CHILD_DEFAULTS = {
    # Children load weights from disk only and report to nobody.
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
}


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise UserError(f"{name} is {text!r}.", f"Give a whole number from {low} to {high}.")
    return int(text)


def _seconds(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = env.get(name, "")
    if not text:
        return default
    if not text.replace(".", "", 1).isdecimal() or not low <= float(text) <= high:
        raise UserError(f"{name} is {text!r}.", f"Give a number of seconds from {low:g} to {high:g}.")
    return float(text)


def _database_host(url: str) -> str:
    """Return where a database is; "" for a file and for a unix socket."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", [""])[0]
    return "" if host.startswith("/") else host


def _is_here(where: str) -> bool:
    return any(local in where for local in ("127.0.0.1", "localhost", "[::1]", "unix:"))
