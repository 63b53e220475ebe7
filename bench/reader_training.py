"""Trains the offline reader of facts and writes knowledge/advice/reader.npz; 20 minutes or more on two cores.

Run: python -m bench.reader_training [--epochs 7] [--rank 24] [--threads 2] [--out FILE]

Data (bench/data/reader/, each line labelled by its writer, who was told to look at neither code nor test sets):
statements.jsonl states one value of one fact or nearly does (fact, value or null, text); the three files of cases are
use cases and messages with all their facts and the words that show each. The encoder's 36 matrices, biases and norms
are trained in float32 from the shipped int8 weights, with one query and one weight for each value of each fact on
top; the words that show a fact teach its query where to look; cases with an answer also teach `told_like`. What
changed is cut to a low rank and kept as float16. Seeded; sums over threads differ in the last digits, so a second run
gives a slightly different reader.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch  # noqa: TID253  # nobody imports this script
from tokenizers import Tokenizer
from torch import nn  # noqa: TID253
from transformers import BertConfig, BertModel  # noqa: TID253

from bot.settings import Settings
from knowledge import onnx_weights
from knowledge.advice.encoder import MOST_TOKENS
from knowledge.advice.facts import ALLOWED, NAMES, NUMBERS, Value
from knowledge.advice.sensing import WEIGHTS
from knowledge.weights import ensure

DATA = Path(__file__).parent / "data" / "reader"
CASES = ("cases.jsonl", "more_cases.jsonl", "terse_cases.jsonl")
SEED = 7
LAYERS, HEADS, WIDTH, INNER = 6, 12, 384, 1536
MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
"""In the order in which the ONNX file numbers their weights within a layer."""
OTHERS = 0.1
"""Weight of a statement's silence about other facts: its writer labelled one fact only."""
SURE = 2.0
"""Weight of stated values against silence: most texts say nothing of most facts."""
TOLD = 2.0
"""Weight of what a whole case needed: it is the hardest to learn."""
SPANS = 0.5
BATCH_TOKENS, BATCH_TEXTS = 2048, 32
RATE, HEAD_RATE = 2e-4, 2e-3

Class = tuple[str, Value | None]
CLASSES: list[Class] = [
    (name, value) for name in NAMES for value in ((None,) if name in NUMBERS else ALLOWED.get(name, (True, False)))
]


class Item(NamedTuple):
    """One text to learn from."""

    ids: list[int]
    stated: np.ndarray
    """1 for each class that the text states."""
    weight: np.ndarray
    """How much each class counts."""
    shown: dict[int, list[int]]
    """Tokens that show a class."""


class Reader(nn.Module):
    """The encoder with its head."""

    def __init__(self, encoder: BertModel) -> None:
        """Put a fresh head on an encoder."""
        super().__init__()
        self.encoder = encoder
        self.query, self.value = nn.Linear(WIDTH, len(CLASSES)), nn.Linear(WIDTH, len(CLASSES))
        self.drop = nn.Dropout(0.1)
        nn.init.constant_(self.value.bias, -2)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return each class's logit, and where each class looks."""
        states = self.drop(self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state)
        looks = self.query(states).masked_fill(~mask[..., None], -1e4).softmax(1)
        return (looks * self.value(states)).sum(1), looks


def main() -> None:
    """Train, cut to a low rank, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--rank", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(SEED)
    model, tokenizer = opened(Settings.from_env().cache)
    places = onnx_weights.places(model)
    names = weight_names(places)
    encoder = shipped(model, places, names)
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    reader = Reader(encoder)
    train(reader, [*statements(tokenizer), *cases(tokenizer)], chosen.epochs, random.Random(SEED))  # noqa: S311
    learned = changes(before, encoder.state_dict(), names, chosen.rank)
    for part, layer in (("query", reader.query), ("value", reader.value)):
        learned[f"{part}.w"] = layer.weight.detach().numpy().T
        learned[f"{part}.b"] = layer.bias.detach().numpy()
    halves = {key: value.astype(np.float16) for key, value in learned.items()}
    np.savez_compressed(chosen.out, classes=np.array(json.dumps(CLASSES)), **halves)
    print(f"{chosen.out}: {chosen.out.stat().st_size / 2**20:.2f} MiB")


def opened(cache: Path) -> tuple[bytes, Any]:
    """Return the shipped encoder's file and tokenizer."""
    tokenizer = Tokenizer.from_file(str(ensure("minilm-tokenizer", cache)))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.no_padding()
    return ensure("minilm-int8-onnx", cache).read_bytes(), tokenizer


def weight_names(places: Mapping[str, Any]) -> dict[str, str]:
    """Return the name in the ONNX file of each of the encoder's weights, by its name in the library."""
    numbered = sorted(
        (name for name in places if name.startswith("val_") and name.endswith("_q")), key=lambda n: int(n.split("_")[1])
    )
    layers = [f"encoder.layer.{layer}.{matrix}.weight" for layer in range(LAYERS) for matrix in MATRICES]
    names = dict(zip(layers, (name.removesuffix("_q") for name in numbered), strict=True))
    return names | {
        name.removeprefix("inner."): name
        for name in places
        if name.startswith("inner.") and not name.endswith(("_q", "_scale", "position_ids"))
    }


def shipped(model: bytes, places: Mapping[str, onnx_weights.Place], names: Mapping[str, str]) -> BertModel:
    """Return the encoder with the weights of the ONNX file, in float32."""
    config = BertConfig(
        vocab_size=30522, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=INNER, max_position_embeddings=512, attn_implementation="sdpa",
    )  # fmt: skip
    encoder = BertModel(config, add_pooling_layer=False)

    def whole(name: str) -> np.ndarray:
        return places[f"{name}_q"].read(model).astype(np.float32) * places[f"{name}_scale"].read(model)

    state = {
        ours: torch.from_numpy(
            whole(theirs).T.copy() if theirs.startswith("val_") else places[theirs].read(model).copy()
        )
        for ours, theirs in names.items()
    }
    for table in ("word_embeddings", "position_embeddings"):
        state[f"embeddings.{table}.weight"] = torch.from_numpy(whole(f"inner.embeddings.{table}.weight"))
    encoder.load_state_dict(state)
    encoder.embeddings.requires_grad_(False)
    return encoder


def statements(tokenizer: Any) -> Iterator[Item]:
    """Read texts of which one fact is labelled."""
    for row in lines("statements.jsonl"):
        stated, weight = np.zeros(len(CLASSES), np.float32), np.full(len(CLASSES), OTHERS, np.float32)
        weight[[place for place, (fact, _) in enumerate(CLASSES) if fact == "told_like"]] = 0
        for place, (fact, value) in enumerate(CLASSES):
            if fact == row["fact"]:
                weight[place], stated[place] = 1, value == row["value"]
        yield Item(tokenizer.encode(row["text"]).ids, stated, weight, {})


def cases(tokenizer: Any) -> Iterator[Item]:
    """Read texts of which all facts are labelled, with the words that show them."""
    for row in (row for name in CASES for row in lines(name)):
        text, encoding = row["text"], tokenizer.encode(row["text"])
        stated, shown = np.zeros(len(CLASSES), np.float32), {}
        for fact, found in row["facts"].items():
            place = CLASSES.index((fact, None if fact in NUMBERS else found["value"]))
            stated[place] = 1
            begin = text.find(found["span"])
            end = begin + len(found["span"])
            tokens = [t for t, (a, b) in enumerate(encoding.offsets) if b > a and a < end and b > begin]
            if begin >= 0 and tokens:
                shown[place] = tokens
        weight = np.ones(len(CLASSES), np.float32)
        for place, (fact, value) in enumerate(CLASSES):
            if fact == "told_like":
                weight[place] = TOLD if "expected" in row else 0
                stated[place] = value == row.get("expected") or value in row.get("also_acceptable", ())
        yield Item(encoding.ids, stated, weight, shown)


def lines(name: str) -> list[dict[str, Any]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def train(reader: Reader, items: Sequence[Item], epochs: int, draw: random.Random) -> None:
    """Train all but the embeddings; prints a line for each pass."""
    head = [*reader.query.parameters(), *reader.value.parameters()]
    body = [weight for weight in reader.encoder.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW([{"params": body, "lr": RATE}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01)
    plan = [batches(items, draw) for _ in range(epochs)]
    steps = sum(map(len, plan))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [RATE, HEAD_RATE], total_steps=steps, pct_start=0.1)
    reader.train()
    for epoch, order in enumerate(plan, start=1):
        started, total = time.monotonic(), 0.0
        for batch in order:
            loss = loss_of(reader, [items[place] for place in batch])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([*body, *head], 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch}: loss {total / len(order):.3f}, {time.monotonic() - started:.0f} s", flush=True)
    reader.eval()


def batches(items: Sequence[Item], draw: random.Random) -> list[list[int]]:
    """Put texts of like length together, in a drawn order."""
    order = list(range(len(items)))
    draw.shuffle(order)
    made: list[list[int]] = []
    for start in range(0, len(order), 512):
        batch: list[int] = []
        for place in sorted(order[start : start + 512], key=lambda place: len(items[place].ids)):
            if batch and (len(batch) == BATCH_TEXTS or (len(batch) + 1) * len(items[place].ids) > BATCH_TOKENS):
                made.append(batch)
                batch = []
            batch.append(place)
        made.append(batch)
    draw.shuffle(made)
    return made


def loss_of(reader: Reader, batch: Sequence[Item]) -> torch.Tensor:
    """Return how wrong the reader is on some texts, and how far it looks beside the words that show a fact."""
    longest = max(len(item.ids) for item in batch)
    ids = torch.tensor([item.ids + [0] * (longest - len(item.ids)) for item in batch])
    mask = torch.tensor([[n < len(item.ids) for n in range(longest)] for item in batch])
    logits, looks = reader(ids, mask)
    stated = torch.tensor(np.stack([item.stated for item in batch]))
    weight = torch.tensor(np.stack([item.weight for item in batch]))
    wrong = nn.functional.binary_cross_entropy_with_logits(
        logits, stated, pos_weight=torch.tensor(SURE), reduction="none"
    )
    beside = [
        -torch.log(looks[row, tokens, place].sum() + 1e-6)
        for row, item in enumerate(batch)
        for place, tokens in item.shown.items()
    ]
    loss = (wrong * weight).sum() / len(batch)
    return loss + SPANS * torch.stack(beside).mean() if beside else loss


def changes(
    before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor], names: Mapping[str, str], rank: int
) -> dict[str, np.ndarray]:
    """Return what changed, by name in the ONNX file: matrices as the product of two thin ones, the rest whole."""
    learned: dict[str, np.ndarray] = {}
    for ours, theirs in names.items():
        change = (after[ours] - before[ours]).detach()
        if theirs.startswith("val_"):
            left, sizes, right = torch.linalg.svd(change.T, full_matrices=False)
            learned[f"{theirs}.a"] = (left[:, :rank] * sizes[:rank].sqrt()).numpy()
            learned[f"{theirs}.b"] = (sizes[:rank].sqrt()[:, None] * right[:rank]).numpy()
        elif bool(change.abs().max() > 0):
            learned[f"{theirs}.add"] = change.numpy()
    return learned


if __name__ == "__main__":
    main()
