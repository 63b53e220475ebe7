"""Knows our own probes: what is asked before and after a training, whatever it was for; it does not compare."""

from trainers.evals.probes.suite import SUITES, Probe, digest, load_probes, read_arms, write_for_child

__all__ = ["SUITES", "Probe", "digest", "load_probes", "read_arms", "write_for_child"]
