"""Documents made for tests, as the programs that people use would make them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence


def pdf(*pages: str) -> bytes:
    """A PDF with one line of text for each line of each page."""
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for place, page in enumerate(pages):
        objects += [_page(5 + 2 * place), _stream(page)]
    return _file(objects)


def _page(contents: int) -> bytes:
    resources = "/Resources << /Font << /F1 3 0 R >> >>"
    return f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources} /Contents {contents} 0 R >>".encode()


def _stream(page: str) -> bytes:
    escaped = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in page.split("\n"))
    shown = "\n".join(f"({line}) Tj 0 -14 Td" for line in escaped)
    body = f"BT /F1 12 Tf 50 800 Td {shown} ET".encode("cp1252")
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body)


def _file(objects: list[bytes]) -> bytes:
    written, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(written))
    return written + head + table + trailer


def locked_pdf(password: str, *, owner: str = "owner", algorithm: str = "RC4-128") -> bytes:
    """A PDF that opens with this password; with none, only changing it is forbidden."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(PdfReader(io.BytesIO(pdf("readable after all"))))
    writer.encrypt(password, owner, algorithm=algorithm)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def handbook() -> bytes:
    """A Word document with headings, paragraphs, a list and a table with a cell that spans both columns."""
    import docx

    document = docx.Document()
    document.add_heading("Handbook", 0)
    document.add_heading("Vacation", 1)
    document.add_paragraph("Everybody gets 28 days of vacation.")
    document.add_paragraph("Ask early.", style="List Bullet")
    table = document.add_table(2, 2)
    for place, text in enumerate(("City", "Rooms")):
        table.cell(0, place).text = text
    table.cell(1, 0).merge(table.cell(1, 1)).text = "Graz"
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


PARTS = "http://schemas.openxmlformats.org/package/2006/relationships"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def office(main: str, xml: str, related: Mapping[str, Sequence[tuple[str, str, str]]], **parts: str) -> bytes:
    """An Office document: its main part, and for each part that has some its references, as (id, kind, target)."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        made.writestr(main, xml)
        for name, content in parts.items():
            made.writestr(name, content)
        for name, references in {"": [("rId1", "officeDocument", f"/{main}")], **related}.items():
            folder, _, file = name.rpartition("/")
            listed = "".join(
                f'<Relationship Id="{key}" Type="{KINDS}/{kind}" Target="{target}"/>'
                for key, kind, target in references
            )
            place = f"{folder}/_rels/{file}.rels".lstrip("/")
            made.writestr(place, f'<Relationships xmlns="{PARTS}">{listed}</Relationships>')
    return written.getvalue()


def archive(**entries: bytes | str) -> bytes:
    """A ZIP archive; `__` in a name stands for a slash and `_xml` for its ending."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries.items():
            opened.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return written.getvalue()


def with_body(document: bytes, xml: bytes) -> bytes:
    """A Word document with this in place of its main part."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            made.writestr(name, xml if name == "word/document.xml" else source.read(name))
    return written.getvalue()
