"""Rules about a closed set of labels: balance, spelling, and whether training covers what is tested."""

from collections.abc import Iterator

from trainers.data.findings import Finding, plural, warn
from trainers.data.labels import label_spellings
from trainers.data.likeness import canonical
from trainers.data.rules.sheet import Sheet

RATIO = 5  # the commonest label may have so many times the rows of the rarest
LEAST_PER_LABEL = 5  # rows; fewer can hardly be learned and cannot be tested
MOST_NAMED = 5


def label_balance(sheet: Sheet) -> Iterator[Finding]:
    """Warn about one label only, rare labels, and a label that outweighs the rest."""
    labels = sheet.labels
    if not labels:
        return
    fix = "Add rows for the rare labels, or merge labels that nobody needs apart."
    if len(labels) == 1:
        message = "Every answer is the same. A model would learn to say it always."
        yield warn("label_balance", (), message, "Add rows with the other answers.")
        return
    most, least = max(labels.values()), min(labels.values())
    rare = {canonical(label) for label, count in labels.items() if count < max(LEAST_PER_LABEL, most / RATIO)}
    if rare:
        lines = [row.line for row in sheet.rows if canonical(row.target) in rare]
        named = f"{plural(len(rare), 'label')} of {len(labels)}"
        message = f"Unbalanced: the commonest label has {plural(most, 'row')}, the rarest {least}; {named} rare."
        yield warn("label_balance", lines, message, fix)


def label_spelling(sheet: Sheet) -> Iterator[Finding]:
    """Warn about one label in several spellings: answers are compared as labels, but the model learns letters."""
    if not sheet.labels:
        return
    spellings = label_spellings(sheet.rows)
    usual = {key: counts.most_common(1)[0][0] for key, counts in spellings.items()}
    lines = [row.line for row in sheet.rows if row.target.strip() != usual[canonical(row.target)]]
    if lines:
        several = sum(len(counts) > 1 for counts in spellings.values())
        message = f"{plural(several, 'label')} in more than one spelling, such as a capital letter or a full stop more."
        yield warn("label_spelling", lines, message, "Spell each label one way.")


def labels_covered(sheet: Sheet) -> Iterator[Finding]:
    """Warn about labels that are tested but never taught."""
    if not sheet.labels or not sheet.test:
        return
    taught = {canonical(label) for label in sheet.labels}
    lines = [row.line for row in sheet.test if canonical(row.target) not in taught]
    if lines:
        message = f"{plural(len(lines), 'test row')} with an answer that no training row has (lines of the test file)."
        yield warn("label_untaught", lines, message, "Add training rows for it, or correct the test rows.")
