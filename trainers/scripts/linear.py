"""Knows the cheap rival, TF-IDF and logistic regression; it does not know models of language."""

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

from trainers.scripts.prompting import text_vectors

STRENGTHS = [0.3, 1.0, 3.0, 10.0, 30.0, 100.0]
"""Inverse regularisation, chosen by cross-validation on the training rows."""
FOLDS = 5
UNCHOSEN = 10.0
"""Inverse regularisation where a label has one row only, so that nothing can be cross-validated."""


def guess(texts: Sequence[str], answers: Sequence[str], asked: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Learn from texts and their answers and return a guess for each text asked, with notes on how."""
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.pipeline import make_pipeline

    counts = Counter(answers)
    if len(counts) == 1:
        return [answers[0]] * len(asked), {"asked": "the only label that the training rows hold"}
    folds = min(FOLDS, *counts.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # solver chatter; the choice of C is recorded
        model: Any = LogisticRegression(C=UNCHOSEN, max_iter=1000)
        if folds > 1:
            model = LogisticRegressionCV(Cs=STRENGTHS, cv=folds, max_iter=1000, scoring="accuracy")
        fitted = make_pipeline(text_vectors(texts), model).fit(list(texts), list(answers))
    strengths = sorted({float(c) for c in model.C_}) if folds > 1 else [UNCHOSEN]
    notes = {"asked": "word pairs and character runs, logistic regression", "C": strengths}
    return [str(one) for one in fitted.predict(list(asked))], notes
