"""The text of web pages: headings and lists as in Markdown, a line for each row of a table."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser

from playground_tui.engine.tools.file_search.reading.texts import decoded

_UNSEEN = frozenset({"script", "style", "noscript", "template", "svg"})
_BLOCK_NAMES = """address article aside blockquote body dd details dialog div dl dt fieldset figcaption figure footer
form h1 h2 h3 h4 h5 h6 head header hr main nav ol p pre section summary table title ul"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_WITHIN = {"br": "\n", "tr": "\n", "li": "\n- ", "td": " | ", "th": " | "}
_SPACES = re.compile(r"\s+")
_AROUND_BREAK = re.compile(r"[^\S\n]*\n")
_GAPS = re.compile(r"\n{3,}")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_HEAD = 2048
"""Bytes in which a page names its encoding. Source: the HTML standard, "prescan a byte stream"."""


def html_text(content: bytes) -> str:
    """What a reader of the page sees, its title first."""
    page = _Page()
    page.feed(_decoded(content))
    page.close()
    return _GAPS.sub("\n\n", _AROUND_BREAK.sub("\n", "".join(page.pieces))).strip()


def _decoded(content: bytes) -> str:
    named = _CHARSET.search(content[:_HEAD])
    if named and not content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode(named[1].decode("ascii"), "replace")
        except (LookupError, UnicodeError):
            return decoded(content)
    return decoded(content)


class _Page(HTMLParser):
    """Collects the text in the order of the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0
        self._kept = 0
        """How many elements are open whose text is not shown, and whose white space is kept."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        self._kept += tag == "pre"
        if tag in _HEADINGS:
            self.pieces.append(f"\n\n{'#' * int(tag[1])} ")
        elif tag in _BLOCKS:
            self.pieces.append("\n\n")
        else:
            self.pieces.append(_WITHIN.get(tag, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN and tag != "pre":
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        if tag == "pre":
            self._kept = max(self._kept - 1, 0)
        if tag in _BLOCKS:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data if self._kept else _SPACES.sub(" ", data))
