"""Stand-ins for the engine's search and its sandbox: they give what the test wrote down, or wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playground_tui.engine.runs.tools.perform import OwnTools
from playground_tui.engine.tools.base import CannotRun, CodeResult, Found, Logs, Mounted, SearchRequest
from tests.support.scripted import ScriptedEngine

FILE_SEARCH = {"type": "file_search"}
CODE = {"type": "code_interpreter"}


def found(*names: str, text: str = "Text of {}.") -> list[Found]:
    """One piece of each of these files, `file-NAME`, the best first."""
    return [Found(f"file-{name}", name, 0.9 - place / 10, text.format(name), {}) for place, name in enumerate(names)]


@dataclass
class ScriptedSearch:
    """A search that finds one list after the other; without a script it finds nothing."""

    found: list[list[Found] | BaseException | asyncio.Event] = field(default_factory=list)
    settles: bool = True
    requests: list[SearchRequest] = field(default_factory=list)
    waited: list[tuple[Sequence[str], float]] = field(default_factory=list)

    async def search(self, request: SearchRequest) -> list[Found]:
        self.requests.append(request)
        result = self.found.pop(0) if self.found else []
        if isinstance(result, asyncio.Event):
            await result.wait()
            return []
        if isinstance(result, BaseException):
            raise result
        return result

    async def settled(self, vector_store_ids: Sequence[str], seconds: float) -> bool:
        self.waited.append((vector_store_ids, seconds))
        return self.settles

    def wake(self) -> None:
        """Nothing is indexed."""


@dataclass
class ScriptedInterpreter:
    """A sandbox that gives one result after the other; without a script it prints "ok"."""

    results: list[CodeResult | asyncio.Event] = field(default_factory=list)
    missing: str = ""
    ran: list[tuple[str, str, Sequence[Mounted]]] = field(default_factory=list)
    cancelled: int = 0

    async def problem(self) -> str:
        return self.missing

    async def run(self, thread_id: str, code: str, files: Sequence[Mounted]) -> CodeResult:
        self.ran.append((thread_id, code, files))
        result = self.results.pop(0) if self.results else CodeResult([Logs("ok")])
        if isinstance(result, CodeResult):
            return result
        try:
            await result.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise CannotRun("The sandbox is gone.")

    async def forget(self, thread_id: str) -> None:
        """Nothing is kept."""


@dataclass
class Tools:
    """What a scripted engine has been given."""

    search: ScriptedSearch = field(default_factory=ScriptedSearch)
    interpreter: ScriptedInterpreter = field(default_factory=ScriptedInterpreter)


def give_tools(scripted: ScriptedEngine) -> Tools:
    """Put stand-ins for both tools into an engine; files are really kept."""
    tools = Tools()
    scripted.engine.runs.tools = OwnTools(tools.search, tools.interpreter, scripted.engine.files)
    return tools


async def keep_file(scripted: ScriptedEngine, name: str, content: bytes = b"x", purpose: str = "assistants") -> str:
    """A file of the engine: its id."""
    file: dict[str, Any] = await scripted.engine.files.add(name, purpose, content)
    return str(file["id"])


async def give_resources(scripted: ScriptedEngine, kind: str, of_id: str, **resources: Any) -> None:
    """Set the tool resources of an assistant or a thread directly in the store."""
    from playground_tui.engine.store import assistants, threads

    changes = {"tool_resources": resources}
    if kind == "thread":
        await scripted.engine.database.write(lambda c: threads.update(c, of_id, changes))
    else:
        await scripted.engine.database.write(lambda c: assistants.update(c, of_id, changes, at=1))
