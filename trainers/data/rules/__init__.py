"""The rules that judge training rows, in the order in which they run; each is one function from a sheet to findings."""

from collections.abc import Callable, Iterator

from trainers.data.findings import Finding
from trainers.data.rules import balance, credentials, personal, prompts, repeats, shape, size, wording
from trainers.data.rules.sheet import Sheet

Rule = Callable[[Sheet], Iterator[Finding]]

ROW_RULES: tuple[Rule, ...] = (
    shape.roles_known,
    shape.roles_in_order,
    shape.ends_with_assistant,
    shape.target_given,
    shape.input_given,
    size.row_fits,
    credentials.no_secrets,
    personal.personal_data,
    wording.placeholders,
    wording.generator_phrases,
    wording.refusals,
)
"""Rules about single rows: they hold for training and test rows alike."""

FILE_RULES: tuple[Rule, ...] = (
    size.enough_rows,
    repeats.no_overlap,
    repeats.contradictions,
    repeats.duplicates,
    repeats.near_duplicates,
    repeats.near_leaks,
    wording.system_prompts,
    prompts.tested_prompts,
    balance.label_balance,
    balance.label_spelling,
    balance.labels_covered,
    size.enough_test_rows,
)
"""Rules about the training file as a whole, some beside its test file."""
