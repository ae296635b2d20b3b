"""Tools that the provider brings, inside a run: what they are given, and the steps and files that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.providers.base import Cited, HostedCode, HostedSearch, Usage
from playground_tui.engine.providers.hosted import hosted_tools
from playground_tui.engine.runs.answer import Answer
from playground_tui.engine.runs.calls import OpenCalls
from playground_tui.engine.runs.deltas import STEP_DELTA, step_delta
from playground_tui.engine.runs.endings import Event
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.states import COMPLETED, Ending, failed, step_ended, usage_object
from playground_tui.engine.runs.tools.perform import OwnTools
from playground_tui.engine.runs.tools.resources import Resources
from playground_tui.engine.runs.tools.stored import whole_delta
from playground_tui.engine.store import steps

Json = Mapping[str, Any]


def tools_there(run: Json, resources: Resources, provider: str) -> list[dict[str, Any]] | Ending:
    """The provider's tools as it takes them, or the end of a run whose files are here and not there."""
    if resources.here:
        return failed(
            "server_error",
            f"The tools of {provider} work with files and vector stores that {provider} keeps, and this engine keeps"
            f' {", ".join(resources.here)}: take tools = "provider" out of [providers.{provider}], or name its own.',
        )
    return hosted_tools(run["tools"], resources.vector_store_ids, resources.file_ids)


class HostedTools:
    """Keeps what the provider's tools do in one answer. `searches` is the number that its first search gets."""

    def __init__(self, live: LiveRun, answer: Answer, tools: OwnTools, searches: int) -> None:
        self._live = live
        self._answer = answer
        self._tools = tools
        self._searches = searches

    async def take(self, event: HostedSearch | HostedCode | Cited) -> None:
        """Store and send what was done: a step that is complete at once, or a note to the text."""
        match event:
            case HostedSearch():
                await self._step(self._search(event))
            case HostedCode():
                await self._step(await self._code(event))
            case Cited():
                await self._cite(event)

    def _search(self, event: HostedSearch) -> dict[str, Any]:
        number, self._searches = self._searches, self._searches + 1
        ranking = {"ranker": "auto", "score_threshold": 0.0}
        search = {"ranking_options": ranking, "queries": list(event.queries), "results": list(event.results)}
        return {"id": event.call_id, "type": "file_search", "file_search": search, "_number": number}

    async def _code(self, event: HostedCode) -> dict[str, Any]:
        outputs = [await self._tools.kept_output(output, place) for place, output in enumerate(event.outputs, 1)]
        pictures = [one["image"]["file_id"] for one in outputs if one["type"] == "image"]
        self._answer.bring(pictures)
        code = {"input": event.code, "outputs": outputs}
        return {"id": event.call_id, "type": "code_interpreter", "code_interpreter": code, "_files": []}

    async def _step(self, call: Json) -> None:
        live, said = self._live, await self._answer.take_message()
        begun = OpenCalls.new_step(live)
        delta = step_delta(begun["id"], {"index": 0, **whole_delta(call, content=live.with_content)})

        def write(c: Connection) -> list[Event]:
            steps.insert(c, begun)
            ended = self._answer.end_message(c, said, None)
            usage = usage_object(Usage(0, 0))  # a provider counts the tokens of an answer alone
            details = {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
            done = steps.update(c, begun["id"], {**details, **step_ended(COMPLETED, live.around.now(), usage)})
            return [
                *ended,
                ("thread.run.step.created", begun),
                ("thread.run.step.in_progress", begun),
                (STEP_DELTA, delta),
                ("thread.run.step.completed", done),
            ]

        await live.record(write)
        self._answer.note_stored()

    async def _cite(self, event: Cited) -> None:
        message = self._answer.message
        if message is None:
            return
        if not event.container:
            message.cite("file_citation", event.file_id, event.start, event.end)
        elif event.content is not None:
            kept = await self._tools.keep(event.filename, event.content)
            if "file_id" in kept:
                message.cite("file_path", kept["file_id"], event.start, event.end)
