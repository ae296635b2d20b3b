"""What kind of file it is, by what is in it and then by its name, and its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath

from playground_tui.engine.tools.file_search.reading.html import html_text
from playground_tui.engine.tools.file_search.reading.office import Package, named
from playground_tui.engine.tools.file_search.reading.pdf import pdf_text
from playground_tui.engine.tools.file_search.reading.refusal import Unreadable
from playground_tui.engine.tools.file_search.reading.slides import pptx_text
from playground_tui.engine.tools.file_search.reading.texts import (
    decoded,
    json_lines_text,
    json_text,
    table_text,
    without_controls,
)
from playground_tui.engine.tools.file_search.reading.word import docx_text
from playground_tui.engine.tools.file_search.reading.word97 import OTHER, doc_text

_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,500}?-->\s*)*<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL
)
_PDF_HEAD = 1024
"""Bytes in which a PDF says that it is one. Source: ISO 32000-1, annex H.3.4.1."""
_TEXTS: dict[str, Callable[[str], str]] = {
    ".json": json_text,
    ".ipynb": json_text,
    ".jsonl": json_lines_text,
    ".ndjson": json_lines_text,
    ".csv": table_text,
    ".tsv": table_text,
}
_WITH_HEADINGS = frozenset({".md", ".markdown", ".mdx", ".rmd", ".qmd", ".html", ".htm", ".xhtml", ".docx"})
_READERS = {"document": docx_text, "presentation": pptx_text}
_EMPTY, _NO_TEXT = "The file is empty.", "No text was found in the file."


def text_of(content: bytes, filename: str) -> tuple[str, bool]:
    """The text of the file, and whether lines in it that begin with "#" are headings. Raises Unreadable for a file of
    no known kind or without text; a damaged file raises whatever the library that reads it does."""
    suffix = PurePath(filename).suffix.lower()
    text, headings = _read(content, suffix)
    # Halves of characters and control characters come out of PDF and JSON, and have no place in a text.
    text = without_controls(text.encode("utf-8", "replace").decode())
    if not text.strip():
        raise Unreadable("invalid_file", _NO_TEXT if content.strip() else _EMPTY)
    return text, headings or suffix in _WITH_HEADINGS


def _read(content: bytes, suffix: str) -> tuple[str, bool]:
    if b"%PDF-" in content[:_PDF_HEAD]:
        return pdf_text(content), False
    if content.startswith(b"PK\x03\x04"):
        return _archive(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return doc_text(content), False
    if suffix in {".html", ".htm", ".xhtml"} or _PAGE.match(content):
        return html_text(content), True
    return _TEXTS.get(suffix, str)(decoded(content)), False


def _archive(content: bytes) -> tuple[str, bool]:
    package = Package(content)
    root = package.part(package.main)
    if root is not None and (read := _READERS.get(named(root))):
        return read(package), True
    if package.part("[Content_Types].xml") is not None:
        raise Unreadable("unsupported_file", OTHER)
    raise Unreadable("unsupported_file", "The file is an archive: upload what is in it, file by file.")
