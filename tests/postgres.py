"""A real Postgres 16 for tests and measurements, from a wheel: it needs no installation, no root and no network."""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests: what they write need not survive a power cut."""

DURABLE = ("fsync=on", "synchronous_commit=on")
"""For measurements: what a real server does."""

START_LIMIT = 60.0
"""Seconds; a busy machine takes several."""


class Postgres:
    """One server in a folder of its own, reached through a unix socket; it ends with this process."""

    def __init__(self, settings: Sequence[str] = FAST) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="luthier-pg-"))
        self._who = _unprivileged()
        self._bin = self._programs()
        self._count = 0
        self._call("initdb", "-D", "data", "-U", "luthier", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        chosen = [part for setting in (*settings, "max_connections=200") for part in ("-c", setting)]
        argv = [str(self._bin / "postgres"), "-D", "data", "-k", str(self.home), "-h", "", *chosen]
        with (self.home / "log").open("ab") as log:
            self._server = subprocess.Popen(
                argv, cwd=self.home, stdout=log, stderr=log, preexec_fn=_end_with_parent, **self._who
            )
        self._wait()

    def create(self, template: str = "template1") -> str:
        """Make a database, as a copy of `template`; returns its name."""
        self._count += 1
        name = f"d{self._count}"
        self._run(f"create database {name} template {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database and end whoever is connected to it."""
        self._run(f"drop database {name} with (force)")

    def url(self, name: str) -> str:
        """Address of a database for SQLAlchemy."""
        return f"postgresql://luthier@/{name}?host={self.home}"

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(30)
        shutil.rmtree(self.home)

    def _programs(self) -> Path:
        """The wheel's programs; root may not run them and others may not enter root's folders, so root copies them."""
        found = importlib.util.find_spec("pgserver")
        assert found is not None
        assert found.submodule_search_locations is not None
        package = Path(found.submodule_search_locations[0])
        if self._who:
            for part in ("pgserver/pginstall", "pgserver.libs"):
                shutil.copytree(package.parent / part, self.home / part, symlinks=True)
            os.chown(self.home, self._who["user"], self._who["group"])
            package = self.home / "pgserver"
        return package / "pginstall" / "bin"

    def _call(self, program: str, *arguments: str) -> None:
        made = subprocess.run(
            [str(self._bin / program), *arguments], cwd=self.home, capture_output=True, text=True, **self._who
        )
        assert made.returncode == 0, made.stderr

    def _wait(self) -> None:
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until:
            assert self._server.poll() is None, (self.home / "log").read_text()
            try:
                self._run("select 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.home / "log").read_text())

    def _run(self, statement: str) -> None:
        with psycopg.connect(host=str(self.home), user="luthier", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


def _unprivileged() -> dict[str, int]:
    """Who runs the server: this user, or `nobody` where this user is root, which Postgres refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _end_with_parent() -> None:
    """A test run that is killed leaves no server behind (Linux only; elsewhere `stop` has to do)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG
