"""Logistic regression on few rows with many features, many label vectors at once; it does not know what they mean."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def fit(kernel: Floats, labels: Floats, penalty: float, *, tolerance: float = 1e-4, most: int = 2000) -> Floats:
    """Return dual weights `a` (rows x label vectors) so that `kernel @ a` is the log-odds of label 1.

    Minimises the sum of log losses plus penalty/2 times the squared weights, without an intercept, as scikit-learn
    does with C = 1/penalty. `kernel` holds the inner products of the rows, `labels` is 0 or 1, one column a problem.
    The Hessian is replaced by its upper bound (Boehning 1992): each step is one product and the loss never rises.
    """
    weights = np.zeros_like(labels)
    step = np.linalg.inv(kernel / 4 + penalty * np.eye(len(kernel)))
    for _ in range(most):
        slope = _sigmoid(kernel @ weights) - labels + penalty * weights
        if float(np.abs(slope).max(initial=0.0)) < tolerance:
            break
        weights -= step @ slope
    return weights


def _sigmoid(values: Floats) -> Floats:
    found: Floats = 0.5 * (1 + np.tanh(values / 2))
    return found
