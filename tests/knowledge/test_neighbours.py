"""Neighbours found together become one passage in answers."""

from datetime import date

from knowledge.citations import cite
from knowledge.index import Hit
from knowledge.neighbours import joined, placed
from knowledge.passages import guide_rows
from knowledge.places import GUIDE
from knowledge.sources import Page

SENTENCES = [f"Sentence {n} says that number {n} is kept in the {n}th drawer of the tall cabinet." for n in range(60)]
BODY = "## Drawers\n\n" + " ".join(SENTENCES) + "\n\n## Shelves\n\nShelves hold books."
PAGE = Page(slug="store", title="Store", updated=date(2026, 11, 1), body=BODY)
ROWS = sorted(guide_rows([PAGE], GUIDE).values(), key=lambda row: row.position)


def hit(position: int, score: float) -> Hit:
    return Hit(passage=ROWS[position], score=score, dense_rank=None, keyword_rank=None, cosine=None)


def test_neighbours_of_one_section_are_one_text_without_repeats() -> None:
    """Three pieces found out of order give the section as written, each sentence once, where the best one stood."""
    assert [row.heading for row in ROWS[:4]] == ["Drawers"] * 4
    found = joined([hit(1, 0.9), hit(5, 0.8), hit(0, 0.7), hit(2, 0.6)])
    assert [each.score for each in found] == [0.9, 0.8]
    text = found[0].passage.text
    assert text == " ".join(SENTENCES)[: len(text)]
    assert all(row.text in text for row in ROWS[:3])
    assert found[0].passage.id == ROWS[1].id


def test_others_stay_as_they_are() -> None:
    """Passages of other sections, or with a gap between them, are not joined, and nothing stored is changed."""
    last = ROWS[-1]
    hits = [hit(0, 0.9), hit(2, 0.8), hit(last.position, 0.7), hit(last.position - 1, 0.6)]
    assert last.heading == "Shelves"
    assert joined(hits) == tuple(hits)
    before = ROWS[0].text
    joined([hit(0, 0.9), hit(1, 0.8)])
    assert ROWS[0].text == before


def test_a_citation_leads_to_the_passage_that_says_it() -> None:
    """Of a joined passage, the piece that holds the quoted sentence is cited, whichever piece was found first."""
    hits = [hit(0, 0.9), hit(1, 0.8)]
    (both,) = joined(hits)
    later = next(said for said in SENTENCES if said in ROWS[1].text and said not in ROWS[0].text)
    assert placed(cite(both.passage, 1, later), hits).passage_id == ROWS[1].id
    assert placed(cite(both.passage, 1, SENTENCES[0]), hits).passage_id == ROWS[0].id
    assert placed(cite(both.passage, 1, "Nobody says this."), hits).passage_id == ROWS[0].id
