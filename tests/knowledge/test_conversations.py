"""What is remembered of a thread, on SQLite and on Postgres."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from knowledge.advice.facts import Facts, UnknownFact, with_fact
from knowledge.conversations import Conversations, Thread

NOW = datetime(2026, 11, 22, 10, 3, tzinfo=UTC)
HERE = Thread("T1", "C1", "1.0")


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
    conversations.change_facts(HERE, lambda facts: with_fact(facts, "facts_change", "weekly"), NOW)
    conversations.show_card(HERE, "1.1", NOW)
    conversations.join(HERE, "answer", NOW)
    known = conversations.change_facts(HERE, lambda facts: with_fact(facts, "volume_per_day", 300), NOW)
    assert known == ("advice", Facts(facts_change="weekly", volume_per_day=300), "1.1")


def test_changes_at_once_lose_nothing(conversations: Conversations) -> None:
    """Eight answers at the same moment are all kept."""
    names = ["private_facts", "needs_citations", "fixed_voice", "fixed_format", "closed_labels", "long_prompt",
             "cost_pressure", "tight_latency"]  # fmt: skip

    def set_true(name: str) -> None:
        conversations.change_facts(HERE, lambda facts: with_fact(facts, name, True), NOW)

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
    conversations.change_facts(HERE, lambda facts: with_fact(facts, "facts_change", "daily"), NOW)
    with pytest.raises(UnknownFact):
        conversations.change_facts(HERE, lambda facts: with_fact(facts, "facts_change", "hourly"), NOW)
    known = conversations.find(HERE)
    assert known is not None
    assert known.facts == Facts(facts_change="daily")
