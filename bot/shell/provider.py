"""How `luthier provider` shows and pauses a run at a hosted trainer; `trainers.jobs.elsewhere` asks it."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json

if TYPE_CHECKING:
    from trainers.jobs.elsewhere import Run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(provider)


def provider(
    job: Annotated[str, typer.Argument(help="Number of a job at a hosted trainer.")],
    pause: Annotated[bool, typer.Option("--pause", help="Ask the provider to pause the run.")] = False,
    go_on: Annotated[bool, typer.Option("--go-on", help="Ask it to let a paused run go on.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what a hosted trainer says of a job: state, step, loss, checkpoints; pause it there, or let it go on."""
    if pause and go_on:
        raise fail_usage("Give --pause or --go-on, not both.")
    from bot.settings import Settings
    from bot.wiring import backend_of, shell_person
    from bot.working import working
    from trainers.jobs import elsewhere
    from trainers.jobs.service import spec_of

    with working(Settings.from_env(), say) as at:
        jobs, person = at.deps.jobs, shell_person()
        found = jobs.ledger.find(person.workspace_id, job)
        backend = backend_of(at.settings, spec_of(found).backend)
        if pause or go_on:
            elsewhere.pause(jobs, backend, found, person, at.deps.clock(), go_on=go_on)
        run = elsewhere.look(jobs, backend, found)
    show_json(run._asdict()) if as_json else show(told(run))


def told(run: "Run") -> str:
    """Lay out what a provider says of a run."""
    of = f" of {run.steps}" if run.steps else ""
    loss = "" if run.loss is None else f", loss {run.loss:.3f}"
    lines = [f"{run.says} ({run.run_id})", *([f"  step {run.step}{of}{loss}"] if run.step else [])]
    for each in run.checkpoints:
        figures = each.get("metrics") or {}
        seen = figures.get("train_loss")
        shown = f", loss {seen:.3f}" if isinstance(seen, int | float) else ""
        lines.append(
            f"  checkpoint at step {each.get('step_number')}{shown}: {each.get('fine_tuned_model_checkpoint')}"
        )
    return "\n".join(lines)
