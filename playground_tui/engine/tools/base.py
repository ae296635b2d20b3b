"""What the engine's own tools take and give: the one place where runs, files, search and the interpreter meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Attributes = Mapping[str, str | float | bool]
"""What a file of a vector store is filtered by."""


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of a file that a search found. `score` is from 0 to 1, the best first."""

    file_id: str
    filename: str
    score: float
    text: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What is searched for, and in which vector stores. Stores that are gone or expired have nothing to find.

    Queries are embedded by the models by which the files were.
    """

    queries: Sequence[str]
    vector_store_ids: Sequence[str]
    limit: int = 20
    """At most so many pieces, 1 to 50."""
    ranker: str = "auto"
    """Told again with what is found: there is one ranking."""
    score_threshold: float = 0.0
    filters: Mapping[str, Any] | None = None
    """A comparison or compound filter over attributes, as the contract writes them."""


class FileSearch(Protocol):
    """Search in vector stores."""

    async def search(self, request: SearchRequest) -> list[Found]:
        """The best pieces, best first."""
        ...

    async def settled(self, vector_store_ids: Sequence[str], seconds: float) -> bool:
        """Wait until no file of these stores is being indexed, at most so long; whether that came true."""
        ...

    def wake(self) -> None:
        """Files were added or taken out: bring the index up to date in the background."""
        ...


@dataclass(frozen=True, slots=True)
class Logs:
    """What the code printed, and its error if it failed."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure that the code made, as PNG."""

    png: bytes


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that the code wrote or changed in its directory. `path` is what the code calls it."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mounted:
    """A file of the store that the code finds in `/mnt/data`: by its name and, as with the hosted API, by its id."""

    file_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CodeResult:
    """What one piece of code did: logs and pictures in the order they came, then the files it made."""

    outputs: Sequence[Logs | Picture]
    files: Sequence[MadeFile] = ()


class CodeInterpreter(Protocol):
    """Python in a sandbox, one for each thread."""

    async def problem(self) -> str:
        """Why no code can be run here, as a sentence that says what to do; "" if it can."""
        ...

    async def run(self, thread_id: str, code: str, files: Sequence[Mounted]) -> CodeResult:
        """Run code in the thread's sandbox. Errors of the code, limits it hit and a sandbox that ended are said in
        its logs. Cancelling ends the code, not the sandbox. Raises CannotRun when there is no sandbox to be had."""
        ...

    async def forget(self, thread_id: str) -> None:
        """End the thread's sandbox."""
        ...


class CannotRun(Exception):
    """No code can be run. `str(error)` is the sentence that says why and what to do."""
