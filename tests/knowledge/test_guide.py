"""The shipped guide: every page can be cited, followed and checked."""

import json
import re
import subprocess
import sys
import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import knowledge
from knowledge.sources import ASKED, anchor, load_guide
from trainers.data.lint import lint

FOLDER = Path(knowledge.__file__).parent / "guide"
FILES = sorted(FOLDER.glob("*.md"))
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#([^)]+))?\)")
DATED = re.compile(r"20\d\d(-\d\d(-\d\d)?)?")
CLAIM = re.compile(r"\$\d|\d ?%|\d points")
OURS = re.compile(r"Luthier's (default|own|rule|limit|proposal)|invented example")

# What people ask about, and words that the page for it has to contain.
TOPICS = {
    "what-is-fine-tuning": ("already trained", "vocabulary", "format", "RAG", "specialist"),
    "what-fine-tuning-changes": ("weights", "style", "jargon", "medical", "legal", "JSON", "refus", "accuracy"),
    "what-training-cannot-do": ("cut-off", "reasoning", "hallucinate", "cited"),
    "prompting-first": ("system prompt", "few-shot", "hours"),
    "when-rag-is-right": ("retrieval-augmented", "no training", "policies", "permission"),
    "when-facts-change": ("weekly", "index", "stale"),
    "small-corpora": ("200,000 tokens", "cached", "500 pages"),
    "when-fine-tuning-is-right": ("implicit", "thousands", "smaller", "distillation"),
    "rag-and-fine-tuning": ("RAFT", "distract"),
    "when-none-of-these": ("rules", "classical", "SQL", "constrained decoding", "person"),
    "decision-checklist": ("context axis", "behaviour axis"),
    "comparing-the-options": ("quality", "cost", "time", "upkeep", "updat", "main risk"),
    "lora-and-qlora": ("low-rank", "4-bit", "10 to 100 times", "adapter"),
    "lora-hyper-parameters": ("rank", "alpha", "target modules", "learning rate", "epochs", "batch"),
    "gpu-memory": ("24 GB", "13B", "QLoRA", "gradient checkpointing"),
    "training-tools": ("PEFT", "TRL", "Unsloth", "Axolotl"),
    "open-models": ("Llama", "Mistral", "Phi", "Gemma", "Qwen", "SmolLM", "languages", "licence", "which one to start"),
    "openai-fine-tuning": ("2027-01-06", "2027-01-14", "2026-05-07", "training_not_available", "GPT-3.5 turbo"),
    "azure-openai": ("$1.70", "Developer", "2027-04-14", "byte-order mark", "tenant", "region"),
    "vertex-ai": ("Gemini Enterprise Agent Platform", "3.5 Flash", "2026-10-20"),
    "hosted-trainers": ("Together", "Fireworks", "Nebius", "Tinker", "Bedrock", "Mistral", "Cohere"),
    "training-costs": ("epoch", "$4.50", "per 1M"),
    "serving-costs": ("idle", "$1,224", "dominates"),
    "shorter-prompts": ("break-even", "cached", "gpt-6-luna"),
    "training-data-quality": ("consistency", "coverage", "quality over quantity", "production format"),
    "how-many-examples": ("50–100", "500–1,000", "10"),
    "jsonl-formats": ("messages", "systemInstruction", "JSONL", "512 MB", "several turns", '"weight": 0'),
    "spreadsheet-to-jsonl": ("CSV", "column", "Excel", "lint"),
    "training-methods": ("SFT", "DPO", "RFT", "distillation", "preferred_output"),
    "checking-training-data": ("duplicates", "contradictions", "secrets", "masking"),
    "privacy-and-slack-data": ("Slack forbids", "2024-12-10", "never trains on Slack messages", "works council"),
    "evaluating-a-tuned-model": ("best-prompted", "inconclusive", "guardrail", "metric"),
    "small-test-sets": ("Wilson", "McNemar", "Bonett-Price"),
    "llm-judges": ("position", "length", "swapped"),
    "overfitting-and-forgetting": ("validation loss", "forget"),
    "safety-after-fine-tuning": ("refus", "5.5%", "31.8%"),
    "brand-voice": ("vocabulary", "sentence structure", "tone", "avoid"),
    "system-prompts": ("role and context", "output format", "edge cases", "consistency"),
    "model-lifecycles": ("shutdown_date", "2027-01-14", "re-train", "how often"),
    "how-luthier-works": ("no account", "approve", "leaves the machine", "LUTHIER_MODEL"),
}


class _Page(NamedTuple):
    head: dict[str, Any]
    body: str


@cache
def _read(path: Path) -> _Page:
    """Return a page as written; the product's own reader has its own tests, so this one shares nothing with it."""
    before, head, body = path.read_text(encoding="utf-8").split("+++\n", 2)
    assert before == "", f"{path.name} starts before its head"
    return _Page(tomllib.loads(head), body)


def _last_day(as_of: str) -> date:
    """Return the first day that a year, month or day written as 2026, 2026-11 or 2026-11-22 may mean."""
    return date.fromisoformat((as_of + "-01-01")[:10])


def _headings(body: str) -> list[str]:
    """Return the headings without their marks."""
    return [line.lstrip("# ") for line in _prose(body).splitlines() if line.startswith("#")]


def _prose(body: str) -> str:
    """Return the body without code blocks, whose text people run rather than read."""
    return re.sub(r"```.*?```", "", body, flags=re.DOTALL)


def _table(path: Path, starts: str) -> list[list[str]]:
    """Return the rows (cells stripped) of the first table whose header starts with `starts`."""
    lines = iter(_read(path).body.splitlines())
    for line in lines:
        if line.startswith(f"| {starts}"):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _dollars(cell: str) -> Decimal:
    """Return the first amount in a cell."""
    found = re.search(r"\$([\d,]+(?:\.\d+)?)", cell)
    assert found, f"no amount in {cell!r}"
    return Decimal(found[1].replace(",", ""))


def test_questions_beside_the_guide_name_a_part_that_is_there() -> None:
    """Whoever renames a page or a heading renames it in asked.jsonl too; none is asked twice, none is a speech."""
    pages = {page.slug: page for page in load_guide()}
    parts = [json.loads(line) for line in (FOLDER / ASKED).read_text("utf-8").splitlines()]
    headings = {slug: {"", *re.findall(r"^## (.+)$", page.body, re.MULTILINE)} for slug, page in pages.items()}
    assert [part for part in parts if part["heading"] not in headings.get(part["slug"], ())] == []
    asked = [question for part in parts for question in part["questions"]]
    assert len(asked) == len(set(asked)) == sum(len(page.asked) for page in pages.values())
    assert max(map(len, asked)) < 300


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_head_is_complete(path: Path) -> None:
    """Each page names itself, its day, three to six questions and its dated sources; none lacks an address silently."""
    head = _read(path).head
    assert set(head) == {"title", "slug", "updated", "questions", "sources"}
    assert head["slug"] == path.stem
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", head["slug"])
    assert head["updated"].isoformat() >= "2026-11-22"
    assert 3 <= len(set(head["questions"])) == len(head["questions"]) <= 6
    assert head["sources"], "a page without a source cannot be cited"
    for source in head["sources"]:
        assert set(source) in ({"name", "url", "as_of"}, {"name", "no_url", "as_of"}), source["name"]
        assert source["name"].strip()
        assert _last_day(source["as_of"]) <= head["updated"], "a source from the future"
        assert source.get("url", "https://").startswith("https://")
        assert len(source.get("no_url", "this program").split()) >= 2, "a reason takes more than a word"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_page_is_of_readable_length(path: Path) -> None:
    """A page holds 150 to 600 words under one heading that is its title, with short headings inside."""
    page = _read(path)
    assert 150 <= len(page.body.split()) <= 600
    headings = [line for line in _prose(page.body).splitlines() if line.startswith("#")]
    assert headings[0] == f"# {page.head['title']}"
    assert all(line.startswith("## ") and len(line.split()) <= 10 for line in headings[1:])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_links_lead_to_pages(path: Path) -> None:
    """Each link inside a page leads to another page of the guide and, where it names one, to a heading there."""
    links = LINK.findall(_read(path).body)
    assert links, "a page that leads nowhere is a dead end"
    for link, heading in links:
        assert link != path.name
        assert (FOLDER / link).is_file(), link
        assert not heading or heading in map(anchor, _headings(_read(FOLDER / link).body)), f"{link}#{heading}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_headings_have_addresses_of_their_own(path: Path) -> None:
    """No two headings of a page share an address, so that a link to one never opens at the other."""
    addresses = [anchor(heading) for heading in _headings(_read(path).body)]
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_pages_lead_with_the_answer(path: Path) -> None:
    """Two to four sentences stand between the title and the first heading."""
    title, lead, *_ = _read(path).body.strip().split("\n\n")
    assert title.startswith("# ")
    assert 2 <= len(re.findall(r"[.!?](?:\s|$)", lead)) <= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_figures_say_where_and_when_they_are_from(path: Path) -> None:
    """A section with an amount, a share or points has a year in it or says that the figure is ours or invented."""
    for section in re.split(r"^## ", _prose(_read(path).body), flags=re.MULTILINE):
        if CLAIM.search(section):
            assert re.search(r"20\d\d", section) or OURS.search(section), section[:60]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_paragraphs_stand_alone(path: Path) -> None:
    """No paragraph opens with a word that points back, as answers quote paragraphs out of context."""
    for paragraph in re.split(r"\n\s*\n", _prose(_read(path).body)):
        assert not re.match(r"(It|This|These|That|Those|They|Such|He|She)\b", paragraph.strip()), paragraph[:80]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_pages_with_prices_say_when(path: Path) -> None:
    """A page that names a dollar amount has a dated text or table, or a source dated to the month."""
    page = _read(path)
    if "$" in page.body:
        dates = [source["as_of"] for source in page.head["sources"]]
        assert any(len(day) >= 7 for day in dates) or re.search(r"20\d\d-\d\d", page.body)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_research_marks_are_left(path: Path) -> None:
    """Marks of the notes that the guide was written from never reach a reader."""
    text = path.read_text(encoding="utf-8")
    for mark in ("[UNVERIFIED]", "[calc]", "[pkg]", "[page]", "TODO", "/work", "/tmp"):
        assert mark not in text


@pytest.mark.parametrize("slug", TOPICS)
def test_topic_is_covered(slug: str) -> None:
    """Each topic has its page, and the page holds the words that the topic cannot do without."""
    text = (FOLDER / f"{slug}.md").read_text(encoding="utf-8").lower()
    assert [word for word in TOPICS[slug] if word.lower() not in text] == []


def test_each_page_is_a_known_topic() -> None:
    """A page that nobody listed is either a topic to add here or a leftover."""
    assert {path.stem for path in FILES} == set(TOPICS)


def test_titles_and_questions_are_unique() -> None:
    """No two pages share a title, and no question is claimed by two pages."""
    titles = [_read(path).head["title"].lower() for path in FILES]
    assert len(set(titles)) == len(titles)
    asked = [question.lower() for path in FILES for question in _read(path).head["questions"]]
    assert {question for question in asked if asked.count(question) > 1} == set()


def test_every_page_is_linked_to() -> None:
    """Somebody who only follows links reaches every page from the first one."""
    reached, ahead = set(), ["what-is-fine-tuning.md"]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += [link for link, _ in LINK.findall(_read(FOLDER / name).body)]
    assert reached == {path.name for path in FILES}


def test_training_example_adds_up() -> None:
    """The worked example's amounts are price times 0.3 and 0.9 million tokens, to the cent."""
    rows = [row for row in _table(FOLDER / "training-costs.md", "Where | Price") if "per hour" not in row[1]]
    assert len(rows) >= 5
    for _, price, one, three in rows:
        assert _dollars(one) == (_dollars(price) * Decimal("0.3")).quantize(Decimal("0.01"))
        assert _dollars(three) == (_dollars(price) * Decimal("0.9")).quantize(Decimal("0.01"))


def test_hosting_example_adds_up() -> None:
    """A month of hosting is the hourly price times the hours that the table states, to the dollar."""
    rows = [row for row in _table(FOLDER / "serving-costs.md", "Where | Idle") if re.search(r"\(\d+ h\)", row[2])]
    assert len(rows) == 4
    for _, hourly, monthly in rows:
        hours = int(re.search(r"\((\d+) h\)", monthly)[1])  # type: ignore[index]  # the filter above found it
        assert abs(_dollars(hourly) * hours - _dollars(monthly)) <= Decimal("0.5")


def test_prompt_example_adds_up() -> None:
    """In the break-even example each total is the sum of its parts."""
    rows = _table(FOLDER / "shorter-prompts.md", "Per 1,000 calls")
    assert len(rows) == 3
    for _, sent, received, total in rows:
        assert _dollars(sent) + _dollars(received) == _dollars(total)


def test_closing_dates_agree() -> None:
    """The pages that name the last day of OpenAI's tuned models name the same one."""
    for slug in ("openai-fine-tuning", "model-lifecycles"):
        lines = _read(FOLDER / f"{slug}.md").body.splitlines()
        rows = [line for line in lines if line.startswith("|") and "gpt-4.1-mini" in line]
        assert any("2027-01-14" in line for line in rows), slug


def _block(slug: str, language: str, number: int = 0) -> str:
    """Return a code block of a page."""
    body = _read(FOLDER / f"{slug}.md").body
    return str(re.findall(rf"```{language}\n(.*?)```", body, flags=re.DOTALL)[number])


def test_the_script_turns_a_spreadsheet_into_rows(tmp_path: Path) -> None:
    """The script of the page runs as printed on a sheet as Excel saves it, and the lint blocks nothing."""
    cells = [f'"Where is parcel {n}, ""the blue one""?","It left on day {n}.\nGrüße"' for n in range(1, 61)]
    sheet = "\r\n".join(["question,answer,team", *(f"{line},A" for line in cells), "No answer yet,,B", ""])
    (tmp_path / "faq.csv").write_text(sheet, encoding="utf-8-sig", newline="")
    subprocess.run([sys.executable, "-c", _block("spreadsheet-to-jsonl", "python")], cwd=tmp_path, check=True)
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 60
    assert rows[0]["messages"][1]["content"] == 'Where is parcel 1, "the blue one"?'
    assert rows[0]["messages"][2]["content"] == "It left on day 1.\nGrüße"
    assert [finding.code for finding in lint(tmp_path / "train.jsonl").findings if finding.severity == "BLOCK"] == []


@pytest.mark.parametrize("number", [0, 1], ids=["one turn", "several turns"])
def test_example_rows_are_rows(tmp_path: Path, number: int) -> None:
    """The chat rows that the page of formats prints are taken as they stand by our own reader."""
    file = tmp_path / "rows.jsonl"
    file.write_text(_block("jsonl-formats", "json", number) * 12, encoding="utf-8")
    codes = {finding.code for finding in lint(file).findings if finding.severity == "BLOCK"}
    assert codes == set()


def test_other_example_rows_are_json() -> None:
    """The rows in formats that we do not read are one valid JSON object on one line."""
    for slug, number, key in (("jsonl-formats", 2, "contents"), ("training-methods", 0, "preferred_output")):
        text = _block(slug, "json", number)
        assert text.count("\n") == 1
        assert json.loads(text)[key]
