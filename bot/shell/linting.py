"""The command `lint`: its options, how findings read in a terminal, and its exit codes; not how they are found."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.shell.terminal import JsonFlag, fail_usage, show, show_json
from knowledge.errors import UserError

if TYPE_CHECKING:
    from trainers.data.counting import CountRow
    from trainers.data.lint import LintReport
    from trainers.data.mending import Mended

FORMATS = "chat, prompt_completion, alpaca, sharegpt, vertex, table, preference, openai_preference"
_SHOWN = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(lint)


def lint(
    file: Annotated[Path, typer.Argument(help="The training rows: JSONL in any usual format, CSV, TSV or Excel.")],
    test: Annotated[Path | None, typer.Option(help="The held-out rows, to check for overlap.")] = None,
    target: Annotated[
        str, typer.Option(help="Where they are to be trained: openai, azure, vertex, together, fireworks or local.")
    ] = "local",
    form: Annotated[str, typer.Option("--format", help=f"The rows' format, if not told by content: {FORMATS}.")] = "",
    model: Annotated[
        Path | None, typer.Option(help="Folder of an open model, whose tokenizer and chat template count.")
    ] = None,
    style: Annotated[Path | None, typer.Option(help="Texts in the wanted style, parted by empty lines.")] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Write FILE.fixed.jsonl with what can be mended safely, and check that.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Find what is wrong with training rows: line number, why it matters, how to fix it. Exit 1 if that blocks."""
    from trainers.data.limits import shell_limits
    from trainers.data.lint import lint as check

    try:
        _refuse_usage(file, test, style, model, target, form)
        samples = _samples(style)
        mended, not_mended = _mend(file, target) if fix else (None, None)
        report = check(
            mended.path if mended else file,
            target=target,
            test=test,
            count=count_for(target, model),
            limits=shell_limits(),
            kind=form or None,
            samples=samples,
        )
    except UserError as error:
        raise fail_usage(error.what, error.next_step) from error
    if as_json:
        show_json(report.to_json() | _mended_json(mended, not_mended))
    else:
        show("\n".join([*_told(mended, not_mended, target), findings(report, why=True), *_details(report)]))
    raise typer.Exit(1 if report.blocked else 0)


def findings(report: "LintReport", *, why: bool = False) -> str:
    """Lay out what the linter says, with `why` also the reason that its table of severities gives for each code."""
    from trainers.data.severities import reasons

    said = reasons() if why else {}
    lines = [report.headline.removesuffix(" Nothing was started.")]  # a check starts nothing
    for finding in report.findings:
        where = (
            f" ({report.counts}{'s' if len(finding.lines) > 1 else ''} {', '.join(map(str, finding.lines[:_SHOWN]))})"
            if finding.lines
            else ""
        )
        lines.append(f"  {finding.severity:6} {finding.code}: {finding.message}{where}")
        if finding.severity != "REPORT" and (reason := said.get(finding.code.removeprefix("test_"))):
            lines.append(f"         Why: {reason}.")
        if finding.fix:
            lines.append(f"         {finding.fix}")
    return "\n".join(lines)


def _details(report: "LintReport") -> list[str]:
    """Lay out the worst rows, the masked personal data and the file's hash: only whoever gave the file sees this."""
    worst = "; ".join(f"{report.counts} {line:,} ({', '.join(codes)})" for line, codes in report.worst)
    said = [f"  Worst rows: {worst}."] if worst else []
    for seen in report.previews[:_SHOWN]:
        said.append(f"  Personal data, masked: {report.counts} {seen.line} {seen.kind} {seen.masked}")
    return [*said, f"  SHA-256 of the file: {report.sha256}"] if report.sha256 else said


def _told(mended: "Mended | None", not_mended: UserError | None, target: str) -> list[str]:
    """Say what was mended, or why nothing was."""
    if not_mended is not None:
        return [f"Not mended: {not_mended.what} {not_mended.next_step}"]
    if mended is None:
        return []
    left = f"; {mended.left:,} left as they were" if mended.left else ""
    return [f"Wrote {mended.path}: {mended.rows:,} lines{left}.", *_sentences(mended, target)]


def _sentences(mended: "Mended", target: str) -> list[str]:
    return [f"  {said}" for said in mended.sentences(marked=target == "azure")]


def _mended_json(mended: "Mended | None", not_mended: UserError | None) -> dict[str, object]:
    if not_mended is not None:
        return {"fixed": None, "not_fixed": {"error": not_mended.what, "next_step": not_mended.next_step}}
    return {"fixed": mended.to_json()} if mended else {}


def _mend(file: Path, target: str) -> "tuple[Mended | None, UserError | None]":
    """Mend a file in a copy, or return why that can't be: then the file itself is judged."""
    from trainers.data.limits import target_limits
    from trainers.data.mending import mend, mended_name

    out = mended_name(file)
    if out.exists():
        raise UserError(f"There is a file at {out} already.", f"Check it: luthier lint {out}. Or move it away first.")
    try:
        return mend(file, marked=target_limits(target).byte_order_mark), None
    except UserError as error:
        return None, error


def _refuse_usage(
    file: Path, test: Path | None, style: Path | None, model: Path | None, target: str, form: str
) -> None:
    """Refuse what can be no call: missing files, unknown names; raises typer.Exit or UserError."""
    from trainers.data.limits import target_limits

    for path in (file, test, style):
        if path is not None and not path.is_file():
            raise fail_usage(f"There is no file {path}.")
    if model is not None and not model.is_dir():
        raise fail_usage(f"There is no folder {model}.")
    if form and form not in FORMATS.split(", "):
        raise fail_usage(f"I don't know the format {form[:40]!r}. Use one of: {FORMATS}.")
    target_limits(target)


def count_for(target: str, model: Path | None) -> "CountRow":
    """Return what counts a target's tokens here."""
    from bot.settings import Settings
    from bot.token_counter import counter_for

    return counter_for(target, Settings.from_env(), model)


def _samples(style: Path | None) -> list[str]:
    if style is None:
        return []
    try:
        text = style.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"I can't read {style} as UTF-8 text.", "Save it as UTF-8 and try again.") from error
    return [part.strip() for part in text.split("\n\n") if part.strip()]
