"""The numbers of a Word document's lists, which are written nowhere in it: "2.", "(b)", "4.1"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from playground_tui.engine.tools.file_search.reading.office import attribute, child, named

_PLACE = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN_ONES = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
BULLET = "- "


class Numbering:
    """Counts the items of lists."""

    def __init__(self, parts: Iterable[Element]):
        self._kinds: dict[str, dict[int, Element]] = {}
        self._lists: dict[str, str] = {}
        self._counts: dict[str, list[int]] = {}
        for one in (one for part in parts for one in part):
            if named(one) == "abstractNum":
                levels = [level for level in one if named(level) == "lvl"]
                self._kinds[attribute(one, "abstractNumId")] = {
                    int(attribute(level, "ilvl") or 0): level for level in levels
                }
            elif named(one) == "num":
                self._lists[attribute(one, "numId")] = attribute(child(one, "abstractNumId"), "val")

    def next(self, number: str, level: int) -> str:
        """What stands before the next item of this list; "" if there is no such list."""
        kind = self._lists.get(number, "")
        if level not in self._kinds.get(kind, {}):
            return ""
        counts = self._counts.setdefault(kind, [])
        for deeper in range(len(counts), level + 1):
            counts.append(self._start(kind, deeper) - (deeper == level))
        counts[level] += 1
        del counts[level + 1 :]
        return self._shown(kind, level, counts)

    def _start(self, kind: str, level: int) -> int:
        value = attribute(child(self._kinds[kind].get(level), "start"), "val")
        return int(value) if value.isdigit() else 1

    def _shown(self, kind: str, level: int, counts: list[int]) -> str:
        levels = self._kinds[kind]
        form = attribute(child(levels[level], "numFmt"), "val")
        if form in {"bullet", "none"}:
            return BULLET if form == "bullet" else ""
        pattern = attribute(child(levels[level], "lvlText"), "val")

        def counted(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            return _figure(attribute(child(levels.get(at), "numFmt"), "val"), counts[at]) if at < len(counts) else ""

        return f"{_PLACE.sub(counted, pattern)} "


def _figure(form: str, count: int) -> str:
    match form:
        case "lowerLetter":
            return _letters(count)
        case "upperLetter":
            return _letters(count).upper()
        case "lowerRoman":
            return _roman(count)
        case "upperRoman":
            return _roman(count).upper()
        case _:
            return str(count)


def _letters(count: int) -> str:
    """a to z, then aa to zz."""
    place = count - 1
    return chr(ord("a") + place % 26) * (place // 26 + 1) if count > 0 else str(count)


def _roman(count: int) -> str:
    if not 0 < count < 4000:
        return str(count)
    letters = ""
    for value, sign in _ROMAN:
        letters += sign * (count // value)
        count %= value
    return letters + _ROMAN_ONES[count]
