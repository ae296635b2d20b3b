"""A clock that is moved by hand and a server in memory, for what saves by itself."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Editor
from playground_tui.assistants.errors import AssistantsError, NotFound
from playground_tui.assistants.objects import Assistant


class Timer:
    def __init__(self, at: float, callback: Callable[[], object]) -> None:
        self.at, self.callback, self.cancelled = at, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Seconds pass in `pass_time` alone; what is due runs on the way."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self._count = itertools.count()
        self._due: list[tuple[float, int, Timer]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        timer = Timer(self.now + delay, callback)
        heapq.heappush(self._due, (timer.at, next(self._count), timer))
        return timer

    @property
    def waiting(self) -> list[float]:
        """Seconds from now to each timer."""
        return sorted(timer.at - self.now for _, _, timer in self._due if not timer.cancelled)

    async def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, timer = heapq.heappop(self._due)
            self.now = max(self.now, at)
            if not timer.cancelled:
                timer.callback()
            await turns()
        self.now = end
        await turns()


async def turns() -> None:
    """Let every task that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


class Server:
    """Assistants in memory. `fail` holds errors for the next requests; while `gate` is set, updates wait for it."""

    def __init__(self, **fields: Any) -> None:
        self.assistants: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.fail: list[AssistantsError] = []
        self.gate: asyncio.Event | None = None
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda raw: raw
        if fields:
            self.assistants["asst_1"] = {"id": "asst_1", "object": "assistant", **fields}

    @property
    def raw(self) -> dict[str, Any]:
        return self.assistants["asst_1"]

    @property
    def updates(self) -> list[dict[str, Any]]:
        return [fields for kind, fields in self.requests if kind == "update"]

    async def retrieve_assistant(self, assistant_id: str) -> Assistant:
        self._request("retrieve", {})
        return Assistant.from_json(dict(self._find(assistant_id)))

    async def create_assistant(self, fields: Mapping[str, Any], *, key: str) -> Assistant:
        self._request("create", {**fields})
        await self._wait()
        made = f"asst_{len(self.assistants) + 1}"
        self.assistants[made] = {"id": made, "object": "assistant", "tools": [], "metadata": {}, **fields}
        return Assistant.from_json(self.answer(dict(self.assistants[made])))

    async def update_assistant(self, assistant_id: str, fields: Mapping[str, Any]) -> Assistant:
        self._request("update", {**fields})
        await self._wait()
        self._find(assistant_id).update(fields)
        return Assistant.from_json(self.answer(dict(self._find(assistant_id))))

    async def _wait(self) -> None:
        if self.gate is not None:
            await self.gate.wait()

    def _request(self, kind: str, fields: dict[str, Any]) -> None:
        self.requests.append((kind, fields))
        if self.fail:
            raise self.fail.pop(0)

    def _find(self, assistant_id: str) -> dict[str, Any]:
        if assistant_id not in self.assistants:
            raise NotFound(f"No assistant found with id '{assistant_id}'.", status=404)
        return self.assistants[assistant_id]


class Editing:
    """An editor on a server, typed into as the form does: always on the newest draft it was shown."""

    def __init__(self, server: Server, draft: AssistantDraft) -> None:
        self.server, self.clock = server, Clock()
        self.said: list[str] = []
        self.editor = Editor(server, draft, on_change=self.heard, now=self.clock.time, timers=self.clock)

    def heard(self, editor: Editor) -> None:
        sentence = editor.state.sentence(self.clock.now).split("  ")[0]
        if sentence not in self.said[-1:]:
            self.said.append(sentence)

    def type(self, **values: Any) -> None:
        self.editor.edit(self.editor.draft.with_(**values))

    @property
    def kind(self) -> str:
        return self.editor.state.kind


def opened(**fields: Any) -> Editing:
    server = Server(**{"name": "Helper", "model": "m", **fields})
    return Editing(server, AssistantDraft(dict(server.raw)))


def new() -> Editing:
    return Editing(Server(), AssistantDraft.new(model="m"))
