"""Measures how varied drafted rows are beside rows asked for in the words of two published tools.

`python -m bench.diversity` runs all against one chat server: the shipped rehearsal of rows, or with --url and --model
a real one (its key is in LUTHIER_MODEL_KEY; that costs what it costs, some three calls a row in all). Printed, a JSON
line each: rows, calls, exact repeats, distinct-2 (different pairs of words in as many pairs), and the mean cosine of
all pairs of rows by our embeddings. The rehearsal has a dozen sentences and no language model: what it shows is what
becomes of a model that repeats itself, not whose words bring out more of a real one.

The other tools' asking is told again here, shorter, in its order of calls and with its batch sizes:
Kiln, libs/core/kiln_ai/adapters/data_gen/data_gen_prompts.py and data_gen_task.py at 66cbe9d (2026-08-22, MIT): a tree
of 6 subtopics a node, then 8 inputs in one call a topic, then each input answered by the task's own prompt.
promptwright, promptwright/prompts.py and engine.py (Apache 2.0): a tree of subtopics, then one call a sample with a
path of the tree, temperature 0.2 there; whatever is JSON is kept.
"""

import argparse
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import uvicorn

from bot.services import free_port
from bot.settings import Settings
from knowledge.embeddings import open_minilm
from knowledge.models import ChatModel, Message, Used, object_in, open_chat_model
from knowledge.rehearsal_rows import RowRehearsal, build_app
from trainers.data.likeness import canonical
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.spec import row_spec
from trainers.evals.generating.streams import system_of
from trainers.evals.generating.written import write_rows
from trainers.evals.overfit import distinct_2

TASK = "Sort support tickets into billing, returns, shipping, other"

KILN_TREE = """I want to train a large language model and you should help me generate training data for it.
Asked with the same prompt, a model repeats itself, so topics are added. You get a path of topics and come up with a
list of new subtopics for its last node; remain somewhat vague, and make sure that they fit the system prompt.
Return JSON: {"subtopics": ["...", "..."]}"""
KILN_SAMPLES = """I want to train a large language model and you should help me generate training data for it.
Generate a list of potential inputs to the provided system prompt. They should be diverse and relevant to the system
prompt and to the topic. Return JSON: {"generated_samples": ["...", "..."]}"""
PROMPTWRIGHT_TREE = """I want to train a large language model and I am using another, bigger large language model to
generate training data for this. The system prompt of the model: <system_prompt>{system}</system_prompt>
Here is your topic input. When generating subtopics, remain somewhat vague.
node path: {path}
desired number of subtopics: {number}
Now return the subtopics as a JSON array of strings, and nothing else."""
PROMPTWRIGHT_SAMPLE = """I want to train a large language model and you should help me generate training data for it.
Here is the system prompt of the model: <system_prompt>{system}</system_prompt>
Each training sample should consist of a JSON object with the field "messages".
Lastly, the topic of the training data should be related to the following subtopics: {path}
Now, generate a single training sample in the JSON format specified above. Respond only with valid JSON."""


class Asked:
    """A model whose calls are counted."""

    def __init__(self, model: ChatModel) -> None:
        self.model, self.calls = model, 0

    def closed(self) -> str:
        """Never say that it is enough."""
        return ""

    def count(self, used: Used) -> None:
        """Count a call."""
        self.calls += 1

    def ask(self, system: str, user: str, heat: float) -> str:
        """Return the answer to one message."""
        turns = [*([Message("system", system)] if system else []), Message("user", user)]
        return self.model.complete(turns, temperature=heat, max_tokens=2000, count=self.count)


class Figures(NamedTuple):
    """How varied some rows are."""

    rows: int
    repeats: int
    """Rows that another row asks exactly."""
    distinct_2: float
    similarity: float
    """Mean cosine of all pairs."""


def main() -> None:
    """Print one JSON line for each way to ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--url", default="", help="a real server; default: the shipped rehearsal")
    parser.add_argument("--model", default="writer")
    chosen = parser.parse_args()
    spec = row_spec(TASK)
    with server(chosen.url) as url:
        model = open_chat_model(chosen.model, url, os.environ.get("LUTHIER_MODEL_KEY") or "key")
        if model is None:
            raise SystemExit("Name a model.")
        system = system_of(spec)
        counted = {name: Asked(model) for name in ("luthier", "kiln", "promptwright")}
        made = write_rows(spec, count=chosen.rows, seed=chosen.seed, model=model, meter=counted["luthier"])
        texts = {
            "luthier": [draft.input for draft in made.drafts if draft.provenance.startswith("model ")],
            "kiln": kiln(counted["kiln"], system, chosen.rows),
            "promptwright": promptwright(counted["promptwright"], system, chosen.rows),
            "recipes, no model": [d.input for d in compose_rows(spec, count=chosen.rows, seed=chosen.seed).drafts],
        }
        model.close()
    words = min(sum(len(text.split()) for text in each) for each in texts.values())
    embed = open_minilm(Settings.from_env().cache).embed
    for name, found in texts.items():
        told = figures(found, words, embed(found))
        calls = counted[name].calls if name in counted else 0
        print(json.dumps({"asked": name, "calls": calls, **told._asdict()}), flush=True)


def kiln(asked: Asked, system: str, rows: int) -> list[str]:
    """Ask for topics, then for eight inputs a topic in one call; each input is answered in a call of its own."""
    told = {"kiln_data_gen_topic_path": [], "kiln_data_gen_system_prompt": system}
    tree = asked.ask(KILN_TREE, json.dumps({**told, "kiln_data_gen_num_subtopics": 6}), 1.0)
    topics = [str(topic) for topic in (object_in(tree) or {}).get("subtopics", [])] or [""]
    found: list[str] = []
    for turn in range(-(-rows // 8)):
        wish = {**told, "kiln_data_gen_topic_path": [topics[turn % len(topics)]], "kiln_data_gen_num_samples": 8}
        answer = object_in(asked.ask(KILN_SAMPLES, json.dumps(wish), 1.0)) or {}
        found += [str(text) for text in answer.get("generated_samples", [])]
    for text in found[:rows]:
        asked.ask(system, text, 0.0)
    return found[:rows]


def promptwright(asked: Asked, system: str, rows: int) -> list[str]:
    """Ask for topics, then for one sample a call with a path of the tree; whatever is JSON is kept."""
    tree = asked.ask("", PROMPTWRIGHT_TREE.format(system=system, path='"Tickets"', number=rows), 0.2)
    start, end = tree.find("["), tree.rfind("]")
    topics = json.loads(tree[start : end + 1]) if 0 <= start < end else ["tickets"]
    found: list[str] = []
    for turn in range(rows):
        path = f"Tickets -> {topics[turn % len(topics)]}"
        told = object_in(asked.ask("", PROMPTWRIGHT_SAMPLE.format(system=system, path=path), 0.2)) or {}
        turns = told.get("messages") or []
        found += [str(turns[0]["content"])] if turns else []
    return found


def figures(texts: Sequence[str], words: int, vectors: np.ndarray) -> Figures:
    """Return how varied texts are; `words` is the length to which each way is cut, as longer texts repeat more."""
    pairs = vectors @ vectors.T
    above = pairs[np.triu_indices(len(texts), 1)]
    repeats = len(texts) - len({canonical(text) for text in texts})
    return Figures(len(texts), repeats, round(distinct_2(texts, words)[0], 3), round(float(above.mean()), 3))


@contextmanager
def server(url: str) -> Iterator[str]:
    """Give the address of the server that is asked; without one run the rehearsal while the block lasts."""
    if url:
        yield url
        return
    port = free_port()
    app = build_app(RowRehearsal())
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/v1"
    running.should_exit = True
    thread.join(10)


if __name__ == "__main__":
    main()
