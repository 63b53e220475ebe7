"""A process that makes one call that creates and stops itself, as with SIGSTOP, at a chosen place of the HTTP library.

Run as: python -m tests.trainers.rehearsal.frozen URL CALL PLACE SECONDS ROWS FILE
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from knowledge.errors import ServiceError
from trainers.backends.deadline import Deadline
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.wire import Wire

CALLS = ("upload", "start")

PLACES = (
    "connection.connect_tcp.started",
    "connection.connect_tcp.complete",
    "http11.send_request_headers.started",
    "http11.send_request_headers.complete",
    "http11.send_request_body.started",
)
"""Every place that httpcore names between our request and its last byte; looking names up comes after the first."""


def frozen_at(place: str) -> Any:
    """Return what httpcore calls at each place."""

    def trace(name: str, _: object) -> None:
        if name == place:
            os.kill(os.getpid(), signal.SIGSTOP)

    return trace


def main() -> None:
    """Make the call and print what came of it."""
    url, call, place, seconds, rows, file = sys.argv[1:]
    plain = Wire._answer

    def answer(self: Wire, method: str, path: str, **request: Any) -> dict[str, Any]:
        return plain(self, method, path, extensions={"trace": frozen_at(place)}, **request)

    Wire._answer = answer  # type: ignore[method-assign]  # the call itself is the product's
    api = FineTuningApi(name="the provider", url=url, key="any")
    try:
        if call == "upload":
            print(api.upload("s1", Path(rows), Deadline.after(float(seconds))))
        else:
            print(api.start("s1", Deadline.after(float(seconds)), model="rehearsal-small", training_file=file))
    except ServiceError as unknown:
        print(unknown.what)


if __name__ == "__main__":
    main()
