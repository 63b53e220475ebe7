"""Knows how to keep our processes running as pairs of parent and child that can be killed; it does not know what for.

A parent forks its child from a server that has everything imported, so that a death costs milliseconds instead of a
second of imports; the child runs the very function that `python -m bot …` runs and dies with its parent.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from bot.lifeline import die_with_parent

PRELOADED = ("bench.chaos.posts", "bench.chaos.naive")
"""Imported once; every process of ours is forked from there."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """One process to keep running."""

    name: str
    main: Callable[..., None]
    arguments: tuple[object, ...] = ()


@dataclass(kw_only=True)
class Crew:
    """All posts, started and started again."""

    logs: Path
    """Folder of one log file a post."""
    _context: multiprocessing.context.ForkServerContext = field(init=False)
    _posts: dict[str, Post] = field(default_factory=dict, init=False)
    _running: dict[str, BaseProcess] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Start the server from which everything is forked."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))

    def start(self, post: Post) -> None:
        """Start a post and keep it."""
        self._posts[post.name] = post
        made = self._context.Process(
            target=_parent, args=(post, self.logs / f"{post.name}.log", os.getpid()), daemon=True
        )
        made.start()
        self._running[post.name] = made

    def tend(self) -> None:
        """Start again every post whose parent died; a parent starts its child again itself."""
        for name, running in list(self._running.items()):
            if not running.is_alive():
                self.start(self._posts[name])

    def parent(self, name: str) -> int:
        """Return the process id of a post's parent, 0 where it is dead just now."""
        running = self._running[name]
        return running.pid or 0 if running.is_alive() else 0

    def child(self, name: str) -> int:
        """Return the process id of a post's child, 0 where there is none just now."""
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found = psutil.Process(self.parent(name)).children() if self.parent(name) else []
            return next((each.pid for each in found), 0)
        return 0

    def stop(self, limit: float = 15.0) -> list[str]:
        """Ask all posts to end; returns what had to be killed."""
        for running in self._running.values():
            running.terminate()
        until, stubborn = time.monotonic() + limit, []
        for name, running in self._running.items():
            running.join(max(0.1, until - time.monotonic()))
            if running.is_alive():
                stubborn.append(name)
                with suppress(ProcessLookupError):
                    os.killpg(running.pid or 0, signal.SIGKILL)
                running.join(5)
        self._running.clear()
        return stubborn


def _parent(post: Post, log: Path, driver: int) -> None:
    """Keep one child running until SIGTERM, which is passed on, or until the program that wants it is gone."""
    die_with_parent(os.getppid())
    os.setsid()
    _write_to(log)
    _end_after(driver)
    ending = False
    child = 0

    def end(*_: object) -> None:
        nonlocal ending
        ending = True
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    while not ending:
        child = os.fork()
        if child == 0:
            _child(post, os.getppid())
        if ending:
            end()
        _, status = os.waitpid(child, 0)
        child = 0
        if not ending:
            time.sleep(0.02 if os.WIFSIGNALED(status) else 0.2)


def _end_after(driver: int) -> None:
    """Look every second whether a process lives; the server that forks us outlives it where it was killed."""

    def look(*_: object) -> None:
        if not psutil.pid_exists(driver):
            os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)


def _child(post: Post, parent: int) -> None:
    """Run the post's function and never return."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    status = 1
    try:
        die_with_parent(parent)
        post.main(*post.arguments)
        status = 0
    except Exception as error:  # noqa: BLE001, RUF100  # the end of a process: its parent starts it again
        print(f"{post.name} ended with {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _write_to(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
