"""Rules, approvals, the log and the watch in a shell, on data folders of their own; what runs jobs is a process."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.shell import luthier
from tests.trainers.rehearsal.provider import ThreadProvider
from tests.whole import ROOT, leftovers

Done = subprocess.CompletedProcess[str]


class Shell:
    """One data folder, and the people who work on it."""

    def __init__(self, data: Path, **env: str) -> None:
        self.data = data
        self.env = {**os.environ, "DATA_DIR": str(data), "COLUMNS": "200", **env}

    def run(self, *words: str, user: str = "ada", stdin: str = "") -> Done:
        """Run a command in this process."""
        return luthier(*words, stdin=stdin, **{**self.env, "LOGNAME": user})

    def start(self, *words: str, user: str = "ada", stdin: str = "") -> Done:
        """Run a command in a process of its own."""
        command = [sys.executable, "-m", "bot", *words]
        env = {**self.env, "LOGNAME": user}
        return subprocess.run(command, cwd=ROOT, env=env, input=stdin, capture_output=True, text=True, timeout=110)

    def told(self, *words: str, code: int = 0, user: str = "ada", own: bool = False) -> Any:
        """Run with --json, in a process of its `own` or in this one; return the one document on standard output."""
        done = (self.start if own else self.run)(*words, "--json", user=user)
        assert done.returncode == code, done.stderr
        assert done.stdout.count("\n") == 1, done.stdout
        return json.loads(done.stdout)

    @contextmanager
    def watching(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Keep a command running whose standard output is a pipe."""
        command = [sys.executable, "-m", "bot", *words]
        child = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        try:
            yield child
        finally:
            child.kill()
            child.communicate()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


SETTINGS = {
    "own_click_limit": ("4.50", "4.50"),
    "one_approver_limit": ("$1,000", "1000"),
    "approvers": ("ben,chi", ["ben", "chi"]),
    "solo_approver": ("yes", True),
    "workspace_cap": ("none", None),
    "channel_cap": ("20", "20"),
    "person_cap": ("10", "10"),
    "chat_tokens_cap": ("100000", 100000),
    "stoppers": ("anyone", "anyone"),
    "jobs_per_person": ("3", 3),
    "add_documents": ("approvers", "approvers"),
    "document_hosts": ("https://Docs.example.com/, a.example.org", ["a.example.org", "docs.example.com"]),
    "remind_after_hours": ("8", 8),
    "paused": ("yes", True),
}


def test_every_rule_can_be_set_and_is_shown(shell: Shell) -> None:
    """Each rule is taken as people write it, shown afterwards, and the change is in the log with old and new."""
    changed = shell.told("settings", "set", *(f"{name}={text}" for name, (text, _) in SETTINGS.items()))["changed"]
    assert {name: change["new"] for name, change in changed.items()} == {n: value for n, (_, value) in SETTINGS.items()}
    rules = shell.told("settings")["rules"]
    assert rules == {name: value for name, (_, value) in SETTINGS.items()}
    (entry,) = shell.told("audit", "list")
    assert (entry["who"], entry["what"]) == ("operator ada", "changed rules")
    assert json.loads(entry["detail"])["approvers"] == {"old": [], "new": ["ben", "chi"]}
    shown = shell.run("settings").stdout
    assert "ben, chi" in shown
    assert "Set aside" in shown


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["set", "workspace_cap=much"], 2, "workspace_cap is an amount of dollars"),
        (["set", "one_approver_limit=-1"], 2, "0 or more"),
        (["set", "colour=blue"], 2, "There is no rule called colour"),
        (["set", "workspace_cap=9", "stoppers=nobody"], 2, "stoppers is requester"),
        (["set", "workspace_cap"], 2, "NAME=VALUE"),
        (["set"], 2, "luthier settings set"),
        (["set", "workspace_cap=1", "--workspace", "nonsense"], 2, "is no workspace"),
        (["set", "approvers=Chi", "--workspace", "T1"], 2, "Chi is no member id"),
        (["change", "workspace_cap=1"], 2, "luthier settings set"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_setting_changes_nothing_and_says_what_is_right(
    shell: Shell, words: list[str], code: int, expected: str
) -> None:
    """Exit 2 for a value that cannot be and for a call that means nothing; of several none is kept; no traceback."""
    done = shell.run("settings", *words)
    assert (done.returncode, expected in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert shell.told("settings")["rules"]["workspace_cap"] == "0"


def behind_our_back(shell: Shell, *statements: str) -> None:
    """Change the log as somebody with the file and an editor can."""
    database = sqlite3.connect(shell.data / "luthier.db", isolation_level=None)
    for (name,) in list(
        database.execute("select name from sqlite_master where type = 'trigger' and tbl_name = 'audit'")
    ):
        database.execute(f"drop trigger {name}")
    for statement in statements:
        database.execute(statement)
    database.close()


def test_the_log_is_verified_and_tampering_found(shell: Shell) -> None:
    """A whole log gives exit 0 and a head; changed behind our back it gives exit 1 and the place."""
    for cap in ("1", "2", "3"):
        shell.run("settings", "set", f"workspace_cap={cap}", "--workspace", "T1")
    found = shell.told("audit", "verify")
    assert (found["whole"], found["logs"]["T1"]["entries"]) == (True, 3)
    kept = found["logs"]["T1"]["head"]
    assert shell.run("audit", "verify", "--workspace", "T1", "--head", kept).returncode == 0
    behind_our_back(shell, "update audit set detail = replace(detail, '3', '9') where place = 3")
    broken = shell.told("audit", "verify", code=1)
    assert (broken["whole"], broken["logs"]["T1"]["broken_at"]) == (False, 3)
    done = shell.run("audit", "verify")
    assert (done.returncode, "T1: BROKEN at entry 3" in done.stdout) == (1, True)
    cut = "update audit_head set place = 2, hash = (select hash from audit where place = 2)"
    behind_our_back(shell, "delete from audit where place = 3", cut)
    assert shell.run("audit", "verify").returncode == 0
    assert shell.run("audit", "verify", "--workspace", "T1", "--head", kept).returncode == 1
    shell.run("settings", "set", "workspace_cap=1")
    assert "Say whose head that is" in shell.run("audit", "verify", "--head", kept).stderr


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Shell]:
    """A shell whose jobs go to the rehearsal provider and cost a cent or more; two of three people approve."""
    provider = ThreadProvider(tmp_path)
    made = Shell(tmp_path / "data", LUTHIER_REHEARSAL_URL=provider.url, LUTHIER_PROVIDER_POLL="0.5")
    rules = ("own_click_limit=0", "one_approver_limit=0", "approvers=ben,chi", "workspace_cap=10")
    assert made.start("settings", "set", *rules).returncode == 0
    yield made
    provider.stop()


@pytest.mark.timeout(240)
def test_two_people_at_one_machine_approve_a_job(paying: Shell) -> None:
    """Ada asks, Eve and Ada may not, Ben's yes is noted, Chi's starts the job and follows it to its end."""
    waiting = paying.told("train", "--backend", "hosted_rehearsal", "--yes", code=1, own=True)
    assert waiting["state"] == "awaiting_approval"
    eve = paying.run("approve", "1", "--yes", user="eve")
    assert (eve.returncode, "approver list" in eve.stderr) == (1, True)
    ada = paying.run("approve", "1", "--yes")
    assert (ada.returncode, "it waits for ben or chi" in ada.stderr) == (1, True)
    no = paying.run("approve", "1", user="ben", stdin="n\n")
    assert (no.returncode, "the quote still waits" in no.stderr) == (1, True)
    ben = paying.start("approve", "1", user="ben", stdin="y\n")
    assert (ben.returncode, "Your yes is noted; it waits for chi: `luthier approve 1`." in ben.stderr) == (0, True)
    assert "asked for by ada" in ben.stderr
    assert paying.run("approve", "1", "--yes", user="ben").returncode == 1
    assert paying.told("approve", "1", "--yes", user="chi", own=True)["state"] == "succeeded"
    late = paying.run("approve", "1", "--yes", user="chi")
    assert (late.returncode, "waits for no approval: it is succeeded" in late.stderr) == (1, True)
    log = [(entry["who"], entry["what"]) for entry in reversed(paying.told("audit"))]
    assert log[1:] == [
        ("ada", "asked for"),
        ("ada", "asked approvers"),
        ("ben", "approved in part"),
        ("chi", "approved"),
        ("luthier", "spent"),
    ]
    assert leftovers(paying.data) == []


@pytest.mark.parametrize(("words", "code"), [(["approve", "9"], 1), (["approve"], 2), (["approve", "1", "--json"], 2)])
def test_an_approval_that_cannot_be_says_so(shell: Shell, words: list[str], code: int) -> None:
    """A job that does not exist gives exit 1, a call that means nothing 2, both in words."""
    done = shell.run(*words)
    assert (done.returncode, bool(done.stderr.strip()), "Traceback" in done.stderr) == (code, True, False)


def test_a_watch_follows_what_happens_until_it_is_told_to_end(shell: Shell) -> None:
    """Piped as JSON it prints a line for each change of another process's job; Ctrl-C ends it and stops no job."""
    shell.run("migrate")
    with shell.watching("jobs", "--watch", "--json") as watch:
        time.sleep(3)
        assert shell.start("train", "--backend", "rehearsal", stdin="n\n").returncode == 1
        assert shell.told("train", "--backend", "rehearsal", "--yes", own=True)["state"] == "succeeded"
        time.sleep(3)
        watch.send_signal(signal.SIGINT)
        said, problems = watch.communicate(timeout=20)
        assert watch.returncode == 130, problems
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["state"] for line in lines if line["number"] == 1][-1] == "cancelled"
    assert [line["state"] for line in lines if line["number"] == 2][-1] == "succeeded"
    assert len({json.dumps(line) for line in lines}) == len(lines)


def test_a_watch_of_one_job_ends_with_it_and_works_in_a_pipe(shell: Shell) -> None:
    """The watch of an ended job prints one line and leaves; without --json too, and when its reader has left."""
    assert shell.told("train", "--backend", "rehearsal", "--yes", own=True)["state"] == "succeeded"
    done = shell.start("jobs", "1", "--watch")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert done.stdout.startswith("#1 · ")
    assert "succeeded" in done.stdout
    with shell.watching("jobs", "--watch") as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert watch.stdout.readline().startswith("#1 · ")
        watch.stdout.close()
        shell.start("train", "--backend", "rehearsal", stdin="n\n")
        assert watch.wait(20) == 1
        assert "Traceback" not in watch.stderr.read()
        watch.stdout = None
