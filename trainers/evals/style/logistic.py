"""Logistic regression on few rows with many features, many label vectors at once; it does not know what they mean."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ONE_THREAD = 200_000  # multiplications of one product; OpenBLAS shares larger ones out


def fit(kernel: Floats, labels: Floats, penalty: float, *, tolerance: float = 1e-4, most: int = 2000) -> Floats:
    """Return dual weights `a` (rows x label vectors) so that `kernel @ a` is the log-odds of label 1.

    Minimises the sum of log losses plus penalty/2 times the squared weights, without an intercept, as scikit-learn
    does with C = 1/penalty. `kernel` holds the inner products of the rows, `labels` is 0 or 1, one column a problem.
    The Hessian is replaced by its upper bound (Boehning 1992): each step is one product and the loss never rises.
    """
    step = np.asarray(np.linalg.inv(kernel / 4 + penalty * np.eye(len(kernel))), dtype=np.float64)
    # Products this small stay on one thread of BLAS. On a busy machine its threads wait for each other longer than
    # they work: 40 s instead of half a second were seen.
    width = max(1, _ONE_THREAD // max(1, len(kernel) ** 2))
    blocks = [labels[:, at : at + width] for at in range(0, labels.shape[1], width)]
    return np.hstack([_descend(kernel, step, block, penalty, tolerance, most) for block in blocks])


def _descend(kernel: Floats, step: Floats, labels: Floats, penalty: float, tolerance: float, most: int) -> Floats:
    weights = np.zeros_like(labels)
    for _ in range(most):
        slope = _sigmoid(kernel @ weights) - labels + penalty * weights
        if float(np.abs(slope).max(initial=0.0)) < tolerance:
            break
        weights -= step @ slope
    return weights


def _sigmoid(values: Floats) -> Floats:
    found: Floats = 0.5 * (1 + np.tanh(values / 2))
    return found
