"""Knows for which metrics somebody's opinion of two answers says more than the score; it asks neither people nor judge.

Where a score is exact, each answer was compared with the expected one and there is nothing left to have an opinion on.
"""

WORDED = ("judged", "chrf", "exact_match", "style", "correct")
"""Metrics of answers that may be worded in many ways: people are offered pairs to label."""
_EXACT = ("accuracy", "json_exact", "field_f1", "tool_calls")
_JUDGED = ("judged", "chrf")


def without_judge(metric: str) -> str:
    """Say in a sentence why no judge compared the answers and no pairs are labelled, or how to have it; or ""."""
    if metric in _EXACT:
        return (
            "There are no pairs to label and no judge: the score is exact, as every answer was compared with the "
            "expected one, so an opinion would add nothing."
        )
    if metric in _JUDGED:
        return (
            "No judge is set, so only what can be counted was judged: with LUTHIER_JUDGE_MODEL (and LUTHIER_JUDGE_URL, "
            "where it is not at the address of LUTHIER_MODEL_URL) set, a new evaluation has a language model compare "
            "the answers."
        )
    if metric in WORDED:
        return "Judges are asked about long free text only; here people may compare answers blind, by `Label 20 pairs`."
    return ""
