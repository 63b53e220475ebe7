"""Rich text of every kind and a Markdown text with all that Slack documents, for the kitchen sink."""

from typing import Any

Json = dict[str, Any]


def _line(*runs: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(runs)}


def _text(text: str, **style: bool) -> Json:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def _list(style: str, *lines: str, **rest: int) -> Json:
    return {"type": "rich_text_list", "style": style, "elements": [_line(_text(line)) for line in lines], **rest}


STYLES = ("bold", "italic", "strike", "code", "underline")
RICH_TEXT: list[Json] = [
    _line(*(run for name in STYLES for run in (_text(name, **{name: True}), _text(" ")))),
    _line(
        {"type": "user", "user_id": "U0BEN"},
        _text(" in "),
        {"type": "channel", "channel_id": "C0GENERAL"},
        _text(" "),
        {"type": "broadcast", "range": "here"},
        _text(" "),
        {"type": "emoji", "name": "tada"},
        _text(" "),
        {"type": "link", "url": "https://example.com", "text": "a link"},
        _text(" "),
        {"type": "color", "value": "#6d35e0"},
        _text(" "),
        {"type": "date", "timestamp": 1_790_000_000, "format": "{date_long} at {time}", "fallback": "then"},
        _text(" "),
        {"type": "usergroup", "usergroup_id": "S0TEAM"},
    ),
    _list("bullet", "First", "Second", indent=0),
    _list("bullet", "Under the second", indent=1),
    _list("bullet", "Deeper", indent=2),
    _list("bullet", "Third", indent=0),
    _list("ordered", "One", "Two", indent=0),
    _list("ordered", "Two a", "Two b", indent=1),
    _list("ordered", "Three", indent=0, offset=2),
    _list("bullet", "With a border", indent=0, border=1),
    {"type": "rich_text_quote", "elements": [_text("A quote, "), _text("partly bold", bold=True)]},
    {
        "type": "rich_text_preformatted",
        "elements": [_text("def f(x):\n    return x + 1")],
        "border": 0,
        "language": "python",
    },
]
MARKDOWN = """# Heading one
## Heading two
### Heading three
A paragraph with **bold**, _italic_, ~~struck~~, `code`, [a link](https://example.com), https://example.com/bare
and a picture ![the loss](https://example.com/loss.png).

- First
- Second
  - Nested
    1. Numbered inside
- [ ] To do
- [x] Done

3. Three
4. Four

> A quote with **bold**
> on two lines

```python
def f(x):
    return x + 1
```

| Arm | Right | Share |
|:----|:-----:|------:|
| Zero-shot | 24 | 61% |
| **Tuned** | 38 | 95% |

---

Last line :tada:"""
