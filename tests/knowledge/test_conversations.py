"""What is remembered of a thread, on SQLite and on Postgres."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from knowledge.advice.facts import Changes, Facts, UnknownFact
from knowledge.conversations import Conversations, Origin, Thread, Told

NOW = datetime(2026, 11, 22, 10, 3, tzinfo=UTC)
HERE = Thread("T1", "C1", "1.0")


def ada(changes: Changes) -> Told:
    return Told(changes, "U0ADA", read=False)


@pytest.fixture
def conversations(engine: Engine) -> Conversations:
    return Conversations(engine)


def test_a_thread_is_known_after_joining_and_only_in_its_workspace(conversations: Conversations) -> None:
    """Joining makes a thread ours; the same ids in another workspace are another thread."""
    assert conversations.find(HERE) is None
    conversations.join(HERE, "answer", NOW)
    known = conversations.find(HERE)
    assert known is not None
    assert (known.kind, known.facts, known.card_ts) == ("answer", Facts(), "")
    assert conversations.find(HERE._replace(workspace_id="T2")) is None


def test_facts_gather_and_survive_other_joins(conversations: Conversations) -> None:
    """Facts of several changes add up, the card stays known, and a later answer does not make it less of an advice."""
    conversations.tell(HERE, ada({"facts_change": "weekly"}), NOW)
    conversations.show_card(HERE, "1.1", NOW)
    conversations.join(HERE, "answer", NOW)
    known = conversations.tell(HERE, ada({"volume_per_day": 300}), NOW)
    assert known[:3] == ("advice", Facts(facts_change="weekly", volume_per_day=300), "1.1")


def test_changes_at_once_lose_nothing(conversations: Conversations) -> None:
    """Eight answers at the same moment are all kept."""
    names = ["private_facts", "needs_citations", "fixed_voice", "fixed_format", "closed_labels", "long_prompt",
             "cost_pressure", "tight_latency"]  # fmt: skip

    def set_true(name: str) -> None:
        conversations.tell(HERE, ada({name: True}), NOW)

    changes = [threading.Thread(target=set_true, args=(name,)) for name in names]
    for change in changes:
        change.start()
    for change in changes:
        change.join()
    known = conversations.find(HERE)
    assert known is not None
    assert known.facts == Facts(**dict.fromkeys(names, True))


def test_a_change_that_fails_leaves_everything_as_it_was(conversations: Conversations) -> None:
    """An answer that does not exist is refused and changes nothing."""
    conversations.tell(HERE, ada({"facts_change": "daily"}), NOW)
    with pytest.raises(UnknownFact):
        conversations.tell(HERE, ada({"facts_change": "hourly"}), NOW)
    known = conversations.find(HERE)
    assert known is not None
    assert known.facts == Facts(facts_change="daily")


def test_the_last_word_counts_and_is_remembered_with_its_author(conversations: Conversations) -> None:
    """Who set a fact last, how and when is known, also where the fact was made unknown or said in two ways."""
    conversations.tell(HERE, ada({"facts_change": "weekly", "volume_per_day": 300}), NOW)
    later = NOW + timedelta(minutes=5)
    told = Told({"facts_change": "daily", "volume_per_day": None}, "U0BEN", read=True, beaten={"facts_change": "never"})
    known = conversations.tell(HERE, told, later)
    assert known == conversations.find(HERE)
    assert known.facts == Facts(facts_change="daily")
    assert known.origins == {
        "facts_change": Origin("U0BEN", True, later, "never"),
        "volume_per_day": Origin("U0BEN", True, later),
    }
    assert known.beaten == {"facts_change": "never"}


def test_a_skipped_question_stays_skipped_until_its_fact_is_told(conversations: Conversations) -> None:
    """Skipping is remembered; a fact said to be unknown counts as skipped; a value ends both."""
    conversations.skip(HERE, "needs_citations", NOW)
    known = conversations.tell(HERE, ada({"volume_per_day": None, "facts_change": "daily"}), NOW)
    assert known.skipped == {"needs_citations", "volume_per_day"}
    known = conversations.tell(HERE, ada({"volume_per_day": 3, "needs_citations": True}), NOW)
    assert known.skipped == frozenset()


def test_what_is_newer_ousts_what_it_contradicts(conversations: Conversations) -> None:
    """A number of examples makes an older "no examples" unknown, and the other way round."""
    conversations.tell(HERE, ada({"labels_exist": False}), NOW)
    assert conversations.tell(HERE, ada({"labelled_examples": 300}), NOW).facts == Facts(labelled_examples=300)
    assert conversations.tell(HERE, ada({"labels_exist": False}), NOW).facts == Facts(labels_exist=False)
