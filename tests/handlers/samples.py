"""One of everything that we draw, from fixed data; `python -m tests.handlers.samples` writes the snapshots anew."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from handlers.blocks import (
    advice,
    answer,
    choosing,
    compare,
    cost,
    datasets,
    details,
    documents,
    facts,
    feedback,
    forms,
    generating,
    home,
    labels,
    learn,
    lint,
    listing,
    plan,
    plan_form,
    prompting,
    review,
    review_forms,
    settings,
    source,
    voice,
)
from handlers.blocks.parts import section
from handlers.notify import render
from knowledge.advice import compare as compared
from knowledge.advice.advise import Advice, Question, Reason
from knowledge.advice.citations import Source
from knowledge.advice.compare import Comparison, Row
from knowledge.advice.facts import ALLOWED, NAMES, NUMBERS, Facts, from_mapping
from knowledge.advice.options import OptionView
from knowledge.answer import Answer
from knowledge.citations import Citation
from knowledge.conversations import Origin
from knowledge.feedback import Receipt, Tally
from knowledge.sources import Source as PageSource
from knowledge.tables import DocumentRow, Passage
from trainers.backends.bases import Where
from trainers.budgets import Standing
from trainers.costs.estimate import estimate
from trainers.costs.workload import Workload
from trainers.data.differences import Difference, Versions
from trainers.data.findings import block, tell, warn
from trainers.data.jsonl import Message
from trainers.data.lint import LintReport
from trainers.data.review import Look
from trainers.data.review_rows import Draft, read_draft
from trainers.data.rules.personal import Preview
from trainers.evals.generating.coverage import plan_grid
from trainers.evals.generating.price import ChatPrice
from trainers.evals.generating.spec import row_spec
from trainers.evals.guardrails import Guardrail, GuardrailResult, judge
from trainers.evals.judged_by import JudgedBy
from trainers.evals.judges.agreement import Agreement
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.plan import make_plan
from trainers.evals.planned import Short
from trainers.evals.plans.costs import read_costs
from trainers.evals.report import ArmScore, Case, Prompt, Report
from trainers.evals.rule import SuccessRule
from trainers.evals.verdict import Verdict
from trainers.jobs.drafting import Wish, quote_of
from trainers.jobs.messages import (
    Announcement,
    ApprovalRequest,
    DraftedCard,
    EndedCard,
    LearnedCard,
    LeftoverCard,
    ProgressCard,
    QuoteCard,
    ReportCard,
    RetirementCard,
)
from trainers.policy import Rules
from trainers.quotes import Quote
from trainers.serving import Said
from trainers.speaking import Pair
from trainers.spec import TrainingSpec
from trainers.tables import Dataset, Job, ModelVersion, Review, ReviewRow

LOAD = Workload(examples=500, prompt_tokens=Decimal(500), completion_tokens=Decimal(100), epochs=3)
ESTIMATE = estimate(LOAD, "gpt-4.1-mini", today=date(2026, 11, 22), changes={"evaluation_rows": "200"})
UNKNOWN = estimate(LOAD, "gemini-3.5-flash", today=date(2026, 11, 22))

PRICED = ChatPrice(prices=TokenPrices(Decimal("0.15"), Decimal("0.60")), basis="OpenAI as of 2026-11-30")
UNPRICED = ChatPrice(prices=None, basis="nobody knows what gpt-4o-mini costs at llm.example")
UNBILLED = ChatPrice(prices=TokenPrices(Decimal(0), Decimal(0)), basis="your own server: nobody is billed")

SNAPSHOTS = Path(__file__).with_name("snapshots")
NOW = datetime(2026, 11, 22, 10, 3, tzinfo=UTC)
IDS: dict[str, Any] = {"job_id": "job_1", "number": 41, "title": "tickets-v2 on smollm2-135m-instruct"}
NASTY = "<!channel> *bold* & `code` <https://evil.example|click> \u202egnp.exe\u0007 " + "x" * 50

ADVICE = Advice(
    recommendation="rag+fine_tuning",
    headline="Use RAG and fine-tuning together.",
    why="Your facts change weekly, so they are looked up. [1] The answers must follow one format. [2]",
    confidence="high",
    confidence_means="no single answer is likely to change it",
    if_wrong="weeks",
    options=tuple(
        OptionView(
            option=name,
            name=title,
            fits=fits,
            complexity=effort,
            main_reason=f"a reason of its own [{n}]",
            score=n - 2.5,
            cost="medium",
            upkeep="low",
        )
        for n, (name, title, fits, effort) in enumerate(
            [
                ("prompting", "Prompting", "only if the list is small", "hours"),
                ("rag", "RAG", "partly", "days"),
                ("fine_tuning", "Fine-tuning", "no", "weeks"),
                ("rag+fine_tuning", "RAG + fine-tuning", "yes", "weeks"),
                ("other", "Something else", "no", "days"),
            ],
            start=1,
        )
    ),
    runner_up="rag",
    reasons=(
        Reason(text="facts change weekly", weight=3.0, source="OpenAI", fact="facts_change"),
        Reason(text="two systems to keep", weight=-1.0, source="Chip Huyen", fact=""),
    ),
    assumptions=("private or new facts", "facts change weekly or often", "about 300 requests a day"),
    would_change=("If the facts never change: Use fine-tuning.",),
    questions=(
        Question(fact="needs_citations", text="Must answers show a source?", choices=(("Yes", True), ("No", False))),
        Question(
            fact="corpus_tokens",
            text="How big is the material?",
            choices=(("Tiny", 4_000), ("Under 500 pages", 100_000), ("More", 2_000_000)),
        ),
    ),
    next_step="Write 20 test questions with right answers.",
    sources=(
        Source(n=1, title="When facts change", slug="when-facts-change", url="https://example.com/a", origin="A paper"),
        Source(n=2, title="What training cannot do", slug="what-training-cannot-do", url=None, origin="A book"),
    ),
    facts=Facts(private_facts=True, facts_change="weekly", volume_per_day=300),
    evidence={"facts_change": "every week"},
    notes=("I read the first 8,000 characters.",),
    clashes=(
        "These do not fit together: \u201cno private facts\u201d and \u201cfacts change daily\u201d. Which one holds?",
    ),
    needs_more=False,
    language_supported=True,
    as_of="2026-11-22",
)
ORIGINS = {
    "private_facts": Origin("U0ADA", True, NOW),
    "facts_change": Origin("U0ADA", True, NOW, "never"),
    "volume_per_day": Origin("U0BEN", False, NOW),
    "needs_citations": Origin("U0BEN", False, NOW),
}
FULL = from_mapping(
    {name: ALLOWED[name][-1] if name in ALLOWED else 10**12 if name in NUMBERS else False for name in NAMES}
)
EVERYONE = {name: Origin(f"U{place:010}", place % 2 == 0, NOW) for place, name in enumerate(NAMES)}
COMPARISON = Comparison(
    titles={
        "quality": "Likely quality",
        "cost": "Cost to implement",
        "time": "Time",
        "maintenance": "Maintenance",
        "updating": "Ease of updating",
    },
    rows=tuple(
        Row(
            option=view.option,
            name=view.name,
            fits=view.fits,
            main_reason=view.main_reason,
            quality=compared.Standing(rank=place, words=f"{view.score:+g} points"),
            cost=compared.Standing(rank=6 - place, words="medium [3]"),
            time=compared.Standing(rank=1, words=view.complexity),
            maintenance=compared.Standing(rank=2, words="keep it clean [3]"),
            updating=compared.Standing(rank=1, words="in minutes [3]"),
        )
        for place, view in enumerate(ADVICE.options[:2], start=1)
    ),
    sources=(*ADVICE.sources, Source(n=3, title="Training costs", slug="training-costs", url=None, origin="A page")),
    as_of="2026-11-29",
)
CITATION = Citation(
    n=1,
    title="GPU memory",
    slug="gpu-memory",
    heading="QLoRA",
    updated=date(2026, 11, 12),
    quote="QLoRA keeps the base in 4 bit.",
    passage_id="/guide/gpu-memory#qlora-0",
)
ANSWER = Answer(
    text="**QLoRA** keeps the base model in 4-bit precision. [1]", citations=(CITATION,), confidence=0.9, seconds=0.1
)
RECEIPT = Receipt("0123456789abcdef", ("/guide/gpu-memory#qlora-0",))
PASSAGE = Passage(
    id="/guide/gpu-memory#qlora-0",
    position=0,
    slug="gpu-memory",
    title="GPU memory",
    heading="QLoRA > Sizes",
    text="A **short** look.\n\n- QLoRA keeps the base\n  in [4 bit](x.md).\n\n| Model | GB |\n|---|---|\n| 8B | 6 |",
    search_text="",
    questions="",
    updated=date(2026, 11, 12),
    content_hash="",
    embedder="",
)
PAGE_SOURCES = (
    PageSource(name="QLoRA paper <2023>", url="https://arxiv.org/abs/2305.14314", as_of="2023"),
    PageSource(name="A talk", url="", as_of=""),
)
OWN_PASSAGE = PASSAGE.model_copy(update={"workspace_id": "T1", "document_id": "d0", "position": 7, "title": NASTY})
PLANTED = PASSAGE.model_copy(
    update={"workspace_id": "T1", "title": NASTY, "text": f"{NASTY} [x](https://evil.example)"}
)
PLANTED_ANSWER = replace(ANSWER, text=f"{NASTY} [click](https://evil.example/?d=1) https://evil.example [1]")
NO_ANSWER = Answer(
    text="I don't have a source for that. Closest: *GPU memory*.",
    abstained=True,
    nearest=(CITATION,),
    confidence=0.1,
    seconds=0.1,
    note="The vector server does not answer. I searched by keywords only.",
)
QUOTE = Quote(
    dataset="tickets-v2 v1",
    data_sha256="ab" * 32,
    train_rows=120,
    test_rows=40,
    train_tokens=9400,
    tokens_exact=True,
    spec=TrainingSpec(),
    rule=SuccessRule(),
    training_minutes=(4.2, 6.1),
    evaluation_minutes=(0.9, 1.2),
    time_basis="from figures of 2026-11-22 (two cores)",
    training_cost=Decimal(0),
    evaluation_cost=Decimal("0.60"),
    serving_cost_30_days=None,
    cost_basis="runs on this machine; electricity not counted",
).to_json()


def guarded(name: str, title: str, before: int, after: int) -> GuardrailResult:
    rail = Guardrail(name=name, title=title, margin=Decimal("0.05"), gate=False)
    return judge(rail, [place < before for place in range(140)], [place < after for place in range(140)])


def arm(name: str, title: str, right: int, low: float, high: float) -> ArmScore:
    return ArmScore(
        arm=name,
        title=title,
        score=right / 40,
        binary=True,
        right=right,
        n=40,
        low=low,
        high=high,
        median_ms=412.0,
        named=right,
        asked="with 8 examples",
    )


def case(row: int, regression: bool = False, length: int = 60) -> Case:
    text = (NASTY * 60)[:length]
    return Case(row=row, input=text, expected="returns", base="billing", tuned="returns", regression=regression)


def report(length: int = 60) -> Report:
    return Report(
        arms=(
            arm("base_plain", "Base, plain prompt", 2, 0.01, 0.17),
            arm("base_few_shot", "Base, best few-shot prompt", 9, 0.12, 0.38),
            arm("tfidf", "TF-IDF + logistic regression", 30, 0.6, 0.86),
            arm("tuned", "Tuned model", 36, 0.77, 0.96),
        ),
        rival="base_few_shot",
        verdict=Verdict(
            outcome="PASS",
            difference=0.675,
            low=0.48,
            high=0.8,
            level=0.95,
            p_value=1e-7,
            method="Bonett and Price, McNemar mid-p",
            clusters=40,
            because=("A guardrail that a reader should know of.",),
            gained=28,
            lost=1,
            n=40,
            rows_needed=None,
            sentence="Difference +68 points (95% interval +48 to +80), 40 unseen rows.",
        ),
        rule=SuccessRule(),
        labels=("billing", "returns"),
        wins=tuple(case(row, length=length) for row in (3, 9, 12)),
        misses=tuple(case(row, row == 5, length) for row in (5, 20, 33)),
        notices=("TF-IDF gets 30/40: a cheaper rival.",),
        contamination="No test row was in training.",
        guardrails=(guarded("general", "General skills", 41, 40), guarded("refusal", "Harmful requests", 120, 60)),
        prompt=Prompt(
            kind="few-shot by similarity",
            asked="the 2 most similar training rows, most similar last, as earlier turns",
            row=1,
            turns=(
                ("system", "Sort & <answer>."),
                ("user", "u" * length),
                ("assistant", "billing"),
                ("user", "a *bill*"),
            ),
            tried=(("no examples, the form of the answer said in the instruction", 0.5, 60),),
        ),
    )


def report_card(length: int = 60) -> ReportCard:
    image = {"path": "jobs/job_1/report/loss.png", "title": "Loss by step", "alt": "Loss falls from 2.1 to 0.4"}
    return ReportCard(
        **IDS,
        requested_by="U0ADA",
        model_id="model_1",
        report=report(length).to_json(),
        seconds=312,
        quoted_minutes=(5.1, 7.3),
        images=(image,),
    )


JUDGED = JudgedBy(name="tickets <!here>", frozen_on="12 Nov 2026", frozen_rows=60, on_frozen_rows=True)
OTHER_ROWS: dict[str, Any] = {
    "on_frozen_rows": False,
    "to_do": "To test on the frozen rows, cancel and ask again with this plan and without test rows.",
}


def quote_card(state: str, plan: JudgedBy | None = None, **more: Any) -> QuoteCard:
    offer = QUOTE | {"plan": plan and asdict(plan)}
    return QuoteCard(**IDS, state=state, quote=offer, quote_hash="f" * 64, requested_by="U0ADA", **more)


def drafting_quote(price: ChatPrice, state: str = "quoted") -> QuoteCard:
    spec = row_spec("Sort tickets into billing, returns, other")
    offer = quote_of(Wish(spec=spec, grid=plan_grid(spec), count=10, seed=7), "gpt-4o-mini", price)
    return QuoteCard(**IDS, state=state, quote=offer, quote_hash="f" * 64, requested_by="U0ADA")


def drafted(**more: Any) -> DraftedCard:
    told = {"rows": 10, "written_by": "gpt-4o-mini", "from_recipes": 0, "notes": (), "rejected": {}, "seconds": 75.0}
    return DraftedCard(**IDS, requested_by="U0ADA", **{**told, "dollars": "0.0031", "approved": "0.02", **more})


def job(state: str, number: int, **more: Any) -> Job:
    fields = {"approved_by": "U0ADA", "approved_at": NOW, "finished_at": NOW, "created_at": NOW, **more}
    return Job(
        id=f"job_{number}",
        workspace_id="T1",
        number=number,
        kind="train",
        state=state,
        title=IDS["title"],
        dataset_id="ds_1",
        spec="{}",
        quote=json.dumps(QUOTE),
        quote_hash="f" * 64,
        requested_by="U0ADA",
        **fields,
    )


JOBS = (
    job("quoted", 5),
    job("queued", 4),
    job("running", 3, phase="training", progress=json.dumps({"step": 12, "steps": 60, "seconds_left": 130})),
    job("succeeded", 2, result=json.dumps({"report": report().to_json(), "seconds": 312.0, "model_id": "model_1"})),
    job("failed", 1, error_what="The training process ended with an error.", error_next="Look at the log."),
)
MODEL = ModelVersion(
    id="model_1",
    workspace_id="T1",
    job_id="job_2",
    name=IDS["title"],
    base="smollm2-135m-instruct",
    adapter_path="jobs/job_2/adapter",
    verdict="PASS",
    created_at=NOW,
    status="candidate",
)
DATASET = Dataset(
    id="ds_1",
    workspace_id="T1",
    name="tickets",
    version=2,
    train_path="a",
    test_path="b",
    train_rows=120,
    test_rows=60,
    sha256="ab",
    provenance="x",
    lint="{}",
    created_by="U0ADA",
    created_at=NOW,
)


def lint_report(blocked: bool) -> LintReport:
    found = [
        warn("few", (3, 9), "Lines 3 and 9 have the same question.", "Keep one."),
        tell("summary", "120 rows · 4 labels."),
    ]
    if blocked:
        found.insert(
            0,
            block("invalid_json", (17,), "Line 17 has a comma after the last item.", "Write one JSON object per line."),
        )
    return LintReport(
        rows=120, findings=tuple(found), labels={"billing": 60, "returns": 60}, sha256="ab", tokens=None, test_rows=40
    )


def data_set(**changed: Any) -> Dataset:
    return Dataset(**{**DATASET.model_dump(), "name": NASTY[:60], **changed})


def previewed() -> LintReport:
    return replace(lint_report(False), previews=(Preview(3, "e-mail", "j***@<b>"),))


def versions() -> Versions:
    rows = Difference((3, 9), (), (4,), 100)
    return Versions(
        data_set(version=1, id="ds_1"),
        data_set(version=2, id="ds_2"),
        rows,
        Difference((), (), (), 40),
        ((NASTY, 60, 63),),
    )


BASES = {"smollm2-135m-instruct": [Where("local", "this machine", None)], "gpt-4.1-mini": [
    Where("openai", "OpenAI", None), Where("azure", "Azure OpenAI", None)]}  # fmt: skip
OFFERED = [
    choosing.Offered("OpenAI", "0.38", "0.24", "2.25", "It is closing & <b>.", "{}"),
    choosing.Offered("Azure OpenAI", "0.42", "3.61", "1226.00", "", "{}"),
    choosing.Offered("Nebius Token Factory", None, None, None, "Its prices are not set.", "{}"),
]
HOSTED_QUOTE = {
    **QUOTE,
    "spec": {**QUOTE["spec"], "backend": "openai", "method": "supervised"},
    "training_minutes": [0.0, 0.0],
    "evaluation_minutes": [0.0, 0.0],
    "answering": {"most": "0.24"},
}
ELSEWHERE = ModelVersion(
    id="model_2", workspace_id="T1", job_id="job_9", name="tickets on gpt-4.1-mini", base="gpt-4.1-mini",
    adapter_path="", verdict="PASS", backend="openai", remote_id="ft:x", remote_base="x", retires_on="2027-01-14",
)  # fmt: skip


def message(drawn: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "message", "blocks": drawn}


def rendered(card: Any, **more: Any) -> dict[str, Any]:
    made = render(card, **more)
    return {"type": "message", "text": made.text, "blocks": made.blocks}


PROMPT: dict[str, Any] = {
    "prompt": "You sort tickets.\n\nOutput format:\n- Reply with one label & nothing else: <!here>, ```b```.",
    "examples": [
        {"user": "Where is it?", "reply": "shipping", "why": "a plain case", "ready": True},
        {"user": "x" * 2000, "reply": "(a person writes this)", "why": "a long one", "ready": False},
    ],
    "notes": ["This is our template, filled with your task; no language model wrote it."],
    "written_by": "template",
}

VOICE: dict[str, Any] = {
    "headline": "40 texts, 4,393 words, beside 40 texts that you gave: 18 habits differ beyond chance of 28 counted.",
    "parts": [
        (
            "What is distinctive",
            ["Commas: 68.3 per 1,000 words (95% interval 60.5 to 76.5)."] * 12,
        ),
        ("Avoids", ["“<!channel> & you”: never, 216 expected (z -9.7)."]),
    ],
}


LEARNED: tuple[dict[str, Any], ...] = tuple(
    {"name": name, "outcome": outcome, "passages": 12, "notes": notes, "what": what, "next_step": "Add another."}
    for name, outcome, notes, what in (
        ("refunds.md", "added", [], ""),
        (NASTY, "already there", [f"It is there as {NASTY}."], ""),
        ("gone.md", "removed", [], ""),
        ("photo.pdf", "failed", [], f"photo.pdf holds only pictures {NASTY}."),
    )
)


def learned(state: str, told: tuple[dict[str, Any], ...], **more: Any) -> LearnedCard:
    return LearnedCard(
        **IDS, requested_by="U0ADA", collection="documents", state=state, documents=told, seconds=12.0, **more
    )


def own_documents(count: int) -> list[DocumentRow]:
    return [
        DocumentRow(
            id=f"d{number}",
            workspace_id="T1",
            collection="documents",
            name=NASTY if number == 0 else f"page{number}.md",
            title=NASTY,
            kind="markdown",
            sha256="",
            bytes=100,
            passages=number + 1,
            added_by="U0ADA",
            added_at=NOW,
            state="adding" if number == 1 else "ready",
            note=f"Page 3 holds only a picture. {NASTY}" if number == 0 else "",
        )
        for number in range(count)
    ]


HOME_JOBS = home.HomeJobs(waiting=JOBS[:1], running=JOBS[1:3], finished=JOBS[3:])
GUIDE = documents.GuideNote(pages=30, newest=date(2026, 11, 22))
PROGRESS: dict[str, Any] = {
    "phase": "training",
    "step": 32,
    "steps": 45,
    "loss": 0.41,
    "loss_before": 0.9,
    "tokens_per_second": 410.0,
    "seconds_left": 110.0,
}
BOTH = ("U0BEN", "U0CHI")
RULES = Rules(approvers=BOTH, own_click_limit=Decimal("2.50"), workspace_cap=Decimal(200), chat_tokens_cap=100_000)
STANDING = (
    Standing("workspace", Decimal(200), Decimal("12.50"), Decimal(40)),
    Standing("channel:C0ASK", None, Decimal(0), Decimal("4.0031")),
    Standing("person:U0ADA", None, Decimal("12.50"), Decimal(40)),
    Standing("chat", Decimal(100_000), Decimal(0), Decimal(81_250)),
)


def approval_request(**more: Any) -> ApprovalRequest:
    times = {"asked_at": NOW.isoformat(), "expires_at": NOW.isoformat()}
    return ApprovalRequest(**IDS, requested_by="U0ADA", approvers=("U0BEN",), dollars="12.00", **times, **more)


PLAN = make_plan(
    "Sort support tickets into billing, returns, technical, other",
    have=60,
    costs=read_costs("20", None, ["0.95:40", "0.05:1000"]),
)
WORDED = make_plan("Sort mails into a, b; at least 80% right and at least 3 points better than prompting")
CHANGED = make_plan("Sort mails into a, b", target=Decimal("0.9"), words_count=False)
OPENED = plan_form.Opened("plan_0123456789ab", "C0ASK", "https://hooks.slack.com/actions/T1/2/3")
MANY = [f"label number {number} <!channel>" for number in range(200)]

FILES = {"jobs/job_1/report/loss.png": "F0LOSS"}


SORT = "Sort the ticket into one queue: returns, billing or shipping. Answer with the queue alone."
REVIEW_DRAFTS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "system", "content": SORT},
            {"role": "user", "content": asks},
            *([{"role": "assistant", "content": answer}] if answer else []),
        ],
        "kind": kind,
        "why": why,
        "provenance": "drafted by the planner",
    }
    for asks, answer, kind, why in (
        ("The lamp arrived broken, I want to send it back.", "returns", "easy", "the plain case is missed"),
        ("Refund me, my parcel is two weeks late.", "shipping", "boundary", "a refund and a late parcel: which wins?"),
        ("lamp??? charged 2x!!1", "billing", "edge", "spelling and punctuation throw it off"),
        ("Write me a poem about lamps.", "", "out of scope", "it answers what is not its business"),
    )
]


def review_look(row: int = 1, state: str = "open", purpose: str = "test", drafts: Any = None, **more: Any) -> Look:
    """A review whose first row is kept by Ada and whose second Ben dropped."""
    rows = [
        ReviewRow(
            review_id="rev_1",
            place=place,
            **read_draft(draft).columns(),
            status=["kept", "dropped"][place - 1] if place < 3 and drafts is None else "draft",
            version=2 if place < 3 and drafts is None else 1,
            changed_by=["U0ADA", "U0BEN"][place - 1] if place < 3 else "U0ADA",
            changed_at=NOW,
        )
        for place, draft in enumerate(REVIEW_DRAFTS if drafts is None else drafts, start=1)
    ]
    made = Review(
        id="rev_1",
        workspace_id="T1",
        purpose=purpose,
        title="sort tickets into 3 queues",
        spec=more.pop("spec", json.dumps({"labels": ["returns", "billing", "shipping"]})),
        channel="C0ASK",
        thread_ts="1.1",
        card_ts="1.2",
        shown=row,
        state=state,
        created_by="U0ADA",
        created_at=NOW,
        **more,
    )
    return Look(made, rows)


DRAFTED_FOR = json.dumps({"labels": ["returns", "billing"], "coverage": {"case": ["easy", "refusal"]}, "rows": {}})
ENDED = {"finished_by": "U0BEN", "finished_at": NOW, "posted": "F1 F2"}
COUNTS = {"kept": 1, "dropped": 1, "left": 2, "sha256": "ab" * 32, "rows": "r", "report": "t"}
LONG = [
    {
        "messages": [
            {"role": ("user", "assistant")[n % 2], "content": f"{n} {NASTY} " + "long " * 3000} for n in range(40)
        ],
        "kind": NASTY,
        "why": NASTY * 30,
        "provenance": "",
    }
] * 3
MINE = Draft((Message("system", SORT), Message("user", NASTY), Message("assistant", "billing")), "easy", "why", "")


DRAWN: dict[str, Callable[[], dict[str, Any]]] = {
    "advice": lambda: message(advice.advice_blocks(ADVICE, set_by=facts.who_set_what(ADVICE.facts, ORIGINS))),
    "advice_asks_for_a_case": lambda: message(advice.advice_blocks(replace(ADVICE, needs_more=True))),
    "advice_cases": lambda: message(advice.cases_blocks("I see 2 use cases.", [(NASTY, ADVICE.facts)])),
    "advice_private": lambda: message(advice.advice_blocks(ADVICE, editable=False)),
    "advice_compare": lambda: compare.compare_view(ADVICE, COMPARISON),
    "form_facts": lambda: facts.facts_form(facts.Opened("C1", "1.1", "1.2", ADVICE.facts), ORIGINS),
    "form_facts_full": lambda: facts.facts_form(facts.Opened("C1", "1.1", "1.2", FULL), EVERYONE),
    "answer": lambda: message(answer.answer_blocks(ANSWER, RECEIPT)),
    "answer_abstained": lambda: message(answer.answer_blocks(NO_ANSWER, RECEIPT)),
    "answer_private": lambda: message(answer.answer_blocks(ANSWER, share="ticket")),
    "answer_shared": lambda: message(answer.shared_blocks(PLANTED_ANSWER, NASTY, "U0ADA", RECEIPT)),
    "source": lambda: source.source_view(PASSAGE, CITATION.quote, PAGE_SOURCES),
    "source_planted": lambda: source.source_view(PLANTED, "It reads numbers."),
    "source_gone": source.gone_view,
    "source_own": lambda: source.source_view(OWN_PASSAGE, CITATION.quote),
    "form_learn": lambda: learn.learn_form("[]", most=10, collection="documents"),
    "form_learn_private": lambda: learn.learn_form(
        "[]", most=10, collection="documents", hosts=("a.example.com",), private=True, url="https://a.example.com/b"
    ),
    "rows_offer": lambda: message(generating.offer_blocks(f"Sort {NASTY}", 10)),
    "rows_offer_bare": lambda: message(generating.offer_blocks("", 0)),
    "form_rows": lambda: generating.spec_form("[]", "Sort tickets into billing, returns", collections=["handbook"]),
    "form_coverage_paid": lambda: generating.coverage_form("[]", "case: typical", count=9, writer=NASTY, free=False),
    "quote_drafting": lambda: rendered(drafting_quote(PRICED)),
    "quote_drafting_unknown": lambda: rendered(drafting_quote(UNPRICED)),
    "quote_drafting_free": lambda: rendered(drafting_quote(UNBILLED, "queued")),
    "drafted": lambda: rendered(drafted()),
    "drafted_with_remarks": lambda: rendered(
        drafted(
            from_recipes=3, notes=(NASTY, "3 rows are from recipes."), rejected={NASTY: 2, "too long": 1}, dollars=None
        )
    ),
    "form_coverage_prompt": lambda: generating.coverage_form(
        "[]", "case: edge", count=9, writer="", system=f"You {NASTY}"
    ),
    "form_check_prompt": lambda: prompting.check_form("You sort mail."),
    "form_checked_prompt": lambda: prompting.checked_view(
        [
            {"aspect": "role", "ok": False, "says": NASTY, "fix": NASTY},
            {"aspect": "length", "ok": True, "says": "9", "fix": ""},
        ]
    ),
    "form_coverage": lambda: generating.coverage_form("[]", "case: typical, edge\nlabel: a, b", count=10, writer=""),
    "system_prompt": lambda: message(prompting.prompt_blocks(PROMPT, share="value")),
    "system_prompt_shared": lambda: message(prompting.shared_prompt_blocks(PROMPT, "U0ADA")),
    "form_voice": lambda: voice.voice_form("[]"),
    "voice": lambda: message(voice.voice_blocks(VOICE)),
    "learn_offer": lambda: message(
        learn.offer_blocks([NASTY, "b.pdf", "c.pdf", "d.pdf"], {"files": ["F1"], "url": ""}, private=True)
    ),
    "learned": lambda: rendered(learned("succeeded", LEARNED)),
    "learned_many": lambda: rendered(learned("succeeded", LEARNED * 4, degraded="The vector server does not answer.")),
    "learned_nothing": lambda: rendered(learned("failed", LEARNED[3:])),
    "learned_stopped": lambda: rendered(learned("cancelled", (), ended_by="U0BEN")),
    "progress_indexing": lambda: rendered(
        ProgressCard(**IDS, kind="index", state="running", phase="indexing", step=40, steps=120, seconds_left=21.0)
    ),
    "ended_index": lambda: rendered(
        EndedCard(
            **IDS, requested_by="U0ADA", state="failed", what="It broke.", next_step="`learn` again.", resumable=False
        )
    ),
    "sources": lambda: documents.sources_view(own_documents(12), GUIDE, 0, "*a.md* is removed."),
    "sources_last_page": lambda: documents.sources_view(own_documents(12), GUIDE, 7),
    "sources_none": lambda: documents.sources_view([], GUIDE),
    "document": lambda: documents.document_view(own_documents(1)[0], [OWN_PASSAGE] * 5, 5),
    "document_forget": lambda: message(documents.forget_blocks(own_documents(2))),
    "form_feedback": lambda: feedback.feedback_form('["C1", "1.1", "1.2"]'),
    "welcome": lambda: message(answer.welcome_blocks(buttons=True)),
    "help": lambda: message(listing.help_blocks("Installing the training packages (43%).")),
    "jobs": lambda: message(listing.jobs_blocks(JOBS)),
    "models": lambda: message(listing.models_blocks([MODEL])),
    "plan": lambda: message(plan.plan_blocks(PLAN.to_json())),
    "plan_without_labels": lambda: message(plan.plan_blocks(make_plan(f"Sort tickets {NASTY}").to_json())),
    "plan_many_labels": lambda: message(plan.plan_blocks(make_plan("Sort", labels=MANY).to_json())),
    "plan_changed": lambda: message(plan.plan_blocks(CHANGED.to_json(), "plan_0123456789ab")),
    "plan_from_words": lambda: message(plan.plan_blocks(WORDED.to_json())),
    "form_plan": lambda: plan_form.change_form(PLAN, OPENED),
    "form_plan_worded": lambda: plan_form.change_form(WORDED, OPENED),
    "form_plan_many_labels": lambda: plan_form.change_form(make_plan(NASTY, labels=MANY), OPENED),
    "lint_kept": lambda: message(
        lint.lint_blocks(NASTY, lint_report(False), buttons=datasets.kept_buttons(data_set()))
    ),
    "lint_preview": lambda: message([section(lint.preview_text(NASTY, previewed()))]),
    "lint_mended": lambda: message([section(lint.mended_text(NASTY, [NASTY, "2 lines: blank lines dropped."], 3))]),
    "datasets": lambda: datasets.list_view(
        [data_set(), data_set(private=True, version=2, id="ds_2")], "[]", links=True
    ),
    "datasets_empty": lambda: datasets.list_view([], "[]", note="Done."),
    "datasets_page": lambda: datasets.list_view([data_set(version=n, id=f"ds_{n}") for n in range(1, 20)], "[]", 1),
    "datasets_diff": lambda: datasets.diff_view(versions(), [data_set(version=n, id=f"ds_{n}") for n in (3, 2, 1)]),
    "datasets_group": lambda: message(datasets.group_menu(data_set(), "F0123", [NASTY[:60], "region"])),
    "datasets_upload": lambda: datasets.upload_form("[]", private=True),
    "datasets_more": lambda: datasets.upload_form("[]", data_set()),
    "datasets_rename": lambda: datasets.rename_form(data_set(), "[]"),
    "datasets_delete": lambda: datasets.delete_form(data_set(), [NASTY], "[]"),
    "datasets_link": lambda: datasets.link_view("https://luthier.example/upload/s3cret", 64_000_000),
    "lint_ready": lambda: message(lint.lint_blocks("tickets <b>.jsonl", lint_report(False), "F1")),
    "lint_blocked": lambda: message(lint.lint_blocks("tickets.jsonl", lint_report(True), "F1")),
    "form_train": lambda: forms.train_form([DATASET], "[]", "Installing the training packages (43%)."),
    "form_train_bases": lambda: forms.train_form([DATASET], "[]", bases=BASES),
    "places": lambda: message(
        choosing.places_blocks("tickets <b> v1", "gpt-4.1-mini", 3, OFFERED, "{}", pretended=True)
    ),
    "places_none": lambda: message(choosing.places_blocks("tickets v1", "a-base", 3, OFFERED[2:], "{}")),
    "places_pairs": lambda: message(
        choosing.places_blocks("pairs v1", "gpt-4o", 3, OFFERED[:1], "{}", others=["<OpenAI> does not train it so."])
    ),
    "form_knobs": lambda: choosing.knobs_form(
        {"epochs": 3, "rank": 16, "learning_rate": 0.001, "learning_rate_multiplier": None}, "{}"
    ),
    "quote_hosted": lambda: rendered(replace(quote_card("quoted"), quote=HOSTED_QUOTE)),
    "report_billed": lambda: rendered(replace(report_card(), billed="Cost $0.31 of the approved $0.52.")),
    "rehearsed_billed": lambda: rendered(
        replace(report_card(), report=None, billed="Nothing was charged; $0.52 would have been approved for it.")
    ),
    "models_elsewhere": lambda: message(listing.models_blocks([ELSEWHERE])),
    "form_try": lambda: forms.try_form(MODEL.name, MODEL.id),
    "form_try_asking": lambda: forms.asking(MODEL.name, NASTY),
    "form_try_answered": lambda: forms.try_form(
        MODEL.name, MODEL.id, NASTY, Pair(Said(NASTY, 0.5), Said("returns", 0.6))
    ),
    "form_try_failed": lambda: forms.try_form(MODEL.name, MODEL.id, "hi", problem="The local model did not start."),
    "home": lambda: home.home_view(HOME_JOBS, [MODEL], {"job_2": "https://example.slack.com/archives/C1/p1"}, GUIDE),
    "home_empty": lambda: home.home_view(home.HomeJobs([], [], []), [], {}, GUIDE, "Installing."),
    "quote": lambda: rendered(quote_card("quoted")),
    "quote_by_plan": lambda: rendered(quote_card("quoted", plan=JUDGED)),
    "quote_by_plan_on_other_rows": lambda: rendered(quote_card("quoted", plan=replace(JUDGED, **OTHER_ROWS))),
    "quote_approved": lambda: rendered(quote_card("queued", decided_by="U0ADA", decided_at=NOW.isoformat())),
    "quote_cancelled": lambda: rendered(quote_card("cancelled", decided_by="U0ADA", decided_at=NOW.isoformat())),
    "quote_needs_approval": lambda: rendered(quote_card("quoted", approvers=BOTH, needed=1)),
    "quote_waiting": lambda: rendered(quote_card("awaiting_approval", approvers=BOTH, needed=1)),
    "quote_half_approved": lambda: rendered(
        quote_card("awaiting_approval", approvers=BOTH, given=("U0BEN",), needed=2)
    ),
    "quote_approved_by_two": lambda: rendered(
        quote_card("queued", approvers=BOTH, given=BOTH, needed=2, decided_by="U0CHI", decided_at=NOW.isoformat())
    ),
    "quote_expired": lambda: rendered(quote_card("cancelled", expired=True, decided_at=NOW.isoformat())),
    "approval_request": lambda: rendered(approval_request()),
    "approval_reminder": lambda: rendered(approval_request(again=True, private=True)),
    "settings": lambda: message(settings.settings_blocks(RULES, STANDING)),
    "settings_at_start": lambda: message(settings.settings_blocks(Rules(), STANDING[:1])),
    "home_approver": lambda: home.home_view(
        home.HomeJobs(
            [job("awaiting_approval", 7), JOBS[0]], [], [], [job("awaiting_approval", 8)], frozenset({"job_5"})
        ),
        [],
        {},
        GUIDE,
        rated=Tally(12, 3, {"outdated": 2}),
    ),
    "progress_queued": lambda: rendered(ProgressCard(**IDS, state="queued", phase="", note="Queued, 2 ahead")),
    "progress_training": lambda: rendered(ProgressCard(**IDS, state="running", **PROGRESS)),
    "progress_hosted": lambda: rendered(ProgressCard(**IDS, state="queued", phase="training", hold="pause")),
    "progress_hosted_paused": lambda: rendered(ProgressCard(**IDS, state="queued", phase="training", hold="go_on")),
    "progress_testing": lambda: rendered(
        ProgressCard(**IDS, state="running", phase="evaluating", step=7, steps=240, rows_per_second=1.25)
    ),
    "progress_testing_with_time_left": lambda: rendered(
        ProgressCard(
            **IDS, state="running", phase="evaluating", step=90, steps=240, rows_per_second=1.25, seconds_left=363.0
        )
    ),
    "progress_writing": lambda: rendered(
        ProgressCard(**IDS, state="running", phase="writing", kind="drafting", step=3, steps=10, seconds_left=63.0)
    ),
    "progress_done": lambda: rendered(ProgressCard(**IDS, state="succeeded", phase="", step=45, steps=45)),
    "report": lambda: rendered(report_card(), file_ids=FILES),
    "report_without_pictures": lambda: rendered(report_card()),
    "report_long_rows": lambda: rendered(report_card(4000), file_ids=FILES),
    "report_rehearsed": lambda: rendered(
        ReportCard(**IDS, requested_by="U0ADA", model_id="", report=None, seconds=2, quoted_minutes=(1, 2))
    ),
    "report_details": lambda: details.details_view(report_card(4000), QUOTE),
    "ended_failed": lambda: rendered(
        EndedCard(**IDS, requested_by="U0ADA", state="failed", what=NASTY, next_step="Look at the log.")
    ),
    "leftover_second": lambda: rendered(
        LeftoverCard(
            **IDS,
            requested_by="U0ADA",
            provider="rehearsal provider",
            run="ftjob-1",
            thing="run",
            second=True,
            dollars="12",
        )
    ),
    "leftover_stopped": lambda: rendered(
        LeftoverCard(**IDS, requested_by="U0ADA", provider=NASTY, run="ftjob-2", thing="run", second=False)
    ),
    "cost": lambda: message(cost.cost_blocks(ESTIMATE, '{"model": "gpt-4.1-mini"}')),
    "cost_unknown": lambda: message(cost.cost_blocks(UNKNOWN, '{"model": "gemini-3.5-flash"}')),
    "form_cost": lambda: cost.empty_form({"channel": "C0ASK", "response_url": ""}),
    "form_cost_change": lambda: cost.change_form(ESTIMATE, {"examples": "500"}, {"channel": "C0ASK"}),
    "retirement": lambda: rendered(
        RetirementCard(
            **IDS,
            requested_by="U0ADA",
            base="gpt-4.1-mini",
            provider="Azure OpenAI",
            retires_on="2027-10-14",
            days_left=30,
            replacement="gpt-6-luna",
            replacement_note="cannot be fine-tuned",
        )
    ),
    "retirement_unconfirmed": lambda: rendered(
        RetirementCard(
            **IDS,
            requested_by="U0ADA",
            base="ministral-3b",
            provider="Azure OpenAI",
            retires_on="2026-12-09",
            days_left=7,
            unconfirmed=f"litellm names the day; Azure's schedule names none {NASTY}",
        )
    ),
    "ended_stopped": lambda: rendered(
        EndedCard(
            **IDS,
            requested_by="U0ADA",
            state="cancelled",
            what="Stopped.",
            next_step="`resume` continues from the last checkpoint.",
            ended_by="U0ADA",
        )
    ),
    "label_pair": lambda: labels.pair_view(
        labels.Shown(7, "Answer in our voice.", NASTY, NASTY * 60, ""), 7, 20, '["job_1", "C0ASK", []]'
    ),
    "label_thanks": lambda: labels.thanks_view(
        20, 2, Agreement(18, 15, 0.66, (0, 0), (0, 0)), Agreement(38, 30, 0.5, (0, 0), (0, 0))
    ),
    "label_thanks_alone": lambda: labels.thanks_view(1, 0, None, None),
    "label_button": lambda: message([{"type": "actions", "elements": [labels.label_button("job_1")]}]),
    "announcement": lambda: rendered(
        Announcement(**IDS, requested_by="U0ADA", state="succeeded", outcome="PASS", points=68.0),
        permalink="https://x.slack.com/p1",
    ),
    "review": lambda: message(review.review_blocks(review_look())),
    "review_undecided": lambda: message(review.review_blocks(review_look(3))),
    "review_unanswered": lambda: message(review.review_blocks(review_look(4, purpose="train"))),
    "review_empty": lambda: message(review.review_blocks(review_look(drafts=[]))),
    "review_long": lambda: message(review.review_blocks(review_look(drafts=LONG))),
    "review_finished": lambda: message(
        review.review_blocks(review_look(state="finished", result=json.dumps(COUNTS), **ENDED))
    ),
    "review_finished_data_set": lambda: message(
        review.review_blocks(
            review_look(
                state="finished",
                purpose="train",
                result=json.dumps({**COUNTS, "dataset_id": "d1", "name": "tickets", "version": 2}),
                **ENDED,
            )
        )
    ),
    "review_too_few": lambda: message(review.review_blocks(review_look(purpose="train", spec=DRAFTED_FOR))),
    "review_finished_too_few": lambda: message(
        review.review_blocks(
            review_look(
                state="finished",
                purpose="train",
                spec=DRAFTED_FOR,
                result=json.dumps({**COUNTS, "kept": 20, "dataset_id": "d1", "name": "tickets", "version": 2}),
                **ENDED,
            )
        )
    ),
    "review_overtaken": lambda: message([section(review.newer_text("https://x.slack.com/p1"))]),
    "review_short": lambda: message(review.short_blocks(Short(13, 7, 20), "rev_1")),
    "review_short_by_one": lambda: message(review.short_blocks(Short(19, 0, 20), "rev_1")),
    "review_discarded": lambda: message(review.review_blocks(review_look(state="discarded", **ENDED))),
    "review_whole": lambda: review.whole_view(review_look(drafts=LONG), review_look(drafts=LONG).rows[0]),
    "review_edit": lambda: review_forms.edit_form(review_look(), review_look().rows[1]),
    "review_edit_long": lambda: review_forms.edit_form(review_look(drafts=LONG), review_look(drafts=LONG).rows[0]),
    "review_edit_late": lambda: review_forms.edit_form(review_look(), review_look().rows[0], MINE),
    "review_add": lambda: review_forms.add_form(review_look()),
    "review_add_like": lambda: review_forms.add_form(review_look(), review_look().rows[1]),
    "announcement_failed": lambda: rendered(Announcement(**IDS, requested_by="U0ADA", state="failed")),
}
"""Everything that is drawn, by the name of its snapshot."""

KEPT = [name for name in DRAWN if not name.startswith("form_facts")]
"""What has a snapshot: all but what is worded in facts.toml, which may be reworded without a change here."""


def pretty(drawn: dict[str, Any]) -> str:
    return json.dumps(drawn, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path in SNAPSHOTS.glob("*.json"):
        path.unlink()
    for name in KEPT:
        (SNAPSHOTS / f"{name}.json").write_text(pretty(DRAWN[name]()), "utf-8")
