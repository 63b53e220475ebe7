"""Builds a two-layer Llama with a byte tokenizer and a chat template: real files, random weights, quick to run."""

import json
from pathlib import Path

STD = 0.3
"""Spread of the random weights: wide enough that a frozen output layer can be steered by the layers below."""
TURN = "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
WAITING = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
TEMPLATE = "{% for message in messages %}" + TURN + "{% endfor %}" + WAITING


def build(folder: Path, seed: int = 1) -> Path:
    """Write the model and return its folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|im_start|>", "<|im_end|>", "<|pad|>"]
    raw = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate([*special, *alphabet])}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token=special[0], eos_token=special[1], pad_token=special[2], chat_template=TEMPLATE
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, tie_word_embeddings=True, bos_token_id=0, eos_token_id=1, pad_token_id=2,
        initializer_range=STD,
    )  # fmt: skip
    torch.manual_seed(seed)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "luthier.json").write_text(json.dumps({"name": "tiny", "sha256": f"{seed:064d}"}))
    return folder
