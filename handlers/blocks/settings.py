"""Knows how a workspace's rules and budgets read; it does not know how they are changed."""

from collections.abc import Sequence
from decimal import Decimal

from handlers.blocks.parts import Block, context, section
from handlers.blocks.words import bar, person
from handlers.escape import mrkdwn
from trainers.budgets import CHAT, Standing
from trainers.policy import Rules, dollars

PAUSED = (
    "⏸ Paused: nothing is approved and nothing new is started or sent, until `/tune unpause`. What trains already, "
    "here or at a provider, goes on and is watched to its end; *Stop* ends it."
)
UNPAUSED = "▶️ Not paused any more: jobs that waited go on now."
HOW = "An operator changes these with `luthier settings set` on the machine. `luthier audit` lists who did what."
READ_ONLY = (
    "Nothing was changed: `/tune settings` only shows. Rules about money are set on the machine, by its operator: "
    "`luthier settings set workspace_cap=100`. Approvers can `/tune pause`."
)
TOKENS = "Tokens are what the language model reports; where it reports none, characters divided by four."

STOPPERS = {
    "requester": "Only whoever asked for a job may stop it.",
    "approvers": "Whoever asked for a job, and approvers, may stop it.",
    "anyone": "Anyone may stop a job.",
}


def settings_text(rules: Rules, standing: Sequence[Standing]) -> str:
    """Say rules and budgets as plain lines."""
    return "\n".join([*rule_lines(rules), *(standing_line(each) for each in standing)])


def settings_blocks(rules: Rules, standing: Sequence[Standing]) -> list[Block]:
    """Draw rules and budgets."""
    stop = [section("⏸ *Luthier is paused in this workspace.* `/tune unpause` lifts it.")] if rules.paused else []
    tokens = [TOKENS] if any(each.scope == CHAT for each in standing) else []
    return [
        *stop,
        section("*Who may spend*\n" + "\n".join(f"• {line}" for line in rule_lines(rules))),
        section("*This month*\n" + "\n".join(standing_line(each) for each in standing)),
        context(HOW, *tokens),
    ]


def rule_lines(rules: Rules) -> list[str]:
    """Say each rule in a sentence."""
    own, one = dollars(rules.own_click_limit), dollars(rules.one_approver_limit)
    names = ", ".join(person(user) for user in rules.approvers)
    approvers = f"Approvers, in the order of asking: {names}." if names else "Nobody is set as approver."
    alone = " A single approver may approve alone, their own jobs too." if rules.solo_approver else ""
    return [
        f"Up to {own} the requester's own click approves; up to {one} one approver, above it two.",
        f"{approvers}{alone}",
        f"Caps in a month: {_caps(rules)}.",
        f"After {rules.remind_after_hours} h without an answer the next approver is asked, once.",
        f"One person may have {rules.jobs_per_person} jobs queued or running. {STOPPERS[rules.stoppers]}",
        _documents(rules),
    ]


def _documents(rules: Rules) -> str:
    who = "Anyone" if rules.add_documents == "anyone" else "Only approvers"
    hosts = ", ".join(f"`{mrkdwn(host, 80)}`" for host in rules.document_hosts[:10]) or "no host"
    more = f" and {len(rules.document_hosts) - 10} more" if len(rules.document_hosts) > 10 else ""
    return f"{who} may add documents; whoever added one, and approvers, may remove it. Pages come from {hosts}{more}."


def standing_line(budget: Standing) -> str:
    """Say how one budget stands: a bar where it has a cap."""
    used = budget.reserved + budget.spent
    drawn = f"{bar(int(min(used, budget.cap) * 1000), int(budget.cap * 1000))} " if budget.cap else ""
    cap = "no cap" if budget.cap is None else f"of {_amount(budget, budget.cap)}"
    held = f" ({_amount(budget, budget.reserved)} of it set aside)" if budget.reserved else ""
    return f"{_scope(budget.scope)}: {drawn}{_amount(budget, used)} {cap}{held}"


def _caps(rules: Rules) -> str:
    caps = {"workspace": rules.workspace_cap, "channel": rules.channel_cap, "person": rules.person_cap}
    money = [f"{'none' if cap is None else dollars(cap)} per {name}" for name, cap in caps.items()]
    tokens = "no cap" if rules.chat_tokens_cap is None else f"{rules.chat_tokens_cap:,} tokens"
    return f"{', '.join(money)}, {tokens} for a language model's answers"


def _scope(scope: str) -> str:
    kind, _, name = scope.partition(":")
    shown = {"workspace": "This workspace", "chat": "Answers of the language model"}
    if kind == "channel":
        return f"<#{name}>" if name.isalnum() else mrkdwn(name, 60)
    return person(name) if kind == "person" else shown.get(kind, mrkdwn(scope, 60))


def _amount(budget: Standing, amount: Decimal) -> str:
    return f"{amount:,.0f} tokens" if budget.scope == CHAT else dollars(amount)
