"""What an endpoint may send as an answer, and whose answer it is."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trainers.evals.endpoint.wire import Dialect, Question, _read, _reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SHAPES = st.fixed_dictionaries(
    {
        "choices": JSON | st.lists(st.fixed_dictionaries({"message": JSON | st.fixed_dictionaries({"content": JSON})})),
        "usage": JSON | st.fixed_dictionaries({"prompt_tokens": JSON, "completion_tokens": JSON}),
        "model": JSON,
    }
)


@given(SHAPES | JSON)
def test_whatever_arrives_is_an_answer_or_none(said: Any) -> None:
    """Nothing that JSON can say raises, and counts of tokens are whole numbers or unknown."""
    reply = _reply(_read(json.dumps(said).encode()), 1.0)
    if reply is not None:
        json.dumps(reply._asdict()).encode()
        for count in (reply.prompt_tokens, reply.output_tokens):
            assert count is None or 0 <= count < 10**8


@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_are_no_answer(body: bytes) -> None:
    """No bytes raise."""
    assert isinstance(_read(body), dict)


def test_half_a_surrogate_can_be_written_down() -> None:
    """An answer that JSON allows and UTF-8 does not is kept with a replacement."""
    said = _read(b'{"choices": [{"message": {"content": "a\\ud800b"}}]}')
    reply = _reply(said, 1.0)
    assert reply is not None
    assert reply.output == "a?b"


def test_the_key_of_a_question_names_all_it_depends_on() -> None:
    """Host, model, every turn and the limit change it; nothing else is in it."""
    one = Question("m", (("user", "a"),), 5)
    others = [one._replace(model="n"), one._replace(messages=(("system", "a"),)), one._replace(max_tokens=6)]
    assert len({one.key("h"), one.key("i"), *(other.key("h") for other in others)}) == 5
    assert one.key("h") == Question("m", (("user", "a"),), 5).key("h")


def test_a_dialect_is_learned_once() -> None:
    """Each complaint is heeded once; then there is nothing left to try."""
    first = Dialect().other("use max_completion_tokens")
    assert first == Dialect("max_completion_tokens")
    assert first is not None
    assert first.other("use max_completion_tokens") is None
    second = first.other("temperature does not support 0")
    assert second is not None
    assert second.body(Question("m", (), 3)) == {"model": "m", "max_completion_tokens": 3, "messages": []}
