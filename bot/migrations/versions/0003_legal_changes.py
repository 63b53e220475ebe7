"""Legal changes only: the tables refuse in SQL what the code would never do.

The lists below are what they were when this was written; `tests/bot/test_triggers.py` proves that the schema at head
agrees with `trainers/states.py`, so a new state needs a migration that calls `_forbid` with new lists.
"""

from alembic import op

from bot.store.triggers import allow, changed, moved, one_of, refuse

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TRANSITIONS = {
    "draft": ("quoted", "cancelled"),
    "quoted": ("awaiting_approval", "queued", "cancelled"),
    "awaiting_approval": ("quoted", "queued", "cancelled"),
    "queued": ("running", "cancelled"),
    "running": ("queued", "succeeded", "failed", "cancelled"),
    "failed": ("queued",),
    "cancelled": ("queued",),
    "succeeded": (),
}
BEGINS = ("draft", "quoted")
LIVE = ("queued", "running")
ENDED = ("succeeded", "failed", "cancelled")
NEVER_CHANGES = ("id", "workspace_id", "number", "kind", "requested_by", "created_at")
APPROVED = ("dataset_id", "model_id", "spec", "quote", "quote_hash")
FACTS = ("approved_by", "approved_at", "started_at", "finished_at", "result", "error_what", "error_next")


def upgrade() -> None:
    db = op.get_bind()
    refuse(db, "job", "job_begins", "INSERT", f"NOT {one_of('NEW.state', BEGINS)}", "a job begins as a quote")
    refuse(db, "job", "job_moves", "UPDATE", moved("state", TRANSITIONS), "a job cannot go from that state to this one")
    refuse(db, "job", "job_fence", "UPDATE", "NEW.fence < OLD.fence", "a fence never goes down")
    refuse(
        db,
        "job",
        "job_approved",
        "UPDATE",
        f"{one_of('NEW.state', LIVE)} AND (NEW.approved_at IS NULL OR NEW.approved_by = '')",
        "a job runs only when it is approved",
    )
    refuse(db, "job", "job_identity", "UPDATE", changed(db, NEVER_CHANGES), "these columns of a job never change")
    refuse(
        db,
        "job",
        "job_quote",
        "UPDATE",
        f"NOT {one_of('NEW.state', BEGINS)} AND {changed(db, APPROVED)}",
        "what was approved cannot be changed, only quoted again",
    )
    refuse(
        db,
        "job",
        "job_facts",
        "UPDATE",
        f"OLD.state = NEW.state AND {one_of('OLD.state', ENDED)} AND {changed(db, FACTS)}",
        "an ended job keeps its facts",
    )
    refuse(db, "job", "job_stays", "DELETE", one_of("OLD.state", LIVE), "a job that runs or waits cannot be removed")
    refuse(db, "job_event", "job_event_step", "INSERT", _no_step(), "an event tells of a change that is allowed")
    refuse(db, "job_event", "job_event_update", "UPDATE", "true", "what happened cannot be changed")


def downgrade() -> None:
    db = op.get_bind()
    for name in ("begins", "moves", "fence", "approved", "identity", "quote", "facts", "stays"):
        allow(db, "job", f"job_{name}")
    for name in ("step", "update"):
        allow(db, "job_event", f"job_event_{name}")


def _no_step() -> str:
    steps = (f"(NEW.old_state = '{old}' AND {one_of('NEW.new_state', new)})" for old, new in TRANSITIONS.items() if new)
    return f"NEW.old_state <> NEW.new_state AND NOT ({' OR '.join(steps)})"
