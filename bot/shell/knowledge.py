"""The commands about a team's own documents: `knowledge add | list | remove | search`; it finds and indexes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.terminal import JsonFlag, bar, fail_usage, say, show, show_json, table

if TYPE_CHECKING:
    from bot.working import Working
    from knowledge.index import Hit
    from knowledge.places import Place
    from knowledge.tables import DocumentRow

Collection = Annotated[str, typer.Option(help="Name of the collection: small letters, digits, - and _.")]
Within = Annotated[str, typer.Option(help="One collection, or `guide`; default all of them and the guide.")]
Workspace = Annotated[str, typer.Option(help="Whose documents: id of a Slack workspace; default this shell's own.")]

group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Your own documents, which answers cite beside the guide: add, list, remove, search.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="knowledge")


@group.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with all that is in them.")],
    collection: Collection = "documents",
    workspace: Workspace = "",
    as_json: JsonFlag = False,
) -> None:
    """Add documents and return when they can be searched; a file that is there already changes nothing.

    JSONL of {"id", "title", "text"} lines are passages that keep their ids. A file that cannot be read does not stop
    the others; exit 1 says that there was one.
    """
    from bot.shell.adding import add_files, files_in

    place = _place(workspace, collection)
    with _working() as at, bar("Reading") as update:
        by, files = _person().user_id, list(files_in(paths))
        done = add_files(at.deps.library, files, place, by=by, clock=at.deps.clock, update=update)
    show_json(done.as_json()) if as_json else show(done.read())
    raise typer.Exit(0 if done.whole else 1)


@group.command(name="list")
def list_documents(collection: Within = "", workspace: Workspace = "", as_json: JsonFlag = False) -> None:
    """List the documents that were added."""
    with _working(vectors=False) as at:
        rows = at.deps.library.documents(_workspace(workspace), collection or None)
    if as_json:
        show_json([_document_json(row) for row in rows])
    elif not rows:
        show("No documents yet. Add some: luthier knowledge add PATH")
    else:
        show(table(("Collection", "Document", "Passages", "Added", "State"), [_document_row(row) for row in rows]))


@group.command()
def remove(
    names: Annotated[list[str] | None, typer.Argument(help="Documents, named as `knowledge list` does.")] = None,
    collection: Collection = "documents",
    workspace: Workspace = "",
    everything: Annotated[bool, typer.Option("--all", help="Remove the whole collection.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove documents with everything that was made of them: passages, keywords, vectors."""
    if everything == bool(names):
        raise fail_usage("Name the documents to remove, or give --all for the whole collection.")
    place = _place(workspace, collection)
    with _working() as at:
        gone = _removed(at, place, names or [])
    show_json({"collection": collection, "removed": gone}) if as_json else show(f"{gone} removed from {collection}.")


@group.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")] = "",
    queries: Annotated[
        Path | None, typer.Option(help='Many at once: JSONL of {"id", "query"} lines; gives a JSON line for each.')
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many passages at most.")] = 10,
    collection: Within = "",
    workspace: Workspace = "",
    as_json: JsonFlag = False,
) -> None:
    """Find passages by words and meaning, best first, without writing an answer."""
    from bot.shell.searching import read_queries, search_all

    if query.strip() and queries is not None:
        raise fail_usage("Give a question or --queries FILE, not both.")
    if not query.strip() and queries is None:
        raise fail_usage('Ask something (luthier knowledge search "refunds"), or give --queries FILE.')
    whose = _workspace(workspace)
    asked = read_queries(queries) if queries else []
    with _working() as at:
        _ready(at, whose, collection)
        if queries:
            search_all(at.deps.index, asked, k, whose, collection or None)
            return
        found = at.deps.index.search(query, k, whose, collection or None)
    hits = [_hit_json(hit) for hit in found.hits]
    if as_json:
        show_json({"query": query, "passages": hits, "note": found.degraded})
    else:
        show("\n\n".join(_read_hit(hit) for hit in found.hits) or "Nothing found.")
        say(found.degraded) if found.degraded else None


def _ready(at: "Working", workspace: str, collection: str) -> None:
    """See to it that what is searched is there; raise UserError for a collection that is not."""
    from bot.shell.answers import build_index
    from knowledge.errors import UserError
    from knowledge.places import GUIDE

    rows = at.deps.library.documents(workspace)
    names = sorted({row.collection for row in rows})
    if collection in ("", GUIDE.collection):
        build_index(at.deps)
    elif collection not in names:
        raise UserError(f"There is no collection {collection!r}.", f"There is: {', '.join([*names, 'guide'])}.")
    if any(row.state == "adding" for row in rows if collection in ("", row.collection)):
        say("Some documents are not wholly indexed; `luthier index` does that.")


def _removed(at: "Working", place: "Place", names: Sequence[str]) -> int:
    for row in at.deps.library.documents(place.workspace, place.collection):
        if not names or row.name in names:
            at.deps.learning.unname(row)
    if not names:
        return at.deps.library.remove_all(place)
    for name in names:
        at.deps.library.remove(name, place)
    return len(names)


def _working(*, vectors: bool = True) -> Any:
    from bot.settings import Settings
    from bot.working import working

    return working(Settings.from_env(), say, vectors=vectors)


def _person() -> Any:
    from bot.wiring import shell_person

    return shell_person()


def _workspace(named: str) -> str:
    return named or str(_person().workspace_id)


def _place(workspace: str, collection: str) -> "Place":
    from knowledge.errors import UserError
    from knowledge.places import own_place

    try:
        return own_place(_workspace(workspace), collection)
    except UserError as refused:
        raise fail_usage(str(refused)) from refused


def _document_json(row: "DocumentRow") -> dict[str, Any]:
    fields = ("collection", "name", "title", "kind", "passages", "bytes", "sha256", "added_by", "added_at", "state")
    return {name: getattr(row, name) for name in fields} | {"notes": row.note.splitlines()}


def _document_row(row: "DocumentRow") -> tuple[str, ...]:
    added = f"{row.added_at:%Y-%m-%d}" if row.added_at else ""
    return row.collection, row.name, f"{row.passages:,}", f"{added} by {row.added_by}", row.state


def _hit_json(hit: "Hit") -> dict[str, Any]:
    passage = hit.passage
    return {
        "id": passage.ref,
        "score": round(hit.score, 6),
        "collection": passage.collection,
        "title": passage.title,
        "heading": passage.heading,
        "text": passage.text,
        "updated": str(passage.updated),
    }


def _read_hit(hit: "Hit") -> str:
    passage = hit.passage
    where = " > ".join(part for part in (passage.title, passage.heading) if part)
    text = " ".join(passage.text.split())
    return f"{passage.ref}  ({passage.collection})\n  {where}\n  {text[:300]}{'…' if len(text) > 300 else ''}"
