"""A file of rows is divided by a seed: nothing that belongs together is parted, nothing is lost, and it repeats."""

import json
import random
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.data.dividing import Divided, divide
from trainers.data.jsonl import rows_in
from trainers.data.likeness import canonical


def asked(number: int) -> str:
    """A question that resembles no other one."""
    draw = random.Random(number)
    return " ".join("".join(draw.choices("abcdefghiklmnoprstu", k=draw.randint(3, 9))) for _ in range(6))


def rows_of(pairs: list[tuple[str, str]], **keys: list[Any]) -> list[dict[str, Any]]:
    made = []
    for place, (question, answer) in enumerate(pairs):
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        made.append({"messages": turns} | {key: values[place] for key, values in keys.items()})
    return made


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inputs(content: bytes) -> list[str]:
    return [row.prompt for row in rows_in(content)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Sixty different rows of ten customers, one of them in metadata."""
    rows = rows_of([(asked(n), "ab"[n % 2]) for n in range(60)], customer=[f"c{n % 10}" for n in range(60)])
    rows[7]["metadata"] = {"customer": rows[7].pop("customer")}
    return write(tmp_path / "rows.jsonl", rows)


def test_a_seed_divides_alike_and_freezes_the_test_by_its_hash(file: Path) -> None:
    """The same seed gives the same bytes and hash, another one others; every line is in exactly one part, as it was."""
    first, again, other = (divide(file, test_fraction=0.4, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.test_sha256 == sha256(again.test).hexdigest() != other.test_sha256
    lines = file.read_bytes().splitlines(keepends=True)
    assert sorted(first.train.splitlines(keepends=True) + first.test.splitlines(keepends=True)) == sorted(lines)
    assert (first.train_rows, first.test_rows) == (first.train.count(b"\n"), first.test.count(b"\n")) == (36, 24)


def test_a_changed_row_of_the_test_changes_its_hash(file: Path) -> None:
    """The hash stands for the bytes: one letter more is another test."""
    before = divide(file, test_fraction=0.4, seed=7)
    held_out = json.loads(before.test.splitlines()[0])["messages"][0]["content"]
    file.write_text(file.read_text().replace(held_out, f"{held_out}x"))
    after = divide(file, test_fraction=0.4, seed=7)
    assert after.test_sha256 != before.test_sha256


def test_rows_of_a_group_stay_on_one_side(file: Path) -> None:
    """All rows of a customer are taught or all are tested, wherever the key stands; without the key they are parted."""
    parts = divide(file, test_fraction=0.4, seed=7, group="customer")
    sides = [{_customer(line) for line in part.splitlines()} for part in (parts.train, parts.test)]
    assert sides[0] | sides[1] == {f"c{n}" for n in range(10)}
    assert not sides[0] & sides[1]
    assert parts.groups == 10
    alone = divide(file, test_fraction=0.4, seed=7)
    assert {_customer(line) for line in alone.train.splitlines()} & {
        _customer(line) for line in alone.test.splitlines()
    }


def _customer(line: bytes) -> str:
    row = json.loads(line)
    return str(row.get("customer") or row["metadata"]["customer"])


def test_near_repeats_stay_on_one_side(tmp_path: Path) -> None:
    """What differs in a number or a word from an earlier question goes where that one goes, also over a third one."""
    base = [f"Please tell me {asked(n)} when the parcel number {n} arrives" for n in range(4)]
    near = [text.replace("Please tell", "Kindly tell") for text in base]
    pairs = [(text, "Soon.") for text in (*base, *near, *(asked(n) for n in range(10, 50)))]
    for seed in range(6):
        parts = divide(write(tmp_path / "rows.jsonl", rows_of(pairs)), test_fraction=0.3, seed=seed)
        tested, taught = set(inputs(parts.test)), set(inputs(parts.train))
        for one, other in zip(base, near, strict=True):
            assert ({one, other} <= tested) or ({one, other} <= taught)


def test_other_formats_become_chat_rows(tmp_path: Path) -> None:
    """A table is divided too; its parts are chat rows, and a formula's guard is no part of them."""
    path = tmp_path / "rows.csv"
    path.write_text("question,answer\n" + "".join(f"{asked(n)},'=1+{n}\n" for n in range(40)))
    parts = divide(path, test_fraction=0.25, seed=1)
    assert {row.target[:3] for row in rows_in(parts.test)} == {"=1+"}
    assert parts.train_rows + parts.test_rows == 40


def test_a_line_that_can_not_be_read_stops_it(file: Path) -> None:
    """Half a file is not divided: the broken line is named."""
    file.write_text(file.read_text() + "{broken\n")
    with pytest.raises(UserError, match="line 61"):
        divide(file, test_fraction=0.4, seed=7)


def test_an_unknown_group_and_one_that_holds_all_are_told_by_their_cause(file: Path, tmp_path: Path) -> None:
    """Not the number of rows is to blame where a key is unknown, or where all rows belong together."""
    with pytest.raises(UserError, match="No row has a key 'clinic'"):
        divide(file, test_fraction=0.4, seed=7, group="clinic")
    one = write(tmp_path / "one.jsonl", rows_of([(asked(n), "a") for n in range(60)], shop=["s"] * 60))
    with pytest.raises(UserError, match="60 rows form only 1 bundle") as refused:
        divide(one, test_fraction=0.4, seed=7, group="shop")
    assert "other groups" in refused.value.next_step
    few = write(tmp_path / "few.jsonl", rows_of([(asked(n), "a") for n in range(14)]))
    with pytest.raises(UserError, match="14 rows can't be divided") as refused:
        divide(few, test_fraction=0.4, seed=7)
    assert "at least 30" in refused.value.next_step


def test_one_huge_group_does_not_keep_the_others_from_being_tested(tmp_path: Path) -> None:
    """A group of most rows is trained on, and the small ones are held out, whatever the seed draws first."""
    shops = ["big"] * 70 + [f"s{n}" for n in range(15)]
    path = write(tmp_path / "rows.jsonl", rows_of([(asked(n), "a") for n in range(85)], shop=shops))
    for seed in range(10):
        assert divide(path, test_fraction=0.2, seed=seed, group="shop").train_rows >= 70


@given(
    drawn=st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abc"), st.integers(0, 25)), min_size=40, max_size=70),
    fraction=st.floats(0.1, 0.6),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_repeats_nothing_is_lost_and_nothing_parted(
    drawn: list[tuple[int, str, int]], fraction: float, seed: int, tmp_path: Path
) -> None:
    """Every line is in exactly one part in file order, no folded input and no group is in both; or it says why not."""
    rows = rows_of([(asked(n), answer) for n, answer, _ in drawn], case=[group for *_, group in drawn])
    path = write(tmp_path / "rows.jsonl", rows)
    with suppress(UserError):  # few large bundles can't always be divided; the message is tested above
        _check(path, divide(path, test_fraction=fraction, seed=seed, group="case"), fraction, seed)


def _check(path: Path, parts: Divided, fraction: float, seed: int) -> None:
    assert divide(path, test_fraction=fraction, seed=seed, group="case") == parts
    lines = path.read_bytes().splitlines(keepends=True)
    for part in (parts.train, parts.test):
        left = iter(lines)
        assert all(line in left for line in part.splitlines(keepends=True)), "not in file order"
    assert sorted(part for each in (parts.train, parts.test) for part in each.splitlines(keepends=True)) == sorted(
        lines
    )
    folded = [{canonical(text) for text in inputs(part)} for part in (parts.train, parts.test)]
    cases = [{json.loads(line)["case"] for line in part.splitlines()} for part in (parts.train, parts.test)]
    assert not folded[0] & folded[1]
    assert not cases[0] & cases[1]


def test_vertex_rows_are_divided_as_they_were(tmp_path: Path) -> None:
    """Calls of functions have no place in a chat row: both parts hold Vertex's own lines and no key of ours."""
    rows = [
        {
            "contents": [
                {"role": "user", "parts": [{"text": asked(n)}]},
                {"role": "model", "parts": [{"functionCall": {"name": "stock", "args": {"n": n}}}]},
            ]
        }
        for n in range(30)
    ]
    parts = divide(write(tmp_path / "rows.jsonl", rows), test_fraction=0.3, seed=7)
    written = [json.loads(line) for part in (parts.train, parts.test) for line in part.splitlines()]
    assert sorted(written, key=json.dumps) == sorted(rows, key=json.dumps)


def test_a_column_is_found_as_it_is_spelled_in_the_file(tmp_path: Path) -> None:
    """Columns have no case: `--group CustomerID` finds the column of that name."""
    path = tmp_path / "rows.csv"
    path.write_text("question,answer,CustomerID\n" + "".join(f"{asked(n)},a{n},c{n % 10}\n" for n in range(40)))
    assert divide(path, test_fraction=0.3, seed=7, group="CustomerID").groups == 10
