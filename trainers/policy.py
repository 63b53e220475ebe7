"""Knows a workspace's rules: who may approve, stop and spend how much; it does not know how they are asked."""

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from knowledge.errors import UserError
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from trainers.errors import NotAllowed, NotYet
from trainers.tables import Job, WorkspaceRules

Stoppers = Literal["requester", "approvers", "anyone"]
Adders = Literal["anyone", "approvers"]
Step = Literal["ask", "wait", "queue"]
"""What a click leads to: ask the approvers, wait for one more of them, or queue the job."""
Lock = Literal["none", "share", "change"]

_CHOICES = {"stoppers": ("requester", "approvers", "anyone"), "add_documents": ("anyone", "approvers")}

_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
"""A host name of at least two parts in small letters; no number is one, so no address of a machine is."""

_DRAFTING = "drafting"  # trainers.jobs.kinds names it, which may not be known here

_table = WorkspaceRules.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a workspace allows. As it starts, only what costs nothing can run."""

    own_click_limit: Decimal = Decimal(0)
    """Up to this many dollars the requester's own click approves."""
    one_approver_limit: Decimal = Decimal(50)
    """Up to this many dollars one approver is enough, above it there must be two."""
    approvers: tuple[str, ...] = ()
    """User ids of those who may approve, in the order in which they are asked."""
    solo_approver: bool = False
    """Whether the only approver of a workspace may approve what they asked for themselves."""
    workspace_cap: Decimal | None = Decimal(0)
    """Dollars that the workspace may spend in a calendar month (UTC); None is no cap."""
    channel_cap: Decimal | None = None
    """The same for one channel."""
    person_cap: Decimal | None = None
    """The same for what one person asks for."""
    chat_tokens_cap: int | None = None
    """Tokens that answers of a language model may use in a calendar month; None is no cap."""
    stoppers: Stoppers = "approvers"
    """Who may stop a job beside the person who asked for it."""
    jobs_per_person: int = 10
    """Jobs that one person may have queued or running."""
    remind_after_hours: int = 4
    """Hours without an answer after which the next approver is asked, once."""
    add_documents: Adders = "anyone"
    """Who may add documents of the workspace's own; who added one, and approvers, may remove it."""
    document_hosts: tuple[str, ...] = ()
    """Hosts whose pages may be fetched as documents, by https; none until they are named."""
    paused: bool = False
    """The kill switch: nothing is approved, nothing new is started or sent; what runs already goes on."""

    def __post_init__(self) -> None:
        """Refuse rules that contradict each other or mean nothing."""
        limits = (self.own_click_limit, self.one_approver_limit, self.workspace_cap, self.channel_cap, self.person_cap)
        if any(limit is not None and (not limit.is_finite() or limit < 0) for limit in limits):
            raise UserError("Limits and budgets are dollars of 0 or more.", "Nothing was changed.")
        if self.one_approver_limit < self.own_click_limit:
            raise UserError("one_approver_limit is below own_click_limit.", "Raise it, or lower own_click_limit first.")
        self._check_choices()
        if not all(_HOST.fullmatch(host) for host in self.document_hosts):
            raise UserError("document_hosts are names such as docs.example.com.", "Nothing was changed.")
        if len(set(self.approvers)) != len(self.approvers) or not all(self.approvers):
            raise UserError("An approver is named twice, or has no name.", "Nothing was changed.")
        if self.jobs_per_person < 1 or self.remind_after_hours < 1:
            raise UserError("jobs_per_person and remind_after_hours are 1 or more.", "Nothing was changed.")
        if self.chat_tokens_cap is not None and self.chat_tokens_cap < 0:
            raise UserError("chat_tokens_cap is 0 or more.", "Nothing was changed.")

    def _check_choices(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise UserError(f"{name} is {', '.join(known[:-1])} or {known[-1]}.", "Nothing was changed.")

    def to_json(self) -> dict[str, Any]:
        """Return plain data, money as decimal strings."""
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Rules":
        """Read `to_json`'s form; rules that a later version added keep their defaults."""
        money = ("own_click_limit", "one_approver_limit", "workspace_cap", "channel_cap", "person_cap")
        known: dict[str, Any] = {name: value for name, value in data.items() if name in cls.__dataclass_fields__}
        known |= {name: Decimal(known[name]) for name in money if known.get(name) is not None}
        return cls(**known | {name: tuple(known.get(name, ())) for name in ("approvers", "document_hosts")})


def rules_of(connection: Connection, workspace_id: str, lock: Lock = "none") -> Rules:
    """Return a workspace's rules as this transaction sees them; the strictest ones where none were set.

    `lock` is "share" for a decision that must not be overtaken by new rules, "change" for whoever writes them.
    """
    query = select(_table.c.body).where(_table.c.workspace_id == workspace_id)
    if lock != "none":  # SQLite ignores it: there a transaction that writes is alone anyway
        query = query.with_for_update(read=lock == "share")
    body = connection.execute(query).scalar_one_or_none()
    return Rules() if body is None else Rules.from_json(json.loads(body))


def paused_workspaces(connection: Connection) -> set[str]:
    """Return the workspaces whose kill switch is on."""
    likely = select(_table.c.workspace_id, _table.c.body).where(_table.c.body.contains('"paused": true'))
    rows = connection.execute(likely).all()
    return {row.workspace_id for row in rows if Rules.from_json(json.loads(row.body)).paused}


def set_rules(connection: Connection, workspace_id: str, rules: Rules, now: datetime) -> None:
    """Write a workspace's rules; whoever calls says so in the audit."""
    values = {"body": json.dumps(rules.to_json()), "changed_at": now}
    if connection.execute(update(_table).where(_table.c.workspace_id == workspace_id).values(**values)).rowcount == 0:
        connection.execute(insert(_table).values(workspace_id=workspace_id, **values))


def approval_step(job: Job, person: Person, cost: Decimal | None, rules: Rules, given: Collection[str]) -> Step:
    """Say what this person's click on Approve leads to; `given` holds who approved this very quote before.

    Raises NotAllowed where the click is not theirs to make, nobody could ever approve, `cost` is unknown (None) or
    the workspace is paused.
    """
    check_workspace(job, person)
    check_not_paused(rules)
    if cost is None:
        next_step = "Its quote says why: choose what has a known price, or let an operator set it."
        raise NotAllowed("The cost of this job is not known.", next_step)
    if cost <= rules.own_click_limit:
        if person.user_id not in (job.requested_by, *rules.approvers):
            raise NotAllowed("Only the person who asked for this job, or an approver, may approve it.", "Ask them.")
        return "queue"
    eligible = approvers_for(job, rules)
    _check_enough(job, cost, rules, eligible)
    if person.user_id not in eligible:
        if person.user_id == job.requested_by:
            return "ask"
        raise NotAllowed(f"You're not on the approver list for jobs of {dollars(cost)}.", _ask(eligible))
    yes = {person.user_id, *given}.intersection(eligible)  # the yes of somebody who is no approver any more is none
    return "queue" if len(yes) >= approvals_needed(job, cost, rules) else "wait"


def approvers_for(job: Job, rules: Rules) -> tuple[str, ...]:
    """Return who may approve a job that costs more than the requester's own click may, in the order of asking."""
    others = tuple(user for user in rules.approvers if user != job.requested_by)
    return others or (rules.approvers if rules.solo_approver else ())


def approvals_needed(job: Job, cost: Decimal, rules: Rules) -> int:
    """Return how many approvals a cost needs; 0 where the requester's own click is enough.

    Where a workspace has a single approver and its rules say that this may be so, one is always enough.
    """
    if cost <= rules.own_click_limit:
        return 0
    single = rules.solo_approver and len(rules.approvers) == 1
    return 1 if cost <= rules.one_approver_limit or single else 2


def exception_used(job: Job, person: Person, cost: Decimal, rules: Rules) -> bool:
    """Say whether an approval rests on the exception for a single approver, which the audit has to name."""
    if cost <= rules.own_click_limit:
        return False
    return person.user_id == job.requested_by or (cost > rules.one_approver_limit and len(rules.approvers) == 1)


def reminder_due(asked_at: datetime, rules: Rules) -> datetime:
    """Return when the next approver is to be asked."""
    return asked_at + timedelta(hours=rules.remind_after_hours)


def check_not_paused(rules: Rules) -> None:
    """Raise NotYet while the kill switch is on."""
    if rules.paused:
        raise NotYet(
            "Luthier is paused in this workspace.",
            "An approver lifts the pause with `unpause`, an operator with `luthier settings set paused=no`.",
        )


def check_stop(job: Job, person: Person, rules: Rules) -> None:
    """Raise NotAllowed unless this person may stop or resume this job."""
    check_workspace(job, person)
    may = {"requester": False, "approvers": person.user_id in rules.approvers, "anyone": True}[rules.stoppers]
    if person.user_id != job.requested_by and not may:
        others = "" if rules.stoppers == "requester" else f" or an approver ({_named(rules.approvers)})"
        also = others if rules.approvers else ""
        raise NotAllowed(f"Only the person who asked for this job{also} may do that.", "Ask them.")


def check_may_add(person: Person, rules: Rules) -> None:
    """Raise NotAllowed unless this person may add documents to their workspace."""
    if rules.add_documents == "approvers" and not is_approver(person, rules):
        raise NotAllowed("Only an approver may add documents in this workspace.", _ask(rules.approvers))


def check_may_remove(added_by: str, person: Person, rules: Rules) -> None:
    """Raise NotAllowed unless this person added a document of their workspace, or is an approver there."""
    if person.user_id != added_by and not is_approver(person, rules):
        whom = _named((added_by, *(user for user in rules.approvers if user != added_by)))
        raise NotAllowed("Only whoever added a document, or an approver, may remove it.", f"Ask {whom}.")


def check_may_replace(added_by: str, person: Person, rules: Rules) -> None:
    """Raise NotAllowed unless this person may put another version in the place of a document, which removes the old.

    `added_by` is empty where there is none.
    """
    if added_by and person.user_id != added_by and not is_approver(person, rules):
        raise NotAllowed(
            "A document of that name is there, and somebody else added it.",
            "Rename yours, or ask them or an approver: `sources` says who it was.",
        )


def is_approver(person: Person, rules: Rules) -> bool:
    """Say whether a person is an approver of their workspace, or its operator at a shell."""
    return person.workspace_id == LOCAL_WORKSPACE or person.user_id in rules.approvers


def check_approver(person: Person, rules: Rules) -> None:
    """Raise NotAllowed unless this person is an approver of their workspace, or its operator at a shell."""
    if not is_approver(person, rules):
        raise NotAllowed("Only an approver may do that.", _ask(rules.approvers))


def check_workspace(job: Job, person: Person) -> None:
    """Raise NotAllowed where a job belongs to another workspace than the person."""
    if job.workspace_id != person.workspace_id:
        raise NotAllowed("This job belongs to another workspace.", "Nothing was changed.")


def dollars(amount: Decimal) -> str:
    """Write an amount as people do, and exactly: `$12`, `$4.50`, `$0.0031`."""
    if amount == amount.to_integral_value():
        return f"${amount:,.0f}"
    return f"${amount:,.2f}" if amount == round(amount, 2) else f"${amount.normalize():f}"


def _check_enough(job: Job, cost: Decimal, rules: Rules, eligible: Collection[str]) -> None:
    """Refuse before anybody is asked what could never be approved."""
    needed = approvals_needed(job, cost, rules)
    if len(eligible) >= needed:
        return
    if not rules.approvers:
        said = "nobody is set as approver yet"
    elif not eligible:
        said = "its only approver is the person who asked for it"
    else:
        said = f"jobs above {dollars(rules.one_approver_limit)} need two approvers; only {_named(eligible)} is one"
    raise NotAllowed(
        f"This job costs {dollars(cost)}, and {said}.",
        _way_out(job),
    )


def _way_out(job: Job) -> str:
    """Name the command that sets an approver, and what costs nothing instead."""
    at = "" if job.workspace_id == LOCAL_WORKSPACE else f" --workspace {job.workspace_id}"
    set_one = f"An operator sets one with `luthier settings set approvers=U0BEN,U0CHI{at}` (ids of people in Slack)"
    if job.kind == _DRAFTING:
        free = '`LUTHIER_MODEL= luthier data generate "…" --out rows.jsonl` composes rows by recipes for $0'
        return f"{set_one}. Without a language model {free}."
    return f"{set_one}, or run it on this machine for $0."


def _ask(approvers: Collection[str]) -> str:
    return f"Ask {_named(approvers)}." if approvers else "Ask an operator to set one with `luthier settings`."


def _named(approvers: Collection[str]) -> str:
    return " or ".join(f"@{user}" for user in approvers)
