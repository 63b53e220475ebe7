"""Each rule finds its planted defect at the right line, and clean files stay clean."""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import UserError
from trainers.data.counting import Counted
from trainers.data.examples import EXAMPLES
from trainers.data.findings import Finding
from trainers.data.lint import LintReport, lint

Turn = tuple[str, str]
Plant = Callable[..., LintReport]

QUESTIONS = (
    "The bow of my cello lost its hair overnight",
    "Which strings suit a beginner on a three-quarter violin?",
    "I was charged twice for one metronome",
    "Can the harp be collected from a third floor?",
    "Your app forgets my password every morning",
    "Where is the trumpet I ordered in spring?",
    "Please send the invoice to our school instead",
    "The clarinet reeds are too hard for my daughter",
    "Is there a discount for orchestras?",
    "A key of the accordion sticks when it rains",
    "I'd like to swap the blue ukulele for a red one",
    "Nobody answered my letter about the drum kit",
)


def chat(*turns: Turn) -> str:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in turns]})


def clean(count: int = 60) -> list[str]:
    """Rows about different things, with free-text answers and one system prompt."""
    return [
        chat(
            ("system", "You help a music shop."),
            ("user", f"{QUESTIONS[place % 12]} {NUMBERS[place // 12]}"),
            ("assistant", f"{ANSWERS[place % 7]} {NUMBERS[place % 11]} {place}"),
        )
        for place in range(count)
    ]


NUMBERS = (
    "because the winter was long and dry here in the hills",
    "as my neighbour the baker keeps telling everybody",
    "while our whole choir is waiting for good news",
    "since the move to a smaller flat by the harbour",
    "although nothing of the kind was ever promised",
    "before the summer concert in the old town hall",
    "unless your colleague in the workshop disagrees",
    "so that the children can practise on Saturday",
    "after an evening with too much red wine",
    "if the postman finds our door this time",
    "though I hardly dare to ask again",
)
ANSWERS = (
    "We will look at it in the workshop",
    "Thank you for writing to us",
    "That parcel left yesterday",
    "Please bring it to the counter",
    "The money is on its way",
    "A colleague calls you today",
    "We keep it for you",
)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Lint clean rows in which some lines (1-based) are replaced."""

    def planted(lines: dict[int, str] | Sequence[str], test: Sequence[str] | None = None) -> LintReport:
        rows = clean()
        if isinstance(lines, dict):
            for number, line in lines.items():
                rows[number - 1] = line
        else:
            rows = list(lines)
        path, beside = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
        path.write_text("\n".join(rows), "utf-8")
        if test is not None:
            beside.write_text("\n".join(test), "utf-8")
        return lint(path, test=None if test is None else beside)

    return planted


def found(report: LintReport, code: str) -> Finding:
    """The one finding with a code."""
    (finding,) = [finding for finding in report.findings if finding.code == code]
    return finding


def codes(report: LintReport) -> set[str]:
    return {finding.code for finding in report.findings}


SYSTEM: Turn = ("system", "You help a music shop.")


def answer(text: str) -> str:
    """A row with a question of its own and this answer."""
    return chat(SYSTEM, ("user", "How do I clean a very old piano?"), ("assistant", text))


def ask(text: str) -> str:
    return chat(SYSTEM, ("user", text), ("assistant", "We will find out for you."))


# Keys are put together here so that no scanner takes this file for a leak.
KEY = "Zq8" + "vT3nB6mK1xW9" * 4

DEFECTS: list[tuple[str, str, str, str]] = [
    ("unknown role", "unknown_role", "BLOCK", chat(("human", "a"), ("assistant", "b"))),
    ("tool role", "unknown_role", "BLOCK", chat(("user", "a"), ("tool", "x"), ("assistant", "b"))),
    ("two users in a row", "role_order", "BLOCK", chat(("user", "a"), ("user", "b"), ("assistant", "c"))),
    ("assistant first", "role_order", "BLOCK", chat(("assistant", "a"))),
    ("system in the middle", "role_order", "BLOCK", chat(("user", "a"), ("system", "b"), ("assistant", "c"))),
    ("only a system prompt", "role_order", "BLOCK", chat(("system", "a"))),
    ("user last", "last_not_assistant", "BLOCK", chat(("user", "a"), ("assistant", "b"), ("user", "c"))),
    ("empty answer", "empty_target", "BLOCK", answer("")),
    ("blank answer", "empty_target", "BLOCK", answer(" \n\t")),
    ("empty question", "empty_input", "WARN", ask("  ")),
    ("private key", "secret", "BLOCK", answer("-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE")),
    ("OpenSSH key", "secret", "BLOCK", ask("-----BEGIN OPENSSH " + "PRIVATE KEY-----")),
    ("OpenAI key", "secret", "BLOCK", ask("use sk-" + KEY[:48])),
    ("OpenAI project key", "secret", "BLOCK", ask("use sk-proj-" + KEY)),
    ("Anthropic key", "secret", "BLOCK", ask("sk-ant-api03-" + KEY)),
    ("AWS key", "secret", "BLOCK", ask("AKIA" + "Q3EGRNZ7YKT5WXAB")),
    ("GitHub token", "secret", "BLOCK", ask("ghp_" + KEY[:36])),
    ("Slack token", "secret", "BLOCK", ask("xoxb-" + "1234567890-abcdefXYZ")),
    ("Google key", "secret", "BLOCK", ask("AIza" + KEY[:35])),
    ("Stripe key", "secret", "BLOCK", ask("sk_live_" + KEY[:24])),
    ("Hugging Face token", "secret", "BLOCK", ask("hf_" + KEY[:34])),
    ("JWT", "secret", "BLOCK", ask(f"eyJ{KEY[:20]}.eyJ{KEY[:30]}.{KEY[:30]}")),
    ("database address", "secret", "BLOCK", ask("postgres://shop:" + "s3cr3t-Pw@db.shop.test:5432/x")),
    ("assigned key", "secret", "BLOCK", ask(f"api_key = '{KEY[:32]}'")),
    ("e-mail", "personal_data", "WARN", ask("write to jane.doe@mail.test please")),
    ("US phone", "personal_data", "WARN", ask("call 555-867-5309 tonight")),
    ("German phone", "personal_data", "WARN", ask("Ruf an: +49 30 1234567")),
    ("card", "personal_data", "WARN", ask("my card 4111 1111 1111 1111 was refused")),
    ("IBAN", "personal_data", "WARN", ask("pay to DE89 3704 0044 0532 0130 00 today")),
    ("IBAN before capitals", "personal_data", "WARN", ask("GB82WEST12345698765432 OK")),
    ("social security number", "personal_data", "WARN", ask("it is 078-05-1120")),
    ("template variable", "placeholder", "WARN", answer("Dear {{customer_name}}, it is ready.")),
    ("insert", "placeholder", "WARN", answer("Dear [Your Name], it is ready.")),
    ("lorem ipsum", "placeholder", "WARN", answer("Lorem ipsum dolor")),
    ("TODO", "placeholder", "WARN", answer("TODO write this")),
    ("sure", "generator_phrase", "WARN", answer("Sure! Use a soft cloth.")),
    ("here is", "generator_phrase", "WARN", answer("Here's a revised version: use a cloth.")),
    ("hope", "generator_phrase", "WARN", answer("Use a cloth. I hope this helps!")),
    ("as an AI", "generator_phrase", "WARN", answer("As an AI language model I have no cloth.")),
    ("sorry", "refusal", "WARN", answer("I\u2019m sorry, but I can\u2019t help with that.")),
    ("cannot", "refusal", "WARN", answer("I cannot assist with this request.")),
    (
        "other system prompt",
        "system_prompt_variants",
        "WARN",
        chat(("system", "Hi"), ("user", "a b"), ("assistant", "c")),
    ),
    ("no system prompt", "system_prompt_variants", "WARN", chat(("user", "a b"), ("assistant", "c"))),
]


@pytest.mark.parametrize(
    ("code", "severity", "line"), [case[1:] for case in DEFECTS], ids=[case[0] for case in DEFECTS]
)
def test_a_planted_defect_is_found_at_its_line(plant: Plant, code: str, severity: str, line: str) -> None:
    """One defective row among 60 clean ones is found by code, severity and line, and blocks only if it should."""
    report = plant({37: line})
    finding = found(report, code)
    assert (finding.severity, finding.lines) == (severity, (37,))
    assert report.blocked == any(f.severity == "BLOCK" for f in report.findings)
    assert finding.fix
    if severity == "WARN":
        assert not report.blocked


def test_clean_rows_stay_clean(plant: Plant) -> None:
    """Sixty different rows give no warning at all, only the summary."""
    report = plant({})
    assert [finding.code for finding in report.findings] == ["summary"]
    assert report.headline == "60 rows, ready to train on."


def test_rows_that_are_too_few_to_divide_are_not_called_ready_alone(plant: Plant) -> None:
    """Without a test file 12 rows train nothing, so the headline says what they want beside them."""
    few = dataclasses.replace(plant({}), rows=12)
    assert few.headline == "12 rows, ready to train on beside a test file of their own."
    assert dataclasses.replace(few, test_rows=20).headline == "12 rows, ready to train on."


@pytest.mark.parametrize(
    "text",
    [
        "Order 4471-2290 of 2026-11-22 14:28 is late",
        "Part number 123-4567-89 costs 1,299.00 euros",
        "The serial is 1234 5678 9012 3456",
        "version 1.22.333.4444 of task-risk-ask-no-secrets-here-at-all",
        "Model GB82WEST12345698765433 in walnut",
        "Meet me @ noon, token of my love",
        "our secret: practise",
        "https://shop.test/search?q=a@b",
        "[1] see the list, [x] done",
        "use sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx here",
    ],
)
def test_harmless_text_is_not_taken_for_a_secret_or_a_person(plant: Plant, text: str) -> None:
    """Numbers, dates, brackets and talk about secrets raise no finding."""
    assert not codes(plant({5: ask(text)})) & {"secret", "personal_data", "placeholder"}


def test_the_shipped_example_is_clean() -> None:
    """The example data set has nothing to remark, and its five labels are recognised."""
    shipped = EXAMPLES["tickets"]
    report = lint(shipped.train, test=shipped.test)
    assert [finding.code for finding in report.findings] == ["summary"]
    assert report.labels == dict.fromkeys(("account", "billing", "delivery", "returns", "workshop"), 24)
    assert (report.rows, report.test_rows) == (120, 60)
    assert shipped.licence == "CC0-1.0"


def test_few_rows(plant: Plant) -> None:
    """Under 10 rows blocks, under 50 warns, 50 is fine; one row is called one row."""
    assert found(plant(clean(9)), "too_few_rows").severity == "BLOCK"
    assert found(plant(clean(10)), "few_rows").severity == "WARN"
    assert found(plant(clean(49)), "few_rows").severity == "WARN"
    assert "few_rows" not in codes(plant(clean(50)))
    assert found(plant(clean(1)), "too_few_rows").message.startswith("That file has 1 row that I can use")


def test_a_file_without_rows_says_why_and_only_that(plant: Plant) -> None:
    """An unreadable file gets its reason, without '0 rows' beside it; the headline says what to do."""
    report = plant(["not json at all"])
    assert [f.code for f in report.findings if f.severity == "BLOCK"] == ["invalid_json"]
    assert report.headline.startswith("That file isn't JSONL: line 1 has")
    assert report.headline.endswith("Nothing was started.")


def test_contradictions_name_all_their_lines(plant: Plant) -> None:
    """The same input, but for case and spaces, with two answers is a contradiction."""
    one = chat(SYSTEM, ("user", "Is the shop open on Sunday?"), ("assistant", "Yes"))
    other = chat(SYSTEM, ("user", "is the  shop open on sunday"), ("assistant", "No"))
    report = plant({4: one, 40: other, 50: one})
    assert found(report, "contradiction").lines == (4, 40, 50)
    assert found(report, "duplicate").lines == (50,)
    assert not report.blocked


def test_sums_are_not_contradictions(plant: Plant) -> None:
    """Signs count: 2 + 2 and 2 - 2 are different questions."""
    report = plant(
        {4: ask("What is 2 + 2?"), 5: answer("x"), 6: chat(SYSTEM, ("user", "What is 2 - 2?"), ("assistant", "0"))}
    )
    assert "contradiction" not in codes(report)


def test_near_duplicates_are_found_and_different_rows_are_not(plant: Plant) -> None:
    """Rows from one template are near duplicates; lines name both ends."""
    rows = [ask(f"My order {number} from last week has not arrived yet, where is it?") for number in (4711, 8822)]
    report = plant({10: rows[0], 20: rows[1]})
    assert found(report, "near_duplicate").lines == (10, 20)


def test_a_shared_instruction_makes_no_near_duplicates(plant: Plant) -> None:
    """A long instruction that opens every input does not make the rows alike."""
    start = "Read the following message of a customer carefully and answer in one friendly sentence, please. Message: "
    rows = [json.loads(line) for line in clean()]
    for value in rows:
        value["messages"][1]["content"] = start + value["messages"][1]["content"]
    assert "near_duplicate" not in codes(plant([json.dumps(value) for value in rows]))


def test_overlap_with_the_test_file_blocks_and_near_overlap_warns(plant: Plant) -> None:
    """An input in both files blocks; nearly the same input warns; both name the training line."""
    test = [ask(f"{text} {NUMBERS[7]}") for text in QUESTIONS] + [ask(f"{text} {NUMBERS[8]}") for text in QUESTIONS]
    assert codes(plant({}, test)) == {"summary"}
    report = plant(
        {30: ask(f"{QUESTIONS[0].upper()}  {NUMBERS[7]}."), 31: ask(f"{QUESTIONS[1]} {NUMBERS[7]}, right")}, test
    )
    assert found(report, "test_overlap").lines == (30,)
    assert found(report, "test_overlap").severity == "BLOCK"
    assert found(report, "near_leak").lines == (31,)


def prompted(system: str, count: int, start: int = 0) -> list[str]:
    """Rows that no other row repeats, under this system prompt; "" is none."""
    head = [("system", system)] if system else []
    return [
        chat(
            *head,
            ("user", f"{QUESTIONS[place % 12]} {NUMBERS[6 + place // 12]}"),
            ("assistant", f"{ANSWERS[0]} {place}"),
        )
        for place in range(start, start + count)
    ]


@pytest.mark.parametrize(
    ("other", "how"),
    [
        ("You are a poet.", "of the test file)"),
        ("", "of the test file, the first without any)"),
        ("you help a  music shop", "of the test file, the first only spelled otherwise)"),
    ],
)
def test_a_system_prompt_that_is_tested_and_not_taught_is_remarked(plant: Plant, other: str, how: str) -> None:
    """Counts and the first lines of both files are said, never the prompts; nothing is blocked."""
    report = plant({}, [*prompted("You help a music shop.", 16), *prompted(other, 8, 16)])
    remark = found(report, "untaught_system_prompt")
    assert (remark.severity, remark.lines, report.blocked) == ("WARN", tuple(range(17, 25)), False)
    assert "8 of 24 test rows" in remark.message
    assert f"(lines 17, 18, 19, 20 and 4 more {how}" in remark.message
    assert "In training 60 of 60 rows have another, first in line 1." in remark.message
    assert "poet" not in remark.message + remark.fix
    assert "1 remark" in report.headline


def test_a_system_prompt_of_some_training_rows_is_no_news_in_the_test(plant: Plant) -> None:
    """Prompts that vary in training are another remark; the test is on prompts that the model saw."""
    other = chat(
        ("system", "Hi"), ("user", "Does the choir meet in the new hall, or where?"), ("assistant", f"{ANSWERS[1]}")
    )
    taught = plant({37: other}, prompted("Hi", 24))
    assert codes(taught) == {"summary", "system_prompt_variants"}
    assert "untaught_system_prompt" not in codes(plant({}))


def test_defects_of_the_test_file_carry_its_name(plant: Plant) -> None:
    """What is wrong in the test file blocks too and says that it is the test file."""
    report = plant({}, ["{", *clean(1)])
    assert report.blocked
    assert found(report, "test_invalid_json").message.startswith("Test file: ")
    assert "few_test_rows" in codes(report)


def label_rows(counts: dict[str, int]) -> list[str]:
    labels = [label for label, count in counts.items() for _ in range(count)]
    rows = [json.loads(line) for line in clean(len(labels))]
    for value, label in zip(rows, labels, strict=True):
        value["messages"][2]["content"] = label
    return [json.dumps(value) for value in rows]


def test_labels_are_recognised_counted_and_weighed(plant: Plant) -> None:
    """Few short answers are labels; one label, rare labels, odd spellings and untaught labels warn."""
    balanced = plant(label_rows({"a": 30, "b": 30}))
    assert balanced.labels == {"a": 30, "b": 30}
    assert codes(balanced) == {"summary"}
    assert found(plant(label_rows({"a": 57, "b": 3})), "label_balance").lines == (58, 59, 60)
    assert "same" in found(plant(label_rows({"a": 60})), "label_balance").message
    spelled = plant(label_rows({"Late": 30, "late.": 1, "lost": 29}))
    assert spelled.labels == {"Late": 31, "lost": 29}
    assert found(spelled, "label_spelling").lines == (31,)
    assert found(plant(label_rows({"a": 30, "b": 30}), [ask("A new one?")]), "label_untaught").lines == (1,)
    assert plant({}).labels is None


def test_tokens_are_counted_by_whoever_can(tmp_path: Path) -> None:
    """With a counter, rows over the limit block and the figures are reported; without one nothing is claimed."""
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*clean(50), answer("word " * 600)]), "utf-8")

    class Words:
        """Counts words."""

        exact, how = True, "words"

        def __call__(self, chat: Mapping[str, Any], most: int) -> Counted:
            lengths = [len(turn["content"].split()) for turn in chat["messages"]]
            return Counted(sum(lengths), lengths[-1])

    report = lint(path, count=Words())
    assert found(report, "row_too_long").lines == (51,)
    assert report.tokens is not None
    assert report.tokens.most > 600 > report.tokens.p95 >= report.tokens.median > 10
    assert lint(path).tokens is None


def test_json_has_the_promised_keys(plant: Plant) -> None:
    """The JSON form has blocked, rows and findings with code, severity, lines, message and fix, and is plain data."""
    data = json.loads(json.dumps(plant({3: answer("")}).to_json()))
    assert list(data)[:3] == ["blocked", "rows", "findings"]
    assert data["blocked"] is True
    assert data["rows"] == 60
    assert all(set(finding) == {"code", "severity", "lines", "message", "fix"} for finding in data["findings"])
    assert len(data["sha256"]) == 64


def test_an_unknown_target_names_the_known_ones(tmp_path: Path) -> None:
    """A target that does not exist is a user error, not a finding."""
    with pytest.raises(UserError, match="local"):
        lint(tmp_path / "x.jsonl", target="mars")


def test_time_grows_with_the_rows(tmp_path: Path) -> None:
    """Four times the rows take at most about six times as long, even if all are alike: no pair-by-pair search."""

    def seconds(count: int) -> float:
        path = tmp_path / f"{count}.jsonl"
        path.write_text("\n".join(ask(f"{QUESTIONS[n % 12]} {NUMBERS[n % 11]} {n:x} {n % 97:x}") for n in range(count)))
        started = time.process_time()
        lint(path)
        return time.process_time() - started

    seconds(200)
    assert seconds(4000) < 6 * seconds(1000) + 0.5
