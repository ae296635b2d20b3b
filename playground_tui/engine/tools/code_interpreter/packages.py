"""The packages that code finds in its sandbox: those of the extra `code` and what they need, nothing else of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

PACKAGES = ("numpy", "pandas", "matplotlib")

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r";.*\bextra\b")


def package_places() -> list[Path]:
    """The directories and files that make up these packages, as far as they are installed."""
    return [place for known in _installed(PACKAGES).values() for place in _places(known)]


def _installed(names: tuple[str, ...]) -> dict[str, Distribution]:
    """The distributions of these names and all that they require, by name."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # not installed, or not needed on this platform
            continue
        waiting += _required(found[name])
    return found


def _required(known: Distribution) -> Iterator[str]:
    for requirement in known.requires or ():
        name = _NAME.match(requirement)
        if name and not _EXTRA.search(requirement):
            yield name.group()


def _places(known: Distribution) -> Iterator[Path]:
    record = known.read_text("RECORD") or ""
    tops = {line.split("/", 1)[0].split(",", 1)[0] for line in record.splitlines()}
    for top in sorted(tops - {"..", "", "__pycache__"}):
        place = Path(str(known.locate_file(top)))
        if place.exists():
            yield place
