"""Models that call tools are asked with the tools and marked by what they call."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from tests.trainers.evals.endpoint.fake import running
from tests.trainers.evals.endpoint.test_left_out import Alone
from trainers.data.jsonl import read_rows
from trainers.evals import metrics
from trainers.evals.endpoint import Endpoint, Journal, Limits, Meter
from trainers.evals.endpoint.arms import Asking
from trainers.evals.endpoint.contest import Contest, bill
from trainers.evals.endpoint.spending import most_prompt_tokens
from trainers.evals.endpoint.wire import Dialect, Fate, Question, ask
from trainers.evals.metrics import Setup
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.predictions import RIVAL, TUNED, read_outputs
from trainers.rehearsal.chat_models import BASE, Pretender
from trainers.rehearsal.chat_models import TUNED as TUNED_MODEL

TOOLS = [{"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}]


def row(number: int) -> dict[str, Any]:
    function = {"name": "track", "arguments": json.dumps({"parcel": number})}
    calls = [{"id": f"c{number}", "type": "function", "function": function}]
    system = {"role": "system", "content": "You track parcels."}
    asked = {"role": "user", "content": f"Where is parcel {number}?"}
    return {"messages": [system, asked, {"role": "assistant", "content": None, "tool_calls": calls}], "tools": TOOLS}


def test_a_contest_with_tools_runs_from_the_bill_to_the_marks(tmp_path: Path) -> None:
    """The tuned model calls as it was taught, the base mostly not, and no more is charged than the bill says."""
    paths = [tmp_path / "train.jsonl", tmp_path / "test.jsonl"]
    for path, numbers in zip(paths, (range(12), range(20, 26)), strict=True):
        path.write_text("".join(json.dumps(row(n)) + "\n" for n in numbers))
    train, test = (read_rows(path).rows for path in paths)
    contest = Contest(base=BASE, tuned=TUNED_MODEL, train=train, test=test)
    prices = dict.fromkeys((BASE, TUNED_MODEL), TokenPrices(Decimal(3), Decimal(6)))
    quoted = bill(contest, prices)
    assert quoted.dollars is not None
    with running(tmp_path, Pretender.from_files(paths).right) as fake:
        journal = Journal(tmp_path / "answers.jsonl")
        asking = Asking(
            endpoint=Endpoint(url=fake.url),
            contest=contest,
            metric=metrics.load("tool_calls", Setup(train=train)),
            limits=Limits.shipped(),
            meter=Meter(prices, quoted.dollars[2]),
            journal=journal,
            keeper=Alone(),
            calls=quoted.calls,
        )
        told = asking.all(tmp_path)
        journal.close()
    said = read_outputs(tmp_path / "predictions.jsonl", test)
    assert said[TUNED] == {each.line: f'→ track({{"parcel": {each.line + 19}}})' for each in test}
    assert said[RIVAL] != said[TUNED]
    assert told.notices == ()
    assert told.spent <= quoted.dollars[2]


def test_the_best_prompt_of_the_base_shows_calls_in_its_instruction(tmp_path: Path) -> None:
    """Examples as turns would hold calls that nobody answers, which endpoints refuse; what is sent bounds tokens."""
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row(n)) + "\n" for n in range(12)))
    train = read_rows(path).rows
    contest = Contest(base="b", tuned="t", train=train, test=train[:1])
    way = next(way for way in contest.prompts.ways() if way.shown == 2 and way.told)
    question = contest.asks("b", contest.prompts.turns(way, train[0], 0), row=train[0])
    sent = question.sent
    assert [turn["role"] for turn in sent["messages"]] == ["system", "user"]
    assert sent["messages"][0]["content"].count('→ track({"parcel": ') == 2
    assert "Call one of the tools" in sent["messages"][0]["content"]
    assert sent["tools"] == TOOLS
    assert most_prompt_tokens(question) > len(json.dumps(sent["messages"]))
    assert question.key("h") != question._replace(whole="").key("h")


def test_an_answer_without_content_that_calls_is_an_answer() -> None:
    """Some servers leave out what is null; whoever neither says nor calls anything has not answered."""
    told = []
    calls = [{"id": "c", "type": "function", "function": {"name": "track", "arguments": "not JSON"}}]
    for message in ({"tool_calls": calls}, {"role": "assistant"}):
        answer = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
        transport = httpx.MockTransport(lambda _, answer=answer: httpx.Response(200, json=answer))
        with httpx.Client(transport=transport) as client:
            question = Question("m", (("user", "?"),), 5)
            told.append(ask(client, Endpoint(url="http://h/v1"), question, Dialect(), 10_000))
    assert [each.fate for each in told] == [Fate.ANSWERED, Fate.LOST]
    assert told[0].reply is not None
    assert told[0].reply.output == '→ track("not JSON")'
