"""Numbering the sources of one piece of advice; it knows guide pages and publications, not what is said about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.advice.rubric import Effect, Rubric


@dataclass(frozen=True, kw_only=True)
class Source:
    """One numbered source."""

    n: int
    title: str
    """Title of our guide page, or of the publication where no page covers it."""
    slug: str | None
    """The guide page."""
    url: str | None
    """Address of the publication behind it; None where none is known."""
    origin: str
    """Title of the publication that gives the reason."""


class Citations:
    """Hands out numbers from 1 in the order of first mention; the same page keeps its number."""

    def __init__(self, rubric: Rubric, before: Sequence[Source] = ()) -> None:
        """Start with the sources that have their number already, if any."""
        self._rubric = rubric
        keys = {reference.title: key for key, reference in rubric.sources.items()}
        self._sources = {source.slug or keys[source.origin]: source for source in before}

    @property
    def sources(self) -> tuple[Source, ...]:
        """Everything cited so far, by number."""
        return tuple(self._sources.values())

    def of(self, effect: Effect) -> int:
        """Give the number for the source of an effect."""
        return self.number(effect.guide, effect.source)

    def number(self, slug: str, key: str) -> int:
        """Give the number for a guide page, or for the publication `key` where the slug is empty."""
        reference = self._rubric.sources[key]
        source = self._sources.setdefault(
            slug or key,
            Source(
                n=len(self._sources) + 1,
                title=self._rubric.pages[slug] if slug else reference.title,
                slug=slug or None,
                url=reference.url or None,
                origin=reference.title,
            ),
        )
        return source.n
