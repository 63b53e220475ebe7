"""Knows how uploaded rows are kept, mended and drawn in a thread; it does not know forms, and trains nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import datasets as drawn
from handlers.blocks import lint as card
from handlers.blocks.parts import Block
from handlers.blocks.words import count
from handlers.deps import Deps
from handlers.errors import told
from handlers.escape import mrkdwn
from handlers.files import fetched
from handlers.once import Once
from handlers.people import person_of, place_of
from handlers.posting import begin_thread, post, whisper
from handlers.training import named_after, uploaded_by
from knowledge.conversations import Conversations, Thread
from knowledge.errors import LuthierError
from knowledge.tenancy import Person
from trainers.data import keeping
from trainers.data.grouping import group_fields
from trainers.data.limits import read_limits
from trainers.data.lint import LintReport
from trainers.data.source import Source
from trainers.data.store import Added
from trainers.data.versions import fixed, mended_copy, more_rows
from trainers.errors import DatasetRejected
from trainers.evals.row_charts import charts_of
from trainers.jobs.service import Place
from trainers.tables import Dataset

Json = Mapping[str, Any]
_clicks = Once()


def register(app: App, deps: Deps) -> None:
    """Listen for the buttons of a card of findings."""
    listeners: dict[str, Callable[..., None]] = {card.FIX: fix, card.CHARTS: charts, drawn.GROUP: regroup}
    for action_id, listener in listeners.items():
        app.action(action_id)(partial(listener, deps))


def keep_upload(
    client: WebClient,
    deps: Deps,
    person: Person,
    place: Place,
    rows: Json | None,
    test: Json | None,
    *,
    name: str = "",
    to: str = "",
) -> None:
    """Fetch, lint and keep uploaded rows, of their own or as more rows of a data set, and say so in a thread."""
    called = named_after(str((rows or {}).get("name") or ""))
    text = f"<@{person.user_id}> uploads rows: *{mrkdwn(name or called, 80)}*."
    channel, ts = begin_thread(client, place.channel, place.thread_ts, person.user_id, text)
    Conversations(deps.engine).join(Thread(person.workspace_id, channel, ts), "training", deps.clock())
    begun = Place(channel, ts, place.private)
    try:
        with ExitStack() as files:
            first = files.enter_context(fetched(client, str((rows or {})["id"]), deps))
            second = files.enter_context(fetched(client, str(test["id"]), deps)) if test else None
            told_of = uploaded_by(str((rows or {})["id"]), deps, person)
            tested = (second.path, second.name) if second else (None, "")
            given = (first.path, first.name)
            kept = keep_file(client, deps, person, begun, given, tested, name=name, to=to, provenance=told_of)
            if not (to or second) and kept.dataset.test_rows:
                _offer_groups(client, begun, kept.dataset, first.path, str((rows or {})["id"]))
    except LuthierError as error:
        post(client, channel, f"{told(error.what, error.next_step)} Nothing was kept.", thread_ts=ts)


def keep_file(
    client: WebClient | None,
    deps: Deps,
    person: Person,
    place: Place,
    rows: tuple[Path, str],
    test: tuple[Path | None, str] = (None, ""),
    *,
    provenance: str,
    name: str = "",
    to: str = "",
) -> Added:
    """Lint and keep a file that is here, and put its card into the thread, if there is one.

    Raises DatasetRejected where it is blocked, after its findings were shown.
    """
    path, file_name = rows
    now, others = deps.clock(), ""
    try:
        if to:
            old = keeping.seen(deps.datasets, person, to)
            grown = more_rows(
                deps.datasets, old, path, file_name=file_name, person=person, provenance=provenance, now=now
            )
            kept = Added(grown.dataset, grown.report)
            others = f"{count(grown.added, 'new row')}, {count(grown.repeated, 'row')} known already and left out."
        else:
            named = name or named_after(file_name)
            kept = deps.datasets.add(
                path, test[0], name=named, person=person, provenance=provenance, now=now, private=place.private,
                file_names=(file_name, test[1]),
            )  # fmt: skip
    except DatasetRejected:
        if client is not None:
            show(client, place, person, file_name, deps.datasets.judge(path, test[0]))
        raise
    if client is not None:
        show_kept(client, place, person, kept, others)
    return kept


def show_kept(client: WebClient, place: Place, person: Person, kept: Added, others: str = "") -> None:
    """Put the card of a version into its thread, with what can be done next."""
    dataset = kept.dataset
    name = f"{dataset.name} v{dataset.version}"
    blocks = card.lint_blocks(name, kept.report, buttons=buttons_of(dataset))
    seen = " Only you see it in lists." if dataset.private else ""
    noun = "pair" if dataset.pairs else "row"
    text = f"Kept as *{mrkdwn(name, 90)}*: {count(dataset.train_rows, noun)} to train on, "
    text += f"{count(dataset.test_rows, noun)} to test on. {others}{seen}"
    post(client, place.channel, text.strip(), thread_ts=place.thread_ts)
    post(client, place.channel, card.lint_text(name, kept.report), blocks, thread_ts=place.thread_ts)
    _preview(client, place, person, name, kept.report)


def buttons_of(dataset: Dataset) -> list[Block]:
    """Return what can be done with rows that are kept: train, add more, mend, draw."""
    value = f"dataset:{dataset.id}"
    return [*drawn.kept_buttons(dataset), card.fix_button(value), card.charts_button(value)]


def show(client: WebClient, place: Place, person: Person, name: str, report: LintReport, file_id: str = "") -> None:
    """Put the card of a file's findings into a thread; masked personal data goes to the person alone."""
    blocks = card.lint_blocks(name, report, file_id)
    post(client, place.channel, card.lint_text(name, report), blocks, thread_ts=place.thread_ts)
    _preview(client, place, person, name, report)


def fix(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Mend a file or a data set in a new version, and say what that was."""
    ack()
    person, place = person_of(context), place_of(body)
    if not _clicks.first(_click(body, action), deps.clock()):
        return
    kind, _, id_ = str(action["value"]).partition(":")
    if kind == "dataset":
        dataset, report, done = fixed(
            deps.datasets, keeping.seen(deps.datasets, person, id_), person=person, now=deps.clock()
        )
        _tell_mended(client, place, dataset.name, done.sentences(marked=False), done.left)
        if done.changes:
            show_kept(client, place, person, Added(dataset, report))
        return
    with fetched(client, id_, deps) as file:
        done = mended_copy(file.path)
        _tell_mended(client, place, file.name, done.sentences(marked=False), done.left)
        with _explained(client, place):
            said = f"{uploaded_by(id_, deps, person)}; mended"
            keep_file(client, deps, person, place, (done.path, file.name), provenance=said)


def regroup(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Hold the rows of a file out anew, by the field that was chosen, as the next version."""
    ack()
    person, place = person_of(context), place_of(body)
    name = str(action["selected_option"]["value"])
    if not _clicks.first(_click(body, {**action, "value": name}), deps.clock()):
        return
    _, id_, file_id = str(action["block_id"]).split("|")
    old = keeping.seen(deps.datasets, person, id_)
    with fetched(client, file_id, deps) as file:
        kept = deps.datasets.add(
            file.path, None, name=old.name, person=person, provenance=uploaded_by(file_id, deps, person),
            now=deps.clock(), private=old.private, file_names=(file.name, ""), group=name,
        )  # fmt: skip
    if kept.dataset.id == old.id:
        said = f"Rows of one *{mrkdwn(name, 60)}* are together in v{old.version} already."
        post(client, place.channel, said, thread_ts=place.thread_ts)
        return
    show_kept(client, place, person, kept, f"Rows of one *{mrkdwn(name, 60)}* are on one side.")


def _offer_groups(client: WebClient, place: Place, dataset: Dataset, path: Path, file_id: str) -> None:
    """Let whoever gave a file choose which rows belong together, where a field of it could say so."""
    fields = group_fields(Source(path, read_limits(), lists=True))
    blocks = drawn.group_menu(dataset, file_id, fields)
    if blocks:
        text = f"Which rows of *{mrkdwn(dataset.name, 80)}* belong together?"
        post(client, place.channel, text, blocks, thread_ts=place.thread_ts)


def charts(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Draw lengths, labels and repeats, and put them into the thread as files."""
    ack()
    person, place = person_of(context), place_of(body)
    if not _clicks.first(_click(body, action), deps.clock()):
        return
    kind, _, id_ = str(action["value"]).partition(":")
    if kind == "dataset":
        dataset = keeping.seen(deps.datasets, person, id_)
        _post_charts(client, deps, place, deps.datasets.folder / dataset.train_path, _titled(dataset))
        return
    with fetched(client, id_, deps) as file:
        _post_charts(client, deps, place, file.path, file.name)


def _post_charts(client: WebClient, deps: Deps, place: Place, path: Path, name: str) -> None:
    drawn_ = charts_of(path, deps.datasets.judge(path))
    uploads = [
        {"content": chart.png, "filename": f"{chart.name}.png", "title": chart.name.capitalize(), "alt_txt": chart.alt}
        for chart in drawn_
    ]
    if not uploads:
        post(client, place.channel, f"*{mrkdwn(name, 150)}* has no row to draw.", thread_ts=place.thread_ts)
        return
    client.files_upload_v2(channel=place.channel, thread_ts=place.thread_ts, file_uploads=uploads)


def _tell_mended(client: WebClient, place: Place, name: str, sentences: list[str], left: int) -> None:
    post(client, place.channel, card.mended_text(name, sentences, left), thread_ts=place.thread_ts)


@contextmanager
def _explained(client: WebClient, place: Place) -> Iterator[None]:
    """Say why rows were not kept; their findings are shown already."""
    try:
        yield
    except DatasetRejected:
        post(client, place.channel, "What is left blocks training, so nothing was kept.", thread_ts=place.thread_ts)


def _preview(client: WebClient, place: Place, person: Person, name: str, report: LintReport) -> None:
    if report.previews:
        whisper(client, place.channel, person.user_id, card.preview_text(name, report), thread_ts=place.thread_ts)


def _click(body: Json, action: Json) -> str:
    where = body.get("container", {})
    return f"{where.get('channel_id')}:{where.get('message_ts')}:{action['action_id']}:{action['value']}"


def _titled(dataset: Dataset) -> str:
    return f"{dataset.name} v{dataset.version}"
