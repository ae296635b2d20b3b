"""The engine's own tools at work for a run: what they give becomes a stored call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.tools.resources import Resources
from playground_tui.engine.runs.tools.stored import SANDBOX
from playground_tui.engine.tools.base import (
    CannotRun,
    CodeInterpreter,
    CodeResult,
    FileSearch,
    Found,
    Logs,
    MadeFile,
    Picture,
    SearchRequest,
)

Json = Mapping[str, Any]

SETTLE_SECONDS = 60.0
"""A search waits at most so long for files that are being indexed."""
MOST_RESULTS = 20
PURPOSE = "assistants_output"

_UNSETTLED = "(Some files are still being indexed and were not searched.)"
_NO_QUERY = "(Nothing was searched for: give `queries`, a list of texts.)"
_NO_FILES = "(There are no files to search.)"

_log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Where files are kept."""

    async def add(self, filename: str, purpose: str, source: bytes) -> dict[str, Any]:
        """Keep a new file; its object. Raises OSError when its contents cannot be written."""
        ...

    def path(self, file_id: str) -> Path:
        """Where the contents of a stored file are."""
        ...


@dataclass(frozen=True, slots=True)
class OwnTools:
    """The tools that an engine brings."""

    search: FileSearch
    interpreter: CodeInterpreter
    files: Keeper

    async def perform(self, live: LiveRun, call: Json, resources: Resources, number: int) -> dict[str, Any]:
        """Carry a call out; the call with its output. `number` is that of a search.

        Raises Interrupted, and is cancelled with the round, where the run is to end.
        """
        if call["type"] == "file_search":
            return await self._search(live, call, resources, number)
        return await self._run(live, call, resources)

    async def _search(self, live: LiveRun, call: Json, resources: Resources, number: int) -> dict[str, Any]:
        queries, stores = call["file_search"]["queries"], resources.vector_store_ids
        request, note = _request(live.run, queries, stores), ""
        found: list[Found] = []
        if not queries or not stores:
            note = _NO_FILES if queries else _NO_QUERY
        else:
            live.park()
            settled = await self.search.settled(stores, SETTLE_SECONDS)
            found = await self.search.search(request)
            live.unpark()
            note = "" if settled else _UNSETTLED
        ranking = {"ranker": request.ranker, "score_threshold": request.score_threshold}
        results = {"ranking_options": ranking, "queries": queries, "results": list(map(_result, found))}
        return {**call, "file_search": results, "_number": number, "_note": note}

    async def _run(self, live: LiveRun, call: Json, resources: Resources) -> dict[str, Any]:
        code = call["code_interpreter"]["input"]
        live.park()
        try:
            result = await self.interpreter.run(live.run["thread_id"], code, resources.mounted)
        except CannotRun as error:
            result = CodeResult([Logs(str(error))])
        live.unpark()
        outputs = [await self._output(one, place) for place, one in enumerate(result.outputs, 1)]
        made = [await self._made(file) for file in result.files]
        outputs += [logs for logs in made if "logs" in logs]
        files = [file for file in made if "path" in file]
        return {**call, "code_interpreter": {"input": code, "outputs": outputs}, "_files": files}

    async def kept_output(self, output: str | bytes, place: int) -> dict[str, Any]:
        """What a step keeps of output `place` of code: logs, or a picture that becomes a file."""
        if isinstance(output, str):
            return _logs(output)
        kept = await self.keep(f"figure-{place}.png", output)
        return kept if "logs" in kept else {"type": "image", "image": kept}

    async def _output(self, output: Logs | Picture, place: int) -> dict[str, Any]:
        return await self.kept_output(output.text if isinstance(output, Logs) else output.png, place)

    async def _made(self, file: MadeFile) -> dict[str, Any]:
        path = file.path.removeprefix(SANDBOX)
        kept = await self.keep(PurePosixPath(path).name, file.content)
        return kept if "logs" in kept else {**kept, "path": path}

    async def keep(self, name: str, content: bytes) -> dict[str, Any]:
        """`{file_id}` of a new file, or logs that say why there is none."""
        try:
            file = await self.files.add(name, PURPOSE, content)
        except OSError as error:
            _log.error("A file that code made could not be kept: %s", error)
            return _logs(f"The file {name} could not be kept: {error.strerror or error}.")
        return {"file_id": file["id"]}


def _request(run: Json, queries: list[str], stores: tuple[str, ...]) -> SearchRequest:
    tool = next(tool for tool in run["tools"] if tool["type"] == "file_search")
    options = tool.get("file_search") or {}
    ranking = options.get("ranking_options") or {}
    return SearchRequest(
        queries,
        stores,
        limit=options.get("max_num_results") or MOST_RESULTS,
        ranker=ranking.get("ranker") or "auto",
        score_threshold=ranking.get("score_threshold") or 0.0,
    )


def _result(found: Found) -> dict[str, Any]:
    return {
        "file_id": found.file_id,
        "file_name": found.filename,
        "score": min(1.0, max(0.0, found.score)),
        "content": [{"type": "text", "text": found.text}],
    }


def _logs(text: str) -> dict[str, Any]:
    return {"type": "logs", "logs": text}
