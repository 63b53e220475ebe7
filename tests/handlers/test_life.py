"""A job's life as people meet it in Slack: late, double and wrong clicks, private jobs, the kill switch."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.console import wait_for
from tests.handlers.test_training import job_in, quote_for, seen
from tests.handlers.world import ADA, World, serve
from tests.trainers.jobs.paid import TIMING
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers import audit, quotes
from trainers.backends.base import Backend
from trainers.backends.hosted import HostedBackend
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.rehearsal import RehearsalBackend
from trainers.backends.traits import traits_of
from trainers.costs.rehearsal import Price
from trainers.jobs import service
from trainers.jobs.run import Runner, sweep
from trainers.spec import TrainingSpec
from trainers.tables import Job

Json = dict[str, Any]
OPERATOR = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")


def allow(world: World, **texts: str) -> None:
    """Set rules as the operator does."""
    world.deps.workspaces.change(ADA.workspace_id, texts, OPERATOR, world.now)


def worker(world: World, backend: Backend | None = None) -> Runner:
    """A worker whose jobs are rehearsed."""
    rehearsal: Backend = backend or RehearsalBackend(steps=2, seconds_per_step=0)
    return Runner(
        ledger=world.deps.jobs.ledger,
        datasets=world.deps.datasets,
        backend=lambda _: rehearsal,
        env={},
        threads=1,
        clock=lambda: world.now,
        owner="w1",
        notify_channel=lambda _: "C0TUNING",
    )


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let what the form begins be a rehearsal that is said to cost so many dollars."""

    def price(dollars: str = "0", backend: str = "rehearsal") -> None:
        monkeypatch.setattr(
            service, "quote", lambda *a, **m: replace(quotes.quote(*a, **m), training_cost=Decimal(dollars))
        )
        # What a worker looks up before it begins has to be the price of the quote.
        monkeypatch.setattr(quotes, "price", lambda tokens: Price(Decimal(dollars), (0.1, 2.0), "pretend"))
        monkeypatch.setattr("handlers.training.TrainingSpec", lambda: TrainingSpec(backend=backend))
        monkeypatch.setattr("handlers.training.spec_for", lambda *a, **m: TrainingSpec(backend=backend))

    return price


def whispered(world: World, card: Json, words: str, user: str = "U0ADA") -> None:
    """Wait until one person is told something in the thread that nobody else sees."""
    world.slack.wait_message(words, channel=card["channel"], thread_ts=card["thread_ts"], user=user)
    other = "U0CHI" if user != "U0CHI" else "U0ADA"
    assert words not in seen(world, card, other)


def answered(world: World, line: str, words: str, user: str = "U0ADA", channel: str = "C0ASK") -> Json:
    """Type a command and wait for the answer that only its author sees."""
    world.slack.command(line, user=user, channel=channel)
    return world.slack.wait_message(words, user=user, channel=channel)


def whole(world: World) -> None:
    """What is always true of the ledger: its log is unbroken and no job has two rows for one number."""
    assert audit.verify(world.engine, ADA.workspace_id).broken_at is None
    jobs = world.deps.jobs.ledger.listing(ADA.workspace_id)
    assert len({job.number for job in jobs}) == len(jobs)


def verbs(world: World) -> list[tuple[str, str]]:
    return [(entry.who, entry.what) for entry in reversed(audit.listing(world.engine, ADA.workspace_id))]


def started(world: World, rehearsed: Callable[..., None]) -> tuple[Json, Job]:
    """A free rehearsal that was approved."""
    rehearsed()
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    return card, job_in(world, "queued")


# Late, double and wrong clicks


def test_a_triple_click_approves_once_and_each_late_one_is_answered(
    world: World, rehearsed: Callable[..., None]
) -> None:
    """Three clicks one after the other: one approval, one entry in the log, two private words."""
    card, _ = started(world, rehearsed)
    world.slack.click(card, "Approve and start")
    world.slack.click(card, "Approve and start")
    late = lambda: [m for m in world.slack.messages("C0ASK", card["thread_ts"]) if "approved this at" in m["text"]]  # noqa: E731
    wait_for(lambda: len(late()) == 2, what="two words")
    assert [verb for _, verb in verbs(world)] == ["asked for", "approved"]
    whole(world)


def test_two_approvers_at_once_approve_once(world: World, rehearsed: Callable[..., None]) -> None:
    """Ben and Chi click at the same moment: one approval counts, and the other is told privately whose it was."""
    rehearsed("12")
    allow(world, approvers="U0BEN,U0CHI", workspace_cap="100")
    card = quote_for(world)
    world.slack.click(card, "Ask for approval")
    job_in(world, "awaiting_approval")
    world.deliver()
    waiting = world.slack.wait_message("Waiting for one approval", thread_ts=card["thread_ts"])
    press = lambda user: world.slack.click(waiting, "Approve and start", user=user)  # noqa: E731
    clicks = [threading.Thread(target=press, args=(user,)) for user in ("U0BEN", "U0CHI")]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    job = job_in(world, "queued")
    late = "U0CHI" if job.approved_by == "U0BEN" else "U0BEN"
    world.slack.wait_message(f"<@{job.approved_by}> approved this at", thread_ts=card["thread_ts"], user=late)
    assert [verb for _, verb in verbs(world)].count("approved") == 1
    whole(world)


def test_an_approval_after_expiry_is_refused_before_and_after_the_sweep(
    world: World, rehearsed: Callable[..., None]
) -> None:
    """The click on a quote of yesterday is told so, whether the sweeper has closed the quote by then or not."""
    rehearsed()
    card = quote_for(world)
    world.now += timedelta(hours=24)
    world.slack.click(card, "Approve and start")
    whispered(world, card, "more than 24 hours old")
    assert job_in(world, "quoted")
    assert world.deps.jobs.tend_quotes(world.now) == 1
    world.slack.click(card, "Approve and start")
    whispered(world, card, "This quote expired before it was approved")
    world.deliver()
    world.slack.wait_message("This quote expired at", thread_ts=card["thread_ts"])
    assert verbs(world)[-1] == ("luthier", "expired")
    whole(world)


def test_a_stop_after_success_changes_nothing(world: World, rehearsed: Callable[..., None]) -> None:
    """Stop on an old progress message, and /tune cancel, hear that the job has ended; the report stays."""
    card, job = started(world, rehearsed)
    world.deliver()
    progress = world.slack.wait_message("next in line", thread_ts=card["thread_ts"])
    worker(world).work(job.id)
    world.slack.click(progress, "Stop")
    whispered(world, card, "has ended already (succeeded); nothing was changed")
    answered(world, "/tune cancel 1", "has ended already (succeeded)")
    answered(world, "/tune resume 1", "has finished; there is nothing to resume")
    assert job_in(world, "succeeded")
    assert verbs(world)[-1] == ("luthier", "spent")
    whole(world)


def test_a_running_job_is_not_resumed_and_stops_once(world: World, rehearsed: Callable[..., None]) -> None:
    """Resume of a queued or running job says how it stands; a second stop says that it was asked already."""
    _, job = started(world, rehearsed)
    answered(world, "/tune resume 1", "waits in the queue; there is nothing to resume")
    assert world.deps.jobs.ledger.claim(job.id, "w1", world.now)
    answered(world, "/tune resume 1", "is running; there is nothing to resume")
    answered(world, "/tune cancel 1", "stops after its current step")
    answered(world, "/tune cancel 1", "was asked to stop already")
    answered(world, "/tune resume 1", "is being stopped")
    assert job_in(world, "running").fence == 1
    world.now += timedelta(seconds=20)
    worker(world).work(job.id)
    answered(world, "/tune resume 1", "continues from its last checkpoint")
    assert [verb for _, verb in verbs(world)][2:] == ["stop requested", "spent", "resumed"]
    whole(world)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ThreadProvider]:
    made = ThreadProvider(tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_stop_during_the_submission_is_told_as_it_is(
    world: World, rehearsed: Callable[..., None], provider: ThreadProvider, fault: str
) -> None:
    """Stopped while nobody knows whether the provider took it: first "is being stopped", in the end "was stopped"."""
    provider.now(ENDLESS, script={"start": [fault]})
    rehearsed(backend="hosted_rehearsal")
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    job = job_in(world, "queued")
    world.deliver()
    progress = world.slack.wait_message("next in line", thread_ts=card["thread_ts"])
    api = FineTuningApi(name="rehearsal provider", url=provider.url, key="rehearsal")
    traits = traits_of("hosted_rehearsal")
    hosted = HostedBackend(traits=traits, api=api, timing=TIMING, again_in=timedelta(seconds=1))
    worker(world, hosted).work(job.id)
    world.slack.click(progress, "Stop")
    whispered(world, card, "is being stopped: what a provider may have of it is ended first")
    world.slack.click(progress, "Stop")
    whispered(world, card, "was asked to stop already")
    for _ in range(6):
        world.now += timedelta(seconds=20)
        worker(world, hosted).work(job.id)
    assert world.deps.jobs.ledger.get(job.id).state == "cancelled"
    world.deliver()
    world.slack.wait_message("was stopped by <@U0ADA>", thread_ts=card["thread_ts"])
    assert provider.count("cancelled") == provider.count("created")
    assert [verb for _, verb in verbs(world)][2:] == ["stop requested", "spent"]
    whole(world)


def test_a_run_at_a_provider_is_paused_and_goes_on(
    world: World, rehearsed: Callable[..., None], provider: ThreadProvider
) -> None:
    """While it runs there the progress message has a Pause, then a Go on; who may not stop it may do neither."""
    provider.now(ENDLESS)
    api = FineTuningApi(name="rehearsal provider", url=provider.url, key="rehearsal")
    hosted = HostedBackend(traits=traits_of("hosted_rehearsal"), api=api, timing=TIMING, again_in=timedelta(seconds=1))
    world.deps = replace(world.deps, backend=lambda _: hosted)
    serve(world)
    rehearsed(backend="hosted_rehearsal")
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    job = job_in(world, "queued")

    def until(button: str) -> Json:
        def turn() -> Json | None:
            world.now += timedelta(seconds=20)
            worker(world, hosted).work(job.id)
            world.deliver()
            shown = world.slack.messages(card["channel"], card["thread_ts"])
            return next((each for each in shown if f'"text": "{button}"' in json.dumps(each)), None)

        return wait_for(turn, timeout=30, what=button)

    world.slack.click(until("Pause"), "Pause", user="U0BEN")
    whispered(world, card, "Only the person who asked for this job may do that", user="U0BEN")
    world.slack.click(until("Pause"), "Pause")
    world.slack.click(until("Go on"), "Go on")  # OpenAI calls it queued, as this provider does
    until("Pause")
    assert [verb for _, verb in verbs(world)][-2:] == ["paused at the provider", "let the provider go on"]


# Who may, and the kill switch


def test_a_pause_is_an_approvers_and_stops_and_starts(world: World, rehearsed: Callable[..., None]) -> None:
    """Ada may not pause; Ben may: a click on Approve is refused, the queued job's card says so, and unpause ends it."""
    card, job = started(world, rehearsed)
    allow(world, approvers="U0BEN")
    answered(world, "/tune pause", "Only an approver may do that. Ask <@U0BEN>.")
    answered(world, "/tune unpause", "Only an approver may do that.")
    answered(world, "/tune unpause", "is not paused here", user="U0BEN")
    answered(world, "/tune pause", "Paused: nothing is approved and nothing new is started or sent", user="U0BEN")
    answered(world, "/tune pause", "paused here already", user="U0BEN")
    sweep(world.deps.jobs.ledger, lambda _: True, world.now)
    worker(world).work(job.id)
    assert world.deps.jobs.ledger.get(job.id).fence == 0
    world.deliver()
    world.slack.wait_message("this starts when an approver lifts the pause", thread_ts=card["thread_ts"])
    answered(world, "/tune jobs", "paused: it starts when an approver lifts the pause")
    answered(world, "/tune settings", "Luthier is paused in this workspace")
    answered(world, "/tune unpause", "Not paused any more", user="U0BEN")
    sweep(world.deps.jobs.ledger, lambda _: True, world.now)
    worker(world).work(job.id)
    assert world.deps.jobs.ledger.get(job.id).state == "succeeded"
    assert [who for who, verb in verbs(world) if "paused" in verb] == ["U0BEN", "U0BEN"]


def test_a_click_in_a_pause_is_refused_in_words(world: World, rehearsed: Callable[..., None]) -> None:
    """While paused neither Approve nor Resume does anything, and whoever clicked is told who lifts the pause."""
    rehearsed()
    card = quote_for(world)
    allow(world, paused="yes")
    world.slack.click(card, "Approve and start")
    whispered(world, card, "An approver lifts the pause with `/tune unpause`")
    assert job_in(world, "quoted")


def test_settings_show_and_change_nothing(world: World) -> None:
    """Anybody may look at rules and budgets; whatever is typed behind it is answered with where rules are set."""
    allow(world, approvers="U0BEN", workspace_cap="80", person_cap="20", stoppers="anyone", jobs_per_person="3")
    shown = json.dumps(answered(world, "/tune settings", "Who may spend"), ensure_ascii=False)
    for words in ("<@U0BEN>", "$80 per workspace", "$20 per person", "Anyone may stop", "3 jobs queued or running"):
        assert words in shown
    for user in ("U0ADA", "U0BEN"):
        answered(world, "/tune settings set workspace_cap=1000", "Nothing was changed", user=user)
    assert world.deps.workspaces.rules(ADA.workspace_id).workspace_cap == Decimal(80)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/tune resume", "Which job?"),
        ("/tune resume 9", "There is no job 9"),
        ("/tune resume #1", "was never approved"),
        ("/tune resume one", "There is no job one"),
    ],
)
def test_a_resume_of_nothing_says_so(world: World, rehearsed: Callable[..., None], line: str, expected: str) -> None:
    """A number that is missing, unknown or of a quote that was cancelled is answered with what to do."""
    rehearsed()
    card = quote_for(world)
    world.slack.click(card, "Cancel")
    job_in(world, "cancelled")
    answered(world, line, expected)


def test_a_stranger_may_neither_stop_nor_resume(world: World, rehearsed: Callable[..., None]) -> None:
    """As the rules have it only the requester and approvers may; whoever else tries is told who."""
    started(world, rehearsed)
    allow(world, approvers="U0BEN")
    answered(world, "/tune cancel 1", "Only the person who asked for this job or an approver (<@U0BEN>)", user="U0CHI")
    answered(world, "/tune cancel 1", "is cancelled. Nothing ran.", user="U0BEN")
    answered(world, "/tune resume 1", "Only the person who asked for this job", user="U0CHI")
    answered(world, "/tune resume 1", "continues from its last checkpoint", user="U0BEN")
    assert job_in(world, "queued")


# What is private


def test_jobs_lists_ones_own_and_with_all_those_of_others(world: World, rehearsed: Callable[..., None]) -> None:
    """Ben sees that there is a job of somebody else's, and with `all` whose and how it stands; Ada sees her own."""
    started(world, rehearsed)
    mine = json.dumps(answered(world, "/tune jobs", "queued, next in line"))
    assert "of other people" not in mine
    none = json.dumps(answered(world, "/tune jobs", "1 job of other people", user="U0BEN"))
    assert "U0ADA" not in none
    answered(world, "/tune jobs ALL", "asked for by <@U0ADA>", user="U0BEN")


def private_job(world: World, *, tick: bool) -> tuple[Json, Job]:
    """A job that Ada began in direct messages, run to its end."""
    channel = world.slack.dm_of()
    world.slack.command("/tune train", channel=channel)
    form = world.slack.wait_view(title="Train a model")
    assert "announced and listed nowhere else" in json.dumps(form)
    world.slack.submit(form, {"announce": ["yes"]} if tick else {})
    root = world.slack.wait_message("wants to train", channel=channel)
    job_in(world, "quoted")
    world.deliver()
    card = world.slack.wait_message("Quote #1", channel=channel, thread_ts=root["ts"])
    world.slack.click(card, "Approve and start")
    worker(world).work(job_in(world, "queued").id)
    world.deliver()
    world.slack.wait_message("rehearsal", channel=channel, thread_ts=root["ts"])
    return card, job_in(world, "succeeded")


def test_a_private_job_is_announced_and_listed_nowhere_else(world: World, rehearsed: Callable[..., None]) -> None:
    """Without the tick no channel hears of it, Ben neither lists nor reaches it, and Ada finds it everywhere."""
    rehearsed()
    private_job(world, tick=False)
    assert world.slack.messages("C0TUNING") == []
    others = json.dumps(answered(world, "/tune jobs all", "No jobs yet", user="U0BEN"))
    assert "other people" not in others
    for line in ("/tune cancel 1", "/tune resume 1"):
        answered(world, line, "begun in a private conversation", user="U0BEN")
    answered(world, "/tune jobs", "rehearsed, nothing was trained")


def test_a_private_job_with_the_tick_is_announced_and_listed(world: World, rehearsed: Callable[..., None]) -> None:
    """With the tick the notification channel gets its line and Ben's list has the job."""
    rehearsed()
    private_job(world, tick=True)
    line = world.slack.wait_message("finished", channel="C0TUNING", user="U0BEN")
    assert "asked for by <@U0ADA>" in line["text"]
    answered(world, "/tune jobs all", "asked for by <@U0ADA>", user="U0BEN")


def test_the_form_asks_about_announcing_only_in_private(world: World) -> None:
    """In a public channel there is nothing to tick: who reads there sees it anyway."""
    world.slack.command("/tune train")
    assert "Announce this job" not in json.dumps(world.slack.wait_view(title="Train a model"))
