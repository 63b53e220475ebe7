"""A small chat server that answers requests for training rows, without a language model behind it, for practice.

It speaks OpenAI's protocol like `knowledge.rehearsal`. Its rows keep to the labels, keys or headings that a request
names, and its bad manners are those of real models: prose, refusals, repetition, leaks, a strict judge, no answer. It
also knows how Kiln and promptwright ask, so that `bench.diversity` can ask it in their words.
"""

import argparse
import asyncio
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from knowledge.rehearsal import NAME, listed, unknown_model

MODEL = "rehearsal of rows (no language model)"
"""What every reply names as its model."""

TOKENS = 50
"""What every reply says that it took."""

Mode = Literal["good", "wordy", "prose", "refuses", "repeats", "leaks", "wrong_label", "judge_says_no", "judge_silent"]

_PLAN = re.compile(r'<plan number="(\d+)"/>')
_FIELD = {
    name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("about", "labels", "keys", "headings", "cell")
}
_KILN = re.compile(r'"kiln_data_gen_num_(subtopics|samples)": (\d+)')
_TREE = re.compile(r"desired number of subtopics: (\d+)")
_TITLE = re.compile(r"^\[(\d)\] (.+)$", re.MULTILINE)
_THINGS = (
    "lamp",
    "kettle",
    "rucksack",
    "desk",
    "violin",
    "bicycle",
    "printer",
    "jacket",
    "router",
    "coffee grinder",
    "tent",
    "camera",
)
_WISHES = (
    "Since Tuesday the {thing} makes a noise that nobody in our house can explain.",
    "May my sister collect the {thing} on Friday, although it was I who ordered it?",
    "Two weeks ago you promised me news about the {thing}; so far I have heard nothing.",
    "We need eleven of the {thing} for a school fair in June, all in the same colour.",
    "On your page the {thing} costs less than what stands on my bill of last month.",
    "The manual of the {thing} ends on page nine in the middle of a sentence.",
    "Could somebody show my grandfather how the {thing} is switched on again?",
    "A screw fell out of the {thing} when I opened the box this morning.",
    "Is the {thing} that you showed at the fair in Leeds the same as number 4471?",
    "Nobody told us that the {thing} has to be registered before the first use.",
    "My neighbour swears by her {thing}; which size fits a kitchen of six square metres?",
    "Please take the {thing} off my list, I bought it elsewhere meanwhile.",
)


@dataclass
class RowRehearsal:
    """What the server does next and what it was asked; tests read and change it while it runs."""

    mode: Mode = "good"
    """How it behaves."""
    fails_after: int | None = None
    """Replies after which it answers 429 for good."""
    seconds: float = 0.0
    """How long each reply takes."""
    hangs_after: int | None = None
    """Replies after which it lets everybody wait."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the chat requests so far."""
    models: Sequence[str] = ()
    """Names that it lists and knows, any other gets a 404; none: it lists none and takes any."""


def build_app(rehearsal: RowRehearsal) -> ASGIApp:
    """Return the ASGI application: POST /v1/chat/completions, and GET /v1/models where it knows names."""

    async def models(_: Request) -> Response:
        return JSONResponse(listed(rehearsal.models))

    async def chat(request: Request) -> Response:
        body = await request.json()
        rehearsal.requests.append(body)
        if (unknown := unknown_model(rehearsal.models, body)) is not None:
            return unknown
        hangs = rehearsal.hangs_after is not None and len(rehearsal.requests) > rehearsal.hangs_after
        await asyncio.sleep(3600 if hangs else rehearsal.seconds)
        if rehearsal.fails_after is not None and len(rehearsal.requests) > rehearsal.fails_after:
            error = {"message": "Rate limit reached.", "type": "rate_limit_exceeded", "code": "rate_limit_exceeded"}
            return JSONResponse({"error": error}, 429)
        return JSONResponse(_completion(reply(body["messages"], rehearsal.mode, len(rehearsal.requests))))

    listing = [Route("/v1/models", models)] if rehearsal.models else []
    return Starlette(routes=[*listing, Route("/v1/chat/completions", chat, methods=["POST"])])


def reply(messages: Sequence[Mapping[str, Any]], mode: Mode, number: int) -> str:
    """Return what the last message asks for; `number` makes texts differ."""
    asked = str(messages[-1]["content"])
    if mode == "refuses":
        return "I'm sorry, but I can't help with that."
    if mode == "prose":
        return "Here is what I would write: a customer asks about a lamp, and the answer is billing."
    told: Any = _told(asked, mode, number)
    told = _in_other_words(asked, number) if told is None else told
    if told is None:
        return "This is a rehearsal of rows, and the request asks for none."
    written = json.dumps(told)
    return (
        f"Of course! Here you are:\n```json\n{written}\n```\nTell me if you need more." if mode == "wordy" else written
    )


def _in_other_words(asked: str, number: int) -> dict[str, Any] | list[str] | None:
    """Answer as Kiln and promptwright ask: lists of topics, lists of inputs, one sample of two turns."""
    kiln, tree = _KILN.search(asked), _TREE.search(asked)
    if kiln:
        length = int(kiln[2])
        many = range(number * length, (number + 1) * length)  # no text of the call before again
        if kiln[1] == "samples":
            return {"generated_samples": [_wish(each) for each in many]}
        return {"subtopics": [_subject(each) for each in many]}
    if tree:
        return [_subject(number + at) for at in range(int(tree[1]))]
    if "generate a single training sample in the JSON format" in asked:
        turns = (("user", _wish(number)), ("assistant", f"We look into matter {number}."))
        return {"messages": [{"role": role, "content": content} for role, content in turns]}
    return None


def _wish(number: int) -> str:
    return _WISHES[number % 12].format(thing=_THINGS[(number // 2) % 12])


def _subject(number: int) -> str:
    return f"a {_THINGS[number % 12]} and wish {number}"


def _told(asked: str, mode: Mode, number: int) -> dict[str, Any] | None:
    plan = _PLAN.search(asked)
    if plan:
        return {"subjects": [f"a {_THINGS[(number + at) % 12]} and wish {at}" for at in range(int(plan[1]))]}
    if "<judge/>" in asked:
        if mode == "judge_silent":
            return {}
        fine = mode != "judge_says_no"
        return {
            "correct": fine,
            "grounded": fine,
            "format": True,
            "good": fine,
            "reason": "" if fine else "It is vague.",
        }
    if "<brief/>" in asked:
        return {
            "notes": f"To a customer. Her {_THINGS[number % 12]} is ready, matter {number}.",
            "why": "It shows the tone.",
        }
    if "<row/>" in asked:
        sent = _THINGS[0] if mode == "repeats" else _wish(number)
        sent = asked if mode == "leaks" else sent
        return {"input": sent, "reply": _reply(asked, mode, number), "why": f"It shows case {number}."}
    return None


def _reply(asked: str, mode: Mode, number: int) -> str:
    """Answer in the form that the request names."""
    labels, keys, headings = (_named(asked, name) for name in ("labels", "keys", "headings"))
    if mode == "wrong_label":
        return "no such label"
    if labels:
        wanted = _FIELD["cell"].search(asked)
        cell = json.loads(html.unescape(wanted[1])) if wanted else {}
        return str(cell.get("label") or labels[number % len(labels)])
    if keys:
        return json.dumps(dict.fromkeys(keys))
    if headings:
        return "\n".join(line for heading in headings for line in (f"{heading}:", f"- point {number}"))
    title = _TITLE.search(html.unescape(asked))
    if title:
        return f"The passage says so, in matter {number}. [{title[1]}]"
    return f"We have noted your wish about the {_THINGS[number % 12]} and answer within {number} days."


def _named(asked: str, name: str) -> list[str]:
    found = _FIELD[name].search(asked)
    return [each.strip() for each in html.unescape(found[1]).split(",")] if found else []


def _completion(text: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-rehearsal-rows",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": TOKENS, "total_tokens": TOKENS},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    import uvicorn

    parser = argparse.ArgumentParser(
        prog="python -m knowledge.rehearsal_rows", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--port", type=int, default=8089, help="port on 127.0.0.1 (default: 8089)")
    parser.add_argument("--mode", choices=get_args(Mode), default="good", help="how to behave (default: good)")
    parser.add_argument("--model", action="append", help="name that it knows, repeatable (default: rehearsal)")
    options = parser.parse_args(arguments)
    models = options.model or [NAME]
    where = f"http://127.0.0.1:{options.port}/v1 knows {', '.join(models)}"
    print(f"No language model, a rehearsal of rows. {where}.", flush=True)
    app = build_app(RowRehearsal(mode=options.mode, models=models))
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
