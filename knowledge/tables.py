"""The table of passages: the one place where their texts are kept (the vector server has ids and numbers only)."""

from datetime import date

from sqlmodel import Field, SQLModel

GUIDE_WORKSPACE = ""
"""Whose the shipped guide is: nobody's, so every workspace may read it."""


class Passage(SQLModel, table=True):
    """One passage of one page, as found, quoted and cited."""

    __tablename__ = "passage"

    id: str = Field(primary_key=True)
    """`workspace/collection/slug#heading-n`; the key in the vector and the keyword index too."""
    workspace_id: str = Field(default=GUIDE_WORKSPACE, index=True)
    """Slack's team id; empty for the guide."""
    collection: str = Field(default="guide", index=True)
    """Named set of documents within the workspace."""
    position: int
    """Place among all passages of its collection, in reading order."""
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
    """Name of the model whose vector the vector server holds."""
