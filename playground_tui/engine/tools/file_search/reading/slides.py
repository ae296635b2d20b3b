"""The text of presentations."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from playground_tui.engine.tools.file_search.reading.office import (
    Package,
    attribute,
    below,
    named,
    text_of_paragraph,
    texts,
)

_TITLES = frozenset({"title", "ctrTitle"})


def pptx_text(package: Package) -> str:
    """The slides in the order in which they are shown: the title as a heading, what is on the slide, and its notes."""
    main, names = package.part(package.main), package.related(package.main, "slide")
    if main is None:
        return ""
    # The number of a slide and the id of the reference to it have the same name, in two namespaces.
    shown = [names[key] for one in below(main, "sldId") for key in one.attrib.values() if key in names]
    return "\n\n".join("\n".join(_slide(package, name)) for name in shown)


def _slide(package: Package, name: str) -> Iterator[str]:
    slide = package.part(name)
    for shape in () if slide is None else below(slide, "sp", "cxnSp", "graphicFrame"):
        yield from _shape(package, name, shape)
    for notes in package.parts(name, "notesSlide"):
        said = [text for shape in below(notes, "sp") if _place(shape) == "body" for text in texts(shape)]
        if said:
            yield "Notes: " + "\n".join(said)


def _shape(package: Package, name: str, shape: Element) -> Iterator[str]:
    if named(shape) == "graphicFrame":
        yield from _rows(shape)
        yield from filter(None, (package.drawn(name, one) for one in below(shape, "chart", "relIds")))
    elif _place(shape) in _TITLES:
        title = " ".join(texts(shape))
        yield from [f"# {title}"] if title else []
    else:
        yield from texts(shape)


def _rows(frame: Element) -> Iterator[str]:
    for row in below(frame, "tr"):
        yield " | ".join(" ".join(map(text_of_paragraph, below(cell, "p"))).strip() for cell in below(row, "tc"))


def _place(shape: Element) -> str:
    """Which of the layout's places a shape fills: "title", "body", ...; "" for none."""
    return next((attribute(place, "type") for place in below(shape, "ph")), "")
