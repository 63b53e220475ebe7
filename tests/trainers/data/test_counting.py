"""Tokens are counted as the target counts them: OpenAI's vocabulary, and a model's own tokenizer, template and mask."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken_ext.openai_public as published

from knowledge.errors import UserError
from tests.trainers import tiny_model
from trainers.data import vocabularies
from trainers.data.chat_templates import ChatTemplate, TemplateRefused, template_in
from trainers.data.counting import counter
from trainers.data.lint import lint

TEXTS = ["Hello, world", "Größe 12,50 €\n\n  indented", "日本語のテキスト", "a" * 300, "I'll've 👩‍🚀 1234567"]


def test_our_vocabulary_is_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pattern, special tokens and hash are those of tiktoken itself, and known texts give known tokens."""
    asked: list[str] = []
    monkeypatch.setattr(published, "load_tiktoken_bpe", lambda url, expected_hash: asked.append(expected_hash) or {})
    theirs = published.o200k_base()
    assert theirs["pat_str"] == vocabularies.PATTERN
    assert asked == [vocabularies.O200K_SHA256]
    encoding = vocabularies.o200k()
    assert encoding.n_vocab == 200_019
    assert encoding.encode("hello world") == [24912, 2375]
    assert all(encoding.decode(encoding.encode_ordinary(text)) == text for text in TEXTS)


def test_weights_decide_what_is_trained_on() -> None:
    """An answer of weight 0 is read and not trained on; a row over the limit loses what lies behind it."""
    count = counter("o200k_base")
    turns = [
        {"role": "user", "content": "hello world"},
        {"role": "assistant", "content": "hello world", "weight": 0},
        {"role": "user", "content": "hello world"},
        {"role": "assistant", "content": "hello world"},
    ]
    assert count({"messages": turns}, 1000) == (4 * 6 + 3, 2)
    assert count({"messages": turns}, 10).trained == 0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's files."""
    return tiny_model.build(tmp_path_factory.mktemp("tiny"))


CHATS = [
    [{"role": "user", "content": text}, {"role": "assistant", "content": text[::-1]}, {"role": "user", "content": "x"},
     {"role": "assistant", "content": "y" + text}] for text in TEXTS
]  # fmt: skip
CHATS += [[{"role": "system", "content": "Be brief."}, *CHATS[0]]]
TEMPLATES = [
    tiny_model.TEMPLATE,
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}<<{{ m.content|trim }}>>\n"
    "{% elif m.role == 'user' %}[INST] {{ m['content'] }} [/INST]{% else %} {% generation %}{{ m.content }}"
    "{% endgeneration %}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %} {% endif %}",
    "{%- set ns = namespace(n=0) -%}\n{%- for m in messages %}\n  {%- set ns.n = ns.n + 1 %}\n"
    "{{- {'role': m.role, 'content': m.content} | tojson }}\n{% if ns.n > 9 %}{% break %}{% endif %}\n{%- endfor %}",
]

# The real transformers, in a child of its own: our processes never import it.
THEIRS = """
import json, sys
from transformers import AutoTokenizer
from trainers.scripts.chat import encode
folder, chats, templates = json.loads(sys.stdin.read())
tokenizer = AutoTokenizer.from_pretrained(folder)
said = [[tokenizer.apply_chat_template(c, chat_template=t, tokenize=False, add_generation_prompt=w) for c in chats
         for w in (False, True)] for t in templates]
rows = [encode(tokenizer, c, {tokenizer.eos_token_id}, 1) for c in chats]
print(json.dumps([said, [[len(r.ids), sum(r.trained)] for r in rows]]))
"""


def test_templates_and_masks_are_those_of_transformers(model: Path) -> None:
    """Every template gives the same text as transformers, and every row as many tokens and targets as our training."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", THEIRS], input=json.dumps([str(model), CHATS, TEMPLATES]), capture_output=True,
        text=True, check=True, cwd=root, env={"PYTHONPATH": str(root), "HF_HUB_OFFLINE": "1", "PATH": ""},
    )  # fmt: skip
    said, counts = json.loads(done.stdout.splitlines()[-1])
    config = json.loads((model / "tokenizer_config.json").read_text())
    marks = {name: config[name] for name in ("bos_token", "eos_token", "pad_token")}
    for template, theirs in zip(TEMPLATES, said, strict=True):
        ours = ChatTemplate(template, marks)
        assert [ours.render(chat, waiting=waiting) for chat in CHATS for waiting in (False, True)] == theirs
    count = counter("model", model)
    assert [list(count({"messages": chat}, 10_000)) for chat in CHATS] == counts


def test_a_template_can_neither_reach_out_nor_break_us(model: Path, tmp_path: Path) -> None:
    """A template that reaches for Python's insides, refuses or fails is refused; a folder without one says so."""
    for source in ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ raise_exception('no') }}", "{{ 1 / 0 }}"):
        with pytest.raises(TemplateRefused):
            ChatTemplate(source, {}).render(CHATS[0], waiting=False)
    with pytest.raises(UserError):
        ChatTemplate("{% for %}", {})
    with pytest.raises(UserError):
        template_in(tmp_path)


def test_a_row_without_a_token_to_learn_is_blocked_by_the_real_mask(model: Path, tmp_path: Path) -> None:
    """Rows whose answers all weigh nothing are named, with the model's own tokenizer and without any."""
    good = [json.dumps({"messages": chat}) for chat in CHATS[:1]] * 3
    idle = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}]}
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*good, json.dumps(idle)]), "utf-8")
    for count in (counter("model", model), None):
        found = [finding for finding in lint(path, count=count).findings if finding.code == "no_trainable_tokens"]
        assert [finding.lines for finding in found] == [(4,)]
