"""`luthier datasets`, `convert` and `split` in a shell: versions are kept, compared, shared and really deleted."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from bot.shell.datasets import group
from bot.store.engine import open_engine
from knowledge.clock import utc_now
from knowledge.tenancy import Person
from tests.bot.test_shell_knowledge import luthier, told
from trainers.data.counting import counter
from trainers.data.examples import EXAMPLES
from trainers.data.store import Datasets
from trainers.errors import DatasetRejected


def rows(path: Path, *texts: str, first: int = 0) -> Path:
    """Write rows with two labels; `texts` are answers of further rows."""
    made = [(f"Ticket {n} about the matter {n * 7919 % 997}", ("billing", "returns")[n % 2]) for n in range(40)]
    made = made[first:] + [(f"Another one {n}", answer) for n, answer in enumerate(texts)]
    turns = [[{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in made]
    path.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one data set in two versions, the second with one more row."""
    folder = tmp_path_factory.mktemp("datasets")
    told(folder, "datasets", "add", str(rows(folder / "tickets.jsonl")))
    told(folder, "datasets", "add", str(rows(folder / "more.jsonl", "billing")), "--to", "tickets")
    return folder


def test_more_rows_make_a_version_with_the_same_test_rows(data: Path) -> None:
    """Rows that are there already are left out, the test rows stay, and each row knows its file."""
    new, old = told(data, "datasets", "list")[:2]
    assert (new["version"], old["version"]) == (2, 1)
    assert new["test_rows"] == old["test_rows"]
    assert [file["name"] for file in new["files"]] == ["tickets.jsonl", "more.jsonl"]
    out = data / "out"
    out.mkdir()
    files = told(data, "datasets", "download", "tickets", "--out", str(out))["files"]
    trail = json.loads(Path(files[2]).read_text())
    assert len(trail["train"]) == new["train_rows"] == len(Path(files[0]).read_text().splitlines())
    assert trail["train"][-1] == [1, 41]
    again = luthier(data, "datasets", "download", "tickets", "--out", str(out))
    assert again.returncode == 1
    assert "already" in again.stderr


def test_a_call_that_can_not_be_meant_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    """An unknown target, a target for rows of a set that is there, and a name that reads as a version: exit 2."""
    path = str(rows(tmp_path / "a.jsonl"))
    for wrong in (["--target", "nowhere"], ["--target", "openai", "--to", "a"], ["--name", "tickets v2"]):
        assert CliRunner().invoke(group, ["add", path, *wrong]).exit_code == 2, wrong


def test_rows_too_long_for_this_machine_are_kept_for_a_target_that_reads_more(engine: Engine, tmp_path: Path) -> None:
    """The length of a row is judged by where it goes."""
    path = rows(tmp_path / "a.jsonl", "word " * 600)
    datasets = Datasets(engine, tmp_path, lambda _: counter("o200k_base"))
    told = {"person": Person(workspace_id="T", user_id="U"), "provenance": "a test's", "now": utc_now()}
    assert datasets.add(path, None, name="a", target="openai", **told).dataset.train_rows  # type: ignore[arg-type]
    with pytest.raises(DatasetRejected, match="longer than"):
        datasets.add(path, None, name="b", target="local", **told)  # type: ignore[arg-type]


def test_rows_with_nothing_new_are_refused(data: Path) -> None:
    """A file of known rows makes no version, and a blocked one none either."""
    repeated = luthier(data, "datasets", "add", str(rows(data / "again.jsonl", "billing")), "--to", "tickets v2")
    assert repeated.returncode == 1
    broken = data / "broken.jsonl"
    broken.write_text('{"messages": [],}\n')
    assert luthier(data, "datasets", "add", str(broken), "--to", "tickets").returncode == 1
    assert len(told(data, "datasets", "list")) == 2


def test_two_versions_are_compared_without_their_content(data: Path) -> None:
    """The difference names counts and lines, and no word of a row."""
    found = told(data, "datasets", "diff", "tickets v1", "tickets v2")
    assert (len(found["train"]["added"]), found["train"]["removed"], found["train"]["changed"]) == (1, [], [])
    said = luthier(data, "datasets", "diff", "tickets").stdout
    assert "1 row new" in said
    assert "Another one" not in said


def test_one_version_alone_has_nothing_to_compare_with(data: Path) -> None:
    """The first version has none before it: a wrong call."""
    assert luthier(data, "datasets", "diff", "tickets v1").returncode == 2


def test_fixing_makes_a_version_and_says_what_was_mended(tmp_path: Path) -> None:
    """A row twice is dropped in a new version; the old one stays, and fixing again changes nothing."""
    path = rows(tmp_path / "twice.jsonl")
    path.write_text(path.read_text() + path.read_text().splitlines()[0] + "\n")
    test = rows(tmp_path / "test.jsonl", *["billing"] * 6, first=40)
    told(tmp_path, "datasets", "add", str(path), "--test", str(test))
    done = told(tmp_path, "datasets", "fix", "twice")
    assert (done["version"], done["train_rows"]) == (2, 40)
    assert "repeat an earlier one" in done["mended"][0]
    assert told(tmp_path, "datasets", "fix", "twice")["version"] == 2


def test_deleting_removes_the_bytes_and_the_labels(tmp_path: Path) -> None:
    """After a deletion no file and no column holds a word of the rows; its number is not given again."""
    path = rows(tmp_path / "short.jsonl", *["zanzibar"] * 4)
    first = told(tmp_path, "datasets", "add", str(path))
    assert (tmp_path / "datasets" / first["id"]).is_dir()
    assert luthier(tmp_path, "datasets", "delete", "short").returncode == 2
    gone = told(tmp_path, "datasets", "delete", "short v1", "--yes")
    assert gone["deleted"] == first["id"]
    path.unlink()
    assert not any(b"zanzibar" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert luthier(tmp_path, "datasets", "show", "short").returncode == 1
    assert told(tmp_path, "datasets", "add", str(rows(tmp_path / "short.jsonl")))["version"] == 2


def test_a_job_that_waits_keeps_its_rows(tmp_path: Path) -> None:
    """Rows that a quote stands on are not deleted; after it is dropped they are, and its end is told first."""
    told(tmp_path, "datasets", "add", str(rows(tmp_path / "held.jsonl")))
    with open_engine(f"sqlite:///{tmp_path / 'luthier.db'}").begin() as connection:
        found = connection.execute(text("select id, workspace_id from dataset")).one()
        columns = "workspace_id, number, kind, state, title, dataset_id, spec, quote, quote_hash, requested_by"
        columns += ", id, queue, priority, private, phase, model_id, channel, thread_ts, approved_by, fence, owner"
        columns += ", stop_requested_by, progress, result, error_what, error_next, created_at"
        values = f"'{found.workspace_id}', 1, 'train', 'quoted', 'x', '{found.id}', '{{}}', '{{}}', '', 'me'"
        values += ", 'job_1', 'cpu', 'interactive', 0, '', '', '', '', '', 0, '', '', '{}', '{}', '', '', 1"
        connection.execute(text(f"insert into job ({columns}) values ({values})"))  # a test's own
    refused = luthier(tmp_path, "datasets", "delete", "held v1", "--yes")
    assert refused.returncode == 1
    assert "Job #1 needs these rows" in refused.stderr
    with open_engine(f"sqlite:///{tmp_path / 'luthier.db'}").begin() as connection:
        connection.execute(text("update job set state = 'cancelled', approved_at = 1"))
    said = told(tmp_path, "datasets", "delete", "held v1", "--yes")
    assert said["stays"] == ["Job #1 can't be resumed any more."]


def test_renaming_and_sharing(tmp_path: Path) -> None:
    """A name may be changed to one that is free; what was one's own becomes everybody's once."""
    told(tmp_path, "datasets", "add", str(rows(tmp_path / "a.jsonl")), "--mine")
    told(tmp_path, "datasets", "add", str(rows(tmp_path / "b.jsonl", "returns")))
    assert luthier(tmp_path, "datasets", "rename", "a", "b").returncode == 1
    assert told(tmp_path, "datasets", "rename", "a", "<b> & co")["name"] == "<b> & co"
    assert told(tmp_path, "datasets", "share", "<b> & co")["changed"]
    assert not told(tmp_path, "datasets", "share", "<b> & co")["changed"]
    assert luthier(tmp_path, "datasets", "rename", "b", "\n").returncode == 1


def test_convert_writes_what_a_target_wants(tmp_path: Path) -> None:
    """A table becomes Azure's file with its mark; nothing is overwritten, an unknown target is a wrong call."""
    table = tmp_path / "t.csv"
    table.write_text("prompt,completion\nHello?,Hi\nMore?,No\n")
    assert told(tmp_path, "convert", str(table), "--to", "azure")["rows"] == 2
    assert (tmp_path / "t.azure.jsonl").read_bytes().startswith(b"\xef\xbb\xbf")
    assert luthier(tmp_path, "convert", str(table), "--to", "azure").returncode == 2
    assert luthier(tmp_path, "convert", str(table), "--to", "nowhere").returncode == 2
    table.write_text("one,two\n1,2\n")
    assert luthier(tmp_path, "convert", str(table), "--to", "csv").returncode == 1


def test_split_holds_rows_out_and_freezes_them(tmp_path: Path) -> None:
    """The two files hold all rows, the test part lies under its hash, and a share over 1 is a wrong call."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(EXAMPLES["tickets"].train.read_bytes())
    done = told(tmp_path, "split", str(path), "--test", "0.5")
    parts = [Path(done[part]).read_text().splitlines() for part in ("train", "test")]
    assert sorted(parts[0] + parts[1]) == sorted(path.read_text().splitlines())
    assert list((tmp_path / "frozen").rglob(f"{done['test_sha256']}.jsonl"))
    assert luthier(tmp_path, "split", str(path), "--test", "20").returncode == 2
