"""Reviews on both databases: nothing written is lost, nobody overwrites anybody, and a review ends once."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from bot.store.engine import open_engine
from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers import audit
from trainers.data.jsonl import Message, read_rows
from trainers.data.review import LATE, REANSWERED, Key, Look, Outcome, Reviews
from trainers.data.review_finish import finish, finished, may_post, posted
from trainers.data.review_report import report
from trainers.data.review_rows import TEMPLATE, Draft, clashes, coverage, is_template, read_draft, turns_of
from trainers.data.review_writing import MOST_ROWS, kept_together
from trainers.data.store import Datasets
from trainers.errors import DatasetRejected, ReviewNotFound, RowRefused

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
ADA = Person(workspace_id="T1", user_id="U0ADA")
BEN = Person(workspace_id="T1", user_id="U0BEN")
EVE = Person(workspace_id="T2", user_id="U0EVE")
Json = dict[str, Any]


def drafted(asks: str, answer: str = "billing", kind: str = "easy") -> Json:
    turns = [("system", "Sort tickets."), ("user", asks), ("assistant", answer)]
    messages = [{"role": role, "content": content} for role, content in turns]
    return {"messages": messages, "kind": kind, "why": f"reveals {kind}", "provenance": "drafted by the planner"}


def words(asks: str, answer: str = "billing", kind: str = "easy") -> Draft:
    return read_draft(drafted(asks, answer, kind))


DRAFTS = [drafted("My card was charged twice"), drafted("Where is it?", "shipping", "boundary"), drafted("?!", "")]


@pytest.fixture
def reviews(engine: Engine, tmp_path: Path) -> Reviews:
    return Reviews(engine=engine, datasets=Datasets(engine, tmp_path / "data"))


@pytest.fixture
def sqlite_reviews(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Reviews]:
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'luthier.db'}")
    yield Reviews(engine=engine, datasets=Datasets(engine, tmp_path))
    engine.dispose()


def begun(
    reviews: Reviews, drafts: Sequence[Json] = DRAFTS, purpose: Literal["test", "train"] = "test", **spec: Any
) -> str:
    where = {"channel": "C0ASK", "thread_ts": "1.1"}
    return reviews.begin(drafts, purpose=purpose, title="tickets", spec=spec, person=ADA, **where, now=NOW).id


def key(reviews: Reviews, review_id: str, place: int) -> Key:
    row = next(row for row in reviews.look(ADA, review_id).rows if row.place == place)
    return Key(review_id, place, row.version)


def statuses(look: Look) -> list[str]:
    return [row.status for row in look.rows]


def at_once(*calls: Callable[[], Outcome]) -> list[Outcome]:
    """Make calls at the same moment; gives what came of each."""
    came: list[Outcome] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Outcome]) -> None:
        gate.wait()
        came.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == len(calls)
    return came


def test_keep_and_drop_go_on_to_the_next_undecided_row(reviews: Reviews) -> None:
    """Each decision changes one row by one version and the card goes on to what waits."""
    made = begun(reviews)
    assert reviews.keep(ADA, Key(made, 1, 1), NOW).review.shown == 2
    assert reviews.drop(BEN, Key(made, 2, 1), NOW).review.shown == 3
    look = reviews.look(ADA, made)
    assert statuses(look) == ["kept", "dropped", "draft"]
    assert [(row.version, row.changed_by) for row in look.rows] == [(2, "U0ADA"), (2, "U0BEN"), (1, "U0ADA")]


def test_the_same_again_changes_nothing_and_says_so(reviews: Reviews) -> None:
    """A double click on Keep is told from somebody else's change."""
    made = begun(reviews)
    assert reviews.keep(ADA, Key(made, 1, 1), NOW).changed
    assert reviews.keep(ADA, Key(made, 1, 1), NOW)[:2] == (False, "stale")
    assert reviews.keep(ADA, Key(made, 1, 2), NOW)[:2] == (False, "same")


def test_a_row_without_an_answer_is_not_kept(reviews: Reviews) -> None:
    """Keep asks for the answer; keeping the rest leaves such a row; an edit that gives it one keeps it."""
    made = begun(reviews)
    with pytest.raises(RowRefused, match="right answer"):
        reviews.keep(ADA, Key(made, 3, 1), NOW)
    assert reviews.keep_rest(ADA, made, NOW).changes == 2
    assert reviews.keep_rest(ADA, made, NOW)[:2] == (False, "same")
    assert statuses(reviews.look(ADA, made)) == ["kept", "kept", "draft"]
    assert reviews.edit(ADA, Key(made, 3, 1), words("?!", "other"), NOW).changed
    assert statuses(reviews.look(ADA, made)) == ["kept", "kept", "kept"]


def test_an_edit_on_an_older_version_is_refused_and_kept(reviews: Reviews) -> None:
    """Ben hears that Ada was first; the row has her text and the history has both."""
    made = begun(reviews)
    assert reviews.edit(ADA, Key(made, 1, 1), words("Charged twice by Ada"), NOW).changed
    late = reviews.edit(BEN, Key(made, 1, 1), words("Charged twice by Ben"), NOW)
    assert (late.changed, late.why) == (False, "stale")
    assert late.row is not None
    assert (late.row.changed_by, late.row.version) == ("U0ADA", 2)
    history = reviews.history(ADA, made, 1)
    assert [change.what for change in history] == ["drafted", "edited", LATE]
    assert ["Ada" in history[1].messages, "Ben" in history[2].messages] == [True, True]
    assert reviews.edit(BEN, Key(made, 1, 2), words("Charged twice by Ben"), NOW).changed


def test_undo_takes_back_and_brings_again(reviews: Reviews) -> None:
    """Undo gives a row its words and status of before, as a new version; undoing that brings the change back."""
    made = begun(reviews)
    reviews.edit(ADA, Key(made, 1, 1), words("Other words"), NOW)
    back = reviews.undo(BEN, Key(made, 1, 2), NOW).row
    assert back is not None
    assert (turns_of(back)[1].content, back.status, back.version) == ("My card was charged twice", "draft", 3)
    again = reviews.undo(BEN, Key(made, 1, 3), NOW).row
    assert again is not None
    assert (turns_of(again)[1].content, again.status) == ("Other words", "kept")
    assert reviews.undo(ADA, Key(made, 2, 1), NOW)[:2] == (False, "same")


@pytest.mark.parametrize(
    ("asked", "answer", "why", "kept"),
    [
        ("My card was charged twice", "shipping", "", True),
        ("My card was charged twice.", "billing", "", True),
        ("My card was charged twice", "billing", "It is clear.", True),
        ("Can I pay by invoice?", "billing", "", False),
        ("Can I pay by invoice?", "billing", "It is clear.", False),
    ],
)
def test_a_template_stays_one_until_it_asks_something_else(
    reviews: Reviews, asked: str, answer: str, why: str, kept: bool
) -> None:
    """Another answer, a full stop or another reason rewrites nothing; a reason that somebody gave is not lost."""
    template = f"{TEMPLATE}: it only names the label."
    rows = [{**drafted("My card was charged twice"), "why": template}, drafted("Where is it?", "shipping")]
    made = begun(reviews, rows, "train")
    told = read_draft({**drafted(asked, answer), "why": why or template})
    reviews.edit(ADA, Key(made, 1, 1), told, NOW)
    row = reviews.look(ADA, made).row(1)
    assert is_template(row) is kept
    assert why in row.why
    assert bool(row.why)


def test_another_answer_drops_the_reason_of_the_former_one(reviews: Reviews) -> None:
    """Undo brings it back; a reason that comes with the edit, or the first answer of a row, changes nothing of it."""
    made = begun(reviews)
    told = drafted("My card was charged twice")
    reviews.edit(ADA, Key(made, 1, 1), read_draft(drafted("My card was charged twice", "shipping")), NOW)
    assert reviews.look(ADA, made).row(1).why == REANSWERED
    reviews.undo(ADA, Key(made, 1, 2), NOW)
    assert reviews.look(ADA, made).row(1).why == told["why"]
    mine = read_draft({**drafted("Where is it?", "billing", "boundary"), "why": "Mine."})
    reviews.edit(ADA, Key(made, 2, 1), mine, NOW)
    reviews.edit(ADA, Key(made, 3, 1), words("?!", "billing"), NOW)
    assert [reviews.look(ADA, made).row(place).why for place in (2, 3)] == ["Mine.", "reveals easy"]


def test_like_rows_with_other_answers_clash(reviews: Reviews) -> None:
    """The same case in nearly the same words can't have two labels; dropped rows and free answers do not count."""
    near = "My card was charged twice for the order of last week, please give one back"
    drafts = [drafted(near), drafted(f"{near} soon", "shipping"), drafted("Where is my parcel?", "shipping")]
    rows = reviews.look(ADA, begun(reviews, drafts, "train")).rows
    labels = ["billing", "shipping"]
    assert [(one.place, other.place) for one, other in clashes(rows, labels)] == [(1, 2)]
    assert clashes([rows[0], rows[1].model_copy(update={"status": "dropped"}), rows[2]], labels) == []
    assert clashes(rows) == []


def test_rows_are_added_and_shown(reviews: Reviews) -> None:
    """One's own row is kept at once, a drafted one waits; what is there already is refused."""
    made = begun(reviews)
    own = reviews.add(BEN, made, words("A new one", "returns"), NOW)
    assert own.row is not None
    assert (own.review.shown, own.row.status) == (4, "kept")
    drawn = reviews.another_like(ADA, Key(made, 2, 1), lambda _, row, rows: drafted("Like row 2", "shipping"), NOW)
    assert drawn.row is not None
    assert (drawn.row.place, drawn.row.status) == (5, "draft")
    with pytest.raises(RowRefused, match="Row 4 asks the same"):
        reviews.another_like(ADA, Key(made, 2, 1), lambda *_: drafted("a NEW  one."), NOW)
    with pytest.raises(RowRefused, match="Row 4 asks the same"):
        reviews.edit(ADA, Key(made, 1, 1), words("A new one"), NOW)


def test_a_row_can_be_answered_although_its_twin_was_drafted(reviews: Reviews) -> None:
    """Twins among drafts do not keep anybody from editing the answer; a test that would count both is refused."""
    made = begun(reviews, [drafted("Same"), drafted("same ", "other")])
    assert reviews.edit(ADA, Key(made, 1, 1), words("Same", "sales"), NOW).changed
    reviews.keep_rest(ADA, made, NOW)
    with pytest.raises(RowRefused, match="Rows 1 and 2 ask the same"):
        finish(reviews, ADA, made, NOW)
    assert reviews.drop(ADA, key(reviews, made, 2), NOW).changed
    assert finish(reviews, ADA, made, NOW).changed


@pytest.mark.parametrize("what", ["keep", "edit", "keep and edit", "keep and rest"])
def test_of_two_who_change_one_row_one_wins(reviews: Reviews, what: str) -> None:
    """At the same moment on the same version, exactly one change counts, and the loser's words are in the history."""
    for turn in range(5):
        made = begun(reviews, [drafted(f"ticket {turn}")])
        calls = {
            "keep": lambda who, made=made: reviews.keep(who, Key(made, 1, 1), NOW),
            "edit": lambda who, made=made: reviews.edit(who, Key(made, 1, 1), words(f"by {who.user_id}"), NOW),
            "rest": lambda who, made=made: reviews.keep_rest(who, made, NOW),
        }
        first, _, second = what.partition(" and ")
        came = at_once(lambda: calls[first](ADA), lambda: calls[second or first](BEN))  # noqa: B023  # called at once
        assert sum(outcome.changed for outcome in came) == 1
        row = reviews.look(ADA, made).rows[0]
        history = reviews.history(ADA, made, 1)
        assert row.version == 2
        assert [change.version for change in history if change.what != LATE] == [1, 2]
        if what == "edit":
            assert {"U0ADA", "U0BEN"} <= {change.who for change in history if "by U0" in change.messages}


def test_finishing_twice_makes_one_test(reviews: Reviews) -> None:
    """Four who finish at once make one frozen file; everybody hears of the same one, in OpenAI's exact format."""
    made = begun(reviews)
    reviews.keep_rest(ADA, made, NOW)
    came = at_once(*[lambda who=who: finish(reviews, who, made, NOW) for who in (ADA, BEN, ADA, BEN)])
    assert sorted(outcome.changed for outcome in came) == [False, False, False, True]
    review = reviews.look(ADA, made).review
    files = finished(reviews, review)
    assert files.rows.read_bytes().splitlines()[0] == json.dumps({"messages": DRAFTS[0]["messages"]}).encode()
    assert [row.target for row in read_rows(files.rows).rows] == ["billing", "shipping"]
    assert "reveals boundary" in files.report.read_text("utf-8")
    assert "U0ADA" in files.report.read_text("utf-8")
    assert json.loads(review.result)["left"] == 1
    assert [entry.what for entry in audit.listing(reviews.engine, "T1")] == ["finished review", "began review"]


def test_the_report_tells_rows_kept_one_by_one_from_those_kept_with_the_rest(reviews: Reviews) -> None:
    """Who clicks once for all that are left has not decided about each of them."""
    made = begun(reviews)
    reviews.keep(ADA, key(reviews, made, 1), NOW)
    reviews.keep_rest(BEN, made, NOW)
    look = reviews.look(ADA, made)
    with reviews.engine.connect() as connection:
        together = kept_together(connection, made)
    told = report(look.review, look.rows, "ab", NOW, together)
    assert "- U0ADA: 1\n" in told
    assert "- U0BEN: 1, 1 of them kept with the rest and not one by one" in told
    assert "decided by U0ADA" in told
    assert "kept with the rest by U0BEN" in told
    finish(reviews, BEN, made, NOW)
    kept = finished(reviews, reviews.look(ADA, made).review).report.read_text("utf-8")
    assert "kept with the rest by U0BEN" in kept


def test_after_the_end_nothing_changes(reviews: Reviews) -> None:
    """Verbs on a finished review say that it is over, an edit is kept in the history, and the file is as it was."""
    made = begun(reviews)
    reviews.keep_rest(ADA, made, NOW)
    finish(reviews, BEN, made, NOW)
    before = finished(reviews, reviews.look(ADA, made).review).rows.read_bytes()
    row = key(reviews, made, 1)
    for outcome in (
        reviews.drop(ADA, row, NOW),
        reviews.edit(ADA, row, words("too late"), NOW),
        reviews.undo(ADA, row, NOW),
        reviews.keep_rest(ADA, made, NOW),
        reviews.add(ADA, made, words("also too late"), NOW),
        reviews.another_like(ADA, row, lambda *_: drafted("x"), NOW),
        reviews.show(ADA, made, 2),
        reviews.discard(ADA, made, NOW),
        finish(reviews, ADA, made, NOW),
    ):
        assert (outcome.changed, outcome.why) == (False, "closed")
        assert outcome.review.finished_by == "U0BEN"
    assert "too late" in reviews.history(ADA, made, 1)[-1].messages
    assert finished(reviews, reviews.look(ADA, made).review).rows.read_bytes() == before


def test_a_frozen_file_that_was_changed_is_refused(reviews: Reviews) -> None:
    """Rows that no longer have the hash they were frozen with are not handed out."""
    made = begun(reviews)
    reviews.keep_rest(ADA, made, NOW)
    review = finish(reviews, ADA, made, NOW).review
    path = finished(reviews, review).rows
    path.chmod(0o644)
    path.write_text("{}\n")
    with pytest.raises(RowRefused, match="were changed"):
        finished(reviews, review)


def test_a_death_while_finishing_loses_nothing(reviews: Reviews) -> None:
    """A claimed review lets nobody change a row, and whoever finishes next makes the same of it."""
    made = begun(reviews)
    reviews.keep_rest(ADA, made, NOW)
    with reviews.engine.begin() as connection:
        connection.execute(text("update review set state = 'finishing', finished_by = 'U0ADA'"))
    assert reviews.drop(BEN, key(reviews, made, 1), NOW).why == "closed"
    assert finish(reviews, BEN, made, NOW).changed
    assert reviews.look(ADA, made).review.finished_by == "U0ADA"


STATES = ("old", "new", "red", "blue", "late", "lost", "torn", "wet")
THINGS = ("lamp", "sofa", "invoice", "parcel", "charger", "desk", "kettle", "bike")
TRAIN = [
    drafted(f"Please help me with matter number {n} of the {state} {THINGS[n % 8]}", "billing" if n % 2 else "shipping")
    for n, state in enumerate(STATES * 8)
]


def test_training_rows_become_one_version(reviews: Reviews) -> None:
    """Two who finish at once make one version of the data set, and it says who reviewed it."""
    made = begun(reviews, TRAIN, "train", name="tickets-v2…")  # a name that was cut
    reviews.keep_rest(BEN, made, NOW)
    at_once(*[lambda who=who: finish(reviews, who, made, NOW) for who in (ADA, BEN)])
    (dataset,) = reviews.datasets.listing("T1")
    assert (dataset.name, dataset.version, dataset.train_rows + dataset.test_rows) == ("tickets-v2", 1, len(TRAIN))
    assert "reviewed in Slack by U0BEN" in dataset.provenance
    assert reviews.look(ADA, made).review.dataset_id == dataset.id


def test_blocked_training_rows_leave_the_review_open(reviews: Reviews) -> None:
    """What the linter blocks is said, and the rows can still be mended."""
    made = begun(reviews, TRAIN[:2], "train")
    reviews.keep_rest(ADA, made, NOW)
    with pytest.raises(DatasetRejected, match="2 rows are kept, and a data set needs at least 10") as short:
        finish(reviews, ADA, made, NOW)
    wanted = "at least 13 rows more, better 28 (30: 10 to train on, 20 to test on)"
    assert short.value.next_step == (
        f"Keep, draft or add 8 rows more, then Finish. To train: 2 rows are too few to train anywhere: {wanted}."
    )
    assert reviews.look(ADA, made).review.state == "open"
    assert reviews.drop(ADA, key(reviews, made, 1), NOW).changed


def test_files_are_posted_by_one(reviews: Reviews) -> None:
    """Of those who would upload the files one may; one who never reported back is replaced after a while."""
    made = begun(reviews)
    reviews.keep_rest(ADA, made, NOW)
    review = finish(reviews, ADA, made, NOW).review
    assert [may_post(reviews, review, NOW) for _ in range(2)] == [True, False]
    assert may_post(reviews, review, NOW + timedelta(minutes=3))
    posted(reviews, review, [])
    assert may_post(reviews, review, NOW)
    posted(reviews, review, ["F1", "F2"])
    assert not may_post(reviews, review, NOW + timedelta(hours=1))


def test_another_workspace_sees_nothing(reviews: Reviews) -> None:
    """Every verb from another workspace ends the same: there is no such review."""
    made = begun(reviews)
    one = Key(made, 1, 1)
    for verb in (
        lambda: reviews.look(EVE, made),
        lambda: reviews.history(EVE, made, 1),
        lambda: reviews.show(EVE, made, 2),
        lambda: reviews.keep(EVE, one, NOW),
        lambda: reviews.drop(EVE, one, NOW),
        lambda: reviews.edit(EVE, one, words("x"), NOW),
        lambda: reviews.undo(EVE, one, NOW),
        lambda: reviews.keep_rest(EVE, made, NOW),
        lambda: reviews.add(EVE, made, words("x"), NOW),
        lambda: reviews.another_like(EVE, one, lambda *_: drafted("x"), NOW),
        lambda: reviews.discard(EVE, made, NOW),
        lambda: finish(reviews, EVE, made, NOW),
    ):
        with pytest.raises(ReviewNotFound):
            verb()
    assert statuses(reviews.look(ADA, made)) == ["draft"] * 3


@pytest.mark.parametrize(
    "messages",
    [None, "hello", [1], [{"role": "tool", "content": "x"}], [{"role": "user", "content": " "}], [],
     [{"role": "user", "content": "x"}, {"role": "system", "content": "late"}],
     [{"role": "assistant", "content": "x"}]],
)  # fmt: skip
def test_what_is_no_row_is_refused(reviews: Reviews, messages: object) -> None:
    """Drafts of a wrong shape begin no review."""
    with pytest.raises(RowRefused):
        begun(reviews, [{"messages": messages, "kind": "easy", "why": "", "provenance": ""}])


def test_a_review_has_a_most(reviews: Reviews) -> None:
    """More rows than people look through are refused in words."""
    with pytest.raises(RowRefused, match="at most"):
        begun(reviews, [drafted(f"n{n}") for n in range(MOST_ROWS + 1)])


def test_nothing_kept_is_nothing_to_finish(reviews: Reviews) -> None:
    """A review without kept rows is not finished, and stays open."""
    made = begun(reviews)
    with pytest.raises(RowRefused, match="No row is kept"):
        finish(reviews, ADA, made, NOW)
    assert reviews.discard(ADA, made, NOW).review.state == "discarded"


def test_coverage_counts_kinds_and_labels(reviews: Reviews) -> None:
    """Coverage follows every verb; a wanted label without rows is named with zero."""
    made = begun(reviews, labels=["billing", "shipping", "returns"])
    reviews.keep(ADA, Key(made, 1, 1), NOW)
    look = reviews.look(ADA, made)
    told = coverage(look.rows, look.spec["labels"])
    assert told[:4] == (1, 0, 2, 1)
    assert told.kinds == {"easy": (1, 2), "boundary": (0, 1)}
    assert told.labels == {"billing": (1, 1), "shipping": (0, 1), "returns": (0, 0)}


def test_a_kind_that_is_wanted_and_that_no_row_has_is_counted_as_none(reviews: Reviews) -> None:
    """A case of the coverage for which nothing was drafted stands on the card and in the report with 0."""
    made = begun(reviews, labels=["billing"], coverage={"case": ["easy", "boundary", "out_of_scope"]})
    look = reviews.look(ADA, made)
    assert coverage(look.rows, (), look.spec["coverage"]).kinds == {
        "easy": (0, 2), "boundary": (0, 1), "out of scope": (0, 0),
    }  # fmt: skip
    assert "| out of scope | 0 | 0 |" in report(look.review, look.rows, "ab", NOW)


def test_rows_that_were_kept_before_are_kept_in_the_next_review(reviews: Reviews) -> None:
    """The first ones are kept as they are, one without an answer excepted, and the card shows the first new one."""
    where: Json = {"channel": "C1", "thread_ts": "1.1", "person": ADA, "now": NOW}
    made = reviews.begin(DRAFTS[::-1], purpose="train", title="t", spec={}, kept=2, review_id="rev_next", **where)
    look = reviews.look(ADA, "rev_next")
    assert (made.id, statuses(look), look.review.shown) == ("rev_next", ["draft", "kept", "draft"], 3)


def test_history_cannot_be_rewritten(reviews: Reviews) -> None:
    """SQL itself refuses to change what somebody wrote."""
    begun(reviews)
    with pytest.raises(IntegrityError, match="keeps what was written"), reviews.engine.begin() as connection:
        connection.execute(text("update review_change set messages = '[]'"))


VERBS = st.sampled_from(["keep", "drop", "edit", "undo", "rest", "add", "finish", "reopen"])
STEP = st.tuples(VERBS, st.integers(1, 4), st.integers(0, 2), st.sampled_from([ADA, BEN]))


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=14))
def test_no_sequence_of_verbs_loses_a_text(sqlite_reviews: Reviews, steps: list[Any]) -> None:
    """Whatever people do in whatever order, on versions old or new, every text that was taken is in the history.

    Each row equals its newest version there, and versions have no gap. On SQLite; races run on both databases above.
    """
    reviews = sqlite_reviews
    made = begun(reviews)
    wrote: set[str] = set()
    for number, (verb, place, behind, who) in enumerate(steps):
        text_ = f"text {number} of {who.user_id}"
        try:
            reviews, took = _step(reviews, made, verb, place, behind, who, text_)
        except UserError:
            continue
        wrote |= {text_} if took else set()
    look = reviews.look(ADA, made)
    past = [change for row in look.rows for change in reviews.history(ADA, made, row.place)]
    everything = " ".join(change.messages for change in past)
    assert all(text_ in everything for text_ in wrote)
    for row in look.rows:
        versions = [change for change in past if change.place == row.place and change.what != LATE]
        assert [change.version for change in versions] == list(range(1, row.version + 1))
        assert (versions[-1].messages, versions[-1].status) == (row.messages, row.status)
        assert row.answered or row.status != "kept"


def _step(
    reviews: Reviews, made: str, verb: str, place: int, behind: int, who: Person, text_: str
) -> tuple[Reviews, bool]:
    """Do one thing; gives the reviews to go on with, and whether `text_` was handed over."""
    row = next((row for row in reviews.look(who, made).rows if row.place == place), None)
    at = Key(made, place, max(1, row.version - behind) if row else 1)
    if verb == "reopen":
        reviews.engine.dispose()
        return Reviews(engine=reviews.engine, datasets=reviews.datasets), False
    if verb == "edit":
        reviews.edit(who, at, words(text_), NOW)
        return reviews, True
    if verb == "add":
        return reviews, reviews.add(who, made, words(text_), NOW).changed
    other: dict[str, Callable[[], object]] = {
        "keep": lambda: reviews.keep(who, at, NOW),
        "drop": lambda: reviews.drop(who, at, NOW),
        "undo": lambda: reviews.undo(who, at, NOW),
        "rest": lambda: reviews.keep_rest(who, made, NOW),
        "finish": lambda: finish(reviews, who, made, NOW),
    }
    other[verb]()
    return reviews, False


def test_many_turns_survive(reviews: Reviews) -> None:
    """A conversation of several turns comes out as it went in."""
    turns = [Message("user", "hi"), Message("assistant", "yes?"), Message("user", "late"), Message("assistant", "ok")]
    made = begun(
        reviews, [{"messages": [turn._asdict() for turn in turns], "kind": "edge", "why": "", "provenance": ""}]
    )
    assert turns_of(reviews.look(ADA, made).rows[0]) == tuple(turns)


def test_further_drafts_are_added_undecided(reviews: Reviews) -> None:
    """Drafts that no row asks come at the end, undecided, the first one shown; one that a row asks is left out."""
    where: Json = {"channel": "C0ASK", "thread_ts": "1.1", "person": ADA, "now": NOW}
    review = reviews.begin(DRAFTS, purpose="test", title="tickets", spec={}, **where)
    more = [drafted("my card was charged TWICE"), drafted("May I send it back?", "returns"), drafted("Hello?", "")]
    outcome = reviews.extend(BEN, review.id, more, NOW)
    assert (outcome.changed, outcome.changes, outcome.review.shown) == (True, 2, 4)
    rows = reviews.look(ADA, review.id).rows
    assert [turns_of(row)[1].content for row in rows[3:]] == ["May I send it back?", "Hello?"]
    assert {row.status for row in rows} == {"draft"}
    assert reviews.extend(BEN, review.id, more, NOW).why == "same"
    with pytest.raises(RowRefused, match="at most"):
        reviews.extend(BEN, review.id, [drafted(f"case {n}") for n in range(MOST_ROWS)], NOW)
    reviews.discard(ADA, review.id, NOW)
    assert reviews.extend(BEN, review.id, [drafted("Too late?")], NOW).why == "closed"
