"""A worker process that is killed in the middle of its calls, by the operating system and without a warning."""

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

from tests.trainers.evals.endpoint.fake import running
from trainers.evals.endpoint import Endpoint, Journal, Limits, Meter, Outcome, Question, answer_over
from trainers.evals.endpoint.journal import spent_in
from trainers.evals.metrics.operations import TokenPrices
from trainers.rehearsal.chat_models import TUNED

ROOT = Path(__file__).resolve().parents[4]
COUNT, AT_ONCE = 60, 6
RIGHT = {f"Where is parcel {n}?": "delivery" for n in range(COUNT)}
WORKER = """
import sys
from decimal import Decimal
from pathlib import Path
from tests.trainers.evals.endpoint.test_killed_worker import ask_the_rest
ask_the_rest(sys.argv[1], Path(sys.argv[2]), Decimal(sys.argv[3]))
"""


def test_a_killed_worker_pays_again_only_for_what_was_under_way(tmp_path: Path) -> None:
    """After a kill all is answered; charged twice is at most what was in the air, and the budget holds it all."""
    path, budget = tmp_path / "answers.jsonl", Decimal("0.02")
    with running(tmp_path, RIGHT, latency=0.15) as fake:
        worker = subprocess.Popen([sys.executable, "-c", WORKER, fake.url, str(path), str(budget)], cwd=ROOT)
        until = time.monotonic() + 60
        while len(fake.lines()) < 20 and time.monotonic() < until:
            time.sleep(0.01)
        worker.kill()
        worker.wait()
        time.sleep(0.3)  # what was in the air lands at the fake
        charged = fake.charged()
        assert 0 < charged <= spent_in(path)
        fake.now()
        outcome, unaccounted = ask_the_rest(fake.url, path, budget)
        assert (len(outcome.replies), outcome.sent) == (COUNT, COUNT - outcome.reused)
        assert outcome.reused >= 20 - AT_ONCE
        assert 0 < fake.twice() <= unaccounted <= AT_ONCE
        assert fake.charged() <= spent_in(path) <= budget


def ask_the_rest(url: str, path: Path, budget: Decimal) -> tuple[Outcome, int]:
    questions = [Question(TUNED, (("user", text),), 16) for text in RIGHT]
    journal = Journal(path)
    meter = Meter({TUNED: TokenPrices(Decimal(1), Decimal(2))}, budget, journal.spent)
    limits = Limits.shipped(concurrency=AT_ONCE)
    outcome = answer_over(Endpoint(url=url), questions, limits=limits, meter=meter, journal=journal)
    journal.close()
    return outcome, journal.unaccounted
