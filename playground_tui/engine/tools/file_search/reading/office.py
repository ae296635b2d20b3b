"""Office Open XML: the parts of a document, how they are related, and what charts and diagrams in it say.

Names are compared without their namespace: the strict form of the format has other namespaces, and the same names.
Source: ECMA-376, parts 1 and 2.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def named(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Element | None, name: str) -> str:
    """The attribute of this name, "" if there is none."""
    attributes = element.attrib.items() if element is not None else ()
    return next((value for key, value in attributes if key.rpartition("}")[2] == name), "")


def child(element: Element | None, *path: str) -> Element | None:
    """The first element below on this path."""
    for name in path:
        element = next((one for one in element if named(one) == name), None) if element is not None else None
    return element


def below(element: Element, *names: str) -> Iterator[Element]:
    """All elements of these names below, in order."""
    return (one for one in element.iter() if named(one) in names)


class Package:
    """An opened document. Raises zipfile.BadZipFile and ElementTree.ParseError over a damaged one."""

    def __init__(self, content: bytes):
        self._archive = zipfile.ZipFile(io.BytesIO(content))
        mains = self.related("", "officeDocument").values()
        self.main = next(iter(mains), "")
        """The name of the main part, "" if there is none."""

    def part(self, name: str) -> Element | None:
        """The part of this name, None if there is none."""
        with suppress(KeyError):
            return ElementTree.fromstring(self._archive.read(name))  # noqa: S314 - in a process that may take only so much
        return None

    def related(self, name: str, kind: str = "") -> dict[str, str]:
        """The names of the parts that a part refers to, by the id of the reference; of one kind, or all."""
        folder, file = posixpath.split(name)
        relations = self.part(posixpath.join(folder, "_rels", f"{file}.rels"))
        return {
            attribute(one, "Id"): posixpath.normpath(posixpath.join("/", folder, attribute(one, "Target"))).lstrip("/")
            for one in (relations if relations is not None else ())
            if attribute(one, "TargetMode") != "External"
            and attribute(one, "Type").endswith(f"/{kind}" if kind else "")
        }

    def parts(self, name: str, kind: str) -> Iterator[Element]:
        """The parts of this kind that a part refers to."""
        parts = map(self.part, self.related(name, kind).values())
        return (part for part in parts if part is not None)

    def drawn(self, name: str, element: Element) -> str:
        """The text of a chart or diagram that `element` of the part `name` shows."""
        key = attribute(element, "id") if named(element) == "chart" else attribute(element, "dm")
        part = self.part(self.related(name).get(key, ""))
        if part is None:
            return ""
        return _chart(part) if named(element) == "chart" else "\n".join(texts(part))


def texts(root: Element) -> Iterator[str]:
    """The paragraphs of text in a drawing."""
    return filter(None, map(text_of_paragraph, below(root, "p")))


def text_of_paragraph(paragraph: Element) -> str:
    """The text of a paragraph in a drawing, on one line."""
    pieces = (piece.text or "" if named(piece) == "t" else " " for piece in below(paragraph, "t", "br", "tab"))
    return "".join(pieces).strip()


def _chart(root: Element) -> str:
    """Its titles, and a line for each of its series."""
    return "\n".join([*texts(root), *(_series(series) for series in below(root, "ser"))])


def _series(series: Element) -> str:
    name, names, values = (
        [value.text or "" for one in series if named(one) in of for value in below(one, "v")]
        for of in (("tx",), ("cat", "xVal"), ("val", "yVal"))
    )
    points = [f"{names[place]} = {value}" if place < len(names) else value for place, value in enumerate(values)]
    return f"{' '.join(name) or 'Series'}: {'; '.join(points)}"
