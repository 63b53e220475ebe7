"""Knows how a job's quote, progress, end and one-line notice look; it does not know jobs, only their messages."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from handlers.blocks import draft
from handlers.blocks.approval import approval_blocks
from handlers.blocks.parts import Block, actions, button, confirm, context, section
from handlers.blocks.words import bar, count, in_slack, minutes, money, person, time_left
from handlers.escape import mrkdwn
from trainers.backends.bases import no_loss_at, title_of
from trainers.evals.judged_by import JudgedBy
from trainers.evals.rule import PREFERENCE, unit_of
from trainers.jobs.intake import INDEX
from trainers.jobs.kinds import DRAFTING
from trainers.jobs.messages import Announcement, EndedCard, LeftoverCard, ProgressCard, QuoteCard
from trainers.spec import BETA

STOP, RESUME, PAUSE, GO_ON = "job_stop", "job_resume", "job_pause", "job_go_on"
"""Action ids of the buttons on these cards."""

PHASES = {
    "preparing": "Preparing",
    "training": "Training",
    "evaluating": "Testing",
    "reporting": "Writing the report for",
    "reading": "Reading",
    "indexing": "Indexing",
    "writing": "Writing",
}
UNITS = {"evaluating": "answer", "reading": "document", "indexing": "passage", "writing": "row"}
"""What one step of a phase is called where it is not a training step."""

METHODS = {
    "lora": "LoRA rank {rank}",
    "qlora": "QLoRA rank {rank}",
    "supervised": "as the provider does it",
    "dpo": "by preferences (DPO)",
}
OUTCOMES = {"PASS": "✅ {title} passed", "FAIL": "❌ {title} did not pass", "INCONCLUSIVE": "➖ {title}: not proven"}


def quote_blocks(card: QuoteCard) -> list[Block]:
    """Draw a quote; only an undecided one has buttons."""
    offer = card.quote
    if "drafting" in offer:
        return [*draft.quote_lines(offer, quote_title(card)), *approval_blocks(card)]
    lines = [section(quote_title(card)), section(_price(offer)), section(f"{_plan(offer)}\n{_rule(offer)}")]
    lines.append(context(f"Times {mrkdwn(offer['time_basis'], 300)}. Costs: {mrkdwn(offer['cost_basis'], 300)}."))
    note = [section(mrkdwn(card.note))] if card.note else []
    return [*lines, *_doubts(offer), *_judged_by(offer), *note, *approval_blocks(card)]


def _doubts(offer: Mapping[str, Any]) -> list[Block]:
    """Say of a hosted trainer's quote how its base stands, how old its prices are, and what is not known or told."""
    warnings = (offer.get("estimate") or {}).get("warnings", ())
    lost = no_loss_at(offer["spec"]["backend"]) if offer["train_tokens"] else ""
    said = [section("\n".join(f"⚠️ {mrkdwn(warning, 500)}" for warning in warnings))] if warnings else []
    return [*said, *([context(mrkdwn(lost, 300))] if lost else [])]


def quote_title(card: QuoteCard) -> str:
    """Name the quote, what it is for and where that would run."""
    told = card.quote.get("drafting")
    place = told["writer"] if told else title_of(card.quote["spec"]["backend"])
    valid = " · valid 24 h" if card.state in {"quoted", "awaiting_approval"} else ""
    return f"*Quote #{card.number} · {mrkdwn(card.title, 200)}, {mrkdwn(place, 60)}*{valid}"


def progress_blocks(card: ProgressCard) -> list[Block]:
    """Draw the one progress message of a job."""
    note = [context(mrkdwn(card.note, 500))] if card.note else []
    lines = [section("\n".join(filter(None, (progress_text(card), _bar(card)))))]
    if card.state not in {"queued", "running"}:
        return [*lines, *note]
    return [
        *lines,
        *note,
        *actions([stop_button(card.job_id, card.number, card.kind), *_hold(card)], block_id=f"progress-{card.job_id}"),
    ]


def progress_text(card: ProgressCard) -> str:
    """Say how far a job is, in one line."""
    title = mrkdwn(card.title, 200)
    ended = {"succeeded": "Finished", "failed": "Failed", "cancelled": "Stopped"}.get(card.state)
    if ended:
        return f"*{ended}: {title}*"
    if not card.phase:
        return f"*Waiting: {title}*"
    figures = [_step(card), _loss(card), _speed(card), _left(card)]
    return " · ".join([f"*{PHASES.get(card.phase, card.phase.capitalize())} {title}*", *filter(None, figures)])


def _hold(card: ProgressCard) -> list[Block]:
    """Return what a provider that pauses runs can be asked now, as a button."""
    buttons = {"pause": ("Pause", PAUSE), "go_on": ("Go on", GO_ON)}
    return [button(*buttons[card.hold], card.job_id)] if card.hold in buttons else []


def stop_button(job_id: str, number: int, kind: str = "train") -> Block:
    """Return the button that stops a job after asking once more."""
    text = "It stops after the current step. What is done so far stays, and it can be resumed."
    if kind == INDEX:
        text = "What it has added so far is removed again. To go on later, add the documents once more."
    if kind == DRAFTING:
        text = "It stops after the call under way. Rows that are written stay, and it can be resumed."
    dialog = confirm(f"Stop job #{number}?", text, "Stop it", "Keep going", danger=True)
    return button("Stop", STOP, job_id, confirm=dialog)


def ended_blocks(card: EndedCard) -> list[Block]:
    """Draw the end of a job that has no report."""
    if card.state == "queued" or not card.resumable:
        return [section(ended_text(card))]
    again = resume_button(card.job_id, card.number, card.dollars)
    return [section(ended_text(card)), *actions([again], block_id=f"ended-{card.job_id}")]


def resume_button(job_id: str, number: int, dollars: str) -> Block:
    """Return the button that continues a job; where that may cost money it says so and asks once more."""
    if not Decimal(dollars):
        return button("Resume", RESUME, job_id)
    text = f"It may spend up to {money(dollars)}, as approved, beside what it has spent before."
    return button("Resume", RESUME, job_id, confirm=confirm(f"Resume job #{number}?", text, "Resume", "Leave it"))


def resume_offer(job_id: str, number: int, dollars: str) -> tuple[str, list[Block]]:
    """Say what resuming a paid job may cost, with the button that does it."""
    text = f"Resuming job #{number} may spend up to *{money(dollars)}*, as approved, beside what it has spent before."
    return text, [section(text), *actions([resume_button(job_id, number, dollars)], block_id=f"again-{job_id}")]


def ended_text(card: EndedCard) -> str:
    """Say how a job ended and what to do next."""
    title = f"*{mrkdwn(card.title, 200)}* (job #{card.number})"  # no more is bold: a bold *Resume* may follow
    if card.state == "queued":
        return f"{title} was resumed by {person(card.ended_by)}; the progress message above goes on."
    by = f" by {person(card.ended_by)}" if card.ended_by else ""
    head = f"{title} was stopped{by}." if card.state == "cancelled" else f"{title} failed."
    what = "" if card.state == "cancelled" and card.what in {"", "Stopped."} else f"{mrkdwn(card.what, 1500)} "
    return f"{person(card.requested_by)} {head} {what}{in_slack(mrkdwn(card.next_step, 800))}".strip()


def leftover_text(card: LeftoverCard) -> str:
    """Say that something was found at a provider that nobody waited for, and what it may have cost."""
    of = f"*{mrkdwn(card.title, 200)}* (job #{card.number})"
    found = f"I found a second {card.thing} of {of}" if card.second else f"A {card.thing} of {of} still ran"
    where = f"at {mrkdwn(card.provider, 60)}, `{mrkdwn(card.run, 100)}`; I have it ended there"
    stays = f" The {card.thing} that this thread shows is not touched." if card.second else ""
    cost = (
        "What it has cost I don't know"
        if card.dollars is None
        else f"It may have cost up to *{money(card.dollars)}*, as much as the quote"
    )
    return f"{person(card.requested_by)} {found} {where}.{stays} {cost}; look at your bill."


def announcement_text(card: Announcement, permalink: str) -> str:
    """Say in one line what came of a job, for the notification channel."""
    title = mrkdwn(card.title, 200)
    failed = "⚠️ {title} failed" if card.state == "failed" else "✅ {title} finished"
    line = OUTCOMES.get(card.outcome, failed).format(title=title)
    if card.points is not None:
        line += f" ({_signed(card.points)} points)"
    link = f" · <{permalink}|thread>" if permalink else ""
    return f"{line} · asked for by {person(card.requested_by)}{link}"


def _price(offer: dict[str, Any]) -> str:
    training = f"Training {_time(offer, 'training')}*{money(offer['training_cost'])}*"
    evaluation = f"Evaluation {_time(offer, 'evaluation')}*{money(offer['evaluation_cost'])}*"
    here = " (runs here)" if offer["spec"]["backend"] == "local" else ""
    return f"{training} · {evaluation} · Serving *{money(offer['serving_cost_30_days'])}* / 30 days{here}"


def _time(offer: dict[str, Any], part: str) -> str:
    """Write how long a part takes; "" where a provider does not say."""
    span = tuple(offer[f"{part}_minutes"])
    return "" if "answering" in offer and not any(span) else f"{minutes(span)} · "


def _plan(offer: dict[str, Any]) -> str:
    knobs = offer["spec"]["hyperparameters"]
    method = METHODS[offer["spec"]["method"]].format(**knobs)
    if offer["spec"]["method"] == "dpo" and "answering" not in offer:
        method += f", LoRA rank {knobs['rank']}, beta {knobs.get('beta', BETA):g}"
    data = f"{mrkdwn(offer['dataset'], 120)}: {count(offer['train_rows'], 'row')}"
    run = f"{tokens(offer)}, {count(knobs['epochs'], 'epoch')}"
    return f"{data}, {run}, {method}."


def tokens(offer: dict[str, Any]) -> str:
    """Write the training tokens of a quote; an estimate is rounded to two figures and says that it is one."""
    number = int(offer["train_tokens"])
    if offer["tokens_exact"]:
        return f"{number:,} training tokens"
    step = 10 ** max(0, len(str(number)) - 2)
    return f"about {round(number / step) * step:,} training tokens"


def _rule(offer: dict[str, Any]) -> str:
    rule = offer["rule"]
    metric = rule["metric"].replace("_", " ")
    metric, unit = "preference accuracy" if metric == PREFERENCE else metric, unit_of(rule["metric"])
    text = f"Success is fixed now: {metric} on {count(offer['test_rows'], f'unseen {unit}')}, {asked_of(rule)}."
    if offer["test_rows"] < rule["minimum_rows"]:
        few = f"With fewer than {rule['minimum_rows']} such {unit}s nothing can be proven"
        text += f" {few}, so the verdict cannot be PASS."
    return text


def _judged_by(offer: dict[str, Any]) -> list[Block]:
    """Say by which frozen plan a job is judged; rows that are not the frozen ones are not to be overlooked."""
    if not offer.get("plan"):
        return []
    plan = JudgedBy.from_json(offer["plan"])
    return [section(f"{'' if plan.on_frozen_rows else '⚠️ '}{mrkdwn(plan.sentence, 900)}")]


def asked_of(rule: Mapping[str, Any]) -> str:
    """Say what a rule asks of a tuned model: `at least 5 points above the best-prompted base, and 90% or more`."""
    effect = f"at least {float(rule['useful_effect']) * 100:g} points above the {rival_of(rule)}"
    return f"{effect}, and {float(rule['target']) * 100:g}% or more" if rule.get("target") else effect


def rival_of(rule: Mapping[str, Any]) -> str:
    """Name what a tuned model is compared with: of given pairs no answers are written, so there is no prompt."""
    return "base" if rule["metric"] == PREFERENCE else "best-prompted base"


def _step(card: ProgressCard) -> str:
    return f"{UNITS.get(card.phase, 'step')} {card.step:,}/{card.steps:,}" if card.steps else ""


def _loss(card: ProgressCard) -> str:
    if card.loss is None:
        return ""
    before = card.loss if card.loss_before is None else card.loss_before
    arrow = " ↓" if card.loss < before else " ↑" if card.loss > before else ""
    return f"loss {card.loss:.2f}{arrow}"


def _speed(card: ProgressCard) -> str:
    """Say how fast it goes; not beside the time left of a test, whose parts go at speeds of their own."""
    if card.tokens_per_second is not None:
        return f"{card.tokens_per_second:,.0f} tok/s"
    told = card.rows_per_second is not None and card.seconds_left is None
    return f"{card.rows_per_second:,.1f} rows/s" if told else ""


def _left(card: ProgressCard) -> str:
    return time_left(card.seconds_left) if card.seconds_left is not None else ""


def _bar(card: ProgressCard) -> str:
    return bar(card.step, card.steps) if card.steps and card.state == "running" else ""


def _signed(points: float) -> str:
    whole = round(points)
    return "0" if whole == 0 else f"{'+' if whole > 0 else '−'}{abs(whole)}"
