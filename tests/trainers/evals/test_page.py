"""The page, the Markdown and the CSV of a report hold whatever models said, inert, and need nothing else."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from tests.bot.console.desk import chromium
from tests.trainers.evals.evidence import assembled, row, word
from trainers.data.jsonl import Row
from trainers.evals import page, spreadsheet
from trainers.evals.assemble import Assembled
from trainers.evals.charts import arms_alt, arms_chart
from trainers.evals.guardrails import guardrails, judge
from trainers.evals.markdown import markdown
from trainers.evals.metrics.base import Mark
from trainers.evals.predictions import Answer, Answers
from trainers.evals.report import Prompt, Report, Table
from trainers.evals.rule import SuccessRule

__all__ = ["chromium"]

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</dd></dl><iframe src='https://evil.example'></iframe>",
    "{{ 7 * 7 }} {% for x in y %} {# gone #}",
    "javascript:alert(1)' onmouseover='alert(1)",
    "a\x00b\x1b[31m\x07c",
    "\u202egnirts\u2066 isolated",
    "half a pair \ud800 here",
    "<!-- --><style>*{display:none}</style><base href='https://evil.example'>",
    "&lt;b&gt; &amp;amp;",
    "| a | b |\n|---|---|\n# PASS\n> quote",
    "]]><svg onload=alert(1)>",
    "x" * 100_000,
)


class Parsed(HTMLParser):
    """What a parser makes of a page: tags with attributes, and the text outside of style."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "h3", "ul", "li", "div", "table",
    "thead", "tbody", "tr", "th", "td", "br", "span", "i", "b", "figure", "img", "figcaption", "section", "dl", "dt",
    "dd", "footer", "code", "bdi", "details", "summary",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "name", "content", "http-equiv", "class", "style", "aria-hidden", "src", "alt", "scope",
    "tabindex", "role", "aria-label", "dir",
}  # fmt: skip


def rows_of(texts: tuple[str, ...]) -> list[Row]:
    return [row(line, text, f"{word(line)} {text}") for line, text in enumerate(texts * 2, start=1)]


def hostile(folder: Path, rule: SuccessRule | None = None) -> Assembled:
    """A report in which everything that others wrote is hostile."""
    rows = rows_of(HOSTILE)
    arms = folder / "arms.json"
    arms.write_text(json.dumps({"arms": {"tuned": {"asked": HOSTILE[1]}}}))
    n = len(HOSTILE)
    outputs = {
        "base_few_shot": [HOSTILE[(place + 1) % n] for place in range(2 * n)],
        "tuned": [*HOSTILE, *(HOSTILE[(place + 2) % n] for place in range(n))],
    }
    return assembled(
        folder, rows, outputs, rule or SuccessRule(guardrails=(), metric="exact_match"), arms=arms, changed=HOSTILE[0]
    )


def check(source: str) -> Parsed:
    """Assert that a page holds no element, attribute or address that the template does not."""
    parsed = Parsed(source)
    assert {tag for tag, _ in parsed.tags} <= TAGS
    assert {name for _, attributes in parsed.tags for name in attributes} <= ATTRIBUTES
    assert all(
        str(attributes["src"]).startswith("data:image/png;base64,")
        for _, attributes in parsed.tags
        if "src" in attributes
    )
    policies = [attributes["content"] for _, attributes in parsed.tags if "http-equiv" in attributes]
    assert len(policies) == 1
    assert str(policies[0]).startswith("default-src 'none'; ")
    assert "script" not in str(policies[0])
    style = source.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    return parsed


@pytest.mark.parametrize("metric", ["exact_match", "chrf"])
def test_whatever_models_said_is_escaped(tmp_path: Path, metric: str) -> None:
    """Tags, templates, control characters and endless texts are text in the page, whole, and load nothing."""
    report = hostile(tmp_path, SuccessRule(guardrails=(), metric=metric)).report
    table = Table(title=HOSTILE[0], head=HOSTILE[:2], rows=(HOSTILE[2:4], HOSTILE[4:6]))
    loud = Report(
        **{**vars(report), "tables": (table,), "notices": HOSTILE, "judge_says": HOSTILE[2], "labels": HOSTILE}
    )
    source = page.write(loud, title=HOSTILE[1], number=7, pictures=[(b"png", HOSTILE[1])])
    source.encode("utf-8")
    text = check(source).text
    assert sum(tag == "img" for tag, _ in Parsed(source).tags) == 1
    for each in HOSTILE:
        assert each.replace("\ud800", "?") in text


@settings(max_examples=30, deadline=None)  # each draws a whole page
@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_inert(text: str) -> None:
    """No text of any characters adds an element or an attribute anywhere."""
    report = PLAIN.__class__(**{**vars(PLAIN), "notices": (text,), "contamination": text, "changed": text})
    check(page.write(report, title=text, number=1, pictures=[(b"", text)]))
    markdown(report).encode("utf-8")


PROMPT = Prompt(
    kind="few-shot by similarity",
    asked="the 4 most similar training rows",
    row=3,
    turns=(("system", HOSTILE[0]), ("user", HOSTILE[3]), ("assistant", HOSTILE[12]), (HOSTILE[1], "\ud800")),
    tried=((HOSTILE[2], 0.5, 60),),
)


def plain_report() -> Report:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        rows = [row(line, ("billing", "returns")[line % 2]) for line in range(1, 41)]
        outputs: dict[str, list[str | None]] = {
            arm: [each.target if place < count else "account" for place, each in enumerate(rows)]
            for arm, count in (("base_plain", 2), ("base_few_shot", 9), ("tfidf", 20), ("tuned", 35))
        }
        return assembled(Path(folder), rows, outputs).report


PLAIN = plain_report()


def test_the_prompt_that_won_is_folded_into_the_page() -> None:
    """Every turn is text, whatever it holds, folded with what else was tried; Markdown has it quoted."""
    report = replace(PLAIN, prompt=PROMPT)
    source = page.write(report, title="tickets", number=3, pictures=[])
    text = check(source).text
    folded = source.partition("<details><summary>The prompt of the best-prompted base")[2].partition("</details>")[0]
    assert PROMPT.sentence in folded
    assert "<table>" in folded
    for each in (*(content for _, content in PROMPT.turns[:3]), HOSTILE[2]):
        assert each in text
    assert "The prompt of the best" not in page.write(PLAIN, title="tickets", number=3, pictures=[])
    assert "> {{ 7 * 7 }}" in markdown(report)


def test_a_page_without_pictures_or_cases_is_whole(tmp_path: Path) -> None:
    """No picture, no case, no guardrail and no answer: no empty heading or table is left."""
    source = page.write(PLAIN, title="tickets", number=3, pictures=[])
    assert "<figure>" not in source
    assert "Tuned gets 35/40 right, the best-prompted base 9/40." in check(source).text
    nothing = assembled(tmp_path, [], {}).report
    text = check(page.write(nothing, title="tickets", number=3, pictures=[])).text
    for absent in ("Better", "Worse or still wrong", "What must not get worse"):
        assert absent not in text


def test_the_markdown_of_hostile_texts_keeps_its_shape(tmp_path: Path) -> None:
    """Cells stay in their table and what models said stays quoted, whatever lines and bars they hold."""
    report = hostile(tmp_path).report
    table = Table(title="Probes lost", head=("Asked", "Said"), rows=(("a | b", "one\ntwo\n# PASS"),))
    text = markdown(Report(**{**vars(report), "tables": (table,)}))
    assert r"| a \| b | one two # PASS |" in text
    heads = [line for line in text.split("\n") if line.startswith("#")]
    assert len(heads) == 1 + bool(report.wins) + bool(report.misses) + 1 + bool(report.guardrails) + 1
    text.encode("utf-8")


def sheet(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


DANGEROUS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    '=HYPERLINK("https://evil.example")',
)  # wide on purpose


def test_no_cell_is_a_formula_and_every_text_comes_back(tmp_path: Path) -> None:
    """What a spreadsheet would run gets a quotation mark; all other texts read back as they were."""
    csv.field_size_limit(10**6)
    texts = (*DANGEROUS, *HOSTILE, "plain", 'a "quoted", one', "two\r\nlines", " =indented", "")
    rows = [row(line, text or "x") for line, text in enumerate(texts, start=1)]
    made = assembled(tmp_path, rows, {"tuned": list(texts)}, SuccessRule(guardrails=(), metric="exact_match"))
    head, *lines = sheet(spreadsheet.write(made.answers, rows))
    assert head == ["row", "used", "why_not", "input", "expected", "tuned output", "tuned score", "tuned ms"]
    for number, (text, line) in enumerate(zip(texts, lines, strict=True), start=1):
        wanted = f"'{text}" if text in DANGEROUS else text.replace("\ud800", "?")
        assert (line[0], line[1], line[5], line[7]) == (str(number), "yes", wanted, f"{99 + number:.1f}")
        assert not line[5].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_answer_reads_back_from_the_csv(text: str) -> None:
    """Any text is one cell, the same or with one quotation mark before it, and never a formula."""
    answers: Answers = {"base_few_shot": {}, "tuned": {1: Answer(text, Mark(0.25), None)}}
    (_, line) = sheet(spreadsheet.write(answers, [row(1, "x")]))
    assert line[5] in (text, f"'{text}")
    assert line[5][:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")
    assert line[6:] == ["0.25", ""]


def test_missing_answers_are_empty_cells() -> None:
    """An arm that answered some rows has empty cells for the others; one that answered none has no columns."""
    answers: Answers = {"base_few_shot": {1: Answer("a", Mark(1.0), 12.34)}, "tuned": {}}
    assert sheet(spreadsheet.write(answers, [row(1, "a"), row(2, "b")]))[2][4:] == ["b", "", "", ""]
    assert sheet(spreadsheet.write({}, [])) == [["row", "used", "why_not", "input", "expected"]]


def test_rows_that_are_not_used_stay_in_the_csv_with_a_reason() -> None:
    """Their answers are there too; times of batches are called what they are."""
    answers: Answers = {"tuned": {line: Answer("a", Mark(1.0), 12.34) for line in (1, 2)}}
    data = spreadsheet.write(answers, [row(1, "a"), row(2, "a")], {2: "=gone\non the way"}, batched=True)
    head, first, second = sheet(data)
    assert head[-1] == "tuned ms_batch_mean"
    assert (first[1:3], second[1:3]) == (["yes", ""], ["no", "'=gone\non the way"])
    assert second[5:] == ["a", "1", "12.3"]


def full(folder: Path) -> str:
    """A page with everything on it, with one hostile and one endless text."""
    made = hostile(folder)
    (rail,) = guardrails(["general"])
    result = judge(rail, [True] * 120, [place < 112 for place in range(120)])
    table = Table(title="Probes", head=("Suite", "Skill", "Before"), rows=(("General skills", "arithmetic", "9/15"),))
    wins = (replace(made.report.wins[0], base=HOSTILE[-1]), *made.report.wins[1:])
    report = Report(**{**vars(PLAIN), "guardrails": (result,), "tables": (table,), "wins": wins,
                       "misses": made.report.misses, "changed": "The test rows changed."})  # fmt: skip
    return page.write(report, title="tickets-v2", number=12, pictures=[(arms_chart(report), arms_alt(report))])


def test_people_can_read_it_on_a_phone_and_in_the_dark(tmp_path: Path, chromium: Browser) -> None:
    """Nothing runs, loads or overflows at 390 pixels, and axe-core finds nothing serious in either scheme."""
    path = tmp_path / "report.html"
    path.write_text(full(tmp_path), "utf-8")
    wrong: list[str] = []
    with chromium.new_context(viewport={"width": 390, "height": 844}) as context:
        tab = context.new_page()
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("dialog", lambda dialog: wrong.append(dialog.message))
        tab.on("request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None)
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert tab.evaluate("document.scripts.length") == 0
        found: list[Any] = []
        found += Axe().run(tab, options={"resultTypes": ["violations"]}).response["violations"]
        tab.emulate_media(color_scheme="dark")  # where colours alone differ
        found += Axe().run(tab, options={"runOnly": ["color-contrast"]}).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
    assert [text for text in wrong if "axe" not in text.casefold()] == []
