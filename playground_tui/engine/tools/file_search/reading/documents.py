"""The text of PDF, Word and PowerPoint files. The libraries that read them are imported where they are used."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from playground_tui.engine.tools.file_search.reading.refusal import Unreadable

if TYPE_CHECKING:
    from pypdf import PdfReader

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[a-zà-ÿ])")
_BLANKS = re.compile(r"[^\S\n]+")
_HEADING_STYLE = re.compile(r"(?:Heading|heading|Title|Überschrift|Titre) ?(\d)?")
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")
_DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
LOCKED = "The PDF is protected by a password: save it without one and upload it again."
NO_TEXT = "No text was found in the file. A PDF of scanned pages needs text recognition (OCR) first."


def pdf_text(content: bytes) -> str:
    """The text of a PDF, its pages one below the other. Raises Unreadable, and whatever the library stumbles over."""
    from pypdf import PdfReader  # noqa: PLC0415 - slow to import
    from pypdf.errors import DependencyError, FileNotDecryptedError  # noqa: PLC0415

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("invalid_file", LOCKED)
        return "\n\n".join(_page_texts(reader))
    except (DependencyError, FileNotDecryptedError) as error:
        raise Unreadable("invalid_file", LOCKED) from error


def _page_texts(reader: PdfReader) -> Iterator[str]:
    for page in reader.pages:
        lines = (_BLANKS.sub(" ", line).strip() for line in page.extract_text().split("\n"))
        yield _HYPHEN.sub("", "\n".join(lines))


def docx_text(content: bytes) -> str:
    """The text of a Word document: headings as in Markdown, a line for each row of a table."""
    import docx  # noqa: PLC0415 - slow to import
    from docx.table import Table  # noqa: PLC0415

    document = docx.Document(io.BytesIO(content))
    blocks = document.iter_inner_content()
    return "\n\n".join(_table(block) if isinstance(block, Table) else _paragraph(block) for block in blocks)


def _paragraph(paragraph: Any) -> str:
    text = str(paragraph.text).strip()
    named = _HEADING_STYLE.match(paragraph.style.name or "") if paragraph.style is not None else None
    if not text or named is None:
        return text
    return f"{'#' * min(int(named[1] or 0) + 1, 6)} {text}"


def _table(table: Any) -> str:
    return "\n".join(_row(row) for row in table.rows)


def _row(row: Any) -> str:
    # A cell that spans several columns is told once for each of them.
    cells = dict.fromkeys(cell._tc for cell in row.cells)
    texts = ("".join(node.text or "" for node in cell.iter() if node.tag.endswith("}t")) for cell in cells)
    return " | ".join(text.strip() for text in texts)


def pptx_text(content: bytes) -> str:
    """The text of the slides of a presentation, in order."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        slides = {int(found[1]): name for name in archive.namelist() if (found := _SLIDE.fullmatch(name))}
        return "\n\n".join(_slide(archive.read(slides[number])) for number in sorted(slides))


def _slide(xml: bytes) -> str:
    root = ElementTree.fromstring(xml)  # noqa: S314 - in a process that may take only so much
    paragraphs = ("".join(node.text or "" for node in p.iter(f"{_DRAWN}t")) for p in root.iter(f"{_DRAWN}p"))
    return "\n".join(filter(None, paragraphs))
