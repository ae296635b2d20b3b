"""The text of Word documents: headings as in Markdown, lists with their numbers, a line for each row of a table.

Source: ECMA-376, part 1, chapter 17.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from playground_tui.engine.tools.file_search.reading.numbering import Numbering
from playground_tui.engine.tools.file_search.reading.office import Package, named
from playground_tui.engine.tools.file_search.reading.styles import Styles

_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNSEEN = frozenset({"pPr", "rPr", "del", "moveFrom", "Fallback"})
"""What is no text, what was taken out, and what is there a second time for older programs."""
_NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote"}
_LEVELS = 6


def docx_text(package: Package) -> str:
    """What a reader of the document sees: page headers first, page footers last, each of them once."""
    main = package.part(package.main)
    if main is None:
        return ""
    head, foot = ([_outside(package, kind)] for kind in ("header", "footer"))
    return "\n\n".join(filter(None, [*head, *_Document(package).blocks(main), *foot]))


def _outside(package: Package, kind: str) -> str:
    reader = _Document(package)
    return "\n".join(dict.fromkeys(text for part in package.parts(package.main, kind) for text in reader.blocks(part)))


class _Document:
    """Reads a document from its beginning to its end: numbers of lists go on from one to the next."""

    def __init__(self, package: Package):
        self._package = package
        self._styles = Styles(package.parts(package.main, "styles"))
        self._numbering = Numbering(package.parts(package.main, "numbering"))
        self._notes = {
            (named(note), key): note
            for kind in ("footnotes", "endnotes")
            for part in package.parts(package.main, kind)
            for note in part
            for key in note.attrib.values()
        }

    def blocks(self, parent: Element) -> Iterator[str]:
        """The paragraphs and tables in an element, however deep they are in others."""
        for element in parent:
            if named(element) == "p":
                yield from self._paragraph(element)
            elif named(element) == "tbl":
                yield "\n".join(self._rows(element))
            elif named(element) not in _UNSEEN:
                yield from self.blocks(element)

    def _paragraph(self, paragraph: Element) -> Iterator[str]:
        boxes: list[Element] = []
        text = "".join(self._pieces(paragraph, boxes)).strip()
        if text:
            yield self._begun(paragraph) + text
        for box in boxes:
            yield from self.blocks(box)

    def _begun(self, paragraph: Element) -> str:
        """What stands before a paragraph: the sign of a heading, the number of an item, or nothing."""
        level = self._styles.heading(paragraph)
        number = self._numbering.next(*self._styles.list_place(paragraph))
        sign = f"{'#' * min(level + 1, _LEVELS)} " if level is not None else ""
        return sign + (number if not sign or number != "- " else "")

    def _pieces(self, parent: Element, boxes: list[Element]) -> Iterator[str]:
        """The text in an element; text boxes that stand in it are put aside."""
        for element in parent:
            name = named(element)
            if name == "t":
                yield element.text or ""
            elif name in _SIGNS:
                yield _SIGNS[name]
            elif name in _NOTES:
                yield from self._note(_NOTES[name], element.attrib.values())
            elif name in {"chart", "relIds"}:
                yield f"\n{self._package.drawn(self._package.main, element)}"
            elif name == "txbxContent":
                boxes.append(element)
            elif name not in _UNSEEN:
                yield from self._pieces(element, boxes)

    def _note(self, kind: str, keys: Iterable[str]) -> Iterator[str]:
        """A note, at the place that refers to it."""
        found = [self._notes[kind, key] for key in keys if (kind, key) in self._notes]
        yield from (f" ({' '.join(' '.join(self.blocks(note)).split())})" for note in found)

    def _rows(self, table: Element) -> Iterator[str]:
        for row in _without_nested(table, "tr"):
            cells = (" ".join(" ".join(self.blocks(cell)).split()) for cell in _without_nested(row, "tc"))
            yield " | ".join(cells)


def _without_nested(parent: Element, name: str) -> Iterator[Element]:
    """The elements of this name below, but not those within them."""
    for element in parent:
        if named(element) == name:
            yield element
        elif named(element) not in _UNSEEN:
            yield from _without_nested(element, name)
