"""The paragraph styles of a Word document: which are headings, and which belong to lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from playground_tui.engine.tools.file_search.reading.office import attribute, child, named

_HEADING = re.compile(r"(?:heading|title)(?: ([1-9]))?", re.IGNORECASE)
_BODY_LEVEL = 9
_DEEPEST = 20
"""Styles that stand on each other, at most: some documents go round in a circle."""


class Styles:
    """What the styles say. Built-in ones have English names in documents of all languages."""

    def __init__(self, parts: Iterable[Element]):
        self._styles = {attribute(one, "styleId"): one for part in parts for one in part if named(one) == "style"}

    def heading(self, paragraph: Element) -> int | None:
        """The level of a heading: 0 is the title of the document; None for what is no heading."""
        for properties, name in self._along(paragraph):
            if level := attribute(child(properties, "outlineLvl"), "val"):
                return int(level) + 1 if level.isdigit() and int(level) < _BODY_LEVEL else None
            if found := _HEADING.fullmatch(name):
                return int(found[1] or 0)
        return None

    def list_place(self, paragraph: Element) -> tuple[str, int]:
        """The list that a paragraph is an item of, "" if of none, and its level from 0."""
        number = level = ""
        for properties, _ in self._along(paragraph):
            number = number or attribute(child(properties, "numPr", "numId"), "val")
            level = level or attribute(child(properties, "numPr", "ilvl"), "val")
        return number, int(level) if level.isdigit() else 0

    def _along(self, paragraph: Element) -> Iterator[tuple[Element | None, str]]:
        """The properties of a paragraph itself, then those of its style with the style's name, and so on."""
        own = child(paragraph, "pPr")
        yield own, ""
        key = attribute(child(own, "pStyle"), "val")
        for _ in range(_DEEPEST):
            style = self._styles.get(key)
            if style is None:
                return
            yield child(style, "pPr"), attribute(child(style, "name"), "val")
            key = attribute(child(style, "basedOn"), "val")
