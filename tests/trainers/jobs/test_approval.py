"""Approvals of jobs that cost money: who may, how many it takes, and what every late, double or wrong click changes."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.trainers.jobs.conftest import ADA, BEN, THREAD, Bell, Watch
from trainers import audit, budgets, quotes
from trainers.errors import NotAllowed, OverBudget, StaleApproval
from trainers.jobs import outbox, service
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Jobs, Place
from trainers.policy import Rules
from trainers.spec import TrainingSpec
from trainers.tables import Job
from trainers.workspaces import Workspaces

CHI = Person(workspace_id="T1", user_id="U0CHI")
OPERATOR = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")
MONEY = {"workspace_cap": "100", "approvers": "U0BEN,U0CHI"}

Propose = Callable[..., Job]


@pytest.fixture
def workspaces(jobs: Jobs) -> Workspaces:
    return Workspaces(engine=jobs.ledger.engine)


@pytest.fixture
def allow(workspaces: Workspaces, watch: Watch) -> Callable[..., None]:
    """Set rules as an operator does."""

    def change(**texts: str) -> None:
        workspaces.change("T1", texts, OPERATOR, watch())

    return change


@pytest.fixture
def priced(jobs: Jobs, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Propose:
    """Propose a rehearsal that costs what the test says."""
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset

    def propose(dollars: str | None, person: Person = ADA, place: Place = THREAD) -> Job:
        cost = None if dollars is None else Decimal(dollars)

        def quote(*args: Any, **more: Any) -> quotes.Quote:
            return replace(quotes.quote(*args, **more), training_cost=cost)

        monkeypatch.setattr(service, "quote", quote)
        return jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=person, now=watch(), place=place)

    return propose


def card(jobs: Jobs, job: Job) -> dict[str, Any]:
    return said(jobs, job)["quote"]


def said(jobs: Jobs, job: Job) -> dict[str, dict[str, Any]]:
    """Return what a job owes, by key."""
    with jobs.ledger.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"select key, payload from outbox_message where job_id = '{job.id}'").all()
    return {row.key: json.loads(row.payload) for row in rows}


def verbs(jobs: Jobs, workspace: str = "T1") -> list[str]:
    assert audit.verify(jobs.ledger.engine, workspace).broken_at is None
    return [entry.what for entry in reversed(audit.listing(jobs.ledger.engine, workspace))]


def standing(jobs: Jobs, watch: Watch, scope: str = "workspace") -> tuple[Decimal, Decimal]:
    found = {each.scope: each for each in budgets.standing(jobs.ledger.engine, "T1", watch())}
    return (found[scope].reserved, found[scope].spent) if scope in found else (Decimal(0), Decimal(0))


def test_a_workspace_without_rules_spends_nothing(jobs: Jobs, priced: Propose, watch: Watch) -> None:
    """Out of the box nobody can approve what costs a cent, and an unknown price is no price of 0."""
    for job in (priced("0.01"), priced(None)):
        with pytest.raises(NotAllowed):
            jobs.approve(job.id, job.quote_hash, ADA, watch())
        assert jobs.ledger.get(job.id).state == "quoted"


def test_the_requesters_click_asks_and_an_approvers_click_queues(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch, bell: Bell
) -> None:
    """Ada's click asks Ben and Chi in the thread; Ben's click sets the cost aside, queues and rings."""
    allow(**MONEY)
    job = priced("12")
    assert card(jobs, job)["needed"] == 1
    assert jobs.approve(job.id, job.quote_hash, ADA, watch()).job.state == "awaiting_approval"
    assert bell.rings == []
    assert card(jobs, job)["approvers"] == ["U0BEN", "U0CHI"]
    asked = said(jobs, job)[f"request-{job.quote_hash[:12]}"]
    assert (asked["approvers"], asked["dollars"]) == (["U0BEN"], "12")
    assert not jobs.approve(job.id, job.quote_hash, ADA, watch()).changed
    outcome = jobs.approve(job.id, job.quote_hash, BEN, watch())
    assert (outcome.changed, outcome.job.state, outcome.job.approved_by) == (True, "queued", "U0BEN")
    assert len(bell.rings) == 1
    assert standing(jobs, watch) == (Decimal(12), Decimal(0))
    assert verbs(jobs) == ["changed rules", "asked for", "asked approvers", "approved"]


def test_what_the_requester_may_approve_an_approver_may_too(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Below the limit of the requester's own click a stranger's click counts nothing, an approver's starts the job."""
    allow(**{**MONEY, "own_click_limit": "20"})
    job = priced("12")
    with pytest.raises(NotAllowed, match="or an approver"):
        jobs.approve(job.id, job.quote_hash, Person(workspace_id="T1", user_id="U0EVE"), watch())
    assert jobs.approve(job.id, job.quote_hash, BEN, watch()).job.state == "queued"


def test_above_the_higher_limit_it_takes_two(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Two different approvers are needed; the first one's second and third click do not count; the card names both."""
    allow(**MONEY, one_approver_limit="50")
    job = priced("50.01")
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    assert jobs.approve(job.id, job.quote_hash, BEN, watch()).changed
    assert [jobs.approve(job.id, job.quote_hash, BEN, watch()).changed for _ in range(2)] == [False, False]
    assert card(jobs, job)["given"] == ["U0BEN"]
    assert standing(jobs, watch) == (Decimal(0), Decimal(0))
    assert jobs.approve(job.id, job.quote_hash, CHI, watch()).job.state == "queued"
    assert card(jobs, job)["given"] == ["U0BEN", "U0CHI"]
    assert verbs(jobs)[-2:] == ["approved in part", "approved"]


def test_who_is_not_on_the_list_is_told_whom_to_ask(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """A stranger's click changes nothing and names the approvers."""
    allow(**MONEY)
    job = priced("12")
    with pytest.raises(NotAllowed, match=r"approver list for jobs of \$12\. Ask @U0BEN or @U0CHI\."):
        jobs.approve(job.id, job.quote_hash, Person(workspace_id="T1", user_id="U0EVE"), watch())
    with pytest.raises(NotAllowed, match="another workspace"):
        jobs.approve(job.id, job.quote_hash, Person(workspace_id="T2", user_id="U0BEN"), watch())
    assert verbs(jobs) == ["changed rules", "asked for"]


def test_an_approver_never_approves_their_own_job(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Ben's own job asks Chi, whatever Ben clicks; above the higher limit nobody could, and that is said at once."""
    allow(**MONEY)
    job = priced("12", BEN)
    assert [jobs.approve(job.id, job.quote_hash, BEN, watch()).job.state for _ in range(2)] == ["awaiting_approval"] * 2
    assert card(jobs, job)["approvers"] == ["U0CHI"]
    assert jobs.approve(job.id, job.quote_hash, CHI, watch()).job.state == "queued"
    dear = priced("60", BEN)
    with pytest.raises(NotAllowed, match="need two approvers"):
        jobs.approve(dear.id, dear.quote_hash, BEN, watch())


def test_a_single_approver_may_be_allowed_to_approve_alone(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Without the rule Ben's own job cannot be approved; with it Ben's click is enough, and the audit says so."""
    allow(workspace_cap="100", approvers="U0BEN")
    job = priced("60", BEN)
    with pytest.raises(NotAllowed, match="its only approver is the person who asked"):
        jobs.approve(job.id, job.quote_hash, BEN, watch())
    allow(solo_approver="yes")
    assert jobs.approve(job.id, job.quote_hash, BEN, watch()).job.state == "queued"
    newest = audit.listing(jobs.ledger.engine, "T1")[0]
    assert (newest.what, json.loads(newest.detail)["single_approver"]) == ("approved", True)


def test_an_approver_who_is_removed_no_longer_counts(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Ben's yes is void once Ben is taken off the list: two others are needed."""
    allow(workspace_cap="100", approvers="U0BEN,U0CHI,U0DEE")
    job = priced("60")
    jobs.approve(job.id, job.quote_hash, BEN, watch())
    allow(approvers="U0CHI,U0DEE")
    assert jobs.approve(job.id, job.quote_hash, CHI, watch()).job.state == "awaiting_approval"
    dee = Person(workspace_id="T1", user_id="U0DEE")
    assert jobs.approve(job.id, job.quote_hash, dee, watch()).job.state == "queued"


def test_a_budget_refuses_what_does_not_fit_and_nothing_is_kept(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch, bell: Bell
) -> None:
    """The refusal says what is left, leaves no approval, no reservation and no ring, and is in the audit."""
    allow(**MONEY)
    first, second = priced("60"), priced("40.5")
    for person in (BEN, CHI):
        jobs.approve(first.id, first.quote_hash, person, watch())
    with pytest.raises(OverBudget, match=r"needs \$40\.50.*this workspace has \$40 left this month"):
        jobs.approve(second.id, second.quote_hash, BEN, watch())
    assert jobs.ledger.get(second.id).state == "quoted"
    assert card(jobs, second)["given"] == []
    assert standing(jobs, watch) == (Decimal(60), Decimal(0))
    assert len(bell.rings) == 1
    assert verbs(jobs)[-1] == "refused for budget"


@pytest.mark.parametrize(
    ("cap", "scope"), [("channel_cap", "channel:C1"), ("person_cap", "person:U0ADA"), ("workspace_cap", "workspace")]
)
def test_every_budget_is_kept(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch, cap: str, scope: str
) -> None:
    """A job has to fit into the budget of its workspace, its channel and its person."""
    allow(**{"workspace_cap": "none", "approvers": "U0BEN", cap: "10"})
    for _ in range(2):
        job = priced("5")
        jobs.approve(job.id, job.quote_hash, BEN, watch())
    job = priced("0.000001")
    for person in (BEN, ADA):  # an approver, and who would have to ask one
        with pytest.raises(OverBudget, match=rf"has \$0 left.*now \$10 a month, with `luthier settings set {cap}="):
            jobs.approve(job.id, job.quote_hash, person, watch())
        assert jobs.ledger.get(job.id).state == "quoted"
    assert standing(jobs, watch, scope) == (Decimal(10), Decimal(0))


def test_a_cap_lowered_between_two_clicks_counts(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """What fitted when it was quoted is refused when it no longer does; what is free still runs."""
    allow(**MONEY)
    job = priced("12")
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    allow(workspace_cap="11.99")
    with pytest.raises(OverBudget, match=r"\$11\.99 left"):
        jobs.approve(job.id, job.quote_hash, BEN, watch())
    free = priced("0")
    assert jobs.approve(free.id, free.quote_hash, ADA, watch()).job.state == "queued"


def test_a_new_month_has_a_new_budget(jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch) -> None:
    """What November used does not count in December."""
    allow(**MONEY)
    first = priced("50")
    jobs.approve(first.id, first.quote_hash, BEN, watch())
    watch.move(days=10)
    second = priced("50")
    assert jobs.approve(second.id, second.quote_hash, BEN, watch()).job.state == "queued"
    assert standing(jobs, watch) == (Decimal(50), Decimal(0))


def test_a_cancelled_job_gives_back_what_was_set_aside(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Nothing was sent, so nothing was spent; resuming sets the same aside again, or is refused by the budget."""
    allow(**MONEY)
    job = priced("40")
    jobs.approve(job.id, job.quote_hash, BEN, watch())
    jobs.stop(job.id, BEN, watch())
    assert standing(jobs, watch) == (Decimal(0), Decimal(0))
    assert card(jobs, job)["decided_by"] == "U0BEN"
    jobs.resume(job.id, ADA, watch())
    assert standing(jobs, watch) == (Decimal(40), Decimal(0))
    jobs.stop(job.id, ADA, watch())
    allow(workspace_cap="39")
    with pytest.raises(OverBudget):
        jobs.resume(job.id, ADA, watch())
    assert jobs.ledger.get(job.id).state == "cancelled"
    assert verbs(jobs)[-1] == "refused for budget"
    assert [verb for verb in verbs(jobs) if verb in ("resumed", "spent")] == ["spent", "resumed", "spent"]


def test_a_job_that_ends_is_settled(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch, runner: Callable[[str], Runner]
) -> None:
    """A rehearsal pays nobody: what was set aside for it comes back when it ends."""
    allow(**MONEY)
    job = priced("40")
    jobs.approve(job.id, job.quote_hash, BEN, watch())
    runner("w1").work(job.id)
    assert jobs.ledger.get(job.id).state == "succeeded"
    assert standing(jobs, watch) == (Decimal(0), Decimal(0))
    newest = audit.listing(jobs.ledger.engine, "T1")[0]
    assert (newest.who, newest.what, json.loads(newest.detail)["dollars"]) == ("luthier", "spent", "0")


def test_an_expired_quote_and_an_old_hash_are_refused_for_approvers_too(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Approval binds to the quote's hash and expires with it."""
    allow(**MONEY)
    job = priced("12")
    with pytest.raises(StaleApproval):
        jobs.approve(job.id, "0" * 64, BEN, watch())
    with pytest.raises(StaleApproval):
        jobs.approve(job.id, job.quote_hash, BEN, watch.move(hours=24))
    assert standing(jobs, watch) == (Decimal(0), Decimal(0))


def test_the_next_approver_is_asked_once_and_then_the_quote_expires(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """After four hours Chi is asked, after that nobody; after a day the card says that it expired."""
    allow(**MONEY)
    job = priced("12")
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    assert jobs.tend_quotes(watch.move(hours=3, minutes=59)) == 0
    assert jobs.tend_quotes(watch.move(minutes=1)) == 1
    reminder = said(jobs, job)[f"reminder-{job.quote_hash[:12]}"]
    assert (reminder["approvers"], reminder["again"]) == (["U0CHI"], True)
    assert jobs.tend_quotes(watch.move(hours=10)) == 0
    assert jobs.tend_quotes(watch.move(hours=10)) == 1
    assert jobs.ledger.get(job.id).state == "cancelled"
    assert card(jobs, job)["expired"]
    assert jobs.tend_quotes(watch()) == 0
    assert not jobs.approve(job.id, job.quote_hash, BEN, watch()).changed
    assert verbs(jobs)[-2:] == ["reminded", "expired"]


def test_a_quote_that_nobody_asked_about_expires_too(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """The sweeper closes every quote after its day, also one that costs nothing."""
    assert jobs.tend_quotes(watch.move(hours=23)) == 0
    assert jobs.tend_quotes(watch.move(hours=1)) == 1
    assert card(jobs, quoted)["expired"]


def test_a_quote_from_direct_messages_asks_approvers_alone(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """Ben cannot see Ada's direct messages, so Ben is asked in his own; both approvers of a dear job are."""
    allow(**MONEY)
    job = priced("60", place=Place("D0ADA", "1.0"))
    jobs.approve(job.id, job.quote_hash, ADA, watch())
    owed = outbox.due(jobs.ledger.engine, watch(), limit=50)
    asked = [(row.channel, json.loads(row.payload)["approvers"]) for row in owed if row.kind == "request"]
    assert asked == [("U0BEN", ["U0BEN"]), ("U0CHI", ["U0CHI"])]
    assert [found.id for found in jobs.waiting_for(BEN, watch())] == [job.id]
    jobs.approve(job.id, job.quote_hash, BEN, watch())
    assert [len(jobs.waiting_for(person, watch())) for person in (ADA, BEN, CHI)] == [0, 0, 1]


def test_one_person_may_not_fill_the_queue(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch
) -> None:
    """The third job of a person who may have two is refused until one ends; others are not affected."""
    allow(jobs_per_person="2")
    first, second, third = (priced("0") for _ in range(3))
    for job in (first, second):
        jobs.approve(job.id, job.quote_hash, ADA, watch())
    with pytest.raises(NotAllowed, match="one person may have 2"):
        jobs.approve(third.id, third.quote_hash, ADA, watch())
    other = priced("0", BEN)
    assert jobs.approve(other.id, other.quote_hash, BEN, watch()).changed
    jobs.stop(first.id, ADA, watch())
    assert jobs.approve(third.id, third.quote_hash, ADA, watch()).changed


def test_the_kill_switch_stops_approvals_and_starts(
    jobs: Jobs,
    priced: Propose,
    allow: Callable[..., None],
    workspaces: Workspaces,
    watch: Watch,
    bell: Bell,
    runner: Any,
) -> None:
    """While paused nothing is approved or resumed, and a queued job waits with a note; then it goes on at once."""
    allow(approvers="U0BEN")
    queued, waiting = priced("0"), priced("0")
    jobs.approve(queued.id, queued.quote_hash, ADA, watch())
    with pytest.raises(NotAllowed, match="Only an approver"):
        workspaces.pause("T1", ADA, watch())
    assert workspaces.pause("T1", BEN, watch())
    assert not workspaces.pause("T1", BEN, watch())
    with pytest.raises(NotAllowed, match="paused"):
        jobs.approve(waiting.id, waiting.quote_hash, ADA, watch())
    runner("w1").work(queued.id)
    assert jobs.ledger.get(queued.id).state == "queued"
    assert "paused" in said(jobs, queued)["progress"]["note"]
    assert workspaces.pause("T1", BEN, watch(), paused=False)
    sweep(jobs.ledger, jobs.ring, watch())
    assert bell.rings.count((queued.id, "io")) == 2
    runner("w1").work(queued.id)
    assert jobs.ledger.get(queued.id).state == "succeeded"
    assert [verb for verb in verbs(jobs) if "paus" in verb] == ["paused", "unpaused"]


def test_a_job_of_a_paused_workspace_can_still_be_stopped(
    jobs: Jobs, approved: Job, allow: Callable[..., None], watch: Watch
) -> None:
    """The kill switch never stands in the way of stopping."""
    allow(paused="yes")
    assert jobs.stop(approved.id, ADA, watch()).job.state == "cancelled"
    with pytest.raises(NotAllowed, match="paused"):
        jobs.resume(approved.id, ADA, watch())


@pytest.mark.parametrize(
    ("stoppers", "ben_may", "chi_may"), [("requester", 0, 0), ("approvers", 1, 0), ("anyone", 1, 1)]
)
def test_who_may_stop_is_a_rule(
    jobs: Jobs, approved: Job, allow: Callable[..., None], watch: Watch, stoppers: str, ben_may: int, chi_may: int
) -> None:
    """The requester always may; approvers or anyone as the workspace has it."""
    allow(approvers="U0BEN", stoppers=stoppers)
    for person, may in ((CHI, chi_may), (BEN, ben_may)):
        if may:
            jobs.stop(approved.id, person, watch())
            jobs.resume(approved.id, ADA, watch())
        else:
            with pytest.raises(NotAllowed):
                jobs.stop(approved.id, person, watch())
    assert jobs.stop(approved.id, ADA, watch()).changed


def test_two_approvers_at_the_same_moment(
    jobs: Jobs, priced: Propose, allow: Callable[..., None], watch: Watch, bell: Bell
) -> None:
    """Eight clicks of two approvers at once queue a dear job exactly once, with both of them."""
    allow(**MONEY)
    job = priced("60")
    start, states = threading.Barrier(8), []

    def click(person: Person) -> None:
        start.wait()
        states.append(jobs.approve(job.id, job.quote_hash, person, watch()))

    threads = [threading.Thread(target=click, args=(person,)) for person in (BEN, CHI) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.changed for outcome in states) == [False] * 6 + [True] * 2
    assert jobs.ledger.get(job.id).state == "queued"
    assert len(bell.rings) == 1
    assert standing(jobs, watch) == (Decimal(60), Decimal(0))


def test_rules_are_checked_before_they_are_kept() -> None:
    """Rules that contradict each other or mean nothing are refused."""
    for wrong in ({"own_click_limit": Decimal(60)}, {"workspace_cap": Decimal(-1)}, {"jobs_per_person": 0}):
        with pytest.raises(Exception, match=r"limit|Limits|1 or more"):
            Rules(**wrong)
    rules = Rules(approvers=("U0BEN",), workspace_cap=None, person_cap=Decimal("4.50"))
    assert Rules.from_json(json.loads(json.dumps(rules.to_json()))) == rules
