"""Answers that are checked while a model writes them: the same text as when it is checked whole, and nothing before."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.answer import STOPPED, answer
from knowledge.citations import Checking, check
from knowledge.index import Index
from knowledge.models import ChatModel, Message, Used
from knowledge.tables import Passage
from tests.chat_server import ChatServer

ASKED = "What is QLoRA?"
PIECES = (
    "QLoRA needs 6 GB [1]. ",
    "It is small. [1][2] ",
    "No mark here. ",
    "It takes 99 GB [1]. ",
    "\n- Point one [2].",
    "\n1. Point 6 [1]. And more [2].\n",
    "See e.g. The paper [1]! ",
    "[9] Wrong [9]. ",
    "Version 1.5 [1]",
    " ",
    "\r\n",
    "No_stop [2]\n\n",
)


def passage(text: str) -> Passage:
    return Passage(id=text, slug="a", title="A", heading="", text=text, search_text=text, updated=date(2026, 1, 1))


PASSAGES = (passage("QLoRA needs 6 GB, version 1.5."), passage("Point one. And more."))


@pytest.mark.parametrize(
    ("sentence", "stays"),
    [
        ("It says \u201cneeds 6 GB\u201d [1].", True),
        ('The page calls it "QLoRA needs, 6 gb" [1].', True),
        ('A "small" one [1].', True),
        ('You asked "what does it cost?" [1].', True),
        ("It says \u201ccats need 6 GB\u201d [1].", False),
        ('It says "needs 6 GB" [2].', False),
    ],
)
def test_quotations_stand_in_the_cited_passage(sentence: str, stays: bool) -> None:
    """What a model puts in quotation marks is in the passage that it cites, or was said in the question."""
    assert bool(check(sentence, PASSAGES, "what does it cost?").text) == stays


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.lists(st.integers(1, 12), max_size=40))
def test_checked_in_pieces_is_checked_whole(text: str, cuts: list[int]) -> None:
    """However a text is cut on its way, what was shown piece by piece is what the whole check keeps."""
    checking, shown, place = Checking(PASSAGES), [], 0
    for cut in [*cuts, len(text)]:
        shown.append(checking.feed(text[place : place + cut]))
        place += cut
    shown.append(checking.finish())
    assert "".join(shown) == checking.text
    assert checking.checked() == check(text, PASSAGES)


def test_a_sentence_waits_until_it_is_whole() -> None:
    """Marks after the full stop still belong to the sentence, so it is shown when the next one begins."""
    checking = Checking(PASSAGES)
    fed = [checking.feed(piece) for piece in ("QLoRA needs", " 6 GB.", " [1]", "[2] ", "And", " more")]
    assert fed == ["", "", "", "", "QLoRA needs 6 GB. [1][2]", ""]


class Purse:
    """A meter that remembers."""

    def __init__(self) -> None:
        self.used: list[Used] = []

    def closed(self) -> str:
        return ""

    def count(self, used: Used) -> None:
        self.used.append(used)


@pytest.mark.parametrize("mode", ["good", "unsupported"])
def test_a_streamed_answer_is_the_same_answer(
    guide_index: Index, model: ChatModel, chat_server: ChatServer, mode: str
) -> None:
    """Whole and streamed, a model's answer is checked alike, counted alike, and what was shown is the answer."""
    chat_server.rehearsal.mode = mode  # type: ignore[assignment]  # one of the modes
    whole, grown, shown = Purse(), Purse(), []
    one = answer(ASKED, guide_index, model, meter=whole)
    other = answer(ASKED, guide_index, model, meter=grown, grow=lambda text: not shown.append(text))
    assert (other.text, other.citations, other.written_by) == (one.text, one.citations, one.written_by)
    assert "".join(shown) == other.text
    assert len(shown) >= 2
    assert grown.used == whole.used


@pytest.mark.parametrize("script", ["NO_SOURCE", "Nothing that is cited. And more.", "It is 987654 [1]."])
def test_an_honest_no_never_begins_to_grow(
    guide_index: Index, model: ChatModel, chat_server: ChatServer, script: str
) -> None:
    """Where the model has no source, or nothing of what it says is supported, nothing was shown before the no."""
    chat_server.rehearsal.script = [script]
    shown: list[str] = []
    said = answer(ASKED, guide_index, model, grow=lambda text: not shown.append(text))
    assert said.abstained
    assert shown == []


def test_a_stopped_answer_ends_where_it_was_stopped(
    guide_index: Index, model: ChatModel, chat_server: ChatServer
) -> None:
    """After the first piece nothing more is asked of the model; what it took so far is counted by estimate."""
    meter = Purse()
    said = answer(ASKED, guide_index, model, meter=meter, grow=lambda _: False)
    assert said.note == STOPPED
    assert len(said.citations) == 1
    assert meter.used[0].estimated


@pytest.mark.parametrize(("mode", "counted"), [("cut", 1), ("broken", 0)])
def test_what_a_broken_stream_took_is_counted(
    model: ChatModel, chat_server: ChatServer, mode: str, counted: int
) -> None:
    """A stream that breaks off has cost what came; one that never began has cost nothing."""
    chat_server.rehearsal.mode = mode  # type: ignore[assignment]  # one of the modes
    meter = Purse()
    with pytest.raises(Exception, match=r"broke off|failed with"):
        list(model.stream([Message("user", "hello")], count=meter.count))
    assert len(meter.used) == counted
    assert all(used.estimated and used.tokens > 0 for used in meter.used)
