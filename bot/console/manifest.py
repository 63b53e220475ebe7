"""Reads an app manifest: name, commands, scopes, events, prompts. Knows the manifest's form, not how it is used."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.console.wire import Json

DEFAULT_COMMANDS: tuple[Json, ...] = (
    {
        "command": "/tune",
        "description": "Ask, quote, train, list jobs",
        "usage_hint": "[advise|ask|eval-plan|train|jobs|help]",
    },
)


class ManifestError(Exception):
    """The manifest file cannot be read as one; the text says what is wrong and what to do."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a workspace needs to know of the app that is installed in it."""

    name: str = "Luthier"
    """Display name of the app and of its bot user."""
    commands: tuple[Json, ...] = DEFAULT_COMMANDS
    """Slash commands: `command`, `description`, `usage_hint`."""
    scopes: frozenset[str] | None = None
    """Bot scopes; None grants everything."""
    events: frozenset[str] | None = None
    """Subscribed bot events such as `message.channels`; None subscribes to everything."""
    prompts: tuple[Json, ...] = field(default=())
    """Suggested first prompts: `title`, `message`."""
    shortcuts: tuple[Json, ...] = field(default=())
    """Global and message shortcuts: `name`, `type`, `callback_id`, `description`."""

    kind: str = "agent"
    """`agent` (agent_view), `assistant` (assistant_view, the older surface), or empty for an app that is neither."""
    home_tab: bool = True
    """Whether the app shows a Home tab."""
    messages_tab: bool = True
    """Whether people can write to the app, and the app to them."""
    redirect_urls: tuple[str, ...] = ()
    """Addresses to which the installation flow may send people back; none allows this machine."""

    def __post_init__(self) -> None:
        if not re.search(r"[A-Za-z0-9]", self.name):
            raise ManifestError("The manifest's display_information.name needs a letter or digit; give the app a name.")

    @property
    def handle(self) -> str:
        """Lower-case name for mentions and the channel `#ask-<handle>`."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def wants(self, event: str) -> bool:
        """Whether the app subscribed to this event."""
        return self.events is None or event in self.events


def load_manifest(path: Path | None) -> Manifest:
    """Read a YAML or JSON manifest; without a path the default app. Raises ManifestError."""
    if path is None:
        return Manifest()
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ManifestError(f"Cannot read the manifest {path}: {error}. Give a readable YAML file.") from error
    if not isinstance(data, dict):
        raise ManifestError(f"{path} holds no manifest: it must be a mapping with display_information and features.")
    return _manifest(data)


def _manifest(data: Json) -> Manifest:
    features = _table(data, "features")
    settings = _table(data, "settings")
    agent = _table(features, "agent_view") or _table(features, "assistant_view")
    oauth = _table(data, "oauth_config")
    scopes = _table(oauth, "scopes").get("bot")
    redirects = oauth.get("redirect_urls")
    events = _table(settings, "event_subscriptions").get("bot_events")
    name = _table(features, "bot_user").get("display_name") or _table(data, "display_information").get("name")
    home = _table(features, "app_home")
    return Manifest(
        name=str(name or "App"),
        kind=next((kind for kind in ("agent", "assistant") if f"{kind}_view" in features), ""),
        home_tab=bool(home.get("home_tab_enabled", False)),
        messages_tab=bool(home.get("messages_tab_enabled", True)),
        commands=_records(features.get("slash_commands")),
        scopes=None if scopes is None else frozenset(map(str, scopes)),
        events=None if events is None else frozenset(map(str, events)),
        prompts=_records(agent.get("suggested_prompts")),
        shortcuts=_records(features.get("shortcuts")),
        redirect_urls=tuple(map(str, redirects)) if isinstance(redirects, list) else (),
    )


def _table(data: Json, key: str) -> Json:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _records(value: Any) -> tuple[Json, ...]:
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
