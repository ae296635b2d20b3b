"""Bytes as text, and the kinds of text that are read in a way of their own."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from itertools import islice

from playground_tui.engine.tools.file_search.reading.refusal import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_HEAD = 4096
"""Characters or bytes by which a text is judged."""
_MANY = 0.02
"""The part of control characters above which something is no text."""
_LATIN = ("windows-1252", "windows-1250", "windows-1254", "windows-1257")
_OTHERS = (
    *("windows-1251", "windows-1253", "windows-1255", "windows-1256", "koi8-r", "iso8859-5", "iso8859-6", "ibm866"),
    *("cp874", "cp932", "euc-jp", "gb18030", "big5", "cp949"),
)
"""Encodings that texts still have; those of scripts other than the Latin one stand in the second."""
_JUDGED = 65_536
"""Bytes by which an encoding is guessed."""
_FOREIGN = 0.2
"""The part of its bytes beyond ASCII that a text of another script has at least."""
_FEW = 8
"""With fewer such bytes there is nothing to guess by: Windows-1252 is most likely."""
_SEPARATORS = ",;\t|"
_ROWS = 20
"""Rows by which a table is recognised."""


def decoded(content: bytes) -> str:
    """The text. A byte order mark tells its encoding; without one it is UTF-8, UTF-16 or one that is guessed, tried in
    this order. Raises Unreadable for what is no text."""
    text = _decoded(content)
    head = text[:_HEAD]
    if len(_CONTROL.findall(head)) > len(head) * _MANY:
        raise Unreadable("unsupported_file", "The file is not a text, a PDF, a Word document or a presentation.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def without_controls(text: str) -> str:
    """The text without control characters other than tabs and ends of lines."""
    return _CONTROL.sub("", text)


def _decoded(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if encoding := _wide(content[:_HEAD]):
        return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode(_guessed(content[:_JUDGED]), "replace")


def _guessed(head: bytes) -> str:
    """The most likely encoding of a text that is no Unicode."""
    import chardet  # noqa: PLC0415 - slow to import

    far = sum(byte > 127 for byte in head)
    if far < _FEW:
        return "cp1252"
    candidates = (*_LATIN, *_OTHERS) if far >= _FOREIGN * len(head) else _LATIN
    return chardet.detect(head, include_encodings=candidates)["encoding"] or "cp1252"


def _wide(head: bytes) -> str:
    """The name of the 16-bit encoding that Latin text without a byte order mark shows by its zeros, or ""."""
    half = len(head) // 2
    if not half:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.7 and odd < half * 0.1 else ""


def json_text(text: str) -> str:
    """JSON with a line for each value; as it is, if it cannot be read."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        return text


def json_lines_text(text: str) -> str:
    """JSON Lines with the characters that are written as `\\uXXXX`."""
    return "\n".join(_json_line(line) for line in text.splitlines())


def _json_line(line: str) -> str:
    try:
        return json.dumps(json.loads(line), ensure_ascii=False)
    except (ValueError, RecursionError):
        return line


def table_text(text: str) -> str:
    """A table of separated values with a line for each row, which names the columns; as it is, if it is none."""
    separator = _separator(text)
    if not separator:
        return text
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        names = [name.strip() for name in next(rows)]
        return "\n".join(_row(names, row) for row in rows if any(row))
    except csv.Error:
        return text


def _separator(text: str) -> str:
    """The character that cuts the first rows into equally many columns, the most of all; "" if there is none."""
    widths = {separator: _width(text, separator) for separator in _SEPARATORS}
    best = max(widths, key=lambda separator: widths[separator])
    return best if widths[best] > 1 else ""


def _width(text: str, separator: str) -> int:
    try:
        rows = [row for row in islice(csv.reader(io.StringIO(text), delimiter=separator), _ROWS) if row]
    except csv.Error:
        return 0
    widths = {len(row) for row in rows}
    return widths.pop() if len(widths) == 1 and len(rows) > 1 else 0


def _row(names: list[str], row: list[str]) -> str:
    cells = ((names[place] if place < len(names) else "", value.strip()) for place, value in enumerate(row))
    return "; ".join(f"{name}: {value}" if name else value for name, value in cells if value)
