"""`luthier knowledge` on an empty data folder with nothing else running: add, search, list and remove documents."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.shell import luthier as here
from tests.whole import leftovers

PASSAGES = {
    "MED-1": ("Limescale", "Vinegar dissolves limescale in a kettle within an hour."),
    "MED-2": ("Filters", "A charcoal filter is changed every two months."),
    "7/é?#~": ("Noise", "A kettle that sings has too little water in it. " * 40),
}


def luthier(data: Path, *words: str) -> CompletedProcess[str]:
    return here(*words, DATA_DIR=str(data))


def told(data: Path, *words: str, code: int = 0) -> Any:
    """Run with --json and return the one document on standard output."""
    said = luthier(data, *words, "--json")
    assert said.returncode == code, said.stderr
    assert said.stdout.count("\n") == 1
    return json.loads(said.stdout)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one collection of passages, one folder of pages, and one file that could not be read."""
    folder = tmp_path_factory.mktemp("knowledge")
    files = folder.parent / f"{folder.name}-files"
    (files / "pages" / "deep").mkdir(parents=True)
    lines = [json.dumps({"id": key, "title": title, "text": text}) for key, (title, text) in PASSAGES.items()]
    (files / "facts.jsonl").write_text("\n".join(lines))
    (files / "pages" / "deep" / "refunds.md").write_text("# Refunds\n\nThe quokka team pays refunds on Fridays.\n")
    (files / "pages" / "bad.md").write_bytes(b"\xff\xfe\x00\x00 broken")
    (files / "pages" / ".hidden.md").write_text("# Hidden\n\nNever read.\n")
    return folder


def files(data: Path) -> Path:
    return data.parent / f"{data.name}-files"


def test_passages_of_a_file_are_found_under_their_ids(data: Path) -> None:
    """Added once they are searchable, each a single result with its given id; added again nothing is done."""
    added = told(data, "knowledge", "add", str(files(data) / "facts.jsonl"), "--collection", "kettles")
    assert [(each["name"], each["outcome"], each["passages"]) for each in added["documents"]] == [
        ("facts.jsonl", "added", 3)
    ]
    assert added["failed"] == []
    again = told(data, "knowledge", "add", str(files(data) / "facts.jsonl"), "--collection", "kettles")
    assert (again["documents"][0]["outcome"], again["embedded"]) == ("already there", 0)
    asked = files(data) / "queries.jsonl"
    asked.write_text('{"id": "q1", "query": "white crust of lime"}\n\n{"id": 2, "query": "why does my kettle sing"}\n')
    done = luthier(data, "knowledge", "search", "--queries", str(asked), "-k", "2", "--collection", "kettles", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == ["q1", 2]
    assert [line["passages"][0]["id"] for line in lines] == ["MED-1", "7/é?#~"]
    assert all(len({passage["id"] for passage in line["passages"]}) == 2 for line in lines)
    assert all(line["passages"][0]["score"] >= line["passages"][1]["score"] for line in lines)
    assert leftovers(data) == []


def test_a_bad_file_does_not_stop_the_others_and_removal_takes_all(data: Path) -> None:
    """A folder is read with all below it; what failed is named with exit 1; removed, no file holds a word of it."""
    added = told(data, "knowledge", "add", str(files(data) / "pages"), str(files(data) / "gone.md"), code=1)
    assert [each["name"] for each in added["documents"]] == ["deep/refunds.md"]
    assert [Path(each["path"]).name for each in added["failed"]] == ["bad.md", "gone.md"]
    assert all(each["error"] and each["next_step"] for each in added["failed"])
    found = told(data, "knowledge", "search", "quokka refunds", "-k", "1", "--collection", "documents")
    assert found["passages"][0]["id"] == "deep/refunds.md#top-0"
    assert told(data, "knowledge", "remove", "deep/refunds.md")["removed"] == 1
    assert [each["name"] for each in told(data, "knowledge", "list")] == ["facts.jsonl"]
    kept = [path for path in data.rglob("*") if path.is_file() and b"quokka" in path.read_bytes().lower()]
    assert kept == []


def test_a_shell_sees_only_the_workspace_it_names(data: Path) -> None:
    """Documents of another workspace are not listed, not searched and not removed without its id."""
    assert told(data, "knowledge", "list", "--workspace", "T0OTHER") == []
    refused = told(data, "knowledge", "search", "kettle", "--collection", "kettles", "--workspace", "T0OTHER", code=1)
    assert "no collection" in refused["error"]
    assert "kettles" not in refused["next_step"]
    told(data, "knowledge", "remove", "facts.jsonl", "--collection", "kettles", "--workspace", "T0OTHER", code=1)
    assert len(told(data, "knowledge", "list")) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["knowledge", "add"],
        ["knowledge", "search"],
        ["knowledge", "search", "both", "--queries", "x.jsonl"],
        ["knowledge", "remove"],
        ["knowledge", "remove", "x.md", "--all"],
        ["knowledge", "search", "x", "-k", "0"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_2_and_says_how(data: Path, words: list[str]) -> None:
    """A call that means nothing exits 2 with a line on standard error and no traceback."""
    done = luthier(data, *words)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_bad_line_of_queries_is_named(data: Path, tmp_path: Path) -> None:
    """Nothing is searched where a line is no query; its number is told."""
    bad = tmp_path / "queries.jsonl"
    bad.write_text('{"id": "1", "query": "fine"}\n{"id": "2"}\n')
    assert "Line 2" in told(data, "knowledge", "search", "--queries", str(bad), code=1)["error"]
