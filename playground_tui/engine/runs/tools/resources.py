"""What a run's own tools work with: the vector stores of its thread and its assistant, and the files of the sandbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.runs.tools.citations import Sources
from playground_tui.engine.runs.tools.offer import NAMES_TOLD, Kind
from playground_tui.engine.store import assistants, threads, tool_files
from playground_tui.engine.tools.base import Mounted

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resources:
    """The vector stores that are searched, the files that code finds, and the names that the model is told."""

    vector_store_ids: tuple[str, ...] = ()
    mounted: tuple[Mounted, ...] = ()
    names: Mapping[Kind, list[str]] = field(default_factory=dict)
    file_ids: tuple[str, ...] = ()
    """The files of code_interpreter as they are given."""
    here: tuple[str, ...] = ()
    """Which of all these ids are this engine's."""


def resources(c: Connection, run: Json, steps: Iterable[Json]) -> Resources:
    """The resources of a run; `steps` are the tool_calls steps of its thread."""
    owners = [assistants.get(c, run["assistant_id"]), threads.get(c, run["thread_id"])]
    stores = _ids(owners, "file_search", "vector_store_ids")
    made = tool_files.names(c, list(_made(steps).values()))
    file_ids = _ids(owners, "code_interpreter", "file_ids")
    given = tool_files.names(c, file_ids)
    mounted = _mounted(given, {path: file_id for path, file_id in _made(steps).items() if file_id in made})
    searched = tool_files.searchable(c, stores, limit=NAMES_TOLD) if stores else []
    names: dict[Kind, list[str]] = {"file_search": searched, "code_interpreter": [one.name for one in mounted]}
    here = tool_files.kept_here(c, [*stores, *file_ids])
    return Resources(tuple(stores), tuple(mounted), names, tuple(file_ids), tuple(here))


def sources(steps: Iterable[Json]) -> Sources:
    """What an answer may cite: all that was found and made in its thread so far."""
    found: dict[tuple[int, int], str] = {}
    named: dict[str, str] = {}
    for call in calls_of(steps):
        if call["type"] == "file_search" and "_number" in call:
            for place, result in enumerate(call["file_search"]["results"]):
                found[call["_number"], place] = named[result["file_name"]] = result["file_id"]
    return Sources(found, named, _made(steps))


def calls_of(steps: Iterable[Json]) -> Iterator[Json]:
    """All calls of these steps."""
    for step in steps:
        yield from step["step_details"].get("tool_calls", ())


def _ids(owners: Iterable[Json | None], tool: str, key: str) -> list[str]:
    kept = ((owner or {}).get("tool_resources") or {} for owner in owners)
    return list(dict.fromkeys(one for resource in kept for one in (resource.get(tool) or {}).get(key) or ()))


def _made(steps: Iterable[Json]) -> dict[str, str]:
    """The files that code made in a thread, the newest of each path."""
    return {made["path"]: made["file_id"] for call in calls_of(steps) for made in call.get("_files", ())}


def _mounted(given: Mapping[str, str], made: Mapping[str, str]) -> list[Mounted]:
    """Each file under a name of its own; what code made of a given file stands in its place."""
    places: dict[str, str] = {}
    for file_id, filename in given.items():
        places[_free(PurePosixPath(filename).name or file_id, places)] = file_id
    return [Mounted(file_id, name) for name, file_id in {**places, **made}.items()]


def _free(name: str, taken: Mapping[str, str]) -> str:
    path, number = PurePosixPath(name), 2
    while name in taken:
        name = f"{path.stem}-{number}{path.suffix}"
        number += 1
    return name
