"""Takes the steps from one schema to another with Alembic; it knows neither turns nor transactions."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.store.schema import MIGRATIONS


def go(connection: Connection, to: str) -> None:
    """Bring the schema up or down to the revision `to`, `head` or `base`, in the transaction of the connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    script, at = ScriptDirectory.from_config(config), MigrationContext.configure(connection).get_current_heads()
    older = to == "base" or (bool(at) and to != "head" and to not in at and _is_below(script, to, at[0]))
    (command.downgrade if older else command.upgrade)(config, to)


def _is_below(script: ScriptDirectory, to: str, at: str) -> bool:
    return any(revision.revision == to for revision in script.iterate_revisions(at, "base"))
