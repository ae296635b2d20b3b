"""The text of PDF files. The library that reads them is imported where it is used."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from playground_tui.engine.tools.file_search.reading.refusal import Unreadable

if TYPE_CHECKING:
    from pypdf import PdfReader

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[a-zß-öø-ÿа-яё])")
_BLANKS = re.compile(r"[^\S\n]+")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
LOCKED = "The PDF is protected by a password: save it without one and upload it again."
SCANNED = "No text was found in the PDF. One of scanned pages needs text recognition (OCR) first."


def pdf_text(content: bytes) -> str:
    """The text of a PDF, its pages one below the other, then what was filled into its form.

    Raises Unreadable, and whatever the library stumbles over.
    """
    from pypdf import PdfReader  # noqa: PLC0415 - slow to import
    from pypdf.errors import FileNotDecryptedError  # noqa: PLC0415

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("invalid_file", LOCKED)
        text = "\n\n".join([*_page_texts(reader), *_filled_in(reader)])
    except FileNotDecryptedError as error:
        raise Unreadable("invalid_file", LOCKED) from error
    if not text.strip():
        raise Unreadable("invalid_file", SCANNED)
    return text


def _page_texts(reader: PdfReader) -> Iterator[str]:
    for page in reader.pages:
        text = page.extract_text().translate(_LIGATURES)
        lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
        yield _HYPHEN.sub("", "\n".join(lines))


def _filled_in(reader: PdfReader) -> Iterator[str]:
    fields = reader.get_form_text_fields() or {}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    if lines:
        yield "\n".join(lines)
