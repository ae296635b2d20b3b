"""The SDK without the types that nobody uses: its import is most of what a start waits for.

`openai.types` and the packages below it import some thousand modules of types, of which the Assistants API needs a
tenth. Packages whose `__init__` does nothing but import names from their own modules are loaded so that each name is
imported when it is first asked for; all others are loaded as ever. Measured with openai 3.52: a third of the time and
of the memory.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_TYPES = "openai.types"

Exports = Mapping[str, tuple[str, str]]
"""The module and the name in it that each name of a package comes from."""


def load_types_when_asked() -> None:
    """From here on packages of the SDK's types load their modules when these are asked for. A second call is none."""
    if not any(isinstance(finder, _TypesFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TypesFinder())


class _TypesFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _TYPES and not fullname.startswith(f"{_TYPES}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.submodule_search_locations is None or not isinstance(spec.loader, InspectLoader):
            return spec
        names = exports(spec.loader.get_source(fullname) or "")
        if names:
            spec.loader = _Names(names)
        return spec


class _Names(Loader):
    """Makes a package that has its names as soon as they are asked for."""

    def __init__(self, names: Exports) -> None:
        self._names = names

    def exec_module(self, module: ModuleType) -> None:
        names = self._names

        def find(name: str) -> Any:
            if name not in names:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            place, original = names[name]
            value = getattr(import_module(f"{module.__name__}.{place}"), original)
            setattr(module, name, value)
            return value

        vars(module).update(__getattr__=find, __all__=list(names))


def exports(source: str) -> Exports:
    """What a package takes from its own modules, if it does nothing else; else nothing."""
    names: dict[str, tuple[str, str]] = {}
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.ImportFrom) or statement.module is None:
            return {}
        if statement.module == "__future__":
            continue
        if statement.level != 1:
            return {}
        names |= {alias.asname or alias.name: (statement.module, alias.name) for alias in statement.names}
    # A module of the same name as what is taken from it would stand in the name's place.
    return {} if any(name == place for name, (place, _) in names.items()) else names
