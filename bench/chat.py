"""Measures chats through the API: requests a second and the wait for the first word, by callers and adapters.

PYTHONPATH=. python -m bench.chat [--tokens 32] [--rounds 2] [--callers 1 8 32] [--adapters 1 4 16] [--json]
Everything is real: the API over HTTP with the official client, the resident SmolLM2-135M, adapters of rank 16 with
random weights. The last lines are plain `generate` of transformers, one request after the other, in the same run.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from openai import OpenAI

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.wiring import prepare_base
from tests.trainers.api.shop import BASE, Shop, ended, now, upload
from trainers import registry
from trainers.data.examples import EXAMPLES
from trainers.data.jsonl import read_rows
from trainers.serving import LocalModels
from trainers.tables import ModelVersion

RANK = 16


class Heard(NamedTuple):
    """One answer: seconds to the first word and to the end, and its tokens."""

    first: float
    whole: float
    tokens: int


class Cell(NamedTuple):
    """One line of the table."""

    how: str
    callers: int
    adapters: int
    requests_per_second: float
    tokens_per_second: float
    first_word_median: float
    first_word_p95: float


def questions() -> list[list[dict[str, str]]]:
    """Return the prompts of the shipped example's test rows."""
    rows = read_rows(EXAMPLES["tickets"].test).rows
    return [[{"role": turn.role, "content": turn.content} for turn in row.messages[:-1]] for row in rows]


def measured(how: str, callers: int, adapters: int, ask: Callable[[int], Heard], count: int) -> Cell:
    """Let so many callers ask one after the other until `count` answers are there."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        heard = list(pool.map(ask, range(count)))
    seconds = time.perf_counter() - begun
    waits = sorted(answer.first for answer in heard)
    last = waits[min(len(waits) - 1, int(len(waits) * 0.95))]
    tokens = sum(answer.tokens for answer in heard)
    return Cell(how, callers, adapters, count / seconds, tokens / seconds, statistics.median(waits), last)


def tune(shop: Shop, base: Path, count: int) -> list[str]:
    """Let jobs end and put an adapter with random weights where each would have left one; returns the models' names."""
    import torch
    from peft import LoraConfig, get_peft_model

    from trainers.scripts.local_model import choose_runtime, load_base

    plain, _ = load_base(base, choose_runtime("auto", 1))
    linear = {name for name, layer in plain.named_modules() if isinstance(layer, torch.nn.Linear)}
    targets = sorted({name.rpartition(".")[2] for name in linear} - {"lm_head"})
    config = LoraConfig(r=RANK, lora_alpha=1, target_modules=targets, init_lora_weights=False)
    made = shop.folder / "adapter"
    get_peft_model(plain, config).save_pretrained(made)
    names = []
    with shop.client() as client:
        file = upload(client)
        for _ in range(count):
            job = ended(client, client.fine_tuning.jobs.create(model=BASE, training_file=file).id)
            names.append(f"ft:{BASE}:t1:rows:{job.id[6:]}")
            _keep(shop, job.id, made)
    return names


def _keep(shop: Shop, job_id: str, made: Path) -> None:
    run = f"job_{job_id[6:]}"
    shutil.copytree(made, shop.folder / "jobs" / run / "train" / "adapter")
    version = ModelVersion(
        id=f"model_{job_id[6:]}", workspace_id="T1", job_id=run, name=f"rows on {BASE}", base=BASE,
        adapter_path=f"jobs/{run}/train/adapter", created_at=now(),
    )  # fmt: skip
    with shop.engine.begin() as connection:
        registry.add(connection, version)


def over_the_api(shop: Shop, models: Sequence[str], tokens: int) -> Callable[[int], Heard]:
    """Return how one question is asked over HTTP, streamed."""
    asked = questions()
    client = OpenAI(base_url=shop.url, api_key=shop.key().secret, max_retries=0, timeout=600)

    def ask(number: int) -> Heard:
        begun, first, used = time.perf_counter(), 0.0, 0
        wish: Any = {"max_tokens": tokens, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
        messages: Any = asked[number % len(asked)]
        for part in client.chat.completions.create(model=models[number % len(models)], messages=messages, **wish):
            if not first and part.choices and part.choices[0].delta.content:
                first = time.perf_counter() - begun
            used = part.usage.completion_tokens if part.usage else used
        whole = time.perf_counter() - begun
        return Heard(first or whole, whole, used)

    return ask


def plain_generate(base: Path, adapters: Sequence[Path], tokens: int, threads: int) -> Callable[[int], Heard]:
    """Return how one question is asked of transformers itself, adapters swapped as peft has it."""
    import torch
    from peft import PeftModel

    from trainers.scripts.chat import prompt_ids, stop_ids
    from trainers.scripts.local_model import choose_runtime, load_base

    runtime = choose_runtime("auto", threads)
    plain, tokenizer = load_base(base, runtime)
    tuned = PeftModel.from_pretrained(plain, adapters[0], adapter_name="a0").eval()
    for number, folder in enumerate(adapters[1:], start=1):
        tuned.load_adapter(folder, adapter_name=f"a{number}")
    asked, ends = questions(), list(stop_ids(tokenizer, plain))

    class Watch:
        """Notes when the first new token comes; the prompt comes before it."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def put(self, _: Any) -> None:
            self.times.append(time.perf_counter())

        def end(self) -> None:
            """Nothing is left to do."""

    def ask(number: int) -> Heard:
        begun, watch = time.perf_counter(), Watch()
        tuned.set_adapter(f"a{number % len(adapters)}")
        ids = torch.tensor([prompt_ids(tokenizer, asked[number % len(asked)])])
        with torch.inference_mode(), runtime.autocast():
            out = tuned.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False,
                eos_token_id=ends, streamer=watch,
            )  # fmt: skip
        end = time.perf_counter()
        return Heard(watch.times[1] - begun, end - begun, out.shape[1] - ids.shape[1])

    return ask


def run(options: argparse.Namespace, say: Callable[[Cell], None]) -> None:
    """Measure every combination."""
    settings = Settings.from_env()
    prepare_base(settings, print)
    base = settings.cache / "models" / BASE
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        engine = open_engine(f"sqlite:///{folder / 'luthier.db'}")
        migrate(engine, folder)
        models = LocalModels(
            base=base, adapters=folder / "jobs", socket=folder / "s.sock", log=folder / "serve.log",
            env=settings.child_env, threads=settings.threads,
        )  # fmt: skip
        shop = Shop(engine, folder, models)
        shop.start()
        names = tune(shop, base, max(options.adapters))
        try:
            for adapters in options.adapters:
                ask = over_the_api(shop, names[:adapters], options.tokens)
                for number in range(adapters):  # loads them: what is measured is answering
                    ask(number)
                for callers in options.callers:
                    say(measured("api", callers, adapters, ask, max(6, callers * options.rounds)))
        finally:
            shop.stop()
            models.close()
        folders = [folder / "jobs" / f"job_{name.rpartition(':')[2]}" / "train" / "adapter" for name in names]
        for adapters in options.adapters:
            ask = plain_generate(base, folders[:adapters], options.tokens, settings.threads)
            ask(0)
            say(measured("generate", 1, adapters, ask, 3 * options.rounds))
        engine.dispose()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tokens", type=int, default=32, help="most tokens of an answer")
    parser.add_argument("--rounds", type=int, default=2, help="answers for each caller")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--adapters", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    def say(cell: Cell) -> None:
        if options.json:
            print(json.dumps(cell._asdict()), flush=True)
            return
        print(
            f"{cell.how:9} {cell.callers:7} {cell.adapters:8} {cell.requests_per_second:11.2f} "
            f"{cell.tokens_per_second:9.1f} {cell.first_word_median:15.3f} {cell.first_word_p95:8.3f}",
            flush=True,
        )

    if not options.json:
        print("how       callers adapters  requests/s  tokens/s  first word (s)      p95")
    run(options, say)


if __name__ == "__main__":
    main()
