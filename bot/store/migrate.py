"""Knows how a database is brought to the newest schema, by one process at a time; it does not know the tables."""

import fcntl
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def migrate(engine: Engine, run: Path) -> None:
    """Bring the schema to head; a second process waits its turn and then finds nothing to do."""
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (run / "migrate.lock").open("ab") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
