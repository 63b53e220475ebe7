"""Every interleaving of workers, crashes, clock jumps, a stop and a lying network around one paid call.

The judgement is the product's own (`trainers.jobs.protocol`), called with ticks for seconds; what this file models is
everything around it: rows changed only as they were read, workers that die between any two steps, rings at any moment
and in any number, a provider that takes a call late, hides it, refuses it, or takes it and loses the answer.

Fences are kept relative ("is this worker's claim the newest?", "did this worker write the newest intent?"), and ages
are cut off where the judgement no longer sees a difference, so that the space is finite and can be searched to its end.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from trainers.backends.base import Timing
from trainers.jobs.protocol import MOST_TRIES, Seen, Step, after_look, next_step, seconds_left

NOBODY = -1
"""In the place of a worker's number: it died, or let go."""


class Worker(NamedTuple):
    """One worker and what it is about to do."""

    phase: str = "idle"
    mine: bool = False
    """Whether its claim is the job's newest."""
    fresh: bool = False
    """Whether the row still is as it read it."""
    age: int = 0
    """Ticks since its intent, by a clock that nobody sets."""
    stopping: bool = False
    next: tuple[str, ...] = ()
    """What it does if the provider, which it is looking at, does not show the job, and if it does."""


class Call(NamedTuple):
    """A request on its way."""

    worker: int
    left: int
    """Ticks in which it may still arrive, and then stay hidden."""
    taken: bool = False


class Made(NamedTuple):
    """A job at the provider."""

    hidden: int
    """Ticks for which a look may miss it."""
    state: str = "alive"


class World(NamedTuple):
    """One moment."""

    job: str = "queued"
    lease: int = 0
    """Ticks since the lease was renewed, by the wall clock."""
    row: str = ""
    owner: int = NOBODY
    """Which worker, still in the same claim, wrote the newest intent."""
    tried: int | None = None
    looked: int | None = None
    tries: int = 0
    stop: bool = False
    spend: bool = True
    crashes: int = 0
    jumps: int = 0
    answers: int = 0
    """How often a person may still say "once more"."""
    bans: int = 0
    """Whether spending may still be forbidden."""
    workers: tuple[Worker, ...] = ()
    calls: tuple[Call, ...] = ()
    made: tuple[Made, ...] = ()


TICKS = Timing(timeout=2, lag=1, grace=4)
"""The product's inequality, grace > timeout + lag, in as few ticks as it can be written."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The protocol, with a switch for each line that can be left out to see whether anybody notices."""

    timing: Timing = TICKS
    lease: int = 2
    judge: Callable[[Seen, Timing, float], Step] = next_step
    judge_look: Callable[[Seen, bool, Timing], Step] = after_look
    left: Callable[[float, Timing], float] = seconds_left
    intent: bool = True
    """Write the intent before the call."""
    guarded: bool = True
    """Change a row only if it is as it was read, and write an intent only under the newest claim."""
    one_id: bool = True
    """Send the submission id of the row, not a new one with each attempt, which no look can find."""
    sends: int = 1
    """Requests that the client makes of one call."""
    unknown_fails: bool = False
    """Take an exception for "it failed"."""
    steady_guard: bool = True
    """Measure the age of an intent by a clock that nobody sets."""
    stop_looks: bool = True
    """Find out what became of a call before a stopped job says that it is cancelled."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much may go wrong."""

    workers: int = 2
    crashes: int = 1
    jumps: int = 1
    answers: int = 0
    bans: int = 0
    tries: int = 2
    """Calls of unknown outcome after which a person is asked; the product allows one more."""
    stop: bool = True
    """Whether somebody may ask the job to stop."""


@dataclass(kw_only=True)
class Found:
    """What the search saw."""

    states: int
    edges: int
    problems: dict[str, World] = field(default_factory=dict)
    """Broken promise -> the first moment that breaks it."""


def search(rules: Rules, budget: Budget) -> Found:
    """Visit every state and return what is wrong: paid twice, lost, or a stop that was not honoured."""
    model, start = Model(rules, budget), first(budget)
    numbers: dict[World, int] = {start: 0}
    order, origin, target = [start], array("l"), array("l")
    problems: dict[str, World] = {}
    for number, world in enumerate(order):
        wrong = broken(world)
        if wrong:
            problems.setdefault(wrong, world)
            continue
        for after in map(plain, model.after(world)):
            known = numbers.setdefault(after, len(order))
            if known == len(order):
                order.append(after)
            origin.append(number)
            target.append(known)
    lost = stranded(order, origin, target)
    if lost is not None:
        problems.setdefault("lost", lost)
    return Found(states=len(order), edges=len(origin), problems=problems)


def flaw(rules: Rules, budget: Budget) -> str:
    """Follow each path to its end, one after the other, and return the first broken promise; "" if none is."""
    model, start = Model(rules, budget), first(budget)
    known, ahead = {start}, [start]
    while ahead:
        world = ahead.pop()
        wrong = broken(world)
        if wrong:
            return wrong
        fresh = {after for after in map(plain, model.after(world)) if after not in known}
        known |= fresh
        ahead.extend(fresh)
    return ""


def first(budget: Budget) -> World:
    """Return the state in which a job was just approved."""
    limits = {"crashes": budget.crashes, "jumps": budget.jumps, "answers": budget.answers, "bans": budget.bans}
    return World(workers=(Worker(),) * budget.workers, **limits)


def broken(world: World) -> str:
    """Say which promise a state breaks, or ""."""
    if len(world.made) > 1:
        return "paid twice"
    alive = any(made.state == "alive" for made in world.made)
    if world.job == "cancelled" and alive:
        return "stop not honoured"
    if world.job == "failed" and alive:
        return "lost"
    if world.job == "succeeded" and not world.made:
        return "lost"
    return ""


def stranded(order: list[World], origin: Any, target: Any) -> World | None:
    """Return a state from which the job can no longer end, nor a person be asked."""
    before: list[list[int]] = [[] for _ in order]
    for start, end in zip(origin, target, strict=True):
        before[end].append(start)
    good = [n for n, world in enumerate(order) if world.job in ENDED or world.row == "asking" or broken(world)]
    reached = bytearray(len(order))
    for number in good:
        reached[number] = 1
    while good:
        for number in before[good.pop()]:
            if not reached[number]:
                reached[number] = 1
                good.append(number)
    return next((order[n] for n in range(len(order)) if not reached[n]), None)


ENDED = ("succeeded", "failed", "cancelled")


class Model:
    """The successors of a state."""

    def __init__(self, rules: Rules, budget: Budget) -> None:
        self.rules, self.budget = rules, budget
        self.patience = int(max(rules.lease, rules.timing.grace))
        self.hiding = int(rules.timing.timeout + rules.timing.lag)
        self.judge = lru_cache(None)(lambda seen: rules.judge(seen, rules.timing, rules.lease))
        self.choices = lru_cache(None)(
            lambda seen: tuple(PHASES[rules.judge_look(seen, found, rules.timing)] for found in (False, True))
        )
        self.steps: dict[str, Callable[[World, int, Worker], Iterator[World]]] = {
            "idle": self.claim,
            "judge": self.read,
            "look": self.look,
            "send": self.intend,
            "guard": self.guard,
            "await": self.time_out,
            "have": self.watch,
            "put down": self.put_down,
        }

    def after(self, world: World) -> Iterator[World]:
        """Yield every state that may come next; nothing comes after a job has ended and nobody can send any more."""
        if world.job in ENDED and not world.calls and all(w.phase not in SENDING for w in world.workers):
            return
        for index, worker in enumerate(world.workers):
            yield from self.steps.get(worker.phase, self.write)(world, index, worker)
            if world.crashes and worker.phase != "idle":
                yield self.leave(world, index)._replace(crashes=world.crashes - 1)
        yield from self.network(world)
        yield from self.people(world)
        yield from self.time(world)

    # Workers. Each method is one step that happens whole or not at all.

    def claim(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Answer a ring; rings come at any moment, so a lost or doubled one needs no model of its own."""
        if world.job == "queued" or (world.job == "running" and world.lease > self.rules.lease):
            workers = tuple(other._replace(mine=False) for other in world.workers)
            world = world._replace(job="running", lease=0, workers=workers)
            yield put(world, index, Worker(phase="judge", mine=True))

    def read(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Look for a wish to stop, read the row and judge."""
        worker = worker._replace(stopping=world.stop, fresh=True)
        if worker.stopping and not self.rules.stop_looks and world.row != "accepted":
            yield put(world, index, worker._replace(phase="cancelled"))
            return
        seen = Seen(world.row, world.tried, world.looked, self.count(world.tries), world.spend, worker.stopping)
        step = self.judge(seen)
        if step is Step.LOOK:
            yield put(world, index, worker._replace(phase="look", next=self.choices(seen)))
        elif step is Step.GIVE_UP and not world.row:
            yield put(world, index, worker._replace(phase="cancelled"))
        elif step is Step.CLOSED:
            yield put(world, index, worker._replace(phase="cancelled" if worker.stopping else "failed"))
        else:
            yield put(world, index, worker._replace(phase=PHASES[step]))

    def look(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Ask the provider; what it may still hide is shown or not."""
        ours = world.made if self.rules.one_id else ()
        shown = {True} if any(made.hidden <= 0 for made in ours) else {False, bool(ours)}
        for found in shown:
            yield put(world, index, worker._replace(phase=worker.next[found], next=()))

    def intend(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Write the intent under the claim, unless somebody asked to stop or took the job or the row over."""
        if self.rules.guarded and not (worker.mine and world.job == "running"):
            yield self.leave(world, index)
            return
        if world.stop or not world.spend or (self.rules.guarded and not worker.fresh):
            yield put(world, index, worker._replace(phase="judge"))
            return
        worker = worker._replace(phase="guard", age=0)
        if self.rules.intent:
            tries = min(world.tries + 1, self.budget.tries)
            world = world._replace(row="intended", owner=index, tried=0, looked=None, tries=tries, lease=0)
            world = stale(world, index)
        yield put(world, index, worker)

    def guard(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Send in the time that is left, or not at all."""
        left = self.rules.left(worker.age, self.rules.timing)
        if left <= 0:
            yield put(world, index, worker._replace(phase="put down"))
            return
        call = Call(index, int(left + self.rules.timing.lag))
        yield put(
            world._replace(calls=world.calls + (call,) * self.rules.sends), index, worker._replace(phase="await", age=0)
        )

    def time_out(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Hear nothing: nobody knows."""
        calls = (call._replace(worker=NOBODY) if call.worker == index else call for call in world.calls)
        phase = "record no" if self.rules.unknown_fails else "put down"
        yield put(tidy(world._replace(calls=tuple(calls))), index, worker._replace(phase=phase, age=0))

    def watch(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Have the provider's job: cancel it for a stop, else wait for its end."""
        if worker.stopping:
            made = tuple(job._replace(state="over") for job in world.made)
            yield put(world._replace(made=made), index, worker._replace(phase="over"))
        elif worker.mine and world.job == "running" and world.made and world.made[0].state == "over":
            yield self.leave(world, index)._replace(job="succeeded")
        else:
            yield from self.put_down(world, index, worker)

    def put_down(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Let the job wait without a worker."""
        mine = worker.mine and world.job == "running"
        yield self.leave(world, index)._replace(job="queued" if mine else world.job)

    def write(self, world: World, index: int, worker: Worker) -> Iterator[World]:
        """Change the row, if it is as this worker read or wrote it; or end the job, if it is ours."""
        if worker.phase in ENDED:
            mine = worker.mine and world.job == "running"
            yield self.leave(world, index)._replace(job=worker.phase if mine else world.job)
            return
        values, then = WRITES[worker.phase]
        if worker.phase.startswith("record"):
            as_known = world.owner == index and world.row == "intended"
        else:
            as_known = worker.fresh if worker.phase != "over" else world.row == "accepted"
        if as_known or not self.rules.guarded:
            world = world._replace(**values)
            if worker.phase == "record busy":
                world = world._replace(tries=max(world.tries - 1, 0))
            if values.keys() != {"looked"}:
                world = stale(world, index)
        else:
            then = "judge"
        yield put(world, index, worker._replace(phase=then, fresh=False, age=0))

    # Everybody else.

    def network(self, world: World) -> Iterator[World]:
        """Take a call, refuse it, lose it, or lose the answer."""
        for number, call in enumerate(world.calls):
            rest = world.calls[:number] + world.calls[number + 1 :]
            waits = call.worker != NOBODY and world.workers[call.worker].phase == "await"
            if call.taken:
                if waits:
                    yield phase(world._replace(calls=rest), call.worker, "record yes")
                continue
            taken = world._replace(
                calls=(*rest, call._replace(taken=True, left=0)), made=(*world.made, Made(call.left))
            )
            yield tidy(taken)
            yield world._replace(calls=rest)
            if waits:
                yield phase(world._replace(calls=rest), call.worker, "record no")
                yield phase(world._replace(calls=rest), call.worker, "record busy")
        for number, made in enumerate(world.made):
            if made.state == "alive" and world.row == "accepted":
                over = made._replace(state="over")
                yield world._replace(made=(*world.made[:number], over, *world.made[number + 1 :]))

    def people(self, world: World) -> Iterator[World]:
        """Stop the job, forbid spending, or decide about a call that nobody knows."""
        if world.job in ENDED:
            return
        if self.budget.stop and not world.stop:
            open_call = world.row in ("intended", "accepted", "asking")
            if world.job == "running" or open_call:
                yield world._replace(stop=True)
            else:
                yield world._replace(stop=True, job="cancelled")
        if world.spend and world.bans:
            yield world._replace(spend=False, bans=0)
        if world.row == "asking" and world.answers:
            again = world._replace(row="intended", tried=None, looked=None, tries=0, spend=True)
            yield stale(again._replace(answers=world.answers - 1), NOBODY)

    def time(self, world: World) -> Iterator[World]:
        """Pass by, or be set forward or back."""
        calls = (call if call.taken else call._replace(left=call.left - 1) for call in world.calls)
        yield tidy(
            self.aged(world, 1)._replace(
                workers=tuple(self.older(worker, 1) for worker in world.workers),
                calls=tuple(call for call in calls if call.left >= 0),
                made=tuple(made._replace(hidden=max(made.hidden - 1, 0)) for made in world.made),
            )
        )
        if world.jumps:
            far = self.patience + self.hiding + 2
            for jump in (far, -far):
                moved = self.aged(world, jump)._replace(jumps=world.jumps - 1)
                if not self.rules.steady_guard:
                    moved = moved._replace(workers=tuple(self.older(worker, jump) for worker in moved.workers))
                yield moved

    def aged(self, world: World, ticks: int) -> World:
        """Move every age that is read off the wall clock; -1 is the future, and what is long ago stays long ago."""
        tried = None if world.tried is None else max(-1, min(world.tried + ticks, self.patience + 1))
        looked = None if world.looked is None else max(-1, min(world.looked + ticks, self.hiding + 1))
        lease = max(-1, min(world.lease + ticks, self.rules.lease + 1)) if world.job == "running" else 0
        return world._replace(lease=lease, tried=tried, looked=looked)

    def older(self, worker: Worker, ticks: int) -> Worker:
        if worker.phase != "guard":
            return worker
        return worker._replace(age=max(0, min(worker.age + ticks, int(self.rules.timing.timeout))))

    def count(self, tries: int) -> int:
        """Stretch the model's few tries to the product's limit."""
        return MOST_TRIES if tries >= self.budget.tries else min(tries, 1)

    def leave(self, world: World, index: int) -> World:
        """Forget a worker's claim: it died, lost the job or put it down."""
        calls = tuple(call._replace(worker=NOBODY) if call.worker == index else call for call in world.calls)
        owner = NOBODY if world.owner == index else world.owner
        return put(tidy(world._replace(calls=calls, owner=owner)), index, Worker())


PHASES = {
    Step.SEND: "send",
    Step.HOLD: "put down",
    Step.WAIT: "put down",
    Step.REDATE: "redate",
    Step.REMEMBER: "remember",
    Step.ADOPT: "adopt",
    Step.HAVE: "have",
    Step.ASK: "ask",
    Step.GIVE_UP: "give up",
}
"""What a worker does next for each step that is not decided by more than itself."""

WRITES: dict[str, tuple[dict[str, Any], str]] = {
    "record yes": ({"row": "accepted"}, "judge"),
    "record no": ({"row": "refused"}, "failed"),
    "record busy": ({"tried": None}, "put down"),
    "adopt": ({"row": "accepted"}, "judge"),
    "redate": ({"tried": 0}, "judge"),
    "remember": ({"looked": 0}, "put down"),
    "ask": ({"row": "asking"}, "put down"),
    "give up": ({"row": "abandoned"}, "judge"),
    "over": ({"row": "abandoned"}, "cancelled"),
}
"""Phase -> what it writes, and what the worker does after."""


def put(world: World, index: int, worker: Worker) -> World:
    workers = world.workers
    return world._replace(workers=(*workers[:index], worker, *workers[index + 1 :]))


def phase(world: World, index: int, name: str) -> World:
    return put(world, index, world.workers[index]._replace(phase=name))


def stale(world: World, index: int) -> World:
    """Make what the other workers read out of date."""
    workers = (w if n == index or not w.fresh else w._replace(fresh=False) for n, w in enumerate(world.workers))
    return world._replace(workers=tuple(workers))


def plain(world: World) -> World:
    """Forget what can no longer make a difference, so that equal moments are one state."""
    workers = tuple(w if w.phase in JUDGING or not w.fresh else w._replace(fresh=False) for w in world.workers)
    if workers != world.workers:
        world = world._replace(workers=workers)
    if world.job != "running" and world.lease:
        world = world._replace(lease=0)
    if world.row in ("accepted", "refused", "abandoned") and (world.tried is not None or world.tries):
        world = world._replace(tried=None, looked=None, tries=0)
    if world.row != "intended" and world.owner != NOBODY:
        world = world._replace(owner=NOBODY)
    return world


SENDING = ("judge", "look", "send", "guard", "redate")
"""Phases that may lead to a call."""

JUDGING = ("judge", "look", "send", "adopt", "redate", "remember", "ask", "give up")
"""Phases in which it matters whether the row still is as it was read."""


def tidy(world: World) -> World:
    """Drop calls that can change nothing any more, and put the rest in an order."""
    kept = (call for call in world.calls if not (call.taken and call.worker == NOBODY))
    return world._replace(calls=tuple(sorted(kept)), made=tuple(sorted(world.made)))


def _one_look(seen: Seen, found: bool, timing: Timing) -> Step:
    return after_look(seen._replace(since_look=timing.timeout + timing.lag + 1), found, timing)


def _no_wait(seen: Seen, timing: Timing, lease: float) -> Step:
    step = next_step(seen, timing, lease)
    return Step.LOOK if step is Step.WAIT else step


MUTANTS = {
    "no intent before the call": Rules(intent=False),
    "no zombie guard": Rules(left=lambda age, timing: timing.timeout),
    "a zombie guard by the wall clock": Rules(steady_guard=False),
    "lease and grace too short": Rules(timing=Timing(timeout=2, lag=1, grace=1), lease=1),
    "rows changed without fence and state": Rules(guarded=False),
    "what is found is not adopted": Rules(judge_look=lambda seen, found, timing: after_look(seen, False, timing)),
    "sent again after one look": Rules(judge_look=_one_look),
    "sent again at once": Rules(judge=_no_wait, judge_look=_one_look),
    "a new id with each attempt": Rules(one_id=False),
    "a client that tries twice": Rules(sends=2),
    "unknown taken for failed": Rules(unknown_fails=True),
    "stopped without a look": Rules(stop_looks=False),
}
"""The protocol with one line left out or changed; each has to be caught, or the search proves nothing."""
