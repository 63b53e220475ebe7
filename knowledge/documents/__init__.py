"""Turns files that people hand us into pages; the way in is `read_document`."""

from knowledge.documents.reading import Document, DocumentError, read_document

__all__ = ["Document", "DocumentError", "read_document"]
