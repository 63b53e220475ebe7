"""Turns a quantised GGUF file into a folder of safetensors, tokenizer and chat template, once.

Run as ``python -m trainers.scripts.dequantise RUN.json`` with the keys ``gguf`` (file) and ``out`` (folder, named
like the model). Reading GGUF takes about 20 s each time; the folder loads in one or two.
It does not fetch anything: the weights store does.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from trainers.scripts.child import Child, ScriptError, only_one, publish_folder, run

USAGE = "Run: python -m trainers.scripts.dequantise RUN.json"
STEPS = 3
"""Tokenizer, weights, writing: what the progress bar counts."""


def main(child: Child, run: dict[str, Any]) -> None:
    """Read the file, write the folder, publish it by one rename."""
    source, out = Path(run["gguf"]), Path(run["out"])
    started = time.monotonic()
    with only_one(out.parent / f".{out.name}.lock"):
        if (out / "luthier.json").is_file():
            child.emit("done", phase="preparing", seconds=0.0, already=True)
            return
        _convert(child, source, out)
    child.emit("done", phase="preparing", seconds=round(time.monotonic() - started, 2), already=False)


def _convert(child: Child, source: Path, out: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from trainers.scripts.chat import sha256

    if not source.is_file():
        raise ScriptError(f"There is no file {source.name}.", "Pull the weights first.")
    where: dict[str, Any] = {
        "pretrained_model_name_or_path": source.parent,
        "gguf_file": source.name,
        "local_files_only": True,
    }
    child.emit("progress", phase="preparing", step=0, steps=STEPS, part="tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(**where)
    if not tokenizer.chat_template:
        raise ScriptError(f"{source.name} has no chat template.", "Choose an instruction-tuned model.")
    child.check()
    child.emit("progress", phase="preparing", step=1, steps=STEPS, part="weights")
    # float32 keeps every value that the 4-bit blocks stand for; loading may narrow it.
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    child.check()
    child.emit("progress", phase="preparing", step=2, steps=STEPS, part="writing")
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    tensors = {key: value.contiguous() for key, value in model.state_dict().items() if key not in tied}
    del model.config.quantization_config  # the weights are plain numbers now
    with publish_folder(out) as draft:
        save_file(tensors, draft / "model.safetensors", metadata={"format": "pt"})
        model.config.save_pretrained(draft)
        model.generation_config.save_pretrained(draft)
        tokenizer.save_pretrained(draft)
        card = {
            "name": out.name,
            "source": source.name,
            "source_sha256": sha256(source),
            "sha256": sha256(draft / "model.safetensors"),
            "parameters": sum(value.numel() for value in tensors.values()),
        }
        (draft / "luthier.json").write_text(json.dumps(card, indent=1), encoding="utf-8")


if __name__ == "__main__":
    run(main, USAGE)
