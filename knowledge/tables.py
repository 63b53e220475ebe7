"""The tables of documents and their passages: the one place where texts are kept (Chroma has ids and numbers only)."""

from datetime import date, datetime
from typing import Literal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.clock import Moment

GUIDE_WORKSPACE = ""
"""Whose the shipped guide is: nobody's, so every workspace may read it."""

DocumentState = Literal["adding", "ready", "removing"]
"""adding: its passages are kept and not all indexed yet. ready: found by words and meaning. removing: its texts are
gone, and what was derived from them is going."""


class DocumentRow(SQLModel, table=True):
    """One document that a team added."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("workspace_id", "collection", "name"),
        CheckConstraint("state in ('adding', 'ready', 'removing')", name="document_state"),
    )

    id: str = Field(primary_key=True)
    """Random, so that it tells nothing where texts must not be."""
    workspace_id: str
    """Slack's team id, or that of the shell."""
    collection: str
    """Named set of documents within the workspace."""
    name: str
    """File name, with folders where a folder was added; the id while it is being removed."""
    title: str
    kind: str
    """How it was read: markdown, text, jsonl, …"""
    sha256: str
    """Of the file as given; the same file again changes nothing."""
    bytes: int = Field(sa_type=BigInteger)
    """Size of the file as given."""
    passages: int
    """Passages it was cut into; for JSONL those given, however long."""
    added_by: str
    """Slack's user id, or the account name in the shell."""
    added_at: datetime | None = Field(default=None, sa_type=Moment, nullable=False)
    """When this content was added."""
    state: str
    """See `DocumentState`."""
    note: str = ""
    """What could not be read, a sentence a line."""


class Passage(SQLModel, table=True):
    """One passage of one page, as found, quoted and cited."""

    __tablename__ = "passage"
    __table_args__ = (Index("passage_marks", "workspace_id", "collection", "embedder", "id", "content_hash"),)
    """Who has which passages, and which lack a vector, without reading a text: those of 200,000 are 400 MB."""

    id: str = Field(primary_key=True)
    """The guide's: `/guide/slug#heading-n`; others' see `knowledge.passages`. The key in both indexes too."""
    workspace_id: str = Field(default=GUIDE_WORKSPACE)
    """Slack's team id; empty for the guide."""
    collection: str = Field(default="guide")
    """Named set of documents within the workspace."""
    position: int
    """Place in reading order among the passages of the guide, or of its document."""
    slug: str
    """Page it comes from."""
    title: str
    """Title of that page."""
    heading: str
    """Headings above it, joined by " > "."""
    text: str
    """Markdown as written."""
    search_text: str
    """What is indexed: heading path and text; see `knowledge.chunks`."""
    questions: str
    """Questions that it answers, one a line."""
    updated: date
    """Day of the page's last change."""
    content_hash: str
    """SHA-256 of what is indexed or shown."""
    embedder: str
    """Name of the model whose vector the vector server holds; empty until it holds one of this text."""
    document_id: str = Field(default="", index=True)
    """Document it comes from; empty for the guide."""
    ref: str = ""
    """What it is called outside: the id given in a JSONL file (all its parts share it), else `name#heading-n`."""
