"""Knows our own probes: what is asked before and after a training, whatever it was for; it does not compare."""

from trainers.evals.probes.suite import (
    ALL_PROBES,
    SUITES,
    Probe,
    digest,
    load_probes,
    read_arms,
    spread,
    write_for_child,
)

__all__ = ["ALL_PROBES", "SUITES", "Probe", "digest", "load_probes", "read_arms", "spread", "write_for_child"]
