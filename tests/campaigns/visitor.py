"""Somebody who uses everything an engine has, in random order, and remembers what the engine said was done."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx2

FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
RESTING = {"completed", "incomplete", "failed", "cancelled", "expired", "requires_action"}
"""The states that a run may be in when nobody works on it."""


@dataclass
class Told:
    """What an engine has acknowledged, by the path of each object. It must be so whatever happens to the engine."""

    fields: dict[str, dict[str, set[Any]]] = field(default_factory=dict)
    """The values a field may have: that of the last answer, and those of requests without an answer since."""
    gone: set[str] = field(default_factory=set)
    contents: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """What was streamed of each message."""
    runs: set[str] = field(default_factory=set)

    def made(self, path: str, **values: Any) -> None:
        self.fields.setdefault(path, {}).update({name: {value} for name, value in values.items()})

    def asked(self, path: str, name: str, value: Any) -> None:
        self.fields[path][name].add(value)

    def deleting(self, path: str) -> None:
        """From now on it may be there or not."""
        self.fields.pop(path, None)
        self.contents.pop(path, None)


def engine_client(socket: Path) -> httpx2.AsyncClient:
    """A client of an engine's socket for paths below `/v1`."""
    return httpx2.AsyncClient(
        transport=httpx2.AsyncHTTPTransport(uds=str(socket)), base_url="http://engine/v1", timeout=30
    )


class Visitor:
    """Does one thing after the other until the engine is gone."""

    def __init__(self, http: httpx2.AsyncClient, random: Random, told: Told):
        self._http = http
        self._random = random
        self._told = told
        self._files: list[str] = []
        self.done = 0

    async def live(self) -> None:
        """Returns when the engine does not answer any longer. AssertionError if it answers wrongly."""
        deeds = [self.talk, self.talk, self.edit, self.post, self.keep_file, self.upload, self.index, self.drop]
        try:
            while True:
                await self._random.choice(deeds)()
                self.done += 1
        except httpx2.TransportError:
            return

    async def talk(self) -> None:
        """A run of any kind: listened to, cancelled, left alone, or given what it waits for."""
        model = self._random.choice(["markdown", "markdown", "echo", "tools"])
        tools = self._random.choice([[], [FUNCTION], [{"type": "file_search"}], [{"type": "code_interpreter"}]])
        assistant = await self._post("/assistants", model=f"rehearsal/{model}", tools=tools)
        self._told.made(f"/assistants/{assistant['id']}", model=f"rehearsal/{model}")
        thread = await self._post("/threads", messages=[{"role": "user", "content": "What is there?"}])
        path = f"/threads/{thread['id']}"
        self._told.made(path, id=thread["id"])
        waiting = await self._listen(f"{path}/runs", assistant_id=assistant["id"])
        if waiting and self._random.random() < 0.7:
            calls = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
            outputs = [{"tool_call_id": call["id"], "output": "nothing"} for call in calls]
            await self._listen(f"{path}/runs/{waiting['id']}/submit_tool_outputs", tool_outputs=outputs)

    async def _listen(self, path: str, **body: Any) -> dict[str, Any] | None:
        """Follow a run's stream; the run if it waits for outputs and is to get them. Some are cancelled."""
        cancel_at = self._random.choice([None, None, None, 3, 10, 40])
        run: dict[str, Any] = {}
        count = 0
        async for name, data in self._events(path, body):
            count += 1
            self._note(name, data)
            run = data if data.get("object") == "thread.run" else run
            if count == cancel_at and run.get("status") in {"queued", "in_progress"}:
                await self._http.post(f"/threads/{run['thread_id']}/runs/{run['id']}/cancel")
        waits = run.get("status") == "requires_action" and (cancel_at is None or count < cancel_at)
        return run if waits else None

    async def _events(self, path: str, body: dict[str, Any]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        async with self._http.stream("POST", path, json={**body, "stream": True}) as response:
            assert response.status_code == 200, (path, (await response.aread()).decode())
            name = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: {"):
                    yield name, json.loads(line.removeprefix("data: "))

    def _note(self, name: str, data: dict[str, Any]) -> None:
        kind, _, state = name.rpartition(".")
        if kind == "thread.run":
            run = f"/threads/{data['thread_id']}/runs/{data['id']}"
            self._told.runs.add(run)
            self._told.made(run, id=data["id"])
            if state in RESTING - {"requires_action"}:
                self._told.made(run, status=data["status"])
        elif name == "thread.message.in_progress":
            self._message = f"/threads/{data['thread_id']}/messages/{data['id']}"
            self._told.made(self._message, id=data["id"])
            self._told.texts[self._message] = ""
        elif name == "thread.message.delta":
            for part in data["delta"]["content"]:
                self._told.texts[self._message] += part.get("text", {}).get("value") or ""
        elif kind == "thread.message" and state in {"completed", "incomplete"}:
            self._told.made(self._message, status=data["status"])

    async def edit(self) -> None:
        """A change of an assistant's name."""
        made = await self._post("/assistants", model="rehearsal/echo", name="0")
        path = f"/assistants/{made['id']}"
        self._told.made(path, name="0")
        for number in range(1, 4):
            self._told.asked(path, "name", str(number))
            await self._post(path, name=str(number))
            self._told.made(path, name=str(number))

    async def post(self) -> None:
        """Messages, one of which is deleted."""
        thread = (await self._post("/threads"))["id"]
        for number in range(3):
            message = await self._post(f"/threads/{thread}/messages", role="user", content=f"number {number}")
            path = f"/threads/{thread}/messages/{message['id']}"
            self._told.made(path, id=message["id"])
        await self._delete(path)

    async def keep_file(self) -> None:
        """A file of up to 200 kB."""
        content = self._random.randbytes(self._random.choice([0, 10, 5_000, 200_000]))
        if self._random.random() < 0.5:
            content = b"The sky is blue over the sea. " * (len(content) // 30 + 1)
        response = await self._http.post(
            "/files", files={"file": ("notes.txt", content)}, data={"purpose": "assistants"}
        )
        assert response.status_code == 200, response.text
        self._have(response.json(), content)

    def _have(self, file: dict[str, Any], content: bytes) -> None:
        path = f"/files/{file['id']}"
        self._told.made(path, bytes=len(content))
        self._told.contents[path] = content
        self._files.append(file["id"])

    async def upload(self) -> None:
        """A file in parts, put together or given up."""
        parts = [self._random.randbytes(self._random.choice([1, 50_000])) for _ in range(3)]
        size = sum(len(part) for part in parts)
        head = {"filename": "big.bin", "bytes": size, "mime_type": "text/plain", "purpose": "assistants"}
        upload = (await self._post("/uploads", **head))["id"]
        ids = []
        for part in parts:
            response = await self._http.post(f"/uploads/{upload}/parts", files={"data": ("part", part)})
            assert response.status_code == 200, response.text
            ids.append(response.json()["id"])
        if self._random.random() < 0.7:
            whole = await self._post(f"/uploads/{upload}/complete", part_ids=ids)
            self._have(whole["file"], b"".join(parts))
        else:
            await self._post(f"/uploads/{upload}/cancel")

    async def index(self) -> None:
        """A vector store of some files."""
        files = self._random.sample(self._files, min(len(self._files), 3))
        made = await self._post("/vector_stores", name="notes", file_ids=files)
        path = f"/vector_stores/{made['id']}"
        self._told.made(path, name="notes")
        if self._random.random() < 0.3:
            await self._delete(path)
        elif self._random.random() < 0.5:
            await self._post(f"{path}/search", query="what is blue?")

    async def drop(self) -> None:
        """A file is deleted, wherever it is in."""
        if self._files:
            await self._delete(f"/files/{self._files.pop(self._random.randrange(len(self._files)))}")

    async def _post(self, path: str, **body: Any) -> dict[str, Any]:
        response = await self._http.post(path, json=body)
        assert response.status_code == 200, (path, response.text)
        answer: dict[str, Any] = response.json()
        return answer

    async def _delete(self, path: str) -> None:
        self._told.deleting(path)
        response = await self._http.delete(path)
        assert response.status_code == 200, (path, response.text)
        self._told.gone.add(path)
