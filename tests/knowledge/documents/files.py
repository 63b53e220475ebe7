"""Builds real PDF and DOCX files, so that each test shows what is in its file."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = (
    f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
    for key, name in (("T", "Title"), ("berschrift1", "heading 1"), ("berschrift2", "heading 2"), ("C", "Code"))
)
_NUMBERING = (
    '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
)


def pdf(pages: Sequence[Sequence[str]], *, picture: bool = False, title: str = "", broken: int = 0) -> bytes:
    """Return a PDF with these lines on each page; `picture` fills those without; page `broken` cannot be unpacked."""
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray /Length 1 >>"
    )
    objects = [b"", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]
    objects.append(image + b"\nstream\nx\nendstream")
    kids = []
    for number, lines in enumerate(pages, start=1):
        drawn = b"".join(f"({_told(line)}) Tj T*\n".encode("cp1252") for line in lines)
        content = b"BT /F1 10 Tf 12 TL 50 780 Td\n" + drawn + b"ET" if lines or not picture else b"/I Do"
        packed = b"/Filter /Nobody" if number == broken else b""
        objects.append(b"<< %b /Length %d >>\nstream\n%b\nendstream" % (packed, len(content), content))
        held = b"/XObject << /I 4 0 R >>" if picture and not lines else b""
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> %b >> >>" % (len(objects), held)
        )
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    listed = b" ".join(b"%d 0 R" % kid for kid in kids)
    objects[1] = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (listed, len(kids))
    objects.append(f"<< /Title ({_told(title)}) /ModDate (D:20260304101112Z) >>".encode("cp1252"))
    return _bound(objects)


def locked(content: bytes, password: str, *, algorithm: str = "AES-256") -> bytes:
    """Return the PDF encrypted; an empty password opens by itself but forbids changes."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt(password, owner_password="owner", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx(body: str, *, parts: Mapping[str, str] | None = None, links: Mapping[str, str] | None = None) -> bytes:
    """Return a DOCX with the given paragraphs and tables; `links` maps relationship ids to addresses."""
    related = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{"image" if key.startswith("image") else "hyperlink"}" '
        f'Target="{escape(address)}" TargetMode="External"/>'
        for key, address in (links or {}).items()
    )
    files = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _relations(f'<Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'),
        "word/_rels/document.xml.rels": _relations(
            f'<Relationship Id="s" Type="{_OFFICE}/styles" Target="styles.xml"/>'
            f'<Relationship Id="n" Type="{_OFFICE}/numbering" Target="numbering.xml"/>{related}'
        ),
        "word/document.xml": f'<w:document {_WORD} xmlns:r="{_OFFICE}"><w:body>{body}</w:body></w:document>',
        "word/styles.xml": f"<w:styles {_WORD}>{_STYLES}</w:styles>",
        "word/numbering.xml": f"<w:numbering {_WORD}>{_NUMBERING}</w:numbering>",
        "docProps/core.xml": '<c xmlns:dcterms="d"><dcterms:modified x="y">2026-05-06T07:08:09Z</dcterms:modified></c>',
        **(parts or {}),
    }
    return zipped(files)


def zipped(files: Mapping[str, str]) -> bytes:
    """Return a zip of the given files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def paragraph(text: str, *, style: str = "", level: int | None = None) -> str:
    """Return a paragraph; `level` makes it a list item."""
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    listed = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>' if level is not None else ""
    return f"<w:p><w:pPr>{styled}{listed}</w:pPr>{run(text)}</w:p>"


def run(text: str) -> str:
    """Return a run of text."""
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    cells = ["".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows]
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def _relations(inner: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _told(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _bound(objects: Sequence[bytes]) -> bytes:
    """Return the objects as a file with its table of places."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = []
    for number, held in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, held))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects)))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()
