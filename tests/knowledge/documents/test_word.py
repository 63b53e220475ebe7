"""DOCX: headings by style, lists, tables and links; zip bombs and damage."""

import io
import zipfile
from dataclasses import replace

import pytest

from knowledge.documents.drafts import Unreadable
from knowledge.documents.limits import shipped
from knowledge.documents.word import read_word
from tests.knowledge.documents.files import docx, paragraph, run, table, zipped

LIMITS = shipped()


def test_styles_become_markdown() -> None:
    """Headings (in a German Word too), lists, tables, code and links keep their form."""
    body = (
        paragraph("Tea manual", style="T")
        + paragraph("Boiling", style="berschrift2")
        + paragraph("Water first.")
        + paragraph("kettle", level=0)
        + paragraph("fill", level=1)
        + paragraph("cup", level=0)
        + table([["Tea", "°C"], ["green", "80"]])
        + paragraph("tea --hot", style="C")
        + f'<w:p><w:hyperlink r:id="web">{run("Kettle weekly")}</w:hyperlink></w:p>'
    )
    draft = read_word(docx(body, links={"web": "https://example.org/k"}), LIMITS)
    assert draft.body == (
        "# Tea manual\n\n## Boiling\n\nWater first.\n\n- kettle\n  1. fill\n- cup\n\n"
        "| Tea | °C |\n| --- | --- |\n| green | 80 |\n\n```\ntea --hot\n```\n\n[Kettle weekly](https://example.org/k)"
    )
    assert (draft.title, str(draft.updated)) == ("Tea manual", "2026-05-06")


def test_changes_that_were_made_count() -> None:
    """Inserted text and text in a form field is read, deleted text is not."""
    body = (
        f"<w:p>{run('You have ')}<w:del><w:r><w:delText>14</w:delText></w:r></w:del>"
        f"<w:ins>{run('30')}</w:ins>{run(' days.')}</w:p>"
        f"<w:sdt><w:sdtContent>{paragraph('Filled in.')}</w:sdtContent></w:sdt>"
    )
    assert read_word(docx(body), LIMITS).body == "You have 30 days.\n\nFilled in."


def test_a_zip_bomb_is_refused() -> None:
    """A part that unpacks to far more than it packs is never unpacked."""
    content = docx(paragraph("x"), parts={"word/media/a.xml": "0" * 20_000_000})
    assert len(content) < 50_000
    with pytest.raises(Unreadable, match="would unpack to 19 MiB") as caught:
        read_word(content, LIMITS)
    assert caught.value.next_step
    with pytest.raises(Unreadable, match="would unpack"):
        read_word(docx(paragraph("x"), parts={f"word/{n}.xml": "" for n in range(20)}), replace(LIMITS, entries=20))


def test_a_part_that_lies_about_its_size_is_not_unpacked_further() -> None:
    """The directory says 10 bytes where a gibibyte would come: it reads as damage, not as a gibibyte."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("docProps/core.xml", b"0" * 1_000_000)
    lying = out.getvalue().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(Unreadable, match="damaged"):
        read_word(lying, LIMITS)


@pytest.mark.parametrize(
    "content",
    [
        docx(paragraph("Hot."))[:-200],
        docx("<w:p><w:r>"),
        zipped({"word/document.xml": "<a/>"}),
        docx("<w:sdt><w:sdtContent>" * 5_000 + "</w:sdtContent></w:sdt>" * 5_000),
    ],
    ids=["cut off", "broken XML", "parts missing", "nested too deep"],
)
def test_damage_is_named(content: bytes) -> None:
    """However a file is broken, the reason is the same and says what to do."""
    with pytest.raises(Unreadable, match=r"is a damaged DOCX\.") as caught:
        read_word(content, LIMITS)
    assert caught.value.next_step
